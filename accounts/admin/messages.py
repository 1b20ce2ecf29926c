"""The list of messages with recipient and state, without their text."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.admin.common import ReadOnlyAdmin
from accounts.messaging.heartbeat import waiting
from accounts.models import Message, State
from audit.admin.cells import person, to_the_minute
from audit.admin.filters import ChoiceFilter


class WaitingFilter(ChoiceFilter):
    title = _("delivery")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("waiting"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=waiting(timezone.now()).values("pk"))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "username",
        "kind",
        "channel",
        "recipient",
        "state",
        "error",
        "delivered_at",
    )
    list_filter = (WaitingFilter, "state", "kind", "channel", "created_at")
    list_max_show_all = 0
    list_per_page = 50
    fields = (
        ("username", "recipient"),
        ("kind", "channel", "language"),
        ("state", "attempts"),
        "error",
        ("created_at", "expires_at"),
        ("next_try", "lease"),
        "delivered_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        # Statements of their own, because a join would hide the messages of deleted users.
        messages: QuerySet[Message] = super().get_queryset(request)
        return messages.defer("encrypted").prefetch_related("user__groups")

    @admin.display(description=_("user"))
    def username(self, message: Message) -> str:
        user = getattr(message, "user", None)
        return person(user, user) if user else f"#{message.user_id}"

    @admin.display(description=_("recipient"))
    def recipient(self, message: Message) -> str:
        return names.masked(message.address)

    @admin.display(description=_("next attempt"))
    def next_try(self, message: Message) -> str:
        return to_the_minute(message.next_try_at if message.state == State.QUEUED else None)

    @admin.display(description=_("claimed until"))
    def lease(self, message: Message) -> str:
        return to_the_minute(message.lease_until if message.state in {State.CLAIMED, State.SENDING} else None)
