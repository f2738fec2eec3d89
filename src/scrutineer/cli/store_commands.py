"""`store`: the log's store of an election folder: move it to PostgreSQL, check it, back it up, bring it back."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scrutineer.cli.office import Office
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.errors import LogError, PublicationError, UsageError
from scrutineer.log import Head, LogVerifier, SqliteStore
from scrutineer.log.audit import ReadableStore, StoreReport, audit_store
from scrutineer.log.backup import Backup, write_backup
from scrutineer.log.copy import ORIGIN, Copied, WritableStore, close_prefix, migrate, restore
from scrutineer.log.findings import Finding
from scrutineer.log.log import MOVED
from scrutineer.log.published import PublishedLog
from scrutineer.portal.formats import CHECKPOINT_FILE, HEAD_FILE, MAX_FILE_SIZE, read_head
from scrutineer.verify import FolderSource
from scrutineer.verify.mirror import SITE

if TYPE_CHECKING:
    from scrutineer.log.postgresql import PostgresqlStore

_SHOWN: Final = 50
"""Findings printed for people; all of them are in the JSON."""

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
_store = click.option(
    "--store",
    "url",
    metavar="URL",
    help="postgresql:// address of the log's database.  [default: where DIR/record/store.url says, else the file in DIR/record]",
)
_sites = click.option(
    "--site",
    "sites",
    metavar="SITE",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="A published site, or a mirror of it; repeatable.",
)


@click.group("store")
def store_command() -> None:
    """Move, check, back up and restore the log's store of an election folder.

    The store holds every statement and every signed head. It is the file DIR/record/log.db, or with --store the PostgreSQL
    database at a postgresql:// address. A password file (~/.pgpass) keeps the password out of the command line.
    """


@store_command.command("migrate")
@_folder
@click.option("--store", "url", metavar="URL", required=True, help="postgresql:// address of the log's database.")
@json_option
def migrate_command(folder: Path, url: str, as_json: bool) -> None:
    """Make the tables in a database, or bring them up to date, and move the log of DIR there.

    Where the database holds no log yet, the one in DIR/record/log.db is copied with every head and signature, so receipts stay
    the same byte for byte. Stop the service first. The file then stays as it is and is not served again: DIR/record/store.url
    says where the log is now. Interrupted, it goes on where it stopped when it is run again.
    """
    from scrutineer.log.postgresql import migrate as migrate_tables

    office = Office.load(folder)
    verifier = _verifier(office)
    applied = migrate_tables(url)
    copied, there = None, 0
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(_writing(office, url))
        here = stack.enter_context(_writing(office, None)) if office.log_path.exists() else None
        address = _address(url)
        head = target.last_head()
        if head is not None and target.meta(ORIGIN):
            there = head.size
            if here is not None and here.meta(MOVED) is None:
                close_prefix(here, target, verifier, address)
        elif here is not None:
            progress = stack.enter_context(progress_display(as_json))
            copied = migrate(here, target, verifier, address=address, mark=office.mark(), progress=progress)
    office.keep_store_url(address)
    if as_json:
        fields = _copied_json(copied) if copied is not None else {"size": there}
        print_json({"migrations": applied, "copied": copied is not None, **fields})
        return
    click.echo(f"Tables: {', '.join(applied)} applied." if applied else "The tables are up to date.")
    if copied is not None:
        resumed = f" ({copied.resumed:,} of them were there from an interrupted run)" if copied.resumed else ""
        click.echo(f"Moved {copied.size:,} entries and {copied.heads:,} signed heads{resumed}; root {copied.root.hex()}.")
        click.echo(f"Receipts stay the same. {office.log_path} is kept and not used any more; {office.folder} knows where it is.")
    elif there:
        click.echo(f"The database holds the log already, with {there:,} entries: nothing to move.")
    else:
        click.echo("The database is empty, and so is DIR: fill it with `scrutineer store restore`.")


@store_command.command("check")
@_folder
@_store
@_sites
@json_option
def check_command(folder: Path, url: str | None, sites: tuple[Path, ...], as_json: bool) -> None:
    """Read the whole store again, and say PASS, or exactly what is wrong. The service may be running meanwhile.

    Every entry is hashed, the tree rebuilt, the root and signature of every head ever signed checked, and every entry found
    that is there twice. With --site, every tile and entry bundle that was published is compared with what the store gives.
    Where an entry was changed, the entry is named with --site, and the batch that it is in without.

    Exit status 0 for PASS, 1 for anything else.
    """
    office = Office.load(folder)
    url = url or office.store_url()
    verifier = _verifier(office)
    # Before the store: what was signed later than this is not looked for.
    marked = office.mark().read(verifier)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(progress_display(as_json))
        published = [_published(site, verifier) for site in sites]
        store = stack.enter_context(_reading(office, url))
        report = audit_store(
            store,
            verifier,
            first=office.election.hash,
            sites=published,
            progress=lambda done, total: progress("Checking the store", done, total),
        )
        moved = store.meta(MOVED)
    findings = list(report.findings)
    if marked is not None and marked.size > report.size and moved is None:
        findings.append(
            Finding(
                "store",
                f"holds {report.size} entries, and {marked.size} were signed from this folder: an older copy was put back",
            )
        )
    if as_json:
        print_json(_report_json(report, findings, verifier, published))
    else:
        _print_report(report, findings, verifier, published, moved)
    if findings:
        raise click.exceptions.Exit(1)


@store_command.command("backup")
@_folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@_store
@json_option
def backup_command(folder: Path, file: Path, url: str | None, as_json: bool) -> None:
    """Write the log of DIR to the new file FILE. The service may be running meanwhile.

    The file holds the log up to the last head that was signed when the command began. It is read back and its root computed
    before it gets its name: FILE is there whole, or not at all. It can be restored into either kind of store. It has no
    private keys in it: keep a copy of DIR/keys and of the other files of DIR/record elsewhere.
    """
    office = Office.load(folder)
    url = url or office.store_url()
    verifier = _verifier(office)
    with _reading(office, url) as store, progress_display(as_json) as progress:
        summary = write_backup(
            store,
            verifier,
            file,
            written=lambda done, total: progress("Writing the backup", done, total),
            read_back=lambda done, total: progress("Reading it back", done, total),
        )
    if as_json:
        root = summary.root.hex()
        print_json({"file": str(file), "size": summary.size, "heads": summary.heads, "root": root, "bytes": summary.bytes})
        return
    click.echo(
        f"{file}: {summary.size:,} entries and {summary.heads:,} signed heads, {summary.bytes:,} bytes; read back and right."
    )
    click.echo(f"Root {summary.root.hex()}")


@store_command.command("restore")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_folder
@_store
@_sites
@click.option("--accept-loss", is_flag=True, help="Go on although more was signed than can be had. Read what it says.")
@json_option
def restore_command(file: Path, folder: Path, url: str | None, sites: tuple[Path, ...], accept_loss: bool, as_json: bool) -> None:
    """Bring the log of DIR back from the backup FILE into an empty store, and prove that nothing published is lost.

    With --site (the published site, a mirror of it, or at least its checkpoint file), what the backup lacks is taken from the
    site's entries, and the log ends at exactly the root that was published. Without, it cannot say whether something newer was
    published. A store that holds a log is never written over: move DIR/record/log.db (with -wal and -shm) away, or name
    an empty database.

    More may have been signed than the backup and the site hold. That is refused, unless --accept-loss says that the rest is
    lost for good: its receipts no longer match the log, and stations have to send again. Never use it while a newer backup,
    the old disk or another server may still be found.
    """
    office = Office.load(folder)
    verifier = _verifier(office)
    with progress_display(as_json) as progress:
        published = [(log, _head_beside(site)) for site in sites for log in [_published(site, verifier)]]
        backup = Backup(file)
        with _writing(office, url, create=True) as target:
            copied = restore(
                backup,
                target,
                verifier,
                sites=published,
                mark=office.mark(),
                accept_loss=accept_loss,
                progress=progress,
                settle=_settle(target),
            )
    office.keep_store_url(None if url is None else _address(url))
    if as_json:
        print_json(_copied_json(copied) | {"published": [_site_json(log) for log, _ in published]})
    else:
        _print_restored(copied, backup, [log for log, _ in published])


def _print_restored(copied: Copied, backup: Backup, published: list[PublishedLog]) -> None:
    click.echo(f"Restored {copied.size:,} entries and {copied.heads:,} signed heads; root {copied.root.hex()}.")
    if copied.from_site:
        click.echo(
            f"The backup ends at {backup.size:,} entries; the other {copied.from_site:,} are from what was published. Receipts "
            "that were given for them stay valid. Asked again, the log gives receipts relative to the published head "
            f"{copied.size:,}: which heads it signed between the two is not known."
        )
    for log in published:
        click.echo(
            f"Nothing is lost of what {log.where} shows: {log.checkpoint.size:,} entries, root {log.checkpoint.root.hex()}."
        )
    if not published:
        click.echo(
            f"Whether anything newer than these {copied.size:,} entries was published cannot be said from the backup alone: "
            f"run `scrutineer store check DIR --site SITE` with the published site before the service is started."
        )
    if copied.lost_to is not None:
        click.echo(
            f"LOSS ACCEPTED: {copied.lost_to:,} entries were signed from this folder, and {copied.size:,} are left. Receipts "
            f"relative to heads above {copied.size:,} no longer match the log, and witnesses that cosigned such a head will "
            "refuse to go on. Say so in public, and have stations send again whatever has such a receipt: sheets that are in "
            "the log already count once."
        )


def _print_report(
    report: StoreReport, findings: list[Finding], verifier: LogVerifier, published: list[PublishedLog], moved: bytes | None
) -> None:
    for finding in findings[:_SHOWN]:
        click.echo(f"  {finding}")
    more = len(findings) + report.dropped - _SHOWN
    if more > 0:
        click.echo(f"  and {more:,} more findings (--json lists them)")
    click.echo(
        f"{verifier.origin}: {report.size:,} entries, {report.heads:,} signed heads, root {report.root.hex()}"
        + (f"; {report.site_files:,} published files" if published else "")
    )
    if moved is not None:
        click.echo(f"This log was moved to {moved.decode(errors='replace')}; the file is only kept.")
    if findings:
        click.echo("FAIL: the store is not what the log signed.")
        return
    click.echo("PASS: every entry, the tree and every signed head hold together.")
    for log in published:
        click.echo(f"{log.where} shows the log at {log.checkpoint.size:,} entries, and every file of it is what the store gives.")


def _report_json(
    report: StoreReport, findings: list[Finding], verifier: LogVerifier, published: list[PublishedLog]
) -> dict[str, object]:
    return {
        "passed": not findings,
        "origin": verifier.origin,
        "size": report.size,
        "heads": report.heads,
        "root": report.root.hex(),
        "site_files": report.site_files,
        "published": [_site_json(log) for log in published],
        "findings": [{"where": finding.where, "message": finding.message} for finding in findings],
        "findings_dropped": report.dropped,
    }


def _site_json(log: PublishedLog) -> dict[str, object]:
    return {"site": log.where, "size": log.checkpoint.size, "root": log.checkpoint.root.hex()}


def _copied_json(copied: Copied) -> dict[str, object]:
    return {
        "size": copied.size,
        "heads": copied.heads,
        "root": copied.root.hex(),
        "resumed": copied.resumed,
        "from_site": copied.from_site,
        "lost_to": copied.lost_to,
    }


def _verifier(office: Office) -> LogVerifier:
    keys = office.election.definition.log.keys
    if len(keys) != 2:
        raise UsageError(f"the definition in {office.folder} names {len(keys)} keys of the log, and two are needed")
    return LogVerifier.from_vkeys(*keys)


def _address(url: str) -> str:
    """A database's address without its password."""
    from scrutineer.log.postgresql.server import Address

    return str(Address.parse(url))


