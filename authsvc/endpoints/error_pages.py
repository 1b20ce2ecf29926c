"""Errors as pages of the admin site, in the language of the browser; they need neither the database nor a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.origin import current_request_id


@dataclass(frozen=True, slots=True)
class ErrorPageText:
    """What is wrong, and what to do."""

    title: Promise
    advice: Promise


_TEXTS: Final[Mapping[int, ErrorPageText]] = {
    400: ErrorPageText(
        _("This request cannot be processed"),
        _("Its address or its form has a value that does not fit. Nothing was changed. Go back and correct it."),
    ),
    403: ErrorPageText(
        _("You may not open this page"),
        _("Your account has no permission for it. A superuser can grant the group that has it."),
    ),
    404: ErrorPageText(_("Page not found"), _("There is nothing at this address, or it was removed.")),
    413: ErrorPageText(
        _("The file is too large"),
        _("A file and its form may have %(limit)d MiB together. Nothing was changed. Choose a smaller file."),
    ),
    426: ErrorPageText(
        _("This page needs an encrypted connection"), _("Open the same address with https:// in front of it.")
    ),
    500: ErrorPageText(
        _("Something went wrong"),
        _("The error is in the service's log. Tell the system administrator the request number below."),
    ),
    503: ErrorPageText(
        _("The service is not available at present"), _("Nothing was changed. Try again in a few minutes.")
    ),
}
EXPIRED: Final = ErrorPageText(
    _("This page has expired"),
    _(
        "You have logged in or out since it was opened, or the browser blocks cookies. Nothing was changed. Open it"
        " again and repeat the last step."
    ),
)


def error_page(request: HttpRequest, status: int, text: ErrorPageText | None = None) -> HttpResponse:
    """Return the page of an error; `text` takes the place of the status's own."""
    words = text or _TEXTS.get(status, _TEXTS[500 if status >= 500 else 400])
    # The middleware of languages may come later, or not at all.
    with translation.override(translation.get_language_from_request(request)):
        page = render_to_string(
            "admin/error.html",
            {
                "title": words.title,
                "advice": words.advice % {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20},
                "request_id": current_request_id.get(),
                "retry_url": request.get_full_path() if words is EXPIRED else "",
                "site_header": settings.SERVICE_NAME,
                "site_title": settings.SERVICE_NAME,
                "has_logo": bool(settings.SERVICE_LOGO),
            },
        )
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})
