"""What becomes of each row: who is here already, who collides with whom, and under which name somebody comes."""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from accounts import names
from accounts.models import ImportedAccount, User
from accounts.names import IDENTIFIERS
from accounts.reserved_names import is_reserved
from accounts.services.importing.import_plan import COMING, ImportPlan, Outcome
from accounts.services.importing.systems import FormerSystem

_FIELDS: Final = {"username": "user name", "email": "e-mail address", "phone": "phone number"}
_KEYS: Final = {field: identifier.column for field, identifier in IDENTIFIERS.items()}
_DECIDED: Final = "UPDATE person SET outcome = ?, reasons = ?, columns = ?, needs_name = ? WHERE number = ?"
# Numbered names that are tried before a random one.
_NUMBERED: Final = 50


class OnConflict(StrEnum):
    """What is done about a row that collides: nothing is imported, the row is not, or it comes under another name."""

    STOP = "stop"
    SKIP = "skip"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    digest: str
    columns: str
    keys: Mapping[str, str | None]
    makes_name: bool
    name_error: str


def plan(import_plan: ImportPlan, system: FormerSystem, on_conflict: OnConflict) -> None:
    """Decide the outcome of every row, and the name of everybody who comes."""
    _find_present(import_plan, system)
    for column in _KEYS.values():
        _find_taken(import_plan, column)
    columns = "digest, columns, username_key, email_key, phone, makes_name, name_error"
    for rows in import_plan.batches(columns, "outcome = ?", Outcome.NEW):
        decided = []
        for number, digest, given, *keys, makes_name, name_error in rows:
            row = _Row(number, digest, given, dict(zip(_KEYS, keys, strict=True)), bool(makes_name), name_error)
            decided.append(_decide(import_plan, row, system, on_conflict))
        import_plan.update(_DECIDED, filter(None, decided))
    _name(import_plan)


def _find_present(import_plan: ImportPlan, system: FormerSystem) -> None:
    """Find people whom an earlier import has brought, or who are in this service's own export."""
    for rows in import_plan.batches("digest, former_id, username_key", "1"):
        known = ImportedAccount.objects.filter(digest__in=[row[1] for row in rows]).values_list("digest", "user_id")
        found = dict(known)
        own: set[tuple[int, str]] = set()
        if system.name == "authsvc":
            own = set(User.objects.filter(pk__in=[row[2] for row in rows]).values_list("pk", "username_key"))
        present = [(found[digest], number) for number, digest, _id, _key in rows if digest in found]
        present += [(row[2], row[0]) for row in rows if row[1] not in found and (row[2], row[3]) in own]
        import_plan.update(f"UPDATE person SET outcome = '{Outcome.PRESENT}', user_id = ? WHERE number = ?", present)


def _find_taken(import_plan: ImportPlan, column: str) -> None:
    """Note which names, addresses and numbers accounts have."""
    for rows in import_plan.batches(column, f"outcome = ? AND {column} IS NOT NULL", Outcome.NEW):
        _note_taken(import_plan, column, {value for _number, value in rows})


def _note_taken(import_plan: ImportPlan, column: str, values: Iterable[str]) -> None:
    found = User.objects.filter(**{f"{column}__in": list(values)}).values_list(column, "pk")
    import_plan.update(f"INSERT OR IGNORE INTO taken VALUES ('{column}', ?, ?)", found)


def _decide(
    import_plan: ImportPlan, row: _Row, system: FormerSystem, on_conflict: OnConflict
) -> tuple[Any, ...] | None:
    """Return outcome, reasons, columns, whether a name is needed, and number; None for a row that comes as it is."""
    collisions = {
        field: other
        for field, value in row.keys.items()
        if value and (other := _other(import_plan, _KEYS[field], value))
    }
    reasons = [f"{_FIELDS[field]}: {other} has it" for field, other in collisions.items()]
    if same := _other(import_plan, "digest", row.digest):
        reasons.append(f"{same} is the same person")
    if row.name_error:
        reasons.append(row.name_error)
    # Without what its clients log in with, an account would be of no use to anybody.
    is_useless = bool(same) or (system.login != "username" and system.login in collisions)
    outcome = Outcome.NEW
    if reasons and on_conflict is OnConflict.RENAME and not is_useless:
        outcome = Outcome.RENAMED
    elif reasons:
        outcome = Outcome.CONFLICT if same or collisions else Outcome.MALFORMED
    if outcome in COMING:
        _claim(import_plan, row, [field for field in _KEYS if field not in collisions])
    if not reasons and not row.makes_name:
        return None
    kept = {name: value for name, value in json.loads(row.columns).items() if name not in _lost(collisions)}
    needs_name = row.makes_name or bool(row.name_error) or "username" in collisions
    columns = json.dumps(kept) if outcome in COMING else row.columns
    return outcome.value, json.dumps(reasons), columns, needs_name, row.number


def _lost(collisions: Iterable[str]) -> set[str]:
    """Return the columns of contacts that somebody else has."""
    contacts = [field for field in collisions if field in names.CONTACTS]
    return {name for field in contacts for name in (field, _KEYS[field], f"verified_{field}")}


def _other(import_plan: ImportPlan, column: str, value: str) -> str:
    """Return who has a name, an address or a number, in words; empty where nobody has."""
    values = (column, value)
    taken = import_plan.database.execute("SELECT user_id FROM taken WHERE field = ? AND value = ?", values).fetchone()
    if taken:
        return f"account {taken[0]}"
    claimed = import_plan.database.execute("SELECT number FROM claim WHERE field = ? AND value = ?", values).fetchone()
    return f"row {claimed[0]}" if claimed else ""


def _claim(import_plan: ImportPlan, row: _Row, fields: Sequence[str]) -> None:
    claims = [(_KEYS[field], row.keys[field], row.number) for field in fields if row.keys[field]]
    claims.append(("digest", row.digest, row.number))
    import_plan.update("INSERT INTO claim VALUES (?, ?, ?)", claims)


def _name(import_plan: ImportPlan) -> None:
    """Give a free name to everybody who comes and needs one: the own stem if it is free, or numbered."""
    for attempt in range(1, _NUMBERED + 2):
        for rows in import_plan.batches("stem, columns", "needs_name = 1 AND outcome IN ('new', 'renamed')"):
            proposals = {number: _proposal(stem, attempt) for number, stem, _columns in rows}
            keys = {number: names.canonical_username(name) for number, name in proposals.items() if name}
            _note_taken(import_plan, "username_key", set(keys.values()))
            given = []
            for number, _stem, columns in rows:
                if number in keys and not _other(import_plan, "username_key", keys[number]):
                    import_plan.update("INSERT INTO claim VALUES ('username_key', ?, ?)", [(keys[number], number)])
                    named = {**json.loads(columns), "username": proposals[number], "username_key": keys[number]}
                    given.append((json.dumps(named), number))
            import_plan.update("UPDATE person SET columns = ?, needs_name = 0 WHERE number = ?", given)


def _proposal(stem: str, attempt: int) -> str:
    """Return a name made of a stem, empty where it is none: `wang`, `wang2`, `wang3` …, and at last a random one."""
    if attempt > _NUMBERED:
        return f"{stem}-{secrets.token_hex(4)}"
    name = stem if attempt == 1 else f"{stem}{attempt}"
    return name if names.is_username(name) and not is_reserved(name) else ""
