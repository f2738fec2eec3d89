"""How an audit stands: counts put together, units that are not there at their worst, and what is left to do."""

from collections.abc import Sequence
from typing import Any

import pytest

from audit_artifacts import AUDITING, ELECTION, RESULTS, card_in, counted, held, seen_in
from audit_helpers import DICE
from count_helpers import ROLL
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.plan_draw import difference, draws_in, encode_draw
from scrutineer.audits.planned.files import open_files
from scrutineer.audits.report import Report, make_report, page_name, read_report, report_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import Status, draw, drawn_values, measure
from scrutineer.audits.status_left import work_left
from scrutineer.errors import AuditError
from scrutineer.language import language
from scrutineer.statements.audit import BoxTotals

HELD = held()
BOXES = HELD.sample.boxes()
DESIGNS = ("batch-betting", "batch-macro", "polling", "oneaudit", "comparison")


def seen(*boxes: dict[str, Any]) -> Seen:
    return resolve(counted([AUDITING.count(HELD.plan, **box) for box in boxes]))


def status(*boxes: dict[str, Any]) -> Status:
    return measure(HELD.files, HELD.sample, seen(*boxes))


def all_but(box: str) -> list[dict[str, Any]]:
    return [seen_in(other) for other in BOXES if other != box]


def box_with(box: str, votes: Sequence[int | None], **given: Any) -> dict[str, Any]:
    fields = {"blank": 3, "null": 2, "cards": sum(RESULTS[box]) + 5} | given
    return {"box": box, "totals": (BoxTotals(contest="president", counts=tuple(votes), **fields),)}


def risk(of: Status) -> float:
    return float(of.contests[0].risk)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_larger_draw_begins_with_the_smaller_one(design: str) -> None:
    own = held(design)
    few, many = draw(own.files, DICE, 5), draw(own.files, DICE, 20)
    assert many.tickets[:5] == few.tickets
    assert encode_draw(many).startswith(encode_draw(few))
    assert draws_in(encode_draw(many)) == 20
    assert difference(encode_draw(few), encode_draw(many)).startswith("draw.csv has 6 lines")
    with pytest.raises(AuditError, match="does not begin"):
        draws_in(b"box\n")


@pytest.mark.parametrize("design", DESIGNS)
def test_nothing_counted_shows_nothing_and_everything_counted_confirms(design: str) -> None:
    own = held(design)
    nothing = measure(own.files, own.sample, resolve(()))
    assert {each.risk for each in nothing.contests} == {"1"}
    assert (nothing.counted, len(nothing.pending)) == (0, nothing.units)
    everything = measure(own.files, own.sample, resolve(counted(own.counts)))
    assert everything.confirmed
    assert (everything.pending, everything.missing, everything.faults, everything.voids) == ((), (), (), ())
    left = work_left(own.files, own.sample, resolve(()), nothing)
    assert left is not None
    assert 0 < left.p50 <= left.p90
    assert work_left(own.files, own.sample, resolve(counted(own.counts)), everything) is None


def test_what_is_not_there_counts_as_the_worst() -> None:
    whole = status(*map(seen_in, BOXES))
    box = BOXES[0]
    pending = status(*all_but(box))
    missing = status(*all_but(box), {"box": box, "totals": (), "status": "missing"})
    illegible = status(*all_but(box), {"box": box, "totals": (), "status": "illegible"})
    assert risk(whole) < risk(pending) == risk(missing) == risk(illegible)
    assert (pending.pending, missing.missing, illegible.illegible) == ((box,), (box,), (box,))
    assert risk(missing) <= 1
    unknown = status(*all_but(box), box_with(box, (50, None, 10)))
    assert risk(unknown) == risk(pending)


def test_one_bad_box_is_not_the_end() -> None:
    """A box that holds the contrary of its sheet costs evidence, and further draws make up for it."""
    box = BOXES[0]
    votes = RESULTS[box]
    bad = box_with(box, (votes[1], votes[0], votes[2]))
    one = risk(status(*all_but(box), bad))
    assert risk(status(*map(seen_in, BOXES))) < one <= 1
    more = draw(HELD.files, DICE, 400)
    boxes = [seen_in(other) for other in more.boxes() if other != box] + ([bad] if box in more.boxes() else [])
    assert float(measure(HELD.files, more, seen(*boxes)).contests[0].risk) <= 1


