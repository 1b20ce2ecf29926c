"""The entity tag of an account, and `If-Match`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.races import Round, answered, race_rounds, statuses
from accounts.tests.tools import Api


def read(token: str, user: User) -> Any:
    return Api().get(f"users/{user.pk}", token)


def change(token: str, user: User, if_match: str, **changes: Any) -> Any:
    return Api().call("PATCH", f"/api/auth/users/{user.pk}", changes, token, **{"If-Match": if_match})


@pytest.mark.django_db
class TestIfMatch:
    @pytest.fixture
    def token(self, head: User) -> str:
        return str(Api().tokens("head")["access_token"])

    def test_a_change_of_the_version_that_was_read_succeeds_and_returns_the_next(self, token: str, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(profile={"ward": "7", "bed": 2})
        before = read(token, alice)["ETag"]
        changed = change(token, alice, before, full_name="Alice Li", phone="+86 138 0013 8000")
        assert (changed.status_code, changed.json()["full_name"]) == (200, "Alice Li")
        assert changed["ETag"] == read(token, alice)["ETag"] != before

    @pytest.mark.parametrize("changes", [{"full_name": "Alice Li"}, {}], ids=["another value", "the same values"])
    def test_a_change_of_a_former_version_is_refused(self, token: str, alice: User, changes: dict[str, str]) -> None:
        tag = read(token, alice)["ETag"]
        User.objects.filter(pk=alice.pk).update(department="心内科")
        refused = change(token, alice, tag, **changes)
        assert (refused.status_code, refused["Content-Type"]) == (412, "application/problem+json")
        assert refused.json() == {
            "type": "about:blank",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "The account has changed since it was read. Read it again, then repeat.",
            "code": "changed_meanwhile",
        }
        assert User.objects.values_list("full_name", "department").get(pk=alice.pk) == ("Alice Zhang", "心内科")

    @pytest.mark.parametrize("header", ["", "*", '"x", {tag}', "W/{tag}", "rubbish"])
    def test_any_version_or_one_of_a_list_will_do_and_a_weak_tag_will_not(
        self, token: str, alice: User, header: str
    ) -> None:
        if_match = header.format(tag=read(token, alice)["ETag"])
        expected = 200 if header in {"*", '"x", {tag}'} else 412
        assert change(token, alice, if_match, nickname="Ally").status_code == expected

    def test_every_column_that_is_shown_is_of_the_version(self, token: str, alice: User) -> None:
        """A login changes `last_login`, and leaves the time of the last change."""
        tag = read(token, alice)["ETag"]
        User.objects.filter(pk=alice.pk).update(last_login=timezone.now() - timedelta(days=1))
        assert read(token, alice)["ETag"] != tag


@pytest.mark.django_db(transaction=True)
@race_rounds(2)
def test_of_two_changes_of_one_version_at_once_exactly_one_succeeds(each: Round) -> None:
    token = each.administrator()
    tag = read(token, each.person)["ETag"]
    values = ({"full_name": "First"}, {"department": "Second"})
    results = each.at_once(lambda number: change(token, each.person, tag, **values[number]))
    assert statuses(results) == {200: 1, 412: 1}
    # The refused one has left no trace.
    stored = User.objects.get(pk=each.person.pk)
    (answer,) = answered(results, 200)
    assert (stored.full_name, stored.department) == (answer.json()["full_name"], answer.json()["department"])
    assert "" in (stored.full_name, stored.department)
