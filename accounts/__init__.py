"""Identity: the people, how they prove who they are, and the wire contracts that ask."""
