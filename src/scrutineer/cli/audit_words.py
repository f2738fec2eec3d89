"""What the steps of `audit` say of a plan, of how an audit stands, and of its check: for people, and for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from scrutineer.audits.assertion_words import assertion_sentence, full_count_sentence
from scrutineer.audits.check import AuditCheck
from scrutineer.audits.plan import DESIGNS, MANIFEST_FILE, Plan
from scrutineer.audits.plan_make import MadePlan
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.planner import Row, Work, rows_notes, rows_table
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.sizes import Sizes
from scrutineer.audits.status import Status
from scrutineer.cli.show import plain_console
from scrutineer.election import Election

_SHOWN: Final = 20  # lines of a list that people get to see


def say_next(entry: int | None, statement: Path, then: str) -> None:
    """Say whether the statement is in the log, and what comes after."""
    if entry is None:
        click.echo(f"Register {statement} with `scrutineer submit {statement} --to URL`.")
    else:
        click.echo(f"It is entry {entry} of the log.")
    click.echo(then)


def plan_json(statement: str, made: MadePlan | None, entry: int | None, rows: Sequence[Row] = ()) -> dict[str, Any]:
    """A plan, for programs."""
    shown: dict[str, Any] = {"statement": statement, "entry": entry}
    if made is None:
        return shown
    contests = {
        contest.contest: {"full_count": contest.full_count, "tests": len(contest.tests)} for contest in made.plan.contests
    }
    return shown | {
        "plan": made.plan.hash.hex(),
        "size": made.plan.size,
        "design": made.plan.design,
        "first_round": made.plan.first_round,
        "boxes": made.plan.boxes,
        "cards": made.plan.cards,
        "contests": contests,
        "notes": list(made.notes),
        "designs": [
            {
                "design": str(row.design),
                "planned": str(row.design) in DESIGNS,
                "full_count": row.full_count,
                "p50": _work_json(row.p50),
                "p90": _work_json(row.p90),
                "why": row.why,
            }
            for row in rows
        ],
    }


def _work_json(work: Work) -> dict[str, Any]:
    return {"draws": work.draws, "boxes": work.boxes, "cards": work.cards, "work": round(work.cost, 2)}


def print_designs(rows: Sequence[Row]) -> None:
    """What other designs would probably take, in half of all cases and in nine of ten; the cheapest first."""
    if not rows:
        return
    headings, *lines = rows_table(rows)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    click.echo("What each design would probably take if the results are right: half of all cases / nine of ten.")
    plain_console().print(table)
    for note in rows_notes(rows):
        click.echo(note)


def print_plan(made: MadePlan, election: Election) -> None:
    """A plan, for people: what is shown, what only a full count can show, and how much is drawn first."""
    plan = made.plan
    cards = f"at most {plan.cards:,}" if plan.by_box else f"{plan.cards:,}"
    click.echo(f"Results at log size {plan.size:,}; {cards} cards in {plan.boxes:,} boxes; risk limit {plan.risk_limit}.")
    for requirement in made.requirements:
        contest = election.contests[election.contest_index[requirement.contest]]
        click.echo(f"{contest.title}:")
        if requirement.full_count:
            click.echo(f"  Only a full count can confirm the outcome. {full_count_sentence(requirement, contest)}")
        for assertion in requirement.assertions if not requirement.full_count else ():
            click.echo(f"  {assertion_sentence(assertion, contest)}.")
    for note in made.notes:
        click.echo(note)
    if plan.sampled:
        what = "boxes, each with a chance in proportion to how much it could matter" if plan.by_box else "single cards"
        if plan.stratified:
            what = f"single cards, {plan.per_hundred} of 100 from boxes with records"
        if plan.in_stages:
            what = f"boxes, each with a chance in proportion to its cards, and {plan.per_box:,} cards of each"
        click.echo(f"First round: {plan.first_round:,} draws of {what} ({plan.design}, {plan.risk}).")


def print_draw(files: PlanFiles, sample: Sample, wanted: int | None, file: Path) -> None:
    """What is drawn, for people; and what is counted in full, of which nothing is drawn."""
    plan = files.plan
    if not plan.sampled:
        _print_full_count(files, file.parent)
        return
    if not len(sample):
        click.echo(
            "Nothing has to be drawn: no box could be overstated by enough to change an outcome, were it as wrong as it can be."
        )
        return
    if wanted is not None and wanted < len(sample):
        click.echo(f"The draw has {len(sample):,} draws and is never made shorter: whoever saw them could choose among them.")
    unit = "boxes" if plan.by_box else "cards"
    click.echo(f"{len(sample):,} draws: {len(sample.units()):,} different {unit} in {len(sample.boxes()):,} boxes.")
    _print_boxes(sample.boxes(), file)
    if full := [contest.contest for contest in plan.contests if contest.full_count]:
        click.echo(f"Beside the draw, all boxes are counted in full for {', '.join(full)}: no sample can confirm their outcome.")


def _print_full_count(files: PlanFiles, folder: Path) -> None:
    contests = ", ".join(contest.contest for contest in files.plan.contests if contest.full_count)
    boxes = [box for box, cards in zip(files.manifest.boxes, files.manifest.cards.tolist(), strict=True) if cards]
    click.echo(
        f"Nothing is drawn: no sample can confirm the outcome ({contests}). All cards of all {len(boxes):,} boxes are counted "
        "by hand:"
    )
    _print_boxes(boxes, folder / MANIFEST_FILE)


def _print_boxes(boxes: Sequence[str], file: Path) -> None:
    for box in boxes[:_SHOWN]:
        click.echo(f"  {box}")
    if len(boxes) > _SHOWN:
        click.echo(f"  and {len(boxes) - _SHOWN:,} more; all are in {file}")


def draw_json(files: PlanFiles, sample: Sample, file: Path) -> dict[str, Any]:
    """What is drawn, for programs. `file` is null where nothing is drawn."""
    return {
        "draws": len(sample),
        "units": len(sample.units()),
        "boxes": list(sample.boxes()),
        "full_count": [contest.contest for contest in files.plan.contests if contest.full_count],
        "file": str(file),
    }


def status_json(name: str, status: Status, left: Sizes | None) -> dict[str, Any]:
    """How an audit stands, for programs."""
    return {
        "audit": name,
        "draws": status.draws,
        "units": status.units,
        "counted": status.counted,
        "missing": list(status.missing),
        "illegible": list(status.illegible),
        "pending": list(status.pending),
        "confirmed": status.confirmed,
        "contests": {
            each.contest: {
                "risk": each.risk,
                "confirmed": each.confirmed,
                "full_count": each.full_count,
                "target": each.target,
                "assertions": {test.code: test.risk for test in status.tests if test.contest == each.contest},
            }
            for each in status.contests
        },
        "voids": list(status.voids),
        "faults": list(status.faults),
        "left": None if left is None else {"p50": left.p50, "p90": left.p90, "full_count": left.full_count},
    }


def print_status(name: str, plan: Plan, status: Status, election: Election | None = None) -> None:
    """How an audit stands, for people; in sentences where the election is known, which names its options."""
    contests = {contest.id: contest for contest in election.contests} if election is not None else {}
    assertions = {(contest, test.code): test.assertion(contest) for contest, test in plan.tests()}
    unit = "boxes" if plan.by_box else "cards"
    if plan.sampled:
        found = [(status.counted, "counted"), (len(status.missing), "not found"), (len(status.illegible), "not legible")]
        said = ", ".join(f"{number:,} {what}" for number, what in found if number or what == "counted")
        click.echo(
            f"Audit {name!r}: drawn {status.draws:,} times, {status.units:,} different {unit}: {said}, "
            f"{len(status.pending):,} not counted yet."
        )
    else:
        click.echo(f"Audit {name!r}: nothing is drawn; all cards of all {plan.boxes:,} boxes are counted by hand.")
    for units, what in ((status.missing, "not found"), (status.illegible, "not legible"), (status.pending, "not counted yet")):
        if units:
            more = f" and {len(units) - _SHOWN:,} more" if len(units) > _SHOWN else ""
            click.echo(f"  {what}, taken as the worst it can be: {'; '.join(units[:_SHOWN])}{more}")
    for contest in status.contests:
        done = "needs a full count" if contest.full_count else "confirmed" if contest.confirmed else "not confirmed"
        known = contests.get(contest.contest)
        title = contest.contest if known is None else known.title
        beside = "" if contest.target else "; measured over what is drawn for the others, the audit does not go on for it"
        click.echo(f"{title}: risk {contest.risk} (limit {plan.risk_limit}), {done}{beside}")
        for test in status.tests:
            if test.contest == contest.contest:
                assertion = assertions[test.contest, test.code]
                said = test.code if known is None else assertion_sentence(assertion, known)
                click.echo(f"  {said}: risk {test.risk}")
    for line in (*status.voids, *status.faults):
        click.echo(f"! {line}")


def print_left(folder: Path, plan: Plan, status: Status, left: Sizes | None) -> None:
    """What is left to do, for people: beside what is drawn already."""
    if status.confirmed:
        click.echo("Every contest that the audit is to confirm is at its risk limit: report it.")
        return
    if left is None:
        open_ = [contest for contest in status.contests if contest.target and not contest.confirmed]
        if all(contest.full_count for contest in open_) and plan.sampled and not status.voids:
            names = ", ".join(contest.contest for contest in open_)
            click.echo(f"What a sample can confirm is at its risk limit. All boxes are counted in full for {names}.")
        elif plan.sampled and not status.voids:
            click.echo("How many draws will be enough cannot be said from what was seen: a full count is what remains.")
        return
    click.echo(
        f"If what comes is like what was seen and planned, {left.p50:,} draws in all are enough in half of all cases, and "
        f"{left.p90:,} in nine of ten; {status.draws:,} are drawn."
    )
    if status.pending:
        click.echo(f"Count what is drawn first: {len(status.pending):,} of it wait.")
    elif left.p90 > status.draws:
        click.echo(f"To draw more: scrutineer audit draw {folder} --count {left.p90}")
    if left.full_count:
        click.echo("That is as much as a full count.")


def check_json(folder: Path, check: AuditCheck) -> dict[str, Any]:
    """A check, for programs."""
    findings = [{"code": each.code, "where": each.where, "message": each.message} for each in check.findings]
    names = (
        "name",
        "about",
        "signatures",
        "ordered",
        "results",
        "complete",
        "unseen",
        "draws",
        "counted",
        "outcome",
        "risks",
        "notes",
    )
    return {"folder": str(folder), "passed": check.passed, "findings": findings} | {name: getattr(check, name) for name in names}


def print_check(folder: Path, check: AuditCheck) -> None:
    """A check, for people."""
    said = "FAIL" if not check.passed else "PASS" if check.complete else "PASS, as far as it is published"
    click.echo(f"{said}: audit {check.name!r} in {folder}")
    for finding in check.findings[:_SHOWN]:
        click.echo(f"  {finding}")
    if len(check.findings) > _SHOWN:
        click.echo(f"  and {len(check.findings) - _SHOWN:,} more")
    if check.risks:
        click.echo(f"  {check.draws:,} draws, {check.counted:,} units counted.")
        for contest, risk in check.risks.items():
            click.echo(f"  {contest}: risk {risk}, computed again")
    for note in check.notes:
        click.echo(f"  {note}")
    left_out = [
        what
        for known, what in (
            (check.ordered, "that all is registered, in its order"),
            (check.results or check.about != "outcome", "that the audited results are those of the log"),
        )
        if not known
    ]
    if left_out:
        why = "" if check.signatures else " without the log (--log)"
        click.echo(f"  Not checked{why}: {'; '.join(left_out)}.")
