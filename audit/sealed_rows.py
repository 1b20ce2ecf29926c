"""Rows of a lane as their MAC covers them, read by SQL in the order of their numbers."""

import json
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from django.db import connection

from audit import seal

TABLES: Final = {"attempt": "audit_loginattempt", "event": "audit_securityevent"}
# Places in a row: the columns of the canonical form, then the MAC.
KIND, LANE, NUMBER, KEY_NAME, ID, AT = range(6)
MAC: Final = -1
_IP: Final = 8
EVENT: Final = 11
DETAIL: Final = 13
# Numbers of a lane that are read at once: few enough for a small memory, and for one statement's time limit.
WINDOW: Final = 5000

# The column of the time as the canonical form has it. As text, because Python has no date after the year 9999.
_TIME: Final = {
    "postgresql": """to_char("at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "mysql": "DATE_FORMAT(at, '%%Y-%%m-%%dT%%H:%%i:%%s.%%fZ')",
    "sqlite": "at",
}
_TIME_TEXT: Final = {**_TIME, "sqlite": "REPLACE(at, ' ', 'T')"}
_TEXT_OF_JSON: Final = {"postgresql": "detail::text", "mysql": "detail", "sqlite": "detail"}


def read_window(lane: int, after: int, upto: int) -> list[list[Any]]:
    """Return the rows of a lane with numbers in (after, upto], in their order, of both tables."""
    rows: list[list[Any]] = []
    with connection.cursor() as cursor:
        for kind, table in TABLES.items():
            where = "lane = %s AND number > %s AND number <= %s"
            cursor.execute(f"{_select(kind, table)} WHERE {where}", [lane, after, upto])
            rows += _canonical(kind, cursor.fetchall())
    rows.sort(key=itemgetter(NUMBER))
    return rows


def _select(kind: str, table: str) -> str:
    expressions = {"at": _TIME[connection.vendor], "detail": _TEXT_OF_JSON[connection.vendor]}
    columns = ", ".join(expressions.get(name, name) for name in seal.COLUMNS[kind])
    return f"SELECT '{kind}', lane, number, key_name, {columns}, mac FROM {table}"


def _canonical(kind: str, found: list[tuple[Any, ...]]) -> Iterator[list[Any]]:
    address, time = seal.address, _sqlite_time if connection.vendor == "sqlite" else None
    json_at: int | None = DETAIL if kind == "event" else None
    for row in map(list, found):
        if row[_IP] is not None:
            row[_IP] = address(row[_IP])
        if time:
            row[AT] = time(row[AT])
        if json_at:
            row[json_at] = _parsed(row[json_at])
        mac = bytes(row.pop() or b"")
        yield [*(row if json_at else seal.without_blank_factor(row)), mac]


def _sqlite_time(text: object) -> object:
    """Return a time of SQLite, `2026-11-21 08:30:00.5`, in canonical form."""
    try:
        return datetime.fromisoformat(str(text)).isoformat(timespec="microseconds") + "Z"
    except ValueError:
        return text


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text


def first_number(lane: int, since: datetime) -> int | None:
    """Return the number of a lane's first row from that time on."""
    found = [_scalar(table, "MIN(number)", "lane = %s AND at >= %s", lane, adapted(since)) for table in TABLES.values()]
    return min((number for number in found if number is not None), default=None)


def last_number(lane: int) -> int:
    """Return the highest number of a lane, or 0."""
    found = (_scalar(table, "MAX(number)", "lane = %s", lane) for table in TABLES.values())
    return max(number or 0 for number in found)


def next_number(lane: int, number: int) -> int:
    """Return the lowest number of a lane above the given one; beyond all of them, one that no row can have."""
    found = [_scalar(table, "MIN(number)", "lane = %s AND number > %s", lane, number) for table in TABLES.values()]
    return min((each for each in found if each is not None), default=2**63)


def mac_of(lane: int, number: int) -> bytes | None:
    """Return the stored MAC of a row."""
    for table in TABLES.values():
        if found := _scalar(table, "mac", "lane = %s AND number = %s", lane, number):
            return bytes(found)
    return None


def unsealed(began: str, since: datetime | None) -> dict[str, tuple[int, int, int | None]]:
    """Return by kind the numbers of rows that no lane has, before and from a canonical time, and the first of these."""
    found = {}
    for kind, table in TABLES.items():
        where = "(lane IS NULL OR number IS NULL OR mac IS NULL)"
        parameters: list[Any] = []
        if since:
            where, parameters = f"{where} AND at >= %s", [adapted(since)]
        recent = f"{where} AND NOT {_TIME_TEXT[connection.vendor]} < %s"
        counts = [
            _scalar(table, "COUNT(*)", where, *parameters),
            _scalar(table, "COUNT(*)", recent, *parameters, began),
        ]
        found[kind] = counts[0] - counts[1], counts[1], _scalar(table, "MIN(id)", recent, *parameters, began)
    return found


def outside(lane: int, head: int) -> list[tuple[str, int]]:
    """Return kind and id of a row in each table that stands behind the lane's checkpoint, or after its head."""
    purged = "COALESCE((SELECT number FROM audit_checkpoint WHERE lane = %s), 0)"
    # The head is read again by the same statement, because rows are written meanwhile.
    now = "GREATEST" if connection.vendor != "sqlite" else "MAX"
    last = f"{now}(%s, COALESCE((SELECT number FROM audit_lane WHERE lane = %s), 0))"
    where = f"lane = %s AND (number <= {purged} OR number > {last})"
    found = ((kind, _scalar(table, "MIN(id)", where, lane, lane, head, lane)) for kind, table in TABLES.items())
    return [(kind, number) for kind, number in found if number is not None]


def counts(where: str, *parameters: Any) -> dict[str, int]:
    """Return how many rows of each kind a condition matches."""
    return {kind: int(_scalar(table, "COUNT(*)", where, *parameters)) for kind, table in TABLES.items()}


def ids(table: str, limit: int, where: str, *parameters: Any) -> list[int]:
    """Return the lowest ids of rows that a condition matches."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY id LIMIT {limit}", parameters)
        return [number for (number,) in cursor.fetchall()]


def last_of_batch(lane: int, after: int, upto: int, limit: int) -> tuple[int, bytes] | None:
    """Return number and MAC of the last of a lane's next `limit` numbers that has a row; None if there is none."""
    start = next_number(lane, after) - 1
    end = min(upto, start + limit)
    found = [
        _scalar(table, "MAX(number)", "lane = %s AND number > %s AND number <= %s", lane, start, end)
        for table in TABLES.values()
    ]
    number = max((each for each in found if each is not None), default=None)
    mac = mac_of(lane, number) if number is not None else None
    return None if number is None or mac is None else (number, mac)


def in_other_lanes(lanes: int) -> list[tuple[str, int]]:
    """Return kind and id of a row in each table whose lane does not exist."""
    found = ((kind, _scalar(table, "MIN(id)", "(lane < 0 OR lane >= %s)", lanes)) for kind, table in TABLES.items())
    return [(kind, number) for kind, number in found if number is not None]


def adapted(moment: datetime) -> object:
    """Return a time as a parameter of raw SQL."""
    return connection.ops.adapt_datetimefield_value(moment)


def _scalar(table: str, expression: str, where: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression} FROM {table} WHERE {where}", parameters)
        row = cursor.fetchone()
    return row[0] if row else None
