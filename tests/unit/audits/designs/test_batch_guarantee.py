"""What tally-sheet comparison promises: a wrong outcome is confirmed no more often than the risk limit allows."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError

RISK_LIMIT = 0.1
RUNS = 4000
FUNCTIONS = [KaplanMarkov(2.0**-40), KaplanMarkov(0.01), Betting(Fixed(0.8)), Betting(Fixed(1.02))]


@st.composite
def elections(draw: st.DrawFn):
    """A design, what the boxes hold, and whether that makes an assertion false."""
    boxes = draw(st.integers(1, 6))
    reported, true, false = [], [], False
    for number in range(draw(st.integers(1, 3))):
        weights = tuple(draw(st.lists(st.integers(-3, 3), min_size=2, max_size=3)))
        rest = draw(st.integers(-1, 1))
        need = draw(st.integers(0, 1))
        try:
            assertion = Assertion(f"c{number}", "x", weights, rest, need)
        except AuditError:
            continue
        cards = np.array(draw(st.lists(st.integers(0, 8), min_size=boxes, max_size=boxes)))
        scores = [draw(st.integers(int(each) * assertion.lowest, int(each) * assertion.highest)) for each in cards]
        try:
            reported.append(Reported(assertion, np.array(scores), cards))
        except AuditError:
            continue
        held = [draw(st.integers(int(each) * assertion.lowest, int(each) * assertion.highest)) for each in cards]
        true.append(held)
        false |= sum(held) < need
    if not reported:
        return None
    names = tuple(f"box {number}" for number in range(boxes))
    credit = draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(100)]))
    return BatchDesign(names, tuple(reported), credit), true, false


@settings(deadline=None, max_examples=300)
@given(elections())
def test_where_an_assertion_is_false_the_mean_taint_is_at_least_that_of_the_hypothesis(election):
    assume(election is not None)
    design, true, false = election
    names = design.relevant()
    counted = {name: tuple(held[design.names.index(name)] for held in true) for name in names}
    sample = Sample(tuple(Ticket("", name, 0) for name in names))
    taints = design.taints(sample, counted)
    bounds = [int(design.bounds[design.names.index(name)]) for name in names]
    assert all(-design.credit <= taint <= 1 for taint in taints)
    overstated = sum(taint * bound for taint, bound in zip(taints, bounds, strict=True))
    if false:
        assert overstated >= design.scale
        assert design.limit >= 1
    if design.limit >= 1:
        values, null = design.values(sample, counted), design.null()
        assert values.max(initial=0) <= null.upper
        if false:
            mean = sum(Fraction(value) * bound for value, bound in zip(values.tolist(), bounds, strict=True)) / sum(bounds)
            assert mean <= Fraction(null.mean)
            alike = design.uniform_values(sample, counted)
            assert sum(map(Fraction, alike.tolist())) / len(names) <= Fraction(design.uniform_null().mean)


def wrong(how: str, boxes: int = 60) -> tuple[BatchDesign, np.ndarray]:
    """Two contests, the first of which was a tie in truth; and what each box holds, by assertion."""
    chance = np.random.default_rng(11)
    cards = chance.integers(100, 400, boxes)
    lead = cards // 20 + chance.integers(-10, 11, boxes)
    mayor = Reported(Assertion("mayor", "0>1", (1, -1)), lead, cards)
    council = Reported(Assertion("council", "0>1", (1, -1)), cards // 5, cards)
    design = BatchDesign(tuple(f"box {number:02}" for number in range(boxes)), (mayor, council))
    held = lead.copy()
    left = mayor.margin
    order = np.argsort(-design.bounds) if how == "in few boxes" else np.arange(boxes)
    for place, box in enumerate(order):
        most = int(mayor.bounds[box]) if how == "in few boxes" else -(-left // (boxes - place))
        amount = min(left, most, int(mayor.bounds[box]))
        held[box] -= amount
        left -= amount
    assert left == 0
    assert held.sum() == 0, "a tie, where zero is not enough"
    counted = {name: (int(held[at]), int(council.scores[at])) for at, name in enumerate(design.names)}
    return design, np.array([counted[name] for name in design.names])


@pytest.mark.parametrize("how", ["in few boxes", "a little in each box"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_a_wrong_outcome_is_confirmed_no_more_often_than_the_risk_limit_allows(function, how):
    design, held = wrong(how)
    counted = {name: tuple(scores) for name, scores in zip(design.names, held.tolist(), strict=True)}
    every = Sample(tuple(Ticket("", name, 0) for name in design.names))
    chance = np.random.default_rng(2026)
    most = RISK_LIMIT + 3 * (RISK_LIMIT * (1 - RISK_LIMIT) / RUNS) ** 0.5

    values, null = design.values(every, counted), design.null()
    draws = chance.choice(len(values), (RUNS, 120), p=design.bounds / design.bounds.sum())
    confirmed = sum(function.p_values(values[each], null)[-1] <= RISK_LIMIT for each in draws)
    assert confirmed / RUNS <= most

    values, null = design.uniform_values(every, counted), design.uniform_null()
    confirmed = sum(function.p_values(chance.permutation(values), null)[-1] <= RISK_LIMIT for _ in range(RUNS))
    assert confirmed / RUNS <= most
