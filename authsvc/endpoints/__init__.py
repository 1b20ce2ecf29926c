"""Endpoints outside the contracts: probes, public keys, API description, errors."""
