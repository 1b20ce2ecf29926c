"""The second factors of an account: enrolment by its user, and removal by the user or an administrator.

Whoever adds a factor enters the password, and whoever removes one a code too: a stolen session suffices for neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import (
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    InvalidSecondFactor,
    NotFound,
    OwnAccount,
    Problem,
    SecondFactorRequired,
)
from accounts.models import EndReason, FactorType, Kind, RecoveryCode, SecondFactor, SpentChallenge, User
from accounts.models.second_factor import NAME_LENGTH
from accounts.models.user_queryset import new_stamp
from accounts.policies import FACTORS_LIMIT
from accounts.security import authenticators, challenges, recovery_codes, totp
from accounts.security.quota import spend_own_change
from accounts.services import identifiers, notices, permissions, sessions, sign_in, user_events
from accounts.services.factor_check import FactorStep
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record

_TOO_MANY: Final = Problem(
    "too_many_factors", format_lazy(_("An account has at most {most} second factors."), most=FACTORS_LIMIT)
)
_NONE_IN_FORCE: Final = Problem("no_second_factor", _("This account has no second factor."))
_WRONG_CODE: Final = Problem("wrong_code", _("This code is wrong or has been used."))
_WRONG_PASSWORD: Final = Problem("wrong_password", _("This is not the current password."))


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """An authenticator app that its user is to confirm: its row, and the secret in the forms that apps take."""

    id: int
    secret: str
    otpauth_uri: str

    @property
    def qr_svg(self) -> str:
        """The URI as a QR code, made when it is shown: that takes longer than all the rest."""
        return totp.qr_svg(self.otpauth_uri)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A factor that is in force, and the recovery codes where it is the account's first one."""

    factor: SecondFactor
    recovery_codes: list[str] | None


def in_force(user: User) -> list[SecondFactor]:
    """Return the user's factors, the oldest first."""
    return list(SecondFactor.objects.in_force().filter(user=user))


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user).count()


def has_codes(user: User) -> bool:
    """Return whether the user has a code to enter: a passkey alone gives none, and its recovery codes run out."""
    return recovery_codes_left(user) > 0 or any(factor.type == FactorType.TOTP for factor in in_force(user))


def begin_app(*, user: User, password: str, origin: Origin) -> TotpSetup:
    """Make the secret of an authenticator app, in place of one that was not confirmed.

    Raises InvalidInput, TooManyAttempts, TooManyChanges and Overloaded.
    """
    _verify_password(user, password, origin)
    return new_app(user=user)


def new_app(*, user: User) -> TotpSetup:
    """Make the secret as `begin_app` does, for a user whose password was verified just now."""
    secret, now = totp.new_secret(), timezone.now()
    factor = SecondFactor(user=user, type=FactorType.TOTP, created_at=now, encrypted=totp.encrypted(secret))

    def work() -> None:
        _lock(user)
        SecondFactor.objects.filter(user=user, confirmed_at=None).delete()
        factor.pk = None
        factor.save(force_insert=True)

    atomically(work)
    return _shown(user, factor.pk, secret)


def pending_app(*, user: User, factor_id: int, secret: str) -> TotpSetup:
    """Return an unconfirmed app to somebody who has its secret already. Raises NotFound."""
    factor = _unconfirmed(user, factor_id)
    if factor is None or not constant_time_compare(totp.secret_of(factor), secret):
        raise NotFound
    return _shown(user, factor.pk, secret)


def _shown(user: User, factor_id: int, secret: str) -> TotpSetup:
    return TotpSetup(factor_id, secret, totp.uri(secret, user))


def _unconfirmed(user: User, factor_id: int) -> SecondFactor | None:
    return SecondFactor.objects.filter(user=user, pk=factor_id, type=FactorType.TOTP, confirmed_at=None).first()


def confirm_app(*, user: User, factor_id: int, code: str, first: bool, origin: Origin) -> Enrollment:
    """Put an authenticator app into force by a first code; the code's time step has served then.

    `first` says that the account must have no other factor, because its user has no session yet. Raises NotFound,
    InvalidCode, InvalidInput, TooManyChanges and Overloaded.
    """
    spend_own_change(user.pk, timezone.now())
    factor = _unconfirmed(user, factor_id)
    if factor is None:
        raise NotFound
    now = timezone.now()
    step = totp.unspent_step(factor, code, now)
    if step is None:
        raise InvalidCode
    factor.confirmed_at, factor.last_step = now, step
    return _enrol(factor, first, origin)


