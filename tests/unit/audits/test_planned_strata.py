"""Plans with two strata: boxes with records of their cards, and boxes without."""

from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from audit_helpers import DICE
from count_helpers import PRESIDENT, Ballots, make_election
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.hybrid import comparison_stratum, polling_stratum
from scrutineer.audits.designs.seen import paper_scores, record_scores
from scrutineer.audits.forecasts import comparison_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import read_plan
from scrutineer.audits.plan_draw import encode_draw
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.audits.planned.cards import USUAL_ERRORS
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.planned.strata import Strata
from scrutineer.audits.report import make_report
from scrutineer.audits.risk.stratified import union_intersection
from scrutineer.audits.sampling.canonical import draw_cards
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw, measure
from scrutineer.audits.status_left import work_left
from scrutineer.errors import AuditError
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import CardMarks

HASH = bytes(32)
VOTES = dict(zip(("a1", "a2", "a3", "b1", "b2", "b3"), ((560, 200, 100), (480, 230, 100), (500, 300, 50)) * 2, strict=True))
RECORDED = ("a1", "a2", "b3")
ELECTION = make_election((PRESIDENT,), rolls=dict.fromkeys(VOTES, 1000))
MANIFEST = Manifest.of((box, sum(votes) + 5) for box, votes in VOTES.items())
PATTERNS = ((), (0,), (1,), (2,))
Marks = tuple[int, ...]


def marks_in(box: str, position: int) -> Marks:
    """Cards for one option lie behind those for another; the last ones are blank."""
    end = 0
    for option, votes in enumerate(VOTES[box]):
        end += votes
        if position <= end:
            return (option,)
    return ()


def records(boxes: tuple[str, ...] = RECORDED) -> Cards:
    places = [(box, at) for box in boxes for at in range(1, sum(VOTES[box]) + 6)]
    column = np.array([PATTERNS.index(marks_in(*place)) for place in places], np.int8)
    batch = np.array([boxes.index(box) for box, _ in places], np.int32)
    ids = pa.array([f"{box}-{at}" for box, at in places])
    columns = (ContestColumn("president", tuple(each.id for each in PRESIDENT.options), PATTERNS, column),)
    return Cards(columns, boxes, batch, np.array([at for _, at in places], np.int32), ids)


@cache
def planned(boxes: tuple[str, ...] = RECORDED, **given: Any) -> MadePlan:
    ballots = Ballots(ELECTION)
    sheets = [ballots.sheet(box, votes, roll=1000) for box, votes in VOTES.items()]
    own = {"manifest": MANIFEST, "name": "strata", "design": "strata", "cards": records(boxes)}
    return make_plan(ballots.count(*sheets), HASH, **own | given)


def opened(made: MadePlan) -> PlanFiles:
    return open_files(read_plan(made.plan.encode()), made.files)


def seen(sample: Sample, other: dict[tuple[str, int], Marks] | None = None, but: frozenset[str] = frozenset()) -> Seen:
    """Cards as they are; or marked in another way; those of some boxes are not counted."""
    cards: dict[str, list[CardMarks]] = {}
    for box, position in sample.units():
        if box not in but:
            marks = (other or {}).get((box, position), marks_in(box, position))
            cards.setdefault(box, []).append(CardMarks(position=position, marks={"president": marks}))
    return resolve(
        Counted(
            box.encode().ljust(32, b"."), AuditCount(election=HASH, plan=HASH, box=box, cards=tuple(own), counted_by=("Wren",))
        )
        for box, own in cards.items()
    )


def test_a_right_outcome_is_confirmed() -> None:
    files = opened(planned())
    assert 0 < files.plan.per_hundred < 50, "records say more with each card"
    sample = draw(files, DICE, 2 * files.plan.first_round)
    status = measure(files, sample, seen(sample))
    assert status.confirmed
    assert make_report(files, HASH, HASH, sample, seen(sample).held, 9).outcome == "confirmed"
    assert {each.p for each in measure(files, sample, resolve(())).tests} == {1.0}
    assert {each.p for each in measure(files, Sample(()), resolve(())).tests} == {1.0}


def test_each_stratum_is_drawn_in_its_own_canonical_order() -> None:
    files = opened(planned(per_hundred=30))
    sample = draw(files, DICE, 50)
    own = np.array([box in RECORDED for box in MANIFEST.boxes]).repeat(MANIFEST.cards)
    first = [each for each in sample.tickets if each.box in RECORDED]
    assert tuple(first) == draw_cards(DICE, MANIFEST, 15, replacement=False, among=own).tickets
    others = tuple(each for each in sample.tickets if each.box not in RECORDED)
    assert others == draw_cards(DICE, MANIFEST, 35, replacement=False, among=~own).tickets
    assert [number for number, each in enumerate(sample.tickets, 1) if each.box in RECORDED][:4] == [4, 7, 10, 14]
    assert draw(files, DICE, 31).tickets == sample.tickets[:31]


