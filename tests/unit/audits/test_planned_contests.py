"""Several contests in one plan: each at its own rate where boxes differ, and risks of those that nobody drew for."""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from audit_helpers import DICE
from count_helpers import PRESIDENT, Ballots, make_election
from scrutineer.audits.cards.model import ABSENT, Cards, ContestColumn
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import PlanDesign, read_plan
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.cards import CardDesign
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import make_report
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import Status, draw, drawn_values, measure
from scrutineer.audits.status_left import work_left
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import BoxTotals, CardMarks

MAYOR = Contest("mayor", "Mayor of the north", "plurality", (Option("ibis", "Ibis"), Option("kite", "Kite")), unit="north")
NATIONAL = dict(zip(("a1", "a2", "a3", "b1", "b2", "b3"), ((560, 200, 100), (480, 230, 100), (600, 100, 50)) * 2, strict=True))
LOCAL = {"a1": (480, 380), "a2": (450, 360), "a3": (420, 330)}
"""Of the same voters as the national votes, in the north alone."""
ELECTION = make_election((PRESIDENT, MAYOR), rolls=dict.fromkeys(NATIONAL, 1000))
MANIFEST = Manifest.of((box, sum(votes) + 5) for box, votes in NATIONAL.items())
HASH = bytes(32)
CARD_DESIGNS: tuple[PlanDesign, ...] = ("polling", "oneaudit", "comparison")


def marks_in(box: str, position: int) -> dict[str, tuple[int, ...]]:
    """A card: boxes are filled with the votes of one option after those of another."""

    def marked(votes: tuple[int, ...]) -> tuple[int, ...]:
        ends = np.cumsum(votes).tolist()
        return next(((option,) for option, end in enumerate(ends) if position <= end), ())

    return {"president": marked(NATIONAL[box])} | ({"mayor": marked(LOCAL[box])} if box in LOCAL else {})


@cache
def records() -> Cards:
    places = [(box, at, marks_in(box, at)) for box, votes in NATIONAL.items() for at in range(1, sum(votes) + 6)]
    columns = []
    for contest in (PRESIDENT, MAYOR):
        patterns = ((), *((option,) for option in range(len(contest.options))))
        column = [patterns.index(marks[contest.id]) if contest.id in marks else ABSENT for _, _, marks in places]
        columns.append(ContestColumn(contest.id, tuple(each.id for each in contest.options), patterns, np.array(column, np.int8)))
    boxes = tuple(NATIONAL)
    batch = np.array([boxes.index(box) for box, _, _ in places], np.int32)
    ids = pa.array([f"{box}-{at}" for box, at, _ in places])
    return Cards(tuple(columns), boxes, batch, np.array([at for _, at, _ in places], np.int32), ids)


@cache
def planned(design: PlanDesign = "batch-betting", **given: Any) -> MadePlan:
    ballots = Ballots(ELECTION)
    sheets = [ballots.sheet(box, votes, roll=1000) for box, votes in NATIONAL.items()]
    sheets += [
        ballots.sheet(box, votes, roll=1000, contest="mayor", blank=sum(NATIONAL[box]) + 3 - sum(votes), null=2)
        for box, votes in LOCAL.items()
    ]
    own = {"manifest": MANIFEST, "cards": records() if design == "comparison" else None, "name": "both", "design": design}
    return make_plan(ballots.count(*sheets), HASH, **own | given)


def opened(made: MadePlan) -> PlanFiles:
    return open_files(read_plan(made.plan.encode()), made.files)


def seen_boxes(sample: Sample, mayors: Mapping[str, tuple[int, int]] = LOCAL) -> Seen:
    """Boxes as they are; with other votes for mayor where they are given."""
    counts = []
    for number, box in enumerate(sample.boxes()):
        totals = [BoxTotals(contest="president", counts=NATIONAL[box], blank=3, null=2, cards=sum(NATIONAL[box]) + 5)]
        if box in LOCAL:
            rest = sum(NATIONAL[box]) + 3 - sum(mayors[box])
            totals.insert(0, BoxTotals(contest="mayor", counts=mayors[box], blank=rest, null=2, cards=sum(NATIONAL[box]) + 5))
        one = AuditCount(election=HASH, plan=HASH, box=box, totals=tuple(totals), counted_by=("Dipper", "Wren"))
        counts.append(Counted(number.to_bytes(32, "big"), one))
    return resolve(counts)


def seen_cards(sample: Sample, **other: dict[str, tuple[int, ...]]) -> Seen:
    """Cards as they are; or marked in another way in some boxes."""
    cards: dict[str, list[CardMarks]] = {}
    for box, position in sample.units():
        cards.setdefault(box, []).append(CardMarks(position=position, marks=other.get(box, marks_in(box, position))))
    return resolve(
        Counted(
            box.encode().ljust(32, b"."), AuditCount(election=HASH, plan=HASH, box=box, cards=tuple(own), counted_by=("Wren",))
        )
        for box, own in cards.items()
    )


