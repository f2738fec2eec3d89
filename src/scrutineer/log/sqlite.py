"""The embedded store: one SQLite file in WAL mode, flushed at every batch, one writer."""

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scrutineer.durable import sync_folder
from scrutineer.errors import StoreError
from scrutineer.log.store import Head

CHUNK = 4096  # entries read at a time
BUSY_TIMEOUT = 10.0  # seconds to wait while a checkpoint of the write-ahead log holds the lock
WAL_LIMIT = 16_384  # pages of 4 KiB; a longer write-ahead log is emptied even if the writer must wait for it
FORMAT = 1

_SCHEMA = (
    "CREATE TABLE entry (idx INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    "CREATE TABLE head (size INTEGER PRIMARY KEY, root BLOB NOT NULL, signature BLOB NOT NULL, time_ms INTEGER NOT NULL) STRICT",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    f"PRAGMA user_version = {FORMAT}",
)
_HEAD = "SELECT size, root, signature, time_ms FROM head "

# Failures after which what is on the disk is unknown: a failed flush may have dropped the pages that it should have
# written, and trying again can then succeed without them. Only a restart, which reads the file anew, may go on.
_FATAL = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make it writable",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder cannot be opened; check path and permissions",
    sqlite3.SQLITE_BUSY: "another program holds the file locked; close it and try again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a mirror of the log",
    sqlite3.SQLITE_NOTADB: "the file is not a log store; check the path",
    sqlite3.SQLITE_IOERR: "the disk is full or failing; make room, or check it, then restart",
}

_OS_ADVICE = {
    errno.ENOSPC: _ADVICE[sqlite3.SQLITE_FULL],
    errno.EACCES: _ADVICE[sqlite3.SQLITE_READONLY],
    errno.EPERM: _ADVICE[sqlite3.SQLITE_READONLY],
    errno.EROFS: _ADVICE[sqlite3.SQLITE_READONLY],
    errno.ENOENT: "there is no such folder; create it or check the path",
}


