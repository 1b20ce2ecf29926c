"""Filters of the list of users."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies import ONLINE, WARNED_BEFORE
from accounts.security.enrolled_accounts import has_second_factor, is_staff_without_factor
from accounts.security.locked_accounts import is_locked
from accounts.services import dormancy
from accounts.services.sessions import has_active
from audit.admin.filters import ChoiceFilter
from audit.validity import Validity, ends_within, has_validity, may_log_in, today


class DistinctValuesFilter(AllValuesFieldListFilter):
    """The departments or job titles of all accounts, and none. Django's own filter reads every account for them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lookup_choices: Any = [*User.objects.distinct_values(self.field_path), ""]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or _("not given")}


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", _("active")),
            ("disabled", _("disabled")),
            ("rejected", _("disabled, not approved")),
            ("awaiting", _("awaits approval")),
            ("locked", _("locked")),
            ("no_password", _("no password yet")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        match self.value():
            case "active":
                return queryset.filter(may_log_in(today()))
            case "disabled":
                return queryset.filter(is_active=False)
            case "rejected":
                return queryset.filter(is_active=False, awaits_approval=True)
            case "awaiting":
                return queryset.filter(is_active=True, awaits_approval=True)
            case "locked":
                return queryset.filter(is_locked(timezone.now()))
            case "no_password":
                return queryset.filter(is_active=True, password__startswith=UNUSABLE_PASSWORD_PREFIX)
        return queryset


class ValidityFilter(ChoiceFilter):
    title = _("validity")
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("soon", _("ends within 14 days")),
            ("ended", _("no longer valid")),
            ("future", _("not yet valid")),
            ("limited", _("has a last day")),
            ("dormant", _("soon disabled as dormant")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        match self.value():
            case "soon":
                return queryset.filter(ends_within(today(), WARNED_BEFORE))
            case "ended":
                return queryset.filter(has_validity(Validity.ENDED, today()))
            case "future":
                return queryset.filter(has_validity(Validity.NOT_YET, today()))
            case "limited":
                return queryset.exclude(valid_until=None)
            case "dormant":
                return queryset.filter(pk__in=dormancy.warned().order_by().values("pk"))
        return queryset


class OnlineFilter(ChoiceFilter):
    title = _("online now")
    parameter_name = "online"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("active in the last 15 minutes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        now = timezone.now()
        if self.value() != "yes":
            return queryset
        return queryset.filter(has_active(now, last_seen_at__gte=now - ONLINE))


class SecondFactorFilter(ChoiceFilter):
    title = _("second factor")
    parameter_name = "second_factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("yes", _("set up")),
            ("no", _("none")),
            ("staff", _("none, and may use the admin site")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        match self.value():
            case "yes":
                return queryset.filter(has_second_factor())
            case "no":
                return queryset.filter(~has_second_factor())
            case "staff":
                return queryset.filter(is_staff_without_factor())
        return queryset


class LastLoginFilter(ChoiceFilter):
    title = _("last login")
    parameter_name = "last_login"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("today", _("today")),
            ("7", _("in the last 7 days")),
            ("30", _("in the last 30 days")),
            ("over90", _("90 days ago or longer")),
            ("never", _("never")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        now = timezone.now()
        wanted = {
            "today": Q(last_login__gte=timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)),
            "7": Q(last_login__gte=now - timedelta(days=7)),
            "30": Q(last_login__gte=now - timedelta(days=30)),
            "over90": Q(last_login__lte=now - timedelta(days=90)),
            "never": Q(last_login=None),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))
