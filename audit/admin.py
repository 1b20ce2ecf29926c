"""The trail's screens: everything can be read, and nothing changed, by anyone."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.models import Entry, LoginAttempt, SecurityEvent


class TrailAdmin(admin.ModelAdmin):
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description=_("user"))
    def who(self, entry: Entry) -> str:
        return self._name(entry.user, entry.user_id)

    @staticmethod
    def _name(user: object | None, user_id: int | None) -> str:
        """Return the user's name, or the number that is left of a user who was deleted."""
        if user is not None:
            return str(user)
        return f"#{user_id}" if user_id else "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The join also answers for users who are gone: without it, reading one would fail.
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LoginAttempt)
class LoginAttemptAdmin(TrailAdmin):
    list_display = ("at", "identifier", "who", "status", "failure_reason", "contract", "ip", "repeats")
    list_filter = ("at", "status", "failure_reason", "contract")
    search_fields = ("identifier", "ip")
    fields = (
        "at",
        "identifier",
        "who",
        "status",
        "failure_reason",
        "repeats",
        "contract",
        "ip",
        "user_agent",
        "request_id",
    )


@admin.register(SecurityEvent)
class SecurityEventAdmin(TrailAdmin):
    list_display = ("at", "event", "who", "by", "contract", "ip")
    list_filter = ("at", "event", "contract")
    search_fields = ("ip", "request_id")
    fields = ("at", "event", "who", "by", "detail", "contract", "ip", "user_agent", "request_id")

    @admin.display(description=_("done by"))
    def by(self, event: SecurityEvent) -> str:
        return self._name(event.actor, event.actor_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor")
