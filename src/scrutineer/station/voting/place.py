"""What a voting machine needs in its station's folder: the election with its register, the trustees' keys, and what it is called.

DIR/voting/ballots.json      the trustees' keys (ballots/keys.py), as the definition names them
DIR/voting/register.csv      who may sign what, as the definition names it
DIR/voting/admitted.json     who was admitted later (admitted.py)
DIR/voting/machine.json      the description of this device and its ballot styles
DIR/voting/machine.lock      held by the program that runs
DIR/voting/board.json        where its board is, while it runs (running.py)
DIR/voting/ballots.journal   encrypted ballots (journal.py)
DIR/voting/totals.sealed     the running totals (totals.py), until the sheets are signed
DIR/voting/opening.json      the statements of the opening (day.py)
DIR/voting/closing.json      the signed sheets, and who countersigned them (closing.py)
DIR/voting/bundle.jsonl      the encrypted ballot record, once the machine is closed
DIR/voting/openings.jsonl    the openings of challenged ballots, once the machine is closed
DIR/voting/printed/          zero tape and tally sheets as PDF
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.ballots.from_election import style_of
from scrutineer.ballots.group import STANDARD, Group, RandomBytes
from scrutineer.ballots.key_table import read_table
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys, read_key_record
from scrutineer.durable import write_whole
from scrutineer.election import Election
from scrutineer.election.definition import (
    BALLOTS_TABLE,
    BASELINE_TABLE,
    REGISTER_TABLE,
    UNITS_TABLE,
    Definition,
    read_register,
    read_units,
    table_hash,
)
from scrutineer.election.units import UNKNOWN
from scrutineer.errors import UsageError
from scrutineer.statements import SigningKey
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.admitted import People, people_of
from scrutineer.station.voting.machine import VotingMachine
from scrutineer.station.voting.people import POLL_WORKERS, SIGNERS, Person, identify, read_private_key

VOTING: Final = "voting"
MACHINE_FILE: Final = "machine.json"
PRINTED: Final = "printed"
MAX_DEVICE_LENGTH: Final = 128  # characters


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What machine.json says."""

    device: str
    """S_device: how the record names this device (section 3.4.3)."""
    styles: tuple[int, ...]
    """Its ballot styles, the station's own first."""


