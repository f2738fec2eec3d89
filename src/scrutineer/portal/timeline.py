"""The chart of a night as values: where its lines, marks and ticks lie. The template timeline.html draws it.

Lengths along the time axis are per cent of the width, so that the chart fits a telephone and a wall alike while its letters keep
their size. The curves lie on a grid of WIDTH by HEIGHT. Whole numbers all the way: every machine draws the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from scrutineer.language import Say, has_date
from scrutineer.portal.night import Span

WIDTH: Final = 10_000
HEIGHT: Final = 1_000
MOST_POINTS: Final = 400
"""Points of one curve; more could not be told apart."""
MOST_TICKS: Final = 8
_STEPS: Final = (
    60,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    2_592_000,
    7_776_000,
    31_536_000,
)
_PLOT: Final = 200  # pixels, as in the template
_LANE: Final = 34

Point = tuple[int, int]
"""A time, and how many there were from then on."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis."""

    time: int
    x: str
    label: str
    day: str
    """Where a day begins, and at the first tick; empty elsewhere."""
    minor: bool
    """Left out where there is little room."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the time axis, with its length where it has one."""

    x: str
    width: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Marks of one kind below the curves."""

    label: str
    marks: tuple[Mark, ...]
    y: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the night."""

    label: str
    """What it shows, for those who do not see it."""
    ticks: tuple[Tick, ...]
    shown: str
    """Path of what the site showed, on the grid; empty where it is not drawn."""
    signed: str
    """Path of what the stations had signed."""
    quiet: tuple[Mark, ...]
    lanes: tuple[Lane, ...]

    @property
    def height(self) -> int:
        """Pixels."""
        return _PLOT + 50 + _LANE * len(self.lanes)


class Axis:
    """Maps the times of a span to places on the chart."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._length = max(1, span.last - span.first)

    def grid(self, time: int) -> int:
        """Where a time lies on the grid; what lies outside of the span lies at its edge."""
        return max(0, min(WIDTH, (time - self.span.first) * WIDTH // self._length))

    def x(self, time: int) -> str:
        """The same as per cent of the width."""
        return _percent(self.grid(time))

    def mark(self, since: int, until: int, label: str, kind: str) -> Mark:
        """A mark from one time to another."""
        first, last = self.grid(since), self.grid(until)
        return Mark(_percent(first), _percent(last - first), label, kind)

    def ticks(self, say: Say) -> tuple[Tick, ...]:
        """Full hours, or whatever fits, in the election's time."""
        # Clocks may be off by any time that a sheet can name, up to thousands of years.
        step = next((step for step in _STEPS if self._length // step < MOST_TICKS), self._length // (MOST_TICKS - 1) + 1)
        offset = _offset(self.span.first, say.zone)
        first = -(-(self.span.first + offset) // step) * step - offset
        times = range(first, self.span.last + 1, step)
        return tuple(
            Tick(
                time,
                self.x(time),
                say.clock(time),
                say.day(time) if not number or (time + offset) % 86_400 == 0 else "",
                bool(number % 2),
            )
            for number, time in enumerate(times)
        )

    def path(self, points: Sequence[Point], whole: int, *, steps: bool) -> str:
        """The curve of points in the order of time; with `steps` a number holds until the next point, and to the end."""
        if not points:
            return ""
        thinned: dict[int, int] = {}
        grain = 1 if len(points) <= MOST_POINTS + 1 else WIDTH // MOST_POINTS
        for time, value in points:
            thinned[self.grid(time) // grain * grain] = value
        parts: list[str] = []
        for place, value in thinned.items():
            y = HEIGHT - min(HEIGHT, value * HEIGHT // max(1, whole))
            if not parts:
                parts.append(f"M{place} {y}")
            else:
                parts.append(f"H{place}V{y}" if steps else f"L{place} {y}")
        if steps:
            parts.append(f"H{WIDTH}")
        return "".join(parts)


def lanes(given: Sequence[tuple[str, Sequence[Mark]]]) -> tuple[Lane, ...]:
    """Lanes one below the other; those without marks are left out."""
    filled = [(label, marks) for label, marks in given if marks]
    return tuple(Lane(label, tuple(marks), _PLOT + 50 + _LANE * number) for number, (label, marks) in enumerate(filled))


def _offset(time: int, zone: tzinfo) -> int:
    """Seconds by which a zone is ahead of UTC at a time; 0 where the time has no date."""
    if not has_date(time):
        return 0
    return int((datetime.fromtimestamp(time, zone).utcoffset() or timedelta()).total_seconds())


def _percent(place: int) -> str:
    return f"{place // 100}.{place % 100:02d}%"
