"""Export of all accounts to a file that `import_users --from authsvc` reads."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final, TextIO

from django.db import transaction

from accounts.models import User
from accounts.services.importing.systems import EXPORTED
from audit.admin.spreadsheet import BOM, escape_formula
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_AT_ONCE: Final = 1_000
Row = dict[str, Any]


def export(file: TextIO, kind: str, *, with_hashes: bool, origin: Origin) -> Iterator[int]:
    """Write all accounts to a file of a kind of KINDS, oldest first; yield how many so far.

    The trail has an event before the first account is written. Without `with_hashes` nobody can log in with what was
    exported.
    """
    with transaction.atomic():
        record(SecurityEvent.of(origin, Event.USERS_EXPORTED, user_id=None, with_hashes=with_hashes))
    columns = [*EXPORTED, *(["password"] if with_hashes else [])]
    return KINDS[kind](file, columns)


def _rows(columns: list[str]) -> Iterator[list[Row]]:
    last = 0
    while rows := list(User.objects.filter(pk__gt=last).order_by("pk").values(*columns)[:_AT_ONCE]):
        yield rows
        last = rows[-1]["id"]


def _csv(file: TextIO, columns: list[str]) -> Iterator[int]:
    file.write(BOM)
    writer, count = csv.writer(file), 0
    writer.writerow(columns)
    for rows in _rows(columns):
        writer.writerows([_cell(row[name]) for name in columns] for row in rows)
        count += len(rows)
        yield count


def _cell(value: Any) -> str:
    return escape_formula(json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _plain(value))


def _json(file: TextIO, columns: list[str]) -> Iterator[int]:
    count = 0
    file.write("[")
    for rows in _rows(columns):
        for row in rows:
            file.write(f"{',' if count else ''}\n{_object(row)}")
            count += 1
        yield count
    file.write("\n]\n")


def _json_lines(file: TextIO, columns: list[str]) -> Iterator[int]:
    count = 0
    for rows in _rows(columns):
        file.writelines(f"{_object(row)}\n" for row in rows)
        count += len(rows)
        yield count


def _object(row: Row) -> str:
    return json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


# By the end of the file's name.
KINDS: Final[dict[str, Callable[[TextIO, list[str]], Iterator[int]]]] = {
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
}
