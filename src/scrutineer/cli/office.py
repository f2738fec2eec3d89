"""The authority's office: an election folder that has been opened, its keys, its log, and what is signed there.

DIR/election.toml, units.csv      what the organiser wrote, perhaps with register.csv, baseline.csv, shapes.geojson, ballots.json
DIR/keys/                         private keys: officers, log, operator, and the seed of the station keys made here
DIR/record/definition.cose        statement 0
DIR/record/units.csv, register.csv   its tables, with baseline.csv, shapes.geojson and ballots.json where they are
DIR/record/log.db                 the log, or where it is in a PostgreSQL database:
DIR/record/store.url              the address of that
DIR/incidents/                    the journal of what the intake service refused
DIR/record/log.mark               how far the log has signed from here
"""

import functools
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.ballots.key_table import read_table
from scrutineer.cli.keyring import load_key, make_key
from scrutineer.count import Count
from scrutineer.durable import write_whole
from scrutineer.election import Election, Issuer, Register, station_issuer
from scrutineer.election.definition import (
    BALLOTS_TABLE,
    BASELINE_TABLE,
    REGISTER_TABLE,
    SHAPES_TABLE,
    UNITS_TABLE,
    LogIdentity,
    table_hash,
    write_baseline,
    write_register,
    write_units,
)
from scrutineer.election.folder import Draft, draft_definition
from scrutineer.election.shapes import read_shapes
from scrutineer.errors import NoteError, UsageError
from scrutineer.log import Log, LogSigner, LogVerifier, SqliteStore, Store
from scrutineer.log.mark import Mark
from scrutineer.log.quorum import Quorum
from scrutineer.statements import Endorsement, Incident, Payload, SigningKey, sign_statement, statement_hash
from scrutineer.statements.bootstrap import check_table, open_election

KEYS: Final = "keys"
RECORD: Final = "record"
LOG_FILE: Final = "log.db"
INCIDENTS: Final = "incidents"
"""Folder of the journal of what the intake service refused; where several services run, each has a folder in it."""
MARK_FILE: Final = "log.mark"
STORE_FILE: Final = "store.url"
DEFINITION_FILE: Final = "definition.cose"
STATIONS_KEY: Final = "stations.pem"
OPERATOR: Final = "operator/intake"
"""Issuer id of whoever runs the intake service, where the register of the organiser names no operator."""
OPERATOR_KEY: Final = "operator.pem"
LOG_KEYS: Final = ("log-ed25519.pem", "log-ml-dsa-44.pem")

Progress = Callable[[str, int, int], None]
Randomness = Callable[[int], bytes]


def officer(number: int) -> str:
    """Issuer id of the n-th officer of the authority, from 1."""
    return f"authority/officer-{number}"


