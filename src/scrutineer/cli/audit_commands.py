"""`audit`: plan an audit, draw by public dice, enter what was counted, say how it stands, report it, and check all of it."""

import hashlib
from pathlib import Path
from typing import Final

import click

from scrutineer.audits.check import check_audit
from scrutineer.audits.check_head import HEAD_FILE, check_shown, open_head
from scrutineer.audits.counts import resolve
from scrutineer.audits.other_plans import other_plans
from scrutineer.audits.outcome_words import OUTCOME_WORDS
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.report import make_report, page_name, report_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.report_paper import report_paper
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.sampling.seed import canonical_seed
from scrutineer.audits.status import draw, measure
from scrutineer.audits.status_left import work_left
from scrutineer.cli.audit_enter import enter_command
from scrutineer.cli.audit_inputs import SEED_STATEMENT, AuditFolder, record_at
from scrutineer.cli.audit_papers_commands import pages_command, papers_command
from scrutineer.cli.audit_plan import plan_command
from scrutineer.cli.audit_replay import replay_command
from scrutineer.cli.audit_sign import Signing, evidence_hashes, folder_argument, kept_and_sent, log_option, signing_options
from scrutineer.cli.audit_words import (
    check_json,
    draw_json,
    print_check,
    print_draw,
    print_left,
    print_status,
    say_next,
    status_json,
)
from scrutineer.cli.evidence import evidence_option
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.durable import write_whole
from scrutineer.errors import AuditError, UsageError
from scrutineer.statements import AuditReport, AuditSeed, statement_hash
from scrutineer.statements.audit import AuditOutcome, ContestRisk

AUDITS: Final = "audits"
"""Folder of a published site that holds a folder for each audit."""


@click.group("audit")
def audit_command() -> None:
    """Audit an election: from a plan that is registered first, by public dice, to a report that anyone checks.

    DIR is the audit's own folder. Every step writes new files into it and changes none; it may be given again. The signed
    statements (*.cose) go to the log with --to URL, or with `scrutineer submit`.

    The order: `plan`, register it; show the log's `head`; throw dice in public, `seed`, register it; `draw`; fetch and count what
    was drawn; `enter`; `status` at any time; `report`. Everyone can `verify`.
    """


audit_command.add_command(plan_command)
audit_command.add_command(enter_command)
audit_command.add_command(papers_command)
audit_command.add_command(pages_command)
audit_command.add_command(replay_command)


@audit_command.command("head")
@folder_argument
@log_option(required=True)
@json_option
def head_command(folder: Path, log: Path, as_json: bool) -> None:
    """Take the log's head, to show it before the dice are thrown: whoever watches can keep its root, and the seed will name it.

    The head has to hold the plan. Where witnesses cosign the log, their signatures say when it was there at the latest.
    """
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    if audit.seed_statement() is not None:
        raise UsageError(f"audit {plan.name!r} has its seed: a head is shown before the dice are thrown")
    with progress_display(as_json) as progress:
        record = record_at(log, progress)
        if planned.hash not in record.audits:
            raise AuditError(f"the plan of {folder} is not registered in {record.where}: register it first, and publish")
        note = record.note()
        head = open_head(note, record.election.definition)
        check_shown(head, record.audits[planned.hash][0], record.root(head.size))
        audit.replace(HEAD_FILE, note)
    if as_json:
        cosigned = None if head.cosigners is None else list(head.cosigners.cosigned)
        print_json({"audit": plan.name, "size": head.size, "root": head.root.hex(), "cosigned": cosigned})
        return
    click.echo(f"Head of the log, with the plan of audit {plan.name!r} in it; kept in {folder / HEAD_FILE}.")
    click.echo(f"  {head.size:,} entries, root {head.root.hex()}")
    click.echo(f"  {head.cosigners.sentence if head.cosigners is not None else 'the definition names no witnesses'}")
    click.echo(f"Read the root out, or let people write it down. Then throw the dice, and: scrutineer audit seed {folder}")


