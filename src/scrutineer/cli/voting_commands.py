"""`station vote` and what poll workers do beside it: the voting machine of a station."""

import contextlib
import os
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from scrutineer import __version__
from scrutineer.cli.listening import end_with_parent
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.errors import PolicyError, StoreError, UsageError
from scrutineer.language import LANGUAGES
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting import running
from scrutineer.station.voting.board_web import board_app, board_code
from scrutineer.station.voting.closing import Closing, read_closing
from scrutineer.station.voting.day import PollDay
from scrutineer.station.voting.kiosk import Kiosk, KioskSettings
from scrutineer.station.voting.kiosk_web import kiosk_app
from scrutineer.station.voting.people import Pair, Person, read_private_key
from scrutineer.station.voting.place import PRINTED, Place, software_fingerprint
from scrutineer.station.voting.printer import CommandPrinter, FolderPrinter, Printer
from scrutineer.station.voting.readable import names_of
from scrutineer.station.voting.secrecy import forbid_core_dumps
from scrutineer.station.voting.tally_paper import closing_words
from scrutineer.station.words import counted

KIOSK_PORT: Final = 8480
BOARD_PORT: Final = 8481
HOST: Final = "127.0.0.1"
_CONNECTIONS: Final = 64
_LAST_SECONDS: Final = 2

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
_keys = click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="PEM",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A poll worker's own key; give it twice, for two people. A passphrase is asked for.",
)


@click.command("voting-init")
@_folder
@click.option(
    "--from",
    "published",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where ballots.json and register.csv lie as they were published with the definition.",
)
@click.option("--device", default="", metavar="TEXT", help="How the record names this machine.  [default: STATION/1]")
@json_option
def voting_init_command(folder: Path, published: Path, device: str, as_json: bool) -> None:
    """Make the voting machine of the station in DIR: check the trustees' keys, and take them and the register along."""
    place = Place.make(StationFolder.load(folder), published, device)
    style = place.record.manifest.style(place.machine.styles[0])
    if as_json:
        print_json(
            {
                "device": place.machine.device,
                "style": style.label,
                "keys": place.keys.extended_hash.hex(),
                "software": software_fingerprint().hex(),
            }
        )
        return
    guardians, quorum = len(place.record.guardians), place.record.quorum
    click.echo(f"{place.folder} is ready: {place.machine.device}, ballot style {style.label}.")
    click.echo(f"Trustees:  {guardians}, of whom {quorum} together decrypt the totals")
    click.echo(f"Keys:      {place.keys.extended_hash.hex()}")
    click.echo(f"Software:  {software_fingerprint().hex()}")
    click.echo(f"On election day: scrutineer station vote {folder}")


@click.command("fingerprint")
@json_option
def fingerprint_command(as_json: bool) -> None:
    """Print the fingerprint of the program as it is installed here: a SHA-256 over all of its files.

    The centre announces it. `voting-init`, the zero tape and the record of the opening show that of the station's machine, which
    has to be the same; another version or a changed file gives another one.
    """
    if as_json:
        print_json({"version": __version__, "software": software_fingerprint().hex()})
        return
    click.echo(f"Version:   {__version__}")
    click.echo(f"Software:  {software_fingerprint().hex()}")


@click.command("vote")
@_folder
@click.option("--port", type=click.IntRange(0, 65535), default=KIOSK_PORT, show_default=True, help="Port of the voter's screen.")
@click.option(
    "--board-port", type=click.IntRange(0, 65535), default=BOARD_PORT, show_default=True, help="Port of the poll workers' board."
)
@click.option("--printer", "printer", metavar="COMMAND", help="Prints voters' papers from its standard input: 'lp -d receipt'.")
@click.option("--sheet-printer", metavar="COMMAND", help="The same for zero tape and tally sheets.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(LANGUAGES),
    help="A language of the voter's screen, the first one first; may be repeated.  [default: all]",
)
@click.option(
    "--paper-language", metavar="CODE", type=click.Choice(LANGUAGES), help="Language of paper ballots.  [default: the voter's]"
)
@click.option("--site", default="", metavar="URL", help="Where the record will be published; it stands on voters' slips.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input does.")
def vote_command(
    folder: Path,
    port: int,
    board_port: int,
    printer: str | None,
    sheet_printer: str | None,
    languages: tuple[str, ...],
    paper_language: str | None,
    site: str,
    with_parent: bool,
) -> None:
    """Run the voting machine of the station in DIR: the voter's screen, and the poll workers' board on a second port.

    Both are for browsers of this machine alone. The board is opened with the link that is shown at the start. After a failure of
    power the same command goes on where it stopped, once two poll workers have enabled the machine.
    """
    forbid_core_dumps()
    station = StationFolder.load(folder)
    place = Place.load(station)
    voters, board = _listen(port, "--port"), _listen(board_port, "--board-port")
    papers = _printer(printer) or FolderPrinter(_memory_folder(place))
    with _day(place, _printer(sheet_printer)) as day:
        settings = KioskSettings(
            names_of(place.election.contests), _station_name(place), languages or LANGUAGES, paper_language or "", site
        )
        kiosk = Kiosk(day.machine, settings, papers)
        shown = running.Running(f"http://{HOST}:{board.getsockname()[1]}", board_code())
        apps: dict[int, ASGIApp] = {
            voters.getsockname()[1]: kiosk_app(kiosk),
            board.getsockname()[1]: board_app(day, shown.url, shown.code),
        }
        # The server hands the signal that ended it on; without a handler nothing below would be tidied.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            running.announce(place.folder, shown)
            click.echo(f"Voter’s screen:       http://{HOST}:{voters.getsockname()[1]}/vote")
            click.echo(f"Poll workers’ board:  {shown.link}")
            if isinstance(papers, FolderPrinter):
                click.echo(f"No --printer: each paper is {papers.file} until the voter has answered.")
            if sheet_printer is None:
                click.echo(f"No --sheet-printer: print what is in {place.folder / PRINTED}.")
            sys.stdout.flush()
            if with_parent:
                end_with_parent()
            config = uvicorn.Config(
                _by_port(apps),
                log_level="warning",
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=_LAST_SECONDS,
                limit_concurrency=_CONNECTIONS,
            )
            uvicorn.Server(config).run(sockets=[voters, board])
        finally:
            kiosk.end()
            running.withdraw(place.folder)


