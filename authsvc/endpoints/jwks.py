"""The JSON Web Key Set (RFC 7517) of the native contract."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.contracts.native.tokens import ACCESS
from accounts.policies import KEYS_REREAD
from accounts.security.keys import ring
from authsvc.endpoints.decorators import read_only


@read_only
def jwks(request: HttpRequest) -> HttpResponse:
    """Return the public keys that verify native access tokens."""
    return JsonResponse(
        {"keys": [key.public_jwk() for key in ring.all(ACCESS)]},
        content_type="application/jwk-set+json",
        headers={
            "Cache-Control": f"public, max-age={int(KEYS_REREAD.total_seconds())}",
            "Access-Control-Allow-Origin": "*",
        },
    )
