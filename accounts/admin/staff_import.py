"""A staff list comes in: looked at first, and written only when that is confirmed."""

import uuid
from typing import Any, Final

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin import staff_file
from accounts.admin.common import actor_of
from accounts.errors import BadRows
from accounts.models import User
from accounts.services import staff
from accounts.services.staff import COLUMNS, Candidate
from audit.origin import request_origin

_SALT: Final = "accounts.staff_import"
# As long as a login of the admin site goes on without a click.
_GOOD_FOR: Final = 30 * 60


def _signed(key: str, actor: User, candidates: list[Candidate]) -> str:
    """Return what was looked at, so that it is what is confirmed, by the same person."""
    rows = [[each.number, dict(each.columns)] for each in candidates]
    return signing.dumps({"key": key, "actor": actor.pk, "rows": rows}, salt=_SALT, compress=True)


def _unsigned(signed: str, actor: User) -> tuple[str, list[Candidate]]:
    """Return the list's key and rows. Raises BadSignature."""
    told = signing.loads(signed, salt=_SALT, max_age=_GOOD_FOR)
    if told["actor"] != actor.pk:
        raise signing.BadSignature
    return told["key"], [Candidate(number, columns) for number, columns in told["rows"]]


class ImportAdmin(admin.ModelAdmin):
    """The way in for a list, at `import/`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_staff)
        return [path("import/", view, name="accounts_user_import"), *super().get_urls()]

    def import_staff(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file; show what is in it; write it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request)
        try:
            if "confirmed" in request.POST:
                return self._confirm(request)
            return self._preview(request)
        except staff_file.NotAList as error:
            return self._page(request, error=error.told)
        except signing.BadSignature:
            return self._page(request, error=_("This preview is too old. Choose the file again."))

    def _preview(self, request: HttpRequest) -> HttpResponse:
        uploaded: Any = request.FILES.get("file")
        if uploaded is None:
            raise staff_file.NotAList(_("Choose a file."))
        found = staff_file.read(uploaded.read(staff_file.MOST_BYTES + 1))
        signed = _signed(uuid.uuid4().hex, actor_of(request), found.candidates)
        return self._look(request, found.candidates, staff.problems(found.candidates), signed, ignored=found.ignored)

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request)
        signed = request.POST.get("signed", "")
        key, candidates = _unsigned(signed, actor)
        try:
            added = staff.add_all(candidates=candidates, key=key, actor=actor, origin=request_origin(request))
        except BadRows as error:
            if not staff.was_added(key=key, actor=actor):
                return self._look(request, candidates, dict(error.problems), signed)
            messages.info(request, _("This list was imported already, by an earlier click."))
        else:
            told = ngettext("%d account was created.", "%d accounts were created.", added) % added
            messages.success(request, f"{told} {_('None has a password yet: send codes, and their owners choose.')}")
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

    def _look(
        self,
        request: HttpRequest,
        candidates: list[Candidate],
        wrong: dict[int, list[str]],
        signed: str,
        ignored: list[str] | None = None,
    ) -> HttpResponse:
        rows = [
            (each.number, [each.columns.get(name, "") for name in COLUMNS], wrong.get(each.number, []))
            for each in candidates
        ]
        return self._page(request, rows=rows, bad=len(wrong), signed=signed, ignored=ignored)

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        labels = [staff.label(name) for name in COLUMNS]
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import staff"),
            "labels": labels,
            "columns": COLUMNS,
            "most_rows": staff_file.MOST_ROWS,
        }
        return TemplateResponse(request, "admin/accounts/user/import.html", {**shared, **context})
