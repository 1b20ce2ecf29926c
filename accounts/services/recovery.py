"""Account recovery: a password for a user who has lost it or has none yet, by a code or a link sent to a contact."""

from django.utils import timezone

from accounts import names
from accounts.errors import (
    AccountDisabled,
    AccountExpired,
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    NoContact,
    Problem,
)
from accounts.models import Channel, Code, Kind, Purpose, User
from accounts.policies import PasswordRule, active_profile
from accounts.security import budgets, locked_accounts
from accounts.security.codes import Target
from accounts.security.quota import spend_change_by_code
from accounts.services import codes, contacts, identifiers, notices, passwords, permissions, second_factors
from accounts.services.codes import Recipient
from accounts.services.identifiers import Identifier
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record
from audit.validity import Validity


def request_code(*, identifier: Identifier, channel: Channel, contact: str, origin: Origin) -> str:
    """Send a reset code and return it; the caller cannot tell whether the account exists or has this contact.

    Raises InvalidInput, TooManyCodes and Overloaded.
    """
    user, target = _target(identifier, channel, contact)
    recipient = None
    if user and target.genuine:
        recipient = Recipient(user, channel, getattr(user, channel), Kind.RESET_CODE, anonymous=True)
    return codes.send(target=target, recipient=recipient, stamp=user.stamp if user else "", origin=origin)


def send_code(*, user: User, actor: User, origin: Origin) -> None:
    """Send a user what sets a password, for an administrator, by e-mail or else by phone, under the same rules.

    A user who has no password yet is sent an activation link or, by phone, a code; any other a reset code. The
    administrator sees neither, and has a limit of their own in place of the address's. Raises PermissionDenied for a
    superuser's account unless `actor` is one, AccountDisabled, AccountExpired, NoContact, TooManyCodes,
    TooManyCodesSent and Overloaded.
    """
    permissions.require_may_change(actor, user)
    channel = channel_for(user)
    is_new = not user.has_usable_password()
    purpose = Purpose.ACTIVATION if is_new and channel is Channel.EMAIL else Purpose.RESET
    target = Target(budgets.Account(user.pk), purpose, channel, contacts.canonical(channel, getattr(user, channel)))
    recipient = Recipient(user, channel, getattr(user, channel), Kind.ACTIVATION if is_new else Kind.RESET_CODE)
    codes.send(target=target, recipient=recipient, stamp=user.stamp, origin=origin, actor_id=actor.pk)


def channel_for(user: User) -> Channel:
    """Return by what a user is sent a code or a link. Raises AccountDisabled, AccountExpired and NoContact."""
    if not user.is_active:
        raise AccountDisabled
    if user.validity() is Validity.ENDED:
        raise AccountExpired
    for channel in Channel:
        if contacts.accepts_reset_code(user, channel):
            return channel
    raise NoContact


def why_not_sent(user: User) -> AccountDisabled | AccountExpired | NoContact | None:
    """Return the error for which a user is sent neither a code nor a link, or None where one can be sent."""
    try:
        channel_for(user)
    except (AccountDisabled, AccountExpired, NoContact) as error:
        return error
    return None


def reset_password(
    *, identifier: Identifier, channel: Channel, contact: str, code: object, new: str, origin: Origin
) -> User:
    """Give an account a new password, with a code as the proof, and return its user.

    Its sessions end and its failed logins are forgotten. The first proof of a contact leaves the account to the user
    who has it: contacts that are neither proved nor vouched for become pending, and where the contact was one of them
    the second factors go, which somebody else may have enrolled. No other reset removes a factor: a code that is sent
    stands for the password alone.

    Raises InvalidInput, after which the code is still valid; InvalidCode, TooManyAttempts and Overloaded.
    """
    # What is wrong with the password for any account is checked before anything about this one.
    passwords.require_valid(new, User(), password_rule())
    user, target = _target(identifier, channel, contact)
    verified = codes.verify(target=target, code=code, stamp=user.stamp if user else "", origin=origin)
    if user is None:
        raise InvalidCode
    store_password(user=user, target=target, new=new, verified=verified, origin=origin)
    return user


def password_rule() -> PasswordRule:
    """Return the rule of passwords that are chosen by a code or a link."""
    return active_profile().native_change


def store_password(*, user: User, target: Target, new: str, verified: Code, origin: Origin) -> None:
    """Store the password of a user who has proved a contact, and use the proof up: see `reset_password`.

    Raises InvalidInput, after which the proof is still valid; InvalidCode, TooManyAttempts and Overloaded.
    """
    spend_change_by_code(user.pk, timezone.now())
    channel = Channel(target.channel)
    event = Event.PASSWORD_RESET if user.has_usable_password() else Event.PASSWORD_CREATED
    passwords.require_different(new, user, field="new_password")
    password = passwords.prepare(user=user, password=new, rule=password_rule(), event=event)

    def work() -> None:
        proof = contacts.prove_by_reset(user=user, channel=channel, contact=target.contact)
        removals = [] if proof.was_trusted else _remove_factors(user, origin)
        event = passwords.store(new=password, origin=origin)
        proofs = _suspend_others(user, channel, origin) if proof.is_first else []
        codes.spend(verified)
        locked_accounts.unlock(user.pk, codes_too=False)
        record(*proofs, *removals, event)

    try:
        atomically(work)
    except InvalidCredentials as error:
        # The account has changed since the proof was verified, perhaps by the same proof in a parallel request.
        raise InvalidCode from error


def _target(identifier: Identifier, channel: Channel, contact: str) -> tuple[User | None, Target]:
    try:
        canonical = contacts.canonical(channel, contact)
    except names.InvalidIdentifier as error:
        raise InvalidInput({"contact": [Problem("invalid", error.message)]}) from error
    user = identifiers.user(identifier)
    account = budgets.Account(user.pk) if user else budgets.Account.unknown(identifier.value)
    genuine = bool(user and user.is_active and _reaches(user, channel, canonical))
    return user, Target(account, Purpose.RESET, channel, canonical, genuine)


def _reaches(user: User, channel: Channel, canonical: str) -> bool:
    present = user.email_key if channel is Channel.EMAIL else user.phone
    return present == canonical and contacts.accepts_reset_code(user, channel)


def _suspend_others(user: User, channel: Channel, origin: Origin) -> list[SecurityEvent]:
    """Leave the account only to the user who has proved a contact first; return the events."""
    suspended = contacts.suspend_unproved(user=user)
    return contacts.proof_events(user=user, channel=channel, suspended=suspended, origin=origin)


def _remove_factors(user: User, origin: Origin) -> list[SecurityEvent]:
    """Remove the second factors of an account that another user has prepared; return the events.

    The notice comes before that of the new password: of two within a minute a contact receives the first.
    """
    types = second_factors.clear(user=user)
    if not types:
        return []
    notices.notify(user=user, kind=Kind.FACTOR_REMOVED, origin=origin)
    return [second_factors.removal_event(user=user, types=types, actor=user, origin=origin, cause="first_proof")]
