"""`serve`, `sign` and `submit`: how signed statements reach the log."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from scrutineer.cli.office import DEFINITION_FILE, RECORD, Office
from scrutineer.cli.sheet_table import read_sheets
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.cli.statement_files import read_statements, write_statements
from scrutineer.election import Definition, station_issuer
from scrutineer.election.definition import BASELINE_TABLE, REGISTER_TABLE, UNITS_TABLE
from scrutineer.errors import UsageError
from scrutineer.intake import Address, ElectionFiles, Progress, Refused, Registered, Service, submit
from scrutineer.log import LogVerifier, SqliteStore
from scrutineer.log.log import Log
from scrutineer.statements import parse_statement, sign_statement

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.command("serve")
@_folder
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="Port of the intake; 0 takes a free one."
)
@click.option("--checkers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that check signatures.")
@click.option("--site", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Serve this published site too.")
@click.option("--site-port", type=click.IntRange(0, 65535), default=8471, show_default=True, help="Port of the site.")
def serve_command(folder: Path, host: str, port: int, checkers: int, site: Path | None, site_port: int) -> None:
    """Run the intake service of the election in DIR.

    Takes signed statements at POST /entries (SCRAPI) and answers with a receipt once the statement is durable, sequenced and
    integrated in the log. Stop it with Ctrl-C or SIGTERM: what is under way is finished first. Killed at any moment, it
    loses nothing that it acknowledged.

    With --site, a process of its own serves the published files on a port of its own, so that readers never slow intake.
    """
    office = Office.load(folder)
    record = folder / RECORD
    baseline = None if office.baseline_table is None else record / BASELINE_TABLE
    files = ElectionFiles(record / DEFINITION_FILE, record / UNITS_TABLE, record / REGISTER_TABLE, baseline)
    store = SqliteStore.open(office.log_path)
    with contextlib.ExitStack() as stack:
        stack.callback(store.close)
        with progress_display() as progress:
            log = Log.open(store, office.log_signer(), progress=lambda done, total: progress("Reading the log", done, total))
        if site is not None:
            stack.enter_context(_site_server(site, host, site_port))
        Service(
            log,
            files,
            host=host,
            port=port,
            checkers=checkers,
            housekeeping=store.checkpoint_wal,
            ready=_announce,
            progress=_Report(),
        ).run()


class _Report:
    """Prints what the service did, once in a while and only when something changed."""

    def __init__(self) -> None:
        self._last = 0
        self._beats = 0

    def __call__(self, now: Progress) -> None:
        self._beats += 1
        if now.size == self._last or self._beats % 10:
            return
        self._last = now.size
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(now.counts.items()))
        click.echo(f"log size {now.size:,}; since the start {counts}", err=True)


def _announce(address: Address) -> None:
    click.echo(f"Intake at {address.url}")
    sys.stdout.flush()


@contextlib.contextmanager
def _site_server(site: Path, host: str, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "scrutineer.cli.site_server", str(site), host, str(port)]
    # Our end of its standard input tells it that we live; it says one line once it listens.
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        line = server.stdout.readline() if server.stdout is not None else ""
        if not line:
            server.wait()
            raise UsageError("the published site cannot be served: the line above says why")
        click.echo(line.rstrip())
        yield
    finally:
        server.terminate()
        server.wait()


@click.command("sign")
@_folder
@click.argument("table", metavar="TABLE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="File to write.")
def sign_command(folder: Path, table: Path, target: Path) -> None:
    """Sign the tally sheets in TABLE with the keys of their stations.

    TABLE is a CSV file with the columns station, contest, one votes:<option> for each option, and where known blank, null,
    cast, voters, roll and time. An empty cell is unknown, which is not zero. For stations whose keys were made by
    `scrutineer open`; a station with a device of its own signs there.
    """
    office = Office.load(folder)
    seed = office.stations_seed()

    def signed() -> Iterator[bytes]:
        for sheet in read_sheets(table, office.election):
            issuer = station_issuer(sheet.station)
            yield sign_statement(sheet, issuer, seed.derive(issuer))

    statements = list(signed())
    click.echo(f"Signed {write_statements(target, statements):,} tally sheets: {target}")


@click.command("submit")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "address", required=True, metavar="URL", help="Address of the intake service.")
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The election's definition (definition.cose), whose log keys every receipt is checked with.",
)
@click.option(
    "--journal", type=click.Path(path_type=Path), metavar="FILE", help="Where receipts are remembered.  [default: FILE.receipts]"
)
@click.option("--connections", type=click.IntRange(1, 1024), default=64, show_default=True)
@json_option
def submit_command(
    files: tuple[Path, ...], address: str, definition: Path | None, journal: Path | None, connections: int, as_json: bool
) -> None:
    """Register the signed statements in FILE... with the intake service at URL.

    Every receipt is checked before its statement counts as registered. Receipts are remembered beside the first FILE, so
    the same command after an interruption sends only what is left. Sending anything twice is harmless: the log recognises
    it and gives the same receipt.
    """
    verifier = _log_keys(definition or _find_definition(files[0]))
    statements = [statement for path in files for statement in read_statements(path)]
    refusals: list[Refused] = []
    done: list[Registered] = []
    with progress_display(as_json) as progress:
        submit(
            statements,
            address,
            verifier,
            registered=done.append,
            refused=refusals.append,
            connections=connections,
            journal=journal or files[0].with_name(files[0].name + ".receipts"),
            progress=lambda sent, total: progress("Submitting", sent, total),
        )
    refusals.sort()
    if as_json:
        refused = [{"statement": position, "code": problem.code, "detail": problem.detail} for position, problem in refusals]
        print_json({"registered": len(done), "refused": refused})
    else:
        click.echo(f"{len(done):,} statements are in the log; every receipt was checked.")
        for position, problem in refusals[:20]:
            click.echo(f"  statement {position}: refused ({problem.code}): {problem.detail}")
        if refusals:
            click.echo(f"{len(refusals):,} statements were refused.")
    if refusals:
        raise click.exceptions.Exit(1)


def _find_definition(beside: Path) -> Path:
    folder = beside.resolve().parent
    for candidate in (
        folder / DEFINITION_FILE,
        folder / RECORD / DEFINITION_FILE,
        folder / "election" / RECORD / DEFINITION_FILE,
    ):
        if candidate.is_file():
            return candidate
    raise UsageError(
        "receipts are checked with the log's keys, which the definition names: pass --definition definition.cose "
        "(it is in the election folder's record/, and in definition/ of a published site)"
    )


def _log_keys(path: Path) -> LogVerifier:
    statement = parse_statement(path.read_bytes())
    if not isinstance(statement.payload, Definition):
        raise UsageError(f"{path} is a {statement.kind}: pass the definition of the election")
    keys = statement.payload.log.keys
    if len(keys) != 2:
        raise UsageError(f"{path} names {len(keys)} keys of the log, and two are needed")
    return LogVerifier.from_vkeys(*keys)
