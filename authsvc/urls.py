"""The root URL configuration; CONTRACT_MOUNTS decides where each contract is."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from authsvc.endpoints import docs, error_handlers, jwks, metadata, metrics, probes


def _mounts() -> list[URLResolver]:
    # The longest path comes first, as one mount may lie inside another.
    table = sorted(settings.CONTRACT_MOUNTS.items(), key=lambda item: -len(item[1]))
    return [path(f"{prefix}/", include(f"accounts.contracts.{name}.urls")) for name, prefix in table]


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("metrics", metrics.metrics),
    path(".well-known/jwks.json", jwks.jwks),
    path(".well-known/oauth-authorization-server", metadata.metadata),
    path("api/schema", docs.schema, name="schema"),
    path("api/docs", docs.docs),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    *_mounts(),
    re_path(r"", error_handlers.not_found),
]

handler400 = "authsvc.endpoints.error_handlers.bad_request"
handler403 = "authsvc.endpoints.error_handlers.permission_denied"
handler404 = "authsvc.endpoints.error_handlers.not_found"
handler500 = "authsvc.endpoints.error_handlers.server_error"
