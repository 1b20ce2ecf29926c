"""Measures how long a refusal takes for each undisclosed reason, for a login and for a recovery; prints medians.

    .venv/bin/python bench/same_time.py

It creates a temporary database (on DATABASE_URL's server, or SQLite) and drops it at the end.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import bcrypt
import django

django.setup()

from django.conf import settings  # noqa: E402
from django.test.utils import get_runner, setup_test_environment, teardown_test_environment  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.security import former_kinds, hashing, totp  # noqa: E402
from accounts.tests.tools import PASSWORD, Api  # noqa: E402

# So many accounts of each kind, each asked so often: less than would lock it.
ACCOUNTS = 60
# What PHP, Node and Python libraries made where nobody said otherwise.
BCRYPT_COST = 12

Maker = Callable[[str], User | None]
NATIVE, HOSPITAL = "/api/auth", "/hospital/api/auth"
# Six digits after the password, in its field: a wrong code where the account has an authenticator app.
TYPED = f"{PASSWORD}000000"
# The mount, the verb, its body for an account, and how often an account may be asked.
ACTIONS: dict[str, tuple[str, str, Callable[[str], dict[str, Any]], int]] = {
    "login, wrong password": (NATIVE, "login", lambda name: {"username": name, "password": "wrong-password"}, 3),
    "hospital login, six digits at the end": (
        HOSPITAL,
        "login",
        lambda name: {"username": name, "password": TYPED},
        3,
    ),
    "request-reset-code": (NATIVE, "request-reset-code", lambda name: contact(name), 1),
    "reset-password, wrong code": (
        NATIVE,
        "reset-password",
        lambda name: {**contact(name), "code": "wrong", "new_password": PASSWORD},
        3,
    ),
}


def contact(name: str) -> dict[str, str]:
    return {"identifier": name, "channel": "email", "contact": f"{name}@hospital.example"}


def kinds() -> dict[str, Maker]:
    """Return what makes an account of each kind, by the kind's name."""
    usable, other = hashing.make(PASSWORD), hashing.make("Another-horse-8")
    imported = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()

    def account(stored: str, domain: str = "hospital", **state: bool) -> Maker:
        return lambda name: User.objects.create(
            username=name, email=f"{name}@{domain}.example", password=stored, **state
        )

    def with_app(stored: str) -> Maker:
        def make(name: str) -> User:
            user = User.objects.create(username=name, email=f"{name}@hospital.example", password=stored)
            now = timezone.now()
            encrypted = totp.encrypted(totp.new_secret())
            user.second_factors.create(type="totp", created_at=now, confirmed_at=now, encrypted=encrypted)
            return user

        return make

    return {
        "active": account(usable),
        "app": with_app(other),
        "app, the password right": with_app(usable),
        "no such user": lambda name: None,
        "other address": account(usable, domain="elsewhere"),
        "disabled": account(usable, is_active=False),
        "awaiting approval": account(usable, awaits_approval=True),
        "unusable password": account("!"),
        "malformed hash": account("argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$%%%"),
        f"imported bcrypt, cost {BCRYPT_COST}": account(imported),
    }


def measure(action: str, names: dict[str, list[str]]) -> dict[str, list[float]]:
    """Return the milliseconds of each answer by the account's kind, the kinds taking turns at random."""
    mount, verb, body, times = ACTIONS[action]
    turns = [(kind, name) for kind in names for name in names[kind] * times]
    random.shuffle(turns)
    taken: dict[str, list[float]] = {kind: [] for kind in names}
    answers = set()
    for number, (kind, name) in enumerate(turns):
        # Every attempt has an address of its own, so that none is locked.
        api = Api(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", mount)
        started = time.perf_counter()
        answers.add(api.post(verb, body(name)).content)
        taken[kind].append((time.perf_counter() - started) * 1000)
        if number % 200 == 0:
            print(f"{action}: {number} of {len(turns)}", file=sys.stderr)
    if len(answers) != 1:
        raise SystemExit(f"{action}: {len(answers)} different answers.")
    return taken


def main() -> None:
    # As in production: with DEBUG every answer would hold its code.
    setup_test_environment(debug=False)
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        makers = kinds()
        names = {kind: [f"n{number}-{place}" for place in range(ACCOUNTS)] for number, kind in enumerate(makers)}
        for kind, make in makers.items():
            for name in names[kind]:
                make(name)
        former_kinds.refresh()
        results = {action: measure(action, names) for action in ACTIONS}
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
    for action, taken in results.items():
        print(action)
        for kind, times in taken.items():
            print(f"  {kind:26} median {statistics.median(times):6.1f} ms   n {len(times)}")


if __name__ == "__main__":
    main()
