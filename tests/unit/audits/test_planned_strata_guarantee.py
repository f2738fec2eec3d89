"""Plans with two strata keep their risk limit: over 20,000 seeded ties of a small country, wherever the wrong cards lie."""

from fractions import Fraction
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from audit_helpers import DICE
from count_helpers import PRESIDENT, Ballots, make_election
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Test as PlannedTest
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.strata import Sampled, strata_p_values
from scrutineer.audits.risk.union_intersection import UnionIntersection
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw, measure
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import CardMarks

HASH = bytes(32)
BOXES = ("a1", "a2", "a3", "b1", "b2", "b3")
CARDS = 24
REPORTED = (15, 6, 0)
"""Of every box; three cards more are blank."""
RECORDED = BOXES[:3]
STRATUM = 3 * CARDS
LIMIT, NULLS = 0.05, 20_000
ALLOWED = LIMIT + 3 * (LIMIT * (1 - LIMIT) / NULLS) ** 0.5
STEPS = 16
LOOKS = (10, 25, 45)
TRUTHS = ("records are wrong", "totals are wrong", "both are")


def scores(lead: int) -> NDArray[np.int64]:
    """Papers of a stratum: 63 that are for the first or the second, and nine that are blank."""
    first = (63 + lead) // 2
    return np.repeat([1, -1, 0], [first, 63 - first, 9])


@cache
def files() -> PlanFiles:
    ballots = Ballots(make_election((PRESIDENT,), rolls=dict.fromkeys(BOXES, 30)))
    count = ballots.count(*(ballots.sheet(box, REPORTED, roll=30, blank=3, null=0) for box in BOXES))
    pattern = np.tile(np.repeat([1, 2, 0], [15, 6, 3]), 3).astype(np.int8)
    column = ContestColumn("president", tuple(each.id for each in PRESIDENT.options), ((), (0,), (1,)), pattern)
    batch, position = np.repeat(np.arange(3, dtype=np.int32), CARDS), np.tile(np.arange(1, CARDS + 1, dtype=np.int32), 3)
    ids = pa.array([f"{box}-{at}" for box in RECORDED for at in range(1, CARDS + 1)])
    cards = Cards((column,), RECORDED, batch, position, ids)
    made = make_plan(
        count, HASH, name="strata", design="strata", cards=cards, manifest=Manifest.of(dict.fromkeys(BOXES, CARDS).items())
    )
    return open_files(made.plan, made.files)


def lead() -> PlannedTest:
    return next(test for _, test in files().plan.tests() if test.code == "lead:0:1")


def sampled(records: Values, totals: Values) -> list[Sampled]:
    """Strata by the formulas of the description of formats: scores lie from -1 to 1, and 27 votes more were recorded."""
    function = UnionIntersection.of(lead().parameters)
    expected = [(tuple(each.values), tuple(each.probabilities)) for each in (function.records, function.totals)]
    moved = Fraction(1, 2) - Fraction(27, 2 * STRATUM)
    return [
        Sampled(records, STRATUM, moved, Fraction(2), *expected[0]),
        Sampled(totals, STRATUM, Fraction(0), Fraction(1), *expected[1]),
    ]


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_tie_is_confirmed_no_more_often_than_promised(kind: str) -> None:
    rng = np.random.Generator(np.random.PCG64(TRUTHS.index(kind)))
    leads = {"records are wrong": (-27, 27), "totals are wrong": (27, -27), "both are": (1, -1)}[kind]
    recorded, first, second = scores(27), scores(leads[0]), scores(leads[1])
    places = rng.permuted(np.broadcast_to(np.arange(STRATUM), (NULLS, STRATUM)), axis=1)
    records = (2 + first[places] - recorded[places]) / 2
    totals = (rng.permuted(np.broadcast_to(second, (NULLS, STRATUM)), axis=1) + 1) / 2
    confirmed = np.zeros(NULLS, np.bool_)
    for draws in LOOKS:
        own = draws * files().plan.per_hundred // 100
        strata = sampled(records[:, :own], totals[:, : draws - own])
        confirmed |= strata_p_values(strata, lead().assertion("x").upper, steps=STEPS) <= LIMIT
    assert 0 < float(confirmed.mean()) <= ALLOWED


def test_the_design_computes_what_the_guarantee_is_tested_on() -> None:
    opened = files()
    sample = draw(opened, DICE, 40)
    places = {box: [0] * 15 + [1] * 6 + [None] * 3 for box in BOXES}
    places["a2"] = [None] * 9 + [0] * 6 + [1] * 6 + [None] * 3
    score = {0: 1, 1: -1, None: 0}
    papers = [
        [score[places[t.box][t.position - 1]] for t in sample.tickets if (t.box in RECORDED) == own] for own in (True, False)
    ]
    usual = [0] * 15 + [1] * 6 + [None] * 3
    recorded = [score[usual[t.position - 1]] for t in sample.tickets if t.box in RECORDED]
    records = (2 + np.array([papers[0]]) - np.array([recorded])) / 2
    p_value = strata_p_values(sampled(records, (np.array([papers[1]]) + 1) / 2), lead().assertion("x").upper)
    risks = {each.code: each.p for each in measure(opened, sample, _seen(sample, places)).tests}
    assert risks["lead:0:1"] == p_value[0]
    assert 0 < p_value[0] < 1


def _seen(sample: Sample, places: dict[str, list[int | None]]) -> Seen:
    cards: dict[str, list[CardMarks]] = {}
    for box, position in sample.units():
        one = places[box][position - 1]
        cards.setdefault(box, []).append(CardMarks(position=position, marks={"president": () if one is None else (one,)}))
    return resolve(
        Counted(
            box.encode().ljust(32, b"."), AuditCount(election=HASH, plan=HASH, box=box, cards=tuple(own), counted_by=("Wren",))
        )
        for box, own in cards.items()
    )
