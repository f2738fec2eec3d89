"""`publish` and `verify`: the public record, and the check that anyone can make of it."""

import contextlib
import dataclasses
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from scrutineer.ballots.engines import ProcessPool, own_cores
from scrutineer.ballots.spread_check import spread
from scrutineer.cli.cosigning import without_option, witness_option
from scrutineer.cli.mirror_commands import (
    definition_hash,
    interruption,
    is_address,
    mirror_once,
    print_sources,
    sources_json,
)
from scrutineer.cli.office import RECORD, Office, now
from scrutineer.cli.published_head import PublishedHead
from scrutineer.cli.publishing import Choice, Published, Publisher
from scrutineer.cli.service_status import write_published
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.errors import PublicationError, StoreError
from scrutineer.language import LANGUAGES
from scrutineer.portal.audit_folder import AuditFolder
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.portal.images import ImageFolder
from scrutineer.portal.record import Pages, Translated
from scrutineer.verify import FolderSource, Report, copy_site, verify_site
from scrutineer.verify.mirror import SITE, MirrorRound
from scrutineer.verify.report import Extent

_SHOWN = 50
"""Findings printed for people; all of them are in the JSON."""
_SKIPPED = 10
"""Files named that are not published."""
BALLOTS: Final = "ballots"
"""Folder of an election folder in which stations' encrypted ballots are looked for."""
AUDITS: Final = "audits"
"""The same for audits."""


@click.command("publish")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", "site", metavar="SITE", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(1, 86_400),
    help="Publish again every so often where something is new, until interrupted.",
)
@click.option(
    "--pages",
    type=click.Choice(["stations", "units", "none"]),
    help="Which places have pages: every station, the units above them (stations are rows there), or none (figures are in the "
    "data files alone).  [default: as before; stations, and units above 1,000,000 of them]",
)
@click.option(
    "--languages",
    metavar="CODES",
    help=f"Languages of the site, the first one at its root, such as es,en.  [default: as before; {','.join(LANGUAGES)}]",
)
@click.option(
    "--translated",
    type=click.Choice(["stations", "units", "upper"]),
    help="Which places have pages in the other languages: every station, the units above them, or the upper levels.  "
    "[default: as before; stations, and upper above 2,000 of them]",
)
@click.option(
    "--images",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish the photographs and scans in FOLDER (JPEG, PNG, WebP, PDF; at most 8 MB each) whose hash a sheet or an "
    "observer's copy names. Those published before stay.",
)
@click.option(
    "--ballots",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish stations' encrypted ballots in FOLDER: bundles (.jsonl) whose SHA-256 a sheet in effect names, and what was "
    "decrypted of them (.json). Those published before stay.  [default: DIR/ballots, where it is there]",
)
@click.option(
    "--audits",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish the files of the audits in FOLDER, each in a folder of its name, as far as signed plans and reports name "
    "them. Those published before stay.  [default: DIR/audits, where it is there]",
)
@click.option("--all", "everything", is_flag=True, help="Make every page again, also where its data did not change.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that make pages.  [default: one for each processor]")
@witness_option
@without_option
@click.option("--pending", is_flag=True, help="Where no head has the quorum yet, publish the log's files alone, as pending.")
@json_option
def publish_command(
    folder: Path,
    site: Path,
    every: float | None,
    pages: Pages | None,
    languages: str | None,
    translated: Translated | None,
    images: Path | None,
    ballots: Path | None,
    audits: Path | None,
    everything: bool,
    workers: int | None,
    witnesses: tuple[str, ...],
    without: tuple[str, ...],
    pending: bool,
    as_json: bool,
) -> None:
    """Write the static site of the election in DIR to the folder SITE.

    The site holds the log (C2SP tiles and checkpoint), the definition, the results as CSV, Parquet and NIST JSON, and plain
    pages that work without JavaScript. Any web server or object store can serve it. Publish again at any time: only pages
    whose data changed are made again, and only what changed is written. What the site was given of --pages, --languages and
    --translated holds until it is given something else. A service may be running meanwhile; --every follows it and prints one
    line for each publication (with --json, one document a line).

    Where the definition names witnesses, the site shows the newest head that carries their quorum. They are asked for the log's
    newest head; if they do not give the quorum, the site stays at the last head that has it, and the newer one is published as
    log/checkpoint.pending. Without any such head nothing is published, or with --pending the log's files without any result.
    """
    office = Office.load(folder)
    codes = None if languages is None else tuple(code.strip() for code in languages.split(","))
    found = None if images is None else ImageFolder(images)
    sealed = ballots or (folder / BALLOTS if (folder / BALLOTS).is_dir() else None)
    boxes = None if sealed is None else BallotFolder(sealed)
    audited = audits or (folder / AUDITS if (folder / AUDITS).is_dir() else None)
    held = None if audited is None else AuditFolder(audited)
    choice = Choice(pages, codes, translated, workers or own_cores(), everything, found, boxes, held)
    publisher = Publisher(office, site, choice, witnesses, without)
    if every is not None:
        _keep_publishing(publisher, office, site, every, pending=pending, as_json=as_json)
        return
    with progress_display(as_json) as progress:
        done = publisher.publish(progress, pending=pending)
    head, summary = done.head, done.summary
    if summary is None:
        raise PublicationError("nothing was published")  # A publisher has nothing to skip the first time.
    _note(office, site, done)
    _say_skipped([each for one in (found, boxes, held) if one is not None for each in one.skipped])
    if as_json:
        print_json(_published_json(done))
        return
    what = "Published log size" if head.cosigned else "Published as pending, without any result: log size"
    click.echo(f"{what} {summary.size:,}: {summary.files:,} files, {summary.written:,} of them new or changed.")
    if head.words:
        click.echo(f"Witnesses: {head.words}.")
    if head.pending is not None:
        click.echo(f"The log's newest head of {done.newest:,} entries is pending and stands in log/checkpoint.pending alone.")
    if not head.cosigned:
        return
    click.echo(f"Open {site / 'index.html'}, or check it: scrutineer verify {site} --definition {office.election.hash.hex()}")


