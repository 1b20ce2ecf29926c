"""The admin site: Django's, with this service's own pipeline behind its doors."""

from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from accounts.contracts.base import origin_of
from accounts.errors import IdentityError, Problem, RetryLater
from accounts.models import User
from accounts.policies import LONGEST_PASSWORD, active_profile
from accounts.services import identifiers, passwords, sign_in
from audit.events import FailureReason
from audit.origin import ADMIN_SITE, Origin
from authsvc.admin_site import dashboard, logo

WRONG = _("Please enter the correct user name and password of an administrator's account.")
WAIT = _("Too many failed attempts, or the service is busy. Wait, then try again.")

_SENTENCES = {
    "password_too_long": _("A password has at most %(longest)d characters."),
    "password_too_short": _("A password has at least %(shortest)d characters."),
    "password_not_mixed": _("A password has upper and lower case letters and a digit."),
    "password_too_common": _("This password is on lists of common and breached passwords."),
    "password_too_similar": _("This password is too much like your own data or the service's name."),
}


def _staff_only(user: User) -> FailureReason | None:
    return None if user.is_staff else FailureReason.WRONG_ROLE


def _prove(identifier: identifiers.Identifier, password: str, origin: Origin) -> User:
    """Return the administrator whose password this is. Raises ValidationError, whatever is wrong."""
    try:
        return sign_in.verify_credentials(identifier=identifier, password=password, origin=origin, rule=_staff_only)
    except RetryLater as error:
        raise ValidationError(WAIT, code="retry_later") from error
    except IdentityError as error:
        raise ValidationError(WRONG, code="invalid_login") from error


def _told(problem: Problem) -> str:
    """Return what is wrong with a new password, in the reader's language."""
    lengths = {"shortest": active_profile().password.shortest, "longest": LONGEST_PASSWORD}
    return _SENTENCES[problem.code] % lengths


class LoginForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password and self.request:
            if len(password) > LONGEST_PASSWORD:
                raise ValidationError(WRONG, code="invalid_login")
            self.user_cache = _prove(identifiers.any_of_three(username), password, origin_of(self.request, ADMIN_SITE))
            # Django keeps the cookie of somebody who logs in again; whoever has a copy of it is out now.
            self.request.session.flush()
        return self.cleaned_data


class OwnPasswordForm(PasswordChangeForm):
    """A change of one's own password; the old one goes through the pipeline like any other."""

    def __init__(self, user: User, origin: Origin, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.origin = origin

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        _prove(identifiers.of_user(self.user), old, self.origin)
        return old

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for problem in passwords.problems(str(data.get("new_password1", "")), self.user, active_profile().password):
            self.add_error("new_password1", ValidationError(_told(problem), code=problem.code))
        return data

    def save(self, commit: bool = True) -> User:
        passwords.replace(
            user=self.user,
            password=self.cleaned_data["new_password1"],
            rule=active_profile().password,
            origin=self.origin,
        )
        return self.user


@require_safe
@cache_control(private=True, max_age=300)
def logo_file(request: HttpRequest) -> HttpResponseBase:
    """Send the operator's picture; the login page has it too, so everybody may see it."""
    if not settings.SERVICE_LOGO:
        raise Http404
    file = Path(settings.SERVICE_LOGO)
    return FileResponse(file.open("rb"), content_type=logo.content_type(file))


class OwnPasswordView(PasswordChangeView):
    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except RetryLater:
            form.add_error(None, WAIT)
        except IdentityError:
            # Somebody changed the password or the account while this form was on its way.
            form.add_error("old_password", WRONG)
        return self.form_invalid(form)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "origin": origin_of(self.request, ADMIN_SITE)}


class Site(AdminSite):
    site_header = site_title = settings.SERVICE_NAME
    # There is no other site of which this were a part.
    site_url = None
    login_form = LoginForm

    def get_urls(self) -> list[Any]:
        return [
            path("language", set_language, name="language"),
            path("logo", logo_file, name="logo"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "languages": settings.LANGUAGES,
            "has_logo": bool(settings.SERVICE_LOGO),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **dashboard.seen_by(cast(User, request.user))})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**self.each_context(request), **(extra_context or {})}
        request.current_app = self.name
        return cast(TemplateResponse, OwnPasswordView.as_view(extra_context=context)(request))
