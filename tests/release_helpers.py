"""A control room with two officers and their devices, whose intake service can be cut off; for tests of what may be released."""

import atexit
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from cli_helpers import STATIONS, rows, signed
from control_helpers import two_officers
from scrutineer.cli.control_commands import machine_of
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.control.machine import ServiceState
from scrutineer.control.night import Night
from scrutineer.control.passkeys import Origin
from scrutineer.control.proposals import Proposal
from scrutineer.control.room import Room
from scrutineer.errors import TransportError
from scrutineer.intake.lanes import Trust
from scrutineer.log import SqliteStore
from scrutineer.statements.policy import Policy
from soft_authenticator import Authenticator

OFFICERS = ("authority/officer-1", "authority/officer-2")
URL = "http://localhost:8475"
RUNNING = ServiceState("http://localhost:1", True, True, 0, 0, 0, 0, "", "", "", {}, None, None, ())


@cache
def base() -> Path:
    """An opened folder with sheets for its stations, the last of them one that adds up to nothing; made once."""
    place = Path(tempfile.mkdtemp(prefix="release-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    folder = two_officers(place / "aviary")
    signed(folder, rows(STATIONS[:5]), "good")
    signed(folder, rows(STATIONS[5:], cast=9), "wrong")
    return folder


class Officers:
    """The room, its officers and what was sent. `line` says whether the intake service can be reached."""

    def __init__(self) -> None:
        source = base()
        self.place = Path(tempfile.mkdtemp(prefix="release-"))
        self.folder = self.place / "aviary"
        shutil.copytree(source, self.folder)
        self.office = Office.load(self.folder)
        self.sheets = [*read_statements(source.parent / "good.bundle"), *read_statements(source.parent / "wrong.bundle")]
        self.now = 1_780_000_000
        self.sent: list[tuple[bytes, ...]] = []
        self.line = True
        self.held = set(OFFICERS)
        self.devices = {name: Authenticator(URL, "localhost", name.encode()) for name in OFFICERS}
        self.start()
        for name, device in self.devices.items():
            code = self.room.officers.invite(name)
            self.room.enrol(code, device.create(self.room.enrolment_options(code)), "key")

    def start(self) -> None:
        """Start the room, or start it again: what it knows comes from its folder."""
        verifier = self.office.log_signer().verifier
        night = Night(self.office.election, lambda: SqliteStore.open_reader(self.office.log_path), verifier)
        machine = replace(
            machine_of(self.office, None, None, Trust()),
            submit=self.submit,
            services=lambda: [RUNNING],
            held=lambda: self.held,
        )
        self.room = Room(self.folder, night, machine, Origin.parse(URL), clock=lambda: self.now, randomness=secrets.token_bytes)
        night.look()

    def submit(self, statements: Sequence[bytes], url: str) -> int:
        """The intake service: it checks what it is sent, and records it."""
        if not self.line:
            raise TransportError("no line")
        self.sent.append(tuple(statements))
        policy = Policy(self.office.election)
        for statement in statements:
            policy.check(statement)
        log = self.office.open_log()
        try:
            return log.append(list(statements))[0].index
        finally:
            log.close()

    def arrive(self, number: int) -> None:
        """A sheet is recorded; number 5 is the one that goes into quarantine."""
        log = self.office.open_log()
        log.append([self.sheets[number]])
        log.close()

    def wait(self) -> None:
        """The log is read, and what is signed is sent."""
        self.room.night.look()
        self.room.tend()
        self.room.deliver()

    def freeze(self, who: str, *, decide: bool = False) -> Proposal:
        """Freeze the next bulletin, or the decision to exclude the last station."""
        if decide:
            return self.room.freeze_decision(who, 0, 5, {"action": "exclude", "reason": "No box."})
        return self.room.freeze_bulletin(who)

    def consent(self, name: str, who: str, *, hand: str = "", word: str = "") -> Proposal:
        """An officer's session, with the passkey of `hand`, who typed the word or something else."""
        own = self.room.find(name).draft.word
        options = self.room.consent_options(name, who, own)
        return self.room.consent(name, who, word or own, self.devices[hand or who].get(options))

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.place, ignore_errors=True)
