"""Enrolment of a first second factor, which comes before anything else where the role must have one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts.errors import IdentityError, InvalidCode, NotFound
from accounts.models import Session
from accounts.services import admin_sessions, enrollment
from accounts.services.enrollment import LoginAfterEnrollment
from audit.origin import request_origin
from authsvc.admin_site import factor_pages, logins
from authsvc.admin_site.factor_forms import WRONG_CODE, WRONG_PASSKEY, ConfirmAppForm, PasskeyForm
from authsvc.admin_site.factor_pages import require_post_or_redirect
from authsvc.admin_site.forms import refusal
from authsvc.admin_site.login_views import EXPIRED_LOGIN, start_again
from authsvc.admin_site.logins import PendingLogin

_LAYOUT: Final = "admin/login_step.html"


def _for_waiting_login(view: Callable[[HttpRequest, PendingLogin], HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a view the login that waits for an enrolment; without one it leads to the login page."""

    @never_cache
    @sensitive_post_parameters()
    @wraps(view)
    def checked_view(request: HttpRequest) -> HttpResponse:
        login = logins.waiting(request, enrolls=True)
        if login is None:
            return redirect("admin:login")
        try:
            return view(request, login)
        except IdentityError as error:
            # Mostly the token has expired, or the account has changed.
            return start_again(request, refusal(error, str(EXPIRED_LOGIN)).message)

    return checked_view


@require_safe
@_for_waiting_login
def choice(request: HttpRequest, login: PendingLogin) -> HttpResponse:
    """Return the page that offers both kinds of factors."""
    return _choice(request, login, PasskeyForm())


@require_post_or_redirect("admin:enrollment")
@_for_waiting_login
def app(request: HttpRequest, login: PendingLogin) -> HttpResponse:
    """Show a new authenticator app or, with its first code, put it into force."""
    origin = request_origin(request)
    if "factor_id" not in request.POST:
        new = enrollment.begin_app(token=login.token, origin=origin)
        return factor_pages.new_app(request, new, action=reverse("admin:enrollment_app"), layout=_LAYOUT)
    form = ConfirmAppForm(request.POST)
    try:
        if form.is_valid():
            shown = form.cleaned_data
            first = enrollment.confirm_app(
                token=login.token,
                factor_id=shown["factor_id"],
                code=shown["code"],
                issuer=admin_sessions.LOGIN,
                origin=origin,
                rule=logins.staff_only,
            )
            return _logged_in(request, first)
    except InvalidCode:
        form.add_error("code", WRONG_CODE)
    except NotFound:
        return redirect("admin:enrollment")
    user = enrollment.authenticate(token=login.token, origin=origin)
    again = factor_pages.same_app(request, user, form, action=reverse("admin:enrollment_app"), layout=_LAYOUT)
    return again or redirect("admin:enrollment")


@require_post_or_redirect("admin:enrollment")
@_for_waiting_login
def passkey(request: HttpRequest, login: PendingLogin) -> HttpResponse:
    """Put a new passkey or security key into force."""
    form = PasskeyForm(request.POST)
    try:
        if form.is_valid():
            first = enrollment.add_credential(
                token=login.token,
                **form.cleaned_data,
                issuer=admin_sessions.LOGIN,
                origin=request_origin(request),
                rule=logins.staff_only,
            )
            return _logged_in(request, first)
    except InvalidCode:
        form.add_error(None, WRONG_PASSKEY)
    return _choice(request, login, form)


def _choice(request: HttpRequest, login: PendingLogin, form: PasskeyForm) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Set up a second factor"),
        "form": form,
        "options": enrollment.creation_options(token=login.token, origin=request_origin(request)),
    }
    return TemplateResponse(request, "admin/enrollment.html", context)


def _logged_in(request: HttpRequest, first: LoginAfterEnrollment[Session]) -> HttpResponse:
    """Show the recovery codes; the browser is logged in, unless a lock has refused the login."""
    if first.issued:
        logins.start(request, first.issued)
    else:
        logins.end(request)
    return factor_pages.recovery_codes(request, first.recovery_codes, next_url=reverse("admin:index"))
