"""The filters that several lists have in their query, for django-filter."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as django_filters
from django_filters.widgets import CSVWidget

_BOOLEANS: Final = {"true": True, "false": False}


class _StrictBooleanField(forms.Field):
    widget = forms.TextInput

    def to_python(self, value: str | None) -> bool | None:
        if value is None:
            return None
        if value not in _BOOLEANS:
            raise ValidationError(_("Must be true or false."), code="invalid")
        return _BOOLEANS[value]


class StrictBooleanFilter(django_filters.BooleanFilter):
    """`true` or `false`; django-filter takes any other text for no filter, and so for every row."""

    field_class = _StrictBooleanField  # type: ignore[assignment]  # Any field of a form will do.

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput, **kwargs)


class IdFilter(django_filters.NumberFilter):
    """The id of an account, which may have been deleted since."""

    field_class = forms.IntegerField  # type: ignore[assignment]  # As above.

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BigIntegerField.MAX_BIGINT, **kwargs)


class _RepeatableWidget(CSVWidget):
    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        if isinstance(data, MultiValueDict) and name in data:
            data = {name: ",".join(data.getlist(name))}
        return super().value_from_datadict(data, files, name)


class RepeatableOrderingFilter(django_filters.OrderingFilter):
    """Names of columns, separated by commas or in repeated parameters; django-filter would use the last parameter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=_RepeatableWidget, **kwargs)


def require_storable(time: datetime) -> None:
    """Raise ValidationError for a time that in another time zone is outside the years of Python and the databases."""
    if not datetime.min.year < time.year < datetime.max.year:
        raise ValidationError(_("Enter a time between the years 2 and 9998."), code="invalid")


class UTCDateTimeFilter(django_filters.IsoDateTimeFilter):
    """A time with any offset that ISO 8601 allows; PostgreSQL refuses some of them (`-16:00`), so it gets UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[require_storable], **kwargs)

    def filter(self, qs: QuerySet[Any], value: datetime | None) -> QuerySet[Any]:
        return super().filter(qs, value.astimezone(UTC) if value else value)
