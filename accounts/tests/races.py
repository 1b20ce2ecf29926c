"""Runs the same request in many threads at once, in several rounds."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from unittest import mock

from django.contrib.auth.hashers import make_password
from django.db import connections

from accounts.models import User
from accounts.security.hashers import Argon2id
from accounts.services import attempts
from accounts.tests.tools import PASSWORD, Api

ROUNDS = 8
Work = Callable[[int], Any]
AtOnce = Callable[[Work], list[Any]]

# A hash takes about a millisecond, in which other threads run.
_MEMORY_KIB = 1024
# Threads switch so often, in seconds, that another runs between a check and what depends on it.
_TURN = 0.0005


@contextmanager
def racers(count: int) -> Iterator[AtOnce]:
    """Keep `count` threads, each with a connection of its own, for one race after another.

    Yields a function that runs `work(0)` … `work(count - 1)` at once and returns their results, exceptions too.
    """
    barrier = threading.Barrier(count)

    def at_once(work: Work) -> list[Any]:
        def run(number: int) -> Any:
            barrier.wait()
            try:
                return work(number)
            except BaseException as error:
                return error

        return list(pool.map(run, range(count)))

    turn = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    with ThreadPoolExecutor(count) as pool:
        try:
            yield at_once
        finally:
            at_once(lambda _: connections.close_all())
            sys.setswitchinterval(turn)


def race(count: int, work: Work) -> list[Any]:
    """Run `work(0)` … `work(count - 1)` at once, each in a thread of its own, and return their results."""
    with racers(count) as at_once:
        return at_once(work)


@dataclass(frozen=True, slots=True)
class Round:
    """One race of a series, with a user and addresses of its own; `at_once` runs its threads."""

    number: int
    person: User
    at_once: AtOnce

    def address(self, number: int = 0) -> str:
        """Return one of this round's addresses, each in a network of its own."""
        return f"2001:db8:{self.number:x}:{number:x}::1"

    def api(self, mount: str = "/api/auth", number: int = 0) -> Api:
        return Api(self.address(number), mount)

    def log_in(self, password: str = PASSWORD) -> Any:
        return self.api().login(self.person.username, password)

    def tokens(self) -> dict[str, Any]:
        return self.api().tokens(self.person.username)

    def administrator(self) -> str:
        """Return the access token of an administrator of this round's own."""
        name = f"head{self.number}"
        User.objects.create(username=name, password=_hash(), role="admin")
        return str(self.api(number=99).tokens(name)["access_token"])


def race_rounds(count: int, **columns: Any) -> Callable[[Callable[[Round], None]], Callable[[], None]]:
    """Make a test of one round a test of ROUNDS rounds.

    `count` is the number of threads, `columns` are those of each round's user. Hashes are cheap and the limit on
    waiting for a hashing slot is long, so that no request is refused because the machine is slow. A refused request
    does not pause, which only its client would notice.
    """

    def decorate(test: Callable[[Round], None]) -> Callable[[], None]:
        def run() -> None:
            patience = mock.patch.multiple(attempts, LONGEST_WAIT=timedelta(seconds=60), REFUSAL_PAUSE=timedelta(0))
            cheap = mock.patch.multiple(Argon2id, memory_cost=_MEMORY_KIB, time_cost=1)
            with racers(count) as at_once, patience, cheap:
                for number in range(1, ROUNDS + 1):
                    test(Round(number, _new_user(number, columns), at_once))

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def _new_user(number: int, columns: Mapping[str, Any]) -> User:
    contact = {"email": f"racer{number}@hospital.example", "phone": f"138001380{number:02}"}
    columns = {"role": "pharmacy", **contact, **columns}
    person: User = User.objects.create(username=f"racer{number}", password=_hash(), **columns)
    return person


@cache
def _hash() -> str:
    return make_password(PASSWORD)


def statuses(results: list[Any]) -> Counter[Any]:
    """Count the answers by their status, and other results as they are."""
    return Counter(getattr(result, "status_code", result) for result in results)


def answered(results: list[Any], status: int) -> list[Any]:
    """Return the answers of a status."""
    return [result for result in results if getattr(result, "status_code", None) == status]


def all_refused(tokens: list[dict[str, Any]]) -> bool:
    """Return whether each access token and each refresh token of these native pairs is refused."""
    accepted = [Api().get("me", pair["access_token"]) for pair in tokens]
    refreshed = [Api().post("refresh", {"refresh_token": pair["refresh_token"]}) for pair in tokens]
    return statuses(accepted + refreshed).keys() <= {401}
