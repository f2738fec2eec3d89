"""What is known of one contest at one moment: the stations that are counted, those still open, and how much they can add."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

Rankings = tuple[tuple[tuple[int, ...], int], ...]

MAX_VOTES: Final = 1 << 40
"""More votes than any election has; sums of figures below it, times a condition's weights, fit into 64 bits."""


@dataclass(frozen=True, eq=False)
class RankingColumns:
    """The rankings of all counted stations: one entry per station and ranking in the three columns."""

    distinct: tuple[tuple[int, ...], ...]
    """Every ranking that occurs, once."""
    row: NDArray[np.int64]
    """The station, as a row of the partial count."""
    ranking: NDArray[np.int64]
    """The ranking, as a position in `distinct`."""
    ballots: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PartialCount:
    """One contest in one unit, station by station, with the order in which the counted stations arrived.

    All arrays have one row for each of the n stations. A station is counted, open (outstanding, in quarantine or disputed),
    or neither (excluded by a decision: it adds nothing). Candidates are named by their position in `candidates`.
    Raises CallError where the columns do not fit each other.
    """

    candidates: tuple[str, ...]
    votes: NDArray[np.int64]
    """Votes per candidate, shape (n, candidates); zero in rows that are not counted."""
    others: NDArray[np.int64]
    """Blank and null ballots; zero where not counted or not stated."""
    counted: NDArray[np.bool_]
    open: NDArray[np.bool_]
    arrival: NDArray[np.int64]
    """Position in the order of arrival: 0, 1, 2 … for counted stations, -1 for all others."""
    capacity: NDArray[np.int64]
    """The most ballots that a station can hold: its roll and what the law allows beyond it, or the ballots issued to it
    where those are published; UNKNOWN where neither is known. Never an estimate of turnout."""
    stratum: NDArray[np.int32]
    """The stratum of each station, as a position in `strata`."""
    strata: tuple[str, ...]
    rankings: dict[int, Rankings] = field(default_factory=dict)
    """For ranked contests alone: the rankings of each counted row, by candidate."""
    ordered: bool = True
    """Whether `arrival` is the order in which the stations reported. Where nobody recorded that, it is `unrelated_order`."""
    previous: NDArray[np.int64] | None = None
    """The baseline: votes per candidate at an earlier election, shape (n, candidates), known for every station."""

    def __post_init__(self) -> None:
        n, k = len(self.counted), len(self.candidates)
        shapes = {
            "votes": (self.votes.shape, (n, k)),
            "others": (self.others.shape, (n,)),
            "open": (self.open.shape, (n,)),
            "arrival": (self.arrival.shape, (n,)),
            "capacity": (self.capacity.shape, (n,)),
            "stratum": (self.stratum.shape, (n,)),
        }
        if self.previous is not None:
            shapes["previous"] = (self.previous.shape, (n, k))
        for name, (given, expected) in shapes.items():
            if given != expected:
                raise CallError(
                    f"partial count: {name} has the shape {given}, the {n} stations and {k} candidates need {expected}"
                )
        if not k:
            raise CallError("partial count: there is no candidate: give at least one")
        if bool((self.counted & self.open).any()):
            raise CallError("partial count: a station is counted and open at once: it can only be one of them")
        if n and (int(self.stratum.min()) < 0 or int(self.stratum.max()) >= len(self.strata)):
            raise CallError("partial count: a station lies in a stratum that is not listed")
        if n and (int(self.votes.min()) < 0 or int(self.others.min()) < 0 or int(self.capacity.min()) < UNKNOWN):
            raise CallError("partial count: a figure is below zero")
        if int(self.votes.sum(dtype=np.float64)) + int(self.others.sum(dtype=np.float64)) > MAX_VOTES:
            raise CallError(f"partial count: there are more than {MAX_VOTES} votes, which no election has")
        if bool((self.votes[~self.counted] != 0).any()) or bool((self.others[~self.counted] != 0).any()):
            raise CallError("partial count: a station that is not counted has votes: unknown figures must be left out")
        ranks = np.sort(self.arrival[self.counted])
        if not np.array_equal(ranks, np.arange(len(ranks))) or bool((self.arrival[~self.counted] != -1).any()):
            raise CallError("partial count: the order of arrival must number the counted stations 0, 1, 2 …, and no others")

    @cached_property
    def totals(self) -> tuple[int, ...]:
        """Votes per candidate over the counted stations."""
        return tuple(self.votes.sum(axis=0).tolist())

    @cached_property
    def counted_stations(self) -> int:
        """How many stations are counted."""
        return int(self.counted.sum())

    @cached_property
    def open_stations(self) -> int:
        """How many stations can still add ballots."""
        return int(self.open.sum())

    @cached_property
    def open_ballots(self) -> int | None:
        """The most ballots that can still come; None where an open station's capacity is unknown."""
        capacity = self.capacity[self.open]
        return None if bool((capacity == UNKNOWN).any()) else int(capacity.sum())

    @cached_property
    def ranking_columns(self) -> RankingColumns:
        """The rankings as columns, made once, because every condition of a ranked contest goes through all of them."""
        known: dict[tuple[int, ...], int] = {}
        entries = [
            (row, known.setdefault(ranking, len(known)), ballots)
            for row, rankings in self.rankings.items()
            for ranking, ballots in rankings
        ]
        columns = np.array(entries, dtype=np.int64).reshape(len(entries), 3)
        return RankingColumns(tuple(known), columns[:, 0], columns[:, 1], columns[:, 2])

    def in_order(self) -> NDArray[np.int64]:
        """The rows of the counted stations, in the order in which they arrived."""
        rows = np.flatnonzero(self.counted)
        order = np.empty(len(rows), dtype=np.int64)
        order[self.arrival[rows]] = rows
        return order

    def first(self, stations: int) -> "PartialCount":
        """The same contest when only the first so many of the counted stations had arrived; the later ones are open again."""
        stays = self.counted & (self.arrival < stations)
        return replace(
            self,
            votes=np.where(stays[:, np.newaxis], self.votes, 0),
            others=np.where(stays, self.others, 0),
            counted=stays,
            open=self.open | (self.counted & ~stays),
            arrival=np.where(stays, self.arrival, -1),
            rankings={row: rankings for row, rankings in self.rankings.items() if stays[row]},
        )


def unrelated_order(counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """An `arrival` for stations whose order is not known: fixed, and unrelated to how the rows are sorted.

    Files are sorted by place as a rule. The sequential test supposes an order that has nothing to do with the votes, and takes
    one look at such a file; any order will do that does not follow the file's.
    """
    rows = np.flatnonzero(counted)
    arrival = np.full(len(counted), -1, dtype=np.int64)
    # Steps of the golden ratio's fraction of 2**64 (Knuth, The Art of Computer Programming 3, 6.4) leave no pattern of the file.
    with np.errstate(over="ignore"):
        mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    arrival[rows[np.argsort(mixed, kind="stable")]] = np.arange(len(rows))
    return arrival
