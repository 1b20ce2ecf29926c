"""Verifying and making password hashes, as many at once as there are cores.

Threads of their own hash, so that those of requests, which are many more, do not each keep the memory of a hash.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import get_hasher, identify_hasher, is_password_usable

from accounts.policies import LONGEST_PASSWORD
from accounts.security.slots import Slots
from accounts.transactions import release_connection

P = ParamSpec("P")
T = TypeVar("T")

# Hashes as other systems store them, without Django's prefix.
_BARE_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")
_BARE_ARGON2 = re.compile(
    r"\$argon2(id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[+/A-Za-z0-9]+\$[+/A-Za-z0-9]+"
)
# A stored hash with higher costs is not verified: it could exhaust memory or time.
_MOST_MEMORY_KIB = 256 * 1024
_MOST_TIME = 10
# bcrypt reads this many bytes of a password; a longer one cannot match.
_BCRYPT_BYTES = 72
# Linux gives a hash less of a busy processor than a request that needs a moment of it.
_NICENESS = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification: whether the password matches, and whether its hash needs an upgrade."""

    correct: bool
    outdated: bool = False


def _as_django_stores_it(stored: str) -> str | None:
    """Return the hash with Django's prefix, or None where it cannot be verified."""
    if not is_password_usable(stored):
        return None
    prefix, dollar, rest = stored.partition("$")
    bare = dollar + rest if prefix in {"", "argon2", "bcrypt"} else ""
    if prefix == "bcrypt":
        bare = rest
    if _BARE_BCRYPT.fullmatch(bare) and prefix != "argon2":
        return f"bcrypt${bare}"
    if (match := _BARE_ARGON2.fullmatch(bare)) and prefix != "bcrypt":
        memory, turns = int(match[2]), int(match[3])
        return f"argon2{bare}" if memory <= _MOST_MEMORY_KIB and turns <= _MOST_TIME else None
    return None


def verify(password: str, stored: str | None) -> Verdict:
    """Check a password against a stored hash; `stored` is None for an unknown user.

    A missing, unusable or malformed hash never matches, nor does a password too long for every rule; either costs one
    hash of the default algorithm.
    """
    return _run(_verify, password, stored)


def _verify(password: str, stored: str | None) -> Verdict:
    encoded = _as_django_stores_it(stored) if stored else None
    hasher = identify_hasher(encoded) if encoded else None
    if encoded is None or hasher is None or _is_too_long(password, hasher.algorithm):
        _make(password)
        return Verdict(correct=False)
    try:
        correct = hasher.verify(password, encoded)
        outdated = hasher.algorithm != get_hasher().algorithm or hasher.must_update(encoded)
    except ValueError:
        _make(password)
        return Verdict(correct=False)
    return Verdict(correct, correct and outdated)


def _is_too_long(password: str, algorithm: str | None) -> bool:
    return len(password) > LONGEST_PASSWORD or (algorithm == "bcrypt" and len(password.encode()) > _BCRYPT_BYTES)


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

    release_connection()
    return _threads.submit(timed).result()


def _yield_to_requests() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


slots = Slots(_size())
_threads = ThreadPoolExecutor(slots.size, "hashing", initializer=_yield_to_requests)
