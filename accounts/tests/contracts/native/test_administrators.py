"""Administrators' own accounts, and the last of them."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.races import Round, race_rounds, statuses
from accounts.tests.tools import PASSWORD, Api


def patch_role(token: str, user: User, role: str) -> Any:
    return Api().call("PATCH", f"/api/auth/users/{user.pk}", {"role": role}, token)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.django_db
class TestOwnAccount:
    @pytest.fixture(autouse=True)
    def _another_administrator(self, root: User) -> None:
        pass

    def test_an_administrator_cannot_deactivate_it(self, api: Api, head: User) -> None:
        token = api.tokens("head")["access_token"]
        assert code(api.post(f"users/{head.pk}/deactivate", token=token)) == (403, "own_account")
        assert api.get("me", token).status_code == 200

    def test_an_administrator_cannot_change_its_role(self, api: Api, head: User) -> None:
        token = api.tokens("head")["access_token"]
        assert code(patch_role(token, head, "doctor")) == (403, "own_account")
        assert api.get("me", token).json()["role"] == "admin"

    def test_an_administrator_changes_other_columns_of_it(self, api: Api, head: User) -> None:
        body = {"role": "admin", "full_name": "Head"}
        answer = api.call("PATCH", f"/api/auth/users/{head.pk}", body, api.tokens("head")["access_token"])
        assert (answer.status_code, answer.json()["full_name"]) == (200, "Head")


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_two_administrators_who_deactivate_each_other_one_stays(self) -> None:
        each_other(lambda api, token, other: api.post(f"users/{other.pk}/deactivate", token=token))

    def test_of_two_administrators_who_demote_each_other_one_stays(self) -> None:
        each_other(lambda _, token, other: patch_role(token, other, "doctor"))


def each_other(change: Any) -> None:
    """Have two administrators change each other at once, twenty times."""

    @race_rounds(2, role="admin")
    def run(each: Round) -> None:
        User.objects.exclude(pk=each.person.pk).delete()
        second = User.objects.create(username=f"second{each.number}", password=each.person.password, role="admin")
        pair = [each.person, second]
        tokens = [each.api(number=n).tokens(user.username, PASSWORD)["access_token"] for n, user in enumerate(pair)]
        results = each.at_once(lambda n: change(each.api(number=n), tokens[n], pair[1 - n]))
        # The slower one is refused, or has no session any more.
        assert statuses(results) in ({200: 1, 403: 1}, {200: 1, 401: 1}), results
        assert User.objects.filter(role="admin", is_active=True).count() == 1

    run()
