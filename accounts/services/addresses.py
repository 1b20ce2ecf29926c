"""Where people are reached: an e-mail address or a phone number, and the code that proves whose it is."""

from django.utils import timezone

from accounts import names
from accounts.errors import InvalidInput, Problem
from accounts.messaging import outbox
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import CODE_LIFE
from accounts.security.codes import Target
from accounts.security.lockout import Account
from accounts.services import codes, people
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_CANONICAL = {Channel.EMAIL: names.canonical_email, Channel.PHONE: names.canonical_phone}
_VERIFIED = {Channel.EMAIL: Event.EMAIL_VERIFIED, Channel.PHONE: Event.PHONE_VERIFIED}


def canonical(channel: Channel, typed: str) -> str:
    """Return the form in which a channel's addresses are compared. Raises NotAName."""
    return _CANONICAL[channel](typed)


def put_code(*, user: User, channel: Channel, address: str, kind: Kind, code: str) -> None:
    """Queue the message that brings a code. Inside the transaction that stores it."""
    expires_at = timezone.now() + CODE_LIFE
    outbox.put(user=user, channel=channel, address=address, kind=kind, expires_at=expires_at, code=code)


def request_verification(*, user: User, channel: Channel, origin: Origin) -> str:
    """Send a code to the address that waits to be confirmed or, where none does, to the present one; return the code.

    Raises InvalidInput, TooManyCodes and Overloaded.
    """
    address = _unproved(user, channel)
    return _send(user, channel, address, origin)


def propose(*, user: User, channel: Channel, address: str, origin: Origin) -> None:
    """Have a new address take the present one's place once a code proves it. Raises TooManyCodes and Overloaded."""
    kept = canonical(channel, address) if channel is Channel.PHONE else address
    _send(user, channel, kept, origin, **{f"pending_{channel}": kept})
    setattr(user, f"pending_{channel}", kept)


def require_sendable(*, user: User, channel: Channel, address: str, origin: Origin) -> None:
    """Raise TooManyCodes where no code for this address would be sent now."""
    codes.require_sendable(target=_target(user, channel, address), origin=origin)


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
    with codes.proven(target=target, code=code, stamp=user.stamp, origin=origin) as spend, people.taken_is_told(user):

        def work() -> None:
            spend()
            _confirm(user, channel, address, origin)

        atomically(work)
    return user


def _confirm(user: User, channel: Channel, address: str, origin: Origin) -> None:
    setattr(user, channel, address)
    setattr(user, f"verified_{channel}", canonical(channel, address))
    setattr(user, f"pending_{channel}", "")
    people.save_changes(user=user, fields=[channel.value], actor=user, origin=origin)
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


def _send(user: User, channel: Channel, address: str, origin: Origin, **columns: str) -> str:
    def deliver(code: str) -> None:
        if columns:
            User.objects.filter(pk=user.pk).update(**columns)
        put_code(user=user, channel=channel, address=address, kind=Kind.VERIFICATION_CODE, code=code)

    target = _target(user, channel, address)
    return codes.send(target=target, stamp=user.stamp, origin=origin, deliver=deliver)
