"""The audit trail: every login attempt and every other security event, insert-only."""
