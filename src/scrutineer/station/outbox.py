"""The outbox: which statements a station has, which of them the log holds, and which wait. What is in it survives power loss.

It is one SQLite database in WAL mode with full flushing. An append-only file with a flush after each record would be as
durable and somewhat smaller; the database was taken because three programs use an outbox at once (one queues, one sends, one
shows), because a receipt must replace "waiting" in one step, and because thousands of statements must not be read again for
each question. A transaction that a power cut tears is cut off when the file is opened; what `add` returned for is on the disk.

Times are seconds since 1970 by this machine's clock and are only ever shown: nothing here depends on them.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

from scrutineer.errors import ReceiptError, StoreError
from scrutineer.http.problems import Problem
from scrutineer.log import LogVerifier, Receipt, verify_receipt
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.statement import statement_hash

FORMAT: Final = 1
APPLICATION: Final = 0x53_4F_55_54  # SQLite's application id, "SOUT": other databases have formats numbered 1 as well
BUSY_TIMEOUT: Final = 10.0  # seconds to wait while another program writes to the outbox
PAGE: Final = 1_000  # statements read at a time, unless asked otherwise

State = Literal["waiting", "receipted", "refused"]
_Result = TypeVar("_Result")

# The table `waiting` holds numbers alone: what is asked for most is what is read fastest.
_SCHEMA: Final = f"""
CREATE TABLE statement (
    number INTEGER PRIMARY KEY, leaf BLOB NOT NULL UNIQUE, body BLOB NOT NULL, queued INTEGER NOT NULL
) STRICT;
CREATE TABLE waiting (number INTEGER PRIMARY KEY) STRICT;
CREATE TABLE receipt (
    number INTEGER PRIMARY KEY, body BLOB NOT NULL, position INTEGER NOT NULL, received INTEGER NOT NULL
) STRICT;
CREATE TABLE refusal (
    number INTEGER PRIMARY KEY, way TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, refused INTEGER NOT NULL
) STRICT;
CREATE TABLE held (number INTEGER PRIMARY KEY, way TEXT NOT NULL, held INTEGER NOT NULL) STRICT;
CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
"""
_ENTRY: Final = (
    "SELECT statement.number, leaf, statement.body, queued, receipt.body, position, received, refusal.way, code, detail, refused,"
    " held.way, held, waiting.number FROM statement LEFT JOIN waiting USING (number) LEFT JOIN receipt USING (number)"
    " LEFT JOIN refusal USING (number) LEFT JOIN held USING (number) "
)
_KEPT: Final = "nothing that was queued is lost"
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: f"the disk is full; {_KEPT}: make room and try again",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make it writable",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder cannot be opened; check path and permissions",
    sqlite3.SQLITE_BUSY: "another program holds it locked; close that one and try again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, then queue the statements again from files or printed sheets",
    sqlite3.SQLITE_NOTADB: "the file is not an outbox; check the path",
    sqlite3.SQLITE_IOERR: f"the disk failed or is full; {_KEPT}: check it, then try again",
}


class Waiting(NamedTuple):
    """A statement that still has to be sent."""

    number: int
    """Place in the order of queueing, from 1."""
    leaf: bytes
    """Statement hash, 32 bytes: the leaf of the log's tree."""
    statement: bytes


class Received(NamedTuple):
    """A receipt that has been verified: of which statement, its bytes, and what `verify_receipt` returned for it."""

    leaf: bytes
    receipt: bytes
    content: Receipt


class Refusal(NamedTuple):
    """A statement that a way refused for good."""

    leaf: bytes
    way: str
    problem: Problem


class Held(NamedTuple):
    """A statement that a relay stores and will forward: no receipt, so it goes on waiting."""

    leaf: bytes
    way: str


class Entry(NamedTuple):
    """All that the outbox knows of one statement."""

    number: int
    leaf: bytes
    statement: bytes
    queued: int
    state: State
    receipt: bytes | None = None
    position: int | None = None
    """Index in the log."""
    received: int | None = None
    refused_by: str | None = None
    problem: Problem | None = None
    refused: int | None = None
    held_by: str | None = None
    held: int | None = None


class Tally(NamedTuple):
    """How many statements there are of each state; those held by a relay are among the waiting."""

    receipted: int
    waiting: int
    refused: int
    held: int

    @property
    def all(self) -> int:
        """How many statements the outbox has."""
        return self.receipted + self.waiting + self.refused


