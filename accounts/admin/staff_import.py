"""Import of a staff list: a preview first, and the accounts once the preview is confirmed."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin import staff_file, staff_template
from accounts.admin.common import actor_of
from accounts.admin.confirmed_actions import MAX_SELECTED, ConfirmedActionsAdmin
from accounts.errors import BadRows
from accounts.models import Role, User
from accounts.services import staff, staff_names
from accounts.services.staff import COLUMNS, Candidate
from audit.labels import in_a_row
from audit.origin import request_origin

_SALT: Final = "accounts.staff_import"
# The same as the idle timeout of the admin site.
_PREVIEW_MAX_AGE: Final = 30 * 60
# The buttons of a preview.
_CONFIRMATIONS: Final = frozenset({"confirmed", "skip_invalid"})
_TOO_MANY_AT_ONCE: Final = _("at most %(max)d are sent to at once; send to those who have no password yet again")
# Skipped rows that the message about an import names.
_MAX_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class _Preview:
    """The rows of a preview, the numbers of those that it lists as invalid, and the key of the list."""

    key: str
    candidates: list[Candidate]
    invalid: list[int]


def _sign(preview: _Preview, actor: User) -> str:
    """Return the preview, signed: exactly these rows are confirmed or skipped, by the same administrator."""
    rows = [[each.number, dict(each.columns)] for each in preview.candidates]
    payload = {"key": preview.key, "actor": actor.pk, "rows": rows, "invalid": preview.invalid}
    return signing.dumps(payload, salt=_SALT, compress=True)


def _unsign(signed: str, actor: User) -> _Preview:
    """Return a signed preview. Raises BadSignature."""
    payload = signing.loads(signed, salt=_SALT, max_age=_PREVIEW_MAX_AGE)
    if payload["actor"] != actor.pk:
        raise signing.BadSignature
    candidates = [Candidate(number, columns) for number, columns in payload["rows"]]
    # A node of the former release signs no numbers of invalid rows.
    return _Preview(payload["key"], candidates, payload.get("invalid", []))


def _first(numbers: list[int]) -> str:
    """Return the numbers of rows for a message, of many the first ones."""
    return in_a_row([*numbers[:_MAX_NAMED], *(["…"] if numbers[_MAX_NAMED:] else [])])


def _display(candidate: Candidate, column: str) -> str:
    """Return a value for the preview, a role by its label."""
    value = candidate.columns.get(column, "")
    return str(dict(Role.choices).get(value, value)) if column == "role" else value


def _report(request: HttpRequest, added: int, skipped: list[int], *, codes_follow: bool) -> None:
    """Say on the next page how many accounts were created, and which rows were skipped."""
    messages.success(request, ngettext("%d account was created.", "%d accounts were created.", added) % added)
    if skipped:
        sentence = ngettext(
            "%(count)d row was skipped: %(rows)s.", "%(count)d rows were skipped: %(rows)s.", len(skipped)
        )
        messages.warning(request, sentence % {"count": len(skipped), "rows": _first(skipped)})
    if not codes_follow:
        messages.info(
            request, _("The new accounts have no passwords. Send activation links to let their users set them.")
        )


class ImportAdmin(ConfirmedActionsAdmin):
    """Adds the import at `import/`, and a template for its file."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_staff)
        template = self.admin_site.admin_view(self.staff_template)
        return [
            path("import/", view, name="accounts_user_import"),
            path("import/template/", template, name="accounts_user_import_template"),
            *super().get_urls(),
        ]

    def staff_template(self, request: HttpRequest) -> HttpResponseBase:
        """Return an empty staff list as an XLSX file, with the roles on its second sheet."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return staff_template.download()

    def import_staff(self, request: HttpRequest) -> HttpResponse:
        """Return the upload form or the preview, or create the accounts of a confirmed preview."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request)
        try:
            if not _CONFIRMATIONS.isdisjoint(request.POST):
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
        return self._preview_page(request, uuid.uuid4().hex, staff_list.candidates, ignored=staff_list.ignored)

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request)
        preview = _unsign(request.POST.get("signed", ""), actor)
        skipped = preview.invalid if "skip_invalid" in request.POST else []
        added_rows = [each.columns for each in preview.candidates if each.number not in skipped]
        if "new_names" not in request.POST and staff_names.unknown(added_rows):
            return self._preview_page(request, preview.key, preview.candidates)
        may_send = self.permitted_actions(request).get("send-code") if "send_codes" in request.POST else None
        origin = request_origin(request)
        try:
            added = staff.add_all(
                candidates=preview.candidates, key=preview.key, actor=actor, origin=origin, skipped=frozenset(skipped)
            )
        except BadRows:
            if not staff.was_added(key=preview.key, actor=actor):
                return self._preview_page(request, preview.key, preview.candidates)
            messages.info(request, _("This list has already been imported."))
        else:
            _report(request, len(added), skipped, codes_follow=may_send is not None)
            if may_send:
                self.perform_all(request, may_send, added[:MAX_SELECTED], "")
                if left_out := added[MAX_SELECTED:]:
                    self.report_skipped(request, _TOO_MANY_AT_ONCE % {"max": MAX_SELECTED}, left_out)
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

    def _preview_page(
        self, request: HttpRequest, key: str, candidates: list[Candidate], ignored: list[str] | None = None
    ) -> HttpResponse:
        problems = staff.problems(candidates)
        rows = [
            (each.number, [_display(each, name) for name in COLUMNS], problems.get(each.number, []))
            for each in candidates
        ]
        # What is to be corrected comes first.
        rows.sort(key=lambda row: not row[2])
        signed = _sign(_Preview(key, candidates, sorted(problems)), actor_of(request))
        counts = {"invalid": len(problems), "valid": len(candidates) - len(problems)}
        new = staff_names.unknown(each.columns for each in candidates if each.number not in problems)
        new_names = [(staff.label(field), names) for field, names in new.items()]
        return self._page(request, rows=rows, signed=signed, ignored=ignored, new_names=new_names, **counts)

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        labels = [staff.label(name) for name in COLUMNS]
        shared = {
            "may_send_codes": "send-code" in self.permitted_actions(request),
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import staff"),
            "labels": labels,
            "max_rows": staff_file.MAX_ROWS,
        }
        return TemplateResponse(request, "admin/accounts/user/import.html", {**shared, **context})
