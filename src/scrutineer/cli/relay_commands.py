"""`relay`: take signed statements from stations and forward them to the intake service."""

import asyncio
import contextlib
import fcntl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from scrutineer.cli.office import RECORD
from scrutineer.cli.show import progress_display
from scrutineer.cli.submit_commands import log_of
from scrutineer.cli.trust_options import trust_options
from scrutineer.election.definition import BASELINE_TABLE, REGISTER_TABLE, UNITS_TABLE
from scrutineer.election.folder import ELECTION_FILE
from scrutineer.errors import StoreError, UsageError
from scrutineer.http import Address, Tls
from scrutineer.intake.lanes import Trust
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.policy import Policy
from scrutineer.station.outbox import Outbox
from scrutineer.station.relay import Limits, Relay
from scrutineer.station.relay_service import RelayService
from scrutineer.station.sender import Sender
from scrutineer.station.visit import Visit
from scrutineer.station.ways import Way

OUTBOX_FILE: Final = "outbox.sqlite"
LOCK_FILE: Final = "relay.lock"
EVIDENCE: Final = "evidence"
REPORT_EVERY: Final = 10  # seconds
_ELECTION_NOTE: Final = "election"

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("relay")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--definition", required=True, type=_file, metavar="FILE", help="The election's definition (definition.cose).")
@click.option("--to", "endpoints", multiple=True, metavar="URL", help="Address of an intake service; several are tried in turn.")
@click.option("--relay", "relays", multiple=True, metavar="URL", help="Address of another relay, for when no intake answers.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8474, show_default=True, help="Port; 0 takes a free one.")
@click.option("--tls-certificate", "certificate", type=_file, metavar="FILE", help="Certificate chain (PEM); with --tls-key.")
@click.option("--tls-key", "key", type=_file, metavar="FILE", help="Private key of that certificate (PEM).")
@click.option("--client-authority", type=_file, metavar="FILE", help="Only clients with certificates of these may connect (PEM).")
@click.option("--room", type=click.IntRange(1, 1 << 20), default=1024, show_default=True, help="MiB of statements kept at most.")
@trust_options
def relay_command(
    folder: Path,
    definition: Path,
    endpoints: tuple[str, ...],
    relays: tuple[str, ...],
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    client_authority: Path | None,
    room: int,
    trust: Trust,
) -> None:
    """Take signed statements from stations, keep them in DIR, and forward them to the intake services at URL.

    A relay holds no keys and can alter nothing: statements are signed by stations, receipts by the log, and both are checked. It
    answers "held" once a statement is on its disk, and gives the log's receipt once it has it. Killed at any moment, it loses
    nothing that it called held.

    With units.csv and register.csv beside the definition, it takes from strangers only little, so that a flood cannot fill its
    disk. Without --to, the intake services that the definition names are used. What the log refused is offered to it once
    more at each start, and when it is sent here again after the refusal was told.
    """
    if (certificate is None) != (key is None) or (client_authority is not None and certificate is None):
        raise UsageError("TLS needs --tls-certificate and --tls-key together; --client-authority comes on top of them")
    election, defined, verifier = log_of(definition)
    policy = _policy(definition)
    named = endpoints or (() if defined.transmission is None else defined.transmission.endpoints)
    ways = [Way("intake", url) for url in dict.fromkeys(named)] + [Way("relay", url) for url in dict.fromkeys(relays)]
    if not ways:
        raise UsageError("name where to forward to: --to URL (the definition names no intake service)")
    with contextlib.ExitStack() as stack:
        if (folder / ELECTION_FILE).exists() or (folder / RECORD).exists():
            raise UsageError(f"{folder} is the folder of an election: give the relay a folder of its own")
        stack.enter_context(_alone(folder))
        outbox = Outbox.open(folder / OUTBOX_FILE, create=True)
        stack.callback(outbox.close)
        _check_election(outbox, election, folder)
        again = outbox.send_again()
        with progress_display() as progress:
            limits = Limits(size=room << 20)
            relay = Relay(
                outbox, election, verifier, policy, limits, lambda done, held: progress("Reading what is held", done, held)
            )
        report = _Report(relay)
        sender = Sender(outbox, ways, verifier, folder / EVIDENCE, trust=trust, heard=report.heard)

        async def forward(new: asyncio.Event) -> None:
            await sender.run(stay=True, wake=new)

        def announce(address: Address) -> None:
            click.echo(f"Relay at {address.url}")
            click.echo("Forwards to " + ", ".join(map(str, ways)))
            if not relay.checks_signatures:
                click.echo(f"Signatures are not checked here: put {UNITS_TABLE} and {REGISTER_TABLE} beside {definition}")
            if again:
                click.echo(f"{again:,} statements that were refused are offered once more.")
            sys.stdout.flush()

        tls = None if certificate is None or key is None else Tls(certificate, key, client_authority)
        RelayService(relay, forward=forward, host=host, port=port, tls=tls, ready=announce, tick=report.tick).run()
        click.echo(report.line())


class _Report:
    """Says on the screen, once in a while and only when something changed, what is held, and how forwarding goes."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._beats = 0
        self._last = ""
        self._said: dict[Way, str] = {}

    def line(self) -> str:
        """What is held, in words."""
        tally = self._relay.outbox.tally()
        refused = f"; the log refused {tally.refused:,}" if tally.refused else ""
        return f"{tally.receipted:,} statements are in the log, with their receipts here; {tally.waiting:,} wait{refused}."

    def heard(self, way: Way, ended: Visit, pause: float) -> None:
        """Say how an attempt to forward ended, where that is news."""
        said = "" if ended.outcome == "done" else f"{way}: {ended.said}"
        if said != self._said.get(way, ""):
            self._said[way] = said
            again = f"; again in {pause:.0f} s" if pause >= 1 else ""
            _say(f"{said}{again}" if said else f"{way}: takes statements again")

    def tick(self) -> None:
        """Once a second."""
        self._beats += 1
        if self._beats % REPORT_EVERY:
            return
        turned_away = ", ".join(
            f"{count:,} {code}" for code, count in sorted(self._relay.counts.items()) if code not in ("held", "known")
        )
        line = self.line() + (f" Turned away since the start: {turned_away}." if turned_away else "")
        if line != self._last:
            self._last = line
            _say(line)


def _say(line: str) -> None:
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC  {printable}", err=True)


def _policy(definition: Path) -> Policy | None:
    """What the election allows, where its tables lie beside the definition."""
    paths = [definition.with_name(name) for name in (UNITS_TABLE, REGISTER_TABLE, BASELINE_TABLE)]
    if not (paths[0].is_file() and paths[1].is_file()):
        return None
    try:
        units, register, baseline = (path.read_bytes() if path.is_file() else None for path in paths)
        with progress_display() as progress:
            progress("Reading the tables", 0, 1)
            election = open_election(definition.read_bytes(), units or b"", register or b"", baseline)
            progress("Reading the tables", 1, 1)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror}): check its permissions") from error
    return Policy(election)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make the folder where it is missing, and let no second relay use it at the same time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("wb")
    except OSError as error:
        raise UsageError(f"{folder} cannot be used ({error.strerror}): choose a folder that you may write to") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another relay runs in {folder}: stop it, or choose another folder") from error
        yield


def _check_election(outbox: Outbox, election: bytes, folder: Path) -> None:
    known = outbox.note(_ELECTION_NOTE)
    if known is None:
        outbox.set_note(_ELECTION_NOTE, election)
    elif known != election:
        raise StoreError(f"{folder} holds statements of election {known.hex()[:16]}…: use another folder for another election")
