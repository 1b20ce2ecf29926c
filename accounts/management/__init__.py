"""Management commands for accounts, sessions, keys and messages."""
