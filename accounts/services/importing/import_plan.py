"""A temporary database in which an import is planned: what it holds is on the disk, and gone when it is closed.

SQLite makes a database without a name for its user alone and deletes it at once, so that no other process can open it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from accounts.services.importing.candidates import Candidate

AT_ONCE: Final = 500
_SCHEMA: Final = """
CREATE TABLE person (
    number INTEGER PRIMARY KEY, former_id INTEGER, digest TEXT, username_key TEXT, email_key TEXT, phone TEXT,
    stem TEXT, makes_name INTEGER, name_error TEXT, hash_kind TEXT, columns TEXT,
    outcome TEXT, reasons TEXT, notes TEXT, needs_name INTEGER, user_id INTEGER
);
CREATE TABLE unused (first INTEGER, last INTEGER);
CREATE TABLE claim (field TEXT, value TEXT, number INTEGER, PRIMARY KEY (field, value)) WITHOUT ROWID;
CREATE TABLE taken (field TEXT, value TEXT, user_id INTEGER, PRIMARY KEY (field, value)) WITHOUT ROWID;
"""
_INSERT: Final = f"INSERT INTO person VALUES ({', '.join('?' * 14)}, 0, NULL)"


class Outcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    RENAMED = "renamed"
    PRESENT = "present"
    CONFLICT = "conflict"
    MALFORMED = "malformed"


COMING: Final = (Outcome.NEW, Outcome.RENAMED)


@dataclass(slots=True)
class PlannedAccount:
    """A row of the plan."""

    number: int
    former_id: int | None
    digest: str
    columns: dict[str, Any]
    outcome: Outcome
    reasons: list[str]
    notes: list[str]
    user_id: int | None


class ImportPlan:
    """The plan of an import."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None)
        self.database.executescript(_SCHEMA)
        self.database.execute("BEGIN")

    def close(self) -> None:
        self.database.close()

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Add rows; one that cannot become an account is malformed already."""
        self.database.executemany(_INSERT, map(_values, candidates))

    def index(self) -> None:
        """Make former ids quick to find, once all rows are there."""
        self.database.execute("CREATE INDEX person_former_id ON person (former_id)")

    def scalar(self, sql: str, *parameters: Any) -> Any:
        return self.database.execute(sql, parameters).fetchone()[0]

    def batches(self, columns: str, where: str, *parameters: Any) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows of people in the order of their numbers; their rows may be changed meanwhile."""
        last = 0
        while rows := self.database.execute(
            f"SELECT number, {columns} FROM person WHERE number > ? AND ({where}) ORDER BY number LIMIT {AT_ONCE}",
            (last, *parameters),
        ).fetchall():
            yield rows
            last = rows[-1][0]

    def people(self, *outcomes: Outcome) -> Iterator[list[PlannedAccount]]:
        """Yield the people with one of these outcomes, in batches."""
        columns = "former_id, digest, columns, outcome, reasons, notes, user_id"
        where = f"outcome IN ({', '.join('?' * len(outcomes))})"
        for rows in self.batches(columns, where, *outcomes):
            yield [_person(row) for row in rows]

    def counts(self) -> dict[Outcome, int]:
        found = dict(self.database.execute("SELECT outcome, COUNT(*) FROM person GROUP BY outcome").fetchall())
        return {outcome: found.get(outcome.value, 0) for outcome in Outcome}

    def hash_kinds(self) -> dict[str, int]:
        """Return how many of the people who come have a hash of each kind; those without a password by ``."""
        sql = "SELECT hash_kind, COUNT(*) FROM person WHERE outcome IN (?, ?) GROUP BY hash_kind ORDER BY 2 DESC, 1"
        return dict(self.database.execute(sql, COMING).fetchall())

    def update(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.database.executemany(sql, rows)


def _values(candidate: Candidate) -> tuple[Any, ...]:
    columns = candidate.columns
    keys = [columns.get(name) for name in ("username_key", "email_key", "phone")]
    outcome = Outcome.MALFORMED if candidate.errors else Outcome.NEW
    return (
        candidate.number,
        candidate.former_id,
        candidate.digest,
        *keys,
        candidate.stem if candidate.makes_name or candidate.name_error else columns["username"],
        candidate.makes_name,
        candidate.name_error,
        candidate.hash_kind,
        json.dumps(columns),
        outcome.value,
        json.dumps(candidate.errors),
        json.dumps(candidate.notes),
    )


def _person(row: Sequence[Any]) -> PlannedAccount:
    number, former_id, digest, columns, outcome, reasons, notes, user_id = row
    return PlannedAccount(
        number,
        former_id,
        digest,
        json.loads(columns),
        Outcome(outcome),
        json.loads(reasons),
        json.loads(notes),
        user_id,
    )
