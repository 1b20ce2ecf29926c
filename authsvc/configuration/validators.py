"""Validators of single environment variables; each returns the value or raises an error with an id."""

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers
from pydantic import StringConstraints, TypeAdapter, ValidationInfo
from pydantic_core import SchemaError

from authsvc.configuration import database_urls, logo, mail
from authsvc.configuration.errors import invalid
from authsvc.configuration.mounts import MountError, mount_table

BASE_DIR: Final = Path(__file__).resolve().parent.parent.parent
# A name, an IPv4 address, or an IPv6 address in brackets.
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
# A domain in lower case, without a port: browsers accept no address as the id of a relying party.
_DOMAIN: Final = re.compile(r"(?!\d+(\.\d+){3}$)[a-z0-9-]+(\.[a-z0-9-]+)*")
_STREAMS: Final = ("syslog+tcp", "syslog+tls", "https")
# China's Cybersecurity Law, article 21, requires logs of at least six months.
SHORTEST_RETENTION_DAYS: Final = 180
# A session may last as long without a login.
SHORTEST_DORMANCY_DAYS: Final = 30
LONGEST_DORMANCY_DAYS: Final = 3650


def split_items(value: object) -> object:
    """Split a comma-separated variable; blanks around the commas and empty items are dropped."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def normalize_console(value: object) -> object:
    """Return `console:` for `console://` too."""
    return mail.CONSOLE if value == f"{mail.CONSOLE}//" else value


def valid_hosts(hosts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    for host in hosts:
        if host == "*" and info.data.get("debug"):
            continue
        if not _HOST.fullmatch(host.lower().removeprefix(".")):
            raise invalid("E011", f"ALLOWED_HOSTS has {host}, which is not a host name.")
    return hosts


def valid_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not _is_origin(origin):
            raise invalid("E007", f"CORS_ALLOWED_ORIGINS has {origin}, which is not scheme://host[:port].")
    return origins


def _is_origin(text: str) -> bool:
    """Return whether a browser sends this as `Origin`; it never sends a wildcard, `null` or a path."""
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return False
    host = parts.netloc.removesuffix(port)
    return (
        parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(host)) and text == f"{parts.scheme}://{host}{port}"
    )


def valid_time_zone(value: str) -> str:
    if value not in available_timezones():
        raise invalid("E008", f"TIME_ZONE={value} is not a time zone.")
    return value


def valid_mounts(value: str) -> str:
    try:
        mount_table(value)
    except MountError as error:
        raise invalid("E005", str(error)) from error
    return value


def valid_database(value: str, info: ValidationInfo) -> str:
    name = str(info.field_name).upper()
    scheme = value.partition(":")[0]
    if scheme not in database_urls.SCHEMES:
        # The value itself may hold a password, so only its scheme is shown.
        raise invalid("E004", f"{name} starts with '{scheme[:20]}', which is not a supported database.")
    try:
        database_urls.parse(value)
    except database_urls.InvalidDatabaseURL as error:
        raise invalid("E004", f"{name} {error}") from None
    return value


def valid_replica(value: str, info: ValidationInfo) -> str:
    if not value:
        return value
    valid_database(value, info)
    # DATABASE_URL is missing where it is invalid itself.
    engines = {_engine(url) for url in (value, info.data.get("database_url", value))}
    if len(engines) > 1 or "sqlite" in engines:
        raise invalid("E028", "DATABASE_REPLICA_URL is not of the same kind of server as DATABASE_URL.")
    return value


def _engine(url: str) -> str:
    return {"postgres": "postgresql", "mariadb": "mysql"}.get(scheme := url.partition(":")[0], scheme)


def valid_service_name(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it contains unprintable characters")
    return value


def valid_pattern(value: str) -> str:
    """Return a regular expression that is valid by itself and as a group.

    The engine is pydantic's, which matches in linear time: no pattern takes long for any name.
    """
    try:
        for pattern in (value, f"(?:{value})"):
            TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        reason = str(error).splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ").rstrip(".")
        raise invalid("E018", f"RESERVED_USERNAMES is not a usable regular expression: {reason}.") from None
    return value


def valid_logo(value: str) -> str:
    try:
        return str(logo.validated(BASE_DIR / value)) if value else ""
    except ValueError as error:
        raise invalid("E015", f"SERVICE_LOGO cannot be used: {error}.") from None


def valid_retention(days: int) -> int:
    if days < SHORTEST_RETENTION_DAYS:
        raise invalid("E021", f"TRAIL_RETENTION_DAYS={days} is less than {SHORTEST_RETENTION_DAYS}.")
    return days


def valid_dormancy(days: int) -> int:
    if days and not SHORTEST_DORMANCY_DAYS <= days <= LONGEST_DORMANCY_DAYS:
        bounds = f"{SHORTEST_DORMANCY_DAYS} to {LONGEST_DORMANCY_DAYS}"
        raise invalid("E026", f"DORMANT_DAYS={days} is neither 0 nor {bounds}.")
    return days


def valid_stream(value: str) -> str:
    # The value may hold a password, so no message shows it.
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise invalid("E022", "AUDIT_STREAM_URL cannot be read as a URL.") from None
    if parts.scheme not in _STREAMS:
        raise invalid("E022", f"AUDIT_STREAM_URL starts with '{parts.scheme[:20]}', not with {', '.join(_STREAMS)}.")
    if not host:
        raise invalid("E022", "AUDIT_STREAM_URL names no host.")
    return value


def valid_issuer(value: str) -> str:
    """Return an issuer identifier (RFC 8414, section 2): a URL without query and fragment."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"https", "http"} or not parts.hostname or set("?#") & set(value)):
        raise invalid("E025", f"ISSUER={value} is not a URL without query and fragment.")
    return value


def valid_rp_id(value: str) -> str:
    if value and not _DOMAIN.fullmatch(value):
        raise invalid("E024", f"WEBAUTHN_RP_ID={value} is not a domain name.")
    return value


def valid_regions(regions: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(region.upper() for region in regions)
    for region in known:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{region} is not a region such as CN, HK or MO")
    return known


def valid_mail_server(value: str) -> str:
    try:
        mail.from_url(value, "")
    except ValueError as error:
        raise invalid("E012", str(error)) from None
    return value
