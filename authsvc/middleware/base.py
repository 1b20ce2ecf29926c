"""What every answer has in common, whichever contract or page it comes from."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from accounts.errors import HTTPSRequired
from audit.origin import current_request_id
from authsvc.answers import error_answer
from authsvc.logs import REQUEST_ID
from authsvc.mounts import ADMIN_PATH

Handler = Callable[[HttpRequest], HttpResponse]

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SESSION_KEY = re.compile(r"[a-z0-9]{32}")
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_PROBES = frozenset({"/healthz", "/readyz"})
_PAGES = (ADMIN_PATH, "/api/docs")
_FOR_ANSWERS = "default-src 'none'; frame-ancestors 'none'"
_FOR_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class RequestID:
    """Names each request, by the caller's `X-Request-ID` if that is harmless, and says the name in the answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        request.META[REQUEST_ID] = request_id
        reset = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(reset)
        response["X-Request-ID"] = request_id
        return response


class OnlyUTF8:
    """Refuses forms in another charset than UTF-8; Django would take any codec that Python has."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if request.content_type in _FORMS and charset not in {"utf-8", "utf8"}:
            return error_answer(request, SuspiciousOperation())
        return self.get_response(request)


class AdminSession(SessionMiddleware):
    """Django's sessions, which only logins of the admin site have: nobody's made-up cookie is looked up or stored.

    A login goes on for half an hour after its last request.
    """

    def process_request(self, request: HttpRequest) -> None:
        given = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if not _SESSION_KEY.fullmatch(given):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path.startswith(ADMIN_PATH) and SESSION_KEY in request.session:
            request.session.modified = True
        return super().process_response(request, response)


class ContentSecurityPolicy:
    """Tells the browser what an answer may load: nothing, but for our own pages, which load our own files."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = request.path.startswith(_PAGES)
        response["Content-Security-Policy"] = _FOR_PAGES if is_page else _FOR_ANSWERS
        return response


class RequireHTTPS:
    """Refuses plain HTTP with 426 in the contract's words: a redirected POST has sent its password already."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_HTTPS and not request.is_secure() and request.path not in _PROBES:
            return error_answer(request, HTTPSRequired())
        return self.get_response(request)
