"""Sign-in: the one pipeline that verifies a password, for every contract, the admin site and every confirmation.

    identify ─▶ reserve ─▶ verify_password ─▶ decide ─▶ check the factor ─▶ prepare ─▶ settle
               (commits)   (a hashing slot,   (account   (a proof, a        (tokens,   (one transaction: budgets, what
                            no transaction)    state,     refusal, or a      signed)    serves once, session row,
                                               rule)      challenge)                    trail row)

Each stage is a function that returns a value; only the last one writes what a client may rely on. The first three are
in `attempts.py`, the second factor's is in `factor_check.py`, the last one in `settlement.py`. A login whose second
factor comes in a request of its own continues in `second_step.py`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import (
    AccountDisabled,
    ApprovalPending,
    InvalidCredentials,
    InvalidSecondFactor,
    Overloaded,
    PasswordExpired,
    SecondFactorEnrollmentRequired,
    SecondFactorRequired,
    TooManyAttempts,
    TooManyLogins,
)
from accounts.models import FactorType, User
from accounts.policies import LONGEST_PASSWORD, MFA_TOKEN_LIFE, TOTP_DIGITS
from accounts.security import budgets, hashing, mfa_tokens
from accounts.security.lockout import Reservation
from accounts.security.login_quota import LOGIN_QUOTAS
from accounts.services import factor_check
from accounts.services.attempts import Attempt, PasswordCheck, cancel, identify, limit_parallel, verify_password
from accounts.services.factor_check import PASSWORD, FactorStep
from accounts.services.identifiers import Identifier
from accounts.services.settlement import (
    AuthenticatedUser,
    Challenge,
    Decision,
    Login,
    Outcome,
    PasswordExpiry,
    Refusal,
    record_lockout,
    settle,
    wrong_factor,
)
from accounts.services.token_issuer import TokenIssuer
from audit.events import FailureReason
from audit.origin import Origin
from audit.validity import Validity

# Returns why a user whose password was right may not log in here, or None. The client gets the answer to a wrong
# password.
LoginRule = Callable[[User], FailureReason | None]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_UNKNOWN_USER: Final = Refusal(FailureReason.UNKNOWN_USER, InvalidCredentials, counts=True)
_WRONG_PASSWORD: Final = Refusal(FailureReason.WRONG_PASSWORD, InvalidCredentials, counts=True)
_INACTIVE: Final = Refusal(FailureReason.INACTIVE, AccountDisabled, counts=False)
_OUTSIDE_DATES: Final = {
    Validity.NOT_YET: Refusal(FailureReason.NOT_YET_VALID, AccountDisabled, counts=False),
    Validity.ENDED: Refusal(FailureReason.ACCOUNT_EXPIRED, AccountDisabled, counts=False),
}
_PENDING_APPROVAL: Final = Refusal(FailureReason.PENDING_APPROVAL, ApprovalPending, counts=False)
# To a client without a second factor a right password alone is a wrong one, in every respect.
_FACTOR_MISSING: Final = Refusal(FailureReason.SECOND_FACTOR_MISSING, InvalidCredentials, counts=True)
_NOT_ENROLLED: Final = Refusal(FailureReason.SECOND_FACTOR_NOT_ENROLLED, InvalidCredentials, counts=True)


@dataclass(frozen=True, slots=True)
class SubmittedCredentials:
    """What a client has sent: a password, when the code of a second factor comes, and the code beside the password."""

    password: str
    step: FactorStep
    code: str | None = None

    def parts(self, attempt: Attempt) -> tuple[str, str | None]:
        """Return the password, and the code if there is one."""
        if self.step is FactorStep.IN_PASSWORD:
            return factor_check.split(self.password, attempt.factors)
        return self.password, self.code


def sign_in(
    *,
    identifier: Identifier,
    password: str,
    issuer: TokenIssuer[T],
    origin: Origin,
    step: FactorStep = FactorStep.IN_PASSWORD,
    code: str | None = None,
    rule: LoginRule | None = None,
) -> T:
    """Log a user in and return what the issuer made for the new session.

    `step` says when the client sends the code of a second factor, `code` is the one beside the password. Raises
    InvalidCredentials (also where the rule refuses the user), InvalidSecondFactor, SecondFactorRequired,
    SecondFactorEnrollmentRequired, AccountDisabled, ApprovalPending, PasswordExpired, TooManyAttempts, Overloaded and,
    before anything is hashed, KeysUnavailable.
    """
    return cast(T, _run(identifier, SubmittedCredentials(password, step, code), origin, rule, issuer).issued)


def verify_credentials(
    *,
    identifier: Identifier,
    password: str,
    origin: Origin,
    step: FactorStep,
    code: str | None = None,
    rule: LoginRule | None = None,
) -> User:
    """Return the user with this identifier and password, recorded as a login; no session is opened.

    Raises what `sign_in` raises, except KeysUnavailable and PasswordExpired.
    """
    return _run(identifier, SubmittedCredentials(password, step, code), origin, rule, issuer=None).user


def _run(
    identifier: Identifier,
    submitted: SubmittedCredentials,
    origin: Origin,
    rule: LoginRule | None,
    issuer: TokenIssuer[Any] | None,
) -> Login:
    """Take an attempt through all stages."""
    _require_hashable(submitted)
    with limit_parallel(identifier=identifier, origin=origin):
        if issuer:
            issuer.require_keys()
        attempt = identify(identifier=identifier, origin=origin)
        with recorded_lockout(attempt):
            return _attempt(attempt, submitted, rule, issuer)


@contextmanager
def recorded_lockout(attempt: Attempt) -> Iterator[None]:
    """Record that a lock has refused an attempt. Raises TooManyAttempts or TooManyLogins instead of LockedOut."""
    try:
        yield
    except budgets.LockedOut as locked:
        too_many = TooManyLogins if locked.budget.purpose in LOGIN_QUOTAS else TooManyAttempts
        record_lockout(attempt, locked.budget)
        raise too_many(retry_after=locked.retry_after) from locked


def _attempt(
    attempt: Attempt, submitted: SubmittedCredentials, rule: LoginRule | None, issuer: TokenIssuer[Any] | None
) -> Login:
    """Verify what was entered and settle the attempt. Raises budgets.LockedOut, and the errors of refusals."""
    password, code = submitted.parts(attempt)
    check = verify_password(attempt=attempt, password=password)
    with cancelled_on_error(check.reservation):
        found = decide(attempt=attempt, check=check, rule=rule)
        decision = _check_factor(found, attempt, submitted.step, code) if isinstance(found, User) else found
        if submitted.step is FactorStep.IN_PASSWORD and _says_wrong_password(decision):
            factor_check.imitate_check(submitted.password)
        prepared = prepare_login(decision, issuer, attempt.origin)
        outcome = settle(attempt=attempt, reservation=check.reservation, decision=prepared)
    login = require_login(outcome)
    if check.outdated:
        _upgrade_hash(login.user, password)
    return login


def _says_wrong_password(decision: Decision) -> bool:
    """Return whether an attempt is refused as a wrong password is, and no code was checked."""
    return isinstance(decision, Refusal) and decision.error is InvalidCredentials


@contextmanager
def cancelled_on_error(reservation: Reservation) -> Iterator[None]:
    """Release a reservation where anything fails before it is settled."""
    try:
        yield
    except BaseException:
        cancel(reservation)
        raise


def require_login(outcome: Outcome) -> Login:
    """Return the login of a settled attempt. Raises the errors of refusals and challenges."""
    if isinstance(outcome, Login):
        return outcome
    raise outcome.error


def _require_hashable(submitted: SubmittedCredentials) -> None:
    """Raise InvalidCredentials for a password that no account can have: very long, or with a lone surrogate.

    Where a code may follow the password, all that has room for both is hashed: a refusal beforehand of only those who
    have no factor would say who has one.
    """
    longest = LONGEST_PASSWORD + TOTP_DIGITS if submitted.step is FactorStep.IN_PASSWORD else LONGEST_PASSWORD
    if len(submitted.password) > longest or any("\ud800" <= char <= "\udfff" for char in submitted.password):
        raise InvalidCredentials


def decide(*, attempt: Attempt, check: PasswordCheck, rule: LoginRule | None) -> User | Refusal:
    """Return the user who may log in, or the refusal: by the password, then the account's state, then the rule."""
    user = attempt.user
    if user is None:
        return _UNKNOWN_USER
    if not check.correct:
        return _WRONG_PASSWORD
    if not user.is_active:
        return _INACTIVE
    if user.awaits_approval:
        return _PENDING_APPROVAL
    if user.validity() is not Validity.CURRENT:
        return _OUTSIDE_DATES[user.validity()]
    if reason := rule(user) if rule else None:
        return Refusal(reason, InvalidCredentials, counts=True)
    return user


