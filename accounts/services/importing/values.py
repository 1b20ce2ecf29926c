"""Values of former systems, as drivers and files give them, as values of an account's columns."""

import ipaddress
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone

from accounts.models import Role, User
from accounts.policies import LONGEST_PROFILE
from accounts.services.importing.systems import FormerSystem

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_TEXTS: Final = ("full_name", "first_name", "last_name", "nickname", "department", "job_title")
_EARLIEST_YEAR: Final = 1970
_is_url: Final = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True)
class ConvertedValue:
    """What becomes of a value: columns of an account, and what was changed about it, in words."""

    columns: Mapping[str, Any]
    note: str = ""


def line(value: Any) -> str:
    """Return a value as one line of text without blanks around it, and without what no database stores."""
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("utf-8", "replace")
    text = "" if value is None else str(value)
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text)
    return text.strip()


def whole_number(value: Any) -> int | None:
    """Return a whole number or its digits as a number, None for anything else."""
    try:
        return None if isinstance(value, bool) else int(line(value))
    except ValueError:
        return None


def boolean(value: Any) -> bool | None:
    """Return what a database or a file has for a truth value, None for anything else."""
    if isinstance(value, bytes) and len(value) == 1 and value[0] < 2:
        # A BIT of MySQL.
        return bool(value[0])
    return _BOOLEANS.get(line(value).lower())


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return a time that is not in the future; one without a time zone is one of `zone`. None for anything else."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(line(value))
        if found.year < _EARLIEST_YEAR:
            return None
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        return found if found <= timezone.now() else None
    except (ValueError, OverflowError):
        return None


def address(value: Any) -> str | None:
    """Return an IP address in the form that columns have; None for anything else."""
    try:
        found = ipaddress.ip_address(line(value))
    except ValueError:
        return None
    return None if "%" in str(found) else str(getattr(found, "ipv4_mapped", None) or found)


def converted(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    """Return what becomes of the value of a column that identifies nobody; None where it is left out."""
    return _CONVERSIONS[name](name, value, system)


def _text(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    text = line(value)
    longest = getattr(User._meta.get_field(name), "max_length", 0)
    return ConvertedValue({name: text[:longest]}, f"shortened, {name}" if len(text) > longest else "")


def _role(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    role = line(value).lower()
    if role in Role.values:
        return ConvertedValue({"role": role})
    return ConvertedValue(
        {"role": str(Role.UNAUTH)}, f"without a role, because this service has no role {line(value)[:60]!r}"
    )


def _state(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    found = boolean(value)
    if found is None:
        return ConvertedValue({"is_active": False}, f"disabled, because its state is unclear: {line(value)[:60]!r}")
    return ConvertedValue({"is_active": found != (name == "is_disabled")})


def _approval(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    return ConvertedValue({name: boolean(value) is not False})


def _avatar(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    text = line(value)
    try:
        _is_url(text)
    except ValidationError:
        return None if text else ConvertedValue({})
    return ConvertedValue({name: text}) if len(text) <= 500 else None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _profile(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    try:
        found = json.loads(value, parse_constant=_refuse_constant) if isinstance(value, str | bytes) else value
        text = json.dumps(found, ensure_ascii=False, allow_nan=False)
        # JSON can name these characters; PostgreSQL stores neither.
        fits = len(text.encode()) <= LONGEST_PROFILE and "\\u0000" not in text
    except (ValueError, TypeError, RecursionError):
        return None
    return ConvertedValue({name: found}) if fits else None


def _time(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    found = moment(value, system.zone)
    return ConvertedValue({name: found.isoformat()}) if found else None


def _day(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    text = line(value)
    try:
        return ConvertedValue({name: date.fromisoformat(text[:10]).isoformat()} if text else {})
    except ValueError:
        return ConvertedValue({"is_active": False}, f"disabled, because its dates are unclear: {text[:60]!r}")


def _address(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    found = address(value)
    return ConvertedValue({name: found}) if found else None


def _language(name: str, value: Any, system: FormerSystem) -> ConvertedValue | None:
    text = line(value)
    return ConvertedValue({name: text}) if not text or text in dict(settings.LANGUAGES) else None


def _proof(name: str, value: Any, system: FormerSystem) -> ConvertedValue:
    return ConvertedValue({name: line(value)})


_CONVERSIONS: Final[Mapping[str, Callable[[str, Any, FormerSystem], ConvertedValue | None]]] = {
    **dict.fromkeys(_TEXTS, _text),
    "role": _role,
    "is_active": _state,
    "is_disabled": _state,
    "awaits_approval": _approval,
    "avatar_url": _avatar,
    "profile": _profile,
    "last_login": _time,
    "created_at": _time,
    "password_changed_at": _time,
    "valid_from": _day,
    "valid_until": _day,
    "last_login_ip": _address,
    "language": _language,
    "verified_email": _proof,
    "verified_phone": _proof,
}
