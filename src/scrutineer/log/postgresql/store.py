"""The store in PostgreSQL: one writer at a time, entries and head in one transaction, any number of readers."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TypeVar, cast

import psycopg

from scrutineer.errors import StoreError
from scrutineer.log.postgresql import sql
from scrutineer.log.postgresql.schema import migrate, require_version
from scrutineer.log.postgresql.server import DAMAGED, Address, Connection, hang_up
from scrutineer.log.store import Head

CHUNK = 1024  # entries read at a time: at most 64 MiB, for an entry has at most 65,535 bytes
COPY_FROM = 256  # a batch of as many entries goes by COPY, which takes three more round trips and less work per entry
MEMBER_DEFAULTS = {
    "connect_timeout": "3",
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "2",
    "tcp_user_timeout": "3000",  # milliseconds
}
RECOVERY_WAIT = 5.0  # seconds that a writer waits for its own lost session to end on the server
ASK_AGAIN = 0.1  # seconds after which one that waits for the lock asks for it again

_ORIGIN = "origin"

T = TypeVar("T")


class PostgresqlStore:
    """A `Store` in the schema `scrutineer` of one database. One process writes; any number read, without any lock.

    Exactly one writer: it holds a session's advisory lock on the log's origin on the very connection that writes, so
    that who loses the connection loses the lock and cannot write. The tree does not hang on the lock, though. A batch moves the
    one row `tip` from the size and the fence that its writer knows, in the transaction that stores entries and head,
    or it is not stored. Each writer raises the fence by one when it begins, so an earlier one can write no more.

    A writer that lost its connection connects again at the next call. It gets the lock only once its old session
    has ended on the server, so that what `last_head` says then is final; and raising the fence, with the flush and the
    wait for standbys that each commit has, makes durable whatever that session left. Where another process has taken
    the lock meanwhile, it raises StoreError until that one is gone. A fence that another writer has raised stops it
    for good: it has to be opened anew.

    Safe to call from several threads: appends are serialised, and readers see committed batches only. Every failure is
    a StoreError, and none shows the password.
    """

    def __init__(self, address: Address, origin: str | None, *, member: bool = False) -> None:
        self._address = address
        self._origin = origin
        self._member = member
        self._fence = 0
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        self._candidate: Connection | None = None
        self._warnings: list[str] = []
        self._write_mutex = threading.Lock()
        self._read_mutex = threading.Lock()
        self._stopped: str | None = None

    @classmethod
    def open(cls, url: str, origin: str, *, create: bool = False, wait: float = 0.0) -> "PostgresqlStore":
        """Open the log of this origin for writing; `create` makes the tables in a database that has none.

        `wait` says for how many seconds to wait where another process writes; it gets the lock as soon as that one has gone.
        Raises StoreError when the server cannot be used, is a standby, does not flush (fsync off) or is reached through
        a pool of connections; when the tables are missing (without `create`) or of another version; when they hold
        another log; and when another process still writes.
        """
        address = Address.parse(url)
        if create:
            migrate(url)
        store = cls(address, origin)
        try:
            store._begin(wait)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open_reader(cls, url: str) -> "PostgresqlStore":
        """Open for reading only, also on a standby; takes no lock. Raises StoreError like `open`."""
        store = cls(Address.parse(url), None)
        store._connect_reader()
        return store

    @classmethod
    def open_member(cls, url: str, origin: str) -> "PostgresqlStore":
        """Open for one of several processes that take turns: it reads, and writes from a `lead` that succeeded to its end.

        It never takes the lock by itself: once its writing connection is lost, it refuses to write until the next `lead`. A
        server that does not answer is given up after about three seconds, unless the address says otherwise. Raises
        StoreError like `open`.
        """
        store = cls(Address.parse(url).with_defaults(MEMBER_DEFAULTS), origin, member=True)
        store._connect_reader()
        return store

    @property
    def address(self) -> Address:
        """Where the tables are."""
        return self._address

    @property
    def leads(self) -> bool:
        """Whether the writing connection is there, as far as is known."""
        return self._writer is not None

    @property
    def stopped(self) -> StoreError | None:
        """Why the store does not work again unless it is opened anew: damaged or closed; None while it may."""
        return StoreError(self._stopped) if self._stopped else None

    def lead(self, wait: float) -> int:
        """Wait at most so many seconds until no other process leads; then be the one that writes, and return the fence.

        What the log held when the one before ended is final by then: follow it before anything is appended. Called from one
        thread at a time; `close` ends the wait. Raises StoreError like `open`, also where another still leads in the end.
        """
        with self._write_mutex:
            self._lose_writer()
        self._begin(wait)
        return self._fence

    def check_lead(self) -> None:
        """Raise StoreError where this process does not lead any more."""

        def work(writer: Connection) -> None:
            if sql.rows(writer, sql.FENCE) != [(self._fence,)]:
                self._lose_writer()
                raise self._address.error("another process has begun to write this log")

        self._on_writer(work)

    def step_down(self) -> None:
        """Let another process lead."""
        with self._write_mutex:
            self._lose_writer()

    def end_other_lead(self) -> bool:
        """End the session of the process that leads, for one that hangs; whether there was one.

        Where it works after all, nothing is lost: its batch is refused, it steps down, and it may lead again.
        """
        return bool(self._query(sql.END_LEAD, (self._lock_number(),)))

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        """Store entries and head in one transaction; see `Store.append`."""
        start = head.size - len(entries)
        if start < 0 or not entries:
            raise self._address.error(f"a batch of {len(entries)} entries cannot end at {head.size}")

        def work(writer: Connection) -> bool:
            values: dict[str, object] = {"size": head.size, "start": start, "fence": self._fence, "time_ms": head.time_ms}
            values |= {"root": head.root, "signature": head.signature}
            if len(entries) < COPY_FROM:
                return sql.count(writer, sql.APPEND, values | {"bodies": list(entries)})
            with writer.transaction():
                moved = sql.count(writer, sql.APPEND, values | {"bodies": []})
                if moved:
                    with writer.cursor().copy(sql.COPY) as copy:
                        for part in sql.copy_stream(start, entries):
                            copy.write(part)
            return moved

        self._write(work, start)

    def extend(self, start: int, entries: Iterable[bytes], heads: Sequence[Head]) -> None:
        """Store several batches with their heads in one transaction: entries `start` up to the last head, for a copy of a log."""
        stop = heads[-1].size

        def work(writer: Connection) -> bool:
            with writer.transaction():
                if not sql.count(writer, sql.MOVE, {"size": stop, "start": start, "fence": self._fence}):
                    return False
                cursor = writer.cursor()
                with cursor.copy(sql.COPY) as copy:
                    for part in sql.copy_stream(start, entries):
                        copy.write(part)
                if cursor.rowcount != stop - start:
                    raise self._address.error(f"{cursor.rowcount} entries from {start} on cannot end at {stop}")
                rows: list[dict[str, object]] = [
                    {"size": h.size, "root": h.root, "signature": h.signature, "time_ms": h.time_ms, "fence": self._fence}
                    for h in heads
                ]
                cursor.executemany(sql.ADD_HEAD.encode(), rows)
            return True

        self._write(work, start)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries start … stop-1, read in chunks, each from the place where the last one ended; see `Store.entries`."""
        if not 0 <= start <= stop:
            raise self._address.error(f"entries {start} to {stop} are not a range")
        for first in range(start, stop, CHUNK):
            last = min(first + CHUNK, stop)
            query = "SELECT body FROM scrutineer.entry WHERE idx >= %s AND idx < %s ORDER BY idx"
            rows = self._query(query, (first, last))
            if len(rows) != last - first:
                raise self._address.error(
                    f"{last - first - len(rows)} of the entries {first} to {last - 1} are missing; "
                    "restore it from a backup or from a mirror of the log"
                )
            for (body,) in rows:
                yield cast("bytes", body)

    def entry(self, index: int) -> bytes:
        """Return one entry; see `Store.entry`."""
        rows = self._query("SELECT body FROM scrutineer.entry WHERE idx = %s", (index,))
        if not rows:
            raise self._address.error(f"there is no entry {index}")
        return cast("bytes", rows[0][0])

    def head_covering(self, index: int) -> Head:
        """Return the first head with a size above `index`; see `Store.head_covering`."""
        rows = self._query(sql.HEAD + "WHERE size > %s ORDER BY size LIMIT 1", (index,))
        if not rows or index < 0:
            raise self._address.error(f"no head covers entry {index}")
        return sql.head(rows[0])

    def last_head(self) -> Head | None:
        """Return the newest head, or None for an empty store.

        A writer asks on the connection that holds the lock, so that no batch of its own can still be under way.
        """
        if self._origin is None or self._member:
            rows = self._query(sql.LAST_HEAD, ())
        else:
            rows = self._on_writer(lambda writer: sql.rows(writer, sql.LAST_HEAD))
        return sql.head(rows[0]) if rows else None

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        """Yield the heads whose sizes are above `after` and at most `upto`, in order."""
        rows: list[sql.Row] | None = None
        while rows is None or len(rows) == CHUNK:
            rows = self._query(sql.HEADS, (after, upto, CHUNK))
            yield from map(sql.head, rows)
            after = cast("int", rows[-1][0]) if rows else after

    def meta(self, key: str) -> bytes | None:
        """Return a small named value, or None."""
        rows = self._query(sql.META, (key,))
        return cast("bytes", rows[0][0]) if rows else None

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a small named value durably, replacing an earlier one."""
        self._write(lambda writer: sql.count(writer, sql.SET_META, {"fence": self._fence, "key": key, "value": value}), None)

    def close(self) -> None:
        """Release connections and lock; the store refuses work from here on."""
        self._stopped = self._stopped or str(self._address.error("closed"))
        if self._member:
            # A wait for the lock, or for a server that does not answer, ends at once.
            for connection in (self._candidate, self._writer, self._reader):
                hang_up(connection)
        with self._write_mutex, self._read_mutex:
            self._lose_writer()
            self._lose_reader()

    def _write(self, work: Callable[[Connection], bool], start: int | None) -> None:
        """Run a transaction that answers whether it was let through, given the fence and the size that it expects."""

        def guarded(writer: Connection) -> None:
            if not work(writer):
                raise self._refused(writer, start)
            if self._warnings:
                # Written here; whether the standby has it as well is known only from a commit that waited to its end.
                self._lose_writer()
                raise self._address.error(f"{'; '.join(self._warnings)}. Whether the batch is stored is to be seen")

        self._on_writer(guarded)

    def _refused(self, writer: Connection, start: int | None) -> StoreError:
        ((size, fence),) = sql.rows(writer, "SELECT size, fence FROM scrutineer.tip")
        if fence != self._fence:
            self._lose_writer()
            reason = "another process has begun to write this log, or its tables were migrated"
            return self._address.error(reason) if self._member else self._stop(reason)
        return self._address.error(
            f"the log has {size} entries where {start} were expected; another writer has moved it, so close one of the two"
        )

    def _on_writer(self, work: Callable[[Connection], T]) -> T:
        with self._write_mutex:
            if self._stopped:
                raise StoreError(self._stopped)
            if self._origin is None:
                raise self._address.error("opened for reading only")
            if self._writer is None and self._member:
                raise self._address.error("this process does not lead")
            writer = self._writer or self._begin(RECOVERY_WAIT)
            self._warnings.clear()
            try:
                return work(writer)
            except psycopg.Error as error:
                raise self._failed(error, writer) from None
            except StoreError:
                raise
            except BaseException:
                # An interrupt: only the server knows what becomes of the statement that was under way.
                self._lose_writer()
                raise

    def _begin(self, wait: float) -> Connection:
        """Connect, check server and tables, take the lock and raise the fence."""
        writer = self._candidate = self._address.connect()
        try:
            if self._stopped:
                raise StoreError(self._stopped)
            writer.add_notice_handler(self._take_notice)
            self._warnings.clear()
            self._require_server(writer)
            writer.execute(sql.WRITER_SETTINGS.encode())
            with suppress(psycopg.errors.InvalidParameterValue):  # Not every system on which a server runs can do it.
                writer.execute("SET client_connection_check_interval = '1s'")
            self._lock(writer, wait)
            # After the lock, for the writer before this one may have made the tables.
            require_version(self._address, writer)
            stored = sql.rows(writer, sql.META, (_ORIGIN,))
            origin = (self._origin or "").encode()
            # Empty while a copy is under way: then only one that goes on with it, for `Log.open` refuses.
            if stored and stored[0][0] not in (b"", origin):
                raise self._address.error(f"the database holds another log ({stored[0][0]!r}); check address and election")
            rows = sql.rows(writer, sql.RAISE_FENCE)
            if len(rows) != 1 or self._warnings:
                raise self._address.error("; ".join(self._warnings) or "the row tip is missing; restore it from a backup")
        except BaseException as error:
            writer.close()
            if isinstance(error, psycopg.Error):
                raise self._address.explain(error) from None
            raise
        finally:
            self._candidate = None
        self._fence = cast("int", rows[0][0])
        self._writer = writer
        return writer

    def _require_server(self, writer: Connection) -> None:
        ((session, standby, flushes, read_only),) = sql.rows(writer, sql.STATE)
        if session != writer.info.backend_pid:
            raise self._address.error(
                "it is reached through a pool of connections, which can lend the writer's lock to others; "
                "give the address of the server itself"
            )
        if standby or read_only == "on":
            raise self._address.error("the server is read-only; give the address of the primary server")
        if flushes != "on":
            raise self._address.error("the server does not flush to its disk; set fsync = on, for what it answers may be lost")

    def _lock_number(self) -> int:
        return int.from_bytes(sha256(b"scrutineer log writer\n" + (self._origin or "").encode()).digest()[:8], signed=True)

    def _lock(self, writer: Connection, wait: float) -> None:
        key = self._lock_number()
        end = time.monotonic() + wait
        # It asks again and again. A session that waits within one statement looks at the tables as they were when it began,
        # and for so long the server keeps every row that was replaced meanwhile: each commit would take longer than the last.
        while sql.rows(writer, "SELECT pg_try_advisory_lock(%s)", (key,)) != [(True,)]:
            if time.monotonic() >= end:
                raise self._address.error("another process is writing to it; only one may")
            time.sleep(ASK_AGAIN)

    def _query(self, query: str, parameters: tuple[object, ...]) -> list[sql.Row]:
        with self._read_mutex:
            # A connection that was lost since the last query is made anew, once; reading again changes nothing.
            for fresh in (self._reader is None, True):
                if self._stopped:
                    raise StoreError(self._stopped)
                reader = self._reader or self._connect_reader()
                try:
                    return sql.rows(reader, query, parameters)
                except psycopg.Error as error:
                    failure = self._failed(error, reader)
                    if fresh or not reader.closed:
                        raise failure from None
                except BaseException:
                    # An interrupt may have left a statement under way.
                    self._lose_reader()
                    raise
            raise failure

    def _connect_reader(self) -> Connection:
        reader = self._address.connect()
        try:
            reader.execute("SET default_transaction_read_only = on")
            require_version(self._address, reader)
        except psycopg.Error as error:
            reader.close()
            raise self._address.explain(error) from None
        except BaseException:
            reader.close()
            raise
        self._reader = reader
        return reader

    def _failed(self, error: psycopg.Error, connection: Connection) -> StoreError:
        failure = self._address.explain(error)
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            # Lost, or in a state from which it cannot be told what will become of the statement.
            if connection is self._writer:
                self._lose_writer()
            else:
                self._lose_reader()
        return self._stop(str(failure)) if error.sqlstate in DAMAGED else failure

    def _take_notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warnings.append(notice.message_primary or "a warning without words")

    def _lose_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _lose_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _stop(self, reason: str) -> StoreError:
        if not self._stopped:
            self._stopped = f"{reason}. The store has stopped: open it anew"
        return StoreError(self._stopped)
