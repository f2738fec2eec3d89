"""The plan file: made from the published results, and read back strictly."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from audit_artifacts import ELECTION, MANIFEST, RESULTS, count_of, held, records, results_log, root_of
from count_helpers import ROLL, STATIONS, Ballots
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import BOX_DESIGNS, Plan, read_plan, share_text
from scrutineer.audits.plan_cards import placed_cards
from scrutineer.audits.plan_draw import draws_in
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.audits.plan_totals import Totals, read_totals
from scrutineer.errors import AuditError, CountError

LOG = results_log()
BALLOTS = Ballots(ELECTION)
DESIGNS = ("batch-betting", "batch-macro", "polling", "oneaudit", "comparison")


def made(log: list[bytes] = LOG, **given: Any) -> MadePlan:
    return make_plan(count_of(log), root_of(log), name="boxes", **given)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_results_give_the_same_plan(design: str) -> None:
    plan = held(design).made.plan
    cards = {"cards": records()} if design == "comparison" else {}
    manifest = {} if design in BOX_DESIGNS else {"manifest": MANIFEST}
    again = made(design=design, **cards, **manifest)
    assert again.plan.encode() == plan.encode()
    assert read_plan(plan.encode()) == plan
    assert plan.first_round > 0
    cards = sum(map(sum, RESULTS.values())) + 30 if manifest else ROLL * len(RESULTS)
    assert (plan.size, plan.root, plan.cards) == (7, root_of(LOG).hex(), cards)


def test_stations_that_are_outstanding_or_excluded_are_named() -> None:
    assert made(LOG[:-1]).notes[0].startswith("Contest president: 1 station(s) are outstanding or in quarantine")
    assert "excluded by decision" in made([*LOG, BALLOTS.exclude("a1")]).notes[0]


def test_a_manifest_is_held_against_the_results() -> None:
    boxes = {box: sum(votes) + 5 for box, votes in RESULTS.items()}
    assert made(manifest=Manifest.of(boxes.items())).plan.cards == sum(boxes.values())
    with pytest.raises(AuditError, match="station 'a1' votes in contest 'president' and is not in the manifest"):
        made(manifest=Manifest.of((box, cards) for box, cards in boxes.items() if box != "a1"))
    with pytest.raises(AuditError, match="box 'cellar' of the manifest is no station"):
        made(manifest=Manifest.of([*boxes.items(), ("cellar", 3)]))
    with pytest.raises(AuditError, match="box 'a1': 85 cards of contest 'president' are published, and the manifest has 51"):
        made(manifest=Manifest.of((boxes | {"a1": 51}).items()))


@pytest.mark.parametrize(
    ("votes", "reason"),
    [((30, 30, 5), "tie"), ((0, 0, 0), "nobody-voted")],
)
def test_what_only_a_full_count_can_confirm_is_said(votes: tuple[int, ...], reason: str) -> None:
    log = [LOG[0], *(BALLOTS.sheet(station, votes) for station in STATIONS)]
    plan = made(log).plan
    assert [contest.full_count for contest in plan.contests] == [reason]
    assert plan.first_round == 0
    one_vote = [LOG[0], BALLOTS.sheet("a1", (31, 30, 5)), *(BALLOTS.sheet(station, (30, 30, 5)) for station in STATIONS[1:])]
    assert made(one_vote).plan.contests[0].full_count == "one-card"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"contests": ("senate",)}, "there is no contest 'senate'"),
        ({"risk_limit": Fraction(0)}, "risk limit"),
        ({"risk_limit": Fraction(1)}, "risk limit"),
        ({"design": "comparison"}, "needs records of cards"),
        ({"draw": "rivest"}, "with the canonical draw"),
        ({"design": "polling", "draw": "lots"}, "no way of drawing called 'lots'"),
    ],
)
def test_plans_that_cannot_be_made(given: dict[str, Any], told: str) -> None:
    with pytest.raises(AuditError, match=told):
        made(**given)


def changed(**fields: Any) -> bytes:
    value = json.loads(held().made.plan.encode()) | fields
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


CONTEST = json.loads(held().made.plan.encode())["contests"][0]
TEST = CONTEST["tests"][0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "use the file"),
        (b"{}", "missing required field"),
        (b"[" * 100_000, "use the file"),
        (held().made.plan.encode() + b"\n", "not in its canonical form"),
        (changed(format="other"), "Invalid enum value"),
        (changed(extra=1), "unknown field"),
        (changed(size=True), "Expected `int`"),
        (changed(size=0), "cannot be"),
        (changed(election="00"), "not a hash in 64"),
        (changed(risk_limit="0.050"), "write a share"),
        (changed(risk_limit="1/20"), "write a share"),
        (changed(risk="dice"), "no risk function is called 'dice'"),
        (changed(risk="betting-agrapa"), "whoever leaves one uncounted chooses bets on those that are drawn after it"),
        (changed(contests=[CONTEST | {"tests": []}]), "no contest that the audit is to confirm and whose outcome cards could"),
        (changed(draw="rivest"), "by the canonical draw"),
        (changed(files={}), "names the files manifest.csv, totals.csv"),
        (changed(contests=[]), "or there is none"),
        (changed(contests=[CONTEST | {"full_count": "because", "tests": []}]), "for a reason that is known"),
        (changed(contests=[CONTEST | {"tests": [TEST, TEST]}]), "stands there twice"),
        (changed(contests=[CONTEST | {"tests": [TEST | {"weights": [1, 1, 1]}]}]), "no card can"),
        (
            changed(contests=[CONTEST | {"tests": [TEST | {"parameters": {}}]}]),
            "needs the parameter",
        ),
    ],
)
def test_files_that_are_no_plan(data: bytes, told: str) -> None:
    with pytest.raises(AuditError, match=told):
        read_plan(data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1"),
        ("box,contest,cards,rest,votes\na,president,3,0\n", "line 2: give 5 cells"),
        ("box,contest,cards,rest,votes\na,president,3,0,01\n", "canonical form"),
        ("box,contest,cards,rest,votes\na,president,3,0,-1\n", "is not a number"),
        ("box,contest,cards,rest,votes\na,president,3,0,\n", "is not a number"),
        ("box,contest,cards,rest,votes\na,president,3,0,4\n", "3 cards cannot bear these votes"),
        ("box,contest,cards,rest,votes\na,president,3,4,0\n", "3 cards cannot bear these votes"),
        ("box,contest,cards,rest,votes\na,president,3,0,1\na,president,3,0,1\n", "twice"),
        ("box,contest,cards,rest,votes\nb,president,3,0,1\na,president,3,0,1\n", "canonical form"),
        ("box,contest,cards,rest,votes\na,president,3,0,1\nb,president,3,0,1 2\n", "one number of votes for each option"),
        ("box,contest,cards,rest,votes\r\na,president,3,0,1\r\n", "canonical form"),
    ],
)
def test_files_that_are_no_totals(text: str, told: str) -> None:
    with pytest.raises(AuditError, match=told):
        read_totals(text.encode())


def test_totals_are_read_back_and_fit_a_manifest() -> None:
    totals = Totals({("b", "president"): (9, 1, (5, 3)), ("a", "mayor"): (4, 0, (4,)), ("a", "president"): (4, 0, (2, 2))})
    assert read_totals(totals.encode()) == totals
    found = totals.of("president", Manifest.of([("a", 4), ("b", 10), ("c", 1)]))
    assert found.cards.tolist() == [4, 9, 0]
    assert found.holds.tolist() == [True, True, False]
    for manifest, told in (([("a", 4)], "is not in the manifest"), ([("a", 3), ("b", 9)], "has 3 cards in the manifest")):
        with pytest.raises(AuditError, match=told):
            totals.of("president", Manifest.of(manifest))
    with pytest.raises(AuditError, match="no box holds"):
        totals.of("senate", Manifest.of([("a", 4)]))


def test_records_say_where_their_cards_lie() -> None:
    cards = records()
    assert len(placed_cards(cards, MANIFEST)) == MANIFEST.total
    more = Manifest.of((box, int(number) + 1) for box, number in zip(MANIFEST.boxes, MANIFEST.cards, strict=True))
    assert placed_cards(cards, more).column("president").unknown() == len(MANIFEST.boxes)
    for position in (0, 2):
        moved = cards.position.copy()
        moved[0] = position
        with pytest.raises(AuditError, match="in which place of its box it lies"):
            placed_cards(type(cards)(cards.contests, cards.batches, cards.batch, moved, cards.ids), MANIFEST)


@pytest.mark.parametrize(
    ("share", "text"), [(Fraction(1, 20), "0.05"), (Fraction(0), "0"), (Fraction(1), "1"), (Fraction(1, 3), "0.333333333334")]
)
def test_shares_are_rounded_up(share: Fraction, text: str) -> None:
    assert share_text(share) == text
    assert Fraction(text) >= share


def test_a_plan_is_no_plan_of_other_numbers() -> None:
    plan = held().made.plan
    assert isinstance(plan, Plan)
    assert {type(number) for number in np.array(plan.contests[0].tests[0].weights).tolist()} == {int}
    with pytest.raises((AuditError, CountError)):
        make_plan(count_of(LOG[:1]), bytes(32), name="boxes", design="oneaudit", manifest=Manifest.of([("a1", 1)]))


def test_a_plan_without_a_manifest_says_what_it_rests_on() -> None:
    assert "is taken from the roll of its station" in made().notes[-1]
    assert made(manifest=MANIFEST).notes == ()
    more = Manifest.of((box, sum(votes) + 5 + (box == "a1") * 7) for box, votes in RESULTS.items())
    (note,) = made(manifest=more).notes
    assert note.startswith("In 1 box(es) the manifest has more cards than their sheets report, 7 in all: every one that is not")


@pytest.mark.parametrize("design", ["polling", "oneaudit", "comparison"])
def test_who_draws_single_cards_has_to_know_every_card(design: str) -> None:
    cards = {"cards": records()} if design == "comparison" else {}
    told = (
        "give a manifest (--manifest), a list of boxes and of how many cards lie in each, established without the voting system"
    )
    with pytest.raises(AuditError, match=re.escape(told)):
        made(design=design, **cards)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_manifest_with_fewer_cards_in_a_box_than_are_published_for_it(design: str) -> None:
    """What one box lacks another has too many: the sum alone does not show it."""
    moved = {box: sum(votes) + 5 for box, votes in RESULTS.items()}
    moved["a1"], moved["a2"] = moved["a1"] - 1, moved["a2"] + 1
    cards = {"cards": records()} if design == "comparison" else {}
    with pytest.raises(AuditError, match="box 'a1': 85 cards of contest 'president' are published, and the manifest has 84"):
        made(design=design, manifest=Manifest.of(moved.items()), **cards)


def test_a_table_of_more_draws_than_any_audit_has() -> None:
    with pytest.raises(AuditError, match="no audit has more than 10000000"):
        draws_in(b"draw,number,box,position,time\n" + b"\n" * 10_000_001)


def test_a_manifest_with_fewer_cards_than_ballots_are_published() -> None:
    some = Manifest.of((box, cards) for box, cards in zip(MANIFEST.boxes, MANIFEST.cards.tolist(), strict=True) if box < "b")
    mask = np.asarray(records().batch < 3)
    whole = records()
    few = Cards(
        (replace(whole.contests[0], pattern=whole.contests[0].pattern[mask]),),
        whole.batches[:3],
        whole.batch[mask],
        whole.position[mask],
        whole.ids.filter(pa.array(mask)),
    )
    with pytest.raises(AuditError, match="505 ballots are published, and the manifest has 250 cards"):
        made(design="comparison", cards=few, manifest=some)
