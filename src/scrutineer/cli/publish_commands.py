"""`publish`: the public record as a static site, once or again and again."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from scrutineer.ballots.engines import own_cores
from scrutineer.cli.cosigning import without_option, witness_option
from scrutineer.cli.interruption import interruption
from scrutineer.cli.office import RECORD, Office, now
from scrutineer.cli.published_head import PublishedHead
from scrutineer.cli.publishing import Choice, Published, Publisher
from scrutineer.cli.service_status import write_published
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.errors import PublicationError, StoreError
from scrutineer.language import LANGUAGES
from scrutineer.portal.audit_folder import AuditFolder
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.portal.images import ImageFolder
from scrutineer.portal.record import Pages, Translated

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


def _witnesses_json(head: PublishedHead, newest: int) -> dict[str, object] | None:
    """What is said of the witnesses; None where the definition names none."""
    if not head.words:
        return None
    pending = head.pending is not None or not head.cosigned
    return {"cosigned": head.head.size if head.cosigned else None, "pending": newest if pending else None, "words": head.words}
