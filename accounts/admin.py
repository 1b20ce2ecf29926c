"""The administrators' screens of people and sessions."""

import unicodedata
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import names
from accounts.contracts.base import origin_of
from accounts.models import EndReason, Message, Session, User
from accounts.services import people, sessions
from audit.origin import ADMIN_SITE


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


SECRET_COLUMNS = frozenset({"password", "stamp", "sealed"})


class UserForm(ModelForm):
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            for field in User.objects.taken(self.instance):
                self.add_error(field, ValidationError(_("Another account has this already."), code="taken"))


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """People. Nobody adds or deletes one here: accounts register, and are disabled when their time is over."""

    form = UserForm
    list_display = ("username", "full_name", "phone", "email", "role", "department", "is_active", "last_login")
    list_filter = ("role", "is_active", "awaits_approval", "department")
    search_fields = ("username_key", "full_name", "email_key", "phone", "department")
    fields = (
        ("username", "full_name"),
        ("email", "phone"),
        ("role", "department"),
        "language",
        ("is_active", "awaits_approval"),
        "groups",
        ("last_login", "last_login_ip"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("last_login", "last_login_ip", "created_at", "updated_at")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Whoever may filter by a column can read it, one character at a time.
        return not SECRET_COLUMNS & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        # Canonical columns are found by the canonical form of what was typed.
        term = unicodedata.normalize("NFKC", search_term).casefold()
        return super().get_search_results(request, queryset, term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        actor = _actor(request)
        if obj and obj.is_superuser and not (actor and actor.is_superuser):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        actor = _actor(request)
        # Groups carry permissions, which only a superuser grants.
        return self.readonly_fields if actor and actor.is_superuser else (*self.readonly_fields, "groups")

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        fields = [name for name in form.changed_data if name != "groups"]
        people.save_changes(user=obj, fields=fields, actor=_actor(request), origin=origin_of(request, ADMIN_SITE))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            # Somebody took the name, address or number between the form's check and the save.
            messages.error(request, _("Another account has just taken one of these values. Nothing was saved."))
            return HttpResponseRedirect(request.path)


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    list_display = ("user", "role", "contract", "ip", "user_agent", "created_at", "last_seen_at", "going_on")
    list_filter = ("contract", "end_reason", "created_at")
    search_fields = ("user__username_key", "user__full_name", "ip")
    list_select_related = ("user",)
    actions = ("end_selected",)
    fields = (
        "user",
        "contract",
        "ip",
        "user_agent",
        "created_at",
        "last_seen_at",
        "expires_at",
        "latest_end_at",
        "ended_at",
        "end_reason",
    )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return not SECRET_COLUMNS & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("role"), ordering="user__role")
    def role(self, session: Session) -> str:
        return session.user.get_role_display()

    @admin.display(description=_("going on"), boolean=True)
    def going_on(self, session: Session) -> bool:
        return session.is_live(timezone.now())

    @admin.action(description=_("End the selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        origin = origin_of(request, ADMIN_SITE)
        ended = sum(
            sessions.end(session=session, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=origin, actor=_actor(request))
            for session in queryset
        )
        self.message_user(request, ngettext("%d session was ended.", "%d sessions were ended.", ended) % ended)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.end_session")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """What was sent to whom, and what became of it; never what it says."""

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

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return not SECRET_COLUMNS & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        # Not a join: it would hide the messages of a user who was deleted.
        username = User.objects.filter(pk=OuterRef("user_id")).values("username")
        messages_: QuerySet[Message] = super().get_queryset(request)
        return messages_.defer("sealed").annotate(username=Subquery(username))

    @admin.display(description=_("user"))
    def who(self, message: Message) -> str:
        return getattr(message, "username", None) or f"#{message.user_id}"

    @admin.display(description=_("address"))
    def to(self, message: Message) -> str:
        return names.masked(message.address)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False
