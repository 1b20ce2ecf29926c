"""Verifications and anchorings of the trail: their results, sealed as the trail's rows are, and the newest of each."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import seal
from audit.models import TrailCheck


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """The newest check of a kind: when it was, and its result in words; no time if there was none."""

    label: str | Promise
    at: datetime | None
    result: str | Promise


def store(kind: TrailCheck.Kind, *, at: datetime, intact: bool, result: dict[str, Any]) -> None:
    """Store the result of a check under a seal of its own."""
    key = seal.current_key()
    row = TrailCheck(kind=kind, at=at, intact=intact, result=result, key_name=key.name)
    row.seal = _seal(key, row)
    row.save(force_insert=True)


def newest() -> list[CheckSummary]:
    """Return the newest check of each kind."""
    return [_summary(label, TrailCheck.objects.filter(kind=kind).first()) for kind, label in TrailCheck.Kind.choices]


def is_sealed(check: TrailCheck) -> bool:
    """Return whether this service has stored the check, and nobody has changed it since."""
    key = seal.keys().get(check.key_name)
    return key is not None and compare_digest(_seal(key, check), bytes(check.seal or b""))


def local_time(at: datetime | None) -> str | Promise:
    """Return a time in the service's time zone, to the minute, or that there was none."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else _("never")


def _summary(label: str | Promise, check: TrailCheck | None) -> CheckSummary:
    if check is None:
        return CheckSummary(label, None, "-")
    if not is_sealed(check):
        return CheckSummary(label, check.at, _("not credible: this row was not written by a check"))
    return CheckSummary(label, check.at, _("intact") if check.intact else _("damaged"))


def _seal(key: seal.Key, check: TrailCheck) -> bytes:
    values = ("check", check.kind, seal.moment(check.at), check.intact, check.result, key.name)
    return key.mac(seal.canonical(values))