def _check_factor(user: User, attempt: Attempt, step: FactorStep, code: str | None) -> Decision:
    """Return whether a user whose password was right has, and needs, a second factor. Raises Overloaded."""
    if step is FactorStep.NEVER or not (attempt.factors or factor_check.is_required(user)):
        return AuthenticatedUser(user, PASSWORD)
    if attempt.factors and code:
        try:
            return AuthenticatedUser(user, factor_check.check_code(user=user, code=code))
        except InvalidSecondFactor:
            return wrong_factor(factor_check.type_of_code(code))
    if step is FactorStep.IN_PASSWORD:
        return _FACTOR_MISSING if attempt.factors else _NOT_ENROLLED
    return _challenge(user, attempt)


def _challenge(user: User, attempt: Attempt) -> Challenge:
    contract, life = attempt.origin.contract, MFA_TOKEN_LIFE
    if not attempt.factors:
        token = mfa_tokens.issue(mfa_tokens.ENROLLMENT, user, contract)
        return Challenge(FailureReason.SECOND_FACTOR_NOT_ENROLLED, SecondFactorEnrollmentRequired(token, life))
    token = mfa_tokens.issue(mfa_tokens.LOGIN, user, contract)
    methods = (*sorted(attempt.factors), FactorType.RECOVERY_CODE)
    return Challenge(FailureReason.SECOND_FACTOR_MISSING, SecondFactorRequired(token, life, methods))


