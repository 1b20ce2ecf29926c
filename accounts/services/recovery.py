"""Account recovery: a new password for a user who has lost it, by a code sent to a contact of the account."""

from accounts import names
from accounts.errors import InvalidCode, InvalidCredentials, InvalidInput, NotFound, Problem
from accounts.models import Channel, Kind, Purpose, User
from accounts.policies import active_profile
from accounts.security import budgets, locked_accounts
from accounts.security.codes import Target
from accounts.services import codes, contacts, identifiers, passwords, permissions, second_factors
from accounts.services.codes import Recipient
from accounts.services.identifiers import Identifier
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


def request_code(*, identifier: Identifier, channel: Channel, contact: str, origin: Origin) -> str:
    """Send a reset code and return it; the caller cannot tell whether the account exists or has this contact.

    Raises InvalidInput, TooManyCodes and Overloaded.
    """
    user, target = _target(identifier, channel, contact)
    recipient = _recipient(user, channel, anonymous=True) if user and target.genuine else None
    return codes.send(target=target, recipient=recipient, stamp=user.stamp if user else "", origin=origin)


def send_code(*, user: User, actor: User, origin: Origin) -> None:
    """Send a reset code for an administrator, by e-mail or else by phone, under the same rules and limits.

    The administrator does not see the code. Raises PermissionDenied for a superuser's account unless `actor` is one,
    NotFound where the account is disabled or has no contact, TooManyCodes and Overloaded.
    """
    permissions.require_may_change(actor, user)
    channel = next((each for each in Channel if contacts.accepts_reset_code(user, each)), None)
    if channel is None or not user.is_active:
        raise NotFound
    contact = contacts.canonical(channel, getattr(user, channel))
    target = Target(budgets.Account(user.pk), Purpose.RESET, channel, contact)
    recipient = _recipient(user, channel, anonymous=False)
    codes.send(target=target, recipient=recipient, stamp=user.stamp, origin=origin, actor_id=actor.pk)


def reset_password(
    *, identifier: Identifier, channel: Channel, contact: str, code: object, new: str, origin: Origin
) -> None:
    """Give an account a new password, with a code as the proof; its sessions end and its failed logins are forgotten.

    The first proof of a contact leaves the account to the user who has it: contacts that are neither proved nor vouched
    for become pending.

    Raises InvalidInput, after which the code is still valid; InvalidCode, TooManyAttempts and Overloaded.
    """
    rule = active_profile().native_change
    # What is wrong with the password for any account is checked before anything about this one.
    passwords.require_valid(new, User(), rule)
    user, target = _target(identifier, channel, contact)
    verified = codes.verify(target=target, code=code, stamp=user.stamp if user else "", origin=origin)
    if user is None:
        raise InvalidCode
    password = passwords.prepare(user=user, password=new, rule=rule, event=Event.PASSWORD_RESET)

    def work() -> None:
        first_proof = contacts.prove_by_reset(user=user, channel=channel, contact=target.contact)
        event = passwords.store(new=password, origin=origin)
        proof = _make_the_provers(user, channel, origin) if first_proof else []
        codes.spend(verified)
        locked_accounts.unlock(user.pk, codes_too=False)
        record(*proof, event)

    try:
        atomically(work)
    except InvalidCredentials as error:
        # The account has changed since the code was verified, perhaps by the same code in a parallel request.
        raise InvalidCode from error


def _recipient(user: User, channel: Channel, *, anonymous: bool) -> Recipient:
    return Recipient(user, channel, getattr(user, channel), Kind.RESET_CODE, anonymous)


def _target(identifier: Identifier, channel: Channel, contact: str) -> tuple[User | None, Target]:
    try:
        canonical = contacts.canonical(channel, contact)
    except names.InvalidIdentifier as error:
        raise InvalidInput({"contact": [Problem("invalid", str(error))]}) from error
    user = identifiers.user(identifier)
    account = budgets.Account(user.pk) if user else budgets.Account.unknown(identifier.value)
    genuine = bool(user and user.is_active and _reaches(user, channel, canonical))
    return user, Target(account, Purpose.RESET, channel, canonical, genuine)


def _reaches(user: User, channel: Channel, canonical: str) -> bool:
    present = user.email_key if channel is Channel.EMAIL else user.phone
    return present == canonical and contacts.accepts_reset_code(user, channel)


def _make_the_provers(user: User, channel: Channel, origin: Origin) -> list[SecurityEvent]:
    """Leave the account only to the user who has proved a contact first; return the events."""
    suspended, types = contacts.suspend_unproved(user=user), second_factors.clear(user=user)
    events = contacts.proof_events(user=user, channel=channel, suspended=suspended, origin=origin)
    if types:
        removal = second_factors.removal_event(user=user, types=types, actor=user, origin=origin, cause="first_proof")
        events.append(removal)
    return events
