"""Import of the accounts of former systems: read, planned in a temporary database, and written in one transaction."""