def test_cards_that_were_not_found_in_a_box_count_as_the_worst() -> None:
    """Each that the sheet reports and nobody found; voters of the roll who stayed at home are no cards."""
    box = BOXES[0]
    exact, fewer = status(*all_but(box), seen_in(box)), status(*all_but(box), box_with(box, RESULTS[box], blank=0, cards=None))
    assert risk(exact) < risk(fewer)
    assert HELD.files.manifest.cards.tolist() == [ROLL] * len(RESULTS)
    assert set(drawn_values(HELD.files, HELD.sample, seen(*map(seen_in, BOXES)))["president", "lead:0:1"][0]) == {1.0}
    own = drawn_values(HELD.files, HELD.sample, seen(*all_but(box), box_with(box, RESULTS[box], blank=0, cards=None)))
    heron, wren, _ = RESULTS[box]
    assert min(own["president", "lead:0:1"][0]) == pytest.approx(1 - 3 / (heron - wren + ROLL))


def test_more_cards_than_reported_are_counted_as_they_are() -> None:
    """Nothing was said of them: what is on them counts, and where they are said to be nothing they are the worst."""
    box = BOXES[0]
    heron, wren, finch = RESULTS[box]
    whole = risk(status(*map(seen_in, BOXES)))
    for_winner = status(*all_but(box), box_with(box, (heron + ROLL - 85, wren, finch), cards=ROLL))
    assert (for_winner.voids, risk(for_winner)) == ((), whole)
    for_others = status(*all_but(box), box_with(box, (heron, wren + ROLL - 85, finch), cards=ROLL))
    unsaid = status(*all_but(box), box_with(box, RESULTS[box], cards=ROLL))
    assert for_others.voids == unsaid.voids == ()
    assert whole < risk(for_others) <= risk(unsaid) < 1


def test_more_cards_than_can_be_void_it() -> None:
    box = BOXES[0]
    void = status(*all_but(box), box_with(box, RESULTS[box], cards=ROLL + 1))
    assert risk(void) == 1
    assert void.voids == (f"box {box} holds {ROLL + 1} cards of contest president, and the plan allows for {ROLL}",)
    report = report_of(resolve(counted([AUDITING.count(HELD.plan, **box_with(box, RESULTS[box], cards=999))])))
    assert report.outcome == "full-count"


def test_counts_that_contradict_each_other() -> None:
    box, other = BOXES[:2]
    first = AUDITING.count(HELD.plan, **seen_in(box))
    name = counted([first])[0].hash
    again = AUDITING.count(HELD.plan, **box_with(box, (1, 2, 3)), note="Again.", replaces=name)
    twice = AUDITING.count(HELD.plan, **box_with(box, (4, 5, 6)))
    found = resolve(counted([first, twice]))
    assert found.faults == (f"box {box} was counted twice, and neither count says that it takes the place of the other",)
    assert found.boxes[box].hash == name
    replaced = resolve(counted([first, again]))
    assert (replaced.faults, replaced.boxes[box].count.note) == ((), "Again.")
    assert [one.hash for one in replaced.held] == [counted([again])[0].hash]
    for wrong in ([again], [AUDITING.count(HELD.plan, **seen_in(other)), again], [first, again, again_of(again, name)]):
        assert "takes the place of one that does not hold" in resolve(counted(wrong)).faults[-1]
    assert resolve(counted([first, first])).faults == ()


def again_of(_: bytes, name: bytes) -> bytes:
    return AUDITING.count(HELD.plan, **box_with(BOXES[0], (7, 8, 9)), note="Once more.", replaces=name)