@click.command("open")
@_folder
@_keys
def open_command(folder: Path, keys: tuple[Path, ...]) -> None:
    """Open the voting machine: every count at zero, the zero tape made, the opening signed and queued."""
    files = _files(keys)
    place = Place.load(StationFolder.load(folder))
    if _ask(place, "open", files):
        click.echo(f"The machine is open, and every count is zero. Zero tape: {place.folder / PRINTED / 'zero-tape.pdf'}")
        return
    with _day(place) as day:
        day.open(_pair(place, files))
        click.echo(f"The machine is open, and every count is zero. Zero tape: {day.place.folder / PRINTED / 'zero-tape.pdf'}")
        click.echo(f"Start it with `scrutineer station vote {folder}`; two poll workers then enable it.")


@click.command("suspend")
@_folder
def suspend_command(folder: Path) -> None:
    """Suspend the voting machine that runs, between voters. Two poll workers enable it again."""
    place = Place.load(StationFolder.load(folder))
    running.ask(running.find(place.folder), "suspend", {"act": b"suspend"})
    click.echo(f"The machine is suspended. To go on: scrutineer station resume {folder} --key PEM --key PEM, or the board.")


@click.command("resume")
@_folder
@_keys
def resume_command(folder: Path, keys: tuple[Path, ...]) -> None:
    """Enable the voting machine that runs again: after its start, a break, or a failure of power."""
    files = _files(keys)
    place = Place.load(StationFolder.load(folder))
    running.ask(running.find(place.folder), "resume", _fields(files))
    click.echo("The machine is enabled. Look at the board for a ballot that was interrupted.")


@click.command("close")
@_folder
@_keys
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def close_command(folder: Path, keys: tuple[Path, ...], yes: bool, as_json: bool) -> None:
    """Close the voting machine: seal the ballots, sign, queue and print the tally sheets. It cannot be undone."""
    files = _files(keys)
    place = Place.load(StationFolder.load(folder))
    if not yes:
        click.confirm(f"End voting at {place.name} for good?", abort=True)
    if _ask(place, "close", files, station=place.name.encode()):
        _show_closing(place, _closed(place), as_json=as_json)
        return
    with _day(place) as day, progress_display(as_json) as progress:
        pair = _pair(place, files)
        if day.stage == "suspended":
            day.resume(pair)
        if day.stage == "active":
            day.machine.cancel()
        closing = day.close(pair, progress)
    _show_closing(place, closing, as_json=as_json)


@click.command("countersign")
@_folder
@click.option(
    "--key", "key", metavar="PEM", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The person's own key."
)
@click.option("--refuse", "reason", metavar="REASON", default="", help="Refuse to sign, for this reason, which is published.")
@click.option("--by-hand", "name", metavar="NAME", default="", help="Note that somebody without a key signed the paper.")
@click.option("--copies", type=click.IntRange(1, 40), default=1, show_default=True, help="Copies of each sheet to print.")
def countersign_command(folder: Path, key: Path | None, reason: str, name: str, copies: int) -> None:
    """Sign the tally sheets of a closed machine with one more key, or refuse to; then print them with all signatures."""
    if (key is None) == (not name):
        raise UsageError("give --key for somebody with a key, or --by-hand for somebody without")
    place = Place.load(StationFolder.load(folder))
    person = _signer(place, key) if key is not None else None
    if (place.folder / running.RUNNING_FILE).exists() and _is_running(place):
        raise UsageError("the voting program runs: sign at its board, or end it first")
    with _day(place) as day:
        if person is not None:
            day.countersign(person, reason)
        else:
            day.note(name, "refused" if reason else "by-hand", reason)
        path = day.print("tally-sheets.pdf", day.sheets(copies))
    click.echo(f"{'Refused' if reason else 'Signed'} by {person.name if person is not None else name}. Print {path} again.")