@contextlib.contextmanager
def _reading(office: Office, url: str | None) -> Iterator[ReadableStore]:
    store: SqliteStore | PostgresqlStore
    if url is None:
        store = SqliteStore.open_reader(office.log_path)
    else:
        from scrutineer.log import postgresql

        store = postgresql.PostgresqlStore.open_reader(url)
    with contextlib.closing(store):
        yield store


@contextlib.contextmanager
def _writing(office: Office, url: str | None, *, create: bool = False) -> Iterator[WritableStore]:
    store: SqliteStore | PostgresqlStore
    if url is None:
        store = SqliteStore.open(office.log_path, create=create)
    else:
        from scrutineer.log import postgresql

        store = postgresql.PostgresqlStore.open(url, office.election.definition.log.origin, create=create)
    with contextlib.closing(store):
        yield store


def _settle(store: WritableStore) -> Callable[[], object]:
    return store.checkpoint_wal if isinstance(store, SqliteStore) else lambda: None


def _published(site: Path, verifier: LogVerifier) -> PublishedLog:
    """The log of a published site, of a mirror's folder, or of a checkpoint file alone. Raises LogError."""
    folder = _site_folder(site)
    try:
        if folder is None:
            return PublishedLog(str(site), _only_checkpoint(site), verifier)
        source = FolderSource(folder)
        return PublishedLog(str(site), lambda path, limit: source.read(f"log/{path}", limit), verifier)
    except PublicationError as error:
        raise LogError(f"{site}: {error}") from None


def _head_beside(site: Path) -> Head | None:
    """The signed head that is published beside the checkpoint; None where there is none."""
    folder = _site_folder(site)
    if folder is None or not (folder / HEAD_FILE).exists():
        return None
    return read_head(FolderSource(folder).read(HEAD_FILE, MAX_FILE_SIZE))


def _site_folder(site: Path) -> Path | None:
    if site.is_file():
        return None
    # A mirror keeps the copy that is shown in a folder of its own.
    return site / SITE if not (site / CHECKPOINT_FILE).exists() and (site / SITE).is_dir() else site


def _only_checkpoint(file: Path) -> Callable[[str, int], bytes]:
    def read(path: str, limit: int) -> bytes:
        if path != "checkpoint":
            raise PublicationError(f"{path} is not there: give the published site and not its checkpoint alone")
        try:
            with file.open("rb") as opened:
                data = opened.read(limit + 1)
        except OSError as error:
            raise PublicationError(f"cannot be read ({error.strerror})") from None
        return data[:limit]

    return read
