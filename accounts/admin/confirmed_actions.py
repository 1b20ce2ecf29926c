"""Admin actions that ask for confirmation first; a service then performs them, in one transaction for each object."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import errors
from accounts.admin.common import actor_of
from accounts.models import User
from audit.origin import Origin, request_origin

# More objects would take longer than a request may.
MAX_SELECTED: Final = 1_000
REASON_LENGTH: Final = 500
# Names of skipped users in one sentence.
_MAX_NAMES: Final = 10

NO_CHANGE: Final = _("no change was needed")
_Error = errors.IdentityError | errors.ScreenError
_DETAILS: Final[Mapping[type[_Error], Promise]] = {
    errors.OwnAccount: _("you cannot do this to your own account"),
    errors.LastAdministrator: _("the last active administrator cannot be deactivated or demoted"),
    errors.SeparatedDuties: _("duties are separated: an auditor holds no other group and not the role admin"),
    errors.PermissionDenied: _("only a superuser may do this to a superuser"),
    errors.NotFound: _("the account does not exist any more"),
    errors.AccountDisabled: _("the account is disabled"),
    errors.NoContact: _("the account has no e-mail address or mobile number that codes are sent to"),
    errors.TooManyCodes: _(
        "the limit of messages to this account or contact, or of yours, is reached; try again later"
    ),
    errors.RetryLater: _("the service is busy; try again later"),
}


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """An action on one object.

    `perform` takes the object, the actor, the origin and the administrator's reason or choice, and returns whether it
    changed anything. It raises IdentityError and ScreenError. `choices` are the values, with their labels, of an action
    that has a choice.
    """

    label: Promise
    consequence: Promise
    permission: str
    perform: Callable[[Any, User, Origin, str], bool]
    requires_reason: bool = False
    choices: Mapping[str, Promise | str] = field(default_factory=dict)

    def accepts(self, answer: str) -> bool:
        """Return whether this is a reason or a choice with which the action can be performed."""
        if self.choices:
            return answer in self.choices
        return not self.requires_reason or 0 < len(answer) <= REASON_LENGTH


class ConfirmedActionsAdmin(admin.ModelAdmin):
    """A ModelAdmin with confirmed actions, offered by its list and by the pages of its objects."""

    confirmed_actions: ClassVar[Mapping[str, ConfirmedAction]]

    def user_of(self, obj: Any) -> User:
        """Return the user whom an action on an object concerns."""
        user: User = obj.user
        return user

    def label(self, obj: Any) -> str:
        """Return an object's description on the confirmation page."""
        return str(obj)

    def permitted_actions(self, request: HttpRequest) -> dict[str, ConfirmedAction]:
        """Return the actions for which the current user has the permission."""
        return {
            name: action for name, action in self.confirmed_actions.items() if request.user.has_perm(action.permission)
        }

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = dict(super().get_actions(request))
        for name, action in self.permitted_actions(request).items():
            actions[name] = (partial(_confirm_selected, action_name=name), name, action.label)
        return actions

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.confirmed_action_view)
        return [path("do/<slug:action_name>/", view, name=self._action_url_name()), *super().get_urls()]

    def confirmed_action_view(self, request: HttpRequest, action_name: str) -> HttpResponse:
        """Return the confirmation page or, once confirmed, perform the action on the objects with the ids in `ids`."""
        if request.method != "POST":
            # A new login and a change of language redirect to this URL by GET.
            return HttpResponseRedirect(self._changelist_url())
        action = self.permitted_actions(request).get(action_name)
        if action is None:
            raise PermissionDenied
        selected = self._selected(request)
        answer = request.POST.get("choice" if action.choices else "reason", "").strip()
        if "confirmed" not in request.POST or not action.accepts(answer):
            return self.confirmation_page(request, action_name, selected, invalid="confirmed" in request.POST)
        self.perform_all(request, action, selected, answer)
        return HttpResponseRedirect(self._return_url(request, selected))

    def _selected(self, request: HttpRequest) -> list[Any]:
        ids = request.POST.get("ids", "").split(",")
        if len(ids) > MAX_SELECTED:
            raise BadRequest(f"The selection contains more than {MAX_SELECTED} ids.")
        try:
            return list(self.get_queryset(request).filter(pk__in=ids))
        except (ValidationError, ValueError, OverflowError) as error:
            raise BadRequest("The selection contains invalid ids.") from error

    def confirmation_page(
        self, request: HttpRequest, action_name: str, selected: list[Any], *, invalid: bool = False
    ) -> HttpResponse:
        """Return the page with the selected objects, their number and the consequence of the action."""
        actor = actor_of(request)
        skipped = [obj for obj in selected if self.user_of(obj).is_superuser and not actor.is_superuser]
        affected = [obj for obj in selected if obj not in skipped]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.confirmed_actions[action_name].label,
            "action": self.confirmed_actions[action_name],
            "action_url": reverse(f"admin:{self._action_url_name()}", args=[action_name]),
            "affected": [self.label(obj) for obj in affected],
            "skipped": [self.label(obj) for obj in skipped],
            "ids": ",".join(str(obj.pk) for obj in selected),
            "reason_length": REASON_LENGTH,
            "invalid_answer": invalid,
            "page": request.POST.get("page", ""),
            "return_url": self._return_url(request, selected),
        }
        return TemplateResponse(request, "admin/accounts/confirm.html", context)

    def _return_url(self, request: HttpRequest, selected: list[Any]) -> str:
        """Return the URL of the page that offered the action: an object's page, or the list with its filters."""
        if request.POST.get("page") and len(selected) == 1:
            return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[selected[0].pk])
        return f"{self._changelist_url()}?{request.GET.urlencode()}"

    def _changelist_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _action_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_confirmed_action"

    def perform_all(self, request: HttpRequest, action: ConfirmedAction, selected: list[Any], answer: str) -> None:
        """Perform an action on each object, and say on the next page what was done and what was skipped."""
        actor, origin = actor_of(request), request_origin(request)
        skipped: dict[str, list[User]] = {}
        for obj in selected:
            detail = _perform(action, obj, actor, origin, answer)
            if detail:
                skipped.setdefault(str(detail), []).append(self.user_of(obj))
        count = len(selected) - sum(map(len, skipped.values()))
        if count:
            text = ngettext("%(action)s: %(count)d succeeded.", "%(action)s: %(count)d succeeded.", count)
            self.message_user(request, text % {"action": action.label, "count": count}, messages.SUCCESS)
        for reported, users in skipped.items():
            self.report_skipped(request, reported, users)

    def report_skipped(self, request: HttpRequest, detail: str, users: Sequence[User]) -> None:
        """Say on the next page who was skipped and why; many are in a list that opens."""
        values: dict[str, object] = {"count": len(users), "detail": detail}
        if len(users) <= _MAX_NAMES:
            text = ngettext(
                "%(count)d was skipped (%(names)s): %(detail)s.",
                "%(count)d were skipped (%(names)s): %(detail)s.",
                len(users),
            )
            sentence = text % {**values, "names": ", ".join(map(str, users))}
        else:
            many = ngettext("%(count)d was skipped: %(detail)s.", "%(count)d were skipped: %(detail)s.", len(users))
            sentence = format_html(
                '{}<details><summary>{}</summary><div class="skipped">{}</div></details>',
                many % values,
                gettext("Show all"),
                format_html_join("", "<div>{} {}</div>", ((user.username, user.full_name) for user in users)),
            )
        self.message_user(request, sentence, messages.WARNING)


def _perform(action: ConfirmedAction, obj: Any, actor: User, origin: Origin, answer: str) -> Promise | None:
    """Perform an action on an object. Return None, or the detail of why the object was skipped."""
    try:
        return None if action.perform(obj, actor, origin, answer) else NO_CHANGE
    except (errors.IdentityError, errors.ScreenError) as error:
        if detail := detail_of(error):
            return detail
        raise


def detail_of(error: _Error) -> Promise | None:
    """Return why an account was left unchanged, or None for an error that no action expects."""
    return next((detail for error_type, detail in _DETAILS.items() if isinstance(error, error_type)), None)


def _confirm_selected(
    model_admin: ConfirmedActionsAdmin, request: HttpRequest, queryset: QuerySet[Any], action_name: str
) -> HttpResponse | None:
    selected = list(queryset[: MAX_SELECTED + 1])
    if len(selected) <= MAX_SELECTED:
        return model_admin.confirmation_page(request, action_name, selected)
    text = gettext("At most %(max)d can be selected; %(count)d are selected. Narrow the list with its filters.")
    model_admin.message_user(request, text % {"max": MAX_SELECTED, "count": queryset.count()}, messages.ERROR)
    return None
