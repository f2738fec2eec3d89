"""A station's folder: everything that its outbox needs, so that it can be copied to another machine as it is.

DIR/definition.cose    the election: the log's keys, and the ways that it provides
DIR/units.csv          its places, where they were at hand; needed to fill in sheets here
DIR/station.toml       which station this is, and nearer ways; may be edited
DIR/station.pem        the private key of the station, readable by its owner alone
DIR/authority.pem      who issues the certificates of the services, where that is not for the system to say
DIR/client.pem         the client certificate and its key, where services ask for one
DIR/outbox.sqlite      statements and receipts (outbox.py)
DIR/evidence/          false receipts (evidence.py)
DIR/printed/           printed sheets
"""

import contextlib
import fcntl
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from scrutineer.durable import write_whole
from scrutineer.election import Definition, Register
from scrutineer.election.definition import BASELINE_TABLE, UNITS_TABLE, Election, read_units, table_hash
from scrutineer.election.witness_policy import check_url
from scrutineer.errors import DefinitionError, StatementError, UsageError
from scrutineer.intake.lanes import Trust
from scrutineer.log import LogVerifier
from scrutineer.statements import parse_statement
from scrutineer.station.outbox import Outbox
from scrutineer.station.ways import Way, known_ways

DEFINITION_FILE: Final = "definition.cose"
SETTINGS_FILE: Final = "station.toml"
KEY_FILE: Final = "station.pem"
AUTHORITY_FILE: Final = "authority.pem"
CLIENT_FILE: Final = "client.pem"
OUTBOX_FILE: Final = "outbox.sqlite"
EVIDENCE: Final = "evidence"
PRINTED: Final = "printed"
_LOCK_FILE: Final = "sending.lock"
_SETTINGS: Final = frozenset({"station", "endpoints", "relays"})
MAX_SETTINGS_SIZE: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """What station.toml says."""

    station: str = ""
    """Id of the station; empty for an office that sends for many."""
    endpoints: tuple[str, ...] = ()
    """Intake services that are nearer than those of the election."""
    relays: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises UsageError for what is no address."""
        for url in (*self.endpoints, *self.relays):
            try:
                check_url(url, "the address of an intake service or relay")
            except DefinitionError as error:
                raise UsageError(str(error)) from None

    def encode(self) -> str:
        """As the text of station.toml."""
        # Strings and lists of strings as JSON writes them are TOML as well.
        return (
            "# Which station this is; empty for an office that sends for many.\n"
            f"station = {json.dumps(self.station)}\n\n"
            "# Intake services and relays to be tried before those that the election names.\n"
            f"endpoints = {json.dumps(self.endpoints)}\n"
            f"relays = {json.dumps(self.relays)}\n"
        )

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Read station.toml. Raises UsageError that says what is wrong with it."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_SETTINGS_SIZE + 1)
            if len(data) > MAX_SETTINGS_SIZE:
                raise UsageError(f"{path} has more than {MAX_SETTINGS_SIZE} bytes: shorten it")
            values: dict[str, Any] = tomllib.loads(data.decode())
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): check the folder's permissions") from error
        except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
            raise UsageError(f"{path} is not TOML ({error}): correct the line, or make the folder anew") from error
        for name in values:
            if name not in _SETTINGS:
                raise UsageError(f"{path}: {name[:64]!r} is not known; use {', '.join(sorted(_SETTINGS))}")
        station, lists = values.get("station", ""), [values.get(name, []) for name in ("endpoints", "relays")]
        if not isinstance(station, str) or any(
            not isinstance(urls, list) or not all(isinstance(url, str) for url in urls) for urls in lists
        ):
            raise UsageError(f"{path}: write station as a text in quotation marks, endpoints and relays as lists of such")
        try:
            return cls(station, *map(tuple, lists))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None


@dataclass(frozen=True, slots=True)
class StationFolder:
    """A station's folder, read."""

    folder: Path
    definition: Definition
    election_hash: bytes
    verifier: LogVerifier
    """The keys of the election's log: receipts are checked with these."""
    settings: Settings

    @classmethod
    def make(cls, folder: Path, definition: Path, settings: Settings, trust: Trust | None = None) -> "StationFolder":
        """Make the folder's files but for the key; places (units.csv) are taken along where they are beside the definition.

        An interrupted attempt is completed. Raises UsageError where there is a station already, or where files are not usable.
        """
        if (folder / DEFINITION_FILE).exists():
            raise UsageError(f"{folder} is a station's folder already: use it, or choose another name")
        signed = _read(definition)
        election, _ = _open_definition(definition, signed)
        if trust is not None:
            trust.context()  # Whether the files are usable shows now, and not on the evening of the count.
        units = definition.with_name(UNITS_TABLE)
        table = _read(units) if units.is_file() else None
        if table is not None and table_hash(table) != election.tables[UNITS_TABLE]:
            raise UsageError(f"{units} is not the table that {definition} names: take both from the same place")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / SETTINGS_FILE, settings.encode().encode())
            if table is not None:
                write_whole(folder / UNITS_TABLE, table)
            if trust is not None and trust.authority is not None:
                write_whole(folder / AUTHORITY_FILE, trust.authority.read_bytes())
            if trust is not None and trust.certificate is not None:
                parts = [trust.certificate.read_bytes(), trust.key.read_bytes() if trust.key is not None else b""]
                write_whole(folder / CLIENT_FILE, b"\n".join(parts), 0o600)
            Outbox.open(folder / OUTBOX_FILE, create=True).close()
            # The definition comes last: where it stands, the folder is whole.
            write_whole(folder / DEFINITION_FILE, signed)
        except OSError as error:
            raise UsageError(f"{error.filename or folder} cannot be written ({error.strerror}): choose another folder") from error
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> "StationFolder":
        """Read a folder. Raises UsageError where it is none, StatementError for a definition that was damaged."""
        path = folder / DEFINITION_FILE
        if not path.is_file():
            raise UsageError(f"{folder} is not a station's folder: make one with `scrutineer station init {folder}`")
        definition, election_hash = _open_definition(path, _read(path))
        keys = definition.log.keys
        if len(keys) != 2:
            raise UsageError(f"{path} names {len(keys)} keys of the log, and two are needed")
        return cls(folder, definition, election_hash, LogVerifier.from_vkeys(*keys), Settings.read(folder / SETTINGS_FILE))

    @property
    def ways(self) -> list[Way]:
        """The ways over a network, in the order in which to try them."""
        return known_ways(self.definition.transmission, self.settings.endpoints, self.settings.relays)

    @property
    def trust(self) -> Trust:
        """Whom to believe where TLS is spoken, and with which certificate to answer."""
        authority, client = self.folder / AUTHORITY_FILE, self.folder / CLIENT_FILE
        return Trust(authority if authority.exists() else None, client if client.exists() else None)

    @property
    def key_path(self) -> Path:
        """Where the station's private key is."""
        return self.folder / KEY_FILE

    def outbox(self) -> Outbox:
        """The outbox; to be closed."""
        return Outbox.open(self.folder / OUTBOX_FILE)

    def election(self) -> Election:
        """Places and contests, for filling in sheets; nobody's keys. Raises UsageError where the places are not at hand."""
        path = self.folder / UNITS_TABLE
        if not path.is_file():
            raise UsageError(
                f"{path} is missing, and a sheet cannot be checked without the election's places: "
                f"copy the {UNITS_TABLE} that was published with the definition into the folder"
            )
        data = _read(path)
        if table_hash(data) != self.definition.tables[UNITS_TABLE]:
            raise UsageError(f"{path} is not the table that the definition names: copy the one that was published with it")
        units = read_units(data)
        # A baseline serves calls alone, and the register serves those who check: neither is carried to stations.
        tables = {name: value for name, value in self.definition.tables.items() if name != BASELINE_TABLE}
        definition = msgspec.structs.replace(self.definition, tables=tables)
        nobody = Register(units.station_index, bytes(32 * len(units.station_index)), ())
        return Election(definition, units, nobody, self.election_hash)

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """The right to send from this folder, for one program at a time. Raises UsageError where another one has it."""
        try:
            handle = os.open(self.folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"{self.folder / _LOCK_FILE} cannot be opened ({error.strerror}): check the permissions") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(
                    f"another program is sending from {self.folder} already: leave it to that one, "
                    f"and look with `scrutineer station status {self.folder}`"
                ) from None
            yield
        finally:
            os.close(handle)  # The kernel lets go of the lock with the file, however this program ends.


def _open_definition(path: Path, data: bytes) -> tuple[Definition, bytes]:
    try:
        statement = parse_statement(data)
    except StatementError as error:
        raise StatementError(f"{path}: {error}", code=error.code) from None
    if not isinstance(statement.payload, Definition):
        raise UsageError(f"{path} is a {statement.kind}: give the definition of the election (definition.cose)")
    return statement.payload, statement.hash


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path") from error