@audit_command.command("seed")
@folder_argument
@log_option()
@click.option(
    "--digits",
    required=True,
    metavar="DIGITS",
    help="What the dice showed, in the order in which they fell; spaces may stand between.",
)
@click.option("--how", required=True, metavar="TEXT", help="How the seed was made.")
@click.option("--who", required=True, metavar="TEXT", help="Who threw, and who watched.")
@click.option("--when", required=True, metavar="TEXT", help="When.")
@evidence_option("A photograph or recording: its SHA-256 is published, and you keep the file.")
@signing_options
@json_option
def seed_command(
    folder: Path,
    log: Path | None,
    digits: str,
    how: str,
    who: str,
    when: str,
    evidence: tuple[Path, ...],
    signing: Signing,
    as_json: bool,
) -> None:
    """Sign what public dice showed. The log takes it only after the plan, and only once.

    A head of the log that was taken with `audit head` is named, so that its cosignatures show when the plan was there.
    """
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    with progress_display(as_json) as progress:
        record = None if log is None else record_at(log, progress)
        if record is not None and planned.hash not in record.audits:
            raise AuditError(
                f"the plan of {folder} is not registered in {record.where}: register it first; a seed comes after its plan"
            )
        seed, shown = canonical_seed(digits), audit.read(HEAD_FILE)
        statement = signing.sign(
            AuditSeed(
                election=plan.election,
                plan=planned.hash,
                seed=seed,
                how=how,
                who=who,
                when=when,
                evidence=evidence_hashes(evidence),
                head=None if shown is None else hashlib.sha256(shown).digest(),
            )
        )
        entry = kept_and_sent(audit, SEED_STATEMENT, statement, signing, record)
    if as_json:
        print_json({"seed": seed, "statement": statement_hash(statement).hex(), "entry": entry})
        return
    click.echo(f"The seed of audit {plan.name!r} is {seed}.")
    say_next(entry, folder / SEED_STATEMENT, f"Then: scrutineer audit draw {folder}")


@audit_command.command("draw")
@folder_argument
@click.option(
    "--count",
    "wanted",
    type=click.IntRange(1),
    metavar="N",
    help="So many draws in all. [default: the first round's, or as drawn before]",
)
@json_option
def draw_command(folder: Path, wanted: int | None, as_json: bool) -> None:
    """Draw by plan and seed. The same seed gives the same draws on every machine; a larger number adds draws and changes none."""
    audit = AuditFolder(folder)
    files, seeded = audit.plan_files(), audit.seed_statement()
    if seeded is None:
        raise UsageError(f"{folder} holds no seed: throw dice in public, and run `scrutineer audit seed {folder}`")
    given = audit.read(DRAW_FILE)
    known = 0 if given is None else draws_in(given)
    count = max(known, wanted or known or files.plan.first_round)
    sample = draw(files, seeded[1].seed, count)
    if given is not None and (differs := difference(given, encode_draw(Sample(sample.tickets[:known])))):
        raise AuditError(f"{differs}: the file was changed; move it away and draw again")
    if count > known or given is None:
        audit.replace(DRAW_FILE, encode_draw(sample))
    if as_json:
        print_json(draw_json(files, sample, folder / DRAW_FILE))
        return
    print_draw(files, sample, wanted, folder / DRAW_FILE)
    if files.plan.sampled:
        click.echo(f"Then print papers or pages for those who count: scrutineer audit papers {folder}")


@audit_command.command("status")
@folder_argument
@log_option()
@json_option
def status_command(folder: Path, log: Path | None, as_json: bool) -> None:
    """Say how the audit stands: what is drawn, counted, missing; the risk of every assertion; and what is left to do."""
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    with progress_display(as_json) as progress:
        record = None if log is None else record_at(log, progress)
        counts = [one for _, one in audit.counts(record, planned.hash)]
        if plan.about != "outcome":
            files, sample, status, left = None, Sample(()), None, None
        else:
            files = audit.plan_files()
            sample = _sample(audit, files)
            status = measure(files, sample, resolve(counts))
            progress("Estimating what is left", 0, 1)
            left = work_left(files, sample, resolve(counts), status)
    if status is None or files is None:
        print_json({"audit": plan.name, "about": plan.about}) if as_json else click.echo(
            f"Audit {plan.name!r} is about {plan.about}."
        )
        return
    if as_json:
        print_json(status_json(plan.name, status, left))
        return
    print_status(plan.name, files.plan, status, None if record is None else record.election)
    print_left(folder, files.plan, status, left)


