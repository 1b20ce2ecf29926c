"""Import of a staff list: a preview first, and the accounts once the preview is confirmed."""

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
from accounts.models import Role, User
from accounts.services import staff
from accounts.services.staff import COLUMNS, Candidate
from audit.origin import request_origin

_SALT: Final = "accounts.staff_import"
# The same as the idle timeout of the admin site.
_PREVIEW_MAX_AGE: Final = 30 * 60


def _sign(key: str, actor: User, candidates: list[Candidate]) -> str:
    """Return the previewed rows, signed: exactly these rows are confirmed, by the same administrator."""
    rows = [[each.number, dict(each.columns)] for each in candidates]
    return signing.dumps({"key": key, "actor": actor.pk, "rows": rows}, salt=_SALT, compress=True)


def _unsign(signed: str, actor: User) -> tuple[str, list[Candidate]]:
    """Return the key and the rows of a signed preview. Raises BadSignature."""
    payload = signing.loads(signed, salt=_SALT, max_age=_PREVIEW_MAX_AGE)
    if payload["actor"] != actor.pk:
        raise signing.BadSignature
    return payload["key"], [Candidate(number, columns) for number, columns in payload["rows"]]


def _display(candidate: Candidate, column: str) -> str:
    """Return a value for the preview, a role by its label."""
    value = candidate.columns.get(column, "")
    return str(dict(Role.choices).get(value, value)) if column == "role" else value


class ImportAdmin(admin.ModelAdmin):
    """Adds the import at `import/`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_staff)
        return [path("import/", view, name="accounts_user_import"), *super().get_urls()]

    def import_staff(self, request: HttpRequest) -> HttpResponse:
        """Return the upload form or the preview, or create the accounts of a confirmed preview."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request)
        try:
            if "confirmed" in request.POST:
                return self._confirm(request)
            return self._preview(request)
        except staff_file.InvalidStaffFile as error:
            return self._page(request, error=error.detail)
        except signing.BadSignature:
            return self._page(request, error=_("This preview has expired. Choose the file again."))

    def _preview(self, request: HttpRequest) -> HttpResponse:
        uploaded: Any = request.FILES.get("file")
        if uploaded is None:
            raise staff_file.InvalidStaffFile(_("Choose a file."))
        staff_list = staff_file.read(uploaded.read(staff_file.MAX_BYTES + 1))
        signed = _sign(uuid.uuid4().hex, actor_of(request), staff_list.candidates)
        return self._preview_page(
            request, staff_list.candidates, staff.problems(staff_list.candidates), signed, ignored=staff_list.ignored
        )

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request)
        signed = request.POST.get("signed", "")
        key, candidates = _unsign(signed, actor)
        try:
            added = staff.add_all(candidates=candidates, key=key, actor=actor, origin=request_origin(request))
        except BadRows as error:
            if not staff.was_added(key=key, actor=actor):
                return self._preview_page(request, candidates, dict(error.problems), signed)
            messages.info(request, _("This list has already been imported."))
        else:
            created = ngettext("%d account was created.", "%d accounts were created.", added) % added
            messages.success(request, created)
            messages.info(request, _("The new accounts have no passwords. Send codes to let their users set them."))
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

    def _preview_page(
        self,
        request: HttpRequest,
        candidates: list[Candidate],
        problems: dict[int, list[str]],
        signed: str,
        ignored: list[str] | None = None,
    ) -> HttpResponse:
        rows = [
            (each.number, [_display(each, name) for name in COLUMNS], problems.get(each.number, []))
            for each in candidates
        ]
        return self._page(request, rows=rows, invalid=len(problems), signed=signed, ignored=ignored)

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        labels = [staff.label(name) for name in COLUMNS]
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import staff"),
            "labels": labels,
            "max_rows": staff_file.MAX_ROWS,
        }
        return TemplateResponse(request, "admin/accounts/user/import.html", {**shared, **context})
