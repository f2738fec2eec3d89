"""One life of a log under one fault: statements are appended, published, appended and published again, and one system call fails.

`Runs` compiles chaos/faults.c, and starts this module as a program that has it loaded and forks a child for each case. The
child says what was acknowledged. Afterwards `Runs.check` looks at what is on the disk, without faults: every acknowledged
statement is in the log exactly once at its place, every root that was signed and told is still one of this log, what a reader
of the site would have seen is a prefix of it, and sending everything again completes log and site.
"""

import contextlib
import ctypes
import enum
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal_helpers import Published, republic
from scrutineer.count import Count
from scrutineer.errors import PublicationError, ScrutineerError, StoreError
from scrutineer.log import Log, LogSigner, SqliteStore, open_checkpoint, verify_entry_receipt
from scrutineer.portal import Record, SiteOptions
from scrutineer.portal.formats import CHECKPOINT_FILE
from scrutineer.portal.log_files import Entries
from scrutineer.portal.publish import publish
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site

SOURCE = Path(__file__).with_name("chaos") / "faults.c"
STATIONS = 8
Step = tuple[int, int] | str
LIVES: tuple[tuple[Step, ...], ...] = (
    ((0, 1), (1, 3), (3, 4), "publish", (3, 6), (6, 9), "publish"),
    ((0, 9), "tidy", "publish", (4, 7), "publish"),
    ((0, 2), "publish", (2, 3), "publish", (3, 4), "tidy", (4, 5), "publish", (2, 9), "publish"),
    ((0, 1), *((number, number + 2) for number in range(8)), "tidy", "close", (0, 9), "publish"),
)
"""What happens in a run, step by step: statements first … last-1 are appended in one batch (some were before), the log is
published, the store is tidied as a service does once a second, or the log is closed, to be opened again."""
STORE, SITE = "log.db", "site"
CLOCK = 1_750_000_000_000  # Unix milliseconds


class Fault(enum.IntEnum):
    """What happens to the chosen system call; faults.c has the same list."""

    NONE = 0
    KILL_BEFORE = 1
    KILL_AFTER = 2
    KILL_WITHIN = 3
    FAIL_IO = 4
    DONE_IO = 5
    FAIL_SPACE = 6
    SHORT = 7
    FAIL_ALWAYS = 8


@dataclass(frozen=True)
class Told:
    """What a run said before it ended."""

    calls: int
    """System calls that it counted; 0 where it did not come to its end."""
    places: dict[int, int]
    """Index in the log by number of the statement."""
    receipts: dict[int, bytes]
    roots: dict[int, bytes]
    """Root by log size, of every head that was acknowledged."""
    published: list[int]
    """Log sizes whose publication was reported as done."""
    troubles: list[str]


