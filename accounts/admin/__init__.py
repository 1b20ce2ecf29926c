"""The ModelAdmins of users, sessions and messages."""

from accounts.admin import groups
from accounts.admin.messages import MessageAdmin
from accounts.admin.sessions import SessionAdmin
from accounts.admin.users import UserAdmin

__all__ = ["MessageAdmin", "SessionAdmin", "UserAdmin", "groups"]
