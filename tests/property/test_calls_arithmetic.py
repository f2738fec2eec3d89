"""What is certain by arithmetic, for any partial count and any condition, against the definition in whole numbers."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.calls.arithmetic import needs, since, slacks, would_become
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.martingale import evidence, path
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN

UNTIMED = settings(deadline=None)
COUNTED, OPEN, EXCLUDED = range(3)


@dataclass(frozen=True)
class Case:
    partial: PartialCount
    condition: Condition


@st.composite
def cases(draw: st.DrawFn, unknown: bool = False) -> Case:
    n = draw(st.integers(0, 8))
    k = draw(st.integers(2, 4))
    status = np.array(draw(st.lists(st.sampled_from([COUNTED, COUNTED, OPEN, EXCLUDED]), min_size=n, max_size=n)), dtype=np.int64)
    counted = status == COUNTED
    numbers = st.integers(0, 60)
    votes = np.array(draw(st.lists(numbers, min_size=n * k, max_size=n * k)), dtype=np.int64).reshape(n, k)
    others = np.array(draw(st.lists(numbers, min_size=n, max_size=n)), dtype=np.int64)
    # Some sheets lie beyond their capacity.
    capacity = np.array(draw(st.lists(st.integers(UNKNOWN if unknown else 0, 300), min_size=n, max_size=n)), dtype=np.int64)
    arrival = np.full(n, -1, dtype=np.int64)
    arrival[counted] = draw(st.permutations(range(int(counted.sum()))))
    previous = np.array(draw(st.lists(numbers, min_size=n * k, max_size=n * k)), dtype=np.int64).reshape(n, k)
    partial = PartialCount(
        candidates=tuple(f"c{at}" for at in range(k)),
        votes=np.where(counted[:, np.newaxis], votes, 0),
        others=np.where(counted, others, 0),
        counted=counted,
        open=status == OPEN,
        arrival=arrival,
        capacity=capacity,
        stratum=np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int32),
        strata=("a", "b", "c"),
        previous=previous if draw(st.booleans()) else None,
    )
    weight = st.integers(-5, 5)
    lead = draw(st.booleans())
    weights = [1, -1] + [0] * (k - 2) if lead else draw(st.lists(weight, min_size=k, max_size=k))
    rest = 0 if lead else draw(weight)
    return Case(
        partial, Condition("lead:c0:c1" if lead else "seat:c0:c1", 0, 1, tuple(weights), rest, draw(st.integers(-500, 500)))
    )


def certain(case: Case, stations: int) -> bool:
    """The definition: counted value and the worst of everything that was open then reach what is needed."""
    then = case.partial.first(stations)
    capacity = sum(int(each) for each in then.capacity[then.open])
    return measure(case.condition, then).total + case.condition.worst * capacity >= case.condition.need


@UNTIMED
@given(cases())
def test_since_is_the_start_of_the_last_certain_stretch(case: Case) -> None:
    measured = measure(case.condition, case.partial)
    looks = [certain(case, stations) for stations in range(case.partial.counted_stations + 1)]
    assert (slacks(case.partial, measured, case.partial.capacity, case.partial.in_order()) >= 0).tolist() == looks
    found = since(case.partial, measured)
    if not looks[-1]:
        assert found is None
        return
    assert found is not None
    assert all(looks[found.stations :])
    assert found.stations == 0 or not looks[found.stations - 1]
    assert found.capacity == sum(int(each) for each in case.partial.capacity[case.partial.in_order()[: found.stations]])


@UNTIMED
@given(cases())
def test_would_become_agrees_with_the_bound(case: Case) -> None:
    measured = measure(case.condition, case.partial)
    found = would_become(case.partial, measured)
    assert (found is None) == (measured.slack < 0)
    if found is None:
        return
    assert (found.to_count == 0) == certain(case, case.partial.counted_stations)
    if found.open_limit is not None:
        worst = case.condition.worst
        assert measured.total + worst * found.open_limit >= case.condition.need
        assert measured.total + worst * (found.open_limit + 1) < case.condition.need


@UNTIMED
@given(cases(unknown=True))
def test_needs_adds_up(case: Case) -> None:
    found = needs(case.partial, measure(case.condition, case.partial))
    rows, overall = found.strata, found.overall
    assert sum(row.open_stations for row in rows) == overall.open_stations == case.partial.open_stations
    assert overall.open_capacity == case.partial.open_ballots
    assert overall.value == measure(case.condition, case.partial).total
    if overall.votes_if:
        assert overall.votes_if == sum(row.votes_if or 0 for row in rows)
        assert overall.value_needed is not None
        assert overall.value_needed * overall.votes_if == -found.gap
        if overall.share_needed is not None:
            net = sum((row.value_needed or 0) * (row.votes_if or 0) for row in rows)
            assert abs(net + found.gap) <= 2 * len(rows)


@UNTIMED
@given(cases(unknown=True))
def test_evidence_is_infinite_only_where_arithmetic_decides(case: Case) -> None:
    measured = measure(case.condition, case.partial)
    found, steps = evidence(case.partial, measured), path(case.partial, measured)
    assert len(steps) == case.partial.counted_stations == found.stations
    assert not np.isnan(steps).any()
    takes_part = case.partial.counted | case.partial.open
    if bool((case.partial.capacity[takes_part] == UNKNOWN).any()):
        assert found.now < math.inf
    else:
        assert (found.now == math.inf) == certain(case, case.partial.counted_stations)