@dataclass(frozen=True, slots=True)
class Office:
    """An opened election folder."""

    folder: Path
    election: Election
    definition: bytes
    units_table: bytes
    register_table: bytes
    baseline_table: bytes | None = None
    shapes_table: bytes | None = None
    ballots_table: bytes | None = None
    """The trustees' keys; None where ballots are not encrypted."""

    @classmethod
    def load(cls, folder: Path) -> "Office":
        """Read an opened folder. Raises UsageError where it has not been opened, DefinitionError where it was changed."""
        record = folder / RECORD
        if not (record / DEFINITION_FILE).is_file():
            raise UsageError(f"{folder} has not been opened: run `scrutineer open {folder}` first")
        try:
            parts = [(record / name).read_bytes() for name in (DEFINITION_FILE, UNITS_TABLE, REGISTER_TABLE)]
            baseline, shapes, ballots = (
                (record / name).read_bytes() if (record / name).exists() else None
                for name in (BASELINE_TABLE, SHAPES_TABLE, BALLOTS_TABLE)
            )
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be read ({error.strerror}): check the folder's permissions") from error
        definition, units, register = parts
        election = open_election(definition, units, register, baseline)
        check_table(election.definition, SHAPES_TABLE, shapes)
        check_table(election.definition, BALLOTS_TABLE, ballots)
        return cls(folder, election, definition, units, register, baseline, shapes, ballots)

    @property
    def log_path(self) -> Path:
        """The log's file."""
        return self.folder / RECORD / LOG_FILE

    def store_url(self) -> str | None:
        """The postgresql:// address of the database that holds the log; None where it is in its file."""
        try:
            return (self.folder / RECORD / STORE_FILE).read_text().strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.folder / RECORD / STORE_FILE} cannot be read: put the address of the log there") from error

    def keep_store_url(self, url: str | None) -> None:
        """Remember in which database the log is (None: in its file), so that no command has to be told again.

        `url` holds no password. Other parameters that were added to the remembered address by hand are kept.
        """
        path, known = self.folder / RECORD / STORE_FILE, self.store_url()
        if url is None:
            path.unlink(missing_ok=True)
        elif known is None or known.partition("?")[0] != url:
            write_whole(path, f"{url}\n".encode())

    def open_store(self, *, writing: bool, url: str | None = None) -> Store:
        """The store of the log, in its file or where `url` or the folder says. Raises StoreError where it cannot be had."""
        address = url or self.store_url()
        if address is None:
            return SqliteStore.open(self.log_path) if writing else SqliteStore.open_reader(self.log_path)
        # The driver is an extra, and takes its time to load.
        from scrutineer.log.postgresql import PostgresqlStore

        if writing:
            return PostgresqlStore.open(address, self.election.definition.log.origin)
        return PostgresqlStore.open_reader(address)

    def mark(self) -> Mark:
        """How far the log has signed from this folder; to be opened with the log, so that it never signs two histories."""
        return Mark(self.folder / RECORD / MARK_FILE)

    def log_signer(self) -> LogSigner:
        """The log's keys."""
        log = self.election.definition.log
        signer = _log_signer(self.folder, log.origin)
        if signer.verifier.vkeys != tuple(log.keys):
            raise UsageError(f"the log keys in {self.folder / KEYS} are not those that the definition names: put those there")
        return signer

    def open_log(self, *, progress: Callable[[int, int], None] | None = None) -> Log:
        """The log for writing. Raises StoreError where another process (a running service) writes it."""
        signer = self.log_signer()
        return _open_log(self.open_store(writing=True), signer, progress, self.mark())

    def read_log(self, *, progress: Callable[[int, int], None] | None = None) -> Log:
        """The log for reading, also beside a running service and without the log's private keys."""
        keys = self.election.definition.log.keys
        if len(keys) != 2:
            raise UsageError(f"the definition in {self.folder} names {len(keys)} keys of the log, and two are needed")
        return _open_log(self.open_store(writing=False), LogVerifier.from_vkeys(*keys), progress)

    def sign_log(self, *, progress: Callable[[int, int], None] | None = None) -> Log:
        """The log for reading and for signing its head, also beside a running service."""
        signer = self.log_signer()
        return _open_log(self.open_store(writing=False), signer, progress)

    def officer_key(self, number: int = 1) -> SigningKey:
        """The key of the n-th officer, where this machine holds it."""
        return _load_once(self.folder / KEYS / f"officer-{number}.pem")

    def officers(self) -> list[int]:
        """Numbers of the officers whose keys this machine holds."""
        return [n for n in range(1, 101) if (self.folder / KEYS / f"officer-{n}.pem").is_file()]

    def operator_signature(self) -> Callable[[Incident], bytes] | None:
        """What signs incidents with keys/operator.pem; None where this machine holds no key of an operator in the register."""
        path = self.folder / KEYS / OPERATOR_KEY
        if not path.is_file():
            return None
        key = _load_once(path)
        for issuer in self.election.register.others():
            if issuer.role == "operator" and (issuer.key, issuer.algorithm) == (key.public_key, key.algorithm):
                return lambda incident: sign_statement(incident, issuer.id, key)
        return None

    def stations_seed(self) -> SigningKey:
        """The key from which the stations' keys that were made here derive, each by its issuer id."""
        return _load_once(self.folder / KEYS / STATIONS_KEY)

    def key_of(self, issuer: str) -> SigningKey:
        """The key of a station, officer or operator that was made here, by issuer id."""
        role, _, name = issuer.partition("/")
        if issuer == OPERATOR:
            return _load_once(self.folder / KEYS / OPERATOR_KEY)
        if role == "station":
            return self.stations_seed().derive(issuer)
        return self.officer_key(int(name.removeprefix("officer-")))

    def sign(self, payload: Payload, act: str) -> list[bytes]:
        """Sign an act with as many officers as it needs: the statement, then the endorsements.

        Raises UsageError where this machine holds too few officers' keys.
        """
        return sign_act(payload, self.election.hash, self.election.definition.needed(act), self.officers(), self.officer_key)

    def read_count(self, size: int | None, progress: Progress) -> Count:
        """Read the log and fold it up to a size (None: all of it), also beside a running service."""
        log = self.read_log(progress=lambda done, total: progress("Reading the log", done, total))
        try:
            return self.count(log, size, progress)
        finally:
            log.close()

    def count(self, log: Log, size: int | None = None, progress: Progress | None = None) -> Count:
        """Fold the log up to a size. Raises UsageError for a size that the log does not have."""
        size = log.size if size is None else size
        if not 0 < size <= log.size:
            raise UsageError(f"the log has {log.size} entries: give a size from 1 to {log.size}")
        count = Count(self.election)
        for stretch in stretches(log.entries(0, size), 8192):
            count.apply(stretch)
            if progress is not None:
                progress("Counting", count.size, size)
        return count