def creation_options(*, user: User, password: str, origin: Origin) -> dict[str, Any]:
    """Return the WebAuthn options for a new passkey or security key.

    Raises InvalidInput, TooManyAttempts, TooManyChanges and Overloaded.
    """
    _verify_password(user, password, origin)
    return new_credential_options(user=user)


def new_credential_options(*, user: User) -> dict[str, Any]:
    """Return the options as `creation_options` does, for a user whose password was verified just now."""
    existing = SecondFactor.objects.in_force().filter(user=user, type=FactorType.WEBAUTHN)
    return authenticators.creation_options(user, existing, _use(user), timezone.now())


def add_credential(*, user: User, credential: Mapping[str, Any], name: str, first: bool, origin: Origin) -> Enrollment:
    """Put a passkey or a security key into force, by the browser's answer to `creation_options`.

    `first` as in `confirm_app`. Raises InvalidCode, InvalidInput, TooManyChanges and Overloaded.
    """
    spend_own_change(user.pk, timezone.now())
    try:
        new = authenticators.new_credential(user, credential, _use(user), timezone.now())
    except InvalidSecondFactor as error:
        raise InvalidCode from error
    new.factor.name = escape_control_chars(name)[:NAME_LENGTH]
    try:
        return _enrol(new.factor, first, origin, challenges.spent(new.challenge))
    except IntegrityError as error:
        # The credential is registered already.
        raise InvalidCode from error


def remove(*, user: User, factor_id: int, password: str, code: str, origin: Origin) -> None:
    """Remove one of the user's factors; with the last one its recovery codes go.

    Raises NotFound, InvalidInput, TooManyAttempts, TooManyChanges and Overloaded.
    """
    factor = SecondFactor.objects.in_force().filter(user=user, pk=factor_id).first()
    if factor is None:
        raise NotFound
    _verify_password_and_code(user, password, code, origin)

    def work() -> None:
        if not SecondFactor.objects.filter(pk=factor.pk).delete()[0]:
            raise NotFound
        _lock(user)
        if not SecondFactor.objects.in_force().filter(user=user).exists():
            RecoveryCode.objects.filter(user=user).delete()
        notices.notify(user=user, kind=Kind.FACTOR_REMOVED, origin=origin)
        record(removal_event(user=user, types=[factor.type], actor=user, origin=origin))

    atomically(work)


def replace_recovery_codes(*, user: User, password: str, code: str, origin: Origin) -> list[str]:
    """Return ten new recovery codes, which replace the former ones.

    Raises InvalidInput, TooManyAttempts, TooManyChanges and Overloaded.
    """
    if not SecondFactor.objects.in_force().filter(user=user).exists():
        raise InvalidInput({"code": [_NONE_IN_FORCE]})
    _verify_password_and_code(user, password, code, origin)
    codes, rows = recovery_codes.make(user)

    def work() -> None:
        _lock(user)
        if not SecondFactor.objects.in_force().filter(user=user).exists():
            raise InvalidInput({"code": [_NONE_IN_FORCE]})
        _store_codes(user, rows)
        notices.notify(user=user, kind=Kind.RECOVERY_CODES_REPLACED, origin=origin)
        record(user_events.event(origin, Event.RECOVERY_CODES_REPLACED, user, user))

    atomically(work)
    return codes


def _enrol(factor: SecondFactor, first: bool, origin: Origin, challenge: SpentChallenge | None = None) -> Enrollment:
    """Store a factor in force, with recovery codes where it is the first one; a challenge serves once."""
    user = factor.user
    codes: list[str] | None = None
    rows: list[RecoveryCode] = []
    if first or not SecondFactor.objects.in_force().filter(user=user).exists():
        codes, rows = recovery_codes.make(user)

    def work() -> bool:
        _lock(user)
        others = SecondFactor.objects.in_force().filter(user=user).count()
        if (others and first) or (challenge and not challenge.spend(factor.created_at)):
            raise InvalidCode
        if others >= FACTORS_LIMIT:
            raise InvalidInput({"factor": [_TOO_MANY]})
        _store_factor(factor)
        if not others:
            _store_codes(user, rows)
        notices.notify(user=user, kind=Kind.FACTOR_ADDED, origin=origin)
        record(user_events.event(origin, Event.FACTOR_ADDED, user, user, type=factor.type))
        return not others

    is_first = atomically(work)
    return Enrollment(factor, codes if is_first else None)


