"""What was sent to whom, and what became of it; never what it says."""

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.admin.common import ReadOnly
from accounts.models import Message, User


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ("created_at", "who", "kind", "channel", "to", "state", "attempts", "error", "delivered_at")
    list_filter = ("state", "kind", "channel", "created_at")
    fields = (
        ("who", "to"),
        ("kind", "channel", "language"),
        ("state", "attempts"),
        "error",
        ("created_at", "expires_at"),
        ("next_try_at", "lease_until"),
        "delivered_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        # Not a join: it would hide the messages of a user who was deleted.
        username = User.objects.filter(pk=OuterRef("user_id")).values("username")
        messages: QuerySet[Message] = super().get_queryset(request)
        return messages.defer("encrypted").annotate(username=Subquery(username))

    @admin.display(description=_("user"))
    def who(self, message: Message) -> str:
        return getattr(message, "username", None) or f"#{message.user_id}"

    @admin.display(description=_("address"))
    def to(self, message: Message) -> str:
        return names.masked(message.address)
