"""Rows as a sheet that a spreadsheet opens: read, and never calculated."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

Row = Sequence[object]

# What a spreadsheet takes for a formula, in full width too, and what it skips before one.
FORMULA_SIGNS: Final = tuple("=+-@\t\r\n＝＋－＠")
# Without it Excel takes UTF-8 for the machine's own charset, and Chinese is lost.
BOM: Final = "\ufeff"
CHUNK: Final = 2_000


def defused(value: object) -> str:
    """Return a value as the text of a cell; a spreadsheet shows it as it is, even where it looks like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def csv_text(rows: Iterable[Row]) -> str:
    """Return rows as lines of CSV (RFC 4180)."""
    lines = io.StringIO()
    csv.writer(lines).writerows([defused(value) for value in row] for row in rows)
    return lines.getvalue()


def chunks(queryset: QuerySet[Any], order: Sequence[str]) -> Iterator[list[Any]]:
    """Yield all rows, some at a time, each from where the last ended: no cursor, no offset, no long transaction.

    `order` is `["-id"]`, or `["-at", "-id"]` for rows of a period.
    """
    rows = queryset.order_by(*order)
    part = list(rows[:CHUNK])
    while part:
        yield part
        last = part[-1]
        older = Q(pk__lt=last.pk)
        if "-at" in order:
            older = Q(at__lte=last.at) & (Q(at__lt=last.at) | older)
        part = list(rows.filter(older)[:CHUNK]) if len(part) == CHUNK else []