def test_counts_of_what_was_not_drawn_are_left_out_and_named() -> None:
    stray = status(*map(seen_in, BOXES), {"box": "cellar", "totals": seen_in(BOXES[0])["totals"]})
    assert stray.faults == ("box cellar was counted and was not drawn",)
    assert risk(stray) == risk(status(*map(seen_in, BOXES)))
    cards = status({"box": BOXES[0], "totals": (), "cards": (card_in(BOXES[0], 1),)})
    assert "whole boxes were drawn" in cards.faults[0]
    own = held("polling")
    whole = measure(own.files, own.sample, seen(seen_in(BOXES[0])))
    assert "single cards of it were drawn" in " ".join(whole.faults)


@pytest.mark.parametrize("design", ["polling", "oneaudit", "comparison"])
def test_a_box_that_was_not_found_takes_its_cards_with_it(design: str) -> None:
    own = held(design)
    box = own.sample.boxes()[0]
    counts = [one for one in counted(own.counts) if one.count.box != box]
    lost = [*counts, *counted([AUDITING.count(own.plan, box=box, totals=(), status="missing")])]
    found = measure(own.files, own.sample, resolve(lost))
    assert found.missing
    assert all(name.startswith(f"{box}, card ") for name in found.missing)
    whole = measure(own.files, own.sample, resolve(counted(own.counts)))
    assert all(worse.p >= usual.p for worse, usual in zip(found.tests, whole.tests, strict=True))
    assert any(worse.p > usual.p for worse, usual in zip(found.tests, whole.tests, strict=True))


def test_files_that_are_not_those_of_the_plan() -> None:
    files = dict(HELD.made.files)
    assert open_files(HELD.made.plan, files).manifest.total == HELD.made.plan.cards
    with pytest.raises(AuditError, match=r"totals\.csv is missing"):
        open_files(HELD.made.plan, {"manifest.csv": files["manifest.csv"]})
    with pytest.raises(AuditError, match=r"manifest\.csv is not the file that the plan names"):
        open_files(HELD.made.plan, files | {"manifest.csv": files["manifest.csv"] + b"\n"})


def report_of(found: Seen, *, stop: bool = False) -> Report:
    counts: tuple[Counted, ...] = found.held
    return make_report(HELD.files, bytes(32), bytes(32), HELD.sample, counts, 99, stop=stop)


def test_the_report_says_what_it_has_come_to() -> None:
    everything, nothing = resolve(counted(HELD.counts)), resolve(())
    assert report_of(everything).outcome == "confirmed"
    assert report_of(nothing).outcome == "continuing"
    assert report_of(nothing, stop=True).outcome == "stopped"
    assert report_of(everything, stop=True).outcome == "confirmed"
    report = report_of(everything)
    assert read_report(report.encode()) == report
    assert [report_name(number) for number in (1, 2, 10)] == ["report.json", "report-2.json", "report-10.json"]
    assert page_name("report-2.json") == "report-2.html"
    with pytest.raises(AuditError, match="without a seed"):
        make_report(HELD.files, bytes(32), None, HELD.sample, (), 9)
    for data in (b"", b"{}", report.encode() + b" ", report.encode().replace(b'"confirmed"', b'"perhaps"', 1)):
        with pytest.raises(AuditError, match=r"report\.json"):
            read_report(data)


def test_the_page_needs_nothing_beside_it_and_speaks_other_languages() -> None:
    page = report_page(HELD.made.plan, HELD.report, ELECTION.contests).decode()
    assert "confirms the reported outcome" in page
    assert HELD.report.plan in page
    for word in ("<script", "style=", "src=", "href=", "url(", "@import", "http"):
        assert word not in page
    assert '<html lang="es"' in report_page(HELD.made.plan, HELD.report, ELECTION.contests, language("es")).decode()
    hostile = report_of(resolve(counted([AUDITING.count(HELD.plan, **(seen_in(BOXES[0]) | {"box": "<b>&"}))])))
    assert "<b>&" not in report_page(HELD.made.plan, hostile, ()).decode()


def test_no_draws_show_nothing() -> None:
    assert {each.risk for each in measure(HELD.files, Sample(()), resolve(())).contests} == {"1"}
    assert measure(HELD.files, Sample(()), seen(seen_in(BOXES[0]))).faults == (f"box {BOXES[0]} was counted and was not drawn",)