class Runs:
    """Starts runs, each with one fault, and checks what they left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("needs a C compiler, to make system calls fail")
        library = folder / "faults.so"
        subprocess.run(
            [compiler, "-O1", "-shared", "-fPIC", "-U_FORTIFY_SOURCE", "-o", str(library), str(SOURCE), "-ldl"], check=True
        )
        tests = Path(__file__).parent
        path = os.pathsep.join([str(tests), str(tests.parent / "src")])
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": path},
        )
        self._published = _election()

    def close(self) -> None:
        self._server.communicate()

    def run(self, life: int, fault: Fault, call: int) -> Told:
        """One run through a life, by its number, with the fault at this system call, counted from 1."""
        shutil.rmtree(self._folder / "run", ignore_errors=True)
        (self._folder / "run").mkdir()
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{self._folder / 'run'} {life} {int(fault)} {call}\n")
        self._server.stdin.flush()
        told = Told(0, {}, {}, {}, [], [])
        while (line := self._server.stdout.readline()) != "gone\n":
            word, _, rest = line.rstrip().partition(" ")
            if word == "ack":
                number, index, size, root, receipt = rest.split()
                assert told.places.setdefault(int(number), int(index)) == int(index)
                assert told.roots.setdefault(int(size), bytes.fromhex(root)) == bytes.fromhex(root)
                told.receipts.setdefault(int(number), bytes.fromhex(receipt))
            elif word == "published":
                told.published.append(int(rest))
            elif word == "trouble":
                told.troubles.append(rest)
            else:
                assert word == "calls", line
                told = Told(int(rest), told.places, told.receipts, told.roots, told.published, told.troubles)
        return told

    def check(self, told: Told, *, whole: bool = False) -> None:
        """Check what a run left; `whole` also verifies the site after it was completed, which takes longer."""
        folder, election = self._folder / "run", self._published
        log, _ = _opened(folder, election)
        try:
            entries = list(log.entries())
            assert len(set(entries)) == len(entries), "a statement is in the log twice"
            for number, index in told.places.items():
                assert entries[index] == election.log[number], "an acknowledged statement is not at its place"
                receipt = verify_entry_receipt(told.receipts[number], election.log[number], log.verifier)
                assert receipt.root == log.root(receipt.size)
            for size, root in told.roots.items():
                assert log.root(size) == root, "a head was signed that this log does not have"
            shown = _shown(folder, log)
            assert shown >= max(told.published, default=0), "a reader was shown less than before"
            _append_all(log, election)
            assert sorted(log.entries()) == sorted(election.log)
            publish(*_record(log, election), folder / SITE)
            assert _shown(folder, log) == len(election.log)
        finally:
            log.close()
        if whole:
            report = verify_site(FolderSource(folder / SITE), definition=election.record.election.hash)
            assert report.passed, [str(finding) for finding in report.findings]


def _election() -> Published:
    return republic(STATIONS)


def _opened(folder: Path, election: Published) -> tuple[Log, SqliteStore]:
    store = SqliteStore.open(folder / STORE, create=True)
    try:
        return Log.open(store, election.signer, clock=lambda: CLOCK), store
    except BaseException:
        store.close()
        raise


def _shown(folder: Path, log: Log) -> int:
    """The log size that a reader of the site is shown; 0 where there is none. What he is shown is a prefix of the log."""
    path = folder / SITE / CHECKPOINT_FILE
    if not path.exists():
        return 0
    shown = open_checkpoint(path.read_bytes(), log.verifier.note_verifiers).checkpoint
    assert log.root(shown.size) == shown.root, "a reader was shown another history"
    return int(shown.size)


def _append_all(log: Log, election: Published) -> None:
    log.append(election.log)


def _record(log: Log, election: Published) -> tuple[Record, Entries, LogSigner]:
    count = Count(election.record.election)
    count.apply(log.entries())
    assert log.head is not None
    record = Record(
        election=election.record.election,
        count=count,
        definition=election.log[0],
        units_table=election.record.units_table,
        register_table=election.record.register_table,
        shapes_table=election.record.shapes_table,
        checkpoint=log.checkpoint(),
        head=log.head,
        tree=log.tree,
        verifier=log.verifier,
        entry=log.entry,
        # Pages of more languages are written in the same way.
        options=SiteOptions("none", "units", languages=("en",)),
    )
    return record, log.entries, election.signer


# --- in the process that is disturbed -------------------------------------------------------------------------------------


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


class _Life:
    """A service that starts again after each failure of its store, as its operator would have it."""

    def __init__(self, folder: Path, election: Published) -> None:
        self.folder = folder
        self.election = election
        self.log: Log | None = None
        self.store: SqliteStore | None = None

    def append(self, first: int, last: int) -> None:
        for _ in range(3):
            with self._trouble():
                if self.log is None:
                    self.log, self.store = _opened(self.folder, self.election)
                for number, result in zip(range(first, last), self.log.append(self.election.log[first:last]), strict=True):
                    root = self.log.root(result.size)
                    _say(f"ack {number} {result.index} {result.size} {root.hex()} {result.receipt.hex()}")
                return

    def publish(self) -> None:
        for _ in range(2):
            with self._trouble():
                if self.log is not None and self.log.size:
                    summary = publish(*_record(self.log, self.election), self.folder / SITE)
                    _say(f"published {summary.size}")
                return

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, PublicationError) as error:
            _say(f"trouble {error}".replace("\n", " "))
            if isinstance(error, StoreError) and "has stopped" in str(error):
                self.close()

    def tidy(self) -> None:
        if self.log is not None and self.store is not None:
            with self._trouble():
                self.store.checkpoint_wal()

    def close(self) -> None:
        if self.log is not None:
            with contextlib.suppress(ScrutineerError):
                self.log.close()
        self.log = None


def _live(folder: Path, election: Published, life: int) -> None:
    living = _Life(folder, election)
    for step in LIVES[life]:
        if isinstance(step, tuple):
            living.append(*step)
        else:
            {"publish": living.publish, "tidy": living.tidy, "close": living.close}[step]()
    living.close()


def _warm_up(election: Published) -> None:
    """Live once, unheard: what a program loads and compiles once is then there for all the forks."""
    standing, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    with tempfile.TemporaryDirectory() as folder:
        _live(Path(folder), election, 0)
    os.dup2(standing, 1)
    os.close(standing)
    os.close(nowhere)


def main(library: str) -> None:
    """Fork a child for each line "<folder> <life> <fault> <call>"; what it says goes to standard output, then "gone"."""
    faults = ctypes.CDLL(library)
    faults.faults_calls.restype = ctypes.c_long
    election = _election()
    _warm_up(election)
    for line in sys.stdin:
        folder, life, fault, call = line.split()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                faults.faults_arm(int(fault), ctypes.c_long(int(call)))
                _live(Path(folder), election, int(life))
                _say(f"calls {faults.faults_calls()}")
                status = 0
            except BaseException as error:
                _say(f"surprise {error!r}")
            os._exit(status)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            _say(f"surprise: it ended with signal {os.WTERMSIG(status)}")
        _say("gone")


if __name__ == "__main__":
    main(sys.argv[1])
