"""What the access log and the metrics say of a request: its contract, its operation and its user."""

import re
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from audit.origin import ADMIN_SITE, request_origin

# The operation of a request that no view received, and the contract of a path that belongs to none. A stranger chooses
# neither, so that the number of time series is bounded.
NONE: Final = "none"
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def operation_of(request: HttpRequest) -> tuple[str, str]:
    """Return the names of the contract and of the operation, such as `native` and `users/{user_id}`."""
    contract, match = request_origin(request).contract, request.resolver_match
    if match is None:
        return contract, NONE
    return _operation(contract, match.route, match.url_name or getattr(match.func, "__name__", NONE))


@cache
def _operation(contract: str, route: str, view: str) -> tuple[str, str]:
    if contract == ADMIN_SITE:
        return contract, view
    mount = f"{settings.CONTRACT_MOUNTS[contract]}/"
    if not route.startswith(mount):
        return NONE, view
    return contract, _PARAMETER.sub(r"{\1}", route.removeprefix(mount)) or NONE


def user_id_of(request: HttpRequest) -> int | None:
    """Return the id of the user whose token or cookie was read; it reads neither itself."""
    attributes = vars(request)
    # Django's middleware for pages sets `user` to an object that would query the database here.
    user: Any = attributes.get("_cached_user") if "session" in attributes else attributes.get("user")
    return getattr(user, "pk", None)