def _say_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    for name, reason in skipped[:_SKIPPED]:
        click.echo(f"scrutineer: not published: {name} ({reason})", err=True)
    if len(skipped) > _SKIPPED:
        click.echo(f"scrutineer: and {len(skipped) - _SKIPPED:,} more files", err=True)


def _keep_publishing(publisher: Publisher, office: Office, site: Path, every: float, *, pending: bool, as_json: bool) -> None:
    """Publication after publication until interrupted. What stops the first is an error; later ones are tried again."""
    first, said = True, ""
    with interruption() as interrupted:
        while not interrupted.is_set():
            began = time.monotonic()
            try:
                done = publisher.publish(pending=pending)
            except (PublicationError, StoreError) as error:
                # A full disk may have room again in a moment, and a database be back; the site that is shown stays whole.
                if first:
                    raise
                if str(error) != said:
                    click.echo(f"scrutineer: {error}", err=True)
                said = str(error)
            else:
                first, said = False, ""
                _note(office, site, done)
                _say(done, time.monotonic() - began, as_json=as_json)
            interrupted.wait(max(0.0, began + every - time.monotonic()))


def _say(done: Published, seconds: float, *, as_json: bool) -> None:
    """One line for a publication, and none where nothing was new."""
    if done.summary is None:
        return
    if as_json:
        click.echo(json.dumps(_published_json(done), ensure_ascii=False))
        return
    how = "" if done.head.cosigned else ", as pending"
    waits = f"; the head of {done.newest:,} entries is pending" if done.head.pending is not None else ""
    click.echo(
        f"Log size {done.summary.size:,}{how}: {done.summary.written:,} of {done.summary.files:,} files new or changed, "
        f"in {seconds:.1f} s{waits}."
    )


def _note(office: Office, site: Path, done: Published) -> None:
    if done.summary is not None and done.head.cosigned:
        write_published(office.folder / RECORD, site, done.summary.size, now())


def _published_json(done: Published) -> dict[str, object]:
    summary = done.summary
    if summary is None:
        return {}
    return {
        "size": summary.size,
        "files": summary.files,
        "written": summary.written,
        "bytes": summary.bytes,
        "witnesses": _witnesses_json(done.head, done.newest),
    }


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


def _witnesses_json(head: PublishedHead, newest: int) -> dict[str, object] | None:
    """What is said of the witnesses; None where the definition names none."""
    if not head.words:
        return None
    pending = head.pending is not None or not head.cosigned
    return {"cosigned": head.head.size if head.cosigned else None, "pending": newest if pending else None, "words": head.words}


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
