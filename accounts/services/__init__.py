"""What the product does, one verb a function: keyword arguments in, a result or an IdentityError out."""
