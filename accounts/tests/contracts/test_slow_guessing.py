"""The limit of failures since the last successful login, in every contract."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AttemptBudget, Channel, User
from accounts.policies import FOREVER, SLOW_GUESSING_LIMIT
from accounts.security.budgets import Account
from accounts.services import recovery, users
from accounts.services.identifiers import any_of_three
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name),
]


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """Give alice a role that every document has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def log_in(client: ContractClient, address: str = ELSEWHERE, password: str = PASSWORD) -> Any:
    return Api(address).call("POST", f"/{client.mount}/login", {**client.login_fields, "password": password})


def fail_times(count: int, account: Account) -> None:
    AttemptBudget.objects.create(
        purpose="login:since_success",
        account_id=account.user_id,
        name_digest=account.name_digest,
        count=count,
        expires_at=timezone.now() + FOREVER,
    )


def lock(client: ContractClient, alice: User) -> None:
    """Let the hundredth failure come from an address of its own."""
    fail_times(SLOW_GUESSING_LIMIT.limit - 1, Account(alice.pk))
    log_in(client, "203.0.113.9", "wrong")


def test_the_100th_failure_locks_the_account_at_unknown_addresses(client: ContractClient, alice: User) -> None:
    lock(client, alice)
    response = log_in(client)
    assert (response.status_code, response["Retry-After"]) == (429, "86400")
    event = SecurityEvent.objects.get()
    assert (event.event, event.user_id, event.detail["cause"]) == ("account:locked", alice.pk, "login:since_success")


def test_the_lock_has_no_end(client: ContractClient, alice: User) -> None:
    lock(client, alice)
    with later(days=400):
        assert log_in(client).status_code == 429


def test_failures_are_counted_for_years(client: ContractClient, alice: User) -> None:
    fail_times(SLOW_GUESSING_LIMIT.limit - 2, Account(alice.pk))
    with later(days=400):
        log_in(client, "203.0.113.9", "wrong")
        assert log_in(client).status_code == 200


def test_a_known_address_is_not_bound_and_its_login_ends_the_lock(client: ContractClient, alice: User) -> None:
    log_in(client, HERE)
    lock(client, alice)
    assert log_in(client).status_code == 429
    assert log_in(client, HERE).status_code == 200
    assert log_in(client).status_code == 200


def test_a_successful_login_restarts_the_count(client: ContractClient, alice: User) -> None:
    fail_times(SLOW_GUESSING_LIMIT.limit - 1, Account(alice.pk))
    log_in(client)
    log_in(client, "203.0.113.9", "wrong")
    assert log_in(client, "203.0.113.10").status_code == 200


def test_failures_at_a_known_address_count_too(client: ContractClient, alice: User) -> None:
    log_in(client, HERE)
    fail_times(SLOW_GUESSING_LIMIT.limit - 1, Account(alice.pk))
    log_in(client, HERE, "wrong")
    assert [log_in(client).status_code, log_in(client, HERE).status_code] == [429, 200]


def test_an_administrators_unlock_ends_the_lock(client: ContractClient, alice: User, root: User) -> None:
    lock(client, alice)
    assert users.unlock(user=alice, actor=root, origin=CONSOLE)
    assert log_in(client).status_code == 200


def test_a_reset_by_a_code_ends_the_lock(client: ContractClient, alice: User, settings: Any) -> None:
    settings.DEBUG = True
    lock(client, alice)
    contact: dict[str, Any] = {
        "identifier": any_of_three("alice"),
        "channel": Channel.EMAIL,
        "contact": "alice@hospital.example",
        "origin": CONSOLE,
    }
    code = recovery.request_code(**contact)
    recovery.reset_password(**contact, code=code, new="Another-horse-8")
    assert log_in(client, password="Another-horse-8").status_code == 200


def test_a_name_that_no_account_has_is_locked_alike(client: ContractClient, alice: User) -> None:
    fields = {**client.login_fields, **client.unknown_login_fields, "password": "wrong"}

    def guess(address: str) -> Any:
        return Api(address).call("POST", f"/{client.mount}/login", fields)

    guess("203.0.113.8")
    row = AttemptBudget.objects.filter(purpose="login:since_success")
    assert row.update(count=SLOW_GUESSING_LIMIT.limit - 1) == 1
    guess("203.0.113.9")
    with later(days=2):
        assert guess(ELSEWHERE).status_code == 429


def test_what_is_kept_of_a_name_that_no_account_has_expires(client: ContractClient, alice: User) -> None:
    fields = {**client.login_fields, **client.unknown_login_fields, "password": "wrong"}
    Api(ELSEWHERE).call("POST", f"/{client.mount}/login", fields)
    assert not AttemptBudget.objects.filter(expires_at__gt=timezone.now() + timedelta(days=30)).exists()
