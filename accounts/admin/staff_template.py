"""The template of a staff list: an XLSX file with the names of the columns, and the roles on a second sheet."""

import io
from typing import Final

from django.http import FileResponse
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.services.staff import COLUMNS, label

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download() -> FileResponse:
    """Return the file, in the active language."""
    # Loaded here, because it takes 0.1 s of each start and few processes need it.
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    staff = book.create_sheet(_("Staff"))
    staff.append([label(name) for name in COLUMNS])
    roles = book.create_sheet(_("Roles"))
    for role in Role:
        roles.append([str(role.label)])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="staff.xlsx", content_type=_XLSX)
