"""A log that several processes hold: followers know what the writer knows, byte for byte, and believe nothing that is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from log_helpers import ORIGIN, check_log, signer
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Head, SharedLog, leaf_hash, shared
from scrutineer.log.mark import Mark

ENTRIES = [b"entry %d" % number for number in range(60)]
SIZES = (1, 4, 20, 5, 30)


class SharedMemory:
    """The memory of several logs."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signed: list[Head] = []
        self.away = False

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        if head.size - len(entries) != len(self.bodies):
            raise StoreError("another writer has moved the log")
        self.bodies += entries
        self.signed.append(head)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        yield from self.bodies[start:stop]

    def entry(self, index: int) -> bytes:
        return self.bodies[index]

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        if self.away:
            raise StoreError("out of reach")
        yield from [head for head in self.signed if after < head.size <= upto]

    def head_covering(self, index: int) -> Head:
        raise StoreError("a shared log knows its heads")

    def last_head(self) -> Head | None:
        return self.signed[-1] if self.signed else None

    def meta(self, key: str) -> bytes | None:
        return ORIGIN.encode() if key == "origin" else None

    def set_meta(self, key: str, value: bytes) -> None:
        raise StoreError("not to be set")

    def close(self) -> None:
        pass


class Busy(SharedMemory):
    """The same memory, where something happens as soon as a log that is being opened has found nothing more."""

    def __init__(self, store: SharedMemory, then: Callable[[], object]) -> None:
        super().__init__()
        self.bodies, self.signed = store.bodies, store.signed
        self.then: Callable[[], object] | None = then

    def heads(self, after: int, upto: int) -> Iterator[Head]:
        yield from super().heads(after, upto)
        if self.then is not None and self.signed[-1].size == after + 1:
            then, self.then = self.then, None
            then()


@pytest.fixture
def store() -> SharedMemory:
    """A log of one entry."""
    made = SharedMemory()
    with pytest.MonkeyPatch.context() as patch:
        # An election is opened elsewhere; here the first entry is written by a log that has not been opened.
        patch.setattr(SharedLog, "_catch_up", lambda *_: None)
        SharedLog.open(made, signer()).append(ENTRIES[:1])
    return made


def write(log: SharedLog) -> None:
    at = 1
    for size in SIZES[1:]:
        log.append(ENTRIES[at : at + size])
        at += size


@pytest.mark.parametrize("chunk", [1, 7, 8192])
def test_a_follower_knows_what_the_writer_knows(store: SharedMemory, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "CHUNK", chunk)
    writer, follower = SharedLog.open(store, signer()), SharedLog.open(store, signer().verifier)
    write(writer)
    told: list[tuple[bytes, bytes]] = []
    while more := follower.follow(1 + len(told)):
        told += more
    assert told == [(leaf_hash(entry), entry) for entry in ENTRIES[1:]]
    assert follower.head == writer.head
    check_log(follower, ENTRIES)
    store.away = True
    assert [one.receipt for one in follower.integrated_many(range(60))] == [writer.receipt(index) for index in range(60)]
    opened_later = SharedLog.open(replace_away(store), signer().verifier)
    assert [opened_later.receipt(index) for index in range(60)] == [writer.receipt(index) for index in range(60)]


def replace_away(store: SharedMemory) -> SharedMemory:
    store.away = False
    return store


def test_logs_take_turns_at_writing(store: SharedMemory) -> None:
    first, second = SharedLog.open(store, signer()), SharedLog.open(store, signer())
    first.append(ENTRIES[1:20])
    with pytest.raises(StoreError):
        # It has not followed: its batch is not stored, and it learns what is.
        second.append(ENTRIES[15:30])
    assert second.size == 20
    assert [one.index for one in second.append(ENTRIES[15:30])] == list(range(15, 30))
    while first.follow(first.size):
        pass
    first.append(ENTRIES)
    check_log(first, ENTRIES)


def test_a_log_is_opened_while_another_process_of_the_folder_writes(store: SharedMemory, tmp_path: Path) -> None:
    writer = SharedLog.open(store, signer(), mark=Mark(tmp_path / "log.mark"))
    busy = Busy(store, lambda: writer.append(ENTRIES[1:5]))
    started = SharedLog.open(busy, signer(), mark=Mark(tmp_path / "log.mark"))
    assert (started.size, writer.size) == (1, 5)
    assert [entry for _, entry in started.follow(1)] == ENTRIES[1:5]
    started.append(ENTRIES[5:6])
    check_log(started, ENTRIES[:6])


def test_entries_that_a_failed_write_left_are_told(store: SharedMemory) -> None:
    """What the log took in by itself, to learn what became of its batch, is told like everything else."""
    log, other = SharedLog.open(store, signer()), SharedLog.open(store, signer())
    other.append(ENTRIES[1:10])
    with pytest.raises(StoreError):
        log.append(ENTRIES[10:12])
    assert log.size == 10
    assert [entry for _, entry in log.follow(1)] == ENTRIES[1:10]
    assert log.follow(10) == []


def forge_root(store: SharedMemory) -> None:
    store.signed[2] = replace(store.signed[2], root=bytes(32))


def forge_signature(store: SharedMemory) -> None:
    store.signed[2] = replace(store.signed[2], signature=bytes(64))


def forge_last_signature(store: SharedMemory) -> None:
    store.signed[-1] = replace(store.signed[-1], signature=bytes(64))


def change_entry(store: SharedMemory) -> None:
    store.bodies[8] = b"something else"


def repeat_entry(store: SharedMemory) -> None:
    store.bodies[8] = store.bodies[0]


def reset(store: SharedMemory) -> None:
    del store.signed[0]


@pytest.mark.parametrize("damage", [forge_root, forge_signature, forge_last_signature, change_entry, repeat_entry, reset])
def test_what_is_wrong_is_not_taken_in(store: SharedMemory, damage: object) -> None:
    writer, follower = SharedLog.open(store, signer()), SharedLog.open(store, signer())
    write(writer)
    damage(store)  # type: ignore[operator]
    for _ in range(2):
        with pytest.raises(LogError):
            follower.follow(1)
    assert follower.size == 1
    assert follower.root() == leaf_hash(ENTRIES[0])


def test_an_empty_shared_store_has_no_log_yet() -> None:
    with pytest.raises(StoreError, match="empty"):
        SharedLog.open(SharedMemory(), signer())
