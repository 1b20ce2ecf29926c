"""Admin actions that ask for confirmation first; a service then performs them, in one transaction for each object."""

from collections.abc import Mapping, Sequence
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

from accounts.admin.action import REASON_LENGTH, ConfirmedAction
from accounts.admin.common import actor_of
from accounts.models import User
from audit.labels import in_a_row
from audit.origin import request_origin

# More objects would take longer than a request may.
MAX_SELECTED: Final = 1_000
# Names of skipped users in one sentence.
_MAX_NAMES: Final = 10
# The value of `page` where the page of a user has offered an action on something of theirs.
USER_PAGE: Final = "user"


class ConfirmedActionsAdmin(admin.ModelAdmin):
    """A ModelAdmin with confirmed actions, offered by its list and by the pages of its objects."""

    change_form_template = "admin/accounts/change_form.html"
    confirmed_actions: ClassVar[Mapping[str, ConfirmedAction]]

    def user_of(self, obj: Any) -> User | None:
        """Return the user whom an action on an object concerns, or None where it concerns nobody's account."""
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

    def actions_for(self, request: HttpRequest, objects: list[Any]) -> dict[str, ConfirmedAction]:
        """Return the permitted actions that can have an effect on any of these objects."""
        actor = actor_of(request)
        changeable = [obj for obj in objects if self.may_change(actor, obj)]
        return {
            name: action
            for name, action in self.permitted_actions(request).items()
            if any(action.is_for(obj, actor) for obj in changeable)
        }

    def may_change(self, actor: User, obj: Any) -> bool:
        """Return whether the actor may do anything to an object: only superusers may to a superuser's."""
        user = self.user_of(obj)
        return user is None or not user.is_superuser or actor.is_superuser

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = dict(super().get_actions(request))
        for name, action in self.permitted_actions(request).items():
            actions[name] = (partial(_confirm_selected, action_name=name), name, action.label)
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Return the list, which offers the actions that have an effect on any of its rows."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if form := context.get("action_form"):
            names = self.actions_for(request, list(context["cl"].result_list))
            field = form.fields["action"]
            field.choices = [choice for choice in field.choices if choice[0] in {"", *names}]
            if not names:
                context["action_form"] = None
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj is not None:
            actions = self.actions_for(request, [obj])
            context["confirmed_actions"] = {
                name: {"label": action.label, "url": self.action_url(name)} for name, action in actions.items()
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

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
        actor, action = actor_of(request), self.confirmed_actions[action_name]
        skipped = [obj for obj in selected if not self.may_change(actor, obj)]
        unchanged = [obj for obj in selected if obj not in skipped and not action.is_for(obj, actor)]
        affected = [obj for obj in selected if obj not in skipped and obj not in unchanged]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": action.label,
            "action": action,
            "action_url": self.action_url(action_name),
            "choices": action.choices_for(affected),
            "affected": [(self.label(obj), action.outcome(obj)) for obj in affected],
            "unchanged": self._by_reason(action, unchanged, actor),
            "skipped": [self.label(obj) for obj in skipped],
            "ids": ",".join(str(obj.pk) for obj in selected),
            "reason_length": REASON_LENGTH,
            "invalid_answer": invalid,
            "page": request.POST.get("page", ""),
            "return_url": self._return_url(request, selected),
        }
        return TemplateResponse(request, "admin/accounts/confirm.html", context)

    def _by_reason(self, action: ConfirmedAction, unchanged: list[Any], actor: User) -> dict[str, list[str]]:
        """Return the labels of the objects on which an action has no effect, by the reason."""
        found: dict[str, list[str]] = {}
        for obj in unchanged:
            found.setdefault(str(action.why_unchanged(obj, actor)), []).append(self.label(obj))
        return found

    def _return_url(self, request: HttpRequest, selected: list[Any]) -> str:
        """Return the URL of the page that offered the action: a user's, an object's, or the list with its filters."""
        page = request.POST.get("page")
        if not page or len(selected) != 1:
            return f"{self._changelist_url()}?{request.GET.urlencode()}"
        user = self.user_of(selected[0])
        if page == USER_PAGE and user:
            return reverse("admin:accounts_user_change", args=[user.pk])
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[selected[0].pk])

    def _changelist_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _action_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_confirmed_action"

    def action_url(self, action_name: str) -> str:
        """Return the URL of an action; the ids of the objects are posted to it."""
        return reverse(f"admin:{self._action_url_name()}", args=[action_name])

    def perform_all(self, request: HttpRequest, action: ConfirmedAction, selected: list[Any], answer: str) -> None:
        """Perform an action on each object, and say on the next page what was done and what was left unchanged."""
        actor, origin = actor_of(request), request_origin(request)
        done: dict[Promise | None, int] = {}
        unchanged: dict[str, list[Any]] = {}
        for obj in selected:
            outcome = action.outcome(obj)
            if detail := action.attempt(obj, actor, origin, answer, may_change=self.may_change(actor, obj)):
                unchanged.setdefault(str(detail), []).append(obj)
            else:
                done[outcome] = done.get(outcome, 0) + 1
        for outcome, count in done.items():
            text = str(action.done % {"count": count})
            if outcome:
                text = gettext("%(done)s State now: %(outcome)s.") % {"done": text, "outcome": outcome}
            self.message_user(request, text, messages.SUCCESS)
        for reported, objects in unchanged.items():
            self.report_skipped(request, reported, objects)

    def report_skipped(self, request: HttpRequest, detail: str, objects: Sequence[Any]) -> None:
        """Say on the next page which objects were skipped and why; many are in a list that opens."""
        values: dict[str, object] = {"count": len(objects), "detail": detail}
        if len(objects) <= _MAX_NAMES:
            text = ngettext(
                "%(count)d was skipped (%(names)s): %(detail)s.",
                "%(count)d were skipped (%(names)s): %(detail)s.",
                len(objects),
            )
            names = (str(self.user_of(obj) or self.label(obj)) for obj in objects)
            sentence = text % {**values, "names": in_a_row(names)}
        else:
            many = ngettext("%(count)d was skipped: %(detail)s.", "%(count)d were skipped: %(detail)s.", len(objects))
            sentence = format_html(
                '{}<details><summary>{}</summary><div class="skipped">{}</div></details>',
                many % values,
                gettext("Show all"),
                format_html_join("", "<div>{}</div>", ((self._full_label(obj),) for obj in objects)),
            )
        self.message_user(request, sentence, messages.WARNING)

    def _full_label(self, obj: Any) -> str:
        user = self.user_of(obj)
        return f"{user.username} {user.full_name}" if user else self.label(obj)


def _confirm_selected(
    model_admin: ConfirmedActionsAdmin, request: HttpRequest, queryset: QuerySet[Any], action_name: str
) -> HttpResponse | None:
    selected = list(queryset[: MAX_SELECTED + 1])
    if len(selected) <= MAX_SELECTED:
        return model_admin.confirmation_page(request, action_name, selected)
    text = gettext("At most %(max)d can be selected; %(count)d are selected. Narrow the list with its filters.")
    model_admin.message_user(request, text % {"max": MAX_SELECTED, "count": queryset.count()}, messages.ERROR)
    return None
