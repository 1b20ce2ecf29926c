"""Codes on their way out, by message, and back in, as proof."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from accounts.errors import InvalidCode, TooManyAttempts
from accounts.models import Code
from accounts.policies import LONGEST_WAIT
from accounts.security import lockout
from accounts.security.client_address import budget_address
from accounts.security.codes import Target
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


def require_sendable(*, target: Target, origin: Origin) -> None:
    """Raise TooManyCodes where no code would be sent now."""
    for quota in target.quotas(budget_address(origin.ip)):
        quota.require(timezone.now())


def send(
    *, target: Target, stamp: str, origin: Origin, deliver: Callable[[str], None], actor_id: int | None = None
) -> str:
    """Make a code and return it; `deliver` puts its message down, in the transaction that stores it.

    `actor_id` is of the administrator who has it sent for somebody else. Where the target is not genuine the same is
    done but for the message. Raises TooManyCodes and Overloaded.
    """
    require_sendable(target=target, origin=origin)
    made = target.make()
    atomically(lambda: store(target=target, made=made, stamp=stamp, origin=origin, deliver=deliver, actor_id=actor_id))
    return made[0]


def store(
    *,
    target: Target,
    made: tuple[str, str],
    stamp: str,
    origin: Origin,
    deliver: Callable[[str], None],
    actor_id: int | None = None,
) -> None:
    """Store a code with its hash, and put its message down. Inside a transaction; raises TooManyCodes."""
    now = timezone.now()
    code, encoded = made
    for quota in target.quotas(budget_address(origin.ip)):
        quota.spend(now)
    target.store(encoded, stamp=stamp, now=now)
    if target.genuine:
        deliver(code)
    record(_event(origin, Event.CODE_REQUESTED, target, actor_id, sent=target.genuine))


@contextmanager
def proven(*, target: Target, code: object, stamp: str, origin: Origin) -> Iterator[Callable[[], None]]:
    """Check a code, as one of the five tries; yields what spends it, for the transaction that it is the proof for.

    A code that is not spent stays good. Raises InvalidCode, TooManyAttempts and Overloaded; what spends the code raises
    InvalidCode where somebody was quicker.
    """
    now = timezone.now()
    of_address = lockout.address_budget(budget_address(origin.ip))
    if left := lockout.locked_for(of_address, now):
        raise TooManyAttempts(left)
    if not lockout.claim(target.tries, now):
        raise TooManyAttempts(lockout.locked_for(target.tries, now) or LONGEST_WAIT)
    counted = False
    try:
        row = target.check(code, stamp=stamp, now=now)
        if row is None:
            atomically(lambda: _fail(target, of_address, origin))
            counted = True
            raise InvalidCode
        yield lambda: _spend(row)
    finally:
        if not counted:
            atomically(lambda: lockout.give_back(target.tries))


def _spend(row: Code) -> None:
    """Make sure that the code serves this once. Inside a transaction; raises InvalidCode."""
    deleted, _rows = Code.objects.filter(pk=row.pk, encoded=row.encoded).delete()
    if not deleted:
        raise InvalidCode


def _fail(target: Target, of_address: lockout.Budget, origin: Origin) -> None:
    now = timezone.now()
    lockout.count_failure(of_address, now, claimed=False)
    locked = lockout.count_failure(target.tries, now)
    kinds = (Event.CODE_REFUSED, *([Event.CODES_LOCKED] if locked else []))
    record(*(_event(origin, kind, target) for kind in kinds))


def _event(
    origin: Origin, event: Event, target: Target, actor_id: int | None = None, **detail: object
) -> SecurityEvent:
    user_id = target.account.user_id or None
    told = {"purpose": target.purpose.value, "channel": str(target.channel), **detail}
    return SecurityEvent.of(origin, event, user_id=user_id, actor_id=actor_id, **told)
