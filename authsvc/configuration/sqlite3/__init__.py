"""Django's SQLite backend, which creates the database file for its user alone."""
