"""docs/security.md says what is true: it has every requirement once, its tests exist, its numbers are the code's."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import NamedTuple

import pytest
from django.conf import settings

from accounts.policies import (
    ACCOUNT_ADDRESS_LIMIT,
    ADDRESS_KNOWN,
    ADDRESS_LIMIT,
    ADMIN_SESSION,
    DISCLOSURES_AN_ACCOUNT,
    HASHING_PLACES,
    LOGINS_LIMIT,
    MESSAGES_A_DAY,
    MESSAGES_AN_HOUR,
    MESSAGES_KEPT_A_DAY,
    MESSAGES_KEPT_AN_HOUR,
    OWN_CHANGES,
    OWN_CHANGES_WINDOW,
    REGISTRATION_WINDOW,
    REGISTRATIONS,
    RESERVATION_LIFE,
    SESSIONS_LIMIT,
    SLOW_GUESSING_LIMIT,
    SUSPECTED_ADDRESS_LIMIT,
    SUSPECTED_RATE,
    SUSPECTED_SHARE,
    SUSPECTED_SHARE_WINDOW,
    SUSPICION_LIMIT,
    UNKNOWN_ADDRESSES_LIMIT,
    UNKNOWN_NAME,
    Lockout,
    TokenPolicy,
)
from accounts.services.passwords import _OWN_DATA
from audit.events import Event, FailureReason

pytestmark = pytest.mark.any_database

PAGE = (settings.BASE_DIR / "docs/security.md").read_text(encoding="utf-8")
# The requirements of ASVS 5.0.0, chapters V6, V7, V9 and V16: a section's levels, one digit each, in order.
LEVELS = {
    "6.1": "122",
    "6.2": "111111112222",
    "6.3": "11223333",
    "6.4": "112233",
    "6.5": "22222333",
    "6.6": "2223",
    "6.7": "33",
    "6.8": "2222",
    "7.1": "222",
    "7.2": "1111",
    "7.3": "22",
    "7.4": "11222",
    "7.5": "223",
    "7.6": "22",
    "9.1": "111",
    "9.2": "1222",
    "16.1": "2",
    "16.2": "22222",
    "16.3": "2222",
    "16.4": "222",
    "16.5": "2223",
}


class Row(NamedTuple):
    id: str
    level: str
    asks_for: str
    met: str
    how: str
    shown_by: str


ROWS = [Row(*cells) for cells in re.findall(r"^\| (\d+\.\d+\.\d+)" + r" \| ([^|]+)" * 5 + r" \|$", PAGE, re.MULTILINE)]
NAMED = sorted(set(re.findall(r"`(\S+\.py::\S+)`", PAGE)))


def span(time: timedelta) -> str:
    """Return a time as the page writes it, in the largest unit of which it has more than one."""
    minutes = int(time.total_seconds()) // 60
    if minutes > 24 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes // 60} h" if minutes > 60 else f"{minutes} min"


def test_every_requirement_has_one_row_and_its_level() -> None:
    expected = [
        (f"{section}.{number}", level)
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, start=1)
    ]
    assert [(row.id, row.level) for row in ROWS] == expected


def test_every_line_of_the_requirements_is_a_whole_row() -> None:
    assert len(re.findall(r"^\|\s*\d+\.\d+", PAGE, re.MULTILINE)) == len(ROWS)


def test_a_met_requirement_names_a_test() -> None:
    for row in ROWS:
        assert row.met in {"yes", "partly", "no", "not yet", "n/a"}, row
        shown = [f"`{name}`" for name in NAMED if f"`{name}`" in row.shown_by]
        assert shown or row.shown_by == "-", row
        assert shown or row.met not in {"yes", "partly"}, row


@cache
def defined_in(path: str) -> frozenset[str]:
    """Return the names of a file's tests, as pytest collects them."""

    def names(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield prefix + node.name
            elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                yield from names(node.body, f"{prefix}{node.name}::")

    return frozenset(names(ast.parse((settings.BASE_DIR / path).read_text(encoding="utf-8")).body))


def test_a_named_test_exists() -> None:
    named = [name.partition("::") for name in NAMED]
    assert [f"{path}::{test}" for path, _, test in named if test not in defined_in(path)] == []


def test_the_limits_of_failures_match_the_policies() -> None:
    def row(what: str, lockout: Lockout) -> str:
        locked = f"{span(lockout.lock(0))}, each further time twice as long, up to {span(lockout.longest_lock)}"
        assert (lockout.lock(1), lockout.lock(99)) == (2 * lockout.lock(0), lockout.longest_lock)
        return f"| {what} | {lockout.limit} | {span(lockout.window)} | {locked} |\n"

    assert row("one account from one address", ACCOUNT_ADDRESS_LIMIT) in PAGE
    assert row("one account from all addresses unknown to it together", UNKNOWN_ADDRESSES_LIMIT) in PAGE
    assert row("one address over all accounts", ADDRESS_LIMIT) in PAGE
    assert f"known to an account for {span(ADDRESS_KNOWN)} after a good login" in PAGE
    assert f"at most {SLOW_GUESSING_LIMIT.limit} wrong passwords since its last successful login" in PAGE
    suspicion, known = SUSPICION_LIMIT, SUSPECTED_ADDRESS_LIMIT
    assert f"locks {suspicion.limit} accounts known there, each within {span(suspicion.window)}utes of" in PAGE
    assert suspicion.lock(0) == timedelta(hours=1)
    assert f"From it {SUSPECTED_RATE} passwords a second are evaluated" in PAGE
    assert re.search(rf"over all accounts, {SUSPECTED_SHARE}\s+a minute for one account", PAGE)
    assert timedelta(minutes=1) == SUSPECTED_SHARE_WINDOW
    assert f"{SUSPECTED_RATE * 60 // SUSPECTED_SHARE} accounts use up all of it" in PAGE
    assert f"a process takes {1 + HASHING_PLACES}, and a refusal" in PAGE
    assert re.search(rf"locked there after {known.limit} wrong passwords\s+within {span(known.window)}", PAGE)
    minutes = int(LOGINS_LIMIT.window.total_seconds()) // 60
    assert f"logs in at most {LOGINS_LIMIT.limit} times in {minutes} minutes" in PAGE
    assert f"at most {SESSIONS_LIMIT} active sessions in a contract" in PAGE
    assert (OWN_CHANGES_WINDOW, f"at most {OWN_CHANGES} times an hour" in PAGE) == (timedelta(hours=1), True)
    assert f"until {int(RESERVATION_LIFE.total_seconds())} s have gone by" in PAGE
    assert (REGISTRATION_WINDOW, f"the public can register {REGISTRATIONS} accounts an hour" in PAGE) == (
        timedelta(hours=1),
        True,
    )
    assert f"changes its own contacts {DISCLOSURES_AN_ACCOUNT} such responses an hour" in PAGE
    hour, day = (MESSAGES_KEPT_AN_HOUR, MESSAGES_AN_HOUR), (MESSAGES_KEPT_A_DAY, MESSAGES_A_DAY)
    assert re.search(r"leave\s+{} of the {} and {} of the {} to".format(*hour, *day), PAGE)
    assert f"are kept for\n{span(UNKNOWN_NAME)} after" in PAGE


@pytest.mark.parametrize("name", settings.CONTRACT_MOUNTS)
def test_the_lifetimes_of_sessions_match_the_policies(name: str) -> None:
    tokens = import_module(f"accounts.contracts.{name}.tokens")
    access, session = tokens.ACCESS.lifetime, tokens.SESSION
    # Where there is no other token, one that has run out renews nothing.
    refresh = getattr(tokens, "REFRESH", None)
    renewable = refresh.lifetime if isinstance(refresh, TokenPolicy) else access
    idle = min(session.idle_timeout, renewable)
    assert f"| {name} | {span(access)} | {span(idle)} | {span(session.absolute_timeout)} |\n" in PAGE


def test_the_lifetime_of_an_administrators_login_matches_the_policy_and_that_of_its_cookie() -> None:
    idle = ADMIN_SESSION.idle_timeout
    assert f"| admin site | - | {span(idle)} | {span(ADMIN_SESSION.absolute_timeout)} |\n" in PAGE
    assert timedelta(seconds=settings.SESSION_COOKIE_AGE) == idle


def test_the_forbidden_contents_of_passwords_match_the_code() -> None:
    (row,) = [row for row in ROWS if row.id == "6.1.2"]
    assert f"`{settings.SERVICE_NAME}`" in row.how
    assert f"`{' '.join(_OWN_DATA)}`" in row.how


def test_the_inventory_has_every_event_and_every_reason() -> None:
    listed = re.findall(r"^(?:Events|Why a login failed): `([^`]+)`", PAGE, re.MULTILINE)
    reasons, events = (text.split() for text in listed)
    assert (reasons, events) == (list(FailureReason), list(Event))