class Taken(NamedTuple):
    """What became of receipts that came from somewhere else."""

    accepted: int
    known: int
    """Receipts for statements that had theirs already."""
    strange: int
    """Receipts for statements that are not in this outbox."""
    false: tuple[tuple[bytes, str], ...]
    """Statement hash and reason for each receipt that proves nothing."""


class Outbox:
    """Statements and their receipts in one file. Several processes may use it at once; safe to call from several threads.

    Every failure is a StoreError that says what to do. Calls that write return when what they wrote is on the disk.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._clock = clock
        self._mutex = threading.RLock()

    @classmethod
    def open(cls, path: Path, *, create: bool = False, clock: Callable[[], float] = time.time) -> "Outbox":
        """Open the outbox in this file; `create` makes it where it is missing."""
        if not create and not path.is_file():
            raise StoreError(f"outbox {path}: there is no such file; make a station's folder first, or check the path")
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_TIMEOUT,
            )
        except sqlite3.Error as error:
            raise _explain(path, error) from None
        try:
            _prepare(path, connection)
        except sqlite3.Error as error:
            connection.close()
            raise _explain(path, error) from None
        except StoreError:
            connection.close()
            raise
        return cls(path, connection, clock)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def add(self, statements: Iterable[bytes]) -> int:
        """Queue statements, all or none, in one flush; those that are there already are left as they are. How many were new.

        Whether they are well-formed is the caller's to check: this is where bytes are kept, not where they are judged.
        """
        now = int(self._clock())
        rows = []
        for statement in statements:
            if not 0 < len(statement) <= MAX_STATEMENT_SIZE:
                raise StoreError(f"outbox {self._path}: a statement has 1 to {MAX_STATEMENT_SIZE} bytes, not {len(statement)}")
            rows.append((statement_hash(statement), statement, now))

        def work() -> int:
            new = 0
            for row in rows:
                found = self._connection.execute(
                    "INSERT INTO statement (leaf, body, queued) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING number", row
                ).fetchall()
                if found:
                    self._connection.execute("INSERT INTO waiting VALUES (?)", found[0])
                    new += 1
            return new

        return self._write(work)

    def waiting(self, after: int = 0, limit: int = PAGE) -> list[Waiting]:
        """The next statements that still have to be sent, in the order of queueing, behind number `after`."""
        rows = self._read(
            "SELECT number, leaf, body FROM waiting JOIN statement USING (number) WHERE number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [Waiting(*row) for row in rows]

    def record(self, received: Sequence[Received] = (), refused: Sequence[Refusal] = (), held: Sequence[Held] = ()) -> None:
        """Keep what ways answered, all in one flush. A receipt is final: nothing that comes later takes it back.

        Statements that are not here are passed over.
        """
        now = int(self._clock())

        def work() -> None:
            run = self._connection.executemany
            run(
                "INSERT INTO receipt SELECT number, ?, ?, ? FROM statement WHERE leaf = ? ON CONFLICT DO NOTHING",
                [(receipt, content.index, now, leaf) for leaf, receipt, content in received],
            )
            leaves = [(leaf,) for leaf, _, _ in received]
            run("DELETE FROM refusal WHERE number = (SELECT number FROM statement WHERE leaf = ?)", leaves)
            # Only what still waits can be refused: the log's receipt stands above whatever anybody says.
            run(
                "INSERT INTO refusal SELECT number, ?, ?, ?, ? FROM statement JOIN waiting USING (number) WHERE leaf = ?"
                " ON CONFLICT (number) DO UPDATE SET (way, code, detail, refused) = (excluded.way, excluded.code,"
                " excluded.detail, excluded.refused)",
                [(way, problem.code, problem.detail, now, leaf) for leaf, way, problem in refused],
            )
            leaves += [(leaf,) for leaf, _, _ in refused]
            run("DELETE FROM waiting WHERE number = (SELECT number FROM statement WHERE leaf = ?)", leaves)
            run("DELETE FROM held WHERE number = (SELECT number FROM statement WHERE leaf = ?)", leaves)
            run(
                "INSERT INTO held SELECT number, ?, ? FROM statement JOIN waiting USING (number) WHERE leaf = ?"
                " ON CONFLICT (number) DO UPDATE SET way = excluded.way",
                [(way, now, leaf) for leaf, way in held],
            )

        if received or refused or held:
            self._write(work)

    def take_receipts(self, receipts: Iterable[tuple[bytes, bytes]], verifier: LogVerifier) -> Taken:
        """Check receipts (statement hash, receipt) that came back by any other way and keep those that prove something."""
        good: list[Received] = []
        false: list[tuple[bytes, str]] = []
        known = strange = 0
        for leaf, receipt in receipts:
            entry = self.find(leaf)
            if entry is None:
                strange += 1
            elif entry.state == "receipted":
                known += 1
            else:
                try:
                    good.append(Received(leaf, receipt, verify_receipt(receipt, leaf, verifier)))
                except ReceiptError as error:
                    false.append((leaf, str(error)))
        self.record(good)
        return Taken(len({leaf for leaf, _, _ in good}), known, strange, tuple(false))

    def send_again(self, leaves: Iterable[bytes] | None = None) -> int:
        """Let refused statements wait once more, after what they were refused for has been put right. How many there were.

        `leaves` are their hashes; None lets all of them wait.
        """
        only = None if leaves is None else [(leaf,) for leaf in leaves]

        def work() -> int:
            if only is None:
                self._connection.execute("INSERT INTO waiting SELECT number FROM refusal")
                return self._connection.execute("DELETE FROM refusal").rowcount
            run = self._connection.executemany
            run("INSERT INTO waiting SELECT number FROM refusal JOIN statement USING (number) WHERE leaf = ?", only)
            return run("DELETE FROM refusal WHERE number = (SELECT number FROM statement WHERE leaf = ?)", only).rowcount

        return self._write(work)

    def find(self, leaf: bytes) -> Entry | None:
        """What is known of the statement with this hash; None where the outbox does not have it."""
        rows = self._read(_ENTRY + "WHERE leaf = ?", (leaf,))
        return _entry(rows[0]) if rows else None

    def entries(self, state: State | None = None, after: int = 0, limit: int = PAGE) -> list[Entry]:
        """Statements of a state (None: of any) in the order of queueing, behind number `after`."""
        table = {"waiting": "waiting", "receipted": "receipt", "refused": "refusal", None: "statement"}[state]
        rows = self._read(_ENTRY + f"WHERE {table}.number > ? ORDER BY {table}.number LIMIT ?", (after, limit))
        return [_entry(row) for row in rows]

    def settled(self, leaves: Iterable[bytes]) -> set[bytes]:
        """Those of these statements (by hash) that are here and wait no longer: the log recorded them, or they were refused."""
        sql = "SELECT 1 FROM statement WHERE leaf = ? AND NOT EXISTS (SELECT 1 FROM waiting WHERE number = statement.number)"
        return {leaf for leaf in leaves if self._read(sql, (leaf,))}

    def tally(self) -> Tally:
        """How many statements there are of each state."""
        return Tally(
            *self._read(
                "SELECT (SELECT count(*) FROM receipt), (SELECT count(*) FROM waiting), (SELECT count(*) FROM refusal),"
                " (SELECT count(*) FROM held)"
            )[0]
        )

    def note(self, key: str) -> bytes | None:
        """A small named value that is kept beside the statements; None where there is none."""
        rows = self._read("SELECT value FROM note WHERE key = ?", (key,))
        value: bytes | None = rows[0][0] if rows else None
        return value

    def set_note(self, key: str, value: bytes) -> None:
        """Keep a small named value in place of an earlier one."""
        self._write(
            lambda: self._connection.execute(
                "INSERT INTO note VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._mutex:
            self._connection.close()

    def _write(self, work: Callable[[], _Result]) -> _Result:
        with self._mutex:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                result = work()
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                failure = _explain(self._path, error)
                try:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                except sqlite3.Error as second:
                    raise StoreError(f"{failure} (taking it back failed as well: {second})") from None
                raise failure from None
            return result

    def _read(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        with self._mutex:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise _explain(self._path, error) from None


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"outbox {path}: write-ahead logging is not possible here; use a folder on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    if _is_new(path, connection):
        # Two programs may find a new file at the same time; the one that waits here then sees what the other made.
        connection.execute("BEGIN IMMEDIATE")
        if _is_new(path, connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
        connection.execute("COMMIT")


def _is_new(path: Path, connection: sqlite3.Connection) -> bool:
    version, application = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (version, application) == (FORMAT, APPLICATION):
        return False
    if version or application or tables:
        raise StoreError(f"outbox {path}: it is not an outbox that this program can read; check the path")
    return True


def _entry(row: Sequence[Any]) -> Entry:
    number, leaf, body, queued, receipt, position, received, way, code, detail, refused, held_by, held, waits = row
    state: State = "receipted" if receipt is not None else "waiting" if waits is not None else "refused"
    problem = Problem(code, detail) if code is not None else None
    return Entry(number, leaf, body, queued, state, receipt, position, received, way, problem, refused, held_by, held)


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return StoreError(f"outbox {path}: {error}" + (f"; {advice}" if advice else ""))
