"""Where each request came from."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.security.client_address import client_address, is_private
from audit.origin import ADMIN_SITE, PASSWORD_PAGES, USER_AGENT_LENGTH, Origin, escape_control_chars, request_origin
from authsvc.configuration.mounts import ADMIN_PATH, is_password_page, mounted_contract

logger = logging.getLogger(__name__)


class RequestOriginMiddleware:
    """Sets `request.origin`, which `audit.origin.request_origin` returns.

    It warns once in a process of a proxy that TRUSTED_PROXIES does not count.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.has_warned = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.origin = _origin(request)  # type: ignore[attr-defined]  # An attribute of this project's requests.
        if not (settings.TRUSTED_PROXIES or self.has_warned) and "HTTP_X_FORWARDED_FOR" in request.META:
            self._warn_of_proxy(request_origin(request).ip)
        return self.get_response(request)

    def _warn_of_proxy(self, peer: str | None) -> None:
        # Strangers on the Internet may send the header too, but a peer in a private network is probably a proxy.
        if is_private(peer):
            self.has_warned = True
            logger.warning(
                "%s sent X-Forwarded-For, which is not read: TRUSTED_PROXIES=0. If it is a proxy, all clients share "
                "its address and its limits.",
                peer or "A Unix socket",
            )


def _origin(request: HttpRequest) -> Origin:
    return Origin(
        contract=_contract(request.path),
        ip=client_address(
            request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
        ),
        user_agent=escape_control_chars(request.META.get("HTTP_USER_AGENT", ""))[:USER_AGENT_LENGTH],
    )


def _contract(path: str) -> str:
    if is_password_page(path):
        return PASSWORD_PAGES
    return ADMIN_SITE if path.startswith(ADMIN_PATH) else mounted_contract(path, settings.CONTRACT_MOUNTS)
