"""How somebody who has lost their password gets a new one: by a code, sent to an address that the account has."""

from accounts import names
from accounts.errors import InvalidCode, InvalidCredentials, InvalidInput, NotFound, Problem
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import active_profile
from accounts.security import lockout
from accounts.security.codes import Target
from accounts.services import addresses, codes, identifiers, passwords, permissions
from accounts.services.identifiers import Identifier
from audit.events import Event
from audit.origin import Origin


def request_code(*, identifier: Identifier, channel: Channel, contact: str, origin: Origin) -> str:
    """Have a code sent, and return it; nobody learns whether there is such an account, or whether it is reached there.

    Raises InvalidInput, TooManyCodes and Overloaded.
    """
    user, target = _target(identifier, channel, contact)

    def deliver(code: str) -> None:
        if user:
            address = getattr(user, channel)
            addresses.enqueue_code(user=user, channel=channel, address=address, kind=Kind.RESET_CODE, code=code)

    return codes.send(target=target, stamp=user.stamp if user else "", origin=origin, deliver=deliver)


def send_code(*, user: User, actor: User, origin: Origin) -> None:
    """Have a code sent to somebody who asked an administrator, by e-mail or else by phone; within everybody's limits.

    The administrator does not learn it. Raises PermissionDenied for a superuser's account unless `actor` is one,
    NotFound where the account is disabled or has no address, TooManyCodes and Overloaded.
    """
    permissions.require_may_change(actor, user)
    channel = Channel.EMAIL if user.email_key else Channel.PHONE
    contact = user.email_key or user.phone
    if not contact or not user.is_active:
        raise NotFound
    target = Target(lockout.Account(user.pk), Purpose.RESET, channel, contact)

    def deliver(code: str) -> None:
        address = getattr(user, channel)
        addresses.enqueue_code(user=user, channel=channel, address=address, kind=Kind.RESET_CODE, code=code)

    codes.send(target=target, stamp=user.stamp, origin=origin, deliver=deliver, actor_id=actor.pk)


def reset_password(
    *, identifier: Identifier, channel: Channel, contact: str, code: object, new: str, origin: Origin
) -> None:
    """Give an account a new password, a code being the proof; its sessions end, and its failed logins are forgotten.

    Raises InvalidInput, for which the code stays good; InvalidCode, TooManyAttempts and Overloaded.
    """
    rule = active_profile().native_change
    # What is wrong with any account's password is told before anything about this one.
    passwords.require_fit(new, User(), rule)
    user, target = _target(identifier, channel, contact)
    stamp = user.stamp if user else ""
    with codes.proven(target=target, code=code, stamp=stamp, origin=origin) as spend:
        if user is None:
            raise InvalidCode

        def also() -> None:
            spend()
            lockout.unlock(user.pk, codes_too=False)

        try:
            passwords.replace(user=user, password=new, rule=rule, origin=origin, event=Event.PASSWORD_RESET, also=also)
        except InvalidCredentials as error:
            # Somebody was quicker with the same code, or the account has changed meanwhile.
            raise InvalidCode from error


def _target(identifier: Identifier, channel: Channel, contact: str) -> tuple[User | None, Target]:
    try:
        canonical = addresses.canonical(channel, contact)
    except names.InvalidIdentifier as error:
        raise InvalidInput({"contact": [Problem("invalid", str(error))]}) from error
    user = identifiers.user(identifier)
    account = lockout.Account(user.pk) if user else lockout.Account.unknown(identifier.value)
    genuine = bool(user and user.is_active and _reaches(user, channel, canonical))
    return user, Target(account, Purpose.RESET, channel, canonical, genuine)


def _reaches(user: User, channel: Channel, canonical: str) -> bool:
    return (user.email_key if channel is Channel.EMAIL else user.phone) == canonical
