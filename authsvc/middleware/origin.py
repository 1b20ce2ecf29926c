"""Where each request came from."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.security.client_address import client_address
from audit.origin import ADMIN_SITE, USER_AGENT_LENGTH, Origin, escape_control_chars
from authsvc.configuration.mounts import ADMIN_PATH, mounted_contract


class RequestOriginMiddleware:
    """Sets `request.origin`, which `audit.origin.request_origin` returns."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.origin = _origin(request)  # type: ignore[attr-defined]  # An attribute of this project's requests.
        return self.get_response(request)


def _origin(request: HttpRequest) -> Origin:
    is_admin = request.path.startswith(ADMIN_PATH)
    return Origin(
        contract=ADMIN_SITE if is_admin else mounted_contract(request.path, settings.CONTRACT_MOUNTS),
        ip=client_address(
            request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
        ),
        user_agent=escape_control_chars(request.META.get("HTTP_USER_AGENT", ""))[:USER_AGENT_LENGTH],
    )
