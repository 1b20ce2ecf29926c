"""Verifying and making password hashes, as many at once as there are cores.

Threads of their own hash, so that those of requests, which are many more, do not each keep the memory of a hash.
"""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import get_hasher

from accounts.policies import LONGEST_PASSWORD
from accounts.security.hash_kinds import Argon2, HashKind
from accounts.security.hashers import Argon2id
from accounts.security.slots import Slots
from accounts.security.stored_hashes import parse
from accounts.turns import prepare_to_wait

P = ParamSpec("P")
T = TypeVar("T")

# Linux gives a hash less of a busy processor than a request that needs a moment of it. With more, logins wait too long.
_NICENESS = 5
# glibc's parameter of `mallopt`, and more heaps than a process has threads.
_M_ARENA_MAX: Final = -8
_HEAPS: Final = 64
# For work whose result nobody reads; every algorithm takes a salt like this.
_UNUSED_SALT: Final = b"." * 22
_UNUSED_LENGTH: Final = 31


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification: whether the password matches, and whether its hash needs an upgrade."""

    correct: bool
    outdated: bool = False


def verify(password: str, stored: str | None, alike: Collection[HashKind] = ()) -> Verdict:
    """Check a password against a stored hash; `stored` is None for an unknown user.

    A missing, unusable or malformed hash never matches, nor does a password too long for every rule. Whatever does not
    match costs one hash of the default algorithm and one of each kind in `alike`, so that the time of a refusal does
    not tell which of these the account has.
    """
    return _run(_verify, password, stored, alike)


def _verify(password: str, stored: str | None, alike: Collection[HashKind]) -> Verdict:
    found = parse(stored) if stored and len(password) <= LONGEST_PASSWORD else None
    default = default_kind()
    if found and found.matches(password):
        return Verdict(correct=True, outdated=found.kind != default)
    done = found.kind if found else None
    for kind in {default, *alike} - {done}:
        kind.derive(password.encode(), _UNUSED_SALT, _UNUSED_LENGTH)
    return Verdict(correct=False)


def default_kind() -> HashKind:
    """Return the kind of new hashes."""
    return Argon2("id", Argon2id.memory_cost, Argon2id.time_cost, Argon2id.parallelism)


def make(password: str) -> str:
    """Return a new hash of the password. Raises ValueError for one that is too long for every rule."""
    if len(password) > LONGEST_PASSWORD:
        raise ValueError("A password this long is refused before hashing.")
    return _run(_make, password)


def _make(password: str) -> str:
    hasher = get_hasher()
    return str(hasher.encode(password, hasher.salt()))


def _size() -> int:
    return max(1, len(os.sched_getaffinity(0)) // settings.WEB_CONCURRENCY)


def _run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, called in a hashing thread; this one holds no connection of the pool meanwhile."""

    def timed() -> T:
        started = time.thread_time()
        try:
            return work(*args, **kwargs)
        finally:
            slots.note(time.thread_time() - started)

    prepare_to_wait()
    return _threads.submit(timed).result()


def _give_threads_heaps_of_their_own() -> None:
    # Another thread would use a part of what a hash has freed, and the next hash would take 19 MiB more.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, _HEAPS)


def _yield_to_requests() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_give_threads_heaps_of_their_own()
slots = Slots(_size())
_threads = ThreadPoolExecutor(slots.size, "hashing", initializer=_yield_to_requests)
