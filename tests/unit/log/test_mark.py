"""The mark beside a store: an older store, another history, a damaged mark, and what happens when it cannot be written."""

import contextlib
import errno
import os
import shutil
import threading
from pathlib import Path

import pytest

from log_helpers import MemoryStore, signer
from scrutineer.errors import LogError, NoteError, StoreError
from scrutineer.log import Head, Log, SqliteStore, leaf_hash
from scrutineer.log.mark import SLOT_SIZE, SLOTS, Mark, refuse_fork

ENTRIES = [b"heron %d" % number for number in range(20)]


def opened(store: MemoryStore | SqliteStore, mark: Mark | None) -> Log:
    return Log.open(store, signer(), clock=lambda: 1, mark=mark)


def of_size(size: int, start: bytes = b"heron") -> MemoryStore:
    store = MemoryStore()
    log = opened(store, None)
    for number in range(size):
        log.append([start + b" %d" % number])
    return store


def test_the_mark_is_the_last_head(tmp_path: Path) -> None:
    path = tmp_path / "log.mark"
    log = opened(MemoryStore(), Mark(path))
    for number, entry in enumerate(ENTRIES, start=1):
        log.append([entry])
        marked = Mark(path).read(signer().verifier)
        assert marked is not None
        assert log.head is not None
        assert (marked.size, marked.root, marked.signature) == (number, log.head.root, log.head.signature)
    log.close()
    assert path.stat().st_size <= SLOTS[1] + SLOT_SIZE


def test_an_older_store_is_refused(tmp_path: Path) -> None:
    place, mark = tmp_path / "log.db", tmp_path / "log.mark"
    log = opened(SqliteStore.open(place, create=True), Mark(mark))
    log.append(ENTRIES[:3])
    log.close()
    shutil.copy(place, tmp_path / "old.db")
    log = opened(SqliteStore.open(place), Mark(mark))
    log.append(ENTRIES[3:8])
    log.close()
    before = mark.read_bytes()
    store = SqliteStore.open(tmp_path / "old.db")
    with pytest.raises(LogError, match=r"holds 3 entries, and 8 were signed.*store restore"):
        opened(store, Mark(mark))
    assert mark.read_bytes() == before
    # Without the mark, which readers do not give, it can be read.
    assert opened(store, None).size == 3
    store.close()
    assert opened(SqliteStore.open(place), Mark(mark)).size == 8


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    opened(of_size(2), Mark(tmp_path / "m"))
    with pytest.raises(LogError, match="holds 0 entries, and 2 were signed"):
        opened(MemoryStore(), Mark(tmp_path / "m"))


def test_another_history_is_refused_at_any_size(tmp_path: Path) -> None:
    opened(of_size(4), Mark(tmp_path / "m"))
    for size in (4, 5, 9):
        with pytest.raises(LogError, match=r"root [0-9a-f]{64} at 4 entries, and [0-9a-f]{64} was signed.*another history"):
            opened(of_size(size, b"kite"), Mark(tmp_path / "m"))


def test_a_store_ahead_moves_the_mark(tmp_path: Path) -> None:
    """A process that was killed after the store's commit and before the mark leaves this."""
    opened(of_size(4), Mark(tmp_path / "m"))
    opened(of_size(6), Mark(tmp_path / "m"))
    with pytest.raises(LogError, match="holds 5 entries, and 6 were signed"):
        opened(of_size(5), Mark(tmp_path / "m"))


