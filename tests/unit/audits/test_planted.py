"""A wrong outcome planted in the sheets of the invented republic, and the audit of boxes as `scrutineer audit plan` makes it.

The plan is made from these sheets with nothing but its usual parameters (so bounds are those of the rolls), boxes are drawn by
their bounds, what is found in them is what was cast, and somebody looks after every single draw. Such an audit may confirm the
outcome no more often than its risk limit says, so it catches it as often as it promises.
"""

from math import sqrt
from os import environ

import numpy as np
import pytest
from numpy.typing import NDArray

from planted_nights import OTHERS, SHARES, Night, Plant, clerical, first_two, honest, plan_of, planted, seen_in
from scrutineer.audits.plan import BOX_DESIGNS, PlanDesign
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.status import draw, drawn_values, measure

AUDITS = 20_000 if environ.get("SCRUTINEER_EXPLORE") else 4_000
RISK_LIMIT = 0.05
ALLOWED = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / AUDITS)
PATIENCE = 4
"""An audit goes on for so many times the draws of its first round, and is then a full count."""


def stopped(night: Night, design: PlanDesign) -> tuple[NDArray[np.int64], int]:
    """By audit: after how many draws all is confirmed, more than there are where it never is; and how many draws there are."""
    files = plan_of(night, design)
    assert isinstance(files.design, BoxDesign)
    batch = files.design.batch
    relevant = Sample(tuple(Ticket("", box, 0) for box in batch.relevant()))
    ends = np.cumsum(batch.bounds[batch.bounds > 0])
    draws = PATIENCE * files.plan.first_round
    drawn = np.random.default_rng([2009, BOX_DESIGNS.index(design)]).integers(0, ends[-1], (AUDITS, draws))
    places = np.searchsorted(ends, drawn, side="right").astype(np.int32)
    found = drawn_values(files, relevant, seen_in(night))
    latest = np.zeros(AUDITS, np.int64)
    known: set[tuple[bytes, str]] = set()
    for contest, test in files.plan.tests():
        values, null = found[contest, test.code]
        # All tests of a plan by box share values; what is alike is computed once.
        if (key := (values.tobytes(), repr(test.parameters))) not in known:
            known.add(key)
            for start in range(0, AUDITS, 250):
                some = slice(start, start + 250)
                times = files.plan.function(test).stopping_times(values[places[some]], null, RISK_LIMIT)
                latest[some] = np.maximum(latest[some], times)
    return latest, draws


def caught(night: Night, design: PlanDesign) -> float:
    """The share of audits that do not confirm."""
    times, draws = stopped(night, design)
    return float((times > draws).mean())


@pytest.mark.parametrize("design", BOX_DESIGNS)
@pytest.mark.parametrize("plant", ["votes", "boxes"])
@pytest.mark.parametrize("share", SHARES)
def test_a_wrong_outcome_is_caught_as_often_as_promised(share: float, plant: Plant, design: PlanDesign) -> None:
    night = planted(share, plant)
    first, second = first_two(night.found)
    assert int((night.found[:, first] - night.found[:, second]).sum()) in (1, 2), "the lead that was cast"
    assert first_two(night.sheets.boxes[0].votes) == (second, first), "the published one"
    rate = caught(night, design)
    print(f"{share:.0%} of stations, {plant}, {design}: caught {rate:.2%}")
    assert rate >= 1 - ALLOWED
    assert rate < 1, "with luck even a wrong outcome is confirmed: these audits can come to an end"


def test_one_sample_for_several_contests_catches_what_is_wrong_in_one_of_them() -> None:
    night = planted(0.05, "votes", others=OTHERS)
    tested = {contest for contest, _ in plan_of(night, "batch-macro").plan.tests()}
    assert tested == {"president", *OTHERS}
    assert 1 > caught(night, "batch-macro") >= 1 - ALLOWED


def test_what_is_more_than_enough_for_a_wrong_outcome_is_caught_nearly_always() -> None:
    # The first leads in truth by half of what was moved.
    assert caught(planted(0.02, "votes", 0.5), "batch-betting") > 0.99


def test_the_right_outcome_is_confirmed_by_the_first_round() -> None:
    times, _ = stopped(honest(), "batch-betting")
    assert set(times.tolist()) == {plan_of(honest(), "batch-betting").plan.first_round}


def test_clerical_errors_and_lost_boxes_make_an_audit_longer_and_seldom_a_full_count() -> None:
    first_round = plan_of(honest(), "batch-betting").plan.first_round
    times, draws = stopped(clerical(), "batch-betting")
    half, most = np.quantile(times, (0.5, 0.95))
    print(f"first round of {first_round} draws; half of the audits end by {half:.0f}, 95 % by {most:.0f}")
    assert half <= 1.1 * first_round
    assert times.max() > first_round, "some need more than they would without errors"
    assert (times > draws).mean() < 0.01


def test_the_draw_of_the_plan_finds_what_was_planted_as_often_as_bounds_say() -> None:
    night = planted(0.02, "boxes")
    files = plan_of(night, "batch-betting")
    assert isinstance(files.design, BoxDesign)
    batch = files.design.batch
    units = night.sheets.units
    wrong = {units.ids[units.station_units[station]] for station in night.wrong}
    bounds = dict(zip(batch.names, batch.bounds.tolist(), strict=True))
    share = sum(bounds[box] for box in wrong) / sum(bounds.values())
    seeds, draws = 300, 100
    hits = sum(ticket.box in wrong for seed in range(seeds) for ticket in draw(files, f"{seed:020}", draws).tickets)
    assert abs(hits / (seeds * draws) - share) < 3 * sqrt(share * (1 - share) / (seeds * draws))


def test_the_status_of_an_audit_stops_where_the_many_stop() -> None:
    night = clerical()
    files = plan_of(night, "batch-betting")
    seen = seen_in(night)
    sample = draw(files, "20271503141592653589", PATIENCE * files.plan.first_round)
    values = drawn_values(files, sample, seen)
    times = [
        int(files.plan.function(test).stopping_times(*values[contest, test.code], RISK_LIMIT)[0])
        for contest, test in files.plan.tests()
    ]
    last = max(times)
    assert not measure(files, Sample(sample.tickets[: last - 1]), seen).confirmed
    assert measure(files, Sample(sample.tickets[:last]), seen).confirmed
