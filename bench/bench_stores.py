"""The log's stores side by side: durable groups of entries with a head each, in SQLite and in PostgreSQL.

    python bench/bench_stores.py [URL]

Without the address of an empty database it starts a server of its own (Debian package postgresql) on this machine's disk, with
its flushes on. The rounds of both stores alternate, so that they meet the same disk and neighbours; of the rounds the middle
one counts. Prints entries per second, time of a group, CPU time per entry in this process (the server's is its own), the ratio
of both, and reading everything back.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from scrutineer.log import Head, SqliteStore, Store
from scrutineer.log.postgresql import PostgresqlStore

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

GROUPS = ((1, 60), (10, 60), (100, 60), (1000, 12), (8192, 3))  # entries of a group, groups of a round
ROUNDS = 5
BODY = 1024  # bytes
GOAL = 0.6  # of the embedded store, for the intake as a whole


@dataclass
class Side:
    """One store under test and what was measured of it."""

    name: str
    store: Store
    size: int = 0
    seconds: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)

    def round(self, bodies: list[bytes], count: int) -> None:
        """Append `count` groups."""
        started, spent = time.perf_counter(), time.process_time()
        for _ in range(count):
            self.size += len(bodies)
            self.store.append(bodies, Head(self.size, bytes(32), bytes(64), 0))
        self.seconds.setdefault(len(bodies), []).append((time.perf_counter() - started) / count)
        self.cpu.setdefault(len(bodies), []).append((time.process_time() - spent) / count)
        if isinstance(self.store, SqliteStore):
            # The service does this on another thread, off the way to the acknowledgement.
            self.store.checkpoint_wal()

    def read(self) -> float:
        """Entries per second, read back in order."""
        started = time.perf_counter()
        count = sum(1 for _ in self.store.entries(0, self.size))
        return count / (time.perf_counter() - started)


def main(url: str | None) -> None:
    with ExitStack() as stack:
        if url is None:
            from postgresql_server import running

            url = stack.enter_context(running()).database()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stores-"))
        sides = [
            Side("SQLite", SqliteStore.open(Path(folder) / "log.db", create=True)),
            Side("PostgreSQL", PostgresqlStore.open(url, "log.example/bench", create=True)),
        ]
        for side in sides:
            stack.callback(side.store.close)
        measure(sides)
        for side in sides:
            print(f"read back, {side.name}: {side.read():,.0f} entries/s")


def measure(sides: list[Side]) -> None:
    print(f"entries of {BODY} bytes; middle of {ROUNDS} alternating rounds")
    print(f"{'group':>6}{'':4}" + "".join(f"{side.name + ' /s':>14}{'ms':>8}{'CPU µs':>8}" for side in sides) + f"{'ratio':>8}")
    for entries, count in GROUPS:
        bodies = [os.urandom(BODY) for _ in range(entries)]
        for number in range(ROUNDS):
            for side in sides if number % 2 else reversed(sides):
                side.round(bodies, count)
        middle: Callable[[list[float]], float] = statistics.median
        line = f"{entries:>6}{'':4}"
        for side in sides:
            seconds, cpu = middle(side.seconds[entries]), middle(side.cpu[entries])
            line += f"{entries / seconds:>14,.0f}{seconds * 1e3:>8.2f}{cpu / entries * 1e6:>8.1f}"
        ratio = middle(sides[0].seconds[entries]) / middle(sides[1].seconds[entries])
        print(line + f"{ratio:>8.2f}", flush=True)
    print(f"ratio: PostgreSQL's rate to SQLite's (to reach with the whole intake around it: {GOAL})")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
