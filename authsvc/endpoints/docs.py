"""The OpenAPI description as JSON and as a page, for those whom DOCS allows to read it."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from accounts.errors import PermissionDenied
from authsvc.endpoints.decorators import read_only
from authsvc.endpoints.error_responses import error_response
from authsvc.endpoints.schema import compressed_document


@read_only
def schema(request: HttpRequest) -> HttpResponse:
    """Return the description of every contract (OpenAPI 3.1), as JSON whatever `Accept` says."""
    if settings.DOCS == "off":
        return error_response(request, Http404())
    if not _may_read(request):
        return error_response(request, PermissionDenied())
    return _readable(compressed_document().response(request))


@read_only
def docs(request: HttpRequest) -> HttpResponse:
    """Return Swagger UI, which shows the description and sends requests."""
    if settings.DOCS == "off":
        return error_response(request, Http404())
    if not _may_read(request):
        return redirect_to_login(request.path, resolve_url(settings.LOGIN_URL))
    return _readable(render(request, "docs.html"))


def _may_read(request: HttpRequest) -> bool:
    return settings.DOCS == "public" or admin.site.has_permission(request)


def _readable(response: HttpResponse) -> HttpResponse:
    """Return the response; where it is for staff, no cache may store it for others."""
    if settings.DOCS != "public":
        response["Cache-Control"] = "no-store"
    return response
