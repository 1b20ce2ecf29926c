"""Counts as pictures: where each bar stands, in whole units of the picture's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.dateformat import format as format_date
from django.utils.functional import Promise

from audit.events import Status
from authsvc.admin_site.periods import Count

WIDTH: Final = 488
HEIGHT: Final = 220
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 12, 12, 28
_FLOOR: Final = HEIGHT - _BOTTOM
# So many labels fit below the bars.
_LABELS: Final = 8


@dataclass(frozen=True, slots=True)
class Block:
    """One rectangle: of how many attempts, where it stands, and the list behind it."""

    times: int
    y: int
    height: int
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time: its good logins, and the failures on top of them."""

    label: str
    shown: bool
    x: int
    middle: int
    width: int
    successes: Block
    failures: Block


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line and the number at its end."""

    y: int
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    title: str | Promise
    bars: list[Bar]
    lines: list[Line]
    successes: Block
    failures: Block
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    labels_y: int = HEIGHT - 8


def chart(name: str, title: str | Promise, counts: list[Count], label: str, attempts_url: Callable[..., str]) -> Chart:
    """Return the picture of counts; `label` is Django's format of a start, `attempts_url` gives the list of lookups."""
    top = _ceiling(max(count.successes + count.failures for count in counts))
    step = (WIDTH - _LEFT - _RIGHT) // len(counts)
    every = -(-len(counts) // _LABELS)

    def blocks(successes: int, failures: int, **lookups: object) -> tuple[Block, Block]:
        good, both = _scaled(successes, top), _scaled(successes + failures, top)
        return (
            Block(successes, _FLOOR - good, good, attempts_url(**lookups, status__exact=Status.SUCCESS)),
            Block(failures, _FLOOR - both, both - good, attempts_url(**lookups, status__exact=Status.FAILED)),
        )

    bars = []
    for number, count in enumerate(counts):
        x = _LEFT + number * step
        shown = (len(counts) - 1 - number) % every == 0
        pair = blocks(count.successes, count.failures, at__gte=count.start, at__lt=count.end)
        bars.append(Bar(format_date(count.start, label), shown, x + 2, x + step // 2, step - 4, *pair))
    totals = blocks(
        sum(count.successes for count in counts), sum(count.failures for count in counts), at__gte=counts[0].start
    )
    values = [0, top // 2, top] if top % 2 == 0 else [0, top]
    return Chart(name, title, bars, [Line(_FLOOR - _scaled(value, top), value) for value in values], *totals)


def _scaled(times: int, top: int) -> int:
    # What happened once is seen, however much happened at other times.
    return max(2, (_FLOOR - _TOP) * times // top) if times else 0


def _ceiling(largest: int) -> int:
    """Return the next number that reads well: 1, 2 or 5 with noughts behind it."""
    unit = 1
    while True:
        for digit in (1, 2, 5):
            if digit * unit >= largest:
                return digit * unit
        unit *= 10