def prepare_login(decision: Decision, issuer: TokenIssuer[Any] | None, origin: Origin) -> Outcome:
    """Return the login of a user who may log in, its session not stored yet and its tokens signed.

    An expired password opens no session, but confirms what a session asks for. Anything else than a login is returned
    as it is. Raises KeysUnavailable.
    """
    if not isinstance(decision, AuthenticatedUser):
        return decision
    user, proof = decision.user, decision.proof
    if issuer is None:
        return Login(user, proof)
    if "pwd" in proof.methods and _is_too_old(user):
        token = mfa_tokens.issue(mfa_tokens.PASSWORD_CHANGE, user, origin.contract)
        return PasswordExpiry(proof, PasswordExpired(token, MFA_TOKEN_LIFE))
    session = issuer.new_session(user, proof, origin, timezone.now())
    return Login(user, proof, session, issuer.issue(session))


def _is_too_old(user: User) -> bool:
    limit: timedelta | None = settings.PASSWORD_MAX_AGE
    return limit is not None and user.password_changed_at <= timezone.now() - limit


def _upgrade_hash(user: User, password: str) -> None:
    """Store a stronger hash of the password; where that fails now, the next login repeats it."""
    try:
        with hashing.slots.take(account=budgets.Account(user.pk)):
            encoded = hashing.make(password)
        User.objects.filter(pk=user.pk).rehash(user.password, encoded)
    except (Overloaded, DatabaseError):
        logger.warning("The password hash of user %s was not upgraded.", user.pk, exc_info=True)
