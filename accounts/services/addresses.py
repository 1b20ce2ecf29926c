"""Where people are reached: an e-mail address or a phone number, and the code that proves whose it is."""

from collections.abc import Callable

from django.utils import timezone

from accounts import names
from accounts.errors import InvalidCode, InvalidInput, Problem
from accounts.messaging import outbox
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import CODE_LIFE
from accounts.security.codes import Target
from accounts.security.lockout import Account
from accounts.services import codes, users
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_VERIFIED = {Channel.EMAIL: Event.EMAIL_VERIFIED, Channel.PHONE: Event.PHONE_VERIFIED}


def canonical(channel: Channel, typed: str) -> str:
    """Return the form in which a channel's addresses are compared. Raises InvalidIdentifier."""
    return names.IDENTIFIERS[channel].canonical(typed)


def enqueue_code(*, user: User, channel: Channel, address: str, kind: Kind, code: str) -> None:
    """Queue the message that brings a code. Inside the transaction that stores it."""
    expires_at = timezone.now() + CODE_LIFE
    outbox.enqueue(user=user, channel=channel, address=address, kind=kind, expires_at=expires_at, code=code)


def request_verification(*, user: User, channel: Channel, origin: Origin) -> str:
    """Send a code to the address that waits to be confirmed or, where none does, to the present one; return the code.

    Raises InvalidInput, TooManyCodes and Overloaded.
    """
    address = _unproved(user, channel)
    target, deliver = _target(user, channel, address), _deliver(user, channel, address)
    return codes.send(target=target, stamp=user.stamp, origin=origin, deliver=deliver)


def proposal(*, user: User, channel: Channel, address: str, origin: Origin) -> Callable[[], None]:
    """Return what has a new address take the present one's place once a code proves it, for the caller's transaction.

    Raises TooManyCodes and Overloaded; what is returned raises TooManyCodes.
    """
    kept = canonical(channel, address) if channel is Channel.PHONE else address
    target = _target(user, channel, kept)
    codes.require_sendable(target=target, origin=origin)
    made = target.make()

    def propose() -> None:
        # A new password in the same transaction has renewed the stamp.
        stamp = User.objects.values_list("stamp", flat=True).get(pk=user.pk)
        setattr(user, f"pending_{channel}", kept)
        user.save(update_fields=[f"pending_{channel}"])
        codes.store(target=target, made=made, stamp=stamp, origin=origin, deliver=_deliver(user, channel, kept))

    return propose


def withdraw(*, user: User, channel: Channel) -> None:
    """Forget an address that waits to be confirmed."""
    if getattr(user, f"pending_{channel}"):
        setattr(user, f"pending_{channel}", "")
        user.save(update_fields=[f"pending_{channel}"])


def verify(*, user: User, channel: Channel, code: object, origin: Origin) -> User:
    """Take a code as proof of the address that it went to, which becomes the present one; return the user.

    Raises InvalidInput, InvalidCode, AlreadyTaken, TooManyAttempts and Overloaded.
    """
    address = _unproved(user, channel)
    target = _target(user, channel, address)
    with (
        codes.proven(target=target, code=code, stamp=user.stamp, origin=origin) as spend,
        users.duplicate_as_already_taken(user),
    ):

        def work() -> None:
            _require_unchanged(user, channel)
            spend()
            _confirm(user, channel, address, origin)

        atomically(work)
    return user


def _require_unchanged(user: User, channel: Channel) -> None:
    """Hold the user's row. Raises InvalidCode where what the code was checked for has changed meanwhile."""
    columns = ("stamp", channel.value, f"pending_{channel}")
    read = {name: getattr(user, name) for name in columns}
    if User.objects.select_for_update().filter(pk=user.pk).values(*columns).first() != read:
        raise InvalidCode


def _confirm(user: User, channel: Channel, address: str, origin: Origin) -> None:
    setattr(user, channel, address)
    setattr(user, f"verified_{channel}", canonical(channel, address))
    setattr(user, f"pending_{channel}", "")
    users.save_changes(user=user, fields=[channel.value], actor=user, origin=origin)
    user.save(update_fields=[f"verified_{channel}", f"pending_{channel}", "updated_at"])
    record(SecurityEvent.of(origin, _VERIFIED[channel], user_id=user.pk, actor_id=user.pk))


def _unproved(user: User, channel: Channel) -> str:
    """Return the address that a code is to prove. Raises InvalidInput where there is none."""
    address = getattr(user, f"pending_{channel}") or getattr(user, channel)
    if not address:
        raise InvalidInput({"channel": [Problem("no_address", "This account has none of this kind.")]})
    if getattr(user, f"verified_{channel}") == canonical(channel, address) and address == getattr(user, channel):
        raise InvalidInput({"channel": [Problem("already_verified", "This is verified already.")]})
    return str(address)


def _target(user: User, channel: Channel, address: str) -> Target:
    purpose = {Channel.EMAIL: Purpose.EMAIL, Channel.PHONE: Purpose.PHONE}[channel]
    return Target(Account(user.pk), purpose, channel, canonical(channel, address))


def _deliver(user: User, channel: Channel, address: str) -> Callable[[str], None]:
    return lambda code: enqueue_code(
        user=user, channel=channel, address=address, kind=Kind.VERIFICATION_CODE, code=code
    )