def open_folder(
    folder: Path,
    draft: Draft,
    *,
    officers: int | None = None,
    station_seed: bytes | None = None,
    randomness: Randomness = secrets.token_bytes,
    progress: Progress | None = None,
) -> Office:
    """Make keys, sign the definition and start the log with it.

    `officers` keys are made for the authority, by default as many as the most demanding act needs, and one for the operator
    of the intake service, unless `register.csv` names an operator. Stations that
    `register.csv` gives no key get one derived from a seed kept in keys/stations.pem (`station_seed` sets it, for replays and
    simulations that must come out the same again).
    Raises UsageError where the folder was opened before, DefinitionError where the draft does not hold together.
    """
    keys, record = folder / KEYS, folder / RECORD
    if (record / DEFINITION_FILE).exists():
        raise UsageError(f"{folder} has been opened before: an election is defined once; start another folder for another one")
    for left in (keys, record):
        if left.exists():
            raise UsageError(
                f"{left} is there already, from an opening that was interrupted or from something else: move it away, "
                f"then open {folder} again"
            )
    wanted = _officers_needed(draft) if officers is None else officers
    if wanted < _officers_needed(draft):
        raise UsageError(f"{wanted} officers are too few: the thresholds of this election need {_officers_needed(draft)}")
    try:
        keys.mkdir(mode=0o700, parents=True)  # Of two programs that open a folder at once, one gets past this.
    except OSError as error:
        raise UsageError(f"{keys} cannot be made ({error.strerror}): choose a folder that you may write to") from error
    try:
        return _open(folder, draft, wanted, station_seed, randomness, progress)
    except BaseException as error:
        # Nothing was said with these keys yet, and what is half there would be in the way of the next attempt.
        for made in (keys, record):
            shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise UsageError(
                f"{error.filename or folder} cannot be written ({error.strerror}): free space or choose another folder"
            ) from error
        raise


def _open(
    folder: Path, draft: Draft, officers: int, station_seed: bytes | None, randomness: Randomness, progress: Progress | None
) -> Office:
    keys, record = folder / KEYS, folder / RECORD
    made = {n: make_key(keys / f"officer-{n}.pem", randomness=randomness) for n in range(1, officers + 1)}
    for name, algorithm in zip(LOG_KEYS, ("ed25519", "ml-dsa-44"), strict=True):
        make_key(keys / name, algorithm, randomness)  # type: ignore[arg-type]
    seed = make_key(keys / STATIONS_KEY, randomness=randomness if station_seed is None else lambda _: station_seed)
    issuers = [Issuer(officer(n), "authority", key.public_key, name=draft.authority) for n, key in made.items()]
    if not any(issuer.role == "operator" for issuer in draft.issuers):
        operator = make_key(keys / OPERATOR_KEY, randomness=randomness)
        issuers.append(Issuer(OPERATOR, "operator", operator.public_key, name="Intake service"))
    register = _register(draft, issuers, seed, progress)
    tables = {UNITS_TABLE: write_units(draft.units), REGISTER_TABLE: write_register(register)}
    if draft.baseline:
        tables[BASELINE_TABLE] = write_baseline(draft.baseline, draft.contests, draft.units)
    if draft.shapes is not None:
        read_shapes(draft.shapes, draft.units)
        tables[SHAPES_TABLE] = draft.shapes
    if draft.ballots is not None:
        read_table(draft.ballots, draft, draft.units)
        tables[BALLOTS_TABLE] = draft.ballots
    signer = _log_signer(folder, f"scrutineer/{draft.id}")
    definition = draft_definition(
        draft,
        {name: table_hash(data) for name, data in tables.items()},
        LogIdentity(signer.origin, signer.verifier.vkeys),
    )
    if definition.witnesses is not None:
        try:
            Quorum.from_policy(definition.witnesses, signer.verifier)
        except NoteError as error:
            raise UsageError(f"the witnesses in election.toml cannot be used: {error}") from error
    first, *endorsements = sign_act(definition, None, definition.needed("definition"), list(made), lambda number: made[number])
    parts = (tables[UNITS_TABLE], tables[REGISTER_TABLE], tables.get(BASELINE_TABLE))
    election = open_election(first, *parts)
    record.mkdir(parents=True)
    for name, data in tables.items():
        write_whole(record / name, data)
    log = Log.open(SqliteStore.open(record / LOG_FILE, create=True), signer, mark=Mark(record / MARK_FILE))
    try:
        log.append([first])
        if endorsements:
            log.append(endorsements)
    finally:
        log.close()
    # The definition comes last: where it stands, the folder is open.
    write_whole(record / DEFINITION_FILE, first)
    return Office(folder, election, first, *parts, draft.shapes, draft.ballots)


