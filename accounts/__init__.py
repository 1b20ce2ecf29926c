"""Identity: users, authentication, and the wire contracts."""