def test_a_torn_write_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "m"
    log = opened(MemoryStore(), Mark(path))
    for entry in ENTRIES[:5]:
        log.append([entry])
    log.close()
    data = path.read_bytes()
    newest = next(at for at in SLOTS if data[at:].split(b"\n")[2] == b"5")
    for cut in range(SLOT_SIZE // 2):
        path.write_bytes(data[: newest + cut] + b"\0" * (SLOT_SIZE - cut) + data[newest + SLOT_SIZE :])
        marked = Mark(path).read(signer().verifier)
        assert marked is not None
        assert marked.size in {4, 5}


def test_no_flipped_byte_makes_another_mark(tmp_path: Path) -> None:
    path = tmp_path / "m"
    opened(of_size(3), Mark(path))
    data = path.read_bytes()
    whole = Mark(path).read(signer().verifier)
    for place in range(len(data.rstrip(b"\n"))):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = whole
        with contextlib.suppress(LogError):
            found = Mark(path).read(signer().verifier)
        assert found == whole, place


@pytest.mark.parametrize("data", [b"x", bytes(5000), b"\n" * 512])
def test_a_damaged_mark_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(LogError, match=r"damaged.*store check"):
        opened(of_size(3), Mark(tmp_path / "m"))


def test_the_mark_of_another_log_is_refused(tmp_path: Path) -> None:
    opened(of_size(3), Mark(tmp_path / "m"))
    other = MemoryStore()
    with pytest.raises(LogError, match=r"mark of another log"):
        Log.open(other, signer("log.example/kite"), mark=Mark(tmp_path / "m"))


def test_a_mark_that_was_never_written_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "m").touch()
    assert opened(of_size(3), Mark(tmp_path / "m")).size == 3


def test_two_that_share_a_mark_never_take_it_back(tmp_path: Path) -> None:
    first, second = Mark(tmp_path / "m"), Mark(tmp_path / "m")
    log, other = opened(of_size(3), first), opened(of_size(5), second)
    assert log.head is not None
    for _ in range(3):
        first.note(log.head)
    assert other.head is not None
    marked = first.read(signer().verifier)
    assert marked is not None
    assert marked.size == 5


class BrokenMark(Mark):
    """Cannot be written while `broken`."""

    broken = False

    def note(self, head: Head) -> None:
        if self.broken:
            raise StoreError("the mark cannot be kept")
        super().note(head)


def test_no_signature_leaves_that_is_not_marked(tmp_path: Path) -> None:
    mark, store = BrokenMark(tmp_path / "m"), MemoryStore()
    log = opened(store, mark)
    log.append(ENTRIES[:2])
    mark.broken = True
    for _ in range(3):
        with pytest.raises(StoreError, match="mark cannot be kept"):
            log.append([ENTRIES[2]])
        assert log.size == 2
        assert log.find(leaf_hash(ENTRIES[2])) is None
    mark.broken = False
    (result,) = log.append([ENTRIES[2]])
    assert result.index == 2
    assert store.bodies == ENTRIES[:3]
    marked = mark.read(signer().verifier)
    assert marked is not None
    assert marked.size == 3


def test_a_slow_disk_keeps_no_acknowledgement_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Mark(tmp_path / "m")
    log = opened(of_size(1), mark)
    log.append(ENTRIES[1:2])
    flushed: list[int] = []

    def slow(handle: int) -> None:
        # Marks are taken while the disk is at work, and are due with the next flush.
        if not flushed:
            thread = threading.Thread(target=log.append, args=(ENTRIES[2:3],))
            thread.start()
            thread.join(30)
            assert not thread.is_alive()
        flushed.append(handle)

    monkeypatch.setattr(os, "fsync", slow)
    mark.sync()
    assert log.size == 3
    mark.sync()
    mark.sync()
    assert len(flushed) == 2


def test_a_flush_that_failed_is_due_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Mark(tmp_path / "m")
    opened(of_size(1), mark).append(ENTRIES[1:2])
    flushed: list[int] = []

    def failing(handle: int) -> None:
        flushed.append(handle)
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be kept there"):
            mark.sync()
    assert len(flushed) == 2


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"log\.mark: how far the log has signed cannot be kept"):
        opened(of_size(1), Mark(tmp_path / "gone" / "log.mark"))


def test_a_published_head_that_is_ahead_or_another_is_refused() -> None:
    shown = opened(of_size(6), None).checkpoint()
    refuse_fork(opened(of_size(6), None), shown, "nest")
    refuse_fork(opened(of_size(7), None), shown, "nest")
    with pytest.raises(LogError, match=r"holds 5 entries, and nest shows the log at 6"):
        refuse_fork(opened(of_size(5), None), shown, "nest")
    with pytest.raises(LogError, match=r"at 6 entries, and nest shows [0-9a-f]{64}"):
        refuse_fork(opened(of_size(6, b"kite"), None), shown, "nest")
    with pytest.raises(NoteError):
        refuse_fork(opened(of_size(6), None), shown.replace(b"6", b"7", 1), "nest")
