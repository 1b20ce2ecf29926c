"""Rows as CSV for spreadsheet programs, with formulas escaped."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

Row = Sequence[object]

# The characters that begin a formula, in full width too, or that a spreadsheet skips before one (OWASP CSV Injection).
FORMULA_SIGNS: Final = tuple("=+-@\t\r\n＝＋－＠")
# Without it Excel decodes UTF-8 in the system's charset, which garbles Chinese.
BOM: Final = "\ufeff"
CHUNK: Final = 2_000


def escape_formula(value: object) -> str:
    """Return a value as the text of a cell, with an apostrophe before what looks like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def csv_text(rows: Iterable[Row]) -> str:
    """Return rows as lines of CSV (RFC 4180)."""
    lines = io.StringIO()
    csv.writer(lines).writerows([escape_formula(value) for value in row] for row in rows)
    return lines.getvalue()


def chunks(queryset: QuerySet[Any], order: Sequence[str]) -> Iterator[list[Any]]:
    """Yield all rows in chunks by keyset pagination: no cursor, no offset, no long transaction.

    `order` is `["-id"]`, or `["-at", "-id"]` for the rows of a period.
    """
    rows = queryset.order_by(*order)
    chunk = list(rows[:CHUNK])
    while chunk:
        yield chunk
        last = chunk[-1]
        older = Q(pk__lt=last.pk)
        if "-at" in order:
            older = Q(at__lte=last.at) & (Q(at__lt=last.at) | older)
        chunk = list(rows.filter(older)[:CHUNK]) if len(chunk) == CHUNK else []
