"""From the count of a log to a partial count: which stations are counted, in which order they came, what others can add."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import PartialCount, Rankings, unrelated_order
from scrutineer.count import COUNTED, OUTSTANDING, QUARANTINED, Count
from scrutineer.count.columns import BLANK, NULL, ROLL
from scrutineer.count.contest import ContestCount
from scrutineer.count.results import add_rankings
from scrutineer.election import UNKNOWN, Contest, Units
from scrutineer.election.call_settings import CallSettings
from scrutineer.language import ENGLISH, Say


def partial_count(count: Count, contest: int, settings: CallSettings, unit: int | None = None) -> PartialCount:
    """What the log says of a contest (by position) in a unit (by position; None for the contest's own).

    Stations arrive in the order in which the sheets that now hold for them stand in the log; in a replay, in that of the
    sheets' times. A quarantined station is open with
    the roll of the definition: what its sheet says of its roll bounds nothing. The strata are the units at the depth that the
    settings name, or the unit itself where it lies that deep; a stratum is never a station.
    """
    state, units = count.contests[contest], count.election.units
    place = state.unit if unit is None else unit
    own, asked = units.stations_below(state.unit), units.stations_below(place)
    rows = slice(max(own.start, asked.start), max(min(own.stop, asked.stop), max(own.start, asked.start)))
    status = state.status[rows]
    counted = status == COUNTED
    stratum, strata = strata_below(units, place, settings.strata)
    arrival, ordered = _arrival(state.sheet[rows], counted), True
    if count.election.definition.provenance == "replayed":
        # A replay is recorded in the order of somebody's file; when the stations reported, only the sheets' times can say.
        arrival, ordered = _arrival_by_time(state.sheet[rows], state.time[rows], counted)
    inside = slice(rows.start - asked.start, rows.stop - asked.start)
    return PartialCount(
        candidates=tuple(candidate.id for candidate in state.contest.standing()),
        votes=_candidate_votes(state, rows, counted),
        others=np.where(counted[:, np.newaxis], np.maximum(_figures(state, rows, BLANK, NULL), 0), 0).sum(axis=1, dtype=np.int64),
        counted=counted,
        open=(status == OUTSTANDING) | (status == QUARANTINED),
        arrival=arrival,
        ordered=ordered,
        capacity=_capacity(units.rolls[rows], _figures(state, rows, ROLL)[:, 0], counted, settings.extra_ballots),
        stratum=stratum[inside],
        strata=strata,
        rankings=_rankings(state, rows),
        previous=_previous(state, count.election.baseline[contest], slice(rows.start - own.start, rows.stop - own.start)),
    )


def strata_below(units: Units, unit: int, depth: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The stratum of every station below a unit (by position), and what the units that are the strata are called.

    A stratum is the station's ancestor at the given depth, or the unit itself where that lies deeper; a station that hangs
    higher belongs to the unit right above it. Units are called by their names, and by ids too where those are not unique.
    """
    below = units.stations_below(unit)
    # The ancestors of each station, from the station itself up to the country.
    chain = [units.station_units[below.start : below.stop].astype(np.int64)]
    while len(chain[-1]) and bool((chain[-1] > 0).any()):
        chain.append(np.maximum(units.parent[chain[-1]], 0))
    ancestors = np.stack(chain)
    depths = (ancestors > 0).sum(axis=0)
    wanted = np.minimum(max(depth, len(units.path(unit)) - 1), np.maximum(depths - 1, 0))
    at = np.take_along_axis(ancestors, (depths - wanted)[np.newaxis], axis=0)[0] if len(chain[0]) else chain[0]
    found, stratum = np.unique(at, return_inverse=True)
    return stratum.astype(np.int32), _called(units, found.tolist())


def votes_by_candidate(contest: Contest, votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Votes per candidate from votes per option (the last axis): options of one candidate are added."""
    candidates = contest.candidate_of_option()
    if candidates == tuple(range(len(contest.options))):
        return votes
    merged = np.zeros((*votes.shape[:-1], max(candidates) + 1), dtype=np.int64)
    for option, candidate in enumerate(candidates):
        merged[..., candidate] += votes[..., option]
    return merged


def incoherence(count: Count, contest: int, partial: PartialCount) -> tuple[str, ...]:
    """What in the counted sheets of a contest cannot be, in words: more ballots than the voters on the rolls."""
    beyond = beyond_rolls(count, contest, partial)
    return () if beyond is None else (beyond_rolls_words(*beyond),)


def beyond_rolls(count: Count, contest: int, partial: PartialCount) -> tuple[int, int] | None:
    """The ballots of the counted stations and the voters on their rolls, where these are fewer."""
    known = partial.counted & (partial.capacity != UNKNOWN)
    ballots = int(partial.votes[known].sum()) + int(partial.others[known].sum())
    capacity = int(partial.capacity[known].sum())
    contest_now = count.contests[contest].contest
    return (ballots, capacity) if contest_now.single_choice() and ballots > capacity else None


def beyond_rolls_words(ballots: int, voters: int, say: Say = ENGLISH) -> str:
    """The same in words."""
    return say(
        "the counted stations hold {ballots} and have {voters} on their rolls",
        ballots=say.several("{n} ballot", "{n} ballots", ballots),
        voters=say.several("{n} voter", "{n} voters", voters),
    )


def _figures(state: ContestCount, rows: slice, *columns: int) -> NDArray[np.int32]:
    own: NDArray[np.int32] = state.figures[rows, :][:, [state.options + column for column in columns]]
    return own


def _candidate_votes(state: ContestCount, rows: slice, counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    stated = state.figures[rows, : state.options].astype(np.int64)
    np.maximum(stated, 0, out=stated)
    stated[~counted] = 0
    return votes_by_candidate(state.contest, stated)


def _previous(state: ContestCount, baseline: NDArray[np.int32] | None, rows: slice) -> NDArray[np.int64] | None:
    """Votes per candidate in the baseline of a contest, whose rows are the stations that vote in it."""
    return None if baseline is None else votes_by_candidate(state.contest, baseline[rows].astype(np.int64))


def _arrival(sheets: NDArray[np.int64], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    arrival = np.full(len(sheets), -1, dtype=np.int64)
    at = np.flatnonzero(counted)
    arrival[at[np.argsort(sheets[at], kind="stable")]] = np.arange(len(at))
    return arrival


def _arrival_by_time(
    sheets: NDArray[np.int64], times: NDArray[np.int64], counted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], bool]:
    at = np.flatnonzero(counted)
    if bool((times[at] == UNKNOWN).any()):
        return unrelated_order(counted), False
    arrival = np.full(len(sheets), -1, dtype=np.int64)
    arrival[at[np.lexsort((sheets[at], times[at]))]] = np.arange(len(at))
    return arrival, True


def _capacity(
    rolls: NDArray[np.int64], on_sheets: NDArray[np.int32], counted: NDArray[np.bool_], extra: int
) -> NDArray[np.int64]:
    known = np.where((rolls < 0) & counted, on_sheets, rolls).astype(np.int64)
    return np.where(known < 0, UNKNOWN, known + extra)


def _rankings(state: ContestCount, rows: slice) -> dict[int, Rankings]:
    if state.contest.rule != "ranked":
        return {}
    candidates = state.contest.candidate_of_option()
    own: dict[int, Rankings] = {}
    for station, rankings in state.rankings.items():
        if rows.start <= station < rows.stop and state.is_counted(station):
            merged: dict[tuple[int, ...], int] = {}
            add_rankings(merged, rankings, candidates)
            own[station - rows.start] = tuple(sorted(merged.items()))
    return own


def _called(units: Units, positions: list[int]) -> tuple[str, ...]:
    used = Counter(units.names[position] for position in positions)
    return tuple(
        units.names[position] if used[units.names[position]] == 1 else f"{units.names[position]} ({units.ids[position]})"
        for position in positions
    )
