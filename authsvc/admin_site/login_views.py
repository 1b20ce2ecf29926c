"""The login: a password, then the second factor where the account has one; or a passkey alone."""

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts.errors import IdentityError, InvalidInput, InvalidSecondFactor, PasswordExpired, RetryLater
from accounts.models import FactorType
from accounts.policies import active_profile
from accounts.services import admin_sessions, passkeys, passwords, second_step
from audit.origin import request_origin
from authsvc.admin_site import logins
from authsvc.admin_site.factor_forms import WRONG_CODE, WRONG_PASSKEY, PasskeyForm, SecondFactorForm
from authsvc.admin_site.forms import LoginForm, NewPasswordForm, refusal, retry_message
from authsvc.admin_site.logins import PendingLogin

PASSWORD_CHANGED: Final = _("The password was changed. Log in with the new one.")
EXPIRED_LOGIN: Final = _("The login took too long, or the account has changed. Log in again.")


def start_again(request: HttpRequest, text: str | Promise) -> HttpResponse:
    """Return to the login page, which says why."""
    logins.end(request)
    messages.error(request, str(text))
    return redirect("admin:login")


class PasswordLoginView(LoginView):
    """The first step."""

    authentication_form = LoginForm
    template_name = "admin/login.html"

    def form_valid(self, form: Any) -> HttpResponse:
        if form.expired:
            logins.await_password(self.request, form.expired)
            return redirect("admin:expired_password")
        if form.challenge:
            logins.wait(self.request, form.challenge, self.get_success_url())
            return redirect("admin:enrollment" if logins.waiting(self.request, enrolls=True) else "admin:second_factor")
        logins.start(self.request, form.session)
        return HttpResponseRedirect(self.get_success_url())


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SecondFactorView(View):
    """The second step: a code of an authenticator app, a recovery code, or a passkey or security key."""

    def get(self, request: HttpRequest) -> HttpResponse:
        login = logins.waiting(request, enrolls=False)
        return self._page(login, SecondFactorForm()) if login else redirect("admin:login")

    def post(self, request: HttpRequest) -> HttpResponse:
        login, form = logins.waiting(request, enrolls=False), SecondFactorForm(request.POST)
        if login is None:
            return redirect("admin:login")
        return self._complete(login, form) if form.is_valid() else self._page(login, form)

    def _complete(self, login: PendingLogin, form: SecondFactorForm) -> HttpResponse:
        try:
            session = second_step.complete(
                token=login.token,
                answer=form.answer(),
                issuer=admin_sessions.LOGIN,
                origin=request_origin(self.request),
                rule=logins.staff_only,
            )
        except PasswordExpired as expired:
            logins.await_password(self.request, expired)
            return redirect("admin:expired_password")
        except InvalidSecondFactor:
            form.add_error("code", WRONG_PASSKEY if form.cleaned_data["credential"] else WRONG_CODE)
        except RetryLater as error:
            form.add_error(None, retry_message(error))
        except IdentityError as error:
            return start_again(self.request, refusal(error, str(EXPIRED_LOGIN)).message)
        else:
            logins.start(self.request, session)
            return HttpResponseRedirect(login.next)
        return self._page(login, form)

    def _page(self, login: PendingLogin, form: SecondFactorForm) -> HttpResponse:
        has_passkey = FactorType.WEBAUTHN.value in login.methods
        try:
            options = (
                second_step.options(token=login.token, origin=request_origin(self.request)) if has_passkey else None
            )
        except IdentityError as error:
            return start_again(self.request, refusal(error, str(EXPIRED_LOGIN)).message)
        context = {
            **admin.site.each_context(self.request),
            "title": _("Second factor"),
            "form": form,
            "has_app": FactorType.TOTP.value in login.methods,
            "options": options,
        }
        return TemplateResponse(self.request, "admin/second_factor.html", context)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class ExpiredPasswordView(View):
    """A new password in place of one that was too old for the login, which has been right otherwise."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(NewPasswordForm()) if logins.token_of_expired_password(request) else redirect("admin:login")

    def post(self, request: HttpRequest) -> HttpResponse:
        token, form = logins.token_of_expired_password(request), NewPasswordForm(request.POST)
        if token is None:
            return redirect("admin:login")
        return self._change(token, form) if form.is_valid() else self._page(form)

    def _change(self, token: str, form: NewPasswordForm) -> HttpResponse:
        new, rule = form.cleaned_data["new_password1"], active_profile().password
        try:
            passwords.change_expired(token=token, new=new, rule=rule, origin=request_origin(self.request))
        except InvalidInput as error:
            form.add_problems(error)
        except RetryLater as error:
            form.add_error(None, retry_message(error))
        except IdentityError:
            return start_again(self.request, EXPIRED_LOGIN)
        else:
            logins.end(self.request)
            messages.success(self.request, PASSWORD_CHANGED)
            return redirect("admin:login")
        return self._page(form)

    def _page(self, form: NewPasswordForm) -> HttpResponse:
        context = {**admin.site.each_context(self.request), "title": _("Choose a new password"), "form": form}
        return TemplateResponse(self.request, "admin/expired_password.html", context)


@require_safe
@never_cache
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return the WebAuthn options for a login by a passkey alone."""
    return JsonResponse(passkeys.options())


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class PasskeyLoginView(RedirectURLMixin, View):
    """A login by a passkey alone."""

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasskeyForm(request.POST)
        if not form.is_valid():
            return start_again(request, WRONG_PASSKEY)
        try:
            session = passkeys.sign_in(
                credential=form.cleaned_data["credential"],
                issuer=admin_sessions.LOGIN,
                origin=request_origin(request),
                rule=logins.staff_only,
            )
        except RetryLater as error:
            return start_again(request, retry_message(error))
        except IdentityError:
            return start_again(request, WRONG_PASSKEY)
        logins.start(request, session)
        return HttpResponseRedirect(self.get_redirect_url() or reverse("admin:index"))
