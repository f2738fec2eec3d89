"""What was reported by box, how many cards can lie in it at most, and how many have to be found: from sheets, rolls and manifest.

The two numbers of cards are kept apart. *At most* says how much a box can be overstated, so it must not hang on what is audited:
a sheet that admits one card of three hundred would have a box that is hardly ever drawn. It is what a manifest says that people
made, or the roll of the station, which stands in the signed definition before election day (and what the sheet itself says, where
that is more). *To be found* says which cards are missing when a box is opened: those that its sheet reports, and not those of
voters who stayed at home. With a manifest also those that it has beyond all sheets of the box: they stand in no result, may bear
any contest, and whoever took them out would otherwise make a small sheet true.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.count import COUNTED, EXCLUDED, Count
from scrutineer.count.columns import BLANK, CAST, NULL, VOTERS
from scrutineer.election import UNKNOWN, Contest
from scrutineer.errors import AuditError


@dataclass(frozen=True, slots=True)
class Crowded:
    """A box of which more cards are published than the manifest has: those that it leaves out could never be drawn."""

    box: str
    contest: str
    manifest: int
    published: int

    def text(self) -> str:
        """What differs and what to do, for people."""
        return (
            f"box {self.box!r}: {self.published} cards of contest {self.contest!r} are published, and the manifest has "
            f"{self.manifest}; count the cards in the box, and correct what is wrong before the audit starts"
        )


@dataclass(frozen=True, eq=False)
class _Sheets:
    """What was reported of one contest, by station that votes in it and is not excluded."""

    contest: str
    station: NDArray[np.int64]
    """Station numbers."""
    counted: NDArray[np.bool_]
    votes: NDArray[np.int64]
    """Shape (stations, options); 0 where no sheet is counted, as in `rest` and `cards`."""
    rest: NDArray[np.int64]
    cards: NDArray[np.int64]
    """How many cards the counted sheet reports."""
    most: NDArray[np.int64]
    """The most that any figure says of cards and voters, of a sheet in quarantine as well."""


def reported_totals(count: Count, contests: Sequence[Contest], manifest: Manifest | None) -> tuple[Manifest, Totals]:
    """What was reported by station, each of which is a box, and how many cards a box has at most: without a manifest by rolls.

    A station that is excluded by a decision is left out. One that is not counted has zeros, and whatever lies in it speaks
    against the outcome. Raises AuditError for a ranked contest, for a station that is not in the manifest or of which more cards
    are published than it has, for a box of the manifest that is no station, and without a manifest for a station whose roll
    nobody knows.
    """
    for contest in contests:
        if contest.rule == "ranked":
            raise AuditError(
                f"contest {contest.id!r} is ranked: totals of boxes do not say who is elected; audit single cards against records"
            )
    units = count.election.units
    sheets = [_sheets(count, contest) for contest in contests]
    names = _boxes(count, sheets)
    if manifest is None:
        at_most = _bound_by_rolls(units.rolls, sheets, names)
        found = Manifest.of((name, int(at_most[station])) for station, name in names.items())
        to_find = [each.cards for each in sheets]
    else:
        found = manifest
        at_most = _bound_by_manifest(len(units.rolls), sheets, names, manifest)
        largest = _largest(len(units.rolls), sheets)
        # What the manifest has beyond every sheet of a box may bear any contest, and all of it one that is not counted.
        to_find = [at_most[each.station] - np.where(each.counted, largest[each.station] - each.cards, 0) for each in sheets]
    rows: dict[tuple[str, str], Row] = {}
    for each, cards in zip(sheets, to_find, strict=True):
        for station, number, rest, votes in zip(
            each.station.tolist(), cards.tolist(), each.rest.tolist(), each.votes.tolist(), strict=True
        ):
            rows[names[station], each.contest] = (number, rest, tuple(votes))
    return found, Totals(rows)


def is_by_rolls(count: Count, contests: Sequence[Contest], manifest: Manifest) -> bool:
    """Whether a manifest says of every box what a plan takes that was given none."""
    sheets = [_sheets(count, contest) for contest in contests]
    names = _boxes(count, sheets)
    try:
        at_most = _bound_by_rolls(count.election.units.rolls, sheets, names)
    except AuditError:
        return False
    stations = {name: station for station, name in names.items()}
    if stations.keys() != manifest.index.keys():
        return False
    return bool(np.array_equal(at_most[[stations[box] for box in manifest.boxes]], manifest.cards))


def crowded(count: Count, contests: Sequence[Contest], manifest: Manifest) -> tuple[Crowded, ...]:
    """Boxes of the manifest that are stations, and of which more cards are published than it has; by contest, then by station."""
    return tuple(_crowded(count, contests, manifest))


def beyond_sheets(count: Count, contests: Sequence[Contest], manifest: Manifest) -> tuple[int, int]:
    """In how many boxes of stations whose sheets count the manifest has more cards than they report, and how many more."""
    sheets = [_sheets(count, contest) for contest in contests]
    largest = _largest(count.election.units.station_count, sheets)
    counted = np.flatnonzero(largest)
    places = [manifest.index.get(name) for name in _names(count, counted)]
    more = [
        int(manifest.cards[place]) - cards
        for place, cards in zip(places, largest[counted].tolist(), strict=True)
        if place is not None and int(manifest.cards[place]) > cards
    ]
    return len(more), sum(more)


def short_of_rolls(count: Count, contests: Sequence[Contest], manifest: Manifest) -> tuple[int, int]:
    """In how many boxes without a counted sheet the manifest has fewer cards than could lie there, and how many fewer in all.

    No sheet says how many there are: what could lie there is the roll of the station, or what a sheet in quarantine says.
    """
    rolls = count.election.units.rolls.astype(np.int64)
    short: dict[int, int] = {}
    for each in (_sheets(count, contest) for contest in contests):
        open_ = each.station[~each.counted]
        could = np.maximum(rolls[open_], each.most[~each.counted])
        for station, box, cards in zip(open_.tolist(), _names(count, open_), could.tolist(), strict=True):
            place = manifest.index.get(box)
            if place is not None and cards > int(manifest.cards[place]):
                short[station] = max(short.get(station, 0), cards - int(manifest.cards[place]))
    return len(short), sum(short.values())


def _crowded(count: Count, contests: Sequence[Contest], manifest: Manifest) -> Iterator[Crowded]:
    for contest in contests:
        sheets = _sheets(count, contest)
        for box, cards in zip(_names(count, sheets.station), sheets.cards.tolist(), strict=True):
            place = manifest.index.get(box)
            if place is not None and cards > int(manifest.cards[place]):
                yield Crowded(box, contest.id, int(manifest.cards[place]), cards)


def _boxes(count: Count, sheets: Sequence[_Sheets]) -> dict[int, str]:
    """By number of each station that votes in any of the contests: its box."""
    places = np.zeros(count.election.units.station_count, np.bool_)
    for each in sheets:
        places[each.station] = True
    stations = np.flatnonzero(places)
    return dict(zip(stations.tolist(), _names(count, stations), strict=True))


def _names(count: Count, stations: NDArray[np.int64]) -> list[str]:
    units = count.election.units
    return [units.ids[unit] for unit in units.station_units[stations].tolist()]


def _sheets(count: Count, contest: Contest) -> _Sheets:
    state = count.contests[count.election.contest_index[contest.id]]
    below = count.election.units.stations_below(state.unit)
    stations = np.arange(below.start, below.stop, dtype=np.int64)
    stations = stations[state.status[stations] != EXCLUDED]
    counted = state.status[stations] == COUNTED
    figures = np.maximum(state.figures[stations].astype(np.int64), 0)  # A figure that no sheet states adds nothing.
    votes, stated = figures[:, : state.options], figures[:, state.options :]
    rest = stated[:, BLANK] + stated[:, NULL]
    one_mark = contest.single_choice() or contest.rule == "ranked"
    marked = votes.sum(axis=1) if one_mark else votes.max(axis=1)
    cards = np.maximum(marked + rest, stated[:, CAST])
    return _Sheets(
        contest.id,
        stations,
        counted,
        np.where(counted[:, np.newaxis], votes, 0),
        np.where(counted, rest, 0),
        np.where(counted, cards, 0),
        np.maximum(cards, stated[:, VOTERS]),
    )


def _bound_by_rolls(rolls: NDArray[np.int64], sheets: Sequence[_Sheets], names: dict[int, str]) -> NDArray[np.int64]:
    """By station: the roll, or what its sheets say where that is more."""
    for station, name in names.items():
        if rolls[station] == UNKNOWN:
            raise AuditError(
                f"nobody says how many cards can lie in the box of station {name!r}: its roll is not known; give a manifest "
                "(--manifest), a list of boxes and of how many cards lie in each, established without the voting system"
            )
    at_most: NDArray[np.int64] = rolls.astype(np.int64)
    for each in sheets:
        at_most[each.station] = np.maximum(at_most[each.station], each.most)
    return at_most


def _bound_by_manifest(stations: int, sheets: Sequence[_Sheets], names: dict[int, str], manifest: Manifest) -> NDArray[np.int64]:
    """By station: what the manifest says, which is held against the sheets."""
    at_most = np.zeros(stations, np.int64)
    for each in sheets:
        for station, cards in zip(each.station.tolist(), each.cards.tolist(), strict=True):
            place = manifest.index.get(names[station])
            if place is None:
                raise AuditError(
                    f"station {names[station]!r} votes in contest {each.contest!r} and is not in the manifest: add its box"
                )
            at_most[station] = manifest.cards[place]
            if cards > at_most[station]:
                raise AuditError(Crowded(names[station], each.contest, int(at_most[station]), cards).text())
    known = set(names.values())
    if strange := [box for box in manifest.boxes if box not in known]:
        raise AuditError(
            f"box {strange[0]!r} of the manifest is no station that votes in these contests: leave it out, or correct its name"
        )
    return at_most


def _largest(stations: int, sheets: Sequence[_Sheets]) -> NDArray[np.int64]:
    """By station: the largest number of cards that a counted sheet of it reports."""
    largest = np.zeros(stations, np.int64)
    for each in sheets:
        largest[each.station] = np.maximum(largest[each.station], each.cards)
    return largest
