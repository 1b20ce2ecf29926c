"""Rows of the trail as text: JSON, and syslog messages (RFC 5424) that carry it."""

import json
import socket
from functools import cache
from typing import Any, Final

from audit import seal
from audit.events import Status
from audit.models import Entry, LoginAttempt

# Facility 13 of RFC 5424, table 1, is "log audit"; severities 4 and 6 are "warning" and "informational".
_FACILITY: Final = 13
_WARNING: Final = 4
_INFORMATIONAL: Final = 6


def kind_of(entry: Entry) -> str:
    return "attempt" if isinstance(entry, LoginAttempt) else "event"


def as_json(entry: Entry) -> bytes:
    """Return a row as one line of JSON in ASCII: its kind, its place in the trail, its columns and its MAC."""
    kind = kind_of(entry)
    row: dict[str, Any] = {"kind": kind, "lane": entry.lane, "number": entry.number}
    row |= {name: getattr(entry, name) for name in seal.COLUMNS[kind]}
    row |= {"at": seal.moment(entry.at), "key_name": entry.key_name, "mac": bytes(entry.mac or b"").hex()}
    return json.dumps(row, separators=(",", ":"), default=str).encode()


def as_syslog(entry: Entry) -> bytes:
    """Return a row as an octet-counted syslog message (RFC 6587, section 3.4.1) of which the text is JSON."""
    failed = isinstance(entry, LoginAttempt) and entry.status == Status.FAILED
    priority = _FACILITY * 8 + (_WARNING if failed else _INFORMATIONAL)
    header = f"<{priority}>1 {seal.moment(entry.at)} {_hostname()} authsvc - {kind_of(entry)} - "
    message = header.encode() + as_json(entry)
    return b"%d %s" % (len(message), message)


@cache
def _hostname() -> str:
    """Return this machine's name as HOSTNAME requires it: printable ASCII, or the nil value."""
    name = "".join(character for character in socket.gethostname() if "!" <= character <= "~")
    return name[:255] or "-"
