"""A wrong outcome planted in the sheets of the invented republic, and audits that draw single cards, as plans make them.

As in test_planted: a true lead of one vote or two, every draw looked at. Drawn papers are those that were cast.
"""

from math import sqrt
from os import environ

import numpy as np
import pytest
from numpy.typing import NDArray

from planted_nights import SHARES, STATIONS, Night, Plant, first_two, plan_of, planted
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.counts import Seen
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.forecasts import Rates, comparison_forecast
from scrutineer.audits.plan import PlanDesign
from scrutineer.audits.planner_risk import suggested
from scrutineer.audits.risk.model import Null, RiskFunction, Values
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.statements.audit import CardMarks

AUDITS = 20_000 if environ.get("SCRUTINEER_EXPLORE") else 2_000
RISK_LIMIT = 0.05
ALLOWED = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / AUDITS)
MOST_DRAWS = 2_500
"""After so many draws without an end people count all cards."""


def _kinds(night: Night) -> NDArray[np.int64]:
    """By station: papers for the published winner, for the published loser, and all others."""
    winner, loser = first_two(night.sheets.boxes[0].votes)
    own, other = night.found[:, winner], night.found[:, loser]
    return np.stack([own, other, night.sheets.boxes[0].ballots - own - other], axis=1).astype(np.int64)


def _caught(function: RiskFunction, values: Values, counts: NDArray[np.int64], null: Null, seed: list[int]) -> float:
    rng = np.random.default_rng(seed)
    ends, confirmed = np.cumsum(counts.ravel()), 0
    for _ in range(0, AUDITS, 100):
        drawn = values.ravel()[np.searchsorted(ends, rng.integers(0, ends[-1], (100, MOST_DRAWS)), side="right")]
        confirmed += int((function.stopping_times(drawn, null, RISK_LIMIT) <= MOST_DRAWS).sum())
    return 1 - confirmed / AUDITS


@pytest.mark.parametrize("design", ["polling", "oneaudit"])
@pytest.mark.parametrize("plant", ["votes", "boxes"])
@pytest.mark.parametrize("share", SHARES)
def test_a_wrong_outcome_is_caught_by_the_cards_of_a_plan(share: float, plant: Plant, design: PlanDesign) -> None:
    """What each kind of paper in each box is worth comes from the plan; the test of the published winner against the true one."""
    night = planted(share, plant)
    files, kinds = plan_of(night, design), _kinds(night)
    winner, loser = first_two(night.sheets.boxes[0].votes)
    third = next(option for option in range(night.found.shape[1]) if option not in (winner, loser))
    units = night.sheets.units
    boxes = [units.ids[units.station_units[station]] for station in range(STATIONS)]
    marks = {1: winner, 2: loser, 3: third}
    cards = {
        (box, position): CardMarks(position=position, marks={"president": (option,)})
        for box in boxes
        for position, option in marks.items()
    }
    sample = Sample(tuple(Ticket("", box, position) for box in boxes for position in marks))
    assert files.design is not None
    found = files.design.values(sample, Seen({}, cards, (), ()), [])
    tests = {test.code: test for _, test in files.plan.tests()}
    code = f"lead:{winner}:{loser}"
    values, null = found["president", code]
    assert null.population is None
    mean = float((values * kinds.ravel()).sum() / kinds.sum())
    assert mean <= 0.5
    assert mean == pytest.approx(0.5, abs=1e-4)
    caught = _caught(files.plan.function(tests[code]), values, kinds, null, [round(1000 * share), len(plant), len(design)])
    print(f"{share:.0%} of stations, {plant}, {design}: caught {caught:.2%}")
    assert caught >= 1 - ALLOWED


@pytest.mark.parametrize("plant", ["votes", "boxes"])
@pytest.mark.parametrize("share", SHARES)
def test_a_wrong_outcome_is_caught_by_comparing_cards_with_their_records(share: float, plant: Plant) -> None:
    """Records say what the sheets say: in planted stations, cards of the loser are recorded for the winner."""
    night = planted(share, plant)
    winner, loser = first_two(night.sheets.boxes[0].votes)
    kinds, told = _kinds(night), night.sheets.boxes[0].votes
    papers = np.tile([1, -1, 0], STATIONS)
    records = papers.copy().reshape(STATIONS, 3)
    records[list(night.wrong), 1] = 1
    reported = ReportedTotal(
        Assertion("president", f"lead:{winner}:{loser}", (1, -1)),
        int(kinds.sum()),
        int((told[:, winner] - told[:, loser]).sum()),
    )
    values = comparison_values(reported, records.ravel(), papers)
    function = suggested(
        comparison_forecast(reported, Rates(0.0005, 0.00005), replacement=True), RISK_LIMIT, sure=False
    ).function()
    null = reported.null(replacement=True)
    assert float((values * kinds.ravel()).sum() / kinds.sum()) == pytest.approx(0.5, abs=1e-4)
    caught = _caught(function, values, kinds, null, [round(1000 * share), len(plant), 7])
    print(f"{share:.0%} of stations, {plant}, comparison: caught {caught:.2%}")
    assert 1 - ALLOWED <= caught < 1
