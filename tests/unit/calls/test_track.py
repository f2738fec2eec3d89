"""The lead from look to look: its figures agree with what they are made of."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.calls.conditions import measure
from scrutineer.calls.forms import lead
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import least
from scrutineer.calls.track import WHOLE, Moment, Track, rows, track
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError


def night(stations: int = 400, counted: int = 300, seed: int = 7) -> PartialCount:
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet([3, 9, 12], stations)
    votes = (shares * draw.integers(100, 200, stations)[:, np.newaxis]).astype(np.int64)
    whole = PartialCount(
        candidates=("heron", "wren", "finch"),
        votes=votes,
        others=np.zeros(stations, dtype=np.int64),
        counted=np.ones(stations, dtype=np.bool_),
        open=np.zeros(stations, dtype=np.bool_),
        arrival=draw.permutation(stations).astype(np.int64),
        capacity=draw.integers(200, 300, stations).astype(np.int64),
        stratum=(np.arange(stations) % 3).astype(np.int32),
        strata=("North", "South", "East"),
    )
    return whole.first(counted)


def test_each_look_agrees_with_the_count_at_that_moment() -> None:
    partial = night()
    found = track(partial, "Council", ("Heron", "Wren", "Finch"), looks=10)
    assert (found.leader, found.rival, found.of_roll) == ("Finch", "Wren", True)
    assert [moment.stations for moment in found.moments] == list(range(30, 301, 30))
    whole = int(partial.capacity.sum())
    for moment in found.moments:
        then = partial.first(moment.stations)
        totals, valid, ballots = then.totals, sum(then.totals), then.open_ballots
        assert ballots is not None
        assert moment.votes == totals[2] - totals[1]
        assert moment.lead == round(Fraction(moment.votes * WHOLE, valid))
        assert moment.counted == int(then.capacity[then.counted].sum()) * WHOLE // whole
        assert moment.arithmetic == round(Fraction((moment.votes - ballots) * WHOLE, valid + ballots))
        exact = [least(then, measure(lead(2, 1, 3), then), Fraction(gamma)) for gamma in (1, 2, 3)]
        for bound, votes in zip(moment.bounds, exact, strict=True):
            assert bound is not None
            assert votes is not None
            assert (bound > 0) == (votes > 0)
        assert moment.low is not None
        assert moment.high is not None
        assert moment.low <= moment.high


def test_bounds_do_not_rise_with_gamma_and_all_meet_at_the_end() -> None:
    found = track(night(counted=400), "Council")
    for moment in found.moments:
        bounds = [bound for bound in moment.bounds if bound is not None]
        assert bounds == sorted(bounds, reverse=True)
        assert moment.arithmetic is not None
        assert moment.arithmetic <= bounds[-1]
    assert len(found.moments) == 24
    assert found.last.counted == WHOLE
    assert {found.last.arithmetic, *found.last.bounds} == {found.last.lead}


def test_stations_stand_in_for_rolls_that_are_not_known() -> None:
    partial = night()
    capacity = partial.capacity.copy()
    capacity[np.flatnonzero(partial.open)[0]] = UNKNOWN
    found = track(replace(partial, capacity=capacity), "Council", looks=2)
    assert not found.of_roll
    assert [moment.counted for moment in found.moments] == [3750, 7500]
    assert [moment.arithmetic for moment in found.moments] == [None, None]
    assert rows(found)[0][1] == "Stations counted"


def test_the_interval_and_the_bounds_use_a_baseline() -> None:
    partial = night()
    with_baseline = replace(partial, previous=night(counted=400).votes)
    assert track(with_baseline, "Council", looks=3).last != track(partial, "Council", looks=3).last


def test_few_stations_have_as_many_looks_and_a_hundred_thousands_fewer() -> None:
    assert [moment.stations for moment in track(night(counted=3), "").moments] == [1, 2, 3]
    many = track(night(stations=600_000, counted=600_000), "")
    assert len(many.moments) == 10
    assert not any(moment.low is not None for moment in many.moments)
    some = track(night(stations=300_000, counted=300_000), "")
    assert [moment.low is not None for moment in some.moments] == [False] * (len(some.moments) - 1) + [True]
    fewer = track(night(stations=60_000, counted=60_000), "")
    assert [look for look, moment in enumerate(fewer.moments, 1) if moment.low is not None] == list(range(2, 25, 2))


def test_an_order_that_nobody_recorded_is_not_followed() -> None:
    found = track(replace(night(), ordered=False), "Council")
    assert [moment.stations for moment in found.moments] == [300]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"looks": 0}, "0 looks"),
        ({"looks": 1_001}, "1001 looks"),
        ({"gammas": (50,)}, "at least 1"),
        ({"names": ("Heron",)}, "1 names are given for 3"),
    ],
)
def test_what_cannot_be_shown_is_refused(given: dict[str, object], expected: str) -> None:
    with pytest.raises(CallError, match=expected):
        track(night(), "Council", **given)  # type: ignore[arg-type]


def test_without_a_lead_there_is_no_track() -> None:
    with pytest.raises(CallError, match="no station is counted"):
        track(night(counted=0), "")
    partial = night()
    with pytest.raises(CallError, match="only one candidate"):
        track(replace(partial, candidates=("heron",), votes=partial.votes[:, :1]), "")


MOMENT = Moment(10, 1_000, 90, 900, -400, 2_200, -9_500, (5,))


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ((), "no look"),
        ((MOMENT, MOMENT), "more stations"),
        ((replace(MOMENT, bounds=()),), "one bound for each gamma"),
        ((replace(MOMENT, lead=WHOLE + 1),), "between -100 and 100"),
        ((replace(MOMENT, counted=-1),), "between 0 and 100"),
        ((replace(MOMENT, low=3, high=2),), "ends before it begins"),
    ],
)
def test_a_track_holds_together(moments: tuple[Moment, ...], expected: str) -> None:
    with pytest.raises(CallError, match=expected):
        Track("", "Heron", "Wren", True, (100,), moments)


def test_since_counts_only_while_a_bound_stays_above_zero() -> None:
    up, down = replace(MOMENT, bounds=(5,)), replace(MOMENT, bounds=(0,))
    moments = tuple(
        replace(moment, stations=at + 1, counted=at * 100)
        for at, moment in enumerate((up, down, replace(up, bounds=(None,)), up, up))
    )
    found = Track("", "Heron", "Wren", True, (300,), moments)
    assert found.since(0) == 300
    assert found.since(None) is None
    assert replace(found, moments=moments[:3]).since(0) is None
    assert replace(found, moments=moments[:1]).since(0) is None
