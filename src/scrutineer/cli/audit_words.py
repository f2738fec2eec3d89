"""What the steps of `audit` say of a plan, of how an audit stands, and of its check: for people, and for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from scrutineer.audits.assertion_words import assertion_sentence, full_count_sentence
from scrutineer.audits.check import AuditCheck
from scrutineer.audits.plan import Plan
from scrutineer.audits.plan_make import MadePlan
from scrutineer.audits.planner import Row, rows_table
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
                "full_count": row.full_count,
                "p50": {"draws": row.p50.draws, "boxes": row.p50.boxes, "cards": row.p50.cards},
                "p90": {"draws": row.p90.draws, "boxes": row.p90.boxes, "cards": row.p90.cards},
            }
            for row in rows
        ],
    }


def print_designs(rows: Sequence[Row]) -> None:
    """What other designs would probably take, in half of all cases and in nine of ten; the cheapest first."""
    if not rows:
        return
    headings, *lines = rows_table(rows)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(*map(str, line))
    click.echo("What each design would probably take if the results are right: half of all cases / nine of ten.")
    plain_console().print(table)


def print_plan(made: MadePlan, election: Election) -> None:
    """A plan, for people: what is shown, what only a full count can show, and how much is drawn first."""
    plan = made.plan
    click.echo(f"Results at log size {plan.size:,}; {plan.cards:,} cards in {plan.boxes:,} boxes; risk limit {plan.risk_limit}.")
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
        click.echo(f"First round: {plan.first_round:,} draws of {what} ({plan.design}, {plan.risk}).")


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
    click.echo(f"Audit {name!r}: {status.draws:,} draws, {status.units:,} different {unit}; {status.counted:,} counted.")
    for units, what in ((status.missing, "not found"), (status.illegible, "not legible"), (status.pending, "not counted yet")):
        if units:
            more = f" and {len(units) - _SHOWN:,} more" if len(units) > _SHOWN else ""
            click.echo(f"  {what}, taken as the worst it can be: {', '.join(units[:_SHOWN])}{more}")
    for contest in status.contests:
        done = "needs a full count" if contest.full_count else "confirmed" if contest.confirmed else "not confirmed"
        known = contests.get(contest.contest)
        title = contest.contest if known is None else known.title
        click.echo(f"{title}: risk {contest.risk} (limit {plan.risk_limit}), {done}")
        for test in status.tests:
            if test.contest == contest.contest:
                assertion = assertions[test.contest, test.code]
                said = test.code if known is None else assertion_sentence(assertion, known)
                click.echo(f"  {said}: risk {test.risk}")
    for line in (*status.voids, *status.faults):
        click.echo(f"! {line}")


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
