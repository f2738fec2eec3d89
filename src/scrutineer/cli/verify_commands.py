"""`verify`: the check of a published record that anyone can make."""

import contextlib
import dataclasses
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import click

from scrutineer.ballots.engines import ProcessPool
from scrutineer.ballots.spread_check import spread
from scrutineer.cli.mirror_commands import definition_hash, is_address, mirror_once, print_sources, sources_json
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.copy import copy_site
from scrutineer.verify.mirror import SITE, MirrorRound
from scrutineer.verify.replay import verify_site
from scrutineer.verify.report import Extent

_SHOWN: Final = 50
"""Findings printed for people; all of them are in the JSON."""


@click.command("verify")
@click.argument("sites", metavar="SITE-or-URL...", nargs=-1, required=True)
@click.option("--definition", "definition", metavar="HASH", help="Hash of the definition, from a source that you trust.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Threads that check signatures.")
@click.option("--copy-to", type=click.Path(path_type=Path), metavar="DIR", help="Keep the copy of a URL here, and resume it.")
@click.option(
    "--ballots",
    type=click.Choice(["all", "sample", "none"]),
    default="all",
    show_default=True,
    help="Encrypted ballots whose proofs are checked; a sample is of about 1,000, drawn anew each time.",
)
@json_option
def verify_command(
    sites: tuple[str, ...], definition: str | None, threads: int, copy_to: Path | None, ballots: Extent, as_json: bool
) -> None:
    """Replay everything that was published at SITE-or-URL, and say PASS, or exactly what is wrong.

    Of several URLs whichever answers is used; one that lags, or shows what does not fit, is named.

    Checks every signature, rebuilds the log's tree, replays the count, and compares every published file, every bulletin and
    the certificate with what comes out. Where ballots were encrypted, checks their proofs and holds the decrypted totals against
    the signed sheets. Trusts nothing but the hash of the definition: give it with --definition, from a
    source that you trust (a newspaper, a party, an observer mission). Without it, you are shown the hash and asked.

    Exit status 0 for PASS, 1 for anything else.
    """
    expected = definition_hash(definition) if definition is not None else None
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(progress_display(as_json))
        kept = copy_to or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scrutineer-")))
        mirrored = mirror_once(sites, kept, expected, progress) if len(sites) > 1 else None
        if mirrored is not None and mirrored.checkpoint is None:
            _give_up(mirrored, as_json)
        source = FolderSource(kept / SITE) if mirrored is not None else _source(sites[0], kept, progress)
        with no_garbage_collection():
            report = verify_site(
                source, definition=expected, threads=threads, ballots=ballots, engine=spread(ProcessPool()), progress=progress
            )
    if expected is None and report.passed and not as_json and sys.stdin.isatty():
        click.echo(f"This site's definition has the hash\n  {report.definition}")
        report.definition_expected = click.confirm("Is that the hash that you know from elsewhere?")
    sources = {} if mirrored is None else sources_json(mirrored)
    if as_json:
        print_json(report_json(report) | sources)
    else:
        print_report(report)
        if mirrored is not None:
            print_sources(mirrored)
    if not report.passed or (mirrored is not None and not mirrored.good):
        raise click.exceptions.Exit(1)


def _give_up(mirrored: MirrorRound, as_json: bool) -> NoReturn:
    """None of several sources gave anything that could be verified."""
    if as_json:
        print_json({"passed": False} | sources_json(mirrored))
    else:
        print_sources(mirrored)
        click.echo("FAIL: none of these addresses gave a site that could be verified.")
    raise click.exceptions.Exit(1)


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Pause the collector of reference cycles: a replay makes millions of small values and no cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def print_report(report: Report) -> None:
    """The outcome of a verification for people."""
    if report.election:
        click.echo(report.election)
        click.echo(report.provenance)
    for finding in report.findings[:_SHOWN]:
        click.echo(f"  {finding}")
    more = len(report.findings) + report.dropped - _SHOWN
    if more > 0:
        click.echo(f"  and {more:,} more findings (--json lists them)")
    if not report.passed:
        click.echo(f"FAIL: {_why_failed(report)}")
        return
    click.echo(
        f"{report.statements:,} statements ({report.sheets:,} tally sheets), {report.bulletins:,} bulletin(s), "
        f"{report.certificates:,} certificate(s), {report.files:,} files; log {report.origin} at size {report.size:,}, "
        f"root {report.root}."
    )
    for sentence in report.ballots.sentences() if report.ballots is not None else ():
        click.echo(sentence)
    if report.audits:
        click.echo(f"Audits: {report.audits:,} computed again, from plan to report.")
    for note in report.audit_notes:
        click.echo(note)
    if report.witnesses is not None:
        click.echo(f"Witnesses: {report.witnesses.sentence}.")
    else:
        click.echo("The definition names no witnesses: whether everybody is shown this log, its own signature alone cannot tell.")
    click.echo("PASS: every signature, total and file is what the log gives.")
    if not report.definition_expected:
        click.echo(
            f"This holds for the election whose definition has the hash\n  {report.definition}\n"
            "Compare that hash with a source that you trust, or pass it with --definition."
        )


def _why_failed(report: Report) -> str:
    if any(finding.check != "witnesses" for finding in report.findings) or report.dropped or not report.findings:
        return "what was published is not what the record gives."
    if report.complete:
        return "everything is what the log gives, but the cosignatures of its head are not what the definition demands."
    return "the cosignatures of the head are not what the definition demands; nothing further was checked."


def report_json(report: Report) -> dict[str, object]:
    """The outcome of a verification for programs."""
    return {
        "passed": report.passed,
        "definition": report.definition,
        "definition_expected": report.definition_expected,
        "election": report.election,
        "provenance": report.provenance,
        "origin": report.origin,
        "size": report.size,
        "root": report.root,
        "witnesses": None
        if report.witnesses is None
        else {
            "needed": report.witnesses.needed,
            "cosigned": list(report.witnesses.cosigned),
            "missing": list(report.witnesses.missing),
        },
        "pending": report.pending,
        "ballots": None if report.ballots is None else dataclasses.asdict(report.ballots),
        "statements": report.statements,
        "sheets": report.sheets,
        "bulletins": report.bulletins,
        "certificates": report.certificates,
        "audits": report.audits,
        "audit_notes": report.audit_notes,
        "files": report.files,
        "findings": [{"check": f.check, "where": f.where, "message": f.message} for f in report.findings],
        "findings_dropped": report.dropped,
    }


def _source(site: str, kept: Path, progress: Progress) -> FolderSource:
    if not is_address(site):
        return FolderSource(Path(site))
    return copy_site(site, kept, progress=progress)
