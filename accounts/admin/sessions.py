"""The list of sessions."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from accounts.admin.action import ConfirmedAction, always
from accounts.admin.common import ReadOnlyAdmin, address_cell, device_cell
from accounts.admin.row_actions import RowActionAdmin
from accounts.models import Session
from accounts.services import account_state, sessions
from audit.admin.cells import person
from audit.admin.changelist import CappedPaginator
from audit.admin.filters import ChoiceFilter, ContractFilter
from audit.admin.search_terms import canonical_term
from audit.user_agents import device


class SessionPaginator(CappedPaginator):
    """Pages of fewer rows: which sessions are active is known from the rows of users as well, which takes longer."""

    most = 1_000


class ActiveFilter(ChoiceFilter):
    """A filter by state, which shows active sessions by default."""

    title = _("state")
    parameter_name = "state"
    value_for_all = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ended", pgettext_lazy("session", "ended")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        default, *others = super().choices(changelist)
        yield {**default, "display": pgettext_lazy("session", "active")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        match self.value():
            case None:
                return queryset.filter(sessions.is_active(timezone.now()))
            case "ended":
                return queryset.exclude(sessions.is_active(timezone.now()))
        return queryset


class LastSeenFilter(ChoiceFilter):
    title = _("last seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("10m", _("in the last 10 minutes")),
            ("1h", _("in the last hour")),
            ("24h", _("in the last 24 hours")),
            ("earlier", _("earlier")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        now = timezone.now()
        wanted = {
            "10m": Q(last_seen_at__gte=now - timedelta(minutes=10)),
            "1h": Q(last_seen_at__gte=now - timedelta(hours=1)),
            "24h": Q(last_seen_at__gte=now - timedelta(hours=24)),
            "earlier": Q(last_seen_at__lt=now - timedelta(hours=24)),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


def _is_active(session: Session) -> bool:
    return session.is_active(timezone.now()) and session.user.may_log_in()


@admin.register(Session)
class SessionAdmin(RowActionAdmin, ReadOnlyAdmin):
    row_action = "end"
    confirmed_actions = {
        "end": ConfirmedAction(
            _("Force logout"),
            _("These sessions end. Their users must log in again at the next request."),
            "accounts.end_session",
            lambda session, actor, origin, reason: account_state.end_session(
                session=session, actor=actor, origin=origin
            ),
            done=ngettext_lazy("%(count)d session was ended.", "%(count)d sessions were ended.", "count"),
            applies=_is_active,
            unchanged=always(_("has ended already")),
        )
    }
    paginator = SessionPaginator
    show_full_result_count = False
    list_display = ("person", "role", "contract", "address", "device", "created_at", "last_seen_at", "is_active")
    list_filter = (
        ActiveFilter,
        ContractFilter,
        "user__role",
        LastSeenFilter,
        "from_new_address",
        "from_new_device",
        "end_reason",
    )
    list_per_page = 50
    list_max_show_all = 0
    search_fields = ("user__username_key", "user__full_name", "user__phone", "user__email_key", "ip")
    search_help_text = _("A user name, full name, phone number, e-mail address or IP address.")
    fields = (
        "user",
        "contract",
        "address",
        "device",
        "user_agent",
        "created_at",
        "last_seen_at",
        "expires_at",
        "latest_end_at",
        "ended_at",
        "end_reason",
    )

    @admin.display(description=_("user"), ordering="user")
    def person(self, session: Session) -> SafeString:
        return person(session.user, session.user)

    @admin.display(description=_("role"))
    def role(self, session: Session) -> str:
        return session.user.get_role_display()

    @admin.display(description=_("address"), ordering="ip")
    def address(self, session: Session) -> SafeString | str:
        return address_cell(session)

    @admin.display(description=_("device"))
    def device(self, session: Session) -> SafeString | str:
        return device_cell(session)

    @admin.display(description=pgettext_lazy("session", "active"), boolean=True)
    def is_active(self, session: Session) -> bool:
        return _is_active(session)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Return the list, whose title says that it has sessions in force only where it has."""
        title = {} if ActiveFilter.parameter_name not in request.GET else {"title": _("Sessions, ended ones too")}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def label(self, obj: Session) -> str:
        return " · ".join(filter(None, (str(obj), obj.ip, device(obj.user_agent))))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: QuerySet[Session] = super().get_queryset(request)
        return rows.select_related("user").prefetch_related("user__groups")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        return super().get_search_results(request, queryset, canonical_term(search_term))
