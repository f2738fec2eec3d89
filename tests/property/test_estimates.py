"""Estimates keep their promises for any partial count: ordered, within what is possible, and the same every time."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.estimate import Population, estimate, estimate_form
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN


@st.composite
def partial_counts(draw: st.DrawFn) -> PartialCount:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k, strata = draw(st.integers(1, 60)), draw(st.integers(1, 5)), draw(st.integers(1, 8))
    largest = draw(st.sampled_from([0, 1, 30, 10_000, 10**7]))
    votes = rng.integers(0, largest + 1, (n, k)) * (rng.random((n, k)) < draw(st.sampled_from([0.1, 0.9, 1.0])))
    others = rng.integers(0, largest // 10 + 1, n)
    capacity = votes.sum(axis=1) + others + rng.integers(0, largest + 2, n)
    capacity = np.where(rng.random(n) < draw(st.sampled_from([0.0, 0.0, 0.3, 1.0])), UNKNOWN, capacity)
    state = rng.random(n)
    counted = state < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))
    still = ~counted & (state < draw(st.sampled_from([0.9, 1.0])))
    arrival = np.full(n, -1)
    arrival[counted] = rng.permutation(int(counted.sum()))
    return PartialCount(
        candidates=tuple(f"c{number}" for number in range(k)),
        votes=np.where(counted[:, np.newaxis], votes, 0),
        others=np.where(counted, others, 0),
        counted=counted,
        open=still,
        arrival=arrival,
        capacity=capacity,
        stratum=rng.integers(0, strata, n).astype(np.int32),
        strata=tuple(f"s{number}" for number in range(strata)),
        previous=rng.integers(0, largest + 1, (n, k)) if draw(st.booleans()) else None,
    )


@settings(max_examples=400, deadline=None)
@given(partial_counts(), st.fractions(Fraction(1, 100), Fraction(999, 1000)), st.integers(1, 20), st.booleans())
def test_intervals_stay_within_what_is_possible(partial: PartialCount, level: Fraction, many: int, cast: bool) -> None:
    base = "cast" if cast else "valid"
    found = estimate(partial, level, simultaneous=many, base=base)
    if not partial.counted_stations:
        assert found is None
        return
    assert found is not None
    room = partial.open_ballots
    for counted, votes, share in zip(partial.totals, found.votes, found.shares, strict=True):
        # `Interval` itself refuses a point outside of its bounds, and so a negative width.
        assert counted <= votes.low
        assert room is None or votes.high <= counted + room
        assert share.low >= 0
        assert share.high <= 1 + 1e-12
    if not partial.open_stations:
        assert all(votes.width == 0 for votes in found.votes)
    assert found == estimate(partial, level, simultaneous=many, base=base)


@settings(max_examples=200, deadline=None)
@given(partial_counts(), st.integers(-3, 3), st.integers(-3, 3), st.booleans())
def test_a_form_stays_within_what_is_possible(partial: PartialCount, first: int, rest: int, sampled: bool) -> None:
    form = Condition("form", 0, None, (first, *([-1] * (len(partial.candidates) - 1))), rest, 0)
    population = Population(np.full(len(partial.strata), 10**9)) if sampled else None
    found = estimate_form(partial, measure(form, partial), population=population)
    if not partial.counted_stations:
        assert found is None
        return
    assert found is not None
    room = partial.open_ballots
    total = measure(form, partial).total
    if room is not None and not sampled:
        assert total + form.worst * room <= found.value.low
        assert found.value.high <= total + form.best * room
