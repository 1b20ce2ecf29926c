"""Pages that the enrolment at the login and the own factors share: a new authenticator app, and recovery codes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from accounts.errors import NotFound
from accounts.models import User
from accounts.services import second_factors
from accounts.services.second_factors import TotpSetup
from authsvc.admin_site.factor_forms import ConfirmAppForm

View = Callable[..., HttpResponse]


def require_post_or_redirect(page: str) -> Callable[[View], View]:
    """Let a view answer POST alone; every other request leads to the page that has its form.

    The choice of a language and a new login redirect to the URL of the page that was shown.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs) if request.method == "POST" else redirect(page)

        return checked_view

    return decorate


def new_app(
    request: HttpRequest, app: TotpSetup, form: ConfirmAppForm | None = None, *, action: str, layout: str
) -> HttpResponse:
    """Return the page with the QR code and the secret of a new app, and the form for its first code."""
    groups = [app.secret[start : start + 4] for start in range(0, len(app.secret), 4)]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Set up an authenticator app"),
        "layout": layout,
        "form": form or ConfirmAppForm(initial={"factor_id": app.id, "secret": app.secret}),
        "action": action,
        "secret": " ".join(groups),
        "otpauth_uri": app.otpauth_uri,
        "qr_svg": mark_safe(app.qr_svg),  # noqa: S308 segno writes numbers only.
    }
    return TemplateResponse(request, "admin/new_app.html", context)


def same_app(
    request: HttpRequest, user: User, form: ConfirmAppForm, *, action: str, layout: str
) -> HttpResponse | None:
    """Return the page of an app whose first code was wrong; None unless the form has the app's secret."""
    factor_id, secret = form.cleaned_data.get("factor_id"), form.cleaned_data.get("secret")
    if not (factor_id and secret):
        return None
    try:
        app = second_factors.pending_app(user=user, factor_id=factor_id, secret=secret)
    except NotFound:
        return None
    return new_app(request, app, form, action=action, layout=layout)


def recovery_codes(request: HttpRequest, codes: list[str], *, next_url: str) -> HttpResponse:
    """Return the page that shows recovery codes this once."""
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Recovery codes"),
        "codes": codes,
        "next_url": next_url,
    }
    return TemplateResponse(request, "admin/recovery_codes.html", context)
