"""The audits of a log: statements grouped by plan, other plans for the same contests, and what a report says of both."""

from dataclasses import replace

import pytest

from audit_artifacts import AUDITING, count_of, counted, held, results_log
from audit_helpers import AUDITORS
from scrutineer.audits.check import check_audit
from scrutineer.audits.check_others import contest_note, others_notes
from scrutineer.audits.counts import resolve
from scrutineer.audits.other_plans import contest_plans, other_plans
from scrutineer.audits.registered import RegisteredAudit, registered_audits
from scrutineer.audits.report import Report, make_report, read_report
from scrutineer.statements import AuditCount, parse_statement, statement_hash
from scrutineer.statements.audit import ContestRisk

HELD = held()
PLANNED = {contest.contest for contest in HELD.made.plan.contests}
MAYOR = (ContestRisk(contest="mayor", risk="0.04"),)


def audits_in(*statements: bytes) -> list[RegisteredAudit]:
    return registered_audits(count_of([*results_log(), *statements]).audits)


def test_statements_belong_to_the_audit_whose_plan_they_name() -> None:
    (found,) = registered_audits(count_of(HELD.log).audits)
    assert (found.hash, found.plan.name, found.outcome) == (statement_hash(HELD.plan), "boxes", "confirmed")
    assert found.seeded is not None
    assert [own.index for own in found.statements] == list(range(7, len(HELD.log)))
    assert [one for _, one in found.counts] == list(counted(HELD.counts))
    assert found.boxes() == {"counted": len(HELD.counts)}
    assert found.until(9).counts == []
    assert (found.until(8).seed, found.until(9).seed) == (None, found.seed)
    assert found.until(len(HELD.log) - 1).outcome is None


def test_the_first_plan_of_a_name_and_the_first_seed_of_a_plan_hold() -> None:
    first, second = AUDITING.plan(), AUDITING.plan(title="The same name again")
    seeds = [AUDITING.seed(first), AUDITING.seed(first, seed="7" * 20), AUDITING.seed(second)]
    (found,) = audits_in(first, second, *seeds)
    assert found.plan.title == "Boxes against sheets"
    assert found.seeded is not None
    assert found.seeded.statement.data == seeds[0]
    assert [own.statement.data for own in found.statements] == [first, *seeds[:2]]


def test_counts_that_were_replaced_are_kept_with_what_took_their_place() -> None:
    plan = AUDITING.plan()
    first = AUDITING.count(plan)
    second = AUDITING.count(plan, replaces=statement_hash(first), note="Counted again.")
    third = AUDITING.count(plan, replaces=statement_hash(second), note="And again.")
    twice = AUDITING.count(plan, note="Nothing is replaced.")
    (found,) = audits_in(plan, AUDITING.seed(plan), first, second, third, twice)
    assert [one.hash for one in found.seen.held] == [statement_hash(third)]
    assert [(one.counted.hash, one.by.count.note) for one in found.seen.replaced] == [
        (statement_hash(first), "Counted again."),
        (statement_hash(second), "And again."),
    ]
    assert len(found.seen.faults) == 1


def test_replaced_cards_make_room_for_others() -> None:
    first, second = (parse_statement(data).payload for data in held("polling").counts[:2])
    assert isinstance(first, AuditCount)
    assert isinstance(second, AuditCount)
    one = counted([held("polling").counts[0]])[0]
    missing = AUDITING.count(held("polling").plan, box=first.box, status="missing", totals=(), replaces=one.hash, note="Lost.")
    seen = resolve(counted([held("polling").counts[0], missing]))
    assert (len(seen.cards), list(seen.boxes)) == (0, [first.box])


# --- other plans ---------------------------------------------------------------------------------------------------------


def test_other_plans_as_a_report_names_them() -> None:
    earlier, later = AUDITING.plan(name="earlier"), AUDITING.plan(name="later")
    elsewhere, rolls = AUDITING.plan(name="elsewhere", contests=("mayor",)), AUDITING.plan(name="rolls", about="rolls")
    seeds = {plan: AUDITING.seed(plan) for plan in (earlier, HELD.plan, elsewhere)}
    statements = [earlier, elsewhere, rolls, HELD.plan, *seeds.values(), later]
    statements.append(AUDITING.report(elsewhere, seeds[elsewhere], risks=MAYOR))
    statements.append(AUDITING.report(earlier, seeds[earlier], outcome="stopped"))
    audits = audits_in(*statements)
    size = 7 + len(statements)

    def said(size: int) -> list[tuple[object, ...]]:
        found = other_plans(audits, statement_hash(HELD.plan), PLANNED, size)
        return [(each.name, each.before, each.drawn, each.outcome, each.contests) for each in found]

    # Audits of other contests, and of rolls, are left out.
    own = ("president",)
    assert said(size) == [("earlier", True, True, "stopped", own), ("later", False, False, None, own)]
    assert said(size - 1) == [("earlier", True, True, None, own), ("later", False, False, None, own)]
    assert said(12) == [("earlier", True, True, None, own)]
    assert said(8) == [("earlier", True, False, None, own)]
    assert said(7) == []


