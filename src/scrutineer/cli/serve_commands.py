"""`serve`: the intake service of an election, and its published files beside it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from scrutineer.cli.office import DEFINITION_FILE, RECORD, Office
from scrutineer.cli.show import progress_display
from scrutineer.election.definition import BASELINE_TABLE, REGISTER_TABLE, UNITS_TABLE
from scrutineer.errors import UsageError
from scrutineer.http import Address
from scrutineer.intake import ElectionFiles, Progress, Service
from scrutineer.log import SqliteStore
from scrutineer.log.log import Log


@click.command("serve")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
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
