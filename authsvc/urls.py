"""The mount table: which path leads where."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from authsvc import views


def _mounts() -> list[URLResolver]:
    # The longest path comes first, as one mount may lie inside another.
    table = sorted(settings.CONTRACT_MOUNTS.items(), key=lambda item: -len(item[1]))
    return [path(f"{prefix}/", include(f"accounts.contracts.{name}.urls")) for name, prefix in table]


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path(".well-known/jwks.json", views.jwks),
    path("api/schema", views.schema, name="schema"),
    path("api/docs", views.docs),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    *_mounts(),
    re_path(r"", views.not_found),
]

handler400 = "authsvc.views.bad_request"
handler404 = "authsvc.views.not_found"
handler500 = "authsvc.views.server_error"
