"""The own second factors of an administrator: list, add, remove, and new recovery codes."""

from typing import Any, Final, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import IdentityError, InvalidCode, InvalidInput, NotFound, RetryLater
from accounts.models import User
from accounts.services import factor_check, second_factors
from accounts.services.second_factors import Enrollment
from audit.origin import request_origin
from authsvc.admin_site import factor_pages
from authsvc.admin_site.factor_forms import (
    PROBLEMS,
    WRONG_CODE,
    WRONG_PASSKEY,
    ConfirmAppForm,
    FactorForm,
    PasskeyForm,
    PasswordAndCodeForm,
    PasswordForm,
)
from authsvc.admin_site.factor_pages import require_post_or_redirect
from authsvc.admin_site.forms import retry_message
from authsvc.admin_site.login_views import EXPIRED_LOGIN

_LAYOUT: Final = "admin/base_site.html"
_GONE: Final = _("This second factor does not exist any more.")
_NO_CODES: Final = _(
    "To remove a second factor or to make new recovery codes you enter a code, and you have none: a passkey or security"
    " key gives no codes, and no recovery code is left. Add an authenticator app first."
)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Return the list of factors, and what can be done with them."""
    return _overview(request, PasswordForm())


@sensitive_post_parameters()
@require_post_or_redirect("admin:second_factors")
def add(request: HttpRequest) -> HttpResponse:
    """Verify the password, and show the page of a new factor of the chosen kind."""
    form = PasswordForm(request.POST)
    if form.is_valid():
        known = {"user": _user(request), "origin": request_origin(request), **form.cleaned_data}
        try:
            if request.POST.get("kind") == "passkey":
                return _page(
                    request,
                    "new_passkey",
                    _("Add a passkey"),
                    form=PasskeyForm(),
                    options=second_factors.creation_options(**known),
                )
            app = second_factors.begin_app(**known)
            return factor_pages.new_app(request, app, action=reverse("admin:confirm_app"), layout=_LAYOUT)
        except (InvalidInput, RetryLater) as error:
            _report(form, error)
        except IdentityError as error:
            return _refused(request, error)
    return _overview(request, form)


@sensitive_post_parameters()
@require_post_or_redirect("admin:second_factors")
def confirm_app(request: HttpRequest) -> HttpResponse:
    """Put an authenticator app into force by its first code."""
    user, form = _user(request), ConfirmAppForm(request.POST)
    if form.is_valid():
        shown = form.cleaned_data
        try:
            enrolled = second_factors.confirm_app(
                user=user,
                factor_id=shown["factor_id"],
                code=shown["code"],
                first=False,
                origin=request_origin(request),
            )
            return _added(request, enrolled)
        except InvalidCode:
            form.add_error("code", WRONG_CODE)
        except IdentityError as error:
            return _refused(request, error)
    again = factor_pages.same_app(request, user, form, action=reverse("admin:confirm_app"), layout=_LAYOUT)
    return again or _refused(request, NotFound())


@sensitive_post_parameters()
@require_post_or_redirect("admin:second_factors")
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Put a passkey or security key into force, by the answer of the browser."""
    form = PasskeyForm(request.POST)
    if not form.is_valid():
        return _refused(request, InvalidCode())
    try:
        enrolled = second_factors.add_credential(
            user=_user(request), **form.cleaned_data, first=False, origin=request_origin(request)
        )
    except IdentityError as error:
        return _refused(request, error)
    return _added(request, enrolled)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Ask for the password and a code, and remove a factor."""
    user, form = _user(request), PasswordAndCodeForm(request.POST or None)
    factor = next((each for each in second_factors.in_force(user) if each.pk == factor_id), None)
    if factor is None:
        return _refused(request, NotFound())
    if not second_factors.has_codes(user):
        return redirect("admin:second_factors")
    if form.is_valid():
        try:
            second_factors.remove(user=user, factor_id=factor_id, **form.cleaned_data, origin=request_origin(request))
            messages.success(request, _("The second factor was removed."))
            return redirect("admin:second_factors")
        except (InvalidInput, RetryLater) as error:
            _report(form, error)
        except IdentityError as error:
            return _refused(request, error)
    return _page(request, "remove_factor", _("Remove a second factor"), form=form, factor=factor)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def replace_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ask for the password and a code, and show new recovery codes."""
    form = PasswordAndCodeForm(request.POST or None)
    if second_factors.in_force(_user(request)) and not second_factors.has_codes(_user(request)):
        return redirect("admin:second_factors")
    if form.is_valid():
        try:
            codes = second_factors.replace_recovery_codes(
                user=_user(request), **form.cleaned_data, origin=request_origin(request)
            )
            return factor_pages.recovery_codes(request, codes, next_url=reverse("admin:second_factors"))
        except (InvalidInput, RetryLater) as error:
            _report(form, error)
        except IdentityError as error:
            return _refused(request, error)
    return _page(request, "new_recovery_codes", _("New recovery codes"), form=form)


def _user(request: HttpRequest) -> User:
    """Return the user who is logged in; the site lets nobody else in here."""
    return cast(User, request.user)


def _report(form: FactorForm, error: InvalidInput | RetryLater) -> None:
    if isinstance(error, InvalidInput):
        form.add_problems(error)
    else:
        form.add_error(None, retry_message(error))


def _added(request: HttpRequest, enrolled: Enrollment) -> HttpResponse:
    messages.success(request, _("The second factor was added."))
    if enrolled.recovery_codes is None:
        return redirect("admin:second_factors")
    return factor_pages.recovery_codes(request, enrolled.recovery_codes, next_url=reverse("admin:second_factors"))


def _refused(request: HttpRequest, error: IdentityError) -> HttpResponse:
    """Return to the list, which says why nothing was done."""
    messages.error(request, str(_reason(error)))
    return redirect("admin:second_factors")


def _reason(error: IdentityError) -> str | Promise:
    if isinstance(error, RetryLater):
        return retry_message(error)
    if isinstance(error, InvalidInput):
        return PROBLEMS[next(iter(error.errors.values()))[0].code]
    if isinstance(error, InvalidCode):
        return WRONG_PASSKEY
    # Anything else is a change of the account, with which its sessions end.
    return _GONE if isinstance(error, NotFound) else EXPIRED_LOGIN


def _overview(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    user = _user(request)
    factors = second_factors.in_force(user)
    return _page(
        request,
        "second_factors",
        _("Second factors"),
        form=form,
        factors=factors,
        codes_left=second_factors.recovery_codes_left(user) if factors else 0,
        why_no_change=None if second_factors.has_codes(user) else _NO_CODES,
        is_required=factor_check.is_required(user),
    )


def _page(request: HttpRequest, name: str, title: str | Promise, **context: Any) -> HttpResponse:
    return TemplateResponse(
        request, f"admin/{name}.html", {**admin.site.each_context(request), "title": title, **context}
    )
