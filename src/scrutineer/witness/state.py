"""The memory of a witness: what it has cosigned, in one SQLite file. It only moves forward.

The file itself refuses a step back: its triggers abort a row that is not larger than the last of its origin, a change of a
row, and the removal of the last one. Every row holds the cosigned checkpoint with this witness's own signatures, so damage
anywhere shows on start. What cannot be seen from inside is that the whole file was put back to an earlier day: a `mark`, a
number kept in another place, tells that; without it, only a checkpoint that bears a cosignature from the forgotten time does.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from scrutineer.durable import sync_folder, write_whole
from scrutineer.errors import NoteError, StoreError, UsageError
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.note import NoteVerifier, open_note
from scrutineer.witness.rules import Known

FORMAT: Final = 1
HISTORY: Final = 4096  # checkpoints that are remembered for each log, to recognise a second root for an earlier size
FORGET_EVERY: Final = 256  # checkpoints; looking for those that are too old takes a moment

_APPLICATION: Final = 0x5C2A_7E55  # SQLite's application_id, so that another program's database is not taken for a memory
_SCHEMA: Final = (
    """CREATE TABLE cosigned (
        number INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
        UNIQUE (origin, size)
    ) STRICT""",
    "CREATE TABLE frozen (origin TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TRIGGER only_forward BEFORE INSERT ON cosigned
        WHEN NEW.size <= (SELECT max(size) FROM cosigned WHERE origin = NEW.origin)
        BEGIN SELECT raise(ABORT, 'not larger than the last size cosigned'); END""",
    "CREATE TRIGGER never_changed BEFORE UPDATE ON cosigned BEGIN SELECT raise(ABORT, 'a row is never changed'); END",
    """CREATE TRIGGER last_is_kept BEFORE DELETE ON cosigned
        WHEN OLD.size = (SELECT max(size) FROM cosigned WHERE origin = OLD.origin)
        BEGIN SELECT raise(ABORT, 'the last checkpoint is never removed'); END""",
    "INSERT INTO meta VALUES ('count', '0')",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)
_MARK_HEAD: Final = "scrutineer witness mark 1"


class Remembered(NamedTuple):
    """A cosigned checkpoint as it is kept."""

    size: int
    root: bytes
    note: bytes
    """The checkpoint with the log's signatures and ours."""

    @property
    def known(self) -> Known:
        """What the rules need of it."""
        return Known(self.size, self.root)


