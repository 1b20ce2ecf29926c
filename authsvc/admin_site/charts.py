"""Bar charts as SVG coordinates, in whole user units."""

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
# The number of labels that fit below the bars.
_LABELS: Final = 8


@dataclass(frozen=True, slots=True)
class Block:
    """One rectangle: its number of attempts, its place, and a link to the list of these attempts."""

    times: int
    y: int
    height: int
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval: its successful logins, and the failed ones stacked on top; `period` names it in full."""

    label: str
    period: str
    shown: bool
    x: int
    middle: int
    width: int
    successes: Block
    failures: Block


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal grid line and its value."""

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


def chart(
    name: str,
    title: str | Promise,
    counts: list[Count],
    label: str,
    attempts_url: Callable[..., str],
    *,
    shows_end: bool = False,
) -> Chart:
    """Return the chart of counts.

    `label` is the date format of an interval's start; `attempts_url` returns the URL of the list with some lookups.
    With `shows_end` a period is named by its start and its end.
    """
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
        start, end = format_date(count.start, label), format_date(count.end, label)
        period = f"{start}–{end}" if shows_end else start
        bars.append(Bar(start, period, shown, x + 2, x + step // 2, step - 4, *pair))
    totals = blocks(
        sum(count.successes for count in counts), sum(count.failures for count in counts), at__gte=counts[0].start
    )
    values = [0, top // 2, top] if top % 2 == 0 else [0, top]
    return Chart(name, title, bars, [Line(_FLOOR - _scaled(value, top), value) for value in values], *totals)


def _scaled(times: int, top: int) -> int:
    # A single attempt stays visible beside much larger counts.
    return max(2, (_FLOOR - _TOP) * times // top) if times else 0


def _ceiling(largest: int) -> int:
    """Return the next number of the form 1, 2 or 5 times a power of ten."""
    unit = 1
    while True:
        for digit in (1, 2, 5):
            if digit * unit >= largest:
                return digit * unit
        unit *= 10
