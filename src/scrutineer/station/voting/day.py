"""A poll worker's day: open, suspend, resume, close, countersign. Each act is durable before it is said to be done.

Opening, resuming and closing take two different poll workers of the register, each with their own key. What they endorse is a
statement of the station: `station-opened`, an `incident` that says that the machine was enabled again, and the tally sheets. All
of it goes into the station's outbox. `settle` completes, when the program starts, what a failure of power cut short.
"""

import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from scrutineer.durable import write_whole
from scrutineer.election import station_issuer
from scrutineer.errors import BallotError, StoreError
from scrutineer.statements import StationOpened, parse_statement, sign_statement
from scrutineer.statements.incident import Incident
from scrutineer.statements.statement import statement_hash
from scrutineer.station.outbox import Outbox
from scrutineer.station.voting.admitted import workers_of
from scrutineer.station.voting.closing import Closing, Progress, countersigned, keep_closing, noted, read_closing, seal_day
from scrutineer.station.voting.machine import VotingMachine
from scrutineer.station.voting.people import Pair, Person
from scrutineer.station.voting.place import PRINTED, Place, software_fingerprint
from scrutineer.station.voting.printer import Printer
from scrutineer.station.voting.tally_paper import sheets_pdf, zero_tape_pdf

OPENING_FILE: Final = "opening.json"
ZERO_TAPE: Final = "zero-tape.pdf"
SHEETS: Final = "tally-sheets.pdf"
LOW_DISK: Final = 256 * 1024 * 1024  # bytes left, below which poll workers are told
MAX_COPIES: Final = 40

