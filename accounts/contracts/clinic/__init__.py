"""The clinic's contract: document 004. A token that each refresh replaces, flat bodies, and errors as in FastAPI."""
