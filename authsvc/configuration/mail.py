"""EMAIL_URL as Django's e-mail settings."""

from dataclasses import dataclass
from email.utils import formataddr
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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
    """Return the host as the domain of an e-mail address, which an IP address cannot be."""
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


def from_url(url: str, service_name: str) -> dict[str, Any]:
    """Return the settings for a URL such as `smtps://user:password@mail.example.org/?from=a@example.org`.

    Without `from` the sender is the user name, if that is an address, else `noreply` at the server. Raises ValueError;
    its text shows no part of the URL but the scheme.
    """
    if url in {"", CONSOLE}:
        return {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Python's own message would show a part of it.
        raise ValueError("EMAIL_URL cannot be read as a URL.") from None
    scheme = _SCHEMES.get(parts.scheme)
    if not scheme:
        raise ValueError(f"EMAIL_URL starts with '{parts.scheme[:20]}', which is not one of: {', '.join(_SCHEMES)}.")
    if not parts.hostname:
        raise ValueError("EMAIL_URL has no host.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    options = parse_qs(parts.query)
    if unknown := options.keys() - {"from"}:
        raise ValueError(f"EMAIL_URL has the unknown option '{min(unknown)[:20]}'; the only option is 'from'.")
    address = options.get("from", [user if "@" in user else f"noreply@{_domain(parts.hostname)}"])[-1]
    if "@" not in address or not address.isprintable():
        raise ValueError("EMAIL_URL has no valid sender address.")
    return {
        "EMAIL_BACKEND": "accounts.messaging.senders.email.Backend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or scheme.port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": scheme.starttls,
        "EMAIL_USE_SSL": scheme.tls,
        "DEFAULT_FROM_EMAIL": formataddr((service_name, address)),
    }