Stage = Literal["new", "suspended", "ready", "active", "prepared", "closing", "closed", "halted"]
"""The machine's state; `closing` is closed, but its sheets are not signed yet."""
Trouble = Literal["disk", "clock", "outbox", "refused", "printer"]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The opening of a machine: what goes to the log, and who opened it."""

    time: int
    statement: bytes
    endorsements: tuple[bytes, ...]
    people: tuple[str, ...]
    """Names of the two."""


class Noticed(NamedTuple):
    """Something that poll workers should look after, and a figure that belongs to it."""

    trouble: Trouble
    figure: int = 0
    words: str = ""


class PollDay:
    """The acts of poll workers on one machine. One program at a time; safe to call from several threads as the machine is."""

    def __init__(
        self,
        place: Place,
        machine: VotingMachine,
        outbox: Outbox,
        clock: Callable[[], float] = time.time,
        printer: Printer | None = None,
    ) -> None:
        """`printer` prints zero tape and sheets; without one, people print the files themselves."""
        self.place: Final = place
        self.machine: Final = machine
        self.outbox: Final = outbox
        self._clock = clock
        self._printer = printer
        self._printing_failed = ""
        self.opening = _read_opening(place.folder)
        self.closing: Closing | None = read_closing(place.folder)
        self.settle()

    @property
    def stage(self) -> Stage:
        """Where the day stands."""
        state = self.machine.state
        return "closing" if state == "closed" and self.closing is None else state

    def settle(self) -> None:
        """Complete what was begun: queue the statements of acts that took effect, print what is not there yet."""
        if self.opening is not None and self.machine.state != "new":
            self.outbox.add([self.opening.statement, *self.opening.endorsements])
            self._print_once(ZERO_TAPE, lambda: self.zero_tape())
        if self.closing is not None:
            self._queue(self.closing)
            self.machine.destroy_totals()
            self._print_once(SHEETS, lambda: self.sheets(1))

    def open(self, pair: Pair) -> Opening:
        """Open the machine: all counters at zero, `station-opened` signed and endorsed, the zero tape printed.

        Raises BallotError where it was opened before, PolicyError where there are too few or too many poll workers.
        """
        if self.machine.state != "new":
            raise BallotError("the machine was opened before, which cannot be done twice: resume it")
        keys = workers_of(self.place.people(), self.place.name)
        now = int(self._clock())
        opened = StationOpened(
            election=self.place.election.hash, station=self.place.name, time=now, software=software_fingerprint()
        )
        statement = sign_statement(opened, station_issuer(self.place.name), self.place.key)
        opening = Opening(now, statement, self._endorsed(pair, statement), tuple(person.name for person in pair.people))
        _write(self.place.folder / OPENING_FILE, msgspec.json.encode(opening))
        self.machine.begin(keys)
        self.opening = opening
        self.settle()
        return opening

    def suspend(self) -> None:
        """Suspend between voters; the machine then needs two poll workers again."""
        self.machine.suspend()

    def resume(self, pair: Pair) -> None:
        """Enable the machine again, after a break, a start of the program, or a failure of power.

        Poll workers who were admitted in the meantime can do so from now on, and those whose keys were revoked cannot.
        """
        self.machine.resume(pair.first.key, pair.second.key, workers_of(self.place.people(), self.place.name))
        now = int(self._clock())
        first, second = (person.issuer.id for person in pair.people)
        incident = Incident(
            election=self.place.election.hash,
            kind="equipment",
            since=now,
            until=now,
            unit=self.place.name,
            text=f"The voting machine {self.place.machine.device} was enabled again by {first} and {second}.",
        )
        statement = sign_statement(incident, station_issuer(self.place.name), self.place.key)
        self.outbox.add([statement, *self._endorsed(pair, statement)])

    def close(self, pair: Pair, progress: Progress = lambda *_: None) -> Closing:
        """Close the machine, seal the ballots, sign and queue the sheets, print them. May be repeated until it succeeds."""
        if self.closing is not None:
            raise BallotError("the machine is closed, and its sheets are signed")
        totals = self.machine.close(pair.first.key, pair.second.key)
        now = int(self._clock())
        self.closing = seal_day(self.place, self.machine, totals, pair.people, now, progress)
        self.settle()
        return self.closing

    def countersign(self, person: Person, refuse: str = "") -> Closing:
        """Sign all sheets with one more person's own key, or refuse to, for a reason that is published."""
        return self._keep(countersigned(self.place, self._closed(), person, refuse))

    def note(self, name: str, verdict: Literal["by-hand", "refused"], reason: str = "") -> Closing:
        """Note that somebody without a key signed the paper by hand, or refused to, and why."""
        return self._keep(noted(self._closed(), name, verdict, reason))

    def sheets(self, copies: int) -> bytes:
        """All tally sheets as they stand, as a PDF with so many copies of each. Raises BallotError."""
        if not 1 <= copies <= MAX_COPIES:
            raise BallotError(f"print 1 to {MAX_COPIES} copies at a time")
        return sheets_pdf(self.place, self._closed(), copies)

    def zero_tape(self) -> bytes:
        """The zero tape as a PDF. Raises BallotError where the machine was not opened."""
        if self.opening is None or self.machine.state == "new":
            raise BallotError("the machine has not been opened: there is no zero tape")
        payload = parse_statement(self.opening.statement).payload
        if not isinstance(payload, StationOpened):
            raise StoreError(f"{self.place.folder / OPENING_FILE} holds another statement: tell the centre")
        return zero_tape_pdf(self.place, payload, self.opening.people, self.opening.statement)

    def print(self, name: str, data: bytes) -> Path:
        """Keep a PDF among the printed ones, and send it to the printer where there is one; where it is kept.

        Raises StoreError where it cannot be kept. What the printer refused is told by `notices`.
        """
        path = self.place.folder / PRINTED / name
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent} cannot be made ({error.strerror}): make room on the disk") from error
        _write(path, data)
        self._printing_failed = ""
        if self._printer is not None:
            try:
                self._printer.print(data)
            except BallotError as error:
                self._printing_failed = str(error)
        return path

    def notices(self) -> list[Noticed]:
        """What poll workers should look after now."""
        found = []
        free = shutil.disk_usage(self.place.folder).free
        if free < LOW_DISK:
            found.append(Noticed("disk", free // (1024 * 1024)))
        definition = self.place.election.definition
        today = datetime.fromtimestamp(self._clock(), ZoneInfo(definition.timezone)).date().isoformat()
        if today != definition.date:
            found.append(Noticed("clock", words=today))
        tally = self.outbox.tally()
        if tally.refused:
            found.append(Noticed("refused", tally.refused))
        if tally.waiting:
            found.append(Noticed("outbox", tally.waiting))
        if self._printing_failed:
            found.append(Noticed("printer", words=self._printing_failed))
        return found

    def _endorsed(self, pair: Pair, statement: bytes) -> tuple[bytes, ...]:
        return tuple(person.endorse(self.place.election, statement_hash(statement)) for person in pair.people)

    def _closed(self) -> Closing:
        if self.closing is None:
            raise BallotError("the machine is not closed: there are no tally sheets yet")
        return self.closing

    def _keep(self, closing: Closing) -> Closing:
        keep_closing(self.place.folder, closing)
        self.closing = closing
        self._queue(closing)
        return closing

    def _queue(self, closing: Closing) -> None:
        self.outbox.add(closing.statements())

    def _print_once(self, name: str, make: Callable[[], bytes]) -> None:
        if not (self.place.folder / PRINTED / name).exists():
            self.print(name, make())


def _read_opening(folder: Path) -> Opening | None:
    path = folder / OPENING_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Opening)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} cannot be read ({error}): keep the folder as it is, and tell the centre") from error


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): make room on the disk, then try again") from error
