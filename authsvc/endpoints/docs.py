"""The OpenAPI description as JSON and as a page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from authsvc.endpoints.decorators import read_only
from authsvc.endpoints.schema import document


@read_only
def schema(request: HttpRequest) -> HttpResponse:
    """Return the description of every contract (OpenAPI 3.1), as JSON whatever `Accept` says."""
    return HttpResponse(document(), content_type="application/json")


@read_only
def docs(request: HttpRequest) -> HttpResponse:
    """Return Swagger UI, which shows the description and sends requests."""
    return render(request, "docs.html")
