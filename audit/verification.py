"""Verification of the trail: every lane from its checkpoint, or from a date, to its head."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from audit import retention, seal, sealed_rows
from audit.chain import is_sealed, lane_count
from audit.events import Event
from audit.findings import DamageKind, Findings, LaneProgress, describe
from audit.models import Checkpoint, Lane
from audit.retention import LEAST_RETENTION
from audit.seal import FIRST_MAC
from audit.sealed_rows import AT, DETAIL, EVENT, KEY_NAME, KIND, NUMBER, WINDOW

TRAIL_SEALED: Final = Event.TRAIL_SEALED.value


@dataclass
class Verification:
    """One verification. `run()` yields the number of rows verified so far, and `findings` is complete after it."""

    since: datetime | None = None
    rows: int = 0
    # Rows without a seal from before the first sealed one; nothing protects them.
    before_seal: int = 0
    findings: Findings = field(default_factory=Findings)
    started_at: datetime = field(default_factory=timezone.now)
    _keys: dict[str, seal.Key] = field(default_factory=seal.keys)
    # How many rows had no seal, by kind, as the last sealed event about it says, and its time.
    _stated: dict[str, int] = field(default_factory=dict)
    _stated_at: str = ""
    _began: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.findings.counts

    def run(self) -> Iterator[int]:
        heads = {head.lane: head for head in Lane.objects.all()}
        for lane in range(lane_count()):
            yield from self._lane(lane, heads.pop(lane, None))
        for lane in heads:
            self.findings.add(DamageKind.INSERTED, f"the head of lane {lane}, which does not exist")
        for kind, number in sealed_rows.in_other_lanes(lane_count()):
            self.findings.add(DamageKind.INSERTED, f"{kind} {number} in a lane that does not exist")
        self._find_unsealed()
        self.findings.settle()

    def _lane(self, lane: int, head: Lane | None) -> Iterator[int]:
        last = head.number if head else sealed_rows.last_number(lane)
        place = self._start(lane)
        while place.number < last:
            upto = min(last, place.number + WINDOW)
            for row in sealed_rows.read_window(lane, place.number, upto):
                self._row(place, row)
            if place.number < upto:
                # Go where the next row is: a false head can be far away.
                self._gap(place, min(last + 1, sealed_rows.next_number(lane, place.number)))
            yield self.rows
        self._end(place, head)

    def _row(self, place: LaneProgress, row: list[Any]) -> None:
        if row[NUMBER] != place.number + 1 and not self._fits(place, row):
            return
        if place.seen is None:
            self._began.append(str(row[AT]))
        place.number = place.seen = row[NUMBER]
        self.rows += 1
        stored: bytes = row.pop()
        key = self._keys.get(row[KEY_NAME])
        if key is None:
            self.findings.add(DamageKind.UNKNOWN_KEY, f"{row[KEY_NAME]!r} of {describe(row)}")
            place.previous = [stored]
            return
        content = seal.canonical(row)
        expected = [key.mac(previous, content) for previous in place.previous]
        if stored not in expected and expected:
            self.findings.add_failed(row, stored, key, place.previous)
            # Whether the content or the MAC was changed, the next row follows one of these.
            place.previous = [stored, expected[0]]
        else:
            place.previous = [stored]
            if row[EVENT] == TRAIL_SEALED and row[KIND] == "event" and expected and row[AT] > self._stated_at:
                self._stated, self._stated_at = row[DETAIL], row[AT]

    def _fits(self, place: LaneProgress, row: list[Any]) -> bool:
        """Return whether a row that is not the next one is to be verified: it is behind a gap."""
        if row[NUMBER] > place.number:
            self._gap(place, row[NUMBER])
        if row[NUMBER] == place.seen:
            self.findings.add(DamageKind.INSERTED, f"{describe(row)}: another row has this number")
        return bool(row[NUMBER] > place.number)

    def _gap(self, place: LaneProgress, following: int) -> None:
        """Go to the number before `following`; what lacks until there is removed, unless a purge has just done so."""
        checkpoint = Checkpoint.objects.filter(lane=place.lane).first()
        if checkpoint and checkpoint.number > place.number:
            self._verify_checkpoint(checkpoint)
            place.number, place.previous = checkpoint.number, [bytes(checkpoint.mac)]
        if (missing := following - 1 - place.number) <= 0:
            return
        first = place.number + 1
        self.findings.add(DamageKind.REMOVED, f"lane {place.lane}, numbers {first} to {following - 1}", missing)
        self.findings.add_place(place.lane, first, place.previous)
        place.number, place.previous = following - 1, []

    def _start(self, lane: int) -> LaneProgress:
        """Return the place after which to verify: the checkpoint, or the last row before the date."""
        checkpoint = Checkpoint.objects.filter(lane=lane).first()
        start = LaneProgress(lane, 0, [FIRST_MAC])
        if checkpoint:
            start = LaneProgress(lane, checkpoint.number, [bytes(checkpoint.mac)])
            self._verify_checkpoint(checkpoint)
        if self.since is None:
            return start
        first = sealed_rows.first_number(lane, self.since)
        if first is None or first - 1 <= start.number:
            return start
        before = sealed_rows.mac_of(lane, first - 1)
        return LaneProgress(lane, first - 1, [before] if before else [])

    def _verify_checkpoint(self, checkpoint: Checkpoint) -> None:
        if not retention.is_sealed(checkpoint):
            self.findings.add(DamageKind.CHECKPOINT, f"{checkpoint}: its seal is false")
        if checkpoint.until > checkpoint.at - LEAST_RETENTION:
            self.findings.add(
                DamageKind.CHECKPOINT, f"{checkpoint}: rows younger than {LEAST_RETENTION.days} days are gone"
            )

    def _end(self, place: LaneProgress, head: Lane | None) -> None:
        """Compare the end of a lane with its head."""
        if head is None:
            self.findings.add(DamageKind.HEAD, f"lane {place.lane} has no head")
        elif not is_sealed(head):
            self.findings.add(DamageKind.HEAD, f"{head}: its seal is false, or its key {head.key_name!r} is missing")
        elif place.previous and bytes(head.mac) not in place.previous:
            self.findings.add(DamageKind.HEAD, f"{head}: it does not follow the last row")
        for kind, number in sealed_rows.outside(place.lane, head.number if head else place.number):
            self.findings.add(DamageKind.INSERTED, f"{kind} {number} in lane {place.lane}, outside its numbers")

    def _find_unsealed(self) -> None:
        """Name rows without a seal that are younger than the seal, and count the older ones."""
        began = self._stated_at or min(self._began, default="9999")
        for kind, (old, recent, first) in sealed_rows.unsealed(began, self.since).items():
            self.before_seal += old
            if old > (known := self._stated.get(f"{kind}s", 0)) and self.since is None:
                text = (
                    f"of kind {kind} {old} rows without a seal are older than it, and there were {known} when it began"
                )
                self.findings.add(DamageKind.UNSEALED, text, old - known)
            if recent:
                self.findings.add(DamageKind.UNSEALED, f"{kind} {first} has no seal", recent)
