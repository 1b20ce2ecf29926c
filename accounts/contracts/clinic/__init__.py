"""The clinic's contract: document 004. A token that serves once, flat answers, and errors as FastAPI tells them."""
