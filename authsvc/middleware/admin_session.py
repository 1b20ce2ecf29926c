"""Sessions of the admin site, the only part of the service that has session cookies."""

import re

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from authsvc.configuration.mounts import ADMIN_PATH
from authsvc.middleware.pages import PagesOnly

_SESSION_KEY = re.compile(r"[a-z0-9]{32}")


class AdminSessionMiddleware(PagesOnly, SessionMiddleware):
    """Django's session middleware; it ignores cookies that are not session keys, and extends a session at each request.

    A session ends SESSION_COOKIE_AGE seconds after its last request to the admin site.
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