class WitnessState:
    """The memory, opened by one process at a time. After any failure to write it refuses all further work until it is reopened.

    Every failure is a StoreError.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, mark: Path | None) -> None:
        self._path = path
        self._connection = connection
        self._mark = mark
        self._stopped: str | None = None
        self._unsettled = True

    @classmethod
    def create(cls, path: Path, name: str) -> None:
        """Make an empty memory for a witness of this name. Raises UsageError where the file exists."""
        if path.exists():
            raise UsageError(f"{path} exists already: a memory is never overwritten")
        fresh = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            connection = _connect(fresh)
            try:
                connection.execute("BEGIN EXCLUSIVE")
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES ('name', ?)", (name,))
                connection.execute("COMMIT")
            finally:
                connection.close()
            # Only a whole memory gets the name: a crash before leaves nothing that could be taken for one.
            fresh.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be made ({error.strerror}): choose a folder that you may write to") from None
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be made ({error}): make room, and start again") from None

    @classmethod
    def open(cls, path: Path, mark: Path | None = None) -> "WitnessState":
        """Open the memory. Raises StoreError where it is missing, damaged, in use, or older than its mark says.

        `mark` names a small file, best on another disk, that holds the number of the last cosigned checkpoint; it is made
        where there is none. Call `check` before the first use.
        """
        if not path.is_file():
            raise StoreError(f"the memory {path} is missing: restore its newest copy, or start a new witness in a new folder")
        connection: sqlite3.Connection | None = None
        try:
            connection = _connect(path)
            # Held until the process ends: two processes with one memory could each cosign another tree.
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            state = cls(path, connection, mark)
            state._check_file()
            state._check_mark()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _explain(path, error) from None
        except (StoreError, OSError) as error:
            if connection is not None:
                connection.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"the mark {mark} cannot be used ({error.strerror}): check its path and permissions") from None
        return state

    @property
    def name(self) -> str:
        """The name of the witness."""
        return self._meta("name") or ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The verifier keys of the witness; none before `set_keys`."""
        return tuple((self._meta("keys") or "").split())

    @property
    def count(self) -> int:
        """How many checkpoints were cosigned in all, each size of each log once."""
        value = self._meta("count") or ""
        if not (value.isascii() and value.isdecimal()):
            raise self._damaged("its count is not a number")
        return int(value)

    def set_keys(self, vkeys: Sequence[str]) -> None:
        """Record the keys that this memory belongs to, once. Raises StoreError where there are others."""
        if self.keys:
            if self.keys != tuple(vkeys):
                raise StoreError(f"the keys beside {self._path} are not those that it was made with: put those back")
            return
        self._write([("INSERT INTO meta VALUES ('keys', ?)", ("\n".join(vkeys),))])

    def check(self, own: Sequence[NoteVerifier]) -> None:
        """Read everything: each row must bear this witness's own valid cosignatures and say what its checkpoint says."""
        for origin, size, root, note in self._query("SELECT origin, size, root, note FROM cosigned ORDER BY number"):
            try:
                opened, signed = open_note(note, own)
                head = HeadLines.parse(opened.text)
            except NoteError as error:
                raise self._damaged(f"{origin}, size {size}: {error}") from None
            if len(signed) != len(own) or head[:3] != (origin, size, root):
                raise self._damaged(f"{origin}, size {size}: the row is not what was cosigned")

    def origins(self) -> list[str]:
        """The logs for which something was cosigned."""
        return [origin for (origin,) in self._query("SELECT DISTINCT origin FROM cosigned ORDER BY origin")]

    def latest(self, origin: str) -> Remembered | None:
        """What was cosigned last for a log."""
        return self._one("SELECT size, root, note FROM cosigned WHERE origin = ? ORDER BY size DESC LIMIT 1", (origin,))

    def at(self, origin: str, size: int) -> Remembered | None:
        """What was cosigned for a log at this size, if it is among the last `HISTORY` at least."""
        return self._one("SELECT size, root, note FROM cosigned WHERE origin = ? AND size = ?", (origin, size))

    def frozen(self, origin: str) -> str | None:
        """Why nothing is cosigned for a log any more."""
        rows = self._query("SELECT reason FROM frozen WHERE origin = ?", (origin,))
        return str(rows[0][0]) if rows else None

    def freeze(self, origin: str, reason: str) -> None:
        """Cosign nothing for a log from now on."""
        self._write([("INSERT OR IGNORE INTO frozen VALUES (?, ?)", (origin, reason))])

    def advance(self, origin: str, previous: Known | None, following: Remembered) -> None:
        """Remember the next checkpoint of a log; durable on return.

        Raises StoreError where `previous` is not the last one (any more), or it cannot be written.
        """
        last = self.latest(origin)
        if (last.known if last else None) != previous:
            raise StoreError(f"{self._path}: {origin} was moved by somebody else; nothing was cosigned")
        count = self.count + 1
        row = (count, origin, following.size, following.root, following.note)
        oldest = "SELECT size FROM cosigned WHERE origin = ?1 ORDER BY size DESC LIMIT 1 OFFSET ?2"
        work: list[tuple[str, tuple[Any, ...]]] = [
            ("INSERT INTO cosigned VALUES (?, ?, ?, ?, ?)", row),
            ("UPDATE meta SET value = ? WHERE key = 'count'", (str(count),)),
        ]
        if count % FORGET_EVERY == 0:
            work.append((f"DELETE FROM cosigned WHERE origin = ?1 AND size <= ({oldest})", (origin, HISTORY)))  # noqa: S608
        self._write(work)
        # After the memory, so that a crash between the two leaves the mark behind, which is harmless, and never ahead.
        self._write_mark(count)

    def settle(self) -> None:
        """Move what the write-ahead log holds into the file itself, so that a copy of the file alone is not an old copy.

        Costs a few flushes; call it now and then. Nothing depends on it: what `advance` returned from is durable before.
        """
        if self._stopped or not self._unsettled:
            return
        try:
            # Not truncated: the write-ahead log is written over in place, and flushing a file that grows costs far more.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            raise self._stop(str(_explain(self._path, error))) from None
        self._unsettled = False

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._stopped = self._stopped or f"{self._path} is closed"
        self._connection.close()

    def _check_file(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION or version != FORMAT:
            raise StoreError(f"{self._path} is not the memory of a witness in format {FORMAT}: check the path")
        found = {sql for (sql,) in self._connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
        if found != {sql for sql in _SCHEMA if sql.startswith("CREATE")}:
            raise self._damaged("its tables are not those that it was made with")
        problems = [text for (text,) in self._connection.execute("PRAGMA integrity_check(1)")]
        if problems != ["ok"]:
            raise self._damaged(problems[0] if problems else "SQLite cannot check it")
        (number,) = self._connection.execute("SELECT coalesce(max(number), 0) FROM cosigned").fetchone()
        if number != self.count:
            raise self._damaged(f"{self.count} checkpoints were cosigned, and the last one kept is number {number}")

    def _check_mark(self) -> None:
        if self._mark is None:
            return
        try:
            lines = self._mark.read_text("ascii").split("\n")
        except FileNotFoundError:
            self._write_mark(self.count)
            return
        except UnicodeDecodeError:
            lines = []
        if len(lines) != 4 or lines[0] != _MARK_HEAD or not (lines[2].isdecimal() and len(lines[2]) < 20) or lines[3]:
            raise StoreError(f"{self._mark} is not the mark of a witness, or it is damaged: check the path, then remove the file")
        if lines[1] != self.name.encode().hex():
            raise StoreError(f"{self._mark} is the mark of another witness: name a file of this one's own")
        if int(lines[2]) > self.count:
            raise StoreError(
                f"the memory {self._path} is an old copy: it knows {self.count} cosigned checkpoints, and its mark {self._mark} "
                f"says {lines[2]}. Cosigning from it could approve a second history. Restore the newest copy; if there is none, "
                "start a new witness with new keys in a new folder"
            )
        self._write_mark(self.count)

    def _write_mark(self, count: int) -> None:
        if self._mark is None:
            return
        try:
            write_whole(self._mark, f"{_MARK_HEAD}\n{self.name.encode().hex()}\n{count}\n".encode("ascii"), 0o600)
        except OSError as error:
            raise self._stop(f"the mark {self._mark} cannot be written ({error.strerror}): is its disk there?") from None

    def _meta(self, key: str) -> str | None:
        rows = self._query("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def _one(self, sql: str, parameters: tuple[Any, ...]) -> Remembered | None:
        rows = self._query(sql, parameters)
        return Remembered(*rows[0]) if rows else None

    def _query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        if self._stopped:
            raise StoreError(self._stopped)
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._stop(str(_explain(self._path, error))) from None

    def _write(self, work: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        if self._stopped:
            raise StoreError(self._stopped)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, parameters in work:
                self._connection.execute(sql, parameters)
            self._connection.execute("COMMIT")
            self._unsettled = True
        except sqlite3.Error as error:
            # A failed flush leaves open what is on the disk. Only reading it anew, after a restart, tells.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise self._stop(str(_explain(self._path, error))) from None

    def _stop(self, reason: str) -> StoreError:
        self._stopped = f"{reason}. Nothing more is cosigned until the witness is started anew"
        return StoreError(self._stopped)

    def _damaged(self, what: str) -> StoreError:
        return StoreError(
            f"the memory {self._path} is damaged ({what}): restore its newest copy; if there is none, start a new witness with "
            "new keys in a new folder"
        )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # One flush for each checkpoint; what is in the write-ahead log is moved by `settle`, off the way of answers.
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"the memory {path}: write-ahead logging is not possible here: use a local disk")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA trusted_schema = OFF")
    except (sqlite3.Error, StoreError):
        connection.close()
        raise
    return connection


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"the memory {path} is in use: another witness runs in this folder, and only one may")
    advice = {
        sqlite3.SQLITE_FULL: "the disk is full: make room",
        sqlite3.SQLITE_READONLY: "it or its folder is read-only: make it writable",
        sqlite3.SQLITE_CANTOPEN: "it or its folder cannot be opened: check permissions",
        sqlite3.SQLITE_CORRUPT: "it is damaged: restore its newest copy; if there is none, start a new witness in a new folder",
        sqlite3.SQLITE_NOTADB: "it is damaged, or no memory of a witness: restore its newest copy",
        sqlite3.SQLITE_IOERR: "the disk failed: check it",
    }.get(code, str(error))
    return StoreError(f"the memory {path} cannot be used: {advice}")
