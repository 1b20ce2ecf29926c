"""The union contract: document 001. An envelope with codes of its own, and one token that the service renews."""
