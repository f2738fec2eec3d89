"""Election nights of known end: final figures by station, and the order in which the stations report them.

A night turns a final count into the partial counts that people look at while it comes in, so that a verdict on a partial
count can be held against the end. The orders range from harmless to hostile:

- `random_order`: every order equally likely, which the sequential test assumes;
- `size_biased_order`: small stations are done sooner, or large ones in towns are;
- `region_blocks`: one stratum after the other;
- `regions_first`, `stations_first`, `noisy_stations_first`: what is good for one candidate comes first, by region, strictly
  by station, or mostly so;
- `group_order`: groups of stations one after the other, such as those of a first and a second announcement;
- `recorded_order`: as it was.

Everything is a pure function of the figures and of the generator that is passed in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.from_count import strata_below, votes_by_candidate
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN, Contest, Option, Units
from scrutineer.election.layout_reader import Published
from scrutineer.election.published_sheets import PublishedSheet
from scrutineer.errors import UsageError
from scrutineer.simulate.draws import Ints
from scrutineer.simulate.republic import Simulation

CapacitySource = Literal["rolls", "votes"]
"""`rolls`: the published rolls, raised to the ballots where a station had more; UNKNOWN where there is none. `votes`: the
ballots that were cast, times a factor, because nothing better is published: for benches alone, since nobody could know it."""

_LEAST_SHARE: Final = 0.002  # of a candidate in a station of the baseline, so that a swing can be applied


@dataclass(frozen=True, eq=False)
class FinalCount:
    """The end of a count, by station. Raises UsageError where the columns do not fit each other.

    All arrays have one row for each of the n stations.
    """

    contest: Contest
    votes: Ints
    """Votes per candidate, shape (n, candidates)."""
    others: Ints
    """Blank and null ballots."""
    capacity: Ints
    """The most ballots that each station can hold; UNKNOWN where it is not known."""
    stratum: NDArray[np.int32]
    strata: tuple[str, ...]
    previous: Ints | None = None
    """The baseline: votes per candidate at an earlier election."""
    times: Ints | None = None
    """When each station reported, in seconds since 1970; UNKNOWN where it is not recorded."""
    stations: tuple[str, ...] = ()
    """Identifiers of the stations; empty where there are none."""
    capacity_source: CapacitySource = "rolls"
    left_out: int = 0
    """Stations of the source without a complete sheet, and further sheets of a station that has one."""

    def __post_init__(self) -> None:
        n, k = len(self.votes), len(self.contest.standing())
        shapes = {
            "votes": (self.votes.shape, (n, k)),
            "others": (self.others.shape, (n,)),
            "capacity": (self.capacity.shape, (n,)),
            "stratum": (self.stratum.shape, (n,)),
            "previous": ((n, k) if self.previous is None else self.previous.shape, (n, k)),
            "times": ((n,) if self.times is None else self.times.shape, (n,)),
            "stations": ((len(self.stations) or n,), (n,)),
        }
        for name, (given, expected) in shapes.items():
            if given != expected:
                raise UsageError(
                    f"final count: {name} has the shape {given}, but {n} stations and {k} candidates need {expected}"
                )
        if not n:
            raise UsageError("final count: there is no station with a complete sheet")
        if int(self.votes.min()) < 0 or int(self.others.min()) < 0:
            raise UsageError("final count: a figure is below zero: leave out the stations whose figures are unknown")

    @property
    def candidates(self) -> tuple[str, ...]:
        """Identifiers of the candidates, in the order of the votes."""
        return tuple(candidate.id for candidate in self.contest.standing())

    @property
    def totals(self) -> tuple[int, ...]:
        """Votes per candidate."""
        return tuple(self.votes.sum(axis=0).tolist())

    @property
    def ballots(self) -> Ints:
        """Ballots by station."""
        ballots: Ints = self.votes.sum(axis=1) + self.others
        return ballots

    @property
    def ranking(self) -> tuple[int, ...]:
        """Candidates by their final votes, most first."""
        return tuple(np.argsort(-self.votes.sum(axis=0), kind="stable").tolist())

    def thinned(self, stations: int, rng: np.random.Generator) -> "FinalCount":
        """A random sample of so many stations as an election of its own; the same where there are no more than that."""
        if stations >= len(self.votes):
            return self
        rows = np.sort(rng.permutation(len(self.votes))[:stations])
        return replace(
            self,
            votes=self.votes[rows],
            others=self.others[rows],
            capacity=self.capacity[rows],
            stratum=self.stratum[rows],
            previous=None if self.previous is None else self.previous[rows],
            times=None if self.times is None else self.times[rows],
            stations=tuple(self.stations[row] for row in rows.tolist()) if self.stations else (),
        )

    def with_baseline(
        self, rng: np.random.Generator, *, swing: float = 0.15, noise: float = 0.15, turnout: float = 0.1
    ) -> "FinalCount":
        """The same with an invented earlier election of the same stations.

        At the earlier election a candidate's share differed by a factor of exp(s + e), renormalised over the candidates: s is
        drawn once for each candidate and stratum, normal with standard deviation `swing` (besides one draw for the whole
        country of the same size), e once for each candidate and station with standard deviation `noise`. Ballots differ by a
        factor drawn likewise with `turnout`. Where a candidate has few votes the baseline has at least 0.2 % of the station's.
        """
        n, k = self.votes.shape
        own = np.maximum(self.votes / np.maximum(1, self.votes.sum(axis=1, keepdims=True)), _LEAST_SHARE)
        change = rng.normal(0.0, swing, (len(self.strata), k))[self.stratum] + rng.normal(0.0, swing, k)
        change = change + rng.normal(0.0, noise, (n, k))
        shares = own * np.exp(change)
        shares /= shares.sum(axis=1, keepdims=True)
        valid = self.votes.sum(axis=1) * np.exp(rng.normal(0.0, turnout, n))
        return replace(self, previous=np.rint(shares * valid[:, np.newaxis]).astype(np.int64))


def final_of_arrays(
    votes: Ints,
    *,
    others: Ints | None = None,
    capacity: Ints | None = None,
    stratum: Ints | None = None,
    strata: Sequence[str] = (),
    contest: Contest | None = None,
    previous: Ints | None = None,
) -> FinalCount:
    """A final count from plain arrays; without a contest it is one for a single seat by plurality.

    Without `capacity` that is unknown everywhere; without `stratum` there is one stratum. Raises UsageError.
    """
    if votes.ndim != 2 or not votes.shape[1]:
        raise UsageError(
            f"final count: votes have the shape {votes.shape}: give one row for each station, one column per candidate"
        )
    n, k = votes.shape
    options = tuple(Option(f"c{number}", f"Candidate {number}") for number in range(1, k + 1))
    places = np.zeros(n, dtype=np.int32) if stratum is None else stratum.astype(np.int32)
    names = tuple(strata) or tuple(f"s{number}" for number in range(int(places.max(initial=0)) + 1))
    return FinalCount(
        contest=contest or Contest(id="contest", title="Contest", rule="plurality", options=options),
        votes=votes.astype(np.int64),
        others=np.zeros(n, dtype=np.int64) if others is None else others.astype(np.int64),
        capacity=np.full(n, UNKNOWN, dtype=np.int64) if capacity is None else capacity.astype(np.int64),
        stratum=places,
        strata=names,
        previous=previous,
    )


def final_of_published(
    published: Published, depth: int, *, contest: int = 0, capacity: CapacitySource = "rolls", factor: float = 1.0
) -> FinalCount:
    """The final count of a published set; the strata are its units at `depth`, or the deepest ones above a station.

    A station counts with its first sheet that states every option; blank and null ballots come from the sheet, or from the
    ballots that it states beyond the votes. The capacity is the roll; for `votes` it is `factor` times the ballots where no
    roll is published.
    """
    chosen = published.contests[contest]
    units = published.units
    sheets: dict[int, PublishedSheet] = {}
    further = 0
    for sheet in published.sheets:
        if sheet.contest == chosen.id:
            row = units.station_index[sheet.station]
            if row in sheets or None in sheet.counts:
                further += 1
            else:
                sheets[row] = sheet
    rows = np.array(sorted(sheets), dtype=np.int64)
    kept = [sheets[row] for row in rows.tolist()]
    options = np.array([sheet.counts for sheet in kept], dtype=np.int64).reshape(len(kept), len(chosen.options))
    votes = votes_by_candidate(chosen, options)
    others = np.array([_others(sheet) for sheet in kept], dtype=np.int64)
    rolls = np.array([UNKNOWN if sheet.roll is None else sheet.roll for sheet in kept], dtype=np.int64)
    rolls = np.where(rolls > 0, rolls, units.rolls[rows]) if len(rows) else rolls
    stratum, strata = _strata(units, rows, depth)
    times = np.array([UNKNOWN if sheet.time is None else sheet.time for sheet in kept], dtype=np.int64)
    ids = tuple(sheet.station for sheet in kept)
    return FinalCount(
        contest=chosen,
        votes=votes,
        others=others,
        capacity=_capacity(rolls, votes.sum(axis=1) + others, capacity, factor),
        stratum=stratum,
        strata=strata,
        times=times if bool((times != UNKNOWN).any()) else None,
        stations=ids,
        capacity_source=capacity,
        left_out=units.station_count - len(kept) + further,
    )


def final_of_simulation(simulation: Simulation, depth: int = 1, *, contest: int = 0) -> FinalCount:
    """What was really cast in a simulated republic, before anything went wrong on the way. Not for ranked contests."""
    boxes = simulation.boxes[contest]
    if boxes.orders:
        raise UsageError(f"contest {boxes.contest.id!r} is ranked: its nights cannot be simulated; choose another")
    rows = np.arange(boxes.first, boxes.stop, dtype=np.int64)
    stratum, strata = _strata(simulation.units, rows, depth)
    return FinalCount(
        contest=boxes.contest,
        votes=votes_by_candidate(boxes.contest, boxes.votes.astype(np.int64)),
        others=(boxes.blank + boxes.null).astype(np.int64),
        capacity=_capacity(simulation.units.rolls[rows].astype(np.int64), boxes.ballots, "rolls", 1.0),
        stratum=stratum,
        strata=strata,
    )


@dataclass(frozen=True, eq=False)
class Night:
    """A final count and the order in which its stations report. Raises UsageError where the order is not a permutation."""

    final: FinalCount
    order: Ints
    """Stations by their row in the final count, first to last."""

    def __post_init__(self) -> None:
        if not np.array_equal(np.sort(self.order), np.arange(len(self.final.votes))):
            raise UsageError(f"a night needs every one of its {len(self.final.votes)} stations once in the order of reporting")

    def partial(self, stations: int) -> PartialCount:
        """The count when so many stations have reported; all others are open."""
        final = self.final
        n = len(final.votes)
        if not 0 <= stations <= n:
            raise UsageError(f"a night of {n} stations cannot have {stations} counted")
        rows = self.order[:stations]
        counted = np.zeros(n, dtype=np.bool_)
        counted[rows] = True
        arrival = np.full(n, -1, dtype=np.int64)
        arrival[rows] = np.arange(stations)
        return PartialCount(
            candidates=final.candidates,
            votes=np.where(counted[:, np.newaxis], final.votes, 0),
            others=np.where(counted, final.others, 0),
            counted=counted,
            open=~counted,
            arrival=arrival,
            capacity=final.capacity,
            stratum=final.stratum,
            strata=final.strata,
            previous=final.previous,
        )

    def looks(self, percents: Iterable[int]) -> Iterator[PartialCount]:
        """The partial counts at so many percent of the stations, rounded up."""
        n = len(self.final.votes)
        for percent in percents:
            yield self.partial(-(-n * percent // 100))


def random_order(final: FinalCount, rng: np.random.Generator) -> Ints:
    """Every order equally likely."""
    return rng.permutation(len(final.votes)).astype(np.int64)


def size_biased_order(
    final: FinalCount, rng: np.random.Generator, *, first: Literal["small", "large"] = "small", noise: float = 0.5
) -> Ints:
    """Stations by their ballots, small or large ones first.

    `noise` is the standard deviation of what is added to the natural logarithm of a station's size.
    """
    size = np.log1p(final.ballots) + rng.normal(0.0, noise, len(final.votes))
    return np.argsort(size if first == "small" else -size, kind="stable")


def region_blocks(final: FinalCount, rng: np.random.Generator) -> Ints:
    """One stratum after the other in random sequence; random within each."""
    return group_order(rng.permutation(len(final.strata))[final.stratum], rng)


def regions_first(final: FinalCount, candidate: int, rng: np.random.Generator) -> Ints:
    """Strata by a candidate's share in them, best first; random within each."""
    k = len(final.strata)
    own = np.bincount(final.stratum, weights=final.votes[:, candidate], minlength=k)
    valid = np.bincount(final.stratum, weights=final.votes.sum(axis=1), minlength=k)
    place = np.empty(k, dtype=np.int64)
    place[np.argsort(-own / np.maximum(valid, 1.0), kind="stable")] = np.arange(k)
    return group_order(place[final.stratum], rng)


