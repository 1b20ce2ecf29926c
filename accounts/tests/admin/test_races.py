"""Concurrent requests: what is confirmed twice is performed once."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import account_state, staff
from accounts.services.staff import Candidate
from accounts.tests.races import Round, race_rounds
from audit.models import SecurityEvent
from audit.origin import ADMIN_SITE, Origin

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = Origin(contract=ADMIN_SITE)


def _head() -> User:
    head: User = User.objects.get_or_create(username="head", defaults={"role": "admin", "password": "!"})[0]
    return head


@race_rounds(4)
def test_of_4_confirmations_of_one_list_one_writes_it(each: Round) -> None:
    head = _head()
    candidates = [Candidate(n, {"username": f"nurse{each.number}-{n}", "role": "viewer"}) for n in range(5)]
    key = f"list{each.number}"
    results: list[Any] = each.at_once(
        lambda _: staff.add_all(candidates=candidates, key=key, actor=head, origin=ORIGIN)
    )
    assert sorted(type(result).__name__ for result in results) == ["BadRows", "BadRows", "BadRows", "list"]
    assert User.objects.filter(username__startswith=f"nurse{each.number}-").count() == 5
    assert staff.was_added(key=key, actor=head)


@race_rounds(4)
def test_of_4_lists_that_share_names_one_is_imported_whole(each: Round) -> None:
    head = _head()

    def add(number: int) -> list[User]:
        # Each names the shared accounts in another order, which could deadlock.
        own = [f"own{each.number}-{number}-{n}" for n in range(3)]
        names = [*own, *([f"a{each.number}", f"b{each.number}"][:: 1 if number % 2 else -1])]
        rows = [Candidate(n, {"username": name, "role": "viewer"}) for n, name in enumerate(names)]
        return staff.add_all(candidates=rows, key=f"{each.number}-{number}", actor=head, origin=ORIGIN)

    results = each.at_once(add)
    assert sorted(type(result).__name__ for result in results) == ["BadRows", "BadRows", "BadRows", "list"]
    assert User.objects.filter(username__startswith=f"own{each.number}-").count() == 3


@race_rounds(4)
def test_of_4_rejections_one_is_recorded(each: Round) -> None:
    head = _head()
    User.objects.filter(pk=each.person.pk).update(awaits_approval=True)
    user = User.objects.get(pk=each.person.pk)
    done = each.at_once(lambda _: account_state.reject(user=user, reason="No.", actor=head, origin=ORIGIN))
    assert sorted(done) == [False, False, False, True]
    assert SecurityEvent.objects.filter(user=user, event="user:rejected").count() == 1