def sign_act(
    payload: Payload, election: bytes | None, needed: int, officers: list[int], key_of: Callable[[int], SigningKey]
) -> list[bytes]:
    """A statement by the first officer and the endorsements by the next ones, as many signatures as the act needs."""
    if len(officers) < needed:
        raise UsageError(
            f"this act needs {needed} officers, and this machine holds the keys of {len(officers)}: sign where they are"
        )
    first = sign_statement(payload, officer(officers[0]), key_of(officers[0]))
    name = statement_hash(first)
    return [first] + [
        sign_statement(Endorsement(election=election or name, statement=name, verdict="sign"), officer(number), key_of(number))
        for number in officers[1:needed]
    ]


def stretches(entries: Iterator[bytes], length: int) -> Iterator[list[bytes]]:
    """Entries in lists of at most so many."""
    stretch: list[bytes] = []
    for entry in entries:
        stretch.append(entry)
        if len(stretch) == length:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def now() -> int:
    """Seconds since 1970, by this machine's clock."""
    return int(time.time())


@functools.lru_cache(maxsize=256)
def _load_once(path: Path) -> SigningKey:
    return load_key(path)


def _officers_needed(draft: Draft) -> int:
    return max([1, *draft.thresholds.values()])


def _register(draft: Draft, issuers: list[Issuer], seed: SigningKey, progress: Progress | None) -> Register:
    stations = draft.units.station_index
    named: dict[str, list[Issuer]] = {}
    for issuer in draft.issuers:
        if issuer.role == "station":
            named.setdefault(issuer.id, []).append(issuer)
    taken: set[int] = set()
    keys = bytearray()
    for number, station in enumerate(stations):
        name = station_issuer(station)
        given = draft.register.station_key(number)
        if given is None and name in named:
            # A station that brings a key of its own gets none here: nobody else may be able to sign for it.
            own = next((issuer for issuer in named[name] if issuer.algorithm == "ed25519"), None)
            given = bytes(32) if own is None else own.key
            taken.add(id(own))
        keys += given or seed.derive(name).public_key
        if progress is not None and number % 4096 == 0:
            progress("Making station keys", number, len(stations))
    return Register(stations, bytes(keys), [*issuers, *(issuer for issuer in draft.issuers if id(issuer) not in taken)])


def _open_log(
    store: Store,
    keys: LogSigner | LogVerifier,
    progress: Callable[[int, int], None] | None,
    mark: Mark | None = None,
) -> Log:
    try:
        return Log.open(store, keys, mark=mark, progress=progress)
    except BaseException:
        store.close()
        raise


def _log_signer(folder: Path, origin: str) -> LogSigner:
    ed25519, mldsa44 = (load_key(folder / KEYS / name) for name in LOG_KEYS)
    if (ed25519.algorithm, mldsa44.algorithm) != ("ed25519", "ml-dsa-44"):
        raise UsageError(f"{' and '.join(LOG_KEYS)} in {folder / KEYS} are not keys of the kinds that they are named for")
    return LogSigner(origin, ed25519.seed, mldsa44.seed)
