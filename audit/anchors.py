"""Anchors: the heads of all lanes at one time, signed, to be kept where the database's owner cannot reach them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from audit import seal, sealed_rows, trail_checks
from audit.models import Checkpoint, Lane, TrailCheck

_FORMAT: Final = "authsvc-trail-anchor"


class InvalidAnchor(ValueError):
    """The file is no anchor of this trail; the message says why."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an anchor says: when it was written, and number and MAC (hexadecimal) of each lane's head."""

    at: str
    heads: dict[int, tuple[int, str]]


def write() -> str:
    """Return a new anchor as the text of a file."""
    found = list(Lane.objects.order_by("lane"))
    heads = {str(head.lane): [head.number, bytes(head.mac).hex()] for head in found}
    key = seal.current_key()
    payload = {"format": _FORMAT, "at": seal.moment(timezone.now()), "heads": heads, "key": key.name}
    payload["mac"] = key.mac(seal.canonical([payload])).hex()
    rows = sum(head.number for head in found)
    # A name, because this layer does not import the one that has the keys.
    sign: Callable[[Mapping[str, Any]], str] = import_string(settings.TRAIL_SIGNER)
    text = sign(payload)
    trail_checks.store(
        TrailCheck.Kind.ANCHORED, at=timezone.now(), intact=True, result={"rows": rows, "at": payload["at"]}
    )
    return text


def read(path: Path) -> Anchor:
    """Return the anchor in a file. Raises InvalidAnchor."""
    try:
        stated = _payload(path.read_text(encoding="ascii").strip())
        mac = bytes.fromhex(stated.pop("mac"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidAnchor(f"{path} is no readable anchor: {error!r}.") from error
    # The MAC is enough here; the signature is for those who have no key, and outlives none of the published ones.
    key = seal.keys().get(str(stated.get("key")))
    if key is None or not compare_digest(key.mac(seal.canonical([stated])), mac):
        raise InvalidAnchor(f"{path} is false, of another trail, or AUDIT_KEY lacks its key {stated.get('key')}.")
    return Anchor(stated["at"], {int(lane): (number, mac) for lane, (number, mac) in stated["heads"].items()})


def differences(anchor: Anchor) -> Iterator[str]:
    """Yield in words where the trail is not a continuation of the anchor."""
    heads = dict(Lane.objects.values_list("lane", "number"))
    purged = dict(Checkpoint.objects.values_list("lane", "number"))
    for lane, (number, mac) in anchor.heads.items():
        if heads.get(lane, 0) < number:
            yield f"lane {lane} ends at {heads.get(lane, 0)}, and had {number} rows at {anchor.at}: its end is cut off"
        elif number > purged.get(lane, 0) and sealed_rows.mac_of(lane, number) != bytes.fromhex(mac):
            yield f"lane {lane}, number {number}: it was another row at {anchor.at}"
        elif number == purged.get(lane) and bytes(Checkpoint.objects.get(lane=lane).mac).hex() != mac:
            yield f"the checkpoint of lane {lane} is of another row than at {anchor.at}"


def _payload(token: str) -> dict[str, Any]:
    _, payload, _ = token.split(".")
    found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return dict(found)
