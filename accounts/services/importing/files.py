"""Rows of CSV, JSON and JSON Lines files, one at a time."""

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from accounts.services.importing.errors import UnreadableSource
from audit.admin.spreadsheet import unescape_formula

_PART: Final = 64 * 1024
# Of one object; nobody's row is longer.
_LONGEST: Final = 1024 * 1024
_BLANK: Final = " \t\r\n"
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")


def csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file with a line of column names, in UTF-8, UTF-16 with a byte order mark, or GB 18030."""
    with path.open(encoding=_charset(path), newline="") as file:
        reader = csv.DictReader(file)
        try:
            for row in reader:
                # Cells beyond the columns have no name.
                # Exports put an apostrophe before what a spreadsheet would take for a formula.
                yield {name: unescape_formula(value) for name, value in row.items() if name is not None and value}
        except (csv.Error, UnicodeError) as error:
            raise UnreadableSource(f"{path}, line {reader.line_num}, is not CSV: {error}.") from error


def _charset(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            while part := file.read(_PART):
                decoder.decode(part)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8-sig"


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file that has one on each line."""
    with path.open(encoding="utf-8-sig") as file:
        number = 0
        try:
            while True:
                number += 1
                line = file.readline(_LONGEST + 1)
                if not line:
                    return
                if len(line) > _LONGEST:
                    raise UnreadableSource(f"{path}, line {number}, is longer than a row can be.")
                if line.strip():
                    yield _row(json.loads(line), f"{path}, line {number},")
        except (ValueError, RecursionError) as error:
            raise UnreadableSource(f"{path}, line {number}, is not JSON: {error}.") from error


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file that is one array of them, without reading all of it at once."""
    with path.open(encoding="utf-8-sig") as file:
        number = 0
        try:
            text = file.read(_PART).lstrip(_BLANK)
            if not text.startswith("["):
                raise UnreadableSource(f"{path} is not an array of objects.")
            text = text[1:]
            for value in _values(file, text):
                number += 1
                yield _row(value, f"{path}, element {number},")
        except (ValueError, RecursionError) as error:
            raise UnreadableSource(f"{path}, after element {number}, is not JSON: {error}.") from error


def _values(file: TextIO, text: str) -> Iterator[Any]:
    """Yield the elements of an array whose text goes on in the file. Raises ValueError."""
    decode, place = json.JSONDecoder().raw_decode, 0
    while True:
        start = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]  # It matches nothing too.
        if text.startswith("]", start):
            return
        try:
            value, place = decode(text, start)
        except json.JSONDecodeError:
            # The element may go on in the next part.
            part = file.read(_PART)
            if not part or len(text) - start > _LONGEST:
                raise
            text, place = text[start:] + part, 0
        else:
            yield value


def _row(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableSource(f"{place} is not an object.")
    return value
