"""`claim`: announced figures checked against themselves, each other and a record; and quoted in a log."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.claim_file import MAX_CLAIM_FILE, parse_claims
from scrutineer.calls.claims.claim_statement import to_statement
from scrutineer.calls.claims.examine import Examination, examine
from scrutineer.calls.claims.report import CAUTION, Line, answer_lines, heading, table, title
from scrutineer.calls.claims.report import as_json as as_json_of
from scrutineer.cli.claim_inputs import choose_contest, records_at
from scrutineer.cli.keyring import load_key
from scrutineer.cli.office import Office, officer
from scrutineer.cli.show import json_option, plain_console, print_json, progress_display
from scrutineer.cli.trust_options import trust_options
from scrutineer.election.contests import parse_share
from scrutineer.election.finding import Finding, summary
from scrutineer.election.toml_table import read_bounded
from scrutineer.errors import CallError, DefinitionError, StoreError, UsageError
from scrutineer.intake import submit_statements
from scrutineer.intake.lanes import Trust
from scrutineer.statements import is_tally_sheet, parse_statement, sign_statement
from scrutineer.statements.policy import Policy

_INDENT: Final = 2  # columns for each step


@click.command("claim")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True),
    metavar="DIR|FILE",
    help="Hold it against an election folder, a published site, or a file of station results.",
)
@click.option("--layout", metavar="L", help="Read the file of station results by this layout, as `replay` does.")
@click.option("--contest", metavar="ID", help="The contest it is of, where the claim file names it otherwise.")
@click.option("--recount", metavar="SHARE", help="The law has a lead within this share of the votes recounted, such as '0.5 %'.")
@click.option("--brief", is_flag=True, help="Leave out the arithmetic of answers without a finding.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Also sign it as a claim and record it in this election's log.",
)
@click.option("--as", "issuer", metavar="ROLE/NAME", help="Sign as this issuer; the first officer if left out.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), metavar="PEM", help="The private key of that issuer.")
@click.option("--to", "address", metavar="URL", help="Send to this intake service; needed while a service writes the log.")
@trust_options
@json_option
def claim_command(
    files: tuple[Path, ...],
    against: Path | None,
    layout: str | None,
    contest: str | None,
    recount: str | None,
    brief: bool,
    into: Path | None,
    issuer: str | None,
    key: Path | None,
    address: str | None,
    trust: Trust,
    as_json: bool,
) -> None:
    """Check announced figures: against themselves, against each other, and against a record of sheets.

    Each FILE is a claim: who announced what, when, with its source, in a small TOML file. Several files, or several
    announcements in one, are taken in the order of time. Every answer comes with its arithmetic, with what it can and cannot
    show, with what would settle it, and with innocent explanations where there is a finding.

    Exit status 0 where nothing contradicts, 1 where something cannot be right as announced, 2 where a file cannot be used.
    """
    announcements = [announcement for path in files for announcement in _read(path)]
    if layout is not None and against is None:
        raise UsageError("--layout says how to read the file of --against: give both")
    if into is None and (issuer, key, address) != (None, None, None):
        raise UsageError("--as, --key and --to say who signs the claim for a log and where it goes: give --into DIR as well")
    with progress_display(as_json) as progress:
        try:
            records = None
            if against is not None:
                find = records_at(against, layout, contest, progress)
                records = [find(announcement) for announcement in announcements]
            examination = examine(announcements, records, band=_share(recount))
        except CallError as error:
            raise UsageError(str(error)) from error
    entries = [] if into is None else _record(announcements, Office.load(into), contest, issuer, key, address, trust)
    if as_json:
        print_json({**as_json_of(examination), "entries": entries})
    else:
        _print(examination, arithmetic=not brief)
        for entry in entries:
            click.echo(f"Quoted in the log as entry {entry}.")
    if examination.contradicts:
        raise click.exceptions.Exit(1)


def _read(path: Path) -> tuple[Announcement, ...]:
    findings: list[Finding] = []
    data = read_bounded(path, MAX_CLAIM_FILE, findings)
    if data is None:
        raise UsageError(summary(findings))
    try:
        return parse_claims(data, path.name)
    except CallError as error:
        raise UsageError(str(error)) from error


def _share(text: str | None) -> Fraction:
    if text is None:
        return Fraction(0)
    try:
        return parse_share(text, "--recount")
    except DefinitionError as error:
        raise UsageError(str(error)) from error


def _record(
    announcements: Sequence[Announcement],
    office: Office,
    contest: str | None,
    issuer: str | None,
    key: Path | None,
    address: str | None,
    trust: Trust,
) -> list[int]:
    """Sign the announcements as claims and record them; the log indexes. Raises PolicyError for what a service would refuse."""
    signer = issuer or officer(1)
    if key is None and signer not in {officer(number) for number in office.officers()}:
        raise UsageError(f"the key of {signer} is not kept in {office.folder}: name its file with --key")
    signing = office.key_of(signer) if key is None else load_key(key)
    election = office.election
    contests = election.contests
    named = [replace(one, contest=contests[choose_contest(contests, one, contest)].id) for one in announcements]
    statements = [sign_statement(to_statement(one, election.hash), signer, signing) for one in named]
    if address is not None:
        receipts = submit_statements(statements, address, office.log_signer().verifier, trust=trust)
        return [receipt.index for receipt in receipts]
    try:
        log = office.open_log()
    except StoreError as error:
        raise StoreError(f"{error}. While a service writes this log, send to it: --to URL") from error
    try:
        policy = Policy(election)
        for entry in log.entries(1):
            if not is_tally_sheet(entry):
                policy.apply(parse_statement(entry))
        for statement in statements:
            policy.check(statement)
        return [receipt.index for receipt in log.append(statements)]
    finally:
        log.close()


def _print(examination: Examination, *, arithmetic: bool) -> None:
    console = plain_console()
    for examined in examination.examined:
        announcement = examined.announcement
        console.print(Text(heading(announcement), "bold"), soft_wrap=True)
        _print_line(console, Line(f"Source: {announcement.source}"))
        console.print(_table(announcement))
        for answer in examined.answers:
            for line in answer_lines(answer, arithmetic=arithmetic):
                _print_line(console, line)
        console.print()
    for between in examination.between:
        console.print(Text(title(examination, between), "bold"), soft_wrap=True)
        for line in answer_lines(between.answer, arithmetic=arithmetic):
            _print_line(console, line)
        console.print()
    _print_line(console, Line(CAUTION))


def _print_line(console: Console, line: Line) -> None:
    """A line, indented; wrapped below its own beginning where somebody reads it, and whole where a program does."""
    text = Text(line.text, "bold" if line.heading else "")
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, _INDENT * line.depth)))
    else:
        console.print(Text(" " * _INDENT * line.depth) + text, soft_wrap=True)


def _table(announcement: Announcement) -> Table:
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("As announced", overflow="fold")
    shown.add_column("Votes", justify="right")
    shown.add_column("Share", justify="right")
    for row in table(announcement):
        shown.add_row(*row)
    return shown
