"""The query parameters of the native contract's lists."""

import unicodedata
from typing import Any

from django.core.validators import validate_ipv46_address
from django.db.models import Q, QuerySet
from django_filters import rest_framework as django_filters

from accounts.contracts.native.wire import CONTRACT_NAMES
from accounts.contracts.query_filters import (
    IdFilter,
    RepeatableOrderingFilter,
    StrictBooleanFilter,
    UTCDateTimeFilter,
)
from accounts.models import Role, User
from accounts.services.identifiers import named
from audit.events import Event, Status
from audit.models import LoginAttempt, SecurityEvent
from audit.validity import Validity, has_validity, today

LONGEST_TERM = 100


class UserFilter(django_filters.FilterSet):
    role = django_filters.ChoiceFilter(choices=Role.choices)
    is_active = StrictBooleanFilter()
    awaits_approval = StrictBooleanFilter()
    validity = django_filters.ChoiceFilter(
        method="by_validity",
        choices=[(each.value, each.value) for each in Validity],
        help_text="Whether the account's first day is still to come, or its last day is over, or neither.",
    )
    department = django_filters.CharFilter(max_length=LONGEST_TERM)
    job_title = django_filters.CharFilter(max_length=LONGEST_TERM)
    search = django_filters.CharFilter(
        method="search_users",
        max_length=LONGEST_TERM,
        help_text="Part of a user name, e-mail address, phone number, full name or department; case-insensitive.",
    )
    ordering = RepeatableOrderingFilter(
        fields=("id", "username", "full_name", "role", "created_at", "last_login"),
        help_text="Separate several by commas, or repeat the parameter; `-` reverses the order.",
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def by_validity(self, users: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Return the users on whose dates today is such a day."""
        return users.filter(has_validity(Validity(value), today()))

    def search_users(self, users: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """Return the users whose name, e-mail address, phone number or department contains the text."""
        key = unicodedata.normalize("NFKC", value).casefold()
        return users.filter(
            Q(username_key__contains=key)
            | Q(email_key__contains=key)
            | Q(phone__contains=key)
            | Q(full_name__icontains=value)
            | Q(department__icontains=value)
        )


class TrailFilter(django_filters.FilterSet):
    # PostgreSQL raises an error for any other text.
    ip = django_filters.CharFilter(max_length=45, validators=[validate_ipv46_address])
    contract = django_filters.ChoiceFilter(
        choices=[(name, name) for name in CONTRACT_NAMES],
        help_text="The contract's name, or `admin` for the admin site.",
    )
    since = UTCDateTimeFilter(field_name="at", lookup_expr="gte", help_text="At this time or later.")
    until = UTCDateTimeFilter(field_name="at", lookup_expr="lt", help_text="Before this time.")


class LoginAttemptFilter(TrailFilter):
    username = django_filters.CharFilter(
        method="by_username",
        max_length=LONGEST_TERM,
        help_text="The user name of the account, or the identifier that was entered.",
    )
    status = django_filters.ChoiceFilter(choices=[(status.value, status.value) for status in Status])

    class Meta:
        model = LoginAttempt
        fields: tuple[str, ...] = ()

    def by_username(self, attempts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the attempts of the user of this name, and those with it as their identifier."""
        return attempts.filter(Q(user_id=named(value)) | Q(identifier=value))


class SecurityEventFilter(TrailFilter):
    event = django_filters.ChoiceFilter(choices=[(event.value, event.value) for event in Event])
    user = IdFilter(field_name="user_id", help_text="The id of the account that the event concerns.")
    username = django_filters.CharFilter(
        method="by_username", max_length=LONGEST_TERM, help_text="The user name of the account that the event concerns."
    )
    actor = IdFilter(field_name="actor_id", help_text="The id of the account that did it.")

    class Meta:
        model = SecurityEvent
        fields: tuple[str, ...] = ()

    def by_username(self, events: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the events that concern the user of this name, address or number."""
        found = named(value)
        return events.filter(user_id=found) if found else events.none()
