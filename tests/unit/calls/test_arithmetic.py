"""What is certain by arithmetic, what is missing for it, and the recount band."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.calls.arithmetic import (
    Prospect,
    Since,
    band,
    needs,
    odds_ratio,
    share_needed,
    since,
    slacks,
    would_become,
)
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

LEAD = Condition("lead:Egret:Finch", 0, 1, (1, -1, 0), 0, 1)
MAJORITY = Condition("above:Egret", 0, None, (1, -1, -1), 0, 1)
OF_CAST = Condition("above:Egret", 0, None, (3, -2, -2), -2, 0)
AT_LEAST = Condition("above:Egret", 0, None, (1, 0, 0), 0, 20)
CONDITIONS = [LEAD, MAJORITY, OF_CAST, AT_LEAST]

Station = tuple[tuple[int, int, int], int, str]
"""Votes, capacity, stratum; listed in the order of arrival."""


def partial_of(*counted: Station, still_open: tuple[tuple[int, str], ...] = (), excluded: int = 0) -> PartialCount:
    """Counted stations in their order, then open ones (capacity, stratum), then excluded ones of huge capacity."""
    strata = tuple(dict.fromkeys([each[2] for each in counted] + [each[1] for each in still_open])) or ("none",)
    rest = len(still_open) + excluded
    n = len(counted) + rest
    is_counted = np.arange(n) < len(counted)
    is_open = ~is_counted & (np.arange(n) < len(counted) + len(still_open))
    names = [each[2] for each in counted] + [each[1] for each in still_open] + [strata[0]] * excluded
    return PartialCount(
        candidates=("Egret", "Finch", "Heron"),
        votes=np.array([*(each[0] for each in counted), *[(0, 0, 0)] * rest], dtype=np.int64).reshape(n, 3),
        others=np.zeros(n, dtype=np.int64),
        counted=is_counted,
        open=is_open,
        arrival=np.where(is_counted, np.arange(n), -1),
        capacity=np.array([each[1] for each in counted] + [each[0] for each in still_open] + [10**6] * excluded, dtype=np.int64),
        stratum=np.array([strata.index(name) for name in names], dtype=np.int32),
        strata=strata,
    )


def ways(ballots: int) -> Iterator[tuple[int, int, int, int]]:
    """Every way of casting at most so many ballots: three candidates and blank."""
    for first in range(ballots + 1):
        for second in range(ballots + 1 - first):
            for third in range(ballots + 1 - first - second):
                for blank in range(ballots + 1 - first - second - third):
                    yield first, second, third, blank


def certain_by_trying(partial: PartialCount, condition: Condition) -> bool:
    """Whether the condition holds however the open ballots are cast."""
    value = measure(condition, partial).total
    weights = (*condition.weights, condition.rest)
    return all(
        value + sum(weight * number for weight, number in zip(weights, cast, strict=True)) >= condition.need
        for cast in ways(partial.open_ballots or 0)
    )


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: f"{condition.code}/{condition.need}")
def test_since_against_every_way_of_casting_what_is_open(condition: Condition) -> None:
    rng = np.random.default_rng(12)
    seen = set()
    for _ in range(40):
        capacities = rng.integers(0, 7, 4)
        votes = [rng.multinomial(rng.integers(0, roll + 1), [0.85, 0.1, 0.05]) for roll in capacities[:3]]
        need = condition.need if condition.need < 20 else 7
        tried = replace(condition, need=need)
        partial = partial_of(
            *((tuple(own.tolist()), int(roll), "s") for own, roll in zip(votes, capacities[:3], strict=True)),
            still_open=((int(capacities[3]) % 3, "s"),),
            excluded=1,
        )
        certain = [certain_by_trying(partial.first(stations), tried) for stations in range(4)]
        expected = next((stations for stations in range(4) if all(certain[stations:])), None)
        found = since(partial, measure(tried, partial))
        assert (None if found is None else found.stations) == expected
        seen.add(expected)
    assert None in seen
    assert len(seen) >= 3


def test_since_says_what_was_counted_and_what_was_left_then() -> None:
    stations: tuple[Station, ...] = (((8, 1, 0), 10, "s"), ((9, 0, 0), 10, "s"), ((0, 3, 0), 10, "s"))
    partial = partial_of(*stations, still_open=((2, "s"),))
    # After two stations: 16 ahead, 12 to come; after three 13 ahead, 2 to come.
    assert since(partial, measure(LEAD, partial)) == Since(stations=2, capacity=20, slack=16 - 12 - 1)
    assert slacks(partial, measure(LEAD, partial), partial.capacity, partial.in_order()).tolist() == [-33, -16, 3, 10]
    assert since(partial.first(1), measure(LEAD, partial.first(1))) is None


def test_since_counts_from_when_it_stayed_certain() -> None:
    """A sheet beyond its capacity can take certainty away again; only the last stretch counts."""
    partial = partial_of(((9, 0, 0), 9, "s"), ((0, 9, 0), 3, "s"), ((5, 0, 0), 5, "s"))
    assert slacks(partial, measure(LEAD, partial), partial.capacity, partial.in_order()).tolist() == [-18, 0, -6, 4]
    assert since(partial, measure(LEAD, partial)) == Since(3, 17, 4)


def test_since_without_known_capacities() -> None:
    stations: tuple[Station, ...] = (((9, 0, 0), 9, "s"), ((1, 0, 0), UNKNOWN, "s"), ((1, 0, 0), 3, "s"))
    known_now = partial_of(*stations, still_open=((2, "s"),))
    assert since(known_now, measure(LEAD, known_now)) == Since(stations=2, capacity=None, slack=10 - 5 - 1)
    unknown = partial_of(*stations, still_open=((UNKNOWN, "s"),))
    assert since(unknown, measure(LEAD, unknown)) is None
    # A condition that nothing can hurt needs no capacities.
    enough = replace(AT_LEAST, need=10)
    assert since(unknown, measure(enough, unknown)) == Since(stations=2, capacity=None, slack=0)


def test_since_before_anything_was_counted() -> None:
    partial = partial_of(((1, 2, 0), 3, "s"), still_open=((4, "s"),))
    always = replace(LEAD, need=-7)
    assert since(partial, measure(always, partial)) == Since(0, 0, 0)
    assert since(partial, measure(replace(LEAD, need=-6), partial)) == Since(1, 3, 1)
    assert since(partial, measure(replace(LEAD, need=-4), partial)) is None


def test_would_become() -> None:
    partial = partial_of(((30, 10, 0), 60, "s"), still_open=((25, "s"), (25, "s")))
    assert would_become(partial, measure(LEAD, partial)) == Prospect(open_limit=19, to_count=31)
    assert would_become(partial, measure(OF_CAST, partial)) == Prospect(open_limit=(90 - 20) // 2, to_count=15)
    assert would_become(partial, measure(AT_LEAST, partial)) == Prospect(open_limit=None, to_count=0)
    assert would_become(partial, measure(replace(LEAD, need=21), partial)) is None
    unknown = partial_of(((30, 10, 0), 60, "s"), still_open=((UNKNOWN, "s"),))
    assert would_become(unknown, measure(LEAD, unknown)) == Prospect(open_limit=19, to_count=None)


def test_needs_of_the_announcement_of_28_july_2024() -> None:
    """Counts as announced (A 5,150,092, B 4,445,978, eight others 462,704 at 80 % of the sheets), equal votes per sheet."""
    counted = (5_150_092, 4_445_978, 462_704)
    total = sum(counted)
    partial = partial_of((counted, total, "all"), still_open=((2_514_693, "all"),))
    found = needs(partial, measure(LEAD, partial))
    assert found.gap == 704_114
    assert found.overall.votes_if == 2_514_693
    assert found.overall.share_counted == Fraction(4_445_978, total)
    (only,) = found.strata
    for row in (found.overall, only):
        assert row.share_needed is not None
        assert row.odds_ratio is not None
        assert round(float(row.share_needed), 5) == 0.61700
        assert round(float(row.odds_ratio), 3) == 2.121
    assert share_needed(704_114, 2_514_693, Fraction(0)).limit_denominator(10**6) == Fraction(16, 25)
    assert round(float(odds_ratio(Fraction(16, 25), Fraction(0), 4_445_978, 5_150_092) or 0), 3) == 2.059


@pytest.mark.parametrize(("turnout", "none", "others"), [
    (40, 70.564, 68.264), (50, 66.451, 64.151), (60, 63.709, 61.409),
    (70, 61.751, 59.451), (80, 60.282, 57.982), (100, 58.226, 55.926),
])  # fmt: skip
def test_share_needed_by_turnout(turnout: int, none: float, others: float) -> None:
    """The same announcement, a fifth of a roll of 21.4 million open, at several turnouts; others at none or 4.6 %."""
    votes = 21_400_000 * turnout // 500
    assert round(float(100 * share_needed(704_114, votes, Fraction(0))), 3) == none
    assert round(float(100 * share_needed(704_114, votes, Fraction(46, 1000))), 3) == others


def test_needs_by_stratum_close_the_gap_together() -> None:
    partial = partial_of(
        ((400, 100, 50), 1_000, "north"),
        ((200, 250, 20), 800, "south"),
        ((90, 60, 10), 400, "north"),
        still_open=((500, "north"), (300, "south"), (700, "west")),
    )
    found = needs(partial, measure(LEAD, partial))
    assert [row.stratum for row in found.strata] == ["north", "south", "west"]
    north, south, west = found.strata
    assert (north.counted_stations, north.open_stations, north.open_capacity) == (2, 1, 500)
    assert (north.value, north.value_per_capacity) == (330, Fraction(330, 1_400))
    assert north.votes_if == 710 * 500 // 1_400
    assert south.share_counted == Fraction(250, 470)
    # Nothing is counted in the west: its turnout and shares are taken from everywhere, and said to be unknown there.
    assert (west.value, west.value_per_capacity, west.share_counted) == (0, None, None)
    assert west.votes_if == 1_180 * 700 // 2_200
    assert found.gap == 280
    changes = set()
    net = Fraction(0)
    for row, kept in ((north, Fraction(160, 710)), (south, Fraction(250, 470)), (west, Fraction(410, 1_180))):
        assert row.share_needed is not None
        assert row.value_needed is not None
        assert row.votes_if is not None
        changes.add(row.share_needed - kept)
        net += row.value_needed * row.votes_if
    assert len(changes) == 1, "as many points more everywhere"
    assert abs(net + found.gap) <= 2 * len(found.strata), "votes are rounded down to whole ones"
    overall = found.overall
    assert overall.votes_if == sum(row.votes_if or 0 for row in found.strata)
    assert overall.value_needed == Fraction(-280, overall.votes_if)
    assert overall.share_needed is not None
    assert overall.odds_ratio is not None
    assert overall.odds_ratio > 1


def test_needs_where_the_rival_cannot_do_it() -> None:
    partial = partial_of(((900, 100, 0), 1_000, "s"), still_open=((100, "s"),))
    found = needs(partial, measure(LEAD, partial)).overall
    assert found.share_needed == Fraction(1, 2) + Fraction(800, 200)
    assert found.odds_ratio is None


def test_needs_where_the_condition_fails_already() -> None:
    partial = partial_of(((10, 40, 0), 100, "s"), still_open=((100, "s"),))
    found = needs(partial, measure(LEAD, partial))
    assert found.gap == -30
    assert found.overall.share_needed == Fraction(1, 2) - Fraction(30, 100)


def test_needs_of_other_conditions() -> None:
    partial = partial_of(((60, 20, 10), 100, "s"), still_open=((50, "s"),))
    found = needs(partial, measure(OF_CAST, partial)).overall
    assert found.value == 3 * 60 - 2 * 30
    assert (found.share_counted, found.share_needed, found.odds_ratio) == (None, None, None)
    assert found.votes_if == 45
    # At no more than -121 / 45 for each vote to come the condition fails.
    assert found.value_needed == Fraction(-121, 45)


def test_needs_without_known_capacities_or_counts() -> None:
    unknown = partial_of(((60, 20, 10), 100, "s"), still_open=((50, "s"), (UNKNOWN, "t")))
    found = needs(unknown, measure(LEAD, unknown))
    assert (found.overall.open_capacity, found.overall.votes_if, found.overall.share_needed) == (None, None, None)
    assert [row.votes_if for row in found.strata] == [45, None]
    assert found.strata[0].share_counted == Fraction(2, 9)
    nothing = partial_of(still_open=((50, "s"),))
    assert needs(nothing, measure(LEAD, nothing)).overall.votes_if is None
    empty = partial_of(((0, 0, 0), 100, "s"), still_open=((50, "s"),))
    assert needs(empty, measure(LEAD, empty)).overall.votes_if == 0
    done = partial_of(((60, 20, 10), 100, "s"))
    assert needs(done, measure(LEAD, done)).strata == ()
    half = partial_of(((60, 20, 10), UNKNOWN, "s"), ((30, 10, 5), 50, "s"), still_open=((50, "s"),))
    row = needs(half, measure(LEAD, half)).strata[0]
    assert (row.value_per_capacity, row.votes_if) == (None, 45), "turnout from the stations whose capacity is known"


@pytest.mark.parametrize(("votes", "others"), [(0, Fraction(0)), (-5, Fraction(0)), (10, Fraction(-1, 2)), (10, Fraction(3, 2))])
def test_share_needed_refuses(votes: int, others: Fraction) -> None:
    with pytest.raises(CallError):
        share_needed(5, votes, others)


def test_odds_ratio_where_no_odds_would_do() -> None:
    assert odds_ratio(Fraction(1), Fraction(0), 1, 1) is None
    assert odds_ratio(Fraction(1, 2), Fraction(1, 4), 0, 1) is None
    assert odds_ratio(Fraction(-1, 2), Fraction(0), 1, 1) == 0


def test_band_of_florida_2000() -> None:
    """2,912,790 against 2,912,253 of 5,963,110 votes, as certified: 537 is within 0.5 %, 1 % is not."""
    votes = (2_912_790, 2_912_253, 5_963_110 - 2_912_790 - 2_912_253)
    partial = partial_of((votes, 8_750_000, "all"))
    half_percent = band(partial, LEAD, Fraction(1, 200))
    assert half_percent == 29_815
    assert measure(LEAD, partial).total == 537 <= half_percent
    assert band(partial, LEAD, Fraction(1, 400)) == 14_907
    assert band(partial, LEAD, None) == band(partial, LEAD, Fraction(1, 10**6)) == 5_963
    one_percent = partial_of(((2_942_316, 2_882_685, 138_109), 8_750_000, "all"))
    assert measure(LEAD, one_percent).total == 59_631 > band(one_percent, LEAD, Fraction(1, 200))


def test_band_of_other_conditions() -> None:
    partial = partial_of(((600, 300, 100), 2_000, "s"))
    partial = replace(partial, others=np.array([200]))
    assert band(partial, MAJORITY, Fraction(1, 100)) == 10
    # Blank ballots belong to the base where the condition weighs them; one vote moves 5 / 2 here.
    assert band(partial, OF_CAST, Fraction(1, 100)) == 30
    for legal in (Fraction(-1, 100), Fraction(2)):
        with pytest.raises(CallError, match="recount threshold"):
            band(partial, LEAD, legal)


def test_refuses_what_cannot_be() -> None:
    huge = partial_of(((60, 20, 10), 1 << 62, "s"), still_open=((50, "s"),))
    for function in (since, needs):
        with pytest.raises(CallError, match="too large"):
            function(huge, measure(LEAD, huge))
    partial, other = partial_of(((6, 2, 1), 10, "s")), partial_of(((6, 2, 1), 10, "s"), still_open=((5, "s"),))
    with pytest.raises(CallError, match="measured at 2 stations"):
        since(partial, measure(LEAD, other))
    with pytest.raises(CallError, match="too large"):
        since(partial, measure(replace(LEAD, need=1 << 63), partial))
