"""The memory moves only forward, shows damage on start, and stops after a failed write."""

import resource
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from log_helpers import ORIGIN
from scrutineer.errors import StoreError, UsageError
from scrutineer.witness import WitnessState
from scrutineer.witness import state as state_module
from scrutineer.witness.rules import Known
from scrutineer.witness.state import Remembered
from witness_helpers import Bench, History, signers

HISTORY = History()


def filled(folder: Path, *sizes: int, mark: Path | None = None) -> Bench:
    bench = Bench(folder, mark=mark)
    old = 0
    for size in sizes:
        assert bench.ask(HISTORY.request(old, size)).status == 200
        old = size
    return bench


def change(path: Path, *statements: str) -> None:
    """Change the file behind the witness's back, past its triggers."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO cosigned VALUES (9, '{ORIGIN}', 8, x'00', x'00')",
        f"INSERT INTO cosigned VALUES (9, '{ORIGIN}', 5, x'00', x'00')",
        f"INSERT OR REPLACE INTO cosigned VALUES (2, '{ORIGIN}', 8, x'00', x'00')",
        "UPDATE cosigned SET root = x'00' WHERE size = 8",
        "DELETE FROM cosigned WHERE size = 8",
    ],
)
def test_the_file_refuses_a_step_back(tmp_path: Path, statement: str) -> None:
    bench = filled(tmp_path, 3, 8)
    bench.close()
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.execute("PRAGMA recursive_triggers = ON")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    bench.start()
    bench.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cosigned SET size = 9 WHERE size = 8",
        "UPDATE cosigned SET root = zeroblob(32) WHERE size = 8",
        "UPDATE cosigned SET origin = 'log.example/ibis'",
        "UPDATE cosigned SET note = zeroblob(3000) WHERE size = 3",
        "UPDATE cosigned SET note = (SELECT note FROM cosigned WHERE size = 8) WHERE size = 3",
        "DELETE FROM cosigned WHERE size = 8",
        "DELETE FROM cosigned",
        "UPDATE meta SET value = '1' WHERE key = 'count'",
        "UPDATE meta SET value = 'many' WHERE key = 'count'",
        "DELETE FROM meta WHERE key = 'count'",
        "DROP TABLE frozen",
        "ALTER TABLE cosigned ADD COLUMN more TEXT",
        "CREATE TRIGGER other AFTER INSERT ON cosigned BEGIN DELETE FROM meta; END",
    ],
)
def test_what_was_changed_is_damaged(tmp_path: Path, statement: str) -> None:
    bench = filled(tmp_path, 3, 8)
    bench.close()
    change(bench.path, statement)
    with pytest.raises(StoreError, match="is damaged"):
        bench.start()


def test_every_flipped_byte_of_what_is_kept_is_noticed_or_harmless(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3, 8)
    bench.close()
    whole = bench.path.read_bytes()
    noticed = 0
    for at in range(0, len(whole), 331):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        bench.path.write_bytes(damaged)
        try:
            bench.start()
        except StoreError:
            noticed += 1
            continue
        # The byte was in a part of the file that holds nothing.
        latest = bench.state.latest(ORIGIN)
        assert latest is not None
        assert latest.known == Known(8, HISTORY.root(8))
        bench.close()
    assert noticed > 20


@pytest.mark.parametrize("data", [b"", b"heron" * 2000, b"SQLite format 3\x00" + bytes(4080)])
def test_another_file_is_no_memory(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(data)
    with pytest.raises(StoreError, match="memory"):
        WitnessState.open(path)


def test_a_memory_of_another_format_is_refused(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    bench.close()
    change(bench.path, "PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="in format 1"):
        bench.start()


def test_a_missing_memory_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is missing"):
        WitnessState.open(tmp_path / "memory.db")


def test_a_memory_is_never_overwritten(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    bench.close()
    with pytest.raises(UsageError, match="never overwritten"):
        WitnessState.create(bench.path, "another")
    with pytest.raises(StoreError, match="cannot be made"):
        WitnessState.create(bench.path / "memory.db", "another")


def test_a_memory_cut_off_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "memory.db.new").write_bytes(b"half")
    bench = filled(tmp_path, 3)
    bench.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    with pytest.raises(StoreError, match="another witness runs"):
        WitnessState.open(bench.path)
    bench.close()
    WitnessState.open(bench.path).close()


def test_the_memory_belongs_to_its_keys(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    with pytest.raises(StoreError, match="not those that it was made with"):
        Bench(tmp_path, seed=50)


def test_the_next_is_held_against_the_last(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    following = Remembered(8, HISTORY.root(8), b"")
    for previous in (None, Known(2, HISTORY.root(2)), Known(3, HISTORY.root(2))):
        with pytest.raises(StoreError, match="moved by somebody else"):
            bench.state.advance(ORIGIN, previous, following)
    bench.close()


def test_a_settled_memory_is_one_file(tmp_path: Path) -> None:
    bench = filled(tmp_path / "witness", 3, 8)
    bench.state.settle()
    bench.state.settle()
    shutil.copy(bench.path, tmp_path / "memory.db")
    bench.close()
    copy = WitnessState.open(tmp_path / "memory.db")
    assert copy.latest(ORIGIN) == Remembered(8, HISTORY.root(8), copy.latest(ORIGIN).note)  # type: ignore[union-attr]
    copy.close()
    assert sorted(path.name for path in bench.folder.iterdir()) == ["memory.db"]


def test_only_the_last_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "HISTORY", 3)
    monkeypatch.setattr(state_module, "FORGET_EVERY", 5)
    bench = filled(tmp_path, 1, 2, 3, 4, 5)
    assert [bench.state.at(ORIGIN, size) is not None for size in range(1, 6)] == [False, False, True, True, True]
    bench.restart()
    assert bench.state.count == 5
    assert bench.state.origins() == [ORIGIN]
    bench.close()


class TestMark:
    """A number kept elsewhere tells an old copy."""

    def test_an_old_copy_is_refused(self, tmp_path: Path) -> None:
        folder, mark = tmp_path / "witness", tmp_path / "elsewhere"
        bench = filled(folder, 3, mark=mark)
        bench.close()
        shutil.copytree(folder, tmp_path / "copy")
        bench.start()
        assert bench.ask(HISTORY.request(3, 8)).status == 200
        bench.close()
        bench.start()
        bench.close()
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
        with pytest.raises(StoreError, match="old copy"):
            bench.start()

    def test_a_mark_that_is_behind_is_brought_up(self, tmp_path: Path) -> None:
        bench = filled(tmp_path / "witness", 3, mark=tmp_path / "mark")
        behind = (tmp_path / "mark").read_bytes()
        bench.ask(HISTORY.request(3, 8))
        current = (tmp_path / "mark").read_bytes()
        (tmp_path / "mark").write_bytes(behind)
        bench.restart()
        assert (tmp_path / "mark").read_bytes() == current != behind
        bench.close()

    @pytest.mark.parametrize("data", [b"", b"heron\n", b"\xff", b"scrutineer witness mark 1\n00\nmany\n"])
    def test_a_damaged_mark_is_refused(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "mark").write_bytes(data)
        with pytest.raises(StoreError, match="damaged"):
            Bench(tmp_path / "witness", mark=tmp_path / "mark")

    def test_the_mark_of_another_witness_is_refused(self, tmp_path: Path) -> None:
        Bench(tmp_path / "witness", mark=tmp_path / "mark").close()
        with pytest.raises(StoreError, match="of another witness"):
            Bench(tmp_path / "other", mark=tmp_path / "mark", name="witness.example/owl")

    def test_a_mark_that_cannot_be_written_stops_the_witness(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        bench = filled(tmp_path / "witness", 3, mark=tmp_path / "disk" / "mark")
        shutil.rmtree(tmp_path / "disk")
        answer = bench.ask(HISTORY.request(3, 8))
        assert (answer.status, answer.body) == (503, b"failed: this witness cannot cosign now\n")
        assert "is its disk there" in answer.words
        bench.close()


def test_after_a_failed_write_nothing_is_cosigned_until_a_restart(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        assert bench.ask(HISTORY.request(3, 8)).code == "failed"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert bench.ask(HISTORY.request(3, 8)).code == "failed"
    assert bench.witness.failure is not None
    bench.restart()
    assert bench.ask(HISTORY.request(3, 8)).status == 200
    bench.close()


def test_a_closed_memory_says_so(tmp_path: Path) -> None:
    bench = filled(tmp_path, 3)
    bench.close()
    with pytest.raises(StoreError, match="closed"):
        bench.state.latest(ORIGIN)
    with pytest.raises(StoreError, match="closed"):
        bench.state.freeze(ORIGIN, "why")


def test_keys_of_two_kinds() -> None:
    assert len({str(key.verifier.key) for key in signers()}) == 2