def _show_closing(place: Place, closing: Closing, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "station": place.name,
                "bundle": closing.bundle.hex(),
                "closing": closing.closing.hex(),
                "sheets": len(closing.sheets),
                "activated": closing.activated,
                "cast": closing.cast,
                "challenged": closing.challenged,
                "spoiled": closing.spoiled,
                "provisional": closing.provisional,
            }
        )
        return
    click.echo(f"Closed {place.name}: {counted(closing.cast, 'ballot')} in the box, {closing.provisional} provisional.")
    click.echo(f"Tally sheets:   {place.folder / PRINTED / 'tally-sheets.pdf'}")
    click.echo(f"Ballot record:  {place.folder / 'bundle.jsonl'}")
    click.echo(f"SHA-256:        {closing.bundle.hex()}")
    click.echo(f"Closing hash:   {closing_words(closing.closing)}")
    click.echo(f"To send: scrutineer station send {place.station.folder}")


@contextlib.contextmanager
def _day(place: Place, printer: Printer | None = None) -> Iterator[PollDay]:
    machine = place.open_machine()
    outbox = place.station.outbox()
    try:
        yield PollDay(place, machine, outbox, printer=printer)
    finally:
        machine.stop()
        outbox.close()


def _closed(place: Place) -> Closing:
    """What the program that runs has just closed."""
    closing = read_closing(place.folder)
    if closing is None:
        raise StoreError(f"{place.folder} holds no closing: look at the board")
    return closing


def _ask(place: Place, act: str, files: tuple[tuple[bytes, str], ...], **more: bytes) -> bool:
    """Let the program that runs do it; False where none runs."""
    if not (place.folder / running.RUNNING_FILE).exists() or not _is_running(place):
        return False
    running.ask(running.find(place.folder), act, {**_fields(files), **more})
    return True


def _is_running(place: Place) -> bool:
    """Whether the board answers; a program that was killed leaves its address behind."""
    host, _, port = running.find(place.folder).url.partition("://")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except (OSError, ValueError):
        return False
    return True


def _files(paths: tuple[Path, ...]) -> tuple[tuple[bytes, str], ...]:
    """Two key files with their passphrases."""
    if len(paths) != 2:
        raise UsageError("two poll workers are needed: give --key twice, each with a key of their own")
    return tuple(_file(path) for path in paths)


def _file(path: Path) -> tuple[bytes, str]:
    data = path.read_bytes()
    passphrase = click.prompt(f"Passphrase of {path}", hide_input=True, err=True) if b"ENCRYPTED" in data else ""
    return data, passphrase


def _fields(files: tuple[tuple[bytes, str], ...]) -> dict[str, bytes]:
    fields = {}
    for number, (data, passphrase) in enumerate(files, 1):
        fields[f"key-{number}"] = data
        fields[f"passphrase-{number}"] = passphrase.encode()
    return fields


def _pair(place: Place, files: tuple[tuple[bytes, str], ...]) -> Pair:
    first, second = (place.person(read_private_key(*file)) for file in files)
    return Pair(first, second)


def _signer(place: Place, key: Path) -> Person:
    try:
        return place.person(read_private_key(*_file(key)), signers=True)
    except (UsageError, PolicyError) as error:
        raise type(error)(f"{key}: {error}") from None


def _printer(command: str | None) -> Printer | None:
    if command is None:
        return None
    try:
        return CommandPrinter(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the printer's command {command!r} cannot be read ({error}): check its quotation marks") from error


def _memory_folder(place: Place) -> Path:
    """A folder for papers that, where the system has one, is in memory alone."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - the folder below it is made for its owner
        if parent and Path(parent).is_dir():
            return Path(parent) / f"scrutineer-{os.getuid()}-{place.name}"
    return Path(tempfile.gettempdir()) / f"scrutineer-{os.getuid()}-{place.name}"


def _station_name(place: Place) -> str:
    units = place.election.units
    return f"{units.names[units.position(place.name)]} ({place.name})"


def _by_port(apps: Mapping[int, ASGIApp]) -> ASGIApp:
    """One application that hands each request to the one of its port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    return app


def _listen(port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise UsageError(
            f"port {port} of this machine cannot be used ({error.strerror}): "
            f"stop the other program, or choose another with {option}"
        ) from error
