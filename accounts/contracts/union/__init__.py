"""The union contract: document 001. Codes of their own in an envelope, one token that renews itself."""
