"""What a verification finds: how many rows of each kind of damage, and which is the first."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from audit import seal
from audit.sealed_rows import AT, ID, KEY_NAME, KIND, LANE, NUMBER

# Rows and places that are compared with each other to find what was moved.
_COMPARED: Final = 300


class DamageKind(StrEnum):
    """Kinds of damage."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    UNSEALED = "unsealed"
    UNKNOWN_KEY = "unknown key"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    ANCHOR = "anchor"
    GUARD = "guard"


@dataclass
class LaneProgress:
    """How far a lane is verified: the last number, and the MACs that the next row may follow; none where unknown."""

    lane: int
    number: int
    previous: list[bytes]
    # The number of the last row that was really there.
    seen: int | None = None


@dataclass
class _FailedRow:
    row: list[Any]
    mac: bytes
    key: seal.Key

    def fits(self, lane: int, number: int, previous: bytes) -> bool:
        moved = [*self.row[:LANE], lane, number, *self.row[KEY_NAME:]]
        return seal.row_mac(self.key, previous, moved) == self.mac


def describe(row: list[Any]) -> str:
    """Return how messages name a row."""
    return f"{row[KIND]} {row[ID]} of {row[AT]} (lane {row[LANE]}, number {row[NUMBER]})"


@dataclass
class Findings:
    """The damage by kind: the number of rows or places, and the first one in words."""

    counts: dict[DamageKind, int] = field(default_factory=dict)
    first: dict[DamageKind, str] = field(default_factory=dict)
    _failed: list[_FailedRow] = field(default_factory=list)
    _places: list[tuple[int, int, bytes]] = field(default_factory=list)

    def add(self, kind: DamageKind, text: str, count: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.first.setdefault(kind, text)

    def add_failed(self, row: list[Any], mac: bytes, key: seal.Key, previous: list[bytes]) -> None:
        """Add a row whose MAC is not that of its content in its place."""
        if len(self._failed) < _COMPARED:
            self._failed.append(_FailedRow(row, mac, key))
            self.add_place(row[LANE], row[NUMBER], previous)
        else:
            self.add(DamageKind.CHANGED, describe(row))

    def add_place(self, lane: int, number: int, previous: list[bytes]) -> None:
        """Add a place whose row is not there, or is another."""
        if len(self._places) < _COMPARED:
            self._places += [(lane, number, mac) for mac in previous]

    def settle(self) -> None:
        """Tell moved rows from changed ones: a moved row's MAC is right in another place. Run once, at the end."""
        moved = self._find_moved()
        # What follows a place is right behind the row that belongs there.
        explained = {
            id(row)
            for home, (lane, number) in moved.values()
            for row in self._failed
            if row.row[LANE] == lane and row.row[NUMBER] == number + 1 and row.fits(lane, number + 1, home.mac)
        }
        for failed in self._failed:
            if id(failed) in moved:
                _, (lane, number) = moved[id(failed)]
                self.add(DamageKind.MOVED, f"{describe(failed.row)} belongs in lane {lane}, number {number}")
            elif id(failed) not in explained:
                self.add(DamageKind.CHANGED, describe(failed.row))

    def _find_moved(self) -> dict[int, tuple[_FailedRow, tuple[int, int]]]:
        found = {}
        for failed in self._failed:
            for lane, number, previous in self._places:
                if failed.fits(lane, number, previous):
                    found[id(failed)] = failed, (lane, number)
                    break
        return found

    def listed(self) -> list[dict[str, Any]]:
        """Return the findings as JSON has them."""
        return [{"kind": kind.value, "count": count, "first": self.first[kind]} for kind, count in self.counts.items()]
