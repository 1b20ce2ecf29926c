"""A row of a former system as columns of an account: what is taken, what is left out, and why it cannot be one."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password

from accounts import names
from accounts.models.user import PASSWORD_LENGTH
from accounts.names import IDENTIFIERS, InvalidIdentifier
from accounts.security.stored_hashes import parse
from accounts.services.importing import values
from accounts.services.importing.systems import FormerSystem

# Downstream systems of the old ones have columns of this size for ids.
_HIGHEST_ID: Final = 2**31 - 1
_STEM_LENGTH: Final = 100


@dataclass(slots=True)
class Candidate:
    """A row that may become an account.

    `columns` are those of `User`. `errors` say why it cannot become one, `name_error` why it cannot under its own name,
    and `notes` what of it is left out or changed. `hash_kind` names the kind of its hash; it is empty where no hash can
    be verified.
    """

    number: int
    former_id: int | None
    columns: dict[str, Any]
    errors: list[str] = field(default_factory=list)
    name_error: str = ""
    notes: list[str] = field(default_factory=list)
    hash_kind: str = ""
    # Whether the system has no user names, so that any free one will do.
    makes_name: bool = False
    digest: str = ""

    @property
    def stem(self) -> str:
        """What a user name is made of where the row has none that can be taken."""
        given = str(self.columns.get("username") or str(self.columns.get("email") or "").partition("@")[0])
        stem = re.sub(r"[^\w.+-]", "", names.display_username(given))[:_STEM_LENGTH]
        return stem if names.is_username(stem) else "user"


def candidate(number: int, row: Mapping[str, Any], system: FormerSystem) -> Candidate:
    """Return a row, the first of which has number 1, as a candidate."""
    given = dict(_given(row, system))
    result = Candidate(number, values.whole_number(given.pop("id", None)), {})
    if result.former_id is not None and not 0 < result.former_id <= _HIGHEST_ID:
        result.notes.append("its id is out of range")
        result.former_id = None
    _take_identifiers(result, given, system)
    _take_password(result, given.pop("password", None))
    _take_others(result, given, system)
    fields = (system.login, *IDENTIFIERS)
    identity = next((key for field in fields if (key := result.columns.get(IDENTIFIERS[field].column))), "")
    text = f"{system.name}|{result.former_id}|{identity}"
    result.digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return result


def _given(row: Mapping[str, Any], system: FormerSystem) -> Iterator[tuple[str, Any]]:
    """Yield the columns that the row has, by their names in `User`."""
    for name, former_names in system.columns.items():
        for former in former_names:
            if row.get(former) is not None:
                yield name, row[former]
                break


def _take_identifiers(result: Candidate, given: dict[str, Any], system: FormerSystem) -> None:
    result.makes_name = "username" not in system.columns
    for name, identifier in IDENTIFIERS.items():
        text = values.line(given.pop(name, None))
        if name == "username":
            text = names.display_username(text)
        if not text:
            if name == "username" and not result.makes_name:
                result.name_error = "it has no user name"
            elif name == system.login:
                result.errors.append(f"it has no {_LABELS[name]}")
            continue
        try:
            key = identifier.canonical(text)
        except InvalidIdentifier as error:
            _refuse(result, system, name, text, str(error))
            continue
        if name == "email" and "." not in key.rpartition("@")[2]:
            _refuse(result, system, name, text, "The domain of an e-mail address must contain a dot.")
            continue
        result.columns |= {name: text, identifier.column: key}


_LABELS: Final = {"username": "user name", "email": "e-mail address", "phone": "phone number"}


def _refuse(result: Candidate, system: FormerSystem, name: str, text: str, sentence: str) -> None:
    """Note an invalid identifier: the row cannot come without a name or what its clients log in with."""
    shown = f"{_LABELS[name]} {text[: names.NAME_LENGTH]!r}: {sentence}"
    if name == "username":
        result.columns["username"], result.name_error = text, shown
    elif name == system.login:
        result.errors.append(shown)
    else:
        result.notes.append(f"left out, {shown}")


def _take_password(result: Candidate, stored: Any) -> None:
    text = values.line(stored)
    found = parse(text) if len(text) <= PASSWORD_LENGTH else None
    if found is None:
        if not text:
            result.notes.append("without a password: it has no hash")
        elif not text.startswith(UNUSABLE_PASSWORD_PREFIX):
            result.notes.append("without a password: its hash is malformed, unknown or beyond the limits")
        text = make_password(None)
    result.hash_kind = found.kind.name if found else ""
    result.columns["password"] = text


def _take_others(result: Candidate, given: Mapping[str, Any], system: FormerSystem) -> None:
    """Take the columns that identify nobody."""
    columns = {"role": system.default_role}
    for name, value in given.items():
        taken = values.converted(name, value, system)
        if taken is None:
            result.notes.append(f"left out, {name}: {str(value)[:60]!r}")
        else:
            columns |= taken.columns
            if taken.note:
                result.notes.append(taken.note)
    # A proof is of the address that the row has now.
    for name, contact in (("verified_email", "email_key"), ("verified_phone", "phone")):
        if name in columns and columns[name] != result.columns.get(contact):
            del columns[name]
    result.columns |= columns
