"""The night as it went: when stations signed, when the site showed it, when nothing new came, and what else happened.

All of it is worked out from the log and the published heads. The times of heads are those of the log; the times of sheets are
what the stations' own clocks said, and may be wrong.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.count import Act
from scrutineer.portal.history import Snapshot
from scrutineer.portal.view import View
from scrutineer.statements import Accreditation, Bulletin, Certificate, Decision, Incident

QUIET: Final = 30 * 60
"""Seconds without anything new, while stations are outstanding, that are told of."""
_APART: Final = 36 * 3600
"""Seconds between the sheets' times and the published heads beyond which they are not drawn on one axis."""

QuietKind = Literal["unpublished", "no-arrivals"]
EventKind = Literal["bulletin", "certificate", "incident", "quiet", "decisions", "revocation"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stretch in which the site showed nothing new although stations were outstanding."""

    kind: QuietKind
    """`unpublished`: no head was published. `no-arrivals`: heads were, and no further station's sheet was in them."""
    since: int
    until: int
    outstanding: int
    """Sheets that were outstanding when it began."""
    published: int
    """Heads published in between."""
    arrived: int
    """Sheets that were new when it ended."""
    signed_before: int
    """How many of these their stations had signed QUIET or more before it ended."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `index` is the log entry, -1 where there is none of its own."""

    kind: EventKind
    time: int
    index: int = -1
    act: Act | None = None
    incident: Incident | None = None
    quiet: Quiet | None = None
    snapshot: Snapshot | None = None
    """The first published head that shows it, for acts that bear no time of their own."""
    number: int = 1
    """How many decisions took effect."""

    @property
    def until(self) -> int:
        """When it ended; the same moment for what has no length."""
        stretch = self.incident or self.quiet
        return self.time if stretch is None else stretch.until


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that a chart shows, in POSIX seconds."""

    first: int
    last: int


class Night:
    """What is told of the night of a record."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.snapshots = view.record.snapshots
        self.main = _main(view)
        """The contest (by position) whose stations are followed: the first of those with the most stations."""

    # --- arrivals ---------------------------------------------------------------------------------------------------

    @cached_property
    def signed(self) -> NDArray[np.int64]:
        """When the sheets that now stand for their stations were signed, in the contest that is followed, ascending."""
        contest = self.view.count.contests[self.main]
        times: NDArray[np.int64] = np.sort(contest.time[(contest.sheet >= 0) & (contest.time > 0)])
        return times

    def signed_by(self, time: int) -> int:
        """How many of these were signed at a time or before."""
        return int(np.searchsorted(self.signed, time, side="right"))

    def shown_by(self, time: int) -> int:
        """Stations whose sheet the site showed at a time, in the contest that is followed."""
        number = bisect_right(self.snapshots, time, key=lambda snapshot: snapshot.time)
        return _arrived(self.snapshots[number - 1], self.main) if number else 0

    def shown_at(self, number: int) -> int:
        """The same in the version of this number."""
        return _arrived(self.snapshots[number], self.main)

    @cached_property
    def stations(self) -> int:
        """Stations of the contest that is followed."""
        return self.view.standings[self.main].result.stations

    @cached_property
    def sheet_span(self) -> Span | None:
        """From when to when almost all sheets were signed; clocks that were far off are left aside. None without sheets."""
        if not len(self.signed):
            return None
        few = len(self.signed) // 200
        return Span(int(self.signed[few]), int(self.signed[-1 - few]))

    @cached_property
    def published_span(self) -> Span:
        """From the first published head to the last, with bulletins and certificates."""
        times = [snapshot.time for snapshot in self.snapshots]
        times += [event.time for event in self.events if event.kind in ("bulletin", "certificate")]
        return Span(min(times), max(times))

    @cached_property
    def together(self) -> bool:
        """Whether signing and publishing were near enough in time to be drawn on one axis."""
        sheets, heads = self.sheet_span, self.published_span
        return sheets is not None and heads.first - sheets.last < _APART and sheets.first - heads.last < _APART

    # --- quiet stretches --------------------------------------------------------------------------------------------

    @cached_property
    def quiet(self) -> list[Quiet]:
        """The stretches in which nothing new was shown although stations were outstanding, in the order of time."""
        found, since = [], 0
        sums = [_sums(snapshot) for snapshot in self.snapshots]
        for number, ((arrived, _), (later, _)) in enumerate(pairwise(sums), 1):
            if later <= arrived:
                continue
            first, last = self.snapshots[since], self.snapshots[number]
            outstanding = sums[since][1]
            if outstanding and last.time - first.time >= QUIET:
                gaps = (b.time - a.time for a, b in pairwise(self.snapshots[since : number + 1]))
                kind: QuietKind = "unpublished" if max(gaps) >= QUIET else "no-arrivals"
                signed = self._signed_before(first.head.size, last.head.size, last.time - QUIET)
                found.append(Quiet(kind, first.time, last.time, outstanding, number - since - 1, later - sums[since][0], signed))
            since = number
        return found

    def _signed_before(self, first: int, last: int, time: int) -> int:
        """Sheets among the entries first … last-1 that were signed at a time or before."""
        return sum(
            int(((contest.sheet >= first) & (contest.sheet < last) & (contest.time <= time)).sum())
            for contest in self.view.count.contests
        )

    # --- what else happened -----------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> list[Event]:
        """Everything that has a place in the story besides the sheets, in the order of time."""
        count = self.view.count
        found = [Event("quiet", quiet.since, quiet=quiet) for quiet in self.quiet]
        decided: dict[int, int] = {}
        for act in count.acts.values():
            payload, effective = act.recorded.statement.payload, act.effective
            if isinstance(payload, Bulletin):
                found.append(Event("bulletin", payload.time, act.recorded.index, act))
            elif isinstance(payload, Certificate):
                found.append(Event("certificate", payload.time, act.recorded.index, act))
            elif effective is None:
                continue
            elif isinstance(payload, Decision):
                number = self.first_showing(effective)
                decided[number] = decided.get(number, 0) + 1
            elif isinstance(payload, Accreditation) and payload.action == "revoke":
                snapshot = self.snapshots[self.first_showing(effective)]
                found.append(Event("revocation", snapshot.time, act.recorded.index, act, snapshot=snapshot))
        for number, times in decided.items():
            snapshot = self.snapshots[number]
            found.append(Event("decisions", snapshot.time, snapshot=snapshot, number=times))
        for recorded in count.incidents:
            incident = recorded.statement.payload
            if isinstance(incident, Incident) and incident.requests is None:
                found.append(Event("incident", incident.since, recorded.index, incident=incident))
        return sorted(found, key=lambda event: (event.time, event.index, event.kind))

    def first_showing(self, index: int) -> int:
        """The number of the first snapshot that shows a log entry."""
        return min(bisect_right(self._sizes, index), len(self._sizes) - 1)

    @cached_property
    def _sizes(self) -> list[int]:
        return [snapshot.head.size for snapshot in self.snapshots]


def _main(view: View) -> int:
    stations = [now.result.stations for now in view.standings]
    return stations.index(max(stations))


def _arrived(snapshot: Snapshot, contest: int) -> int:
    result = snapshot.totals[contest].result
    return result.stations - result.outstanding


def _sums(snapshot: Snapshot) -> tuple[int, int]:
    """Sheets that have arrived and that are outstanding, of all contests."""
    results = [totals.result for totals in snapshot.totals]
    outstanding = sum(result.outstanding for result in results)
    return sum(result.stations for result in results) - outstanding, outstanding
