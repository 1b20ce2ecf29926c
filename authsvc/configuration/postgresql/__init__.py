"""Django's PostgreSQL backend, which does not wait for a server that does not answer."""
