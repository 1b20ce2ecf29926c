"""The native contract: document 003, extended. Errors are RFC 9457 problem details."""

from collections.abc import Mapping
from typing import Final

# The parts under which the OpenAPI description lists the operations.
AREAS: Final[Mapping[str, str]] = {
    "login": "The native contract, document 003 extended: registration, logins, tokens and password reset. Errors are "
    "RFC 9457 problem details.",
    "account": "The current user's own account, its sessions and contacts.",
    "second factor": "The current user's second factors: authenticator app, passkeys, security keys, recovery codes.",
    "administration": "Other people's accounts and the trail, for administrators.",
}
