import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from log_helpers import check_log, signer
from scrutineer.errors import StoreError
from scrutineer.log import Head, Log, SqliteStore


def head(size: int, time_ms: int = 0) -> Head:
    return Head(size, bytes([size % 256]) * 32, bytes(64), time_ms)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path, create=True)
    yield opened
    opened.close()


def test_a_second_writer_is_refused_and_readers_are_not(store: SqliteStore, path: Path) -> None:
    store.append([b"a"], head(1))
    with pytest.raises(StoreError, match="another process is writing"):
        SqliteStore.open(path)
    program = (
        "import sys; from pathlib import Path; from scrutineer.log import SqliteStore\n"
        "from scrutineer.errors import StoreError\n"
        "reader = SqliteStore.open_reader(Path(sys.argv[1]))\n"
        "print(reader.entry(0), reader.last_head().size)\n"
        "try:\n    SqliteStore.open(Path(sys.argv[1]))\nexcept StoreError as error:\n    print(error)\n"
    )
    output = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True).stdout
    assert output.startswith("b'a' 1\n")
    assert "only one may" in output
    store.append([b"b"], head(2))
    reader = SqliteStore.open_reader(path)
    assert list(reader.entries(0, 2)) == [b"a", b"b"]
    with pytest.raises(StoreError, match="reading only"):
        reader.append([b"c"], head(3))
    with pytest.raises(StoreError, match="reading only"):
        reader.checkpoint_wal()
    reader.close()


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    for call in (store.last_head, store.checkpoint_wal, lambda: store.append([b"a"], head(1))):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_a_full_disk_leaves_the_store_usable(store: SqliteStore) -> None:
    store.append([b"a"], head(1))
    writer = store._writer
    assert writer is not None
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full; make room"):
        store.append([b"x" * 60_000] * 20, head(21))
    assert store.last_head() == head(1)
    writer.execute("PRAGMA max_page_count = 4294967294")
    store.append([b"b"], head(2))
    assert list(store.entries(0, 2)) == [b"a", b"b"]


def test_a_disk_that_fails_to_write_stops_the_store(path: Path) -> None:
    """The limit on file sizes makes the kernel refuse a write, which SQLite reports as a failure of the disk."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from scrutineer.log import Head, SqliteStore; from scrutineer.errors import StoreError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = SqliteStore.open(Path(sys.argv[1]), create=True)\n"
        "store.append([b'a'], Head(1, bytes(32), bytes(64), 0))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))\n"
        "for call in (lambda: store.append([b'x' * 60_000] * 20, Head(21, bytes(32), bytes(64), 0)),\n"
        "             lambda: store.append([b'b'], Head(2, bytes(32), bytes(64), 0)), store.last_head):\n"
        "    try:\n        call()\n    except StoreError as error:\n        print('stopped' in str(error), error)\n"
    )
    output = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in output.splitlines()] == ["True"] * 3, output
    again = SqliteStore.open(path)
    assert (list(again.entries(0, 1)), again.last_head()) == ([b"a"], Head(1, bytes(32), bytes(64), 0))
    again.close()


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes(b"not a database, but long enough to be looked at by the library " * 100)
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE bird (name TEXT)")
    connection.close()
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for path in (text, other, newer):
        for call in (SqliteStore.open, SqliteStore.open_reader):
            with pytest.raises(StoreError, match="not a log store"):
                call(path)
    with pytest.raises(StoreError):
        SqliteStore.open(tmp_path / "nowhere" / "log.db", create=True)
    with pytest.raises(StoreError):
        SqliteStore.open_reader(tmp_path / "nowhere.db")


@contextmanager
def as_another_user() -> Iterator[None]:
    """The administrator may write anywhere, so read-only folders are tried as somebody who may not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_read_only_folder_or_file_is_explained() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "log.db"
        SqliteStore.open(path, create=True).close()
        path.chmod(0o444)
        folder.chmod(0o555)
        with as_another_user():
            for target in (folder / "new.db", path):
                with pytest.raises(StoreError, match="read-only; make it writable"):
                    SqliteStore.open(target, create=True)
        folder.chmod(0o755)


def test_a_folder_where_no_file_can_be_made_is_explained() -> None:
    with pytest.raises(StoreError, match=r"log store /proc/log\.db"):
        SqliteStore.open(Path("/proc/log.db"), create=True)


def test_a_damaged_file_is_an_error_and_never_wrong_bytes(path: Path) -> None:
    log = Log.open(SqliteStore.open(path, create=True), signer())
    log.append([b"%d" % number * 50 for number in range(2000)])
    log.close()
    data = bytearray(path.read_bytes())
    for position in range(3 * 4096, len(data), 4096):
        data[position : position + 16] = b"\xff" * 16
    path.write_bytes(data)
    store = SqliteStore.open(path)
    with pytest.raises(StoreError, match="damaged"):
        Log.open(store, signer())
    with pytest.raises(StoreError, match="stopped"):
        store.meta("origin")
    store.close()


def test_the_write_ahead_log_can_be_emptied_beside_appends(store: SqliteStore, path: Path) -> None:
    """Appends and checkpoints of the write-ahead log run at the same time, and neither fails."""
    log = Log.open(store, signer())
    stop = threading.Event()
    failures: list[BaseException] = []

    def empty() -> None:
        try:
            while not stop.is_set():
                store.checkpoint_wal()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=empty)
    thread.start()
    entries = [b"%d" % number * 100 for number in range(2000)]
    for start in range(0, 2000, 20):
        log.append(entries[start : start + 20])
    stop.set()
    thread.join()
    assert not failures
    assert store.checkpoint_wal() == 0
    check_log(log, entries)


def test_a_long_write_ahead_log_starts_again(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.log.sqlite.WAL_LIMIT", 10)
    for size in range(1, 40):
        store.append([b"x" * 5000], head(size))
        store.checkpoint_wal()
    wal = path.with_name(path.name + "-wal")
    assert wal.stat().st_size < 40 * 4096


def test_readers_see_committed_batches_only(store: SqliteStore) -> None:
    """While a batch is being written on one thread, another sees the log as it was."""
    store.append([b"a"], head(1))
    writer = store._writer
    assert writer is not None
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO entry VALUES (1, x'00')")
    with pytest.raises(StoreError):
        store.entry(1)
    writer.execute("ROLLBACK")
