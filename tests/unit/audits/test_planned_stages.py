"""Plans in two stages: boxes by their number of cards, and some cards of each."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import msgspec
import pytest

from audit_helpers import DICE
from count_helpers import PRESIDENT, Ballots, make_election
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import read_plan
from scrutineer.audits.plan_costs import other_designs
from scrutineer.audits.plan_draw import draws_in, encode_draw
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.planned.two_stage import TwoStage
from scrutineer.audits.planner import rows_notes
from scrutineer.audits.report import make_report
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw, drawn_values, measure
from scrutineer.audits.status_left import work_left
from scrutineer.errors import AuditError
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import CardMarks

HASH = bytes(32)
VOTES = dict(zip(("a1", "a2", "a3", "b1", "b2", "b3"), ((560, 200, 100), (480, 230, 100), (60, 10, 5)) * 2, strict=True))
ELECTION = make_election((PRESIDENT,), rolls=dict.fromkeys(VOTES, 1000))
MANIFEST = Manifest.of((box, sum(votes) + 5) for box, votes in VOTES.items())


@cache
def planned(**given: Any) -> MadePlan:
    ballots = Ballots(ELECTION)
    sheets = [ballots.sheet(box, votes, roll=1000) for box, votes in VOTES.items()]
    own = {"manifest": MANIFEST, "name": "stages", "design": "two-stage", "per_box": 10}
    return make_plan(ballots.count(*sheets), HASH, **own | given)


def opened(made: MadePlan) -> PlanFiles:
    return open_files(read_plan(made.plan.encode()), made.files)


def marks_in(box: str, position: int) -> tuple[int, ...]:
    """Cards for one option lie behind those for another; the last ones are blank."""
    end = 0
    for option, votes in enumerate(VOTES[box]):
        end += votes
        if position <= end:
            return (option,)
    return ()


def seen(
    sample: Sample, other: Mapping[tuple[str, int], tuple[int, ...]] | None = None, but: frozenset[str] = frozenset()
) -> Seen:
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
    sample = draw(files, DICE, 2 * files.plan.first_round)
    status = measure(files, sample, seen(sample))
    assert status.confirmed
    assert status.draws == 2 * files.plan.first_round
    assert status.counted == status.units > 5 * status.draws
    report = make_report(files, HASH, HASH, sample, seen(sample).held, 9)
    assert (report.outcome, report.draws, report.units) == ("confirmed", status.draws, status.units)
    assert measure(files, sample, resolve(())).tests[0].p == 1


def test_a_draw_counts_once_however_many_cards_it_has() -> None:
    files = opened(planned())
    sample = draw(files, DICE, 30)
    values, null = drawn_values(files, sample, seen(sample))["president", "lead:0:1"]
    assert len(values) == 30 == draws_in(encode_draw(sample))
    assert null.population is None
    cards, total = MANIFEST.total, sum(one - other for one, other, _ in VOTES.values())
    for ticket, value in zip(sample.tickets, values.tolist(), strict=True):
        scores = [{(0,): 1, (1,): -1}.get(marks_in(ticket.box, place), 0) for place in ticket.positions]
        one, other, _ = VOTES[ticket.box]
        over = Fraction(one - other, sum(VOTES[ticket.box]) + 5) - Fraction(sum(scores), 10)
        assert value == float(cards * (2 - over) / (2 * (2 * cards - total)))


def test_a_box_with_fewer_cards_is_drawn_whole() -> None:
    files = opened(planned(per_box=100))
    sample = draw(files, DICE, 200)
    small = [ticket for ticket in sample.tickets if ticket.box == "a3"]
    assert {ticket.positions for ticket in small} == {tuple(range(1, 81))}
    assert {len(ticket.positions) for ticket in sample.tickets if ticket.box == "a1"} == {100}
    values, _ = drawn_values(files, sample, seen(sample))["president", "lead:0:1"]
    whole = {value for ticket, value in zip(sample.tickets, values.tolist(), strict=True) if ticket.box == "a3"}
    assert len(whole) == 1, "a box that is as reported shows exactly that"


def test_what_is_not_counted_is_as_bad_as_it_can_be() -> None:
    files = opened(planned())
    sample = draw(files, DICE, 20)
    box = sample.tickets[0].box
    key = ("president", "lead:0:1")
    right, _ = drawn_values(files, sample, seen(sample))[key]
    without, _ = drawn_values(files, sample, seen(sample, but=frozenset({box})))[key]
    against = {(box, place): (1,) for ticket in sample.tickets for place in ticket.positions if ticket.box == box}
    wrong, _ = drawn_values(files, sample, seen(sample, against))[key]
    assert without.tolist() == wrong.tolist()
    assert [one < other for one, other in zip(without, right, strict=True)] == [each.box == box for each in sample.tickets]
    status = measure(files, sample, seen(sample, but=frozenset({box})))
    assert len(status.pending) == len({place for each in sample.tickets if each.box == box for place in each.positions})


def test_a_card_of_a_drawn_box_that_was_not_drawn_is_no_evidence() -> None:
    files = opened(planned())
    sample, more = draw(files, DICE, 5), draw(files, DICE, 6)
    status = measure(files, sample, seen(more))
    new = more.units().keys() - sample.units().keys()
    assert len(status.faults) >= len(new) > 0
    assert status.tests == measure(files, sample, seen(sample)).tests


def test_what_is_left_is_said_in_draws_of_boxes() -> None:
    files = opened(planned())
    sample = draw(files, DICE, 3)
    found = seen(sample, but=frozenset({sample.tickets[-1].box}))
    left = work_left(files, sample, found, measure(files, sample, found))
    assert left is not None
    assert 0.4 * files.plan.first_round < left.p50 < 2.5 * files.plan.first_round
    assert left.p50 <= left.p90


def test_more_cards_of_a_box_take_fewer_boxes_and_more_cards() -> None:
    few, many = planned(per_box=2).plan, planned(per_box=50).plan
    assert few.first_round > many.first_round
    assert few.first_round * 2 < many.first_round * 50
    assert planned(per_box=None).plan.per_box == 20


def test_other_designs_have_no_number_of_cards_in_their_plans() -> None:
    assert b'"per_box":10,' in planned().plan.encode()
    other = planned(design="polling", per_box=None).plan
    assert b"per_box" not in other.encode()
    with pytest.raises(AuditError, match="not in its canonical form"):
        read_plan(other.encode()[:-1] + b',"per_box":0}')
    for wrong in ({"per_box": 0}, {"per_box": 10_001}, {"draw": "rivest"}, {"replacement": False}, {"design": "oneaudit"}):
        with pytest.raises(AuditError, match=r"two-stage has from 1|in two stages"):
            read_plan(msgspec.json.encode(msgspec.json.decode(planned().plan.encode()) | wrong, order="sorted"))


def test_what_cannot_be_planned() -> None:
    with pytest.raises(AuditError, match="leave out their number"):
        planned(design="oneaudit")
    with pytest.raises(AuditError, match="drawn with the canonical draw"):
        planned(draw="nested")
    with pytest.raises(AuditError, match="give a manifest"):
        planned(manifest=None)


def test_draws_of_more_cards_than_an_audit_has() -> None:
    with pytest.raises(AuditError, match="count all cards instead"):
        draw(opened(planned()), DICE, 1_000_001)


def test_the_table_of_costs_has_no_star_for_it() -> None:
    rows = other_designs(opened(planned()), repetitions=20)
    own = next(row for row in rows if row.design == "two-stage")
    assert own.per_box is not None
    assert not any("does not have" in note for note in rows_notes(rows))
    assert isinstance(opened(planned()).design, TwoStage)
