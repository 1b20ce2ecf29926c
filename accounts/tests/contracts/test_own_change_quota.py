"""How often users may change their own accounts, by each operation that does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.policies import OWN_CHANGES
from accounts.tests.contracts.clients import HOSPITAL, NATIVE
from accounts.tests.tools import PASSWORD, Api, later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("described")]

NEW = "Another-horse-8"
Change = Callable[[str], Any]
BY_TOKEN: dict[str, Change] = {
    "PATCH me": lambda token: NATIVE.call("PATCH", "me", {"nickname": "x"}, token),
    "request-verification": lambda token: NATIVE.call("POST", "request-verification", {"channel": "email"}, token),
}
BY_PASSWORD: dict[str, Change] = {
    "change-password": lambda token: NATIVE.call(
        "POST", "change-password", {"old_password": PASSWORD, "new_password": NEW}, token
    ),
    "clinic's reset": lambda token: Api().call(
        "POST",
        "/api/users/reset_password",
        {"email": "alice@hospital.example", "old_password": PASSWORD, "new_password": NEW},
    ),
}


def spend_all_changes(user: User, purpose: str) -> None:
    AttemptBudget.objects.create(
        purpose=purpose, account_id=user.pk, count=OWN_CHANGES, expires_at=timezone.now() + timedelta(hours=1)
    )


@pytest.mark.parametrize("operation", BY_TOKEN)
def test_the_61st_change_within_an_hour_is_refused(operation: str, alice: User) -> None:
    token = NATIVE.log_in()
    spend_all_changes(alice, "changes")
    response = BY_TOKEN[operation](token)
    assert (response.status_code, response.json()["code"]) == (429, "too_many_changes")
    assert int(response["Retry-After"]) > 3500


@pytest.mark.parametrize("operation", BY_PASSWORD)
def test_the_61st_change_by_password_within_an_hour_is_refused(operation: str, alice: User) -> None:
    token = NATIVE.log_in()
    spend_all_changes(alice, "changes:proved")
    response = BY_PASSWORD[operation](token)
    assert response.status_code == 429
    assert NATIVE.login().status_code == 200


def test_the_hospitals_profile_is_bound_too(alice: User) -> None:
    token = HOSPITAL.log_in()
    spend_all_changes(alice, "changes")
    assert HOSPITAL.call("PUT", "profile", {"full_name": "A"}, token).status_code == 429


def test_changes_by_a_stolen_token_do_not_prevent_a_change_of_the_password(alice: User) -> None:
    token = NATIVE.log_in()
    spend_all_changes(alice, "changes")
    assert BY_PASSWORD["change-password"](token).status_code == 204


def test_an_hour_later_changes_are_made_again(alice: User) -> None:
    spend_all_changes(alice, "changes")
    with later(hours=1, seconds=1):
        token = NATIVE.log_in()
        assert [BY_TOKEN["PATCH me"](token).status_code for _ in range(2)] == [200, 200]
