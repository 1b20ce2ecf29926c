"""How the native contract's lists are filtered and ordered."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django_filters import rest_framework as django_filters
from django_filters.fields import IsoDateTimeField

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


class MomentField(IsoDateTimeField):
    """A time that there is in UTC too: the first and the last day of all are not, in some zones."""

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class LoginAttemptFilter(django_filters.FilterSet):
    username = django_filters.CharFilter(
        method="of_user",
        max_length=LONGEST_TERM,
        help_text="Whose attempts: by the account's name, or as it was typed.",
    )
    status = django_filters.ChoiceFilter(choices=[(status.value, status.value) for status in Status])
    ip = django_filters.CharFilter(max_length=45)
    contract = django_filters.CharFilter(max_length=20, help_text="Or `admin` for the admin site.")
    since = MomentFilter(field_name="at", lookup_expr="gte", help_text="At this time or later.")
    until = MomentFilter(field_name="at", lookup_expr="lt", help_text="Before this time.")

    class Meta:
        model = LoginAttempt
        fields: tuple[str, ...] = ()

    def of_user(self, attempts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the attempts of the user of that name, and those that typed it."""
        return attempts.filter(Q(user_id=named(value)) | Q(identifier=value))
