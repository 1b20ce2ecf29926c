"""The trail's screens: everything can be read, and nothing changed, by anyone."""

from audit.admin.screens import LoginAttemptAdmin, SecurityEventAdmin

__all__ = ["LoginAttemptAdmin", "SecurityEventAdmin"]
