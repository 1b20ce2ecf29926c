"""Authorization server metadata (RFC 8414), by which libraries find the keys of an issuer."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.policies import KEYS_REREAD
from authsvc.endpoints.decorators import read_only


def document() -> dict[str, Any]:
    """Return what is true of this service: it issues access tokens to its own login, and has no OAuth grants."""
    return {
        "issuer": settings.ISSUER,
        "jwks_uri": f"{settings.ISSUER.rstrip('/')}/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": [],
        "ui_locales_supported": [code for code, _name in settings.LANGUAGES],
    }


@read_only
def metadata(request: HttpRequest) -> HttpResponse:
    """Return the metadata of the issuer in the native contract's access tokens."""
    return JsonResponse(
        document(),
        headers={
            "Cache-Control": f"public, max-age={int(KEYS_REREAD.total_seconds())}",
            "Access-Control-Allow-Origin": "*",
        },
    )
