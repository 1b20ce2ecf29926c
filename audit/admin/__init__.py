"""The trail in the admin site: read-only lists of login attempts and security events."""

from audit.admin.login_attempts import LoginAttemptAdmin
from audit.admin.security_events import SecurityEventAdmin

__all__ = ["LoginAttemptAdmin", "SecurityEventAdmin"]
