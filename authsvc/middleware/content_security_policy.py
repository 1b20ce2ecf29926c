"""The Content-Security-Policy header (CSP, W3C)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from authsvc.configuration.mounts import ADMIN_PATH, is_password_page

_PAGES = (ADMIN_PATH, "/api/docs")
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ContentSecurityPolicyMiddleware:
    """Forbids browsers to load anything for a response, except this service's own files for its own pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = request.path.startswith(_PAGES) or is_password_page(request.path)
        response["Content-Security-Policy"] = _PAGE_POLICY if is_page else _API_POLICY
        return response
