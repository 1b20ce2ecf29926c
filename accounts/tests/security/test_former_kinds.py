import time

import pytest

from accounts.models import FormerHashKind, User
from accounts.policies import KEYS_REREAD, MOST_FORMER_KINDS
from accounts.security import former_kinds
from accounts.tests.contracts.test_timing_equivalence import BCRYPT, WERKZEUG
from accounts.tests.test_purging import purge

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    former_kinds.forget()
    return [kind.name for kind in former_kinds.present()]


def test_a_count_stores_the_kinds_of_most_accounts(alice: User) -> None:
    for number, stored in enumerate([BCRYPT, WERKZEUG, WERKZEUG]):
        User.objects.create(username=f"n{number}", password=stored)
    for number in range(MOST_FORMER_KINDS):
        for place in range(3):
            stored = WERKZEUG.replace(":1000$", f":200{number}$")
            User.objects.create(username=f"m{number}-{place}", password=stored)
    former_kinds.refresh()
    assert names() == [f"pbkdf2:sha256:200{number}" for number in range(MOST_FORMER_KINDS)]


def test_a_purge_removes_a_kind_that_no_account_has_any_more(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(password=BCRYPT)
    assert (purge("--only", "hash_kinds"), names()) == ("hash_kinds: 0 removed\n", ["bcrypt:4"])
    User.objects.filter(pk=alice.pk).update(password="!")
    assert (purge("--only", "hash_kinds", "--dry-run"), names()) == ("hash_kinds: 1 would be removed\n", ["bcrypt:4"])
    assert (purge("--only", "hash_kinds"), names()) == ("hash_kinds: 1 removed\n", [])


def test_a_process_reads_the_kinds_again_after_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names() == []
    FormerHashKind.objects.create(name="bcrypt:4", accounts=1)
    assert former_kinds.present() == ()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + KEYS_REREAD.total_seconds() + 1)
    assert [kind.name for kind in former_kinds.present()] == ["bcrypt:4"]
