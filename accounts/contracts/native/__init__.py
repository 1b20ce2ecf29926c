"""The native contract: document 003, extended. Errors are RFC 9457 problem details."""
