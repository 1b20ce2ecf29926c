"""System checks of connections to other machines that are not encrypted."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connection, connections

from audit import replica

# The modes of libpq in which a connection without TLS is refused.
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})


def is_remote(host: str) -> bool:
    """Return whether a host is another machine: no name of this one, no loopback address, no path of a socket."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return False
    try:
        return not ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return True


@register(Tags.security, deploy=True)
def remote_databases_use_tls(**_: Any) -> Iterator[CheckMessage]:
    if connection.vendor == "sqlite":
        return
    option = "sslmode=verify-full" if connection.vendor == "postgresql" else "ssl-ca=/etc/ssl/certs/ca-certificates.crt"
    servers = {"DATABASE_URL": connection.settings_dict}
    if replica.is_configured():
        servers["DATABASE_REPLICA_URL"] = connections[replica.ALIAS].settings_dict
    for variable, server in servers.items():
        if not any(map(is_remote, str(server["HOST"]).split(","))) or _is_encrypted(server["OPTIONS"]):
            continue
        yield Warning(
            f"{variable} leads to another machine ({server['HOST']}) and requires no TLS: password hashes and personal "
            "data can be read on the way.",
            hint=f"Add ?{option} to {variable}.",
            id="authsvc.W007",
        )


def _is_encrypted(options: dict[str, Any]) -> bool:
    if connection.vendor == "postgresql":
        return options.get("sslmode") in _ENCRYPTED
    return any(name.startswith("ssl") and value for name, value in options.items())


@register(Tags.security, deploy=True)
def remote_mail_servers_use_tls(**_: Any) -> Iterator[CheckMessage]:
    parts = urlsplit(settings.EMAIL_URL)
    if parts.scheme == "smtp" and is_remote(parts.hostname or ""):
        yield Warning(
            f"EMAIL_URL leads to another machine ({parts.hostname}) without TLS: reset codes can be read on the way.",
            hint="Use smtps:// or smtp+tls://.",
            id="authsvc.W008",
        )
