"""Rows as CSV for spreadsheet programs, with formulas escaped."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

Row = Sequence[object]

# A formula (OWASP CSV Injection) begins with one of these signs, in full width too, at the start of a cell. A program
# that separates cells by another character than the comma starts one after it, whatever the quotes are. Blanks and
# quotes before the sign are skipped.
_START: Final = r"(^|[,;|\t\r\n])([\s\"\ufeff\u200b]*)"
_SIGNS: Final = "[=+\\-@＝＋－＠]"
_FORMULA: Final = re.compile(f"{_START}(?='*{_SIGNS})")
_CONTROL: Final = re.compile("'*[\t\r\n]")
_ESCAPED: Final = re.compile(f"{_START}'(?='*{_SIGNS})")
# Without it Excel decodes UTF-8 in the system's charset, which garbles Chinese.
BOM: Final = "\ufeff"
CHUNK: Final = 2_000


def spreadsheet_time(at: datetime) -> datetime:
    """Return a time as spreadsheet programs read it: in the service's time zone, to the second, without an offset."""
    return timezone.localtime(at).replace(tzinfo=None, microsecond=0)


def with_zone(label: str) -> str:
    """Return the name of a column of times, with the time zone that its cells do not have."""
    return f"{label} ({settings.TIME_ZONE})"


def escape_formula(value: object) -> str:
    """Return a value as the text of a cell, with an apostrophe before what looks like a formula."""
    text = _FORMULA.sub(r"\1\2'", "" if value is None else str(value))
    return f"'{text}" if _CONTROL.match(text) else text


def unescape_formula(text: str) -> str:
    """Return the value whose cell `escape_formula` made."""
    text = text[1:] if text.startswith("'") and _CONTROL.match(text) else text
    return _ESCAPED.sub(r"\1\2", text)


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
