"""DATABASE_URL in its parts. For PostgreSQL it may name several servers, as libpq's URLs do."""

import re
from typing import Any, Final

import dj_database_url

SCHEMES: Final = frozenset({"sqlite", "postgres", "postgresql", "mysql", "mariadb"})
_SEVERAL: Final = re.compile(r"(?P<scheme>[a-z]+)://(?P<login>[^/?#]*@)?(?P<hosts>[^/?#@]*,[^/?#@]*)(?P<rest>[/?#].*)?")
# An IPv6 address is in brackets.
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORT: Final = "5432"
# The seconds are those of each server. A request waits longer for a connection, so that the next server is tried.
_OF_SEVERAL: Final = {"target_session_attrs": "read-write", "connect_timeout": 2}


class InvalidDatabaseURL(ValueError):
    """The text says why, without a part of the URL that may hold a password."""


def parse(url: str, **options: Any) -> dict[str, Any]:
    """Return Django's settings of a database; `options` are those of dj_database_url.

    Several servers are lists separated by commas in `HOST` and `PORT`, as libpq takes them. It uses the first that is
    writable; what the URL says of `target_session_attrs` and `connect_timeout` wins. Raises InvalidDatabaseURL.
    """
    several = _SEVERAL.fullmatch(url)
    if several is None:
        return _single(url, options)
    if several["scheme"] not in {"postgres", "postgresql"}:
        raise InvalidDatabaseURL("names several servers, which only PostgreSQL's may.")
    found = [_HOST.fullmatch(host) for host in several["hosts"].split(",")]
    hosts = [host["address"] or host["name"] for host in found if host]
    ports = [host["port"] or _DEFAULT_PORT for host in found if host]
    if len(hosts) < len(found) or any(int(port) > 65535 for port in ports):
        raise InvalidDatabaseURL("names several servers, of which one is not host or host:port.")
    config = _single(f"{several['scheme']}://{several['login'] or ''}host{several['rest'] or ''}", options)
    config |= {"HOST": ",".join(hosts), "PORT": ",".join(ports)}
    config["OPTIONS"] = {**_OF_SEVERAL, **config.get("OPTIONS", {})}
    return config


def _single(url: str, options: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(re.sub("^mariadb:", "mysql:", url), **options))
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError):
        # The errors of the library repeat the URL.
        raise InvalidDatabaseURL("cannot be read as a URL.") from None
