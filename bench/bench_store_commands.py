"""`store check`, `backup` and `restore` of a large log, beside a hash of the same bytes and SQLite's own copy.

    python bench/bench_store_commands.py [ENTRIES] [BATCH]

Makes a log of ENTRIES entries of 600 bytes (default 1,050,000) with one head for each BATCH of them (default 64), publishes its
tiles and bundles, and runs each command's work in this process. The floors are SHA-256 over the entries as they are read
from the store, SQLite's copy of the file (`.backup`), and one verification of a head's signature for each head. Prints seconds,
and the ratio to the floor that each row names.
"""

import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from log_helpers import signer
from scrutineer.log import Log, SqliteStore
from scrutineer.log.audit import audit_store
from scrutineer.log.backup import Backup, write_backup
from scrutineer.log.copy import restore
from scrutineer.log.mark import Mark
from scrutineer.log.receipt import verify_head
from store_helpers import VERIFIER, Site

BODY = 600  # bytes, about a tally sheet
LIMIT = 60  # seconds for a check of the default size


def main(count: int, batch: int) -> None:
    with tempfile.TemporaryDirectory(prefix="store-") as name:
        folder = Path(name)
        timed("make the log", lambda: make(folder / "log.db", count, batch))
        store = SqliteStore.open_reader(folder / "log.db")
        heads = list(store.heads(0, count))
        megabytes = (folder / "log.db").stat().st_size / 1e6
        print(f"{count:,} entries of {BODY} bytes, {len(heads):,} heads; {megabytes:,.0f} MB in SQLite")
        floors = {
            "sha256": timed("floor: read and SHA-256", lambda: digest(store, count)),
            "signatures": timed("floor: verify each head once, one thread", lambda: verify(heads)),
            "copy": timed("floor: SQLite's own copy", lambda: copy(folder / "log.db", folder / "copy.db")),
        }
        row("check", lambda: sound(store), {"sha256 + signatures": floors["sha256"] + floors["signatures"]})
        site = Site(folder / "log.db")
        row(
            "check with the published site",
            lambda: sound(store, site),
            {"sha256 + signatures": floors["sha256"] + floors["signatures"]},
        )
        file = folder / "backup"
        row("backup, read back and verified", lambda: write_backup(store, VERIFIER, file), {"SQLite's copy": floors["copy"]})
        print(f"  the file: {file.stat().st_size / 1e6:,.0f} MB")
        target = SqliteStore.open(folder / "new.db", create=True)

        def bring_back() -> None:
            restore(
                Backup(file),
                target,
                VERIFIER,
                sites=[(site.log, site.head)],
                mark=Mark(folder / "mark"),
                progress=silent,
                settle=target.checkpoint_wal,
            )

        row("restore, read again and verified", bring_back, {"SQLite's copy": floors["copy"]})
        target.close()
        store.close()


def make(path: Path, count: int, batch: int) -> None:
    store = SqliteStore.open(path, create=True)
    log = Log.open(store, signer())
    filler = b"x" * BODY
    for start in range(0, count, batch):
        log.append([b"%020d" % number + filler[20:] for number in range(start, min(start + batch, count))])
        if start // batch % 1000 == 0:
            store.checkpoint_wal()
    log.close()


def silent(_what: str, _done: int, _total: int) -> None:
    pass


def digest(store: SqliteStore, count: int) -> None:
    whole = hashlib.sha256()
    for entry in store.entries(0, count):
        whole.update(entry)


def verify(heads: list) -> None:  # type: ignore[type-arg]
    for head in heads:
        verify_head(head.size, head.root, head.signature, VERIFIER)


def copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


def sound(store: SqliteStore, *sites: Site) -> None:
    report = audit_store(store, VERIFIER, sites=[site.log for site in sites])
    if report.findings:
        raise SystemExit(str(report.findings[0]))


def timed(what: str, work: Callable[[], object]) -> float:
    started, spent = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - started
    print(f"{what:45}{seconds:8.1f} s{time.process_time() - spent:8.1f} s CPU", flush=True)
    return seconds


def row(what: str, work: Callable[[], object], floor: dict[str, float]) -> None:
    seconds = timed(what, work)
    for name, least in floor.items():
        print(f"  {seconds / least:.1f} × {name}")


if __name__ == "__main__":
    print(f"to reach: a check of 1,050,000 entries well below {LIMIT} s")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_050_000, int(sys.argv[2]) if len(sys.argv) > 2 else 64)
