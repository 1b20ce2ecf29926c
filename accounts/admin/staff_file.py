"""Reads a staff list from a CSV file, as spreadsheet programs write it, or from an XLSX file."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.admin.xlsx_file import UnpackedTooLarge, first_sheet
from accounts.models import Role
from accounts.services.staff import COLUMNS, Candidate, label
from audit.admin.spreadsheet import unescape_formula
from audit.labels import in_a_row

MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 2_000
_MAX_COLUMNS: Final = 30
# Excel in China writes GB 18030 or UTF-8. UTF-16 is recognized by its byte order mark alone.
_BYTE_ORDER_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CHARSETS: Final = ("utf-8", "gb18030")
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"

# What hospitals call the columns. Of two names for one column in a file, the first one here counts.
_HOSPITAL_NAMES: Final = {
    "用户名": "username",
    "账号": "username",
    "姓名": "full_name",
    "邮箱": "email",
    "手机号": "phone",
    "手机": "phone",
    "电话": "phone",
    "角色": "role",
    "职务": "role",
    "岗位": "job_title",
    "职称": "job_title",
    "职位": "job_title",
    "开始日期": "valid_from",
    "结束日期": "valid_until",
    "截止日期": "valid_until",
    "到期日期": "valid_until",
    "科室": "department",
    "部门": "department",
}
# What this column has in a list whose roles have a column of their own.
_BESIDE_ROLES: Final = {"职务": "job_title"}


class InvalidStaffFile(Exception):
    """The file cannot be read as a staff list; `detail` says why."""

    def __init__(self, detail: Promise | str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class StaffList:
    """The rows of a staff list, and the names of the columns that are ignored."""

    candidates: list[Candidate]
    ignored: list[str]


def read(data: bytes) -> StaffList:
    """Return the rows of a file. Raises InvalidStaffFile."""
    if len(data) > MAX_BYTES:
        raise InvalidStaffFile(_("The file is too large: at most 1 MB."))
    if data.startswith(_OLD_EXCEL):
        raise InvalidStaffFile(_("This is an old Excel file (.xls). Save it as .xlsx or CSV."))
    rows = list(islice(_xlsx(data) if data.startswith(b"PK") else _csv(data), MAX_ROWS + 2))
    if len(rows) > MAX_ROWS + 1:
        raise InvalidStaffFile(_("The list is too long: at most %d rows.") % MAX_ROWS)
    if not rows:
        raise InvalidStaffFile(_("The file is empty."))
    return _staff_list(rows[0], rows[1:])


def _staff_list(header: Sequence[str], rows: Iterable[Sequence[str]]) -> StaffList:
    fields = _fields(header)
    taken = [field for field in fields if field]
    if missing := [name for name in ("username", "role") if name not in taken]:
        raise InvalidStaffFile(
            _("The first row must contain the column names. Missing: %s.") % in_a_row(label(name) for name in missing)
        )
    if len(taken) != len(set(taken)):
        raise InvalidStaffFile(_("The first row contains a column name twice."))
    roles = _known_roles()
    candidates = []
    for number, row in enumerate(rows, start=2):
        columns = {field: value for field, value in zip(fields, row, strict=False) if field}
        if any(columns.values()):
            role = columns.get("role", "")
            candidates.append(Candidate(number, {**columns, "role": roles.get(role.casefold(), role)}))
    if not candidates:
        raise InvalidStaffFile(_("The list contains no rows."))
    return StaffList(candidates, [name for name, field in zip(header, fields, strict=True) if name and not field])


def _fields(header: Sequence[str]) -> list[str | None]:
    """Return the field of each column, None for one that is ignored, for instance a second name for a field."""
    known, others = _known_names(), list(_HOSPITAL_NAMES)
    fields = [known.get(name.casefold()) for name in header]
    for name in sorted((name for name in header if name in _HOSPITAL_NAMES), key=others.index):
        if _HOSPITAL_NAMES[name] not in fields:
            fields[header.index(name)] = _HOSPITAL_NAMES[name]
    for name, field in _BESIDE_ROLES.items():
        if name in header and fields[header.index(name)] is None and field not in fields:
            fields[header.index(name)] = field
    return fields


def _in_each_language(get_label: Callable[[], object]) -> Iterator[str]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield str(get_label()).casefold()


def _known_names() -> dict[str, str]:
    """Return the fields by their accepted column names: the field's name, or its label in any language."""
    known = {column_name: name for name in COLUMNS for column_name in _in_each_language(partial(label, name))}
    return {**known, **{name: name for name in COLUMNS}}


def _known_roles() -> dict[str, str]:
    known = {
        column_name: str(role.value)
        for role in Role
        for column_name in _in_each_language(partial(getattr, role, "label"))
    }
    return {**known, **{role.value: role.value for role in Role}}


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first, _rest, _more = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_text(value) for value in row[:_MAX_COLUMNS]]
    except csv.Error as error:
        raise InvalidStaffFile(_("The file is neither CSV nor XLSX.")) from error


def _decoded(data: bytes) -> str:
    declared = [charset for mark, charset in _BYTE_ORDER_MARKS.items() if data.startswith(mark)]
    for charset in declared or _CHARSETS:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    raise InvalidStaffFile(_("The file is neither CSV nor XLSX."))


def _xlsx(data: bytes) -> Iterator[list[str]]:
    try:
        for row in first_sheet(data, MAX_ROWS + 2, _MAX_COLUMNS):
            yield [_text(value) for value in row]
    except UnpackedTooLarge as error:
        bounds = {"rows": MAX_ROWS, "columns": _MAX_COLUMNS}
        raise InvalidStaffFile(
            _("The unpacked file is too large: at most 2 MiB, %(rows)d rows and %(columns)d columns.") % bounds
        ) from error
    except Exception as error:
        # openpyxl raises any kind of exception for a broken part.
        raise InvalidStaffFile(_("The file is neither CSV nor XLSX.")) from error


def _text(value: object) -> str:
    """Return a cell's text as the spreadsheet shows it, with whole numbers as digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    # The export puts an apostrophe before a formula; the import removes it.
    return unescape_formula(str(value).strip())
