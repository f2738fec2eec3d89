"""What the tests of policy and intake share: a small election of birds, its sheets, and the service as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scrutineer.election import Contest, Definition, Issuer, LogIdentity, Option, Register, UnitRow, Units
from scrutineer.election.definition import Election, table_hash, write_register, write_units
from scrutineer.intake import ElectionFiles
from scrutineer.log import Log, LogSigner, SqliteStore
from scrutineer.statements import Payload, SigningKey, TallySheet, sign_statement
from scrutineer.statements.bootstrap import open_election

TIME = 1_735_700_000
AUTHORITIES = tuple(SigningKey(bytes([number]) * 32) for number in (11, 12, 13))
AGENT = SigningKey(b"g" * 32)
_ROOT = SigningKey(b"w" * 32)


def log_signer() -> LogSigner:
    return LogSigner("log.example/wetland", b"1" * 32, b"2" * 32)


def station_key(station: str) -> SigningKey:
    return _ROOT.derive(station)


@dataclass(frozen=True)
class Republic:
    """An election and the bytes that it was opened from."""

    election: Election
    definition: bytes
    units: bytes
    register: bytes

    @property
    def stations(self) -> list[str]:
        return list(self.election.units.station_index)

    def sheet(self, station: str = "n1", contest: str = "president", **changes: object) -> bytes:
        """A station's sheet, signed with its key."""
        return self.sign(self.sheet_of(station, contest, **changes), f"station/{station}", station_key(station))

    def sheet_of(self, station: str = "n1", contest: str = "president", **changes: object) -> TallySheet:
        sheet = TallySheet(self.election.hash, station, contest, (143, 20, 97), 4, 3, 267, 268, 411, TIME)
        return sheet._replace(**changes)  # type: ignore[arg-type]

    def sign(self, payload: Payload, issuer: str, key: SigningKey) -> bytes:
        return sign_statement(payload, issuer, key)

    def by_authority(self, payload: Payload, number: int = 0) -> bytes:
        return sign_statement(payload, f"authority/{number}", AUTHORITIES[number])

    def write(self, folder: Path) -> ElectionFiles:
        files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
        for path, data in zip(files[:3], (self.definition, self.units, self.register), strict=True):
            path.write_bytes(data)
        return files


def republic(stations: int = 4, *, needed: int = 1) -> Republic:
    """Two regions; a contest for all, one for the north alone, a ranked one; three authorities and an agent of the north."""
    rows = [UnitRow("land", "", "Wetland", "country", None)]
    for region, share in (("n", (stations + 1) // 2), ("s", stations // 2)):
        rows.append(UnitRow(region, "land", f"Region {region}", "region", None))
        rows += [UnitRow(f"{region}{number}", region, f"Station {number}", "station", 411) for number in range(1, share + 1)]
    units = Units(rows)
    keys = b"".join(station_key(station).public_key for station in units.station_index)
    others = [Issuer(f"authority/{n}", "authority", key.public_key) for n, key in enumerate(AUTHORITIES)]
    others.append(Issuer("agent/heron", "agent", AGENT.public_key, unit="n"))
    register = Register(units.station_index, keys, others)
    birds = (Option("heron", "Heron"), Option("kestrel", "Kestrel"), Option("wren", "Wren"))
    tables = {"units.csv": write_units(units), "register.csv": write_register(register)}
    definition = Definition(
        version=1,
        id="wetland",
        name="Wetland",
        date="2025-01-01",
        timezone="UTC",
        provenance="simulated",
        authority="Commission",
        contests=(
            Contest("president", "President", "plurality", birds),
            Contest("north", "Council of the North", "plurality", birds, unit="n"),
            Contest("speaker", "Speaker", "ranked", birds),
        ),
        tables={name: table_hash(data) for name, data in tables.items()},
        log=LogIdentity("log.example/wetland", log_signer().verifier.vkeys),
        thresholds={"accreditation": needed} if needed > 1 else {},
    )
    statement = sign_statement(definition, "authority/0", AUTHORITIES[0])
    return Republic(
        open_election(statement, tables["units.csv"], tables["register.csv"]),
        statement,
        tables["units.csv"],
        tables["register.csv"],
    )


@contextmanager
def opened_log(folder: Path, definition: bytes) -> Iterator[tuple[Log, SqliteStore]]:
    """A log on the disk that begins with this definition."""
    store = SqliteStore.open(folder / "log.sqlite", create=True)
    log = Log.open(store, log_signer())
    try:
        log.append([definition])
        yield log, store
    finally:
        log.close()


SERVER = """
import json, sys
from pathlib import Path
from intake_helpers import opened_log
from scrutineer.errors import ScrutineerError
from scrutineer.intake import ElectionFiles, Service
folder, store_folder, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
if len(sys.argv) > 4:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
last = []
try:
    with opened_log(store_folder, files.definition.read_bytes()) as (log, store):
        ready = lambda address: print(json.dumps({"url": address.url}), flush=True)
        service = Service(log, files, port=port, housekeeping=store.checkpoint_wal, ready=ready, progress=last.append)
        service.run()
        print(json.dumps({"counts": last[-1].counts, "size": last[-1].size}), flush=True)
except ScrutineerError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
    sys.exit(error.exit_status)
"""


class ServiceProcess:
    """The real service as a process of its own, to be killed."""

    def __init__(self, folder: Path, *, store: Path | None = None, file_limit: int | None = None, port: int = 0) -> None:
        command = [sys.executable, "-c", SERVER, str(folder), str(store or folder), str(port)]
        if file_limit is not None:
            command.append(str(file_limit))
        root = Path(__file__).parent.parent
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "tests"), str(root / "src")))}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment)
        first = self.report()
        self.error = first if "error" in first else None
        self.url = str(first.get("url", ""))

    def report(self) -> dict[str, object]:
        """The next line that the process prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line else {}

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def _end(self) -> None:
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
