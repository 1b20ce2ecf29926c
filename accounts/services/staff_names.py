"""Departments and job titles: those that accounts have are the choices, and a new one is confirmed once."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import User

FIELDS: Final = ("department", "job_title")
# Choices before any account has a job title.
_JOB_TITLES: Final = (_("physician"), _("nurse"), _("technician"), _("pharmacist"), _("administrative staff"))


def known(field: str) -> list[str]:
    """Return the names that one of FIELDS has in any account, sorted, and the usual job titles."""
    usual = map(str, _JOB_TITLES) if field == "job_title" else ()
    return sorted({*User.objects.distinct_values(field), *usual})


def unknown(rows: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the names in these rows that nobody has yet, sorted, by field; without the fields that have none."""
    given: dict[str, set[str]] = {field: set() for field in FIELDS}
    for row in rows:
        for field in FIELDS:
            given[field].add(row.get(field) or "")
    new = {field: sorted(names - {"", *known(field)}) for field, names in given.items() if names - {""}}
    return {field: names for field, names in new.items() if names}
