"""Views of the admin site that belong to no model: the logo, and the change of the current user's password."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.errors import IdentityError, InvalidInput, RetryLater
from audit.origin import request_origin
from authsvc.admin_site import logins
from authsvc.admin_site.forms import WRONG_PASSWORD, OwnPasswordForm, retry_message
from authsvc.admin_site.login_views import PASSWORD_CHANGED
from authsvc.configuration import logo


@require_safe
@cache_control(private=True, max_age=300)
def logo_file(request: HttpRequest) -> HttpResponseBase:
    """Return the operator's logo; it is public, because the login page shows it."""
    if not settings.SERVICE_LOGO:
        raise Http404
    file = Path(settings.SERVICE_LOGO)
    return FileResponse(file.open("rb"), content_type=logo.content_type(file))


class OwnPasswordView(PasswordChangeView):
    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            form.save()
        except RetryLater as error:
            form.add_error(None, retry_message(error))
        except InvalidInput as error:
            form.add_problems(error)
        except IdentityError:
            # The password or the account changed after the form verified the old password.
            form.add_error("old_password", WRONG_PASSWORD)
        else:
            # Every session of the user has ended, this one too.
            logins.end(self.request)
            messages.success(self.request, PASSWORD_CHANGED)
            return redirect("admin:login")
        return self.form_invalid(form)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "origin": request_origin(self.request)}