def test_a_stratum_that_is_drawn_to_its_end() -> None:
    files = opened(planned(per_hundred=90))
    every = draw(files, DICE, MANIFEST.total)
    assert len(every.units()) == MANIFEST.total
    assert draw(files, DICE, 3000).tickets == every.tickets[:3000]
    status = measure(files, every, seen(every))
    assert status.confirmed
    with pytest.raises(AuditError, match="cannot be drawn from"):
        draw(files, DICE, MANIFEST.total + 1)


@pytest.mark.parametrize("wrong", [0, 3])
def test_the_risk_is_that_of_two_strata_put_together_by_hand(wrong: int) -> None:
    """The same by the bands of `stratified`, which other programs were held against; both are close to the least product."""
    files = opened(planned(per_hundred=30))
    sample = draw(files, DICE, 60)
    first = [each for each in sample.tickets if each.box in RECORDED]
    other = {(each.box, each.position): (1,) for each in first[:wrong]}
    risks = {each.code: each.p for each in measure(files, sample, seen(sample, other)).tests}
    for _, test in files.plan.tests():
        assertion = test.assertion("president")
        papers = [
            paper_scores(assertion, [other.get((e.box, e.position), marks_in(e.box, e.position)) for e in own], styled=False)
            for own in (first, [each for each in sample.tickets if each.box not in RECORDED])
        ]
        recorded = record_scores(assertion, [marks_in(each.box, each.position) for each in first])
        cards = sum(sum(VOTES[box]) + 5 for box in RECORDED)
        total = sum(assertion.votes_score(VOTES[box], 5) for box in RECORDED)
        reported = ReportedTotal(assertion, cards, total)
        assert isinstance(files.design, Strata)
        one = comparison_stratum(reported, recorded, papers[0], comparison_forecast(reported, USUAL_ERRORS))
        two = polling_stratum(assertion, MANIFEST.total - cards, papers[1], files.design.forecast("president", test))
        assert risks[test.code] == pytest.approx(union_intersection(one, two, assertion.upper).p_value, rel=0.05)


def test_what_is_not_counted_is_as_bad_as_it_can_be() -> None:
    files = opened(planned())
    sample = draw(files, DICE, files.plan.first_round)
    clean = measure(files, sample, seen(sample)).tests
    for box in ("a1", "b1"):
        against = {unit: (1,) for unit in sample.units() if unit[0] == box}
        code = "lead:0:1"
        wrong, without = (
            {each.code: each.p for each in measure(files, sample, found).tests}
            for found in (seen(sample, against), seen(sample, but=frozenset({box})))
        )
        assert wrong[code] == without[code] > next(each.p for each in clean if each.code == code)


def test_what_is_left() -> None:
    files = opened(planned())
    sample = draw(files, DICE, 10)
    found = seen(sample, but=frozenset({sample.tickets[-1].box}))
    left = work_left(files, sample, found, measure(files, sample, found))
    assert left is not None
    assert 0.3 * files.plan.first_round < left.p50 < 3 * files.plan.first_round
    assert left.p50 <= left.p90


def test_the_forecast_of_draws_is_about_right() -> None:
    """Of 12 seeds, some need no more than the first round, and nearly all no more than three of them."""
    files = opened(planned())
    reached = {1: 0, 3: 0}
    for seed in range(12):
        for rounds in reached:
            sample = draw(files, f"{seed:020}", rounds * files.plan.first_round)
            reached[rounds] += measure(files, sample, seen(sample)).confirmed
    assert 1 <= reached[1] <= 11
    assert reached[3] >= 10


def test_what_a_plan_of_strata_has_to_have() -> None:
    plan = planned().plan
    assert plan.risk == "union-intersection"
    assert set(plan.files) == {"manifest.csv", "totals.csv", "cards.bin"}
    assert {name for _, test in plan.tests() for name in test.parameters} == {
        "record_values",
        "record_probabilities",
        "total_values",
        "total_probabilities",
    }
    given = msgspec.json.decode(plan.encode())
    wrongs: tuple[dict[str, Any], ...] = ({"per_hundred": 0}, {"per_hundred": 100}, {"replacement": True}, {"draw": "rivest"})
    for wrong in (*wrongs, {"risk": "betting-fixed"}, {"design": "oneaudit"}, {"per_box": 3}):
        with pytest.raises(AuditError):
            read_plan(msgspec.json.encode(given | wrong, order="sorted"))
    contest = given["contests"][0]
    test = contest["tests"][0] | {"parameters": {"record_values": "1"}}
    changed = msgspec.json.encode(given | {"contests": [contest | {"tests": [test]}]}, order="sorted")
    with pytest.raises(AuditError, match="all of them and no others"):
        read_plan(changed)


def test_what_cannot_be_planned() -> None:
    with pytest.raises(AuditError, match="boxes with records of cards and boxes without"):
        planned(tuple(VOTES))
    with pytest.raises(AuditError, match="need records of the cards of some boxes"):
        planned(cards=None)
    with pytest.raises(AuditError, match="leave out how many draws"):
        planned(design="oneaudit", per_hundred=10)


def test_a_draw_is_written_as_of_any_cards() -> None:
    files = opened(planned())
    sample = draw(files, DICE, 5)
    first = sample.tickets[0]
    assert f"\n1,{first.number},{first.box},{first.position},1\n".encode() in encode_draw(sample)
