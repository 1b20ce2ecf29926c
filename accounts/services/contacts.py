"""Contacts: an e-mail address or a phone number of a user, and the code that proves that it is the user's."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.errors import InvalidCode, InvalidInput, Problem
from accounts.messaging import outbox
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import active_profile
from accounts.security.budgets import Account
from accounts.security.codes import Target
from accounts.security.quota import spend_own_change
from accounts.services import codes, users
from accounts.services.codes import NewCode, Recipient
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_VERIFIED = {Channel.EMAIL: Event.EMAIL_VERIFIED, Channel.PHONE: Event.PHONE_VERIFIED}
_PURPOSES = {Channel.EMAIL: Purpose.EMAIL, Channel.PHONE: Purpose.PHONE}


@dataclass(frozen=True, slots=True)
class ResetProof:
    """What a reset code has proved: whether no code had proved the contact before, and whether it was trusted before.

    A contact that somebody vouches for is trusted before its first proof.
    """

    is_first: bool
    was_trusted: bool


@dataclass(frozen=True, slots=True)
class PendingContact:
    """A new contact, and the code that is to confirm it; neither is stored yet."""

    channel: Channel
    contact: str
    code: NewCode


def canonical(channel: Channel, typed: str) -> str:
    """Return the form in which a channel's contacts are compared. Raises InvalidIdentifier."""
    return names.IDENTIFIERS[channel].canonical(typed)


def accepts_reset_code(user: User, channel: Channel) -> bool:
    """Return whether a reset code may go to a contact: an unproved one gets none beside one that is trusted."""
    contact = _present(user, channel)
    if not contact or not outbox.reaches(channel, contact):
        return False
    return user.is_trusted(channel) or not user.trusted_contacts()


def prove_by_reset(*, user: User, channel: Channel, contact: str) -> ResetProof:
    """Take a reset code as proof of a contact. Locks the user's row.

    `contact` is canonical. Inside the caller's transaction; raises InvalidCode where the account has changed since the
    code was verified, and no code would be sent to this contact any more.
    """
    stored = User.objects.select_for_update().filter(pk=user.pk).first()
    if stored is None or not accepts_reset_code(stored, channel) or _present(stored, channel) != contact:
        raise InvalidCode
    was_trusted = stored.is_trusted(channel)
    if getattr(stored, f"verified_{channel}") == contact:
        return ResetProof(False, was_trusted)
    User.objects.filter(pk=user.pk).update(**{f"verified_{channel}": contact})
    return ResetProof(True, was_trusted)


def suspend_unproved(*, user: User) -> list[Channel]:
    """Make contacts pending that are neither proved nor vouched for; return them. Inside the caller's transaction."""
    stored = User.objects.get(pk=user.pk)
    unproved = [each for each in Channel if getattr(stored, each) and not stored.is_trusted(each)]
    if unproved:
        pending = {f"pending_{each}": getattr(stored, each) for each in unproved}
        User.objects.filter(pk=user.pk).update(**dict.fromkeys(unproved), **pending)
    return unproved


def proof_events(*, user: User, channel: Channel, suspended: Sequence[Channel], origin: Origin) -> list[SecurityEvent]:
    """Return the events of a proof, which the caller records."""
    who = {"user_id": user.pk, "actor_id": user.pk}
    return [
        SecurityEvent.of(origin, _VERIFIED[channel], **who),
        *(SecurityEvent.of(origin, Event.CONTACT_SUSPENDED, **who, channel=str(each)) for each in suspended),
    ]


def _require_reachable(channel: Channel, contact: str, field: str) -> None:
    """Raise InvalidInput for a number that receives no text messages."""
    if not outbox.reaches(channel, canonical(channel, contact)):
        detail = _("Text messages can be sent only to mobile numbers of this service's regions.")
        raise InvalidInput({field: [Problem("no_text_messages", detail)]})


def _present(user: User, channel: Channel) -> str | None:
    """Return the present contact in canonical form."""
    value: str | None = getattr(user, names.IDENTIFIERS[channel].column)
    return value


def request_verification(*, user: User, channel: Channel, origin: Origin) -> str:
    """Send a code to the pending contact or, where there is none, to the present one; return the code.

    Raises InvalidInput, TooManyChanges, TooManyCodes and Overloaded.
    """
    spend_own_change(user.pk, timezone.now())
    contact = _unverified(user, channel)
    _require_reachable(channel, contact, field="channel")
    target, recipient = _target(user, channel, contact), _recipient(user, channel, contact)
    return codes.send(target=target, recipient=recipient, stamp=user.stamp, origin=origin)


