"""The list of locks that are in force: of accounts, of names that no account has, and of IP addresses."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.admin.action import ConfirmedAction, always
from accounts.admin.common import ReadOnlyAdmin
from accounts.admin.row_actions import RowActionAdmin
from accounts.models import AttemptBudget, AttemptPurpose, User
from accounts.security import locked_accounts
from accounts.services import locks
from audit.admin.cells import person, to_the_minute
from audit.admin.filters import ChoiceFilter
from audit.admin.search_terms import MAX_PEOPLE, find_user_ids
from audit.origin import Origin

# Whoever may see accounts sees their locks anyway, one by one.
_VIEWERS: Final = ("accounts.view_user", "accounts.unlock_user")
_WHAT: Final[Mapping[str, Promise]] = {
    AttemptPurpose.LOGIN: _("logins from %(address)s"),
    AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES: _("logins from addresses that it has not logged in from lately"),
    AttemptPurpose.LOGIN_SINCE_SUCCESS: _("logins from new addresses, after 100 failures since the last success"),
    AttemptPurpose.RESET_CHECK: _("codes for a new password"),
    AttemptPurpose.EMAIL_CHECK: _("codes that verify an e-mail address"),
    AttemptPurpose.PHONE_CHECK: _("codes that verify a phone number"),
    AttemptPurpose.ADDRESS: _("logins and codes of this address, for all accounts"),
    AttemptPurpose.ADDRESS_SUSPICION: _("suspicious: logins of this address are slowed down, not refused"),
}


def describe(lock: AttemptBudget) -> str:
    """Return what a lock refuses."""
    return str(_WHAT[lock.purpose]) % {"address": lock.address}


def _unlock(lock: AttemptBudget, actor: User, origin: Origin, reason: str) -> bool:
    return locks.unlock(lock=lock, actor=actor, origin=origin)


class SubjectFilter(ChoiceFilter):
    """A filter by what is locked."""

    title = _("what is locked")
    parameter_name = "subject"
    _conditions: Final = {
        "account": Q(account_id__gt=0),
        "name": ~Q(name_digest=""),
        "address": Q(purpose=AttemptPurpose.ADDRESS),
        "suspected": Q(purpose=AttemptPurpose.ADDRESS_SUSPICION),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("account", _("account")),
            ("name", _("login name without an account")),
            ("address", _("IP address")),
            ("suspected", _("suspicious IP address")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AttemptBudget]) -> QuerySet[AttemptBudget]:
        return queryset.filter(self._conditions.get(self.value() or "", Q()))


@admin.register(AttemptBudget)
class LockAdmin(RowActionAdmin, ReadOnlyAdmin):
    row_action = "unlock"
    confirmed_actions = {
        "unlock": ConfirmedAction(
            _("Unlock"),
            _("The failed logins are cleared, and logins are possible again at once."),
            "accounts.unlock_user",
            _unlock,
            done=ngettext_lazy("%(count)d was unlocked.", "%(count)d were unlocked.", "count"),
            unchanged=always(_("is not locked any more")),
        )
    }
    list_display = ("subject", "what", "until")
    list_display_links = None
    fields = ("subject", "what", "until")
    list_filter = (SubjectFilter,)
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-locked_until", "-pk")
    sortable_by = ()
    search_fields = ("address",)
    search_help_text = _("A user name, full name, phone number or IP address.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttemptBudget]:
        return locked_accounts.in_force(timezone.now()).order_by(*self.ordering)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AttemptBudget], search_term: str
    ) -> tuple[QuerySet[AttemptBudget], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        people = find_user_ids(term)[:MAX_PEOPLE]
        return queryset.filter(Q(address__startswith=term) | Q(account_id__in=people, account_id__gt=0)), False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        listed = super().get_changelist_instance(request)
        _attach(listed.result_list)
        return listed

    def user_of(self, obj: AttemptBudget) -> User | None:
        if "user" not in vars(obj):
            _attach([obj])
        user: User | None = vars(obj)["user"]
        return user

    def label(self, obj: AttemptBudget) -> str:
        subject = str(self.user_of(obj) or _name_or_address(obj))
        return " · ".join((subject, describe(obj), to_the_minute(obj.locked_until)))

    @admin.display(description=_("what is locked"))
    def subject(self, lock: AttemptBudget) -> SafeString | str:
        user = self.user_of(lock)
        return person(user, user) if user else _name_or_address(lock)

    @admin.display(description=_("what is refused"))
    def what(self, lock: AttemptBudget) -> str:
        return describe(lock)

    @admin.display(description=_("until"))
    def until(self, lock: AttemptBudget) -> str:
        return to_the_minute(lock.locked_until)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(permission) for permission in _VIEWERS)


def _attach(rows: Iterable[AttemptBudget]) -> None:
    """Attach to each lock its user, or the name as it was typed, by two statements for all of them."""
    held = list(rows)
    users = User.objects.prefetch_related("groups").in_bulk([lock.account_id for lock in held])
    typed = locks.typed_names(held)
    for lock in held:
        vars(lock)["user"], vars(lock)["typed"] = users.get(lock.account_id), typed.get(lock.name_digest, "")


def _name_or_address(lock: AttemptBudget) -> str:
    if lock.account_id:
        return f"#{lock.account_id}"
    if not lock.name_digest:
        return lock.address
    name = vars(lock).get("typed")
    return str(_("%s (no such account)") % name if name else _("a login name that no account has"))