def reported(first: list[bytes]) -> tuple[Report, list[RegisteredAudit]]:
    """The report of the held audit behind other statements, and the audits of that log."""
    statements = [*first, HELD.plan, HELD.seed, *HELD.counts]
    audits, size = audits_in(*statements), 7 + len(statements)
    others = other_plans(audits, statement_hash(HELD.plan), PLANNED, size)
    report = make_report(
        HELD.files, statement_hash(HELD.plan), statement_hash(HELD.seed), HELD.sample, counted(HELD.counts), size, others=others
    )
    return report, audits


def test_a_report_that_leaves_other_plans_out_is_found() -> None:
    report, audits = reported([AUDITING.plan(name="earlier")])
    assert [other.name for other in report.others] == ["earlier"]
    assert read_report(report.encode()) == report
    risks = tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in report.contests)
    for given, right in ((report, True), (type(report)(**_fields(report) | {"others": ()}), False)):
        signed = AUDITING.report(
            HELD.plan, HELD.seed, AUDITORS[1], size=given.size, outcome=given.outcome, risks=risks, report=given.hash
        )
        statements = [HELD.plan, HELD.seed, *HELD.counts, signed]
        entries = [replace(HELD.artifacts.entries[0], data=data, index=8 + number) for number, data in enumerate(statements)]
        files = dict(HELD.artifacts.files) | {"report.json": given.encode()}
        del files["report.html"]
        artifacts = replace(HELD.artifacts, files=files, entries=entries, admit=None, root=None, count=None, registered=audits)
        messages = [str(each) for each in check_audit(artifacts).findings]
        assert any("says otherwise than plan, seed and counts in: others" in each for each in messages) != right, messages
        alone = check_audit(replace(artifacts, registered=None))
        assert not any("others" in str(each) for each in alone.findings)


def _fields(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def test_plans_by_contest_and_what_is_said_of_them() -> None:
    names = [f"audit-{number}" for number in range(6)]
    plans = {name: AUDITING.plan(name=name) for name in names}
    plans["audit-0"] = AUDITING.plan(name="audit-0", contests=("mayor", "president"))
    seed = AUDITING.seed(plans["audit-1"])
    audits = audits_in(*plans.values(), seed, AUDITING.report(plans["audit-1"], seed))
    by_name = {audit.plan.name: audit for audit in audits}
    mayor, president = contest_plans(audits)
    assert (mayor.contest, [audit.plan.name for audit in mayor.audits]) == ("mayor", ["audit-0"])
    assert ([audit.plan.name for audit in president.reported], len(president.unreported)) == (["audit-1"], 5)
    assert contest_note(mayor) == ""
    assert contest_note(president) == (
        "Contest president: 6 plans audit it; 5 without a report: audit-0 (planned at log entry 7, not drawn), audit-2 (planned "
        "at log entry 9, not drawn), audit-3 (planned at log entry 10, not drawn), audit-4 (planned at log entry 11, not drawn), "
        "audit-5 (planned at log entry 12, not drawn)."
    )
    (note,) = others_notes(by_name["audit-1"].hash, audits)
    assert note.startswith("5 other plans audit contest president: audit-0, audit-2, audit-3, audit-4, audit-5; 5 without a")


@pytest.mark.parametrize("drawn", [False, True])
def test_a_plan_alone_is_spoken_of_once_it_is_drawn(drawn: bool) -> None:
    plan = AUDITING.plan()
    audits = audits_in(plan, *([AUDITING.seed(plan)] if drawn else []))
    (own,) = contest_plans(audits)
    assert contest_note(own) == (
        "Contest president: 1 plan audits it; 1 without a report: boxes (planned at log entry 7, drawn at log entry 8)."
        if drawn
        else ""
    )