def risks(status: Status) -> dict[str, float]:
    return {each.contest: float(each.risk) for each in status.contests}


@pytest.mark.parametrize("design", CARD_DESIGNS)
def test_nested_draws_take_less_and_confirm_both(design: str) -> None:
    whole, nested = planned(design), planned(design, draw="nested")
    assert nested.plan.first_round < whole.plan.first_round
    by_contest = {each.contest: each.weight for each in nested.plan.contests}
    assert by_contest["mayor"] == 10**6 > by_contest["president"] > 0
    files = opened(nested)
    sample = draw(files, DICE, 2 * nested.plan.first_round)
    status = measure(files, sample, seen_cards(sample))
    assert status.confirmed
    assert not status.voids
    assert measure(files, sample, resolve(())).tests[0].p == 1


@pytest.mark.parametrize("design", CARD_DESIGNS)
def test_a_contest_is_measured_over_the_first_cards_of_its_own_boxes(design: str) -> None:
    files = opened(planned(design, draw="nested"))
    assert isinstance(files.design, CardDesign)
    assert files.design.population("mayor") == sum(sum(NATIONAL[box]) + 5 for box in LOCAL)
    sample = draw(files, DICE, 300)
    values = drawn_values(files, sample, seen_cards(sample))
    own = sum(each.box in LOCAL for each in sample.tickets)
    assert {len(found) for (contest, _), (found, _) in values.items() if contest == "mayor"} == {own}
    assert {null.population for (contest, _), (_, null) in values.items() if contest == "mayor"} == {2435}
    everywhere = {len(found) for (contest, _), (found, _) in values.items() if contest == "president"}
    assert everywhere < set(range(len(sample))), "cards that were drawn for the mayor do not count for the president"


def test_a_contest_in_a_box_that_does_not_hold_it_ends_what_the_plan_can_show() -> None:
    files = opened(planned("polling", draw="nested"))
    sample = draw(files, DICE, 300)
    status = measure(files, sample, seen_cards(sample, b1={"mayor": (0,), "president": (0,)}))
    assert "holds contest mayor, and by the plan no card of this box does" in status.voids[0]
    assert not status.confirmed
    assert risks(status) == {"mayor": 1, "president": 1}


def test_records_of_a_contest_in_boxes_that_do_not_hold_it() -> None:
    files = opened(planned("comparison", draw="nested"))
    assert files.cards is not None
    column = files.cards.column("mayor")
    pattern = column.pattern.copy()
    pattern[-1] = 1
    stray = Cards(
        (
            *(each for each in files.cards.contests if each.id != "mayor"),
            ContestColumn("mayor", column.options, column.patterns, pattern),
        ),
        files.cards.batches,
        files.cards.batch,
        files.cards.position,
        files.cards.ids,
    )
    with pytest.raises(AuditError, match="a card of box 'b3' has contest 'mayor' in its record"):
        _ = PlanFiles(files.plan, files.manifest, files.totals, stray).design


def test_what_is_left_is_said_in_draws_of_all_cards() -> None:
    files = opened(planned("polling", draw="nested"))
    sample = draw(files, DICE, 20)
    seen = seen_cards(sample)
    left = work_left(files, sample, seen, measure(files, sample, seen))
    assert left is not None
    assert 0.5 * files.plan.first_round < left.p50 < 2 * files.plan.first_round


@pytest.mark.parametrize("design", ["batch-betting", "batch-macro", *CARD_DESIGNS])
def test_the_risk_of_a_contest_that_is_not_a_target(design: str) -> None:
    both, one = planned(design), planned(design, contests=("president",), also=("mayor",))
    assert {each.contest: each.target for each in one.plan.contests} == {"mayor": False, "president": True}
    assert one.plan.first_round < both.plan.first_round
    files = opened(one)
    sample = draw(files, DICE, one.plan.first_round)
    seen = seen_boxes(sample) if one.plan.by_box else seen_cards(sample)
    status = measure(files, sample, seen)
    assert status.confirmed, "it does not wait for what is no target"
    assert risks(status)["president"] <= 0.05 < risks(status)["mayor"] < 1
    assert not next(each for each in status.contests if each.contest == "mayor").confirmed
    assert make_report(files, HASH, HASH, sample, seen.held, 9).outcome == "confirmed"
    more = draw(files, DICE, 2000)
    assert measure(files, more, seen_boxes(more) if one.plan.by_box else seen_cards(more)).tests[0].p < 0.05