@audit_command.command("report")
@folder_argument
@log_option(required=True)
@click.option("--paper", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write the report as a PDF.")
@click.option("--stop", is_flag=True, help="The audit ends here, although the outcome is not confirmed.")
@click.option("--found", default="", metavar="TEXT", help="What was found, of an audit about anything but the outcome.")
@click.option("--shows", default="", metavar="TEXT", help="What the audit can show, and what it cannot.")
@evidence_option("A file whose SHA-256 is published.")
@signing_options
@json_option
def report_command(
    folder: Path,
    log: Path,
    stop: bool,
    paper: Path | None,
    found: str,
    shows: str,
    evidence: tuple[Path, ...],
    signing: Signing,
    as_json: bool,
) -> None:
    """Report what the registered counts show, and sign it. Counts that are not in the log do not count."""
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    with progress_display(as_json) as progress:
        record = record_at(log, progress)
        registered = record.of_plan(planned.hash)
        if planned.hash not in record.audits:
            raise AuditError(f"the plan of {folder} is not registered in {record.where}: register it first")
        seed = next((one.hash for _, one in registered if isinstance(one.payload, AuditSeed)), None)
        number = 1 + sum(isinstance(one.payload, AuditReport) for _, one in registered)
        name = report_name(number)
        outcome: AuditOutcome = "stopped" if stop else "held"
        report: bytes | None = None
        printed = b""
        risks: tuple[ContestRisk, ...] = ()
        if plan.about == "outcome":
            files = audit.plan_files()
            sample = _sample(audit, files) if seed is not None else Sample(())
            counts = tuple(one for _, one in audit.counts(record, planned.hash))
            others = other_plans(record.registered(), planned.hash, {each.contest for each in files.plan.contests}, record.size)
            made = make_report(files, planned.hash, seed, sample, counts, record.size, others=others, stop=stop)
            outcome, report = made.outcome, made.hash
            risks = tuple(ContestRisk(contest=each.contest, risk=each.risk) for each in made.contests)
            audit.replace(name, made.encode())
            audit.replace(page_name(name), report_page(files.plan, made, record.election.contests))
            printed = b"" if paper is None else report_paper(files.plan, made, record.election)
        statement = signing.sign(
            AuditReport(
                election=plan.election,
                plan=planned.hash,
                seed=seed,
                size=record.size,
                outcome=outcome,
                risks=risks,
                report=report,
                found=found,
                shows=shows,
                evidence=evidence_hashes(evidence),
            )
        )
        signed = name.removesuffix(".json") + ".cose"
        audit.replace(signed, statement)
        entry = kept_and_sent(audit, signed, statement, signing, record)
    if paper is not None and printed:
        _write_paper(paper, printed)
    if as_json:
        print_json({"outcome": outcome, "risks": {each.contest: each.risk for each in risks}, "report": name, "entry": entry})
        return
    click.echo(f"Audit {plan.name!r}: {OUTCOME_WORDS[outcome].sentence}")
    for each in risks:
        click.echo(f"  {each.contest}: risk {each.risk} (limit {plan.risk_limit})")
    say_next(entry, folder / signed, f"Then anyone can: scrutineer audit verify {folder}")


def _write_paper(path: Path, data: bytes) -> None:
    # The PDF lies beside the audit and not in its folder: nothing signed names it, so nobody could check it there.
    try:
        write_whole(path, data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror or error}): the report is signed all the same") from error


@audit_command.command("verify")
@click.argument("where", metavar="DIR|SITE", type=click.Path(path_type=Path, exists=True, file_okay=False))
@log_option()
@json_option
def verify_command(where: Path, log: Path | None, as_json: bool) -> None:
    """Check a whole audit from its artifacts: hashes, order, draw, every risk, the report. Of a SITE, each of its audits.

    With --log, also that everything is registered in its order, and that the audited results are those of the log.

    Exit status 0 where nothing is found, 1 where something is.
    """
    folders = [where]
    if not AuditFolder(where).is_audit():
        folders = sorted(path for path in (where / AUDITS).glob("*") if path.is_dir())
        log = log or where
        if not folders:
            raise UsageError(f"{where} is neither the folder of an audit nor a site that has one in {AUDITS}/")
    with progress_display(as_json) as progress:
        record = None if log is None else record_at(log, progress)
        checks = {folder: check_audit(AuditFolder(folder).artifacts(record)) for folder in folders}
    if as_json:
        print_json(
            {"passed": all(check.passed for check in checks.values()), "audits": [check_json(f, c) for f, c in checks.items()]}
        )
    else:
        for folder, check in checks.items():
            print_check(folder, check)
    if not all(check.passed for check in checks.values()):
        raise click.exceptions.Exit(1)


def _sample(audit: AuditFolder, files: PlanFiles) -> Sample:
    """What draw.csv says is drawn, drawn again. Raises AuditError where that is something else."""
    seeded, given = audit.seed_statement(), audit.read(DRAW_FILE)
    if seeded is None or given is None:
        return Sample(())
    sample = draw(files, seeded[1].seed, draws_in(given))
    if differs := difference(given, encode_draw(sample)):
        raise AuditError(f"{differs}: the file was changed; move it away and draw again")
    return sample
