"""The pages on which a user asks for a code, and chooses a password by a code or a link.

They have no session and no CSRF token: what they send proves by itself what it may do, and with `no-referrer` a browser
does not name the origin of a form. A form of another site is refused by `Sec-Fetch-Site` (Fetch Metadata, W3C).
"""

import math
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from accounts.errors import IdentityError, InvalidInput, LinkExpired, Overloaded, RetryLater, TooManyCodes
from accounts.models import User
from accounts.policies import ACTIVATION_LIFE, CODE_LIFE
from accounts.services import identifiers, password_links, recovery
from audit.origin import request_origin
from authsvc.admin_site.forms import retry_message
from authsvc.password_pages.forms import CodeForm, ContactForm, LinkForm, NewPasswordForm, password_rule

_TOO_MANY_CODES: Final = _("Too many codes. Use the last one that you received, or try again in %(minutes)d min.")
_WRONG_CODE: Final = _("This code is wrong, expired or already used. Get a new one if you have no other.")
_WRONG_LINK: Final = _(
    "This link is not valid any more: it has been used, a newer one has taken its place, or the account has changed"
    " since. Get a code instead."
)
_EXPIRED_LINK: Final = _(
    "This link has expired. A link to activate an account is valid for %(hours)d hours, one to reset a password for"
    " %(minutes)d minutes. Get a code instead."
)
_OTHER_SITE: Final = _("Another site has sent this form. Nothing was changed. Fill it in here.")


@method_decorator([csrf_exempt, never_cache, sensitive_post_parameters()], name="dispatch")
class PasswordPage(View):
    """The base of these pages."""

    template: str
    form_class: type[ContactForm | NewPasswordForm]
    title: Any = _("Set a password")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        foreign = request.method == "POST" and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
        if foreign:
            response: HttpResponse = self.page(self.form_class(), error=_OTHER_SITE, status=403)
        else:
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[assignment]  # No view here is async.
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        # Nothing is read or spent here: programs that check links request this too.
        return self.page(self.form_class())

    def page(self, form: Any, *, template: str = "", status: int = 200, **context: Any) -> HttpResponse:
        shared = {**admin.site.each_context(self.request), "title": self.title, "form": form, "rule": password_rule()}
        minutes = CODE_LIFE // timedelta(minutes=1)
        return TemplateResponse(
            self.request, template or self.template, {**shared, "minutes": minutes, **context}, status=status
        )

    def refused(self, form: Any, error: IdentityError | LinkExpired, wrong: Any, **context: Any) -> HttpResponse:
        """Return the page with the reason of a refusal: to try again later, or what is wrong."""
        if isinstance(error, RetryLater):
            form.add_error(None, _retry_message(error))
            response = self.page(form, status=503 if isinstance(error, Overloaded) else 429)
            response["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
            return response
        form.add_error(None, wrong)
        return self.page(form, status=400, **context)

    def done(self, user: User) -> HttpResponse:
        return self.page(None, template="password/done.html", title=_("The password is set"), username=user.username)


def _retry_message(error: RetryLater) -> str:
    if isinstance(error, TooManyCodes):
        return str(_TOO_MANY_CODES) % {"minutes": math.ceil(error.retry_after / timedelta(minutes=1))}
    return retry_message(error)


class CodeRequestView(PasswordPage):
    """The first step: ask for a code."""

    template = "password/request.html"
    form_class = ContactForm

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ContactForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=400)
        contact = form.cleaned_data["identifier"]
        try:
            recovery.request_code(
                identifier=identifiers.any_of_three(contact),
                channel=form.channel_of(contact),
                contact=contact,
                origin=request_origin(request),
            )
        except IdentityError as error:
            return self.refused(form, error, _WRONG_CODE)
        # The same page whether or not there is such an account; a redirect would need the contact in its address.
        next_form = CodeForm(initial={"identifier": contact})
        return self.page(next_form, template="password/code.html", sent_to=contact)


class CodeView(PasswordPage):
    """The second step: the code and the new password."""

    template = "password/code.html"
    form_class = CodeForm

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=400)
        contact = form.cleaned_data["identifier"]
        try:
            user = recovery.reset_password(
                identifier=identifiers.any_of_three(contact),
                channel=form.channel_of(contact),
                contact=contact,
                code=form.cleaned_data["code"],
                new=form.cleaned_data["new_password"],
                origin=request_origin(request),
            )
        except InvalidInput as error:
            form.add_problems(error)
            return self.page(form, status=400)
        except IdentityError as error:
            return self.refused(form, error, _WRONG_CODE)
        return self.done(user)


class LinkView(PasswordPage):
    """The page of a link: the secret is after `#`, and the page's script puts it into the form."""

    template = "password/link.html"
    form_class = LinkForm

    def page(self, form: Any, *, template: str = "", status: int = 200, **context: Any) -> HttpResponse:
        token = form.data.get("token", "") if form else ""
        return super().page(form, template=template, status=status, token=token, **context)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LinkForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=400)
        try:
            user = password_links.set_password(
                token=form.cleaned_data["token"],
                new=form.cleaned_data["new_password"],
                origin=request_origin(request),
            )
        except InvalidInput as error:
            form.add_problems(error)
            return self.page(form, status=400)
        except LinkExpired as error:
            lives = {"hours": ACTIVATION_LIFE // timedelta(hours=1), "minutes": CODE_LIFE // timedelta(minutes=1)}
            return self.refused(form, error, _EXPIRED_LINK % lives, is_void=True)
        except IdentityError as error:
            return self.refused(form, error, _WRONG_LINK, is_void=True)
        return self.done(user)