class SqliteStore:
    """A `Store` in one SQLite file. One process writes (exclusive); any number read.

    Safe to call from several threads: appends are serialised, and readers see committed batches only. Every failure is
    a StoreError. After a failed flush, or any other failure of the disk, the store refuses all further work until it
    is opened anew.
    """

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: sqlite3.Connection | None, lock: int) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._read_mutex = threading.Lock()
        self._write_mutex = threading.Lock()
        self._checkpoint_mutex = threading.Lock()
        self._stopped: str | None = None
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "SqliteStore":
        """Open for writing; `create` makes a missing file.

        Raises StoreError when the file is missing (without `create`), held by another writer, read-only, damaged or of
        another format.
        """
        if not create and not path.is_file():
            raise StoreError(f"log store {path}: there is no such file; create it or check the path")
        lock = _lock(path)
        writer: sqlite3.Connection | None = None
        try:
            writer = _connect(path, "rwc" if create else "rw")
            _prepare(path, writer)
            sync_folder(path.parent)
            return cls(path, _connect(path, "ro"), writer, lock)
        except (sqlite3.Error, OSError) as error:
            _release(writer, lock)
            raise _explain(path, error) from None
        except StoreError:
            _release(writer, lock)
            raise

    @classmethod
    def open_reader(cls, path: Path) -> "SqliteStore":
        """Open for reading only; takes no lock and may run beside the writer in another process."""
        if not path.is_file():
            raise StoreError(f"log store {path}: there is no such file; check the path")
        try:
            reader = _connect(path, "ro")
            (version,) = reader.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise _explain(path, error) from None
        if version != FORMAT:
            reader.close()
            raise StoreError(f"log store {path}: format {version} instead of {FORMAT}; it is not a log store")
        return cls(path, reader, None, -1)

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        """Store entries and head in one transaction and one flush; see `Store.append`."""
        start = head.size - len(entries)
        if start < 0 or not entries:
            raise StoreError(f"log store {self._path}: a batch of {len(entries)} entries cannot end at {head.size}")
        self.extend(start, entries, (head,))

    def extend(self, start: int, entries: Iterable[bytes], heads: Sequence[Head]) -> None:
        """Store several batches with their heads in one transaction: entries `start` up to the last head, for a copy of a log."""
        stop = heads[-1].size

        def work(writer: sqlite3.Connection) -> None:
            (size,) = writer.execute("SELECT coalesce(max(size), 0) FROM head").fetchone()
            if size != start:
                raise StoreError(
                    f"log store {self._path}: the log has {size} entries where {start} were expected; "
                    "another writer has moved it, so close one of the two"
                )
            stored = writer.executemany("INSERT INTO entry VALUES (?, ?)", enumerate(entries, start)).rowcount
            if stored != stop - start:
                raise StoreError(f"log store {self._path}: {stored} entries from {start} on cannot end at {stop}")
            writer.executemany(
                "INSERT INTO head VALUES (?, ?, ?, ?)", ((head.size, head.root, head.signature, head.time_ms) for head in heads)
            )

        self._transaction(work)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries start … stop-1, read in large chunks; see `Store.entries`."""
        if not 0 <= start <= stop:
            raise StoreError(f"log store {self._path}: entries {start} to {stop} are not a range")
        for first in range(start, stop, CHUNK):
            last = min(first + CHUNK, stop)
            rows = self._query("SELECT body FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", (first, last))
            if len(rows) != last - first:
                raise StoreError(
                    f"log store {self._path}: {last - first - len(rows)} of the entries {first} to {last - 1} are missing; "
                    "restore it from a mirror of the log"
                )
            for (body,) in rows:
                yield body

    def entry(self, index: int) -> bytes:
        """Return one entry; see `Store.entry`."""
        rows = self._query("SELECT body FROM entry WHERE idx = ?", (index,))
        if not rows:
            raise StoreError(f"log store {self._path}: there is no entry {index}")
        body: bytes = rows[0][0]
        return body

    def head_covering(self, index: int) -> Head:
        """Return the first head with a size above `index`; see `Store.head_covering`."""
        rows = self._query(_HEAD + "WHERE size > ? ORDER BY size LIMIT 1", (index,))
        if not rows or index < 0:
            raise StoreError(f"log store {self._path}: no head covers entry {index}")
        return Head(*rows[0])

    def last_head(self) -> Head | None:
        """Return the newest head, or None for an empty store."""
        rows = self._query(_HEAD + "ORDER BY size DESC LIMIT 1", ())
        return Head(*rows[0]) if rows else None

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        """Yield the heads whose sizes are above `after` and at most `upto`, in order."""
        while rows := self._query(_HEAD + "WHERE size > ? AND size <= ? ORDER BY size LIMIT ?", (after, upto, CHUNK)):
            yield from (Head(*row) for row in rows)
            after = rows[-1][0]

    def meta(self, key: str) -> bytes | None:
        """Return a small named value, or None."""
        rows = self._query("SELECT value FROM meta WHERE key = ?", (key,))
        value: bytes | None = rows[0][0] if rows else None
        return value

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a small named value durably, replacing an earlier one."""
        self._transaction(
            lambda writer: writer.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )
        )

    def checkpoint_wal(self) -> int:
        """Copy the write-ahead log into the main file and return the number of pages that still wait.

        To be called now and then by another thread than the one that appends: on the writer's connection this work is
        switched off, because it would delay acknowledgements. It does not block appends, unless the write-ahead log has
        grown past `WAL_LIMIT`: then appends wait for it once (and do not fail, for they wait up to `BUSY_TIMEOUT`).
        """
        self._require_writer()
        with self._checkpoint_mutex:
            try:
                connection = _connect(self._path, "rw")
            except sqlite3.Error as error:
                raise _explain(self._path, error) from None
            try:
                _busy, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages > WAL_LIMIT:
                    _busy, pages, copied = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from None
            finally:
                connection.close()
        return max(0, int(pages) - int(copied))

    def close(self) -> None:
        """Release files and the writer lock; the store refuses work from here on."""
        with self._write_mutex, self._read_mutex:
            if self._closed:
                return
            self._closed = True
            self._stopped = self._stopped or f"log store {self._path}: closed"
            self._reader.close()
            _release(self._writer, self._lock)

    def _require_writer(self) -> sqlite3.Connection:
        if self._stopped:
            raise StoreError(self._stopped)
        if self._writer is None:
            raise StoreError(f"log store {self._path}: opened for reading only")
        return self._writer

    def _transaction(self, work: Callable[[sqlite3.Connection], object]) -> None:
        with self._write_mutex:
            writer = self._require_writer()
            try:
                writer.execute("BEGIN IMMEDIATE")
                work(writer)
                writer.execute("COMMIT")
            except BaseException as error:
                failure = self._failed(error) if isinstance(error, (sqlite3.Error, OverflowError)) else error
                try:
                    if writer.in_transaction:
                        writer.execute("ROLLBACK")
                except sqlite3.Error as second:
                    raise self._stop(f"{failure}; taking the batch back failed as well ({second})") from None
                raise failure from None

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        with self._read_mutex:
            if self._stopped:
                raise StoreError(self._stopped)
            try:
                return self._reader.execute(sql, parameters).fetchall()
            except (sqlite3.Error, OverflowError) as error:
                raise self._failed(error) from None

    def _failed(self, error: sqlite3.Error | OverflowError) -> StoreError:
        failure = _explain(self._path, error)
        return self._stop(str(failure)) if _code(error) in _FATAL else failure

    def _stop(self, reason: str) -> StoreError:
        self._stopped = f"{reason}. The store has stopped: what the disk holds is known only after opening it anew"
        return StoreError(self._stopped)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Transactions are begun by hand: the module's own would begin them where no statement says so.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT,
    )
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _prepare(path: Path, writer: sqlite3.Connection) -> None:
    """Switch to WAL and full flushing, create the tables of a new file, and refuse a file of another kind."""
    (version,) = writer.execute("PRAGMA user_version").fetchone()
    (tables,) = writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version != FORMAT and (version or tables):
        raise StoreError(f"log store {path}: format {version} instead of {FORMAT}; it is not a log store")
    (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"log store {path}: write-ahead logging is not possible here; use a local disk")
    writer.execute("PRAGMA synchronous = FULL")
    if version != FORMAT:
        writer.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            writer.execute(statement)
        writer.execute("COMMIT")


def _lock(path: Path) -> int:
    """Take the writer's lock on a file beside the store; the kernel lets go of it when the process ends."""
    # The lock is not on the store itself: closing that file would drop SQLite's own locks in this process.
    name = path.with_name(path.name + ".writer")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _explain(path, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreError(f"log store {path}: another process is writing to it; only one may") from None
    return descriptor


def _release(writer: sqlite3.Connection | None, lock: int) -> None:
    if writer is not None:
        writer.close()
    if lock >= 0:
        os.close(lock)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _explain(path: Path, error: Exception) -> StoreError:
    advice = _OS_ADVICE.get(error.errno or 0) if isinstance(error, OSError) else _ADVICE.get(_code(error))
    return StoreError(f"log store {path}: {error}" + (f"; {advice}" if advice else ""))
