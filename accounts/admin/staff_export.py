"""Export of the filtered user list as CSV and XLSX, without secret columns."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts import names
from accounts.models import User
from accounts.services import staff
from audit.admin.changelist import unfiltered
from audit.admin.export import NO_STORE, Export
from audit.admin.spreadsheet import Row, chunks, escape_formula, spreadsheet_time, with_zone
from audit.events import Event

COLUMNS: Final = (
    *staff.COLUMNS,
    "is_active",
    "awaits_approval",
    "last_login",
    "created_at",
)
_TIMES: Final = frozenset({"last_login", "created_at"})
# In characters: a time is wider than a column usually is, and would be shown as number signs.
_TIME_WIDTH: Final = 20
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _row(user: User) -> Row:
    return [_cell(user, name) for name in COLUMNS]


def _cell(user: User, name: str) -> object:
    value = getattr(user, name)
    if name == "phone":
        return names.display_phone(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "role":
        return user.get_role_display()
    if name in _TIMES:
        return spreadsheet_time(value) if value else ""
    return value


class ExportAdmin(admin.ModelAdmin):
    """Adds the exports at `export/csv/` and `export/xlsx/`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/<slug:kind>/", view, name="accounts_user_export"), *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Return all users of the filtered list as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            # A new login and a change of language redirect to this URL by GET.
            return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
        try:
            users = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as error:
            return unfiltered(request, reverse("admin:accounts_user_changelist"), error)
        header = [with_zone(staff.label(name)) if name in _TIMES else staff.label(name) for name in COLUMNS]
        parts = ([_row(user) for user in part] for part in chunks(users, ["-id"]))
        download = Export.of(request, Event.STAFF_EXPORTED)
        return _xlsx(download, header, parts) if kind == "xlsx" else download.csv(header, parts)


def _xlsx(download: Export, header: Row, parts: Iterator[list[Row]]) -> HttpResponseBase:
    # Imported here, because the import takes a seventh of the time in which every command starts.
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.utils import get_column_letter

    download.record("started")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for number, name in enumerate(COLUMNS, start=1):
        if name in _TIMES:
            sheet.column_dimensions[get_column_letter(number)].width = _TIME_WIDTH
    sheet.append(list(map(str, header)))
    count = 0
    for part in parts:
        for row in part:
            sheet.append(
                [
                    value if isinstance(value, datetime) else ILLEGAL_CHARACTERS_RE.sub("", escape_formula(value))
                    for value in row
                ]
            )
        count += len(part)
    # The response closes the file, which deletes it.
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115
    book.save(file)
    file.seek(0)
    download.record("complete", rows=count)
    answer = FileResponse(file, as_attachment=True, filename=download.filename("xlsx"), content_type=_XLSX)
    for name, value in NO_STORE.items():
        answer[name] = value
    return answer
