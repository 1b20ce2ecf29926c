"""The refresh token in a cookie, where the scripts of a page cannot read it; docs/browsers.md explains its use.

A request chooses the cookie by the header `X-Refresh-Cookie`, which no form and no link can send. The header and the
check of `Origin` prevent requests that pages of other origins forge (CSRF); `SameSite` prevents those of other sites.
"""

import re
from typing import Final

from corsheaders.conf import conf
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.authentication import BearerAuthentication
from accounts.contracts.native import tokens
from accounts.errors import OriginNotAllowed, RefreshCookieMissing
from accounts.models import Session, User
from audit.origin import request_origin

HEADER: Final = "X-Refresh-Cookie"
_META_KEY: Final = f"HTTP_{HEADER.upper().replace('-', '_')}"
_NAME: Final = "refresh_token"
# The page and the service must be of one site: browsers block or discard cookies of third parties.
_SAME_SITE: Final = "Strict"


class RefreshCookieAuthentication(BearerAuthentication):
    """Returns the user and the session of the refresh token in the cookie."""

    def authenticate(self, request: Request) -> tuple[User, Session]:
        session = tokens.session_of_refresh_token(token_of(request), request_origin(request))
        return session.user, session


def is_chosen(request: Request) -> bool:
    """Return whether the refresh token of this request and of its response is in the cookie."""
    # `request.headers` would parse all of them.
    return _META_KEY in request.META


def require_allowed_origin(request: Request) -> None:
    """Raise OriginNotAllowed unless the request's page is of this service's own origin or of a listed one."""
    origin = request.headers.get("Origin", "")
    listed = origin in {f"{request.scheme}://{request.get_host()}", *conf.CORS_ALLOWED_ORIGINS}
    if not listed and not any(re.match(pattern, origin) for pattern in conf.CORS_ALLOWED_ORIGIN_REGEXES):
        raise OriginNotAllowed


def token_of(request: Request) -> str:
    """Return the refresh token in the cookie. Raises RefreshCookieMissing."""
    token = request.COOKIES.get(_cookie_name(request))
    if not token:
        raise RefreshCookieMissing
    return str(token)


def move_token(request: Request, response: Response) -> None:
    """Move the refresh token of a response from its body to the cookie, which expires with it."""
    response.set_cookie(
        _cookie_name(request),
        response.data.pop("refresh_token"),
        max_age=response.data["refresh_expires_in"],
        secure=_is_secure(request),
        httponly=True,
        samesite=_SAME_SITE,
    )


def delete(request: Request, response: Response) -> None:
    """Delete the cookie."""
    # A browser ignores the header unless it has the attributes that the name requires.
    response.set_cookie(
        _cookie_name(request), max_age=0, secure=_is_secure(request), httponly=True, samesite=_SAME_SITE
    )


def _cookie_name(request: Request) -> str:
    # Another host of the domain cannot set a cookie whose name has the prefix (RFC 6265bis, 4.1.3.2).
    return f"__Host-{_NAME}" if _is_secure(request) else _NAME


def _is_secure(request: Request) -> bool:
    # Browsers refuse the prefix and `Secure` over plain HTTP, which only development has.
    return request.is_secure() or not settings.DEBUG