def prepare_pending(*, user: User, channel: Channel, contact: str, origin: Origin) -> PendingContact:
    """Prepare a contact that replaces the present one once a code proves it.

    Outside any transaction; raises InvalidInput, TooManyCodes and Overloaded.
    """
    kept = canonical(channel, contact) if channel is Channel.PHONE else contact
    _require_reachable(channel, kept, field=channel.value)
    target, recipient = _target(user, channel, kept), _recipient(user, channel, kept)
    return PendingContact(channel, kept, codes.prepare(target=target, recipient=recipient, origin=origin))


def store_pending(*, user: User, pending: PendingContact, origin: Origin) -> None:
    """Store a pending contact, with its code and message. Inside the caller's transaction; raises TooManyCodes."""
    # A new password in the same transaction has renewed the stamp.
    stamp = User.objects.values_list("stamp", flat=True).get(pk=user.pk)
    _save_pending(user, pending.channel, pending.contact)
    codes.store(new=pending.code, stamp=stamp, origin=origin)


def remove_pending(*, user: User, channel: Channel) -> None:
    """Forget a pending contact. Inside the caller's transaction."""
    if getattr(user, f"pending_{channel}"):
        _save_pending(user, channel, "")


def _save_pending(user: User, channel: Channel, contact: str) -> None:
    setattr(user, f"pending_{channel}", contact)
    user.save(update_fields=[f"pending_{channel}"])


def verify(*, user: User, channel: Channel, code: object, origin: Origin) -> User:
    """Take a code as proof of the contact that it was sent to, which becomes the present one; return the user.

    Where the profile requires a proof of new contacts, another one that is neither proved nor vouched for becomes
    pending: nobody can hold a contact of someone else by proving an own one.

    Raises InvalidInput, InvalidCode, AlreadyTaken, TooManyAttempts and Overloaded.
    """
    contact = _unverified(user, channel)
    verified = codes.verify(target=_target(user, channel, contact), code=code, stamp=user.stamp, origin=origin)

    def work() -> None:
        _require_unchanged(user, channel)
        codes.spend(verified)
        _confirm(user, channel, contact, origin)

    with users.duplicate_as_already_taken(user):
        atomically(work)
    return user


def _require_unchanged(user: User, channel: Channel) -> None:
    """Hold the user's row. Raises InvalidCode where what the code was verified for has changed meanwhile."""
    columns = ("stamp", channel.value, f"pending_{channel}")
    read = {name: getattr(user, name) for name in columns}
    if User.objects.select_for_update().filter(pk=user.pk).values(*columns).first() != read:
        raise InvalidCode


def _confirm(user: User, channel: Channel, contact: str, origin: Origin) -> None:
    setattr(user, channel, contact)
    setattr(user, f"verified_{channel}", canonical(channel, contact))
    setattr(user, f"pending_{channel}", "")
    users.save_changes(user=user, fields=[channel.value], actor=user, origin=origin)
    user.save(update_fields=[f"verified_{channel}", f"pending_{channel}", "updated_at"])
    # Beside a proved contact an unproved one receives no reset code, so that its holder could not claim it.
    suspended = [] if active_profile().addresses_at_once else suspend_unproved(user=user)
    if suspended:
        user.refresh_from_db(fields=["email", "email_key", "phone", "pending_email", "pending_phone"])
    record(*proof_events(user=user, channel=channel, suspended=suspended, origin=origin))


def _unverified(user: User, channel: Channel) -> str:
    """Return the contact that a code is to prove. Raises InvalidInput where there is none."""
    contact = getattr(user, f"pending_{channel}") or getattr(user, channel)
    if not contact:
        raise InvalidInput(
            {"channel": [Problem("no_address", _("This account has no address or number for this channel."))]}
        )
    if getattr(user, f"verified_{channel}") == canonical(channel, contact) and contact == getattr(user, channel):
        raise InvalidInput({"channel": [Problem("already_verified", _("This contact is already verified."))]})
    return str(contact)


def _target(user: User, channel: Channel, contact: str) -> Target:
    return Target(Account(user.pk), _PURPOSES[channel], channel, canonical(channel, contact))


def _recipient(user: User, channel: Channel, contact: str) -> Recipient:
    return Recipient(user, channel, contact, Kind.VERIFICATION_CODE)
