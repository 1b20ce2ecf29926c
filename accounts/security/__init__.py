"""The mechanisms: hashing, lockout, keys, tokens, client addresses."""
