"""What people change of their own account."""

from collections.abc import Mapping
from typing import Any

from accounts import names
from accounts.errors import InvalidInput, Problem
from accounts.models import Channel, User
from accounts.policies import profile
from accounts.services import addresses, passwords, people
from audit.origin import Origin

_REQUIRED = Problem("required", "This change wants the current password.")


def change(
    *, user: User, changes: Mapping[str, Any], old_password: str | None, origin: Origin, new_password: str | None = None
) -> User:
    """Change one's own columns and, where one is given, the password, which ends every session; return the user.

    Where the profile says so, a new address or number waits until a code proves it, and `old_password` is wanted for
    that, as for a new password. Raises InvalidInput, AlreadyTaken, TooManyAttempts, TooManyCodes and Overloaded.
    """
    waiting = {} if profile().addresses_at_once else _addresses(user, changes)
    at_once = {name: value for name, value in changes.items() if not waiting.get(name)}
    _require_possible(user, {name: value for name, value in waiting.items() if value})
    ...
