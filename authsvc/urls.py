"""The root URL configuration; CONTRACT_MOUNTS decides where each contract is."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from authsvc.configuration.mounts import PASSWORD_PATH
from authsvc.endpoints import docs, error_handlers, jwks, metadata, metrics, probes
from authsvc.password_pages.views import CodeRequestView, CodeView, LinkView


def _mounts() -> list[URLResolver]:
    mounts = settings.CONTRACT_MOUNTS.items()
    return [path(f"{prefix}/", include(f"accounts.contracts.{name}.urls")) for name, prefix in mounts]


urlpatterns: list[URLPattern | URLResolver] = [
    # A mount such as `api` has these inside.
    path("api/schema", docs.schema, name="schema"),
    path("api/docs", docs.docs),
    *_mounts(),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("metrics", metrics.metrics),
    path(".well-known/jwks.json", jwks.jwks),
    path(".well-known/oauth-authorization-server", metadata.metadata),
    # Django's login page links what has this name.
    path(PASSWORD_PATH[1:], CodeRequestView.as_view(), name="admin_password_reset"),
    path(f"{PASSWORD_PATH[1:]}/code", CodeView.as_view(), name="password_code"),
    path(f"{PASSWORD_PATH[1:]}/link", LinkView.as_view(), name="password_link"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    re_path(r"", error_handlers.not_found),
]

handler400 = "authsvc.endpoints.error_handlers.bad_request"
handler403 = "authsvc.endpoints.error_handlers.permission_denied"
handler404 = "authsvc.endpoints.error_handlers.not_found"
handler500 = "authsvc.endpoints.error_handlers.server_error"
