"""A staff list as a file: CSV as spreadsheets write it, or XLSX."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

import openpyxl
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.services.staff import COLUMNS, Candidate, label
from audit.admin.sheets import FORMULA_SIGNS

MOST_BYTES: Final = 1_000_000
MOST_ROWS: Final = 2_000
_MOST_COLUMNS: Final = 50
# What an XLSX file of so many rows may unpack to, and into how many parts.
_MOST_UNPACKED: Final = 20_000_000
_MOST_PARTS: Final = 200
# What Excel writes in China, where it is not UTF-8; UTF-16 only with its mark.
_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CHARSETS: Final = ("utf-8", "gb18030")
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


class NotAList(Exception):
    """The file cannot be read as a staff list; `told` says why."""

    def __init__(self, told: Promise | str) -> None:
        super().__init__(told)
        self.told = told


@dataclass(frozen=True, slots=True)
class StaffList:
    """The rows of a list, and the columns that are not taken from it."""

    candidates: list[Candidate]
    ignored: list[str]


def read(data: bytes) -> StaffList:
    """Return the rows of a file. Raises NotAList."""
    if len(data) > MOST_BYTES:
        raise NotAList(_("The file is too large: at most 1 MB."))
    if data.startswith(_OLD_EXCEL):
        raise NotAList(_("This is a file of an old Excel. Save it as .xlsx or CSV."))
    rows = list(islice(_xlsx(data) if data.startswith(b"PK") else _csv(data), MOST_ROWS + 2))
    if len(rows) > MOST_ROWS + 1:
        raise NotAList(_("The list is too long: at most %d rows.") % MOST_ROWS)
    if not rows:
        raise NotAList(_("The file is empty."))
    return _staff_list(rows[0], rows[1:])


def _staff_list(header: Sequence[str], rows: Iterable[Sequence[str]]) -> StaffList:
    known = _known_names()
    fields = [known.get(name.casefold()) for name in header]
    taken = [field for field in fields if field]
    if missing := [name for name in ("username", "role") if name not in taken]:
        raise NotAList(_("The first row has to name the columns; it lacks: %s.") % ", ".join(missing))
    if len(taken) != len(set(taken)):
        raise NotAList(_("The first row names a column twice."))
    roles = _known_roles()
    candidates = []
    for number, row in enumerate(rows, start=2):
        columns = {field: value for field, value in zip(fields, row, strict=False) if field}
        if any(columns.values()):
            role = columns.get("role", "")
            candidates.append(Candidate(number, {**columns, "role": roles.get(role.casefold(), role)}))
    if not candidates:
        raise NotAList(_("The list has no rows."))
    return StaffList(candidates, [name for name, field in zip(header, fields, strict=True) if name and not field])


def _in_each_language(say: Callable[[], object]) -> Iterator[str]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield str(say()).casefold()


def _known_names() -> dict[str, str]:
    """Return the columns by what the first row may call them: the field's name, or its label in any language."""
    known = {word: name for name in COLUMNS for word in _in_each_language(partial(label, name))}
    return {**known, **{name: name for name in COLUMNS}}


def _known_roles() -> dict[str, str]:
    known = {word: str(role.value) for role in Role for word in _in_each_language(partial(getattr, role, "label"))}
    return {**known, **{role.value: role.value for role in Role}}


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first, _rest, _more = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_text(value) for value in row[:_MOST_COLUMNS]]
    except csv.Error as error:
        raise NotAList(_("This is neither CSV nor XLSX.")) from error


def _decoded(data: bytes) -> str:
    marked = [charset for mark, charset in _MARKS.items() if data.startswith(mark)]
    for charset in marked or _CHARSETS:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    raise NotAList(_("This is neither CSV nor XLSX."))


def _xlsx(data: bytes) -> Iterator[list[str]]:
    _require_modest(data)
    try:
        sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False).worksheets[0]
        # What the file says of its own size need not be true.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=_MOST_COLUMNS, values_only=True):
            yield [_text(value) for value in row]
    except Exception as error:
        # A broken part makes openpyxl raise whatever comes.
        raise NotAList(_("This is neither CSV nor XLSX.")) from error


def _require_modest(data: bytes) -> None:
    """Raise NotAList for an archive that unpacks to far more than it seems; no part can exceed what it declares."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise NotAList(_("This is neither CSV nor XLSX.")) from error
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise NotAList(_("The file unpacks to more than a staff list has."))


def _text(value: object) -> str:
    """Return a cell as it is shown; a number that Excel made of digits is digits again."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    text = str(value).strip()
    # What an export has made harmless is what it was.
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_SIGNS) else text
