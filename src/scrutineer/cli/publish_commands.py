"""`publish` and `verify`: the public record, and the check that anyone can make of it."""

import contextlib
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click

from scrutineer.cli.cosigning import without_option, witness_option
from scrutineer.cli.kept_history import keep_snapshot, kept_history
from scrutineer.cli.mirror_commands import definition_hash, is_address, mirror_once, print_sources, sources_json
from scrutineer.cli.office import RECORD, Office, now
from scrutineer.cli.published_head import PublishedHead, head_to_publish, newest_cosigned
from scrutineer.cli.service_status import write_published
from scrutineer.cli.show import Progress, json_option, print_json, progress_display, silent
from scrutineer.count import Count
from scrutineer.errors import PublicationError
from scrutineer.log import Log
from scrutineer.portal.publish import PublicationSummary, publish, publish_pending
from scrutineer.portal.record import Pages, Record, SiteOptions, default_options
from scrutineer.verify import FolderSource, Report, copy_site, verify_site
from scrutineer.verify.mirror import SITE, MirrorRound

_SHOWN = 50
"""Findings printed for people; all of them are in the JSON."""


@click.command("publish")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", "site", metavar="SITE", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--pages",
    type=click.Choice(["stations", "units", "none"]),
    help="Which places have pages: every station, the units above them (stations are rows there), or none (figures are in the "
    "data files alone).  [default: stations, and units above 100,000 of them]",
)
@witness_option
@without_option
@click.option("--pending", is_flag=True, help="Where no head has the quorum yet, publish the log's files alone, as pending.")
@json_option
def publish_command(
    folder: Path,
    site: Path,
    pages: Pages | None,
    witnesses: tuple[str, ...],
    without: tuple[str, ...],
    pending: bool,
    as_json: bool,
) -> None:
    """Write the static site of the election in DIR to the folder SITE.

    The site holds the log (C2SP tiles and checkpoint), the definition, the results as CSV, Parquet and NIST JSON, and plain
    pages that work without JavaScript. Any web server or object store can serve it. Publish again at any time: only what
    changed is written. A service may be running meanwhile.

    Where the definition names witnesses, the site shows the newest head that carries their quorum. They are asked for the log's
    newest head; if they do not give the quorum, the site stays at the last head that has it, and the newer one is published as
    log/checkpoint.pending. Without any such head nothing is published, or with --pending the log's files without any result.
    """
    office = Office.load(folder)
    before = newest_cosigned(office, site)
    with progress_display(as_json) as progress:
        log = office.sign_log(progress=lambda done, total: progress("Reading the log", done, total))
        try:
            progress("Asking the witnesses", 0, 1)
            head = head_to_publish(office, log, before, witnesses, without)
            progress("Asking the witnesses", 1, 1)
            summary = publish_log(office, log, site, pages=pages, progress=progress, head=head, pending=pending)
        finally:
            log.close()
        newest = log.size
    if head.cosigned:
        write_published(folder / RECORD, site, summary.size, now())
    if as_json:
        print_json(
            {
                "size": summary.size,
                "files": summary.files,
                "written": summary.written,
                "bytes": summary.bytes,
                "witnesses": _witnesses_json(head, newest),
            }
        )
        return
    what = "Published log size" if head.cosigned else "Published as pending, without any result: log size"
    click.echo(f"{what} {summary.size:,}: {summary.files:,} files, {summary.written:,} of them new or changed.")
    if head.words:
        click.echo(f"Witnesses: {head.words}.")
    if head.pending is not None:
        click.echo(f"The log's newest head of {newest:,} entries is pending and stands in log/checkpoint.pending alone.")
    if not head.cosigned:
        return
    click.echo(f"Open {site / 'index.html'}, or check it: scrutineer verify {site} --definition {office.election.hash.hex()}")


@click.command("verify")
@click.argument("sites", metavar="SITE-or-URL...", nargs=-1, required=True)
@click.option("--definition", "definition", metavar="HASH", help="Hash of the definition, from a source that you trust.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Threads that check signatures.")
@click.option("--copy-to", type=click.Path(path_type=Path), metavar="DIR", help="Keep the copy of a URL here, and resume it.")
@json_option
def verify_command(sites: tuple[str, ...], definition: str | None, threads: int, copy_to: Path | None, as_json: bool) -> None:
    """Replay everything that was published at SITE-or-URL, and say PASS, or exactly what is wrong.

    Of several URLs whichever answers is used; one that lags, or shows what does not fit, is named.

    Checks every signature, rebuilds the log's tree, replays the count, and compares every published file, every bulletin and
    the certificate with what comes out. Trusts nothing but the hash of the definition: give it with --definition, from a
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
            report = verify_site(source, definition=expected, threads=threads, progress=progress)
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


def publish_office(
    office: Office, site: Path, *, pages: Pages | None = None, progress: Progress | None = None
) -> PublicationSummary:
    """Publish an opened election folder. Raises PublicationError where the site cannot be written."""
    tell = progress or silent
    before = newest_cosigned(office, site)
    log = office.sign_log(progress=lambda done, total: tell("Reading the log", done, total))
    try:
        return publish_log(office, log, site, pages=pages, progress=tell, head=head_to_publish(office, log, before))
    finally:
        log.close()


def publish_log(
    office: Office,
    log: Log,
    site: Path,
    *,
    pages: Pages | None,
    progress: Progress,
    count: Count | None = None,
    head: PublishedHead | None = None,
    pending: bool = False,
) -> PublicationSummary:
    """Publish from a log that is open already; `count` is the count up to the head, for those who have it.

    Raises PublicationError where no head carries the quorum that the definition demands, unless `pending` is wanted.
    """
    shown = head or head_to_publish(office, log, newest_cosigned(office, site))
    if not shown.cosigned and not pending:
        raise PublicationError(
            f"no head of this log carries the quorum of its witnesses yet, and so nothing is published ({shown.words}); with "
            "--pending the log's files are published, without any result"
        )
    if count is None or count.size != shown.head.size:
        count = office.count(log, shown.head.size, progress)
    options = (
        default_options(office.election.units.station_count)
        if pages is None
        else SiteOptions(pages, "stations" if pages == "stations" else "units")
    )
    record = Record(
        election=office.election,
        count=count,
        definition=office.definition,
        units_table=office.units_table,
        register_table=office.register_table,
        baseline_table=office.baseline_table,
        shapes_table=office.shapes_table,
        checkpoint=shown.checkpoint,
        head=shown.head,
        tree=log.tree,
        verifier=log.verifier,
        entry=log.entry,
        options=options,
        pending=shown.pending,
        history=kept_history(office, log, shown.head.size) if shown.cosigned else (),
    )
    write = publish if shown.cosigned else publish_pending
    summary = write(record, log.entries, office.log_signer(), site, lambda done, total: progress("Publishing", done, total))
    if shown.cosigned:
        keep_snapshot(office, record.snapshots[-1])
    return summary


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
        "statements": report.statements,
        "sheets": report.sheets,
        "bulletins": report.bulletins,
        "certificates": report.certificates,
        "files": report.files,
        "findings": [{"check": f.check, "where": f.where, "message": f.message} for f in report.findings],
        "findings_dropped": report.dropped,
    }


def _source(site: str, kept: Path, progress: Progress) -> FolderSource:
    if not is_address(site):
        return FolderSource(Path(site))
    return copy_site(site, kept, progress=progress)