@dataclass(frozen=True)
class Place:
    """A station with a voting machine."""

    station: StationFolder
    election: Election
    record: KeyRecord
    keys: ElectionKeys
    machine: Machine

    @classmethod
    def make(cls, station: StationFolder, definition_folder: Path, device: str = "", styles: tuple[int, ...] = ()) -> "Place":
        """Make the folder `voting` from the files that were published with the definition.

        Raises UsageError where files are missing or others, BallotError where the trustees' keys are not good.
        """
        folder, name = station.folder / VOTING, station.settings.station
        if not name:
            raise UsageError(
                f"{station.folder} is an office's folder: a voting machine belongs to one station (`station init --station`)"
            )
        if (folder / MACHINE_FILE).exists():
            raise UsageError(f"{folder} is made already: go on with `scrutineer station vote {station.folder}`")
        register = _table(station.definition, definition_folder / REGISTER_TABLE)
        ballots = _table(station.definition, definition_folder / BALLOTS_TABLE)
        election = _election(station, register)
        manifest = read_table(ballots, station.definition, election.units).manifest
        number = election.units.station_index.get(name)
        if number is None:
            raise UsageError(f"the election has no station {name!r}: check the name in {station.folder / 'station.toml'}")
        own = style_of(manifest, election.units, election.contests, number)
        machine = Machine(device or f"{name}/1", (own, *(style for style in styles if style != own)))
        if len(machine.device) > MAX_DEVICE_LENGTH or not machine.device.isprintable():
            raise UsageError(
                f"the description of the device has more than {MAX_DEVICE_LENGTH} characters, or some that cannot be printed"
            )
        for style in machine.styles:
            manifest.style(style)
        folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(folder / BALLOTS_TABLE, ballots)
        write_whole(folder / REGISTER_TABLE, register)
        write_whole(folder / MACHINE_FILE, msgspec.json.encode(machine))
        return cls.load(station)

    @classmethod
    def load(cls, station: StationFolder, group: Group = STANDARD) -> "Place":
        """Read the folder. Raises UsageError where there is none or a file was changed. Another group is for tests."""
        folder = station.folder / VOTING
        if not (folder / MACHINE_FILE).is_file():
            raise UsageError(
                f"{station.folder} has no voting machine: make one with `scrutineer station voting-init {station.folder}`"
            )
        try:
            machine = msgspec.json.decode((folder / MACHINE_FILE).read_bytes(), type=Machine)
        except (OSError, msgspec.MsgspecError) as error:
            raise UsageError(f"{folder / MACHINE_FILE} cannot be read ({error}): make the folder {folder} anew") from error
        election = _election(station, _table(station.definition, folder / REGISTER_TABLE))
        # The proofs were verified when the folder was made; these are the same bytes.
        record = read_key_record(_table(station.definition, folder / BALLOTS_TABLE), group)
        return cls(station, election, record, election_keys(record, group), machine)

    @property
    def folder(self) -> Path:
        """The folder of the machine."""
        return self.station.folder / VOTING

    @property
    def name(self) -> str:
        """Id of the station."""
        return self.station.settings.station

    @property
    def roll(self) -> int | None:
        """Registered voters of the station; None where the definition does not say."""
        units = self.election.units
        value = int(units.rolls[units.station_index[self.name]])
        return None if value == UNKNOWN else value

    @cached_property
    def key(self) -> SigningKey:
        """The station's private key. Raises UsageError."""
        try:
            return read_private_key(self.station.key_path.read_bytes())
        except OSError as error:
            raise UsageError(f"{self.station.key_path} cannot be read ({error.strerror}): put back the station's key") from error

    def person(self, key: SigningKey, *, signers: bool = False) -> Person:
        """Whose key this is: a poll worker's, or with `signers` that of anyone who may countersign. Raises PolicyError."""
        return identify(key, self.people().at(self.name, SIGNERS if signers else POLL_WORKERS))

    def people(self) -> People:
        """Who may act here by now, read anew. Raises StoreError."""
        return people_of(self.election, self.folder)

    def watchers(self) -> int:
        """How many agents and observers are known for this very station; those of a place above it can be anywhere."""
        return sum(issuer.unit == self.name for issuer in self.people().at(self.name, SIGNERS - POLL_WORKERS))

    def open_machine(self, random: RandomBytes = secrets.token_bytes) -> VotingMachine:
        """The machine in this folder, as it stands. Raises StoreError (code `in-use`: another program has it open)."""
        return VotingMachine(self.folder, self.keys, self.name, self.machine.device, styles=self.machine.styles, random=random)


@cache
def software_fingerprint() -> bytes:
    """SHA-256 over all files of this program, sorted by path: a line `<SHA-256>  <path>` for each."""
    lines = sorted(_files(files("scrutineer"), "scrutineer"), key=lambda pair: pair[0])
    return hashlib.sha256("".join(f"{digest}  {path}\n" for path, digest in lines).encode()).digest()


def _files(folder: Traversable, path: str) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        own = f"{path}/{entry.name}"
        if entry.is_dir():
            found += [] if entry.name == "__pycache__" else _files(entry, own)
        else:
            found.append((own, hashlib.sha256(entry.read_bytes()).hexdigest()))
    return found


def _election(station: StationFolder, register: bytes) -> Election:
    """The election with its register; what serves calls alone is not carried to stations."""
    definition = station.definition
    units = read_units(_table(definition, station.folder / UNITS_TABLE))
    tables = {name: value for name, value in definition.tables.items() if name != BASELINE_TABLE}
    return Election(
        msgspec.structs.replace(definition, tables=tables), units, read_register(register, units), station.election_hash
    )


def _table(definition: Definition, path: Path) -> bytes:
    name = path.name
    if name not in definition.tables:
        raise UsageError(f"the election has no {name}: its ballots are not encrypted, and no machine can take votes")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): copy the {name} that was published with the definition"
        ) from error
    if table_hash(data) != definition.tables[name]:
        raise UsageError(f"{path} is not the table that the definition names: copy the one that was published with it")
    return data
