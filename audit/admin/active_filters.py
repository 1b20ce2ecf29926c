"""What a list is filtered by, for a line above it with a link to remove each filter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.admin.views.main import IGNORED_PARAMS, SEARCH_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.admin.cells import to_the_minute

# A filter by state with this attribute hides rows even where nothing is chosen; the value shows them all.
SHOWS_ALL: Final = "value_for_all"


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """One filter in words, and the query of the list without it."""

    label: str
    value: str
    remove_query: str


def active_filters(listed: ChangeList) -> list[ActiveFilter]:
    """Return what a list is filtered by: its search, the chosen filters, and lookups that only links have."""
    return [*_search(listed), *_chosen(listed), *_lookups(listed)]


def _search(listed: ChangeList) -> Iterator[ActiveFilter]:
    if listed.query:
        yield ActiveFilter(_("Search"), listed.query, listed.get_query_string(remove=[SEARCH_VAR]))


def _chosen(listed: ChangeList) -> Iterator[ActiveFilter]:
    for spec in listed.filter_specs:
        choices = list(spec.choices(listed))
        parameters = [str(name) for name in spec.expected_parameters()]
        number = next((number for number, choice in enumerate(choices) if choice.get("selected")), None)
        if number is None and (typed := listed.params.get(parameters[0])):
            text = _("%(value)s (no such choice)") % {"value": typed}
            yield ActiveFilter(capfirst(str(spec.title)), text, listed.get_query_string(remove=parameters))
            continue
        if not number and not hasattr(spec, SHOWS_ALL):
            continue
        everything = {parameters[0]: getattr(spec, SHOWS_ALL)} if hasattr(spec, SHOWS_ALL) else None
        if everything and listed.params.get(parameters[0]) == everything[parameters[0]]:
            continue
        query = listed.get_query_string(everything, remove=[] if everything else parameters)
        display = str(choices[number or 0]["display"]).lstrip("– ")
        yield ActiveFilter(capfirst(str(spec.title)), display, query)


def _lookups(listed: ChangeList) -> Iterator[ActiveFilter]:
    known = {name for spec in listed.filter_specs for name in spec.expected_parameters()}
    for name, value in listed.params.items():
        if name not in {*known, *IGNORED_PARAMS} and value:
            yield ActiveFilter(*_in_words(listed, name, str(value)), listed.get_query_string(remove=[name]))


def _in_words(listed: ChangeList, lookup: str, value: str) -> tuple[str, str]:
    field_name, *rest = lookup.split("__")
    try:
        field: Any = listed.model._meta.get_field(field_name)
    except FieldDoesNotExist:
        return lookup, value
    label = capfirst(str(field.verbose_name))
    if rest[-1:] in (["gte"], ["lt"]):
        pattern = _("%(field)s since") if rest[-1] == "gte" else _("%(field)s before")
        return pattern % {"field": label}, _time(value)
    if field.related_model is get_user_model():
        user = get_user_model()._default_manager.filter(pk=value).first() if value.isdecimal() else None
        return label, str(user or f"#{value}")
    return label, str(dict(field.flatchoices).get(value, value))


def _time(value: str) -> str:
    at = parse_time(value)
    return to_the_minute(at) if at else value


def parse_time(value: str) -> datetime | None:
    """Return the time in a lookup, in the service's time zone.

    None stands for what is no time, and for one beyond the years of Python there.
    """
    try:
        at = parse_datetime(value)
        if at is None:
            return None
        return timezone.localtime(timezone.make_aware(at) if timezone.is_naive(at) else at)
    except (ValueError, OverflowError):
        return None