def stations_first(final: FinalCount, candidate: int) -> Ints:
    """Stations by a candidate's share in them, best first, strictly: the most hostile order."""
    return np.argsort(-_share(final, candidate), kind="stable")


def noisy_stations_first(final: FinalCount, candidate: int, strength: float, rng: np.random.Generator) -> Ints:
    """Stations mostly by a candidate's share: the order of strength x share + sqrt(1 - strength^2) x noise, best first.

    Share and noise have mean 0 and standard deviation 1; strength 0 is a random order, 1 a strict one.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"strength {strength} of an order: give a number from 0 to 1")
    share = _share(final, candidate)
    spread = float(share.std())
    share = (share - share.mean()) / spread if spread > 0 else share * 0.0
    key = strength * share + np.sqrt(1.0 - strength * strength) * rng.normal(0.0, 1.0, len(share))
    return np.argsort(-key, kind="stable")


def group_order(group: Ints, rng: np.random.Generator) -> Ints:
    """Stations by the number of their group, lowest first; random within each."""
    return np.lexsort((rng.permutation(len(group)), group)).astype(np.int64)


def recorded_order(times: Ints) -> Ints:
    """Stations by the time at which they reported; those of the same time by row, those without a time last."""
    return np.argsort(np.where(times == UNKNOWN, np.iinfo(np.int64).max, times), kind="stable")


def _share(final: FinalCount, candidate: int) -> NDArray[np.float64]:
    share: NDArray[np.float64] = final.votes[:, candidate] / np.maximum(1, final.votes.sum(axis=1))
    return share


def _others(sheet: PublishedSheet) -> int:
    marked = sum(filter(None, sheet.counts))
    if sheet.blank is None and sheet.null is None and sheet.cast is not None:
        return max(0, sheet.cast - marked)
    return max(0, sheet.blank or 0) + max(0, sheet.null or 0)


def _capacity(rolls: Ints, ballots: Ints, source: CapacitySource, factor: float) -> Ints:
    missing = np.ceil(ballots * factor).astype(np.int64) if source == "votes" else np.full(len(rolls), UNKNOWN, dtype=np.int64)
    return np.where(rolls > 0, np.maximum(rolls, ballots), missing)


def _strata(units: Units, rows: Ints, depth: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The stratum of each of these stations: the unit at `depth`, or the one right above where that lies deeper."""
    if depth < 0:
        raise UsageError(f"strata at depth {depth}: give 0 for the whole country, 1 for the units directly below it")
    stratum, names = strata_below(units, 0, depth)
    found, own = np.unique(stratum[rows], return_inverse=True)
    return own.astype(np.int32), tuple(names[number] for number in found.tolist())
