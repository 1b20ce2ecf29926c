"""Django's MySQL backend, which does not wait for a server that does not answer."""
