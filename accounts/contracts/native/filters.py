"""How the native contract's lists are filtered and ordered."""

import unicodedata
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db.models import Q, QuerySet
from django_filters import rest_framework as django_filters

from accounts.models import Role, User
from accounts.services.identifiers import named
from audit.events import Status
from audit.models import LoginAttempt

LONGEST_TERM = 100


class UserFilter(django_filters.FilterSet):
    role = django_filters.ChoiceFilter(choices=Role.choices)
    is_active = django_filters.BooleanFilter()
    awaits_approval = django_filters.BooleanFilter()
    department = django_filters.CharFilter(max_length=LONGEST_TERM)
    search = django_filters.CharFilter(
        method="search_people",
        max_length=LONGEST_TERM,
        help_text="Part of a user name, an address, a number, a full name or a department.",
    )
    ordering = django_filters.OrderingFilter(
        fields=("id", "username", "full_name", "role", "created_at", "last_login"),
        help_text="Several are separated by commas; `-` turns one round.",
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def search_people(self, users: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Return the users whose name, address, number or department has the text, whatever its case."""
        key = unicodedata.normalize("NFKC", value).casefold()
        return users.filter(
            Q(username_key__contains=key)
            | Q(email_key__contains=key)
            | Q(phone__contains=key)
            | Q(full_name__icontains=value)
            | Q(department__icontains=value)
        )


def require_storable(time: datetime) -> None:
    """Raise ValidationError for a time whose zone puts it beyond the years that Python and databases have."""
    if not datetime.min.year < time.year < datetime.max.year:
        raise ValidationError("Enter a time of the years 2 to 9998.", code="invalid")


class LoginAttemptFilter(django_filters.FilterSet):
    username = django_filters.CharFilter(
        method="of_user",
        max_length=LONGEST_TERM,
        help_text="Whose attempts: by the account's name, or as it was typed.",
    )
    status = django_filters.ChoiceFilter(choices=[(status.value, status.value) for status in Status])
    # PostgreSQL takes nothing but an address here.
    ip = django_filters.CharFilter(max_length=45, validators=[validate_ipv46_address])
    contract = django_filters.CharFilter(max_length=20, help_text="Or `admin` for the admin site.")
    since = django_filters.IsoDateTimeFilter(
        field_name="at", lookup_expr="gte", validators=[require_storable], help_text="At this time or later."
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="at", lookup_expr="lt", validators=[require_storable], help_text="Before this time."
    )

    class Meta:
        model = LoginAttempt
        fields: tuple[str, ...] = ()

    def of_user(self, attempts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the attempts of the user of that name, and those that typed it."""
        return attempts.filter(Q(user_id=named(value)) | Q(identifier=value))
