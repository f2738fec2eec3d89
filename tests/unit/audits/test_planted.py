"""A wrong outcome planted in the sheets of the invented republic, and the audit of boxes as `scrutineer audit plan` makes it.

In some stations the sheets give what the true winner has to the runner-up, so that the published winner is the wrong one. The
plan is made from these sheets with nothing but its usual parameters, boxes are drawn by their bounds, what is found in them is
what was cast, and somebody looks after every single draw. Such an audit may confirm the outcome no more often than its risk limit
says, so it catches it as often as it promises.

The votes that were cast are moved so far that the plant is enough: one per cent of the stations does not hold the votes for a
lead of some per cent. A true lead of one vote is the hardest, as no more is wrong then than has to be.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from math import sqrt
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from count_helpers import key_of
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.plan import BOX_DESIGNS, PlanDesign
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.status import draw, drawn_values, measure
from scrutineer.count import Count
from scrutineer.election import LogIdentity
from scrutineer.simulate import Simulation, open_republic, sign_arrivals, simulate_republic
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import BoxTotals

STATIONS = 1_000
SHARES = (0.01, 0.02, 0.05)
AUDITS = 2_000
RISK_LIMIT = 0.05
ALLOWED = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / AUDITS)
PATIENCE = 4
"""An audit goes on for so many times the draws of its first round, and is then a full count."""
LOG = LogIdentity("birds.example/log", ("birds.example/log+00000000+AQ==",))
HASH = bytes(32)
OTHERS = ("harbour", "speaker")

Plant = Literal["votes", "boxes"]
"""The sheets give the votes of the first to the second; or boxes full of the first's votes are told as full of the second's."""


@dataclass(frozen=True, eq=False)
class Night:
    """What the sheets say (the boxes of the republic), and what is found for president when boxes are opened."""

    sheets: Simulation
    found: NDArray[np.int32]
    wrong: tuple[int, ...] = ()
    """Stations whose sheets were planted."""
    lost: frozenset[int] = field(default_factory=frozenset)
    """Stations whose boxes nobody finds."""
    contests: tuple[str, ...] = ("president",)


@cache
def republic(choice: Literal["president", "all"]) -> Simulation:
    return simulate_republic(STATIONS, 7, contests=choice, disturbances=())


def first_two(votes: NDArray[np.int32]) -> tuple[int, int]:
    first, second = np.argsort(-votes.sum(axis=0), kind="stable")[:2].tolist()
    return first, second


@cache
def planted(share: float, plant: Plant, lead: float = 0.0, others: tuple[str, ...] = ()) -> Night:
    """The first loses to the second on the sheets. `lead`: by how much the first leads in truth, as a part of all that moves."""
    real = republic("all" if others else "president")
    cast = real.boxes[0].votes.copy()
    chosen = np.random.default_rng(round(1000 * share)).choice(STATIONS, round(share * STATIONS), replace=False)
    first, second = first_two(cast)
    if plant == "boxes":
        total = cast[chosen].sum(axis=1)
        cast[chosen] = 0
        cast[chosen, first] = total
    moving = 2 * int(cast[chosen, first].sum())
    elsewhere = np.setdiff1d(np.arange(STATIONS), chosen)
    surplus = int((cast[:, first] - cast[:, second]).sum()) - max(1, round(lead * moving))
    part = np.floor(cast[elsewhere, first] * (surplus / 2 / cast[elsewhere, first].sum())).astype(np.int32)
    part[: surplus // 2 - int(part.sum())] += 1
    cast[elsewhere, first] -= part
    cast[elsewhere, second] += part
    told = cast.copy()
    told[chosen, second] += told[chosen, first]
    told[chosen, first] = 0
    sheets = replace(real, boxes=(replace(real.boxes[0], votes=told), *real.boxes[1:]))
    return Night(sheets, cast, tuple(sorted(chosen.tolist())), contests=("president", *others))


@cache
def honest() -> Night:
    """The sheets say what was cast."""
    real = republic("president")
    return Night(real, real.boxes[0].votes)


@cache
def clerical() -> Night:
    """In a tenth of the boxes people find up to three votes more or fewer for the winner, in some twenty; two are never found."""
    night, chance = honest(), np.random.default_rng(1)
    first, second = first_two(night.found)
    found = night.found.copy()
    for station in chance.choice(STATIONS, STATIONS // 10, replace=False).tolist():
        moved = int(chance.integers(-3, 4)) if station % 10 else 20
        moved = min(moved, int(found[station, first]))
        found[station, first] -= moved
        found[station, second] = max(0, int(found[station, second]) + moved)
    return replace(night, found=found, lost=frozenset({123, 456}))


@cache
def plan_of(night: Night, design: PlanDesign) -> PlanFiles:
    """The plan from the count of the signed sheets."""
    opened = open_republic(night.sheets, key_of, LOG)
    count = Count(opened.election)
    count.apply([opened.definition, *sign_arrivals(night.sheets.sheets(opened.election.hash), key_of)])
    made = make_plan(count, HASH, name="boxes", design=design, contests=night.contests)
    return open_files(made.plan, made.files)


@cache
def seen_in(night: Night) -> Seen:
    """What is found in all boxes."""
    units = night.sheets.units
    counts = []
    for station in range(STATIONS):
        totals = []
        for boxes in night.sheets.boxes:
            if boxes.contest.id in night.contests:
                votes = night.found[station] if boxes.contest.id == "president" else boxes.votes[station]
                blank, null, cards = (int(column[station]) for column in (boxes.blank, boxes.null, boxes.ballots))
                given = tuple(votes.tolist())
                totals.append(BoxTotals(contest=boxes.contest.id, counts=given, blank=blank, null=null, cards=cards))
        lost = station in night.lost
        count = AuditCount(
            election=HASH,
            plan=HASH,
            box=units.ids[units.station_units[station]],
            status="missing" if lost else "counted",
            totals=() if lost else tuple(sorted(totals, key=lambda each: each.contest)),
            counted_by=("Dipper", "Wren"),
        )
        counts.append(Counted(station.to_bytes(32, "big"), count))
    return resolve(counts)


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
