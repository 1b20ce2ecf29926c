"""The ModelAdmins of users, sessions, locks and messages."""

from accounts.admin import groups
from accounts.admin.locks import LockAdmin
from accounts.admin.messages import MessageAdmin
from accounts.admin.sessions import SessionAdmin
from accounts.admin.users import UserAdmin

__all__ = ["LockAdmin", "MessageAdmin", "SessionAdmin", "UserAdmin", "groups"]
