"""The admin site: Django's, with this service's sign-in, password change, dashboard, language choice and logo."""

from typing import Any, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.views.i18n import set_language

from accounts.models import User
from authsvc.admin_site import dashboard
from authsvc.admin_site.forms import LoginForm
from authsvc.admin_site.policies_page import policies_page
from authsvc.admin_site.views import OwnPasswordView, logo_file


class Site(AdminSite):
    site_header = site_title = settings.SERVICE_NAME
    # There is no public site to link to.
    site_url = None
    login_form = LoginForm

    def get_urls(self) -> list[Any]:
        return [
            path("language", set_language, name="language"),
            path("logo", logo_file, name="logo"),
            path("policies/", self.admin_view(policies_page), name="policies"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "languages": settings.LANGUAGES,
            "has_logo": bool(settings.SERVICE_LOGO),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **dashboard.context_for(cast(User, request.user))})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**self.each_context(request), **(extra_context or {})}
        request.current_app = self.name
        return cast(TemplateResponse, OwnPasswordView.as_view(extra_context=context)(request))
