"""System checks of the whole configuration.

Errors (E…) end every command and the start of a server; `authsvc.configuration.env` finds those that need no
application code. Warnings and infos are shown by `manage.py check --deploy`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import connection, connections

from accounts.messaging.senders import sms
from accounts.models import Role
from accounts.policies import HMAC_BYTES, SHARED_KEYS
from audit import replica
from authsvc.configuration.env import MIN_DISTINCT_CHARACTERS
from authsvc.configuration.errors import HINTS

MAX_SQLITE_PROCESSES: Final = 4
# Placeholders that people leave in place of a key. No random key contains one by chance.
_PLACEHOLDERS: Final = re.compile(
    r"passw|change.?me|change.?this|replace.?me|example|your.{0,12}(secret|key)|secret.?key",
    re.IGNORECASE,
)
# A short text, repeated.
_REPEATED: Final = re.compile(r"(.{1,24}?)\1+.{0,23}", re.DOTALL)


def is_guessable(key: str) -> bool:
    """Return whether a key looks made up by a person rather than random."""
    few = len(set(key)) < MIN_DISTINCT_CHARACTERS
    return few or bool(_PLACEHOLDERS.search(key)) or bool(_REPEATED.fullmatch(key))


def _error(number: str, text: str) -> Error:
    return Error(text, hint=HINTS[number], id=f"authsvc.{number}")


@register(Tags.security)
def jwt_keys_have_the_length_of_their_hash(**_: Any) -> Iterator[CheckMessage]:
    """Require RFC 7518, section 3.2: an HMAC key is at least as long as the output of its hash."""
    for contract, key in settings.JWT_KEYS.items():
        required = HMAC_BYTES[SHARED_KEYS[contract]]
        if (length := len(key.encode())) < required:
            yield _error("E009", f"{contract.upper()}_JWT_KEY has {length} bytes and needs {required}.")


@register()
def the_sms_gateway_can_be_used(**_: Any) -> Iterator[CheckMessage]:
    if not settings.SMS_URL:
        return
    try:
        sms.sender(settings.SMS_URL)
    except ValueError as error:
        yield _error("E014" if sms.is_dotted(settings.SMS_URL) else "E013", f"SMS_URL cannot be used: {error}")


@register(Tags.security)
def roles_that_need_a_second_factor_exist(**_: Any) -> Iterator[CheckMessage]:
    for role in sorted(settings.MFA_REQUIRED_ROLES - set(Role.values)):
        yield _error("E023", f"MFA_REQUIRED_ROLES has {role}, which is not a role.")


@register(Tags.security, deploy=True)
def keys_are_random(**_: Any) -> Iterator[CheckMessage]:
    named = [("SECRET_KEY", key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    named += [("AUDIT_KEY", key) for key in settings.AUDIT_KEYS]
    named += [(f"{contract.upper()}_JWT_KEY", key) for contract, key in settings.JWT_KEYS.items()]
    named += [("METRICS_TOKEN", settings.METRICS_TOKEN)] if settings.METRICS_TOKEN else []
    for name, key in named:
        if is_guessable(key):
            yield Warning(
                f"{name} is guessable: it is found by trying, and a key offline by anyone who has one token.",
                hint=HINTS["E009"],
                id="authsvc.W001",
            )


@register(Tags.security, deploy=True)
def the_trail_has_a_key_of_its_own(**_: Any) -> Iterator[CheckMessage]:
    if not settings.AUDIT_KEYS:
        # An info, because three variables are enough for production.
        yield Info(
            "AUDIT_KEY is not set: the trail's seal uses a key derived from SECRET_KEY, so that an assessor cannot be "
            "given it, and a lost SECRET_KEY leaves rows that nobody can verify.",
            hint=HINTS["E019"],
            id="authsvc.I003",
        )


@register(Tags.security, deploy=True)
def cors_origins_use_https(**_: Any) -> Iterator[CheckMessage]:
    plain = [origin for origin in settings.CORS_ALLOWED_ORIGINS if origin.startswith("http://")]
    if plain and settings.REQUIRE_HTTPS:
        yield Warning(
            f"CORS_ALLOWED_ORIGINS has {', '.join(plain)}: an attacker on the network can change a page served over "
            "plain HTTP, and read the passwords typed into it.",
            hint="Serve the page over HTTPS and list it with https://.",
            id="authsvc.W002",
        )


@register(Tags.security, deploy=True)
def the_profile_is_hardened(**_: Any) -> Iterator[CheckMessage]:
    if settings.PROFILE != "hardened":
        yield Warning(
            f"PROFILE={settings.PROFILE}: passwords of six characters are accepted, anyone may register as a doctor, "
            "and a password reset discloses which accounts exist.",
            hint="Leave PROFILE out, or set PROFILE=hardened.",
            id="authsvc.W003",
        )


# Without the database tag, because `check` skips checks with that tag unless a database is named.
@register(Tags.security, deploy=True)
def sqlite_has_few_processes(**_: Any) -> Iterator[CheckMessage]:
    if connection.vendor == "sqlite" and settings.WEB_CONCURRENCY > MAX_SQLITE_PROCESSES:
        yield Warning(
            f"WEB_CONCURRENCY={settings.WEB_CONCURRENCY} on SQLite: one process writes at a time, the others wait.",
            hint=f"Use PostgreSQL or MariaDB, or at most {MAX_SQLITE_PROCESSES} processes.",
            id="authsvc.W004",
        )


@register(Tags.security, deploy=True)
def the_replica_is_another_server(**_: Any) -> Iterator[CheckMessage]:
    if not replica.is_configured():
        return
    places = [
        tuple(server[part] for part in ("HOST", "PORT", "NAME"))
        for server in (connection.settings_dict, connections[replica.ALIAS].settings_dict)
    ]
    if places[0] == places[1]:
        yield Warning(
            "DATABASE_REPLICA_URL leads to the database of DATABASE_URL.",
            hint="Point it to a standby, or leave it out: the trail's lists are then read from the primary.",
            id="authsvc.W009",
        )


@register(Tags.security, deploy=True)
def each_process_has_a_core(**_: Any) -> Iterator[CheckMessage]:
    cores = os.cpu_count() or 1
    if cores < settings.WEB_CONCURRENCY:
        yield Warning(
            f"WEB_CONCURRENCY={settings.WEB_CONCURRENCY} on {cores} cores: each process hashes one password at a time; "
            "together they can slow each other down until logins are refused.",
            hint=f"Set WEB_CONCURRENCY={cores}, or less; threads serve the other requests.",
            id="authsvc.W005",
        )


@register(Tags.security, deploy=True)
def a_tls_proxy_is_trusted(**_: Any) -> Iterator[CheckMessage]:
    if settings.REQUIRE_HTTPS and not settings.TRUSTED_PROXIES:
        # An info, because the server may terminate TLS itself, which cannot be seen from here.
        yield Info(
            "TRUSTED_PROXIES=0 with REQUIRE_HTTPS: behind a proxy that terminates TLS every request is refused with "
            "426, and all clients share the proxy's address. A process warns of such a proxy once in its log.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front that append to X-Forwarded-For.",
            id="authsvc.I001",
        )


@register(Tags.security, deploy=True)
def the_sqlite_file_is_private(**_: Any) -> Iterator[CheckMessage]:
    if connection.vendor != "sqlite":
        return
    for suffix in ("", "-wal", "-shm"):
        path = Path(f"{connection.settings_dict['NAME']}{suffix}")
        mode = path.stat().st_mode & 0o777 if path.is_file() else 0
        if mode & 0o077:
            yield Warning(
                f"{path} has mode {mode:04o}: other users of this machine can read password hashes and personal data.",
                hint=f"chmod 600 {path}",
                id="authsvc.W006",
            )
