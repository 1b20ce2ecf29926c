"""Accounts created from a list of staff: those of all rows that are not skipped, or none."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final, cast

from django.db import IntegrityError
from django.db.models import Field
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import names
from accounts.errors import BadRows
from accounts.models import Role, User
from accounts.services import user_events, users
from accounts.transactions import atomically
from audit.events import Event
from audit.labels import in_a_row
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

# The columns that a list may have; a password is never imported.
COLUMNS: Final = (
    "username",
    "full_name",
    "email",
    "phone",
    "role",
    "department",
    "job_title",
    "valid_from",
    "valid_until",
    "language",
)
_DATES: Final = ("valid_from", "valid_until")
# 2027/6/30, 2027.06.30 and 2027年6月30日, as spreadsheets in China have them.
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
# SQLite's least limit of values in one statement.
_AT_ONCE: Final = 500
_REMEMBERED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of the list: its number, and its columns as text."""

    number: int
    columns: Mapping[str, str]


def label(column: str) -> str:
    """Return the name of a column in the active language."""
    return str(cast("Field[Any, Any]", User._meta.get_field(column)).verbose_name)


def problems(candidates: Sequence[Candidate]) -> dict[int, list[str]]:
    """Return why rows cannot become accounts, as sentences by the row's number; empty where all can."""
    return _checked(candidates)[1]


def add_all(
    *, candidates: Sequence[Candidate], key: str, actor: User, origin: Origin, skipped: Collection[int] = ()
) -> list[User]:
    """Create all accounts, without passwords, and return them; an event for each, and one for the list.

    `key` identifies the list for `was_added`; `skipped` are the numbers of rows that are left out. Raises BadRows, and
    then writes nothing.
    """
    chosen = [each for each in candidates if each.number not in skipped]
    accounts, wrong = _checked(chosen)
    if wrong:
        raise BadRows(*wrong)

    def work() -> None:
        # In one order: lists that share names wait for each other instead of deadlocking.
        for user in sorted(accounts, key=attrgetter("username_key")):
            user.vouch()
            users.insert(user)
        detail = {"count": len(accounts), "skipped": len(candidates) - len(chosen), "import": key}
        done = SecurityEvent.of(origin, Event.STAFF_IMPORTED, user_id=None, actor_id=actor.pk, **detail)
        record(*(user_events.created(user, actor, origin) for user in accounts), done)

    try:
        atomically(work)
    except IntegrityError as error:
        # A parallel request has stored a duplicate since the look.
        if wrong := problems(chosen):
            raise BadRows(*wrong) from error
        raise
    return accounts


def was_added(*, key: str, actor: User) -> bool:
    """Return whether this actor has imported this list within the last day, for instance by an earlier click."""
    events = SecurityEvent.objects.filter(
        event=Event.STAFF_IMPORTED, actor=actor, at__gte=timezone.now() - _REMEMBERED
    ).values_list("detail", flat=True)
    return any(detail.get("import") == key for detail in events)


def _checked(candidates: Sequence[Candidate]) -> tuple[list[User], dict[int, list[str]]]:
    wrong: dict[int, list[str]] = {}
    accounts = {each.number: _user(each.columns) for each in candidates}
    for number, user in accounts.items():
        if found := list(_wrong_columns(user)):
            wrong[number] = found
    good = {number: user for number, user in accounts.items() if number not in wrong}
    for field, identifier in names.IDENTIFIERS.items():
        for number, problem in _not_unique(good, identifier.column):
            wrong.setdefault(number, []).append(_problem(field, problem))
    return list(accounts.values()), wrong


def _user(columns: Mapping[str, str]) -> User:
    given = {name: columns.get(name, "") for name in COLUMNS}
    blank_as_null = {name: given[name] or None for name in ("email", "phone")}
    blank_as_null |= {name: _date(given[name]) for name in _DATES}
    user = User(**{**given, "username": names.display_username(given["username"]), **blank_as_null})
    user.set_unusable_password()
    return user


def _date(text: str) -> str | None:
    """Return a date as the model reads it, None for no date, and anything else as it is: the model refuses it."""
    if match := _DATE.fullmatch(text):
        year, month, day = match.groups()
        return f"{year}-{month:0>2}-{day:0>2}"
    return text or None


def _problem(column: str, what: object) -> str:
    return _("%(name)s: %(value)s") % {"name": label(column), "value": what}


def _wrong_columns(user: User) -> Iterator[str]:
    for field, errors in users.column_errors(user, COLUMNS).items():
        if field == "role" and user.role:
            # A list has its own words for roles; the choices say which of them are known.
            values = {"value": user.role, "roles": in_a_row(role.label for role in Role)}
            yield _problem(field, _("%(value)s is not a role. Roles: %(roles)s.") % values)
            continue
        yield _problem(field, " ".join(message for error in errors for message in error.messages))
    for name in COLUMNS:
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in str(getattr(user, name) or "")):
            yield _problem(name, _("Control characters are not allowed."))


def _not_unique(accounts: Mapping[int, User], column: str) -> Iterator[tuple[int, str]]:
    """Yield the rows whose name, address or number another row or account has, with what is wrong."""
    first: dict[str, int] = {}
    for number, user in accounts.items():
        user.derive()
        value = getattr(user, column)
        if value is None:
            continue
        if value in first:
            yield number, _("Row %d already has this value.") % first[value]
        first.setdefault(value, number)
    for value in _taken(column, list(first)):
        yield first[value], _("Another account already has this value.")


def _taken(column: str, values: Sequence[Any]) -> Iterator[str]:
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        yield from User.objects.filter(**{f"{column}__in": part}).values_list(column, flat=True)
