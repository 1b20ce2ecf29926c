"""Reads the cells of an XLSX file that a stranger may have made: a small file can unpack to gigabytes."""

import io
import zipfile
from collections.abc import Iterator
from typing import Final

# Only these parts are unpacked; a list has no use for images and other content.
_NEEDED: Final = (".xml", ".rels")
_MAX_PARTS: Final = 200
_MAX_BYTES: Final = 2 * 1024 * 1024
# openpyxl makes an object of each element. 2,000 rows of 30 cells have 240,000 tags, and are in the first kind of part.
_CELLS: Final = ("xl/worksheets/", "xl/sharedStrings")
_MAX_CELL_TAGS: Final = 250_000
_MAX_OTHER_TAGS: Final = 20_000


class UnpackedTooLarge(Exception):
    """The file unpacks to more than a list may have."""


def first_sheet(data: bytes, max_rows: int, max_columns: int) -> Iterator[tuple[object, ...]]:
    """Yield the values of the first sheet's rows. Raises UnpackedTooLarge, and any exception for a broken file."""
    # Imported here, because the import takes a seventh of the time in which every command starts.
    import openpyxl

    sheet = openpyxl.load_workbook(_unpacked(data), read_only=True, data_only=True, keep_links=False).worksheets[0]
    # The dimensions that the file declares may be wrong.
    sheet.reset_dimensions()
    yield from sheet.iter_rows(max_row=max_rows, max_col=max_columns, values_only=True)


def _unpacked(data: bytes) -> io.BytesIO:
    """Return the needed parts as an archive without compression. No part unpacks to more than its declared size."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        parts = [part for part in source.infolist() if part.filename.endswith(_NEEDED)]
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_BYTES:
            raise UnpackedTooLarge
        cell_tags = other_tags = 0
        for part in parts:
            content = source.read(part)
            if part.filename.startswith(_CELLS):
                cell_tags += content.count(b"<")
            else:
                other_tags += content.count(b"<")
            target.writestr(part.filename, content)
    if cell_tags > _MAX_CELL_TAGS or other_tags > _MAX_OTHER_TAGS:
        raise UnpackedTooLarge
    return result
