"""The sheets and acts of a simulated election, written out one after the other as they arrive."""

import datetime
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from scrutineer.election import station_issuer
from scrutineer.simulate.acts import Arrival, Pending, Recall
from scrutineer.simulate.disturbances import Disturbance
from scrutineer.simulate.draws import Draws, Ints
from scrutineer.simulate.places import Places
from scrutineer.simulate.votes import BallotBoxes
from scrutineer.statements import Accreditation, Decision, Endorsement, Figures, StationOpened, TallySheet

MINUTE: Final = 60
HOUR: Final = 3_600
_OPEN_HOUR: Final = 8
_CLOSE_HOUR: Final = 18
_CHUNK: Final = 8_192  # stations written out at a time
_DECISIONS_FROM: Final = 97  # percent of the sheets that arrived when the authority begins to decide


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Seconds since 1970, by station."""

    open: int
    """When stations open."""
    close: int
    """When they close."""
    opened: Ints
    """When each declares itself open."""
    closed: Ints
    """When each closes its sheets."""
    arrival: Ints
    """When its sheets arrive."""
    order: Ints
    """Station numbers in order of arrival."""


def draw_times(places: Places, ballots: Ints, seed: int, date: str) -> Times:
    """Sheets take minutes to count and hours to travel, longer the more ballots there are and the more remote the station.

    A region's remoteness delays all its stations together, so that the early sheets are not a fair sample of the country.
    """
    draws = Draws(seed, "times")
    stations = len(ballots)
    day = int(datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.UTC).timestamp())
    opening, close = day + _OPEN_HOUR * HOUR, day + _CLOSE_HOUR * HOUR
    opened = opening + draws.below(10 * MINUTE, stations)
    closed = close + 20 * MINUTE + 2 * ballots + draws.below(20 * MINUTE, stations)
    travel = 3.5 * places.remoteness + 0.7 * (places.region_remoteness[places.region] + 1.0)
    chance = np.abs(draws.bell(stations))
    arrival = closed + 5 * MINUTE + np.floor(travel * HOUR + chance * (40 * MINUTE)).astype(np.int64)
    return Times(opening, close, opened, closed, arrival, np.argsort(arrival, kind="stable"))


class SheetWriter:
    """Writes the payloads of one simulated election."""

    def __init__(
        self,
        places: Places,
        boxes: Sequence[BallotBoxes],
        disturbances: Sequence[Disturbance],
        times: Times,
        officers: Sequence[str],
        election: bytes,
        *,
        openings: bool,
    ) -> None:
        self._places = places
        self._boxes = boxes
        self._times = times
        self._officers = officers
        self._election = election
        self._openings = openings
        self._disturbed = {disturbance.station: disturbance for disturbance in disturbances}
        self._ids = list(places.units.station_index)

    def arrivals(self) -> Iterator[Arrival]:
        """Everything in order of arrival; among arrivals of one second, acts stand before sheets."""
        acts = sorted(self._acts(), key=lambda arrival: arrival.time)
        return heapq.merge(acts, self._sheets(), key=lambda arrival: arrival.time)

    def arrival_count(self) -> int:
        """How many arrivals there are."""
        sheets = sum(len(box.votes) for box in self._boxes)
        for disturbance in self._disturbed.values():
            if disturbance.kind == "missing":
                sheets -= sum(box.first <= disturbance.station < box.stop for box in self._boxes)
        return sheets + sum(1 for _ in self._acts())

    # --- sheets ---------------------------------------------------------------------------------------------------

    def _sheets(self) -> Iterator[Arrival]:
        times = self._times
        for start in range(0, len(times.order), _CHUNK):
            stations = times.order[start : start + _CHUNK]
            arrival, closed = times.arrival[stations].tolist(), times.closed[stations].tolist()
            rolls, voters = self._places.rolls[stations].tolist(), self._voters(stations).tolist()
            columns = [_Columns(box, stations) for box in self._boxes]
            for row, station in enumerate(stations.tolist()):
                disturbance = self._disturbed.get(station)
                name, issuer = self._ids[station], station_issuer(self._ids[station])
                if disturbance is not None and disturbance.kind == "missing":
                    continue
                time = closed[row]
                if disturbance is not None and disturbance.kind == "before-opening":
                    time = self._times.open - HOUR
                for number, column in enumerate(columns):
                    at = column.row_of[row]
                    if at < 0:
                        continue
                    rankings = None if column.orders is None else column.rankings(at)
                    sheet = TallySheet(
                        self._election,
                        name,
                        column.contest,
                        () if rankings is not None else tuple(column.votes[at]),
                        column.blank[at],
                        column.null[at],
                        column.ballots[at],
                        voters[row],
                        rolls[row],
                        time,
                        rankings=rankings,
                    )
                    if disturbance is not None and number == 0:
                        yield Arrival(arrival[row], issuer, _disturb(sheet, disturbance), _sheet_name(name))
                    else:
                        yield Arrival(arrival[row], issuer, sheet)

    def _voters(self, stations: Ints) -> Ints:
        """Voters checked in: as many as there are ballots; in one station of sixteen one more, who left without casting."""
        ballots = self._boxes[0].ballots[stations]
        left = (stations * 40_503 + 7 & 15 == 0) & (ballots < self._places.rolls[stations])
        voters: Ints = ballots + left
        return voters

    # --- acts -----------------------------------------------------------------------------------------------------

    def _acts(self) -> Iterator[Arrival]:
        """Everything but the stations' first sheets; in no order, except that what names another act follows it."""
        if self._openings:
            for station, time in enumerate(self._times.opened.tolist()):
                yield self._opening(station, time)
        decisions = 0
        for disturbance in self._disturbed.values():
            station, arrival = disturbance.station, int(self._times.arrival[disturbance.station])
            match disturbance.kind:
                case "before-opening" if not self._openings:
                    yield self._opening(station, int(self._times.opened[station]))
                case "duplicate":
                    again = self._sheet(station)
                    yield Arrival(arrival + 25 * MINUTE, self._issuer(station), again._replace(time=_later(again, 20 * MINUTE)))
                case "conflict":
                    other = _move_votes(self._sheet(station))
                    yield Arrival(arrival + 40 * MINUTE, self._issuer(station), other._replace(time=_later(other, 30 * MINUTE)))
                case "revoked-key":
                    write = partial(_revocation, self._election, self._issuer(station))
                    yield Arrival(self._times.close - 30 * MINUTE, self._officers[0], Pending(write))
            if disturbance.cleared:
                yield from self._decide(disturbance, decisions)
                decisions += 1

    def _opening(self, station: int, time: int) -> Arrival:
        payload = StationOpened(election=self._election, station=self._ids[station], time=time)
        return Arrival(time, self._issuer(station), payload)

    def _decide(self, disturbance: Disturbance, number: int) -> Iterator[Arrival]:
        """A decision by one officer, which takes effect when a second one endorses it."""
        order = self._times.order
        begin = int(self._times.arrival[order[(len(order) - 1) * _DECISIONS_FROM // 100]])
        seen = int(self._times.arrival[disturbance.station]) + HOUR
        time = max(begin, seen) + number % 60 * MINUTE
        name = f"decision/{disturbance.station_id}"
        first, second = self._officers[number % len(self._officers)], self._officers[(number + 1) % len(self._officers)]
        sheet = self._sheet(disturbance.station)
        yield Arrival(time, first, Pending(partial(_decision, disturbance, sheet)), name)
        yield Arrival(time + 10 * MINUTE, second, Pending(partial(_endorsement, self._election, name)))

    def _issuer(self, station: int) -> str:
        return station_issuer(self._ids[station])

    def _sheet(self, station: int) -> TallySheet:
        """The true sheet for president."""
        at = np.array([station])
        column = _Columns(self._boxes[0], at)
        return TallySheet(
            self._election,
            self._ids[station],
            column.contest,
            tuple(column.votes[0]),
            column.blank[0],
            column.null[0],
            column.ballots[0],
            int(self._voters(at)[0]),
            int(self._places.rolls[station]),
            int(self._times.closed[station]),
        )


class _Columns:
    """The boxes of one contest at some stations, as lists, which are quicker to take apart than arrays."""

    def __init__(self, boxes: BallotBoxes, stations: Ints) -> None:
        inside = (stations >= boxes.first) & (stations < boxes.stop)
        rows = stations[inside] - boxes.first
        self.contest = boxes.contest.id
        self.row_of: list[int] = np.where(inside, np.cumsum(inside) - 1, -1).tolist()
        self.votes: list[list[int]] = boxes.votes[rows].tolist()
        self.blank: list[int] = boxes.blank[rows].tolist()
        self.null: list[int] = boxes.null[rows].tolist()
        self.ballots: list[int] = boxes.ballots[rows].tolist()
        self.orders = boxes.orders or None

    def rankings(self, row: int) -> tuple[tuple[tuple[int, ...], int], ...]:
        """The rankings of one sheet: the orders that any ballot bears."""
        return tuple((order, ballots) for order, ballots in zip(self.orders or (), self.votes[row], strict=True) if ballots)


def _sheet_name(station: str) -> str:
    return f"sheet/{station}"


def _later(sheet: TallySheet, seconds: int) -> int:
    return (sheet.time or 0) + seconds


def _disturb(sheet: TallySheet, disturbance: Disturbance) -> TallySheet:
    """The sheet as it is sent in place of the true one."""
    match disturbance.kind:
        case "slip":
            return _slip(sheet)
        case "above-roll":
            return _above_roll(sheet)
        case "all-zero":
            return sheet._replace(counts=(0,) * len(sheet.counts), blank=0, null=0, cast=0)
        case _:
            return sheet


def _counts(sheet: TallySheet) -> list[int]:
    return [count or 0 for count in sheet.counts]


def _slip(sheet: TallySheet) -> TallySheet:
    """The last two digits of the highest count trade places; where they are the same, it is ten too high."""
    counts = _counts(sheet)
    top = counts.index(max(counts))
    rest, last = divmod(counts[top], 100)
    tens, ones = divmod(last, 10)
    counts[top] = rest * 100 + ones * 10 + tens if tens != ones else counts[top] + 10
    return sheet._replace(counts=tuple(counts))


def _above_roll(sheet: TallySheet) -> TallySheet:
    """Three more ballots than voters on the roll, all for the first option; everything adds up."""
    more = (sheet.roll or 0) + 3 - (sheet.cast or 0)
    counts = _counts(sheet)
    counts[0] += more
    return sheet._replace(counts=tuple(counts), cast=(sheet.cast or 0) + more)


def _move_votes(sheet: TallySheet) -> TallySheet:
    """A tenth of the highest count, and at least one vote, moved to the next option."""
    counts = _counts(sheet)
    top = counts.index(max(counts))
    moved = max(1, counts[top] // 10)
    counts[top] -= moved
    counts[(top + 1) % len(counts)] += moved
    return sheet._replace(counts=tuple(counts))


def _revocation(election: bytes, issuer: str, recall: Recall) -> Accreditation:
    return Accreditation(
        election=election,
        action="revoke",
        issuer=issuer,
        role="station",
        key=recall.public_key(issuer),
        reason="The device was reported lost; a replacement is on its way.",
    )


def _decision(disturbance: Disturbance, true_sheet: TallySheet, recall: Recall) -> Decision:
    sheet = recall.statement(_sheet_name(disturbance.station_id))
    if disturbance.kind == "slip":
        after = Figures(
            counts=true_sheet.counts,
            blank=true_sheet.blank,
            null=true_sheet.null,
            cast=true_sheet.cast,
            voters=true_sheet.voters,
            roll=true_sheet.roll,
        )
        return Decision(
            election=true_sheet.election,
            station=true_sheet.station,
            contest=true_sheet.contest,
            action="correct",
            sheet=sheet,
            after=after,
            reason="The paper sheet was read again: two digits of one count had changed places.",
        )
    return Decision(
        election=true_sheet.election,
        station=true_sheet.station,
        contest=true_sheet.contest,
        action="accept",
        sheet=sheet,
        reason="The first sheet agrees with the paper sheet and with the agents' copies.",
    )


def _endorsement(election: bytes, name: str, recall: Recall) -> Endorsement:
    return Endorsement(election=election, statement=recall.statement(name), verdict="sign")
