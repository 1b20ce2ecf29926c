"""The admin site: Django's, with this service's sign-in, password change, dashboard, language choice and logo."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.i18n import set_language

from accounts.models import User
from authsvc.admin_site import dashboard, enrollment_views, logins, own_factor_views
from authsvc.admin_site.login_views import (
    ExpiredPasswordView,
    PasskeyLoginView,
    PasswordLoginView,
    SecondFactorView,
    passkey_options,
)
from authsvc.admin_site.policies_page import policies_page
from authsvc.admin_site.views import OwnPasswordView, logo_file


class Site(AdminSite):
    site_header = site_title = settings.SERVICE_NAME
    index_title = _("Home")
    # There is no public site to link to.
    site_url = None

    def get_urls(self) -> list[Any]:
        return [
            path("language", set_language, name="language"),
            path("logo", logo_file, name="logo"),
            path("policies/", self.admin_view(policies_page), name="policies"),
            path("login/second-factor/", SecondFactorView.as_view(), name="second_factor"),
            path("login/password/", ExpiredPasswordView.as_view(), name="expired_password"),
            path("login/passkey/", PasskeyLoginView.as_view(), name="passkey_login"),
            path("login/passkey/options", passkey_options, name="passkey_options"),
            path("login/enrollment/", enrollment_views.choice, name="enrollment"),
            path("login/enrollment/app/", enrollment_views.app, name="enrollment_app"),
            path("login/enrollment/passkey/", enrollment_views.passkey, name="enrollment_passkey"),
            *self._own_factor_urls(),
            *super().get_urls(),
        ]

    def _own_factor_urls(self) -> list[Any]:
        pages: dict[str, tuple[Callable[..., HttpResponse], str]] = {
            "": (own_factor_views.overview, "second_factors"),
            "add/": (own_factor_views.add, "add_factor"),
            "app/": (own_factor_views.confirm_app, "confirm_app"),
            "passkey/": (own_factor_views.add_passkey, "add_passkey"),
            "<int:factor_id>/remove/": (own_factor_views.remove, "remove_factor"),
            "recovery-codes/": (own_factor_views.replace_recovery_codes, "replace_recovery_codes"),
        }
        return [
            path(f"second-factors/{route}", self.admin_view(view), name=name) for route, (view, name) in pages.items()
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "languages": settings.LANGUAGES,
            "has_logo": bool(settings.SERVICE_LOGO),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **dashboard.context_for(cast(User, request.user))})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        if "next" not in request.GET and "next" not in request.POST:
            context["next"] = reverse("admin:index")
        return cast(HttpResponse, PasswordLoginView.as_view(extra_context=context)(request))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if request.method == "POST":
            logins.end(request)
        return super().logout(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**self.each_context(request), **(extra_context or {})}
        request.current_app = self.name
        return cast(TemplateResponse, OwnPasswordView.as_view(extra_context=context)(request))
