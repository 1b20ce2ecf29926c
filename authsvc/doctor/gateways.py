"""Checks of what the service sends to: mail, text messages, the receiver of the trail, and their certificates."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail as django_mail
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache import cache as django_cache
from django.core.cache.backends.dummy import DummyCache
from django.utils import timezone

from accounts.messaging.senders import sms as sms_sender
from authsvc.configuration.mail import CONSOLE
from authsvc.doctor.findings import Finding, failure, ok, warning

_TIMEOUT: Final = 5
_RENEWAL: Final = timedelta(days=21)
_HTTPS: Final = 443
_SYSLOG_TLS: Final = 6514
# Apprise's schemes whose host is that of the gateway, over TLS.
_TLS_GATEWAYS: Final = frozenset({"aliyun", "jsons", "forms", "xmls"})


@dataclass(frozen=True, slots=True)
class _Server:
    variable: str
    host: str
    port: int
    starttls: bool = False


def cache() -> Iterator[Finding]:
    if isinstance(caches[DEFAULT_CACHE_ALIAS], DummyCache):
        yield ok("cache", "REDIS_URL is not set; nothing needs it.")
        return
    key = "authsvc.doctor"
    try:
        django_cache.set(key, key, _TIMEOUT)
        found = django_cache.get(key)
    except Exception as error:  # Each backend raises its own exceptions.
        found = type(error).__name__
    if found == key:
        yield ok("cache", "It stores and returns a value.")
    else:
        yield warning("cache", f"It does not return what was stored ({found}).", "Check the server of the cache.")


def mail() -> Iterator[Finding]:
    if settings.EMAIL_URL in {"", CONSOLE}:
        yield _unused("mail", "EMAIL_URL", settings.EMAIL_URL)
        return
    try:
        connection: Any = django_mail.get_connection(timeout=_TIMEOUT)
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        yield failure(
            "mail",
            f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} cannot be used: {type(error).__name__}.",
            "Check the host, the port, the user and the password in EMAIL_URL, and the firewall between.",
        )
    else:
        yield ok("mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} accepts the connection and the login.")


def sms() -> Iterator[Finding]:
    if settings.SMS_URL in {"", CONSOLE}:
        yield _unused("sms", "SMS_URL", settings.SMS_URL)
        return
    try:
        sms_sender.sender(settings.SMS_URL)
    except ValueError as error:
        yield failure("sms", f"SMS_URL cannot be used: {error}.", "See docs/messages.md.")
    else:
        yield ok("sms", "The gateway is configured; nothing was sent.")


def _unused(check: str, variable: str, url: str) -> Finding:
    if url == CONSOLE:
        return ok(check, f"{variable}={CONSOLE} prints messages, for development.")
    return ok(check, f"{variable} is not set: nothing is sent this way.")


def certificates() -> Iterator[Finding]:
    """Connect to every server that is reached by TLS, and read until when its certificate is valid."""
    servers = list(_tls_servers())
    if not servers:
        yield ok("certificates", "No server is reached by TLS.")
    for server in servers:
        yield _certificate(server)


def _tls_servers() -> Iterator[_Server]:
    if settings.EMAIL_URL.startswith(("smtps:", "smtp+tls:")):
        yield _Server("EMAIL_URL", settings.EMAIL_HOST, settings.EMAIL_PORT, starttls=settings.EMAIL_USE_TLS)
    for variable, schemes, port in (
        ("AUDIT_STREAM_URL", {"https"}, _HTTPS),
        ("AUDIT_STREAM_URL", {"syslog+tls"}, _SYSLOG_TLS),
        ("SMS_URL", _TLS_GATEWAYS, _HTTPS),
    ):
        parts = urlsplit(getattr(settings, variable))
        if parts.scheme in schemes and parts.hostname:
            yield _Server(variable, parts.hostname, parts.port or port)


def _certificate(server: _Server) -> Finding:
    name = f"{server.variable}, {server.host}:{server.port}"
    try:
        valid_until = _valid_until(server)
    except (OSError, smtplib.SMTPException) as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
        return failure(
            "certificates",
            f"{name}: no verified connection ({reason}).",
            "Renew the server's certificate, or add its authority to the system's or to SSL_CERT_FILE.",
        )
    text = f"{name}: valid until {valid_until:%Y-%m-%d}."
    if valid_until - timezone.now() < _RENEWAL:
        return warning("certificates", text, "Renew the server's certificate.")
    return ok("certificates", text)


def _valid_until(server: _Server) -> datetime:
    context = ssl.create_default_context()
    if server.starttls:
        with smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT) as connection:
            connection.starttls(context=context)
            return _not_after(connection.sock)
    with (
        socket.create_connection((server.host, server.port), timeout=_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=server.host) as encrypted,
    ):
        return _not_after(encrypted)


def _not_after(encrypted: Any) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(encrypted.getpeercert()["notAfter"]), UTC)
