"""What the benches share: a simulated election with signed sheets, made once and kept in out/bench.

    python bench/electorate.py [STATIONS [SEED]]

An electorate is a folder with `definition.cose` (statement 0), `units.csv`, `register.csv`, `truth.json` and `entries.bin`:
every entry of the log in order, the definition first, each as a 32-bit big-endian length and its bytes.
"""

import shutil
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from scrutineer.election import Election
from scrutineer.election.definition import LogIdentity
from scrutineer.log import Log, LogSigner, SqliteStore
from scrutineer.simulate import open_republic, sign_arrivals, simulate_republic
from scrutineer.statements import SigningKey
from scrutineer.statements.bootstrap import open_election

FOLDER = Path(__file__).resolve().parent.parent / "out" / "bench"
FORMAT = 2  # raise it when what is written changes, so that old electorates are not taken for new ones
SEED = 7
BATCH = 8192  # entries appended to a log at a time
ORIGIN = "log.example/bench"
MASTER = SigningKey(b"scrutineer bench".ljust(32, b"."))


@dataclass(frozen=True)
class Electorate:
    """A simulated election on disk."""

    folder: Path

    @property
    def definition(self) -> bytes:
        """Statement 0."""
        return (self.folder / "definition.cose").read_bytes()

    @property
    def units_csv(self) -> bytes:
        """The units table."""
        return (self.folder / "units.csv").read_bytes()

    @property
    def register_csv(self) -> bytes:
        """The register table."""
        return (self.folder / "register.csv").read_bytes()

    @property
    def shapes(self) -> bytes:
        """The shapes of units."""
        return (self.folder / "shapes.geojson").read_bytes()

    @property
    def entries_file(self) -> Path:
        """All entries, each behind its length."""
        return self.folder / "entries.bin"

    def election(self) -> Election:
        """The election, read from its files."""
        return open_election(self.definition, self.units_csv, self.register_csv)

    def entries(self, limit: int | None = None) -> Iterator[bytes]:
        """The entries of the log in order, the definition first; the first so many of them."""
        with self.entries_file.open("rb", buffering=1 << 20) as file:
            left = -1 if limit is None else limit
            while left != 0 and (head := file.read(4)):
                yield file.read(int.from_bytes(head, "big"))
                left -= 1


def log_signer() -> LogSigner:
    """The keys of the log that the definition names."""
    return LogSigner(ORIGIN, MASTER.derive("log/ed25519").seed, MASTER.derive("log/ml-dsa-44").seed)


def filled_log(made: Electorate, folder: Path) -> Log:
    """A log in a folder made anew, with all entries of an electorate."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = Log.open(SqliteStore.open(folder / "log.db", create=True), log_signer())
    entries = made.entries()
    while batch := list(islice(entries, BATCH)):
        log.append(batch)
    return log


def electorate(stations: int, seed: int = SEED) -> Electorate:
    """The election of so many stations; made on the first call, which takes about 60 CPU-seconds for a million."""
    folder = FOLDER / f"electorate-{FORMAT}-{stations}-{seed}"
    made = Electorate(folder)
    # truth.json is written last, so its presence says that the rest is whole.
    if not (folder / "truth.json").exists():
        _make(made, stations, seed)
    return made


def _make(made: Electorate, stations: int, seed: int) -> None:
    folder = made.folder
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"making an election of {stations:,} stations in {folder}")
    simulation = simulate_republic(stations, seed)
    opened = open_republic(simulation, MASTER.derive, LogIdentity(ORIGIN, log_signer().verifier.vkeys))
    (folder / "definition.cose").write_bytes(opened.definition)
    (folder / "units.csv").write_bytes(opened.units_csv)
    (folder / "register.csv").write_bytes(opened.register_csv)
    (folder / "shapes.geojson").write_bytes(opened.shapes)
    signed = sign_arrivals(simulation.sheets(opened.election.hash), MASTER.derive)
    total = simulation.arrival_count + 1
    began = time.monotonic()
    with made.entries_file.open("wb", buffering=1 << 20) as file:
        for number, entry in enumerate(chain([opened.definition], signed), start=1):
            file.write(struct.pack(">I", len(entry)))
            file.write(entry)
            if number % 16_384 == 0 or number == total:
                rate = number / max(1e-9, time.monotonic() - began)
                _say(f"\rsigned {number:,} of {total:,} statements, {rate:,.0f}/s", end="")
    _say("")
    (folder / "truth.json").write_bytes(simulation.truth.to_json())


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    arguments = [int(argument.replace("_", "").replace(",", "")) for argument in sys.argv[1:]]
    print(electorate(*(arguments or [30_000])).folder)
