"""Audits that were planned so that they confirm too easily, with everything signed and registered for them, are found."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from audit_artifacts import AUDITING, RESULTS, held, in_log, records
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.counts import Counted, resolve
from scrutineer.audits.plan_cards import cards_file
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.status import drawn_values
from scrutineer.statements import AuditCount, parse_statement, statement_hash
from scrutineer.statements.audit import AuditFile, BoxTotals

Change = Callable[[dict[str, Any], dict[str, bytes]], None]
"""Changes the document of a plan, and the contents of its files, in place."""


def planned(design: str, change: Change) -> Artifacts:
    """An audit of which only the plan is registered, changed before it was signed."""
    audit = held(design)
    files = {name: audit.artifacts.files[name] for name in audit.made.files}
    plan = json.loads(audit.artifacts.files["plan.json"])
    change(plan, files)
    plan["files"] = {name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()}
    data = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    named = tuple(
        AuditFile(name=name, sha256=bytes.fromhex(file["sha256"]), size=file["size"])
        for name, file in sorted(plan["files"].items())
    )
    signed = parse_statement(audit.plan).payload
    fields = {name: getattr(signed, name) for name in ("name", "size", "root", "risk_limit")}
    statement = AUDITING.plan(files=named, plan=hashlib.sha256(data).digest(), **fields)
    admit = in_log([*audit.log[:7], statement])
    return replace(audit.artifacts, entries=[Entry(statement, 7)], files={"plan.json": data, **files}, admit=admit)


def findings(design: str, change: Change) -> list[str]:
    return [str(each) for each in check_audit(planned(design, change)).findings]


@pytest.mark.parametrize("design", ["batch-betting", "batch-macro", "polling", "oneaudit", "comparison"])
def test_a_plan_that_was_not_changed_passes(design: str) -> None:
    assert findings(design, lambda plan, files: None) == []


@pytest.mark.parametrize("design", ["batch-betting", "polling", "oneaudit", "comparison"])
def test_a_larger_margin_than_the_one_below_the_totals(design: str) -> None:
    def larger(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        plan["contests"][0]["tests"][0]["total"] += 1

    assert any("adds up to 195, and the plan says 196" in each for each in findings(design, larger))


@pytest.mark.parametrize("design", ["batch-betting", "batch-macro", "oneaudit"])
@pytest.mark.parametrize("cards", [84, 55])
def test_cards_that_are_reported_and_need_not_be_found(design: str, cards: int) -> None:
    def fewer(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        files["totals.csv"] = files["totals.csv"].replace(b"a1,president,85,", b"a1,president,%d," % cards)

    (found,) = findings(design, fewer)
    assert "let cards be missing that are reported or stand in the manifest, in box a1 (president)" in found


@pytest.mark.parametrize("reported", [85, 90, 95])
def test_cards_of_the_manifest_that_no_sheet_admits_have_to_be_found(reported: int) -> None:
    """Whoever took them out of the box would make a small sheet true."""

    def more(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        files["manifest.csv"] = files["manifest.csv"].replace(b"a1,100", b"a1,95")
        plan["cards"] -= 5
        for box in RESULTS:
            start = b"%s,president," % box.encode()
            before = start + (b"80," if box == "a3" else b"85,")
            files["totals.csv"] = files["totals.csv"].replace(before, start + (b"%d," % reported if box == "a1" else b"100,"))

    found = findings("batch-betting", more)
    assert [each.endswith("in box a1 (president)") for each in found] == [True] * (reported < 95)


@pytest.mark.parametrize("design", ["batch-betting", "polling", "comparison"])
def test_boxes_with_fewer_cards_than_are_published_for_them(design: str) -> None:
    def fewer(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        lines = dict(line.split(b",") for line in files["manifest.csv"].splitlines()[1:])
        plan["cards"] -= int(lines[b"a1"]) - 80
        lines[b"a1"] = b"80"
        files["manifest.csv"] = b"box,cards\n" + b"".join(b"%s,%s\n" % line for line in sorted(lines.items()))
        if "totals.csv" in files:
            files["totals.csv"] = files["totals.csv"].replace(b"a1,president,85,", b"a1,president,80,")
        else:
            whole = records()
            mask = np.asarray((whole.batch > 0) | (whole.position <= 80))
            column = replace(whole.contests[0], pattern=whole.contests[0].pattern[mask])
            ids = whole.ids.filter(pa.array(mask))
            files["cards.bin"] = cards_file(Cards((column,), whole.batches, whole.batch[mask], whole.position[mask], ids))

    assert any("in box a1 (president: 85, and 80 in the manifest)" in each for each in findings(design, fewer))


@pytest.mark.parametrize(
    ("design", "said"),
    [("batch-betting", "is bound by the roll of its station"), ("polling", "it says of every box what its own sheet says")],
)
def test_what_the_number_of_cards_rests_on_is_noted(design: str, said: str) -> None:
    assert said in check_audit(planned(design, lambda plan, files: None)).notes[0]

    def more(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        cards = 100 if plan["design"] == "batch-betting" else 85
        files["manifest.csv"] = files["manifest.csv"].replace(b"a1,%d" % cards, b"a1,101")
        files["totals.csv"] = files["totals.csv"].replace(b"a1,president,85,", b"a1,president,101,")
        plan["cards"] += 101 - cards

    assert "is bound by a manifest that the plan names: the risk holds" in check_audit(planned(design, more)).notes[0]


def test_records_and_a_manifest_of_some_boxes_alone() -> None:
    def some(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        kept = files["manifest.csv"].splitlines(keepends=True)[:3]
        files["manifest.csv"] = b"".join(kept)
        plan |= {"boxes": 2, "cards": 170}
        whole = records()
        mask = np.asarray(whole.batch < 2)
        column = replace(whole.contests[0], pattern=whole.contests[0].pattern[mask])
        ids = whole.ids.filter(pa.array(mask))
        files["cards.bin"] = cards_file(Cards((column,), whole.batches[:2], whole.batch[mask], whole.position[mask], ids))
        for test in plan["contests"][0]["tests"]:
            votes = [RESULTS[box] for box in ("a1", "a2")]
            test["total"] = sum(weight * vote for row in votes for weight, vote in zip(test["weights"], row, strict=True))

    (found,) = findings("comparison", some)
    assert "505 ballots are published, and the manifest of the plan has 170 cards" in found


@pytest.mark.parametrize("design", ["batch-betting", "oneaudit", "comparison"])
def test_weights_with_which_sums_run_over(design: str) -> None:
    def huge(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        for test in plan["contests"][0]["tests"]:
            test["weights"] = [weight << 55 for weight in test["weights"]]

    assert any("weights are larger than any assertion about" in each for each in findings(design, huge))


def test_a_pool_with_more_votes_than_its_cards_can_bear() -> None:
    def crowded(plan: dict[str, Any], files: dict[str, bytes]) -> None:
        files["totals.csv"] = files["totals.csv"].replace(b"a1,president,85,5,50 20 10", b"a1,president,85,5,80 80 0")
        both, plan["contests"][0]["tests"] = plan["contests"][0]["tests"][0], plan["contests"][0]["tests"][:1]
        both["weights"] = [1, 1, -1]
        both["total"] = 160 + sum(first + second - third for first, second, third in list(RESULTS.values())[1:])

    assert next(iter(RESULTS)) == "a1"
    assert any(
        "pool 1 has 85 cards, and none so many have a total score of 160" in each for each in findings("oneaudit", crowded)
    )


def later(*counts: bytes) -> Artifacts:
    """The audit whose outcome was confirmed, and counts that were registered after its report."""
    audit = held()
    log = [*audit.log, *counts]
    entries = [*audit.artifacts.entries, *(Entry(count, len(audit.log) + number) for number, count in enumerate(counts))]
    return replace(audit.artifacts, entries=entries, admit=in_log(log))


def recounted(count: bytes, votes: Callable[[str], tuple[int, ...]]) -> bytes:
    """A count that takes the place of another one."""
    box = parse_statement(count).payload.box
    totals = BoxTotals(contest="president", counts=votes(box), blank=3, null=2, cards=sum(RESULTS[box]) + 5)
    return AUDITING.count(held().plan, box=box, totals=(totals,), replaces=statement_hash(count), note="Counted again.")


def test_counts_that_take_back_what_was_confirmed() -> None:
    counts = held().counts
    same = check_audit(later(recounted(counts[0], lambda box: RESULTS[box])))
    assert same.passed
    assert any("1 count(s) were replaced by later ones" in note for note in same.notes)
    other = check_audit(later(*(recounted(count, lambda box: RESULTS[box][::-1]) for count in counts)))
    assert [each.where for each in other.findings] == ["report.json"]
    assert "with all counts that are registered it is not: report again" in other.findings[0].message


@pytest.mark.parametrize(("stated", "bad"), [((3, 2), 30), ((None, None), 0), ((3, None), 0), ((33, 2), 0)])
def test_cards_that_are_neither_votes_nor_blank_nor_null(stated: tuple[int | None, int | None], bad: int) -> None:
    audit = held()
    totals = BoxTotals(contest="president", counts=(20, 20, 10), blank=stated[0], null=stated[1], cards=85)
    count = AuditCount(election=bytes(32), plan=bytes(32), box="a1", totals=(totals,), counted_by=("Wren",))
    sample = Sample((Ticket(1, "a1", 0, 1),))
    whole = drawn_values(audit.files, sample, resolve([Counted(bytes(32), count)]))
    (values, _), design = whole["president", "lead:0:1"], audit.files.design
    assert isinstance(design, BoxDesign)
    # Of 50 - 20 the sheet's lead, none is left; each card of which nothing is said speaks for the one behind.
    number = [test.code for _, test in audit.made.plan.tests()].index("lead:0:1")
    amounts = [30 + bad if at == number else 0 for at in range(2)]
    assert values.tolist() == [pytest.approx(float(1 - design.batch.taint("a1", amounts)))]
