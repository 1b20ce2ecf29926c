"""How often an account logs in, and how many sessions it has, in every contract."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AttemptBudget, Session, User
from accounts.policies import LOGINS_LIMIT, SESSIONS_LIMIT
from accounts.security import hashing
from accounts.security.budgets import Account
from accounts.security.slots import Slots
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import ELSEWHERE, Api, later
from audit.models import LoginAttempt, SecurityEvent

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("described"),
    pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name),
]


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """Give alice a role that every document has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def spend_all_logins_but(left: int, user: User) -> None:
    AttemptBudget.objects.update_or_create(
        purpose="login:successes",
        account_id=user.pk,
        defaults={"count": LOGINS_LIMIT.limit - left, "expires_at": timezone.now() + timedelta(minutes=10)},
    )


def open_sessions(count: int, user: User, contract: str) -> None:
    """Open sessions, each seen a minute after the one before, the last one an hour ago."""
    user.refresh_from_db()
    now = timezone.now()
    Session.objects.bulk_create(
        Session(
            user=user,
            stamp=user.stamp,
            contract=contract,
            created_at=now,
            last_seen_at=now - timedelta(hours=1, minutes=count - number),
            rotated_at=now,
            expires_at=now + timedelta(hours=5),
            latest_end_at=now + timedelta(hours=5),
        )
        for number in range(count)
    )


def test_the_121st_good_login_within_ten_minutes_is_refused_unhashed(
    client: ContractClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend_all_logins_but(1, alice)
    assert client.login().status_code == 200
    monkeypatch.setattr(hashing, "verify", lambda *args: pytest.fail("hashed"))
    response = client.login()
    assert response.status_code == 429
    assert 590 <= int(response["Retry-After"]) <= 600


def test_ten_minutes_later_the_account_logs_in_again(client: ContractClient, alice: User) -> None:
    spend_all_logins_but(0, alice)
    with later(minutes=10, seconds=1):
        assert [client.login().status_code for _ in range(2)] == [200, 200]
    assert AttemptBudget.objects.get(purpose="login:successes").count == 2


def test_a_refused_login_is_recorded_once_a_minute(client: ContractClient, alice: User) -> None:
    spend_all_logins_but(0, alice)
    for _ in range(3):
        client.login()
    assert [row.failure_reason for row in LoginAttempt.objects.all()] == ["too_many_logins"]


def test_the_101st_session_ends_the_one_unseen_longest(client: ContractClient, alice: User) -> None:
    open_sessions(SESSIONS_LIMIT, alice, client.name)
    oldest = Session.objects.order_by("last_seen_at")[0]
    client.log_in()
    ended = Session.objects.exclude(ended_at=None)
    assert [(session.pk, session.end_reason) for session in ended] == [(oldest.pk, "superseded")]
    event = SecurityEvent.objects.get()
    assert (event.event, event.detail) == ("session:ended", {"session": str(oldest.pk), "reason": "superseded"})


def test_sessions_of_another_contract_are_not_counted(client: ContractClient, alice: User) -> None:
    open_sessions(SESSIONS_LIMIT, alice, "native" if client.name != "native" else "portal")
    client.log_in()
    assert not Session.objects.exclude(ended_at=None).exists()


def test_failures_do_not_count_as_logins(client: ContractClient, alice: User) -> None:
    client.login("wrong")
    assert not AttemptBudget.objects.filter(purpose="login:successes").exists()


def test_logins_from_all_addresses_count_together(client: ContractClient, alice: User) -> None:
    client.log_in()
    assert Api(ELSEWHERE).login().status_code == 200
    assert AttemptBudget.objects.get(purpose="login:successes").count == 2


def test_an_account_without_a_place_in_the_hashing_queue_is_refused_and_others_are_not(
    client: ContractClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "slots", Slots(2, places=0))
    with hashing.slots.take(account=Account(alice.pk)):
        response = client.login()
        other = client.call(
            "POST", "login", {**client.login_fields, **client.unknown_login_fields, "password": "wrong"}
        )
    assert (response.status_code, "Retry-After" in response) == (503, True)
    assert other.status_code == client.errors.wrong_credentials[0]
