"""`serve`: the intake service of an election, and its published files beside it."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from scrutineer.cli.cosigning import cosigning_of, without_option, witness_option
from scrutineer.cli.office import DEFINITION_FILE, INCIDENTS, RECORD, Office
from scrutineer.cli.service_status import StatusWriter
from scrutineer.cli.show import progress_display
from scrutineer.election.definition import BASELINE_TABLE, REGISTER_TABLE, UNITS_TABLE
from scrutineer.errors import ScrutineerError, UsageError
from scrutineer.http import Address, Tls
from scrutineer.intake import ElectionFiles, Progress, Service
from scrutineer.intake.gate import StationGate
from scrutineer.intake.incidents import IncidentRecord
from scrutineer.intake.sequencer import FOLLOWS, LEADS, Recorder
from scrutineer.intake.service import Intake
from scrutineer.log import SqliteStore
from scrutineer.log.log import Log
from scrutineer.log.log import Progress as LogProgress
from scrutineer.log.mark import refuse_fork
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.portal.formats import CHECKPOINT_FILE

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _file_option(name: str, variable: str, text: str) -> Callable[[_Command], _Command]:
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.option(name, variable, type=kind, metavar="FILE", help=text)


@click.command("serve")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="Port of the intake; 0 takes a free one."
)
@click.option(
    "--store",
    "store_url",
    metavar="URL",
    help="postgresql:// address of the log, for several services at once.  [default: where `store migrate` put it]",
)
@click.option(
    "--proxy",
    "proxies",
    metavar="NETWORK",
    multiple=True,
    help="Believe what a proxy in this network, such as 10.0.0.0/8, says of its clients' addresses; repeatable.",
)
@click.option("--checkers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that check signatures.")
@_file_option("--tls-certificate", "certificate", "Certificate chain (PEM); with --tls-key, intake speaks https.")
@_file_option("--tls-key", "key", "Private key of that certificate (PEM).")
@_file_option("--client-authority", "authority", "Only clients with a certificate of these authorities (PEM) may connect.")
@witness_option
@without_option
@click.option("--site", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Serve this published site too.")
@click.option("--site-port", type=click.IntRange(0, 65535), default=8471, show_default=True, help="Port of the site.")
@click.option("--control", "control_port", type=click.IntRange(0, 65535), metavar="PORT", help="Run the control room there too.")
@click.option("--control-host", default="127.0.0.1", show_default=True, help="Address that the control room listens on.")
@click.option("--control-origin", metavar="URL", help="Where officers open it.  [default: http://localhost:PORT]")
def serve_command(
    folder: Path,
    host: str,
    port: int,
    store_url: str | None,
    proxies: tuple[str, ...],
    checkers: int,
    certificate: Path | None,
    key: Path | None,
    authority: Path | None,
    witnesses: tuple[str, ...],
    without: tuple[str, ...],
    site: Path | None,
    site_port: int,
    control_port: int | None,
    control_host: str,
    control_origin: str | None,
) -> None:
    """Run the intake service of the election in DIR.

    Takes signed statements at POST /entries (SCRAPI) and answers with a receipt once the statement is durable, sequenced and
    integrated in the log. Stop it with Ctrl-C or SIGTERM: what is under way is finished first. Killed at any moment, it
    loses nothing that it acknowledged.

    What is refused is counted by kind and network in DIR/incidents, and summed up each hour in a signed statement of its own
    (`scrutineer incidents DIR` shows it).

    Where the definition names witnesses, they are asked once a second to cosign the newest head. Intake does not wait for
    them. One that says that it has cosigned another history is an alarm; a quorum of those stops the service.

    With the log in PostgreSQL, any number of these services may run, on one machine or on several: one of them leads, and
    another takes over when it is gone. While the database cannot be reached they wait for it, and say so.

    With --site, a process of its own serves the published files on a port of its own, so that readers never slow intake. With
    --control, another one runs the control room for officers (`scrutineer control --help`).
    """
    office = Office.load(folder)
    tls = _tls(certificate, key, authority)
    place = _Place(office, store_url or office.store_url())
    cosigning = cosigning_of(office, witnesses, without, _say, leads=place.leads)
    # Before the log: another process may publish more of it meanwhile.
    published = None if site is None else _published(site)
    with contextlib.ExitStack() as stack:
        with progress_display() as progress:
            log = stack.enter_context(place.open(lambda done, total: progress("Reading the log", done, total)))
        if published is not None:
            # Nobody goes on with a log that is not the continuation of what readers are shown.
            refuse_fork(log, published, str(site))
        if site is not None:
            stack.enter_context(_site_server(site, host, site_port))
        if control_port is not None:
            stack.enter_context(_control_room(folder, control_host, control_port, control_origin, store_url))
        if cosigning is not None:
            cosigning.before(log)
        status = StatusWriter(folder / RECORD, log, cosigning, store=place.where, name=place.name(port))
        incidents = IncidentRecord.open(folder / INCIDENTS / place.name(port), office.election.hash, warn=_say)
        stack.callback(incidents.close)

        def ready(address: Address) -> None:
            click.echo(f"Intake at {address.url}")
            sys.stdout.flush()
            status.listening(address.url)

        def progressed(now: Progress) -> None:
            place.role = now.role
            status(now)
            report(now)

        report = _Report()
        service = Service(
            log,
            _files(office),
            host=host,
            port=port,
            checkers=checkers,
            tls=tls,
            proxies=proxies,
            gate=StationGate.of(office.election),
            recorder=place.recorder,
            note=incidents.note,
            beside=[incidents.companion(office.operator_signature()), *([] if cosigning is None else [cosigning])],
            housekeeping=place.keep,
            ready=ready,
            progress=progressed,
        )
        try:
            service.run()
        except ScrutineerError as error:
            status.stopped(str(error))
            raise
        status.stopped()


class _Place:
    """Where the log of a service is: in its file, which this process has to itself, or in a database shared with others."""

    def __init__(self, office: Office, url: str | None) -> None:
        self.where = str(office.log_path)
        """In words without secrets."""
        self.recorder: Callable[[Intake], Recorder] | None = None
        self.role = FOLLOWS if url else LEADS
        self._office = office
        self._url = url
        self._mark = office.mark()
        self._settle: Callable[[], object] = lambda: None

    def name(self, port: int) -> str:
        """What tells the services of one folder apart; empty for the only one."""
        return f"port-{port}" if self._url else ""

    def leads(self) -> bool:
        """Whether this process writes the log now."""
        return self.role == LEADS

    def keep(self) -> None:
        """Once a second, off the way of acknowledgements."""
        self._settle()
        self._mark.sync()

    @contextlib.contextmanager
    def open(self, progress: LogProgress) -> Iterator[Log]:
        """The log, for as long as the block lasts."""
        signer = self._office.log_signer()
        if self._url is not None:
            # The driver is an extra, and takes its time to load.
            from scrutineer.intake.group import Group

            with contextlib.closing(Group.open(self._url, signer, mark=self._mark, progress=progress)) as group:
                self.where, self.recorder = group.where, group.recorder(_say)
                yield group.log
            return
        store = SqliteStore.open(self._office.log_path)
        with contextlib.closing(store):
            self._settle = store.checkpoint_wal
            with contextlib.closing(Log.open(store, signer, mark=self._mark, progress=progress)) as log:
                yield log


def _files(office: Office) -> ElectionFiles:
    record = office.folder / RECORD
    baseline = None if office.baseline_table is None else record / BASELINE_TABLE
    return ElectionFiles(record / DEFINITION_FILE, record / UNITS_TABLE, record / REGISTER_TABLE, baseline)


def _tls(certificate: Path | None, key: Path | None, authority: Path | None) -> Tls | None:
    if certificate is not None and key is not None:
        return Tls(certificate, key, authority)
    if certificate is None and key is None and authority is None:
        return None
    raise UsageError("TLS needs --tls-certificate and --tls-key together; --client-authority comes on top of them")


def _published(site: Path) -> bytes | None:
    """The checkpoint that readers of a site are shown; None where there is none yet. Raises UsageError."""
    path = site / CHECKPOINT_FILE
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_SIZE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def _say(line: str) -> None:
    click.echo(line, err=True)


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
        click.echo(f"log size {now.size:,}" + (f"; since the start {counts}" if counts else ""), err=True)


@contextlib.contextmanager
def _site_server(site: Path, host: str, port: int) -> Iterator[None]:
    command = ["scrutineer.cli.site_server", str(site), host, str(port)]
    with _beside(command, "the published site"):
        yield


@contextlib.contextmanager
def _control_room(folder: Path, host: str, port: int, origin: str | None, store_url: str | None) -> Iterator[None]:
    command = ["scrutineer", "control", str(folder), "--host", host, "--port", str(port), "--with-parent"]
    for option, value in (("--origin", origin), ("--store", store_url)):
        command += [option, value] if value is not None else []
    with _beside(command, "the control room"):
        yield


@contextlib.contextmanager
def _beside(command: list[str], what: str) -> Iterator[None]:
    """A process of its own for as long as the block lasts. Raises UsageError where it ends before it listens.

    The intake goes on without it: should it end later, that is said once.
    """
    # Our end of its standard input tells it that we live; it says one line once it listens.
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    wanted = threading.Event()

    def told_of_end() -> None:
        status = server.wait()
        if not wanted.is_set():
            _say(f"{what} has ended (status {status}), and the intake goes on without it: start it again as a command of its own")

    try:
        line = server.stdout.readline() if server.stdout is not None else ""
        if not line:
            server.wait()
            raise UsageError(f"{what} cannot be run: the line above says why")
        click.echo(line.rstrip())
        threading.Thread(target=told_of_end, daemon=True).start()
        yield
    finally:
        wanted.set()
        server.terminate()
        server.wait()
