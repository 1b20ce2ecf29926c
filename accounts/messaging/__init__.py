"""Messages to people: the outbox that a transaction writes, and the loop that delivers it."""
