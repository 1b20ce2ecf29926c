"""The wire contracts: each folder has the paths, bodies, errors and tokens of one document."""
