"""Measures how long a refused login takes, by the reason that nobody is told; prints a median for each.

    .venv/bin/python bench/same_time.py

It works on a database of its own (DATABASE_URL's server, SQLite without one), which it removes again.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import bcrypt
import django

django.setup()

from django.test.utils import get_runner, setup_test_environment, teardown_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.security import hashing  # noqa: E402
from accounts.tests.tools import PASSWORD, Api  # noqa: E402

# So many accounts of each kind, and so many attempts at each: fewer than would lock it.
ACCOUNTS = 40
ATTEMPTS = 4
# What PHP, Node and Python libraries made where nobody said otherwise.
BCRYPT_COST = 12


def kinds() -> dict[str, Callable[[str], User | None]]:
    """Return what makes an account of each kind, by the kind's name."""
    usable = hashing.make(PASSWORD)
    imported = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()

    def account(stored: str, **state: bool) -> Callable[[str], User]:
        return lambda name: User.objects.create(username=name, password=stored, **state)

    return {
        "wrong password": account(usable),
        "no such user": lambda name: None,
        "disabled": account(usable, is_active=False),
        "awaiting approval": account(usable, awaits_approval=True),
        "unusable password": account("!"),
        "malformed hash": account("argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$%%%"),
        f"imported bcrypt, cost {BCRYPT_COST}": account(imported),
    }


def measure() -> dict[str, list[float]]:
    """Return the milliseconds of each refused login by the account's kind, the kinds taking turns at random."""
    names = {kind: [f"n{number}-{place}" for place in range(ACCOUNTS)] for number, kind in enumerate(kinds())}
    for kind, make in kinds().items():
        for name in names[kind]:
            make(name)
    turns = [(kind, name) for kind in names for name in names[kind] * ATTEMPTS]
    random.shuffle(turns)
    taken: dict[str, list[float]] = {kind: [] for kind in names}
    for number, (kind, name) in enumerate(turns):
        api = Api(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")
        started = time.perf_counter()
        status = api.login(name, "wrong-password").status_code
        taken[kind].append((time.perf_counter() - started) * 1000)
        if status != 401:
            raise SystemExit(f"{name}: {status} instead of 401.")
        if number % 100 == 0:
            print(f"{number} of {len(turns)}", file=sys.stderr)
    return taken


def main() -> None:
    setup_test_environment()
    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        taken = measure()
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
    for kind, times in taken.items():
        print(f"{kind:28} median {statistics.median(times):6.1f} ms   n {len(times)}")


if __name__ == "__main__":
    main()
