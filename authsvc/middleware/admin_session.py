"""Sessions of the admin site, the only part of the service that has session cookies."""

import re

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

_SESSION_KEY = re.compile(r"[a-z0-9]{32}")


class AdminSessionMiddleware(SessionMiddleware):
    """Django's session middleware; it ignores cookies that are not session keys."""

    def process_request(self, request: HttpRequest) -> None:
        given = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if not _SESSION_KEY.fullmatch(given):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)
