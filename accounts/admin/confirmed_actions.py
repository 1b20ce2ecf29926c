"""What is done from a list or a page: first told, then confirmed, then done by a service, one transaction each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import errors
from accounts.admin.common import actor_of
from accounts.models import User
from audit.origin import Origin, request_origin

# So many at a time: more would take longer than a request may.
MAX_SELECTED: Final = 1_000
REASON_LENGTH: Final = 500
_NAMED: Final = 10

NO_CHANGE: Final = _("there was nothing to do")
_WHY: Final[Mapping[type[errors.IdentityError], Promise]] = {
    errors.OwnAccount: _("you cannot deactivate your own account or change its role"),
    errors.LastAdministrator: _("the last active administrator cannot be deactivated or demoted"),
    errors.PermissionDenied: _("only a superuser may do this to a superuser"),
    errors.NotFound: _("gone, disabled, or without an address"),
    errors.RetryLater: _("as many as may be for now; try again later"),
}


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that is done to one object; `work` returns whether there was anything to do."""

    label: Promise
    consequence: Promise
    permission: str
    work: Callable[[Any, User, Origin, str], bool]
    asks_reason: bool = False


class VerbsAdmin(admin.ModelAdmin):
    """A screen whose objects have verbs."""

    verbs: ClassVar[Mapping[str, Verb]]

    def user_of(self, obj: Any) -> User:
        """Return the user whom a verb concerns."""
        raise NotImplementedError

    def label(self, obj: Any) -> str:
        """Return an object as the page that asks for confirmation names it."""
        return str(obj)

    def permitted(self, request: HttpRequest) -> dict[str, Verb]:
        """Return the verbs that somebody may use."""
        return {name: verb for name, verb in self.verbs.items() if request.user.has_perm(verb.permission)}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = dict(super().get_actions(request))
        for name, verb in self.permitted(request).items():
            actions[name] = (partial(_from_list, verb_name=name), name, verb.label)
        return actions

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_do"
        return [path("do/<slug:verb_name>/", self.admin_site.admin_view(self.do), name=name), *super().get_urls()]

    def do(self, request: HttpRequest, verb_name: str) -> HttpResponse:
        """Ask for confirmation of a verb or, with it, do it; the objects' keys come in `ids`."""
        if request.method != "POST":
            # Whoever had to log in again, or changed the language, comes here by a link.
            return HttpResponseRedirect(self._list())
        verb = self.permitted(request).get(verb_name)
        if verb is None:
            raise PermissionDenied
        found = self._found(request)
        reason = request.POST.get("reason", "").strip()
        if "confirmed" not in request.POST or (verb.asks_reason and not 0 < len(reason) <= REASON_LENGTH):
            return self.ask(request, verb_name, found, wrong="confirmed" in request.POST)
        self._do_all(request, verb, found, reason)
        return HttpResponseRedirect(self._back(request, found))

    def _found(self, request: HttpRequest) -> list[Any]:
        keys = request.POST.get("ids", "").split(",")
        if len(keys) > MAX_SELECTED:
            raise BadRequest("More than may be done at a time.")
        try:
            return list(self.get_queryset(request).filter(pk__in=keys))
        except (ValidationError, ValueError, OverflowError) as error:
            raise BadRequest("These are no keys.") from error

    def ask(self, request: HttpRequest, verb_name: str, found: list[Any], *, wrong: bool = False) -> HttpResponse:
        """Return the page that says who is concerned, how many they are, and what follows."""
        actor = actor_of(request)
        skipped = [obj for obj in found if self.user_of(obj).is_superuser and not actor.is_superuser]
        concerned = [obj for obj in found if obj not in skipped]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.verbs[verb_name].label,
            "verb": self.verbs[verb_name],
            "action": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_do", args=[verb_name]),
            "concerned": [self.label(obj) for obj in concerned],
            "skipped": [self.label(obj) for obj in skipped],
            "ids": ",".join(str(obj.pk) for obj in found),
            "reason_length": REASON_LENGTH,
            "reason_is_wrong": wrong,
            "page": request.POST.get("page", ""),
            "back": self._back(request, found),
        }
        return TemplateResponse(request, "admin/accounts/confirm.html", context)

    def _back(self, request: HttpRequest, found: list[Any]) -> str:
        """Return where the verb came from: an object's page, or the list with its filters."""
        if request.POST.get("page") and len(found) == 1:
            return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[found[0].pk])
        return f"{self._list()}?{request.GET.urlencode()}"

    def _list(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _do_all(self, request: HttpRequest, verb: Verb, found: list[Any], reason: str) -> None:
        actor, origin = actor_of(request), request_origin(request)
        skipped: dict[str, list[str]] = {}
        for obj in found:
            why = _do(verb, obj, actor, origin, reason)
            if why:
                skipped.setdefault(str(why), []).append(str(self.user_of(obj)))
        done = len(found) - sum(map(len, skipped.values()))
        told = ngettext("%(verb)s: %(done)d was done.", "%(verb)s: %(done)d were done.", done)
        self.message_user(
            request, told % {"verb": verb.label, "done": done}, messages.SUCCESS if done else messages.WARNING
        )
        for because, names in skipped.items():
            self._tell_skipped(request, because, names)

    def _tell_skipped(self, request: HttpRequest, why: str, names: list[str]) -> None:
        named = ", ".join(names[:_NAMED]) + ("…" if len(names) > _NAMED else "")
        told = ngettext(
            "%(count)d was skipped (%(names)s): %(why)s.", "%(count)d were skipped (%(names)s): %(why)s.", len(names)
        )
        self.message_user(request, told % {"count": len(names), "names": named, "why": why}, messages.WARNING)


def _do(verb: Verb, obj: Any, actor: User, origin: Origin, reason: str) -> Promise | None:
    """Return None, or why nothing was done."""
    try:
        return None if verb.work(obj, actor, origin, reason) else NO_CHANGE
    except errors.IdentityError as error:
        if why := reason_of(error):
            return why
        raise


def reason_of(error: errors.IdentityError) -> Promise | None:
    """Return why an account was left as it is, or None for an error that is not expected here."""
    return next((why for kind, why in _WHY.items() if isinstance(error, kind)), None)


def _from_list(screen: VerbsAdmin, request: HttpRequest, chosen: QuerySet[Any], verb_name: str) -> HttpResponse | None:
    found = list(chosen[: MAX_SELECTED + 1])
    if len(found) <= MAX_SELECTED:
        return screen.ask(request, verb_name, found)
    told = gettext("At most %(most)d at a time; %(count)d are selected. Narrow the list with its filters.")
    screen.message_user(request, told % {"most": MAX_SELECTED, "count": chosen.count()}, messages.ERROR)
    return None
