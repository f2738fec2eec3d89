"""A process that appends to a log until it is killed; the chaos tests start it and end it at bad moments.

Run as `log_writer.py`: it reads lines "<store> <first number> <seed>", where the store is a path or a postgresql:// URL.
For each it starts a child that appends numbered entries without end in batches of random size. A child writes "pid <pid>"
first, then one line for each acknowledged batch: "ack <log size> <root in hex> <number>:<index> …". Starting children by
fork saves the imports.

Run as `log_writer.py <store path> <batches>`: it appends that many batches in this process, and ends with "stopped
<message>" when the store fails.
"""

import importlib
import os
import random
import sys
import threading
from pathlib import Path

from log_helpers import ORIGIN, signer
from scrutineer.errors import StoreError
from scrutineer.log import Log, SqliteStore, Store


def entry(number: int) -> bytes:
    return b"entry %d " % number + b"x" * (number % 700)


def say(line: str) -> None:
    # One write of less than 4096 bytes: a line that was begun is complete, however the process ends.
    os.write(1, line.encode() + b"\n")


def append(log: Log, first: int, count: int) -> None:
    results = log.append([entry(number) for number in range(first, first + count)])
    pairs = " ".join(f"{number}:{result.index}" for number, result in enumerate(results, first))
    say(f"ack {log.size} {log.root().hex()} {pairs}")


def opened(place: str) -> Store:
    if not place.startswith("postgresql://"):
        return SqliteStore.open(Path(place), create=True)
    postgresql = importlib.import_module("scrutineer.log.postgresql")
    store: Store = postgresql.PostgresqlStore.open(place, ORIGIN, create=True, wait=10)
    return store


def write_for_ever(place: str, first: int, seed: int) -> None:
    store = opened(place)
    log = Log.open(store, signer())
    dice = random.Random(seed)

    def empty_write_ahead_log() -> None:
        while True:
            store.checkpoint_wal()

    if isinstance(store, SqliteStore):
        threading.Thread(target=empty_write_ahead_log, daemon=True).start()
    while True:
        count = dice.choice([1, 2, 7, 40, 256])
        append(log, first, count)
        first += count


def serve() -> None:
    for line in sys.stdin:
        place, first, seed = line.split()
        if place.startswith("postgresql://"):
            importlib.import_module("scrutineer.log.postgresql")
        pid = os.fork()
        if pid == 0:
            say(f"pid {os.getpid()}")
            write_for_ever(place, int(first), int(seed))
        os.waitpid(pid, 0)
        say("gone")


def write_batches(path: Path, batches: int) -> None:
    try:
        log = Log.open(SqliteStore.open(path, create=True), signer())
        for number in range(0, 5 * batches, 5):
            try:
                append(log, number, 5)
            except StoreError as error:
                say(f"stopped {error}")
                append(log, number, 5)
    except StoreError as error:
        say(f"stopped {error}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_batches(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        serve()
