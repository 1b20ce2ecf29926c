import pytest
from django.db import transaction

from accounts.tests.races import racers
from accounts.transactions import atomically
from audit.events import Event
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin
from audit.record import record
from audit.verification import Verification

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, ROUNDS = 20, 5


def write(thread: int) -> None:
    """Write rows in several transactions, of which one is rolled back."""
    origin = Origin("native", "192.0.2.1")
    for number in range(ROUNDS):

        def work(number: int = number) -> None:
            record(LoginAttempt.of(origin, f"{thread}-{number}", user_id=None))
            record(SecurityEvent.of(origin, Event.USER_CHANGED, user_id=1), LoginAttempt.of(origin, "x", user_id=2))
            if number == 2:
                transaction.set_rollback(True)

        atomically(work)


def test_parallel_transactions_leave_every_lane_intact() -> None:
    with racers(THREADS) as at_once:
        assert at_once(write) == [None] * THREADS
    verification = Verification()
    for _ in verification.run():
        pass
    assert verification.findings.listed() == []
    assert verification.rows == THREADS * (ROUNDS - 1) * 3