def clear(*, user: User) -> list[str]:
    """Delete all factors and recovery codes of an account; return the types. Inside the caller's transaction."""
    factors = SecondFactor.objects.filter(user=user)
    types = sorted(set(factors.in_force().values_list("type", flat=True)))
    factors.delete()
    RecoveryCode.objects.filter(user=user).delete()
    return types


def removal_event(*, user: User, types: list[str], actor: User | None, origin: Origin, **detail: str) -> SecurityEvent:
    """Return the event of removed factors, which the caller records."""
    return user_events.event(origin, Event.FACTOR_REMOVED, user, actor, types=types, **detail)


def remove_all(*, user: User, reason: str, actor: User | None, origin: Origin) -> bool:
    """Remove the second factors of somebody who has lost them, and end that person's sessions.

    `actor` is None at the console; for the own factors there is `remove`, which asks for a code. Returns whether there
    were any. Raises PermissionDenied, OwnAccount and NotFound.
    """
    if actor:
        permissions.require_may_change(actor, user)
        if actor.pk == user.pk:
            raise OwnAccount

    def work() -> bool:
        # Whoever adds a factor at the same time waits, or has stored it.
        if not User.objects.select_for_update().filter(pk=user.pk).exists():
            raise NotFound
        types = clear(user=user)
        if not types:
            return False
        sessions.mark_ended(user, EndReason.ENDED_BY_ADMINISTRATOR)
        # A login that is under way with a removed factor keeps the former stamp, and fails.
        User.objects.filter(pk=user.pk).update(stamp=new_stamp())
        notices.notify(user=user, kind=Kind.FACTOR_REMOVED, origin=origin)
        reason_detail = escape_control_chars(reason)
        record(removal_event(user=user, types=types, actor=actor, origin=origin, reason=reason_detail))
        return True

    return atomically(work)


def _lock(user: User) -> None:
    """Hold the user's row, so that changes of one account's factors follow each other. Raises NotFound."""
    if not User.objects.select_for_update().filter(pk=user.pk, stamp=user.stamp).exists():
        raise NotFound


def _store_factor(factor: SecondFactor) -> None:
    """Store a new credential, or confirm an authenticator app that is stored already. Raises InvalidCode."""
    if factor.type == FactorType.WEBAUTHN:
        # A transaction that is repeated inserts it anew.
        factor.pk = None
        factor.save(force_insert=True)
        return
    unconfirmed = SecondFactor.objects.filter(pk=factor.pk, confirmed_at=None)
    if not unconfirmed.update(confirmed_at=factor.confirmed_at, last_step=factor.last_step):
        raise InvalidCode


def _store_codes(user: User, rows: list[RecoveryCode]) -> None:
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, number=row.number, encoded=row.encoded) for row in rows])


def _verify_password(user: User, password: str, origin: Origin) -> None:
    try:
        sign_in.verify_credentials(
            identifier=identifiers.of_user(user), password=password, origin=origin, step=FactorStep.NEVER
        )
    except InvalidCredentials as error:
        raise InvalidInput({"password": [_WRONG_PASSWORD]}) from error
    spend_own_change(user.pk, timezone.now(), proved=True)


def _verify_password_and_code(user: User, password: str, code: str, origin: Origin) -> None:
    try:
        sign_in.verify_credentials(
            identifier=identifiers.of_user(user),
            password=password,
            origin=origin,
            step=FactorStep.SEPARATE,
            code=code,
        )
    except (InvalidSecondFactor, SecondFactorRequired) as error:
        raise InvalidInput({"code": [_WRONG_CODE]}) from error
    except InvalidCredentials as error:
        raise InvalidInput({"password": [_WRONG_PASSWORD]}) from error
    spend_own_change(user.pk, timezone.now(), proved=True)


def _use(user: User) -> str:
    """Return what a challenge for a new credential of a user is for."""
    return f"new credential {user.pk} {user.stamp}"