def test_boxes_that_contradict_a_contest_that_is_not_a_target() -> None:
    files = opened(planned("batch-betting", contests=("president",), also=("mayor",)))
    sample = draw(files, DICE, 200)
    swapped = {box: (second, first) for box, (first, second) in LOCAL.items()}
    status = measure(files, sample, seen_boxes(sample, swapped))
    assert status.confirmed
    assert risks(status)["mayor"] > 0.9


def test_boxes_that_nobody_can_draw_show_nothing_of_other_contests() -> None:
    files = opened(planned("batch-betting", contests=("mayor",), also=("president",)))
    assert isinstance(files.design, BoxDesign)
    sample = draw(files, DICE, files.plan.first_round)
    assert set(sample.boxes()) <= set(LOCAL)
    status = measure(files, sample, seen_boxes(sample))
    assert status.confirmed
    assert risks(status)["president"] == 1


def test_a_plan_has_a_target_and_weights_that_fit_the_draw() -> None:
    plan = planned("polling").plan
    aside = tuple(msgspec.structs.replace(each, target=False) for each in plan.contests)
    with pytest.raises(AuditError, match="no contest that the audit is to confirm"):
        msgspec.structs.replace(plan, contests=aside).__post_init__()
    heavy = tuple(msgspec.structs.replace(each, weight=1) for each in plan.contests)
    with pytest.raises(AuditError, match="the weight 1 does not fit the way of drawing"):
        read_plan(msgspec.structs.replace(plan, contests=heavy).encode())


def some_records(boxes: set[str], wrong: int = 0) -> Cards:
    """Records of the cards of some boxes; the first `wrong` cards of box a1 are recorded as blank."""
    whole = records()
    rows = np.flatnonzero(np.isin(whole.batch, [whole.batches.index(box) for box in boxes]))
    names = tuple(sorted(boxes))
    columns = []
    for column in whole.contests:
        pattern = column.pattern[rows].copy()
        pattern[:wrong] = 0
        columns.append(ContestColumn(column.id, column.options, column.patterns, pattern))
    batch = np.array([names.index(whole.batches[place]) for place in whole.batch[rows]], np.int32)
    return Cards(tuple(columns), names, batch, whole.position[rows], whole.ids.take(pa.array(rows)))


def test_records_of_some_boxes_and_totals_of_the_others() -> None:
    pooled, mixed = planned("oneaudit"), planned("oneaudit", cards=some_records({"a1", "a2", "b3"}))
    every = planned("oneaudit", cards=some_records(set(NATIONAL)))
    assert set(mixed.plan.files) == {"manifest.csv", "totals.csv", "cards.bin"}
    assert every.plan.first_round < mixed.plan.first_round < pooled.plan.first_round
    files = opened(mixed)
    assert files.recorded is not None
    assert [box for box, own in zip(files.manifest.boxes, files.recorded, strict=True) if own] == ["a1", "a2", "b3"]
    sample = draw(files, DICE, 2 * mixed.plan.first_round)
    assert measure(files, sample, seen_cards(sample)).confirmed
    values, _ = drawn_values(files, sample, seen_cards(sample))["mayor", "lead:0:1"]
    recorded = [ticket.box in {"a1", "a2", "b3"} for ticket in sample.tickets]
    assert len(set(values[recorded])) == 1, "papers that agree with their records all have one value"


def test_all_records_give_what_a_comparison_does() -> None:
    mixed, compared = opened(planned("oneaudit", cards=some_records(set(NATIONAL)))), opened(planned("comparison"))
    sample = draw(compared, DICE, 60)
    assert draw(mixed, DICE, 60) == sample
    one, other = (drawn_values(each, sample, seen_cards(sample)) for each in (mixed, compared))
    assert {key: values.tolist() for key, (values, _) in one.items()} == {
        key: values.tolist() for key, (values, _) in other.items()
    }


def test_the_reported_score_is_that_of_records_where_there_are_some() -> None:
    made = planned("oneaudit", cards=some_records({"a1", "b1"}, wrong=10))
    lead = next(test for contest, test in made.plan.tests() if contest == "president")
    right = next(test for contest, test in planned("oneaudit").plan.tests() if contest == "president")
    assert (lead.code, lead.total) == (right.code, right.total - 10)
    assert any("the records of cards add up to" in note for note in made.notes)
    files = {
        **made.files,
        "totals.csv": made.files["totals.csv"].replace(b"b3,president,755,5,600 100 50", b"b3,president,755,5,599 101 50"),
    }
    changed = {name: msgspec.structs.replace(named, sha256=_sha(files[name])) for name, named in made.plan.files.items()}
    with pytest.raises(AuditError, match="they do not belong together"):
        open_files(msgspec.structs.replace(made.plan, files=changed), files)


def test_records_that_make_an_assertion_false() -> None:
    with pytest.raises(AuditError, match="by the records of cards lead:0:1 is not true"):
        planned("oneaudit", cards=some_records({"a1"}, wrong=560))


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
