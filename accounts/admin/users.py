"""The list of users, and the page of a user."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db import IntegrityError
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.admin import locks, user_page
from accounts.admin.action import detail_of
from accounts.admin.common import HideSecretLookupsAdmin, actor_of
from accounts.admin.staff_export import ExportAdmin
from accounts.admin.staff_import import ImportAdmin
from accounts.admin.user_actions import ACTIONS
from accounts.admin.user_changelist import UserChangeList
from accounts.admin.user_filters import (
    DistinctValuesFilter,
    LastLoginFilter,
    OnlineFilter,
    SecondFactorFilter,
    StateFilter,
    ValidityFilter,
)
from accounts.admin.user_forms import STALE, THE_SERVICES_OWN, NewUserForm, UserForm
from accounts.errors import AlreadyTaken, EditConflict, PermissionDenied
from accounts.models import OFFICERS, User
from accounts.security.enrolled_accounts import has_second_factor
from accounts.security.locked_accounts import in_force, is_locked, is_unlockable
from accounts.services import second_factors, sessions, users
from audit import people
from audit.admin.cells import in_lines, to_the_minute, with_marks
from audit.admin.changelist import CappedPaginator
from audit.admin.search_terms import canonical_term, phone_digits
from audit.origin import request_origin

_NEW_FIELDS = (
    ("username", "full_name"),
    ("email", "phone"),
    "role",
    ("department", "job_title"),
    "new_names",
    ("valid_from", "valid_until"),
    "language",
)
# What stands in place of fields for those who may not change them.
_SHOWN: dict[Any, Any] = {("email", "phone"): ("email", "phone_shown"), "language": "language_shown"}
# Fields of the form that are no columns.
_FORM_ONLY = frozenset({"new_names", "read_at"})
# By what is known of the contact: nothing, an administrator's word, or a code's proof.
_CONTACT_STATES = {
    "email": (
        _("e-mail address: not verified"),
        _("e-mail address: given by an administrator"),
        _("e-mail address: verified"),
    ),
    "phone": (_("phone: not verified"), _("phone: given by an administrator"), _("phone: verified")),
}


def _contact_state(user: User, contact: str) -> int:
    if getattr(user, f"{contact}_verified"):
        return 2
    return 1 if user.is_trusted(contact) else 0


@admin.register(User)
class UserAdmin(ImportAdmin, ExportAdmin, HideSecretLookupsAdmin):
    """Users. Accounts are disabled instead of deleted."""

    form = UserForm
    confirmed_actions = ACTIONS
    list_display = (
        "account",
        "full_name",
        "phone_shown",
        "email",
        "role",
        "department",
        "state",
        "second_factor",
        "last_logged_in",
    )
    list_filter = (
        "role",
        StateFilter,
        OnlineFilter,
        ValidityFilter,
        SecondFactorFilter,
        ("department", DistinctValuesFilter),
        ("job_title", DistinctValuesFilter),
        LastLoginFilter,
    )
    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False
    search_fields = ("username_key__contains", "full_name", "email_key__contains", "phone__contains", "department")
    search_help_text = _("All or part of a user name, full name, phone number, e-mail address or department.")
    fields = (
        *_NEW_FIELDS,
        "state_and_locks",
        "duties",
        "verification",
        "factors",
        ("last_login", "last_login_ip"),
        ("created_at", "updated_at"),
        "read_at",
    )
    # The confirmed actions change these fields, and `role`: they name the consequences and record their own events.
    readonly_fields = (
        "duties",
        "state_and_locks",
        "verification",
        "factors",
        "last_login",
        "last_login_ip",
        "created_at",
        "updated_at",
    )

    @admin.display(description=_("state"))
    def state(self, user: User) -> str:
        if not (user.is_active and user.__dict__["locked"]):
            return str(people.state(user))
        return " · ".join(map(str, [_("locked")] if user.may_log_in() else [people.state(user), _("locked")]))

    @admin.display(description=_("state"))
    def state_and_locks(self, user: User) -> SafeString:
        rows = in_force(timezone.now()).filter(account_id=user.pk)
        values = [{"time": to_the_minute(row.locked_until), "lock": locks.describe(row)} for row in rows]
        lines = [self.state(user), *(_("Locked until %(time)s: %(lock)s") % each for each in values)]
        return in_lines(map(str, lines))

    @admin.display(description=_("user name"), ordering="username")
    def account(self, user: User) -> SafeString:
        return with_marks(user.username, user)

    @admin.display(description=_("phone"), ordering="phone", empty_value="-")
    def phone_shown(self, user: User) -> str | None:
        return names.display_phone(user.phone)

    @admin.display(description=_("language"))
    def language_shown(self, user: User) -> str:
        return user.get_language_display() or str(THE_SERVICES_OWN)

    @admin.display(description=_("duties"))
    def duties(self, user: User) -> str:
        names = [OFFICERS[group.name] for group in user.groups.all() if group.name in OFFICERS]
        return " · ".join(map(str, [_("superuser"), *names] if user.is_superuser else names)) or "-"

    @admin.display(description=_("contact verification"))
    def verification(self, user: User) -> str:
        held = [contact for contact in _CONTACT_STATES if getattr(user, contact)]
        states: list[object] = [_CONTACT_STATES[contact][_contact_state(user, contact)] for contact in held]
        pending = [contact for contact in (user.pending_email, names.display_phone(user.pending_phone)) if contact]
        states += [_("awaiting verification: %s") % address for address in pending]
        return " · ".join(map(str, states)) or "-"

    @admin.display(description=_("second factor"), boolean=True)
    def second_factor(self, user: User) -> bool:
        return bool(user.__dict__["has_factor"])

    @admin.display(description=_("last login"), ordering="last_login", empty_value="-")
    def last_logged_in(self, user: User) -> str | None:
        return to_the_minute(user.last_login) if user.last_login else None

    @admin.display(description=_("second factors"))
    def factors(self, user: User) -> str:
        return " · ".join(factor.get_type_display() for factor in second_factors.in_force(user)) or "-"

    @staticmethod
    def title_of(user: User) -> str:
        """Return the user's names, for the heading of the page."""
        return " · ".join(filter(None, (user.username, user.full_name, user.department)))

    def user_of(self, obj: User) -> User:
        return obj

    def label(self, obj: User) -> str:
        parts = (obj.username, obj.full_name, obj.get_role_display(), self.state(obj), *people.marks(obj))
        return " · ".join(str(part) for part in parts if part)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UserChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        now = timezone.now()
        return users.annotate(
            locked=is_locked(now),
            unlockable=is_unlockable(now),
            has_session=ExpressionWrapper(sessions.has_active(now), BooleanField()),
            has_factor=has_second_factor(),
        ).prefetch_related("groups")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        # The canonical columns are searched by the canonical form of the term.
        found, may_have_duplicates = super().get_search_results(request, queryset, canonical_term(search_term))
        if digits := phone_digits(search_term):
            found |= queryset.filter(phone__contains=digits)
        return found, may_have_duplicates

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj and obj.is_superuser and not actor_of(request).is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if change else {**kwargs, "form": NewUserForm}))

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return _NEW_FIELDS
        if self.has_change_permission(request, obj):
            return self.fields
        return [_SHOWN.get(each, each) for each in self.fields if each not in _FORM_ONLY]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "role", "phone_shown", "language_shown") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        actor, origin = actor_of(request), request_origin(request)
        if not change:
            columns = {name: value for name, value in form.cleaned_data.items() if name not in _FORM_ONLY}
            obj.pk = users.create(columns=columns, password=None, actor=actor, origin=origin).pk
            self.message_user(
                request, _("The account has no password. Send an activation link to let the user set one.")
            )
            return
        fields = [name for name in form.changed_data if name not in _FORM_ONLY]
        users.save_changes(user=obj, fields=fields, actor=actor, origin=origin, unchanged_since=obj.updated_at)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except EditConflict:
            messages.error(request, STALE)
        except PermissionDenied as error:
            messages.error(request, _("Nothing was saved: %s.") % detail_of(error))
        except (AlreadyTaken, IntegrityError):
            # Another request took the name, address or number between validation and save.
            messages.error(request, _("Another account has just taken one of these values. Nothing was saved."))
        return HttpResponseRedirect(request.path)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: User | None = None,
    ) -> Any:
        if obj is not None:
            context |= {"tables": user_page.tables(request, obj), "subtitle": self.title_of(obj)}
            context |= {"history_url": user_page.history_url(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)
