"""EMAIL_URL as Django's e-mail settings."""

from dataclasses import dataclass
from email.utils import formataddr
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from accounts.policies import GATEWAY_TIMEOUT

CONSOLE = "console:"


@dataclass(frozen=True, slots=True)
class _Scheme:
    port: int
    starttls: bool = False
    tls: bool = False


_SCHEMES = {
    "smtp": _Scheme(25),
    "smtp+tls": _Scheme(587, starttls=True),
    "smtps": _Scheme(465, tls=True),
}


def _domain(host: str) -> str:
    """Return the host as the domain of an address; a number is none."""
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


def from_url(url: str, service_name: str) -> dict[str, Any]:
    """Return the settings that a URL such as `smtps://user:password@mail.example.org/?from=a@example.org` stands for.

    Without `from` messages come from the user name, if that is an address, or else from `noreply` at the server.
    Raises ValueError, which says what is wrong and shows no part of the URL but its scheme.
    """
    if url in {"", CONSOLE}:
        return {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Python's own words would show a part of it.
        raise ValueError("EMAIL_URL cannot be read as a URL.") from None
    scheme = _SCHEMES.get(parts.scheme)
    if not scheme:
        raise ValueError(f"EMAIL_URL starts with '{parts.scheme[:20]}', which is none of: {', '.join(_SCHEMES)}.")
    if not parts.hostname:
        raise ValueError("EMAIL_URL has no host.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    options = parse_qs(parts.query)
    if unknown := options.keys() - {"from"}:
        raise ValueError(f"EMAIL_URL has the option '{min(unknown)[:20]}', and only 'from' is known.")
    address = options.get("from", [user if "@" in user else f"noreply@{_domain(parts.hostname)}"])[-1]
    if "@" not in address or not address.isprintable():
        raise ValueError("EMAIL_URL does not say which address its messages come from.")
    return {
        "EMAIL_BACKEND": "accounts.messaging.senders.email.Backend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or scheme.port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": scheme.starttls,
        "EMAIL_USE_SSL": scheme.tls,
        "EMAIL_TIMEOUT": GATEWAY_TIMEOUT.total_seconds(),
        "DEFAULT_FROM_EMAIL": formataddr((service_name, address)),
    }
