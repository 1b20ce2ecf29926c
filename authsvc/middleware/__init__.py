"""Middleware and the WSGI request guard."""
