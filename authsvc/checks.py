"""What an operator should know before the service goes live, and what no single variable shows.

What cannot be meant stops the start instead; see `authsvc.env`. `manage.py check --deploy` says these.
"""

import os
import re
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register
from django.db import connection

FEWEST_CHARACTERS: Final = 10
MOST_SQLITE_PROCESSES: Final = 4
# What people write where a key belongs. Nothing random holds any of it by chance.
_WORDS: Final = re.compile(
    r"passw|change.?me|change.?this|replace.?me|example|your.{0,12}(secret|key)|secret.?key",
    re.IGNORECASE,
)
# A short text over and over.
_REPEATED: Final = re.compile(r"(.{1,24}?)\1+.{0,23}", re.DOTALL)


def is_guessable(key: str) -> bool:
    """Return whether somebody with one signed token could find the key by trying."""
    few = len(set(key)) < FEWEST_CHARACTERS
    return few or bool(_WORDS.search(key)) or bool(_REPEATED.fullmatch(key))


@register(Tags.security, deploy=True)
def keys_are_random(**_: Any) -> Iterator[CheckMessage]:
    named = {"SECRET_KEY": settings.SECRET_KEY} | {
        f"{contract.upper()}_JWT_KEY": key for contract, key in settings.JWT_KEYS.items()
    }
    for name, key in named.items():
        if is_guessable(key):
            yield Warning(
                f"{name} can be guessed: who has one token can try keys at home until one fits.",
                hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
                id="authsvc.W001",
            )


@register(Tags.security, deploy=True)
def origins_are_safe(**_: Any) -> Iterator[CheckMessage]:
    plain = [origin for origin in settings.CORS_ALLOWED_ORIGINS if origin.startswith("http://")]
    if plain and settings.REQUIRE_HTTPS:
        yield Warning(
            f"CORS_ALLOWED_ORIGINS has {', '.join(plain)}: whoever is on the way can change that page, and read the "
            "passwords that are typed into it.",
            hint="Serve the page over HTTPS and name it with https://.",
            id="authsvc.W002",
        )


@register(Tags.security, deploy=True)
def the_profile_is_for_production(**_: Any) -> Iterator[CheckMessage]:
    if settings.PROFILE != "hardened":
        yield Warning(
            f"PROFILE={settings.PROFILE}: passwords of six characters will do, anybody may register as a doctor, and "
            "a reset tells who has an account.",
            hint="Leave PROFILE out, or set PROFILE=hardened.",
            id="authsvc.W003",
        )


# Not tagged as a database's check, which `check` would leave out unless a database is named.
@register(Tags.security, deploy=True)
def the_database_fits_the_processes(**_: Any) -> Iterator[CheckMessage]:
    if connection.vendor == "sqlite" and settings.WEB_CONCURRENCY > MOST_SQLITE_PROCESSES:
        yield Warning(
            f"WEB_CONCURRENCY={settings.WEB_CONCURRENCY} on SQLite: one process writes at a time, the others wait.",
            hint=f"Use PostgreSQL or MariaDB, or at most {MOST_SQLITE_PROCESSES} processes.",
            id="authsvc.W004",
        )


@register(Tags.security, deploy=True)
def the_cores_are_enough(**_: Any) -> Iterator[CheckMessage]:
    cores = os.cpu_count() or 1
    if cores < settings.WEB_CONCURRENCY:
        yield Warning(
            f"WEB_CONCURRENCY={settings.WEB_CONCURRENCY} on {cores} cores: each process hashes a password at a time, "
            "so that all of them together can slow each other down until logins are refused.",
            hint=f"Set WEB_CONCURRENCY={cores}, or less; threads serve the other requests.",
            id="authsvc.W005",
        )


@register(Tags.security, deploy=True)
def somebody_ends_tls(**_: Any) -> Iterator[CheckMessage]:
    if settings.REQUIRE_HTTPS and not settings.TRUSTED_PROXIES:
        # Whether there is a proxy cannot be seen from here: a server may end TLS by itself, and then all is well.
        yield Info(
            "TRUSTED_PROXIES=0 with REQUIRE_HTTPS: behind a proxy that ends TLS every request is refused with 426, and "
            "all clients would share the proxy's address.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front that append to X-Forwarded-For.",
            id="authsvc.I001",
        )
