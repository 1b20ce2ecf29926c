"""What people change of their own account."""

from collections.abc import Mapping
from typing import Any

from accounts import names
from accounts.errors import InvalidInput, Problem
from accounts.models import Channel, User
from accounts.policies import active_profile
from accounts.services import addresses, passwords, users
from accounts.transactions import atomically
from audit.origin import Origin


def change(
    *, user: User, changes: Mapping[str, Any], old_password: str | None, origin: Origin, new_password: str | None = None
) -> User:
    """Change one's own columns and, where one is given, the password, which ends every session; return the user.

    Where the profile says so, a new address or number waits until a code proves it, and `old_password` is wanted for
    any change of them, as for a new password. Raises InvalidInput, AlreadyTaken, TooManyAttempts, TooManyCodes and
    Overloaded.
    """
    guarded = {} if active_profile().addresses_at_once else _new_addresses(user, changes)
    waiting = {channel: address for channel, address in guarded.items() if address}
    at_once = {name: value for name, value in changes.items() if name not in waiting}
    _require_possible(user, waiting)
    fields = users.assign(user, at_once, actor=user)
    if new_password and (wrong := passwords.problems(new_password, user, active_profile().password)):
        raise InvalidInput({"password": wrong})
    if guarded or (new_password and not active_profile().password_by_token):
        _prove(user, old_password, origin)
    proposals = [
        addresses.proposal(user=user, channel=channel, address=address, origin=origin)
        for channel, address in waiting.items()
    ]

    def save() -> None:
        users.save_changes(user=user, fields=fields, actor=user, origin=origin)
        for propose in proposals:
            propose()

    with users.duplicate_as_already_taken(user):
        if new_password:
            passwords.replace(
                user=user, password=new_password, rule=active_profile().password, origin=origin, also=save
            )
        else:
            atomically(save)
    for channel in {Channel(name) for name in Channel.values if name in changes} - guarded.keys():
        addresses.withdraw(user=user, channel=channel)
    return user


def _new_addresses(user: User, changes: Mapping[str, Any]) -> dict[Channel, str | None]:
    """Return the addresses that differ from the present ones, None for one that is taken away."""
    given = {channel: changes[channel] or None for channel in Channel if channel in changes}
    present = {Channel.EMAIL: user.email_key, Channel.PHONE: user.phone}
    return {channel: new for channel, new in given.items() if _canonical(channel, new) != present[channel]}


def _canonical(channel: Channel, address: str | None) -> str | None:
    try:
        return addresses.canonical(channel, address) if address else None
    except names.InvalidIdentifier:
        return address


def _require_possible(user: User, waiting: Mapping[Channel, str]) -> None:
    """Raise InvalidInput and AlreadyTaken for addresses that could never become this user's."""
    tentative = User(pk=user.pk, username=user.username, **{str(field): value for field, value in waiting.items()})
    if errors := users.wrong_columns(tentative):
        raise InvalidInput(errors)
    users.require_free(tentative)


def _prove(user: User, old_password: str | None, origin: Origin) -> None:
    if not old_password:
        raise InvalidInput({"old_password": [Problem("required", "This change wants the current password.")]})
    passwords.prove_current(user=user, password=old_password, origin=origin)
