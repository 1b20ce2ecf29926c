"""What users change of their own account."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.errors import InvalidInput, Problem
from accounts.models import Channel, User
from accounts.policies import PasswordRule, active_profile
from accounts.security.quota import spend_own_change
from accounts.services import contacts, passwords, registration_quota, users
from accounts.services.contacts import PendingContact
from accounts.services.passwords import NewPassword
from accounts.transactions import atomically
from audit.origin import Origin
from audit.record import record


def change(
    *, user: User, changes: Mapping[str, Any], old_password: str | None, origin: Origin, new_password: str | None = None
) -> User:
    """Change the user's own columns and, where one is given, the password, which ends every session; return the user.

    Where the profile says so, a new contact is pending until a code proves it, and any change of a contact or of the
    password requires `old_password`, which is verified before the response depends on other accounts. Raises
    InvalidInput, AlreadyTaken, TooManyRegistrations, TooManyAttempts, TooManyChanges, TooManyCodes and Overloaded.
    """
    new = _new_contacts(user, changes)
    guarded = {} if active_profile().addresses_at_once else new
    requires_password = bool(guarded or (new_password and not active_profile().password_by_token))
    if not requires_password:
        spend_own_change(user.pk, timezone.now())
    waiting = {channel: contact for channel, contact in guarded.items() if contact}
    tentative = _with_contacts(user, new)
    fields = users.assign(user, {name: value for name, value in changes.items() if name not in waiting}, actor=user)
    if new_password and (wrong := passwords.problems(new_password, user, active_profile().password)):
        raise InvalidInput({"password": wrong})
    if requires_password:
        _verify_current(user, old_password, origin)
        spend_own_change(user.pk, timezone.now(), proved=True)
    if new_password:
        passwords.require_different(new_password, user, field="password")
    with registration_quota.limit_disclosure_to(user.pk, origin) if new else nullcontext():
        users.require_free(tentative)
        pending = _prepare_pending(user, waiting, origin)
        rule = active_profile().password
        password = _prepare_password(user, new_password, rule)
        replaced = {channel for channel in Channel if channel in changes} - guarded.keys()
        _store(user, fields, password, pending, replaced, origin)
    return user


def _prepare_password(user: User, new: str | None, rule: PasswordRule) -> NewPassword | None:
    return passwords.prepare(user=user, password=new, rule=rule, field="password") if new else None


def _prepare_pending(user: User, waiting: Mapping[Channel, str], origin: Origin) -> list[PendingContact]:
    return [
        contacts.prepare_pending(user=user, channel=channel, contact=contact, origin=origin)
        for channel, contact in waiting.items()
    ]


def _store(
    user: User,
    fields: Collection[str],
    password: NewPassword | None,
    pending: Collection[PendingContact],
    replaced: Collection[Channel],
    origin: Origin,
) -> None:
    """Store all changes in one transaction; a pending contact of a replaced channel is removed."""

    def work() -> None:
        # The notice of a new password goes to the contacts that the account had.
        event = passwords.store(new=password, origin=origin) if password else None
        users.save_changes(user=user, fields=fields, actor=user, origin=origin)
        for channel in replaced:
            contacts.remove_pending(user=user, channel=channel)
        for each in pending:
            contacts.store_pending(user=user, pending=each, origin=origin)
        if event:
            record(event)

    with users.duplicate_as_already_taken(user):
        atomically(work)
    if password:
        passwords.refresh_credentials(user)


def _new_contacts(user: User, changes: Mapping[str, Any]) -> dict[Channel, str | None]:
    """Return the contacts that differ from the present ones, None for one that is removed."""
    given = {channel: changes[channel] or None for channel in Channel if channel in changes}
    present = {Channel.EMAIL: user.email_key, Channel.PHONE: user.phone}
    return {channel: new for channel, new in given.items() if _canonical(channel, new) != present[channel]}


def _canonical(channel: Channel, contact: str | None) -> str | None:
    try:
        return contacts.canonical(channel, contact) if contact else None
    except names.InvalidIdentifier:
        return contact


def _with_contacts(user: User, contacts: Mapping[Channel, str | None]) -> User:
    """Return a copy of the user that has these contacts and is not saved. Raises InvalidInput."""
    tentative = User(pk=user.pk, username=user.username, **{str(field): value for field, value in contacts.items()})
    if errors := users.wrong_columns(tentative, contacts):
        raise InvalidInput(errors)
    return tentative


def _verify_current(user: User, old_password: str | None, origin: Origin) -> None:
    if not old_password:
        raise InvalidInput({"old_password": [Problem("required", _("This change requires the current password."))]})
    passwords.verify_current(user=user, password=old_password, origin=origin)
