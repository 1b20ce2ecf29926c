"""Cells of lists that show a person."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit.people import marks, real_name


def with_marks(name: Any, user: Any) -> SafeString:
    """Return a user's name, which may be a link, with the marks of a superuser and of an auditor."""
    return format_html("{}{}", name, format_html_join("", ' <span class="mark">{}</span>', ((m,) for m in marks(user))))


def in_lines(texts: Iterable[str]) -> SafeString:
    """Return each text on a line of its own."""
    return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts))


def to_the_minute(at: datetime | None) -> str:
    """Return a time in the service's time zone, to the minute, in the one form that all pages have."""
    return date_format(timezone.localtime(at), "Y-m-d H:i") if at else "-"


def person(name: Any, user: Any) -> SafeString:
    """Return a user's name with the full name, the department and the marks."""
    real = real_name(user)
    return with_marks(format_html('{} <span class="person">{}</span>', name, real) if real else name, user)
