from collections.abc import Sequence

import pytest

from log_helpers import ORIGIN, MemoryStore, check_log, signer
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Head, Log, leaf_hash, open_checkpoint, verify_consistency, verify_entry_receipt, verify_proof
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.log.tiles import MAX_ENTRY_SIZE

ENTRIES = [b"entry %d" % number for number in range(20)]


def opened(store: MemoryStore | None = None) -> Log:
    return Log.open(store or MemoryStore(), signer(), clock=lambda: 1_700_000_000_123)


def test_an_empty_log() -> None:
    log = opened()
    assert (log.size, log.head, log.root()) == (0, None, EMPTY_ROOT)
    assert log.append([]) == []
    checkpoint = open_checkpoint(log.checkpoint(), log.verifier.note_verifiers).checkpoint
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 0)
    assert list(log.entries()) == []


def test_batches_are_sequenced_in_order() -> None:
    log = opened()
    first = log.append(ENTRIES[:3])
    second = log.append(ENTRIES[3:20])
    assert [result.index for result in first + second] == list(range(20))
    assert [result.size for result in first + second] == [3] * 3 + [20] * 17
    assert all(result.fresh for result in first + second)
    check_log(log, ENTRIES)
    for index, result in enumerate(first + second):
        assert log.receipt(index) == result.receipt


def test_the_same_bytes_get_the_original_index_and_receipt() -> None:
    log = opened()
    first = log.append([b"a", b"b", b"a"])
    assert [(result.index, result.fresh) for result in first] == [(0, True), (1, True), (0, False)]
    assert first[0].receipt == first[2].receipt
    second = log.append([b"c", b"b", b"d", b"c", b"a"])
    assert [(result.index, result.size, result.fresh) for result in second] == [
        (2, 4, True),
        (1, 2, False),
        (3, 4, True),
        (2, 4, False),
        (0, 2, False),
    ]
    assert (second[1].receipt, second[4].receipt) == (first[1].receipt, first[0].receipt)
    assert second[3].receipt == second[0].receipt
    head = log.head
    assert [result.fresh for result in log.append([b"a", b"d"])] == [False, False]
    assert log.head == head
    check_log(log, [b"a", b"b", b"c", b"d"])


def test_a_receipt_is_the_same_after_reopening() -> None:
    store = MemoryStore()
    log = opened(store)
    receipts = [result.receipt for start in range(0, 20, 3) for result in log.append(ENTRIES[start : start + 3])]
    again = opened(store)
    assert [again.receipt(index) for index in range(20)] == receipts
    assert [result.receipt for result in again.append(ENTRIES)] == receipts
    check_log(again, ENTRIES)


def test_entries_outside_the_limits_keep_the_whole_batch_out() -> None:
    log = opened()
    for bad in (b"", b"x" * (MAX_ENTRY_SIZE + 1)):
        with pytest.raises(LogError, match="entry 1 of the batch"):
            log.append([b"good", bad])
    assert log.size == 0
    assert log.append([b"x" * MAX_ENTRY_SIZE])[0].index == 0


def test_checkpoint_and_proof() -> None:
    log = opened()
    log.append(ENTRIES[:7])
    earlier = log.checkpoint()
    assert log.checkpoint() is earlier
    log.append(ENTRIES[7:])
    verifiers = log.verifier.note_verifiers
    assert open_checkpoint(earlier, verifiers).checkpoint.size == 7
    for index, entry in enumerate(ENTRIES):
        assert verify_proof(log.proof(index), leaf_hash(entry), verifiers).checkpoint.size == 20
    assert verify_proof(log.proof(6, earlier), leaf_hash(ENTRIES[6]), verifiers).checkpoint.size == 7
    with pytest.raises(LogError):
        log.proof(7, earlier)
    verify_consistency(7, 20, log.root(7), log.root(), log.consistency(7))


def test_tiles() -> None:
    log = opened()
    log.append([b"%d" % number for number in range(300)])
    assert log.tile(0, 1, 44) == b"".join(leaf_hash(b"%d" % number) for number in range(256, 300))
    assert log.tile(1, 0, 1) == log.root(256)
    for level, index, width in ((0, 1, 45), (1, 0, 2), (2, 0, 1), (-1, 0, 1)):
        with pytest.raises(LogError):
            log.tile(level, index, width)


def test_what_the_log_does_not_have() -> None:
    log = opened()
    log.append(ENTRIES[:3])
    for index in (-1, 3):
        for call in (log.entry, log.receipt, log.integrated, log.proof):
            with pytest.raises(LogError):
                call(index)
    for size in (-1, 4):
        with pytest.raises(LogError):
            log.root(size)
    assert log.find(leaf_hash(b"other")) is None
    assert log.entry(1) == ENTRIES[1]
    assert list(log.entries(1, 2)) == [ENTRIES[1]]


def test_opening_reports_progress() -> None:
    store = MemoryStore()
    opened(store).append([b"%d" % number for number in range(10_000)])
    seen: list[tuple[int, int]] = []
    Log.open(store, signer(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10_000, 10_000)
    assert len(seen) > 1


def changed_entry(store: MemoryStore) -> None:
    store.bodies[5] = b"forged"


def swapped_entries(store: MemoryStore) -> None:
    store.bodies[5], store.bodies[6] = store.bodies[6], store.bodies[5]


def missing_entry(store: MemoryStore) -> None:
    del store.bodies[5]


def changed_root(store: MemoryStore) -> None:
    head = store.heads[-1]
    store.heads[-1] = Head(head.size, bytes(32), head.signature, head.time_ms)


def changed_signature(store: MemoryStore) -> None:
    head = store.heads[-1]
    store.heads[-1] = Head(head.size, head.root, bytes(64), head.time_ms)


def other_origin(store: MemoryStore) -> None:
    store.values["origin"] = b"log.example/egret"


def no_origin(store: MemoryStore) -> None:
    del store.values["origin"]


@pytest.mark.parametrize(
    "damage",
    [changed_entry, swapped_entries, missing_entry, changed_root, changed_signature, other_origin, no_origin],
)
def test_a_store_that_disagrees_with_the_last_head_is_refused(damage: object) -> None:
    store = MemoryStore()
    log = opened(store)
    log.append(ENTRIES[:10])
    log.append(ENTRIES[10:])
    opened(store)
    damage(store)  # type: ignore[operator]
    with pytest.raises(LogError):
        opened(store)


def test_an_entry_twice_in_the_store_is_refused() -> None:
    store = MemoryStore()
    opened(store).append([b"a"])
    other = MemoryStore()
    twice = Log.open(other, signer())
    twice._index = NeverFinds()
    twice.append([b"a"])
    twice.append([b"a"])
    with pytest.raises(LogError, match="twice"):
        opened(other)


class NeverFinds(dict[bytes, int]):
    """An index that has forgotten everything, to bring a log into a state that deduplication forbids."""

    def __contains__(self, key: object) -> bool:
        return False


def test_another_key_cannot_go_on_with_a_log() -> None:
    store = MemoryStore()
    opened(store).append(ENTRIES)
    with pytest.raises(LogError, match="keys of this log"):
        Log.open(store, signer(seed=7))
    with pytest.raises(LogError, match="holds another log"):
        Log.open(store, signer("log.example/egret"))


class FaultyStore(MemoryStore):
    """A memory store that fails at the n-th call of `append`, before or after keeping the batch, and may stay dumb."""

    def __init__(self, fail_at: int, *, keeps: bool, unreadable: int = 0) -> None:
        super().__init__()
        self.calls = 0
        self.fail_at = fail_at
        self.keeps = keeps
        self.unreadable = unreadable

    def append(self, entries: Sequence[bytes], head: Head) -> None:
        self.calls += 1
        if self.calls != self.fail_at:
            super().append(entries, head)
            return
        if self.keeps:
            super().append(entries, head)
        self.silent = self.unreadable
        raise StoreError("faulty store: the connection broke")

    silent = 0

    def last_head(self) -> Head | None:
        if self.silent:
            self.silent -= 1
            raise StoreError("faulty store: not reachable")
        return super().last_head()


@pytest.mark.parametrize("unreadable", [0, 1, 2])
@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("fail_at", [1, 2, 4])
def test_failed_writes(fail_at: int, keeps: bool, unreadable: int) -> None:
    """Each write fails once, without and with having kept the batch; a retry gives the index that it had then."""
    store = FaultyStore(fail_at, keeps=keeps, unreadable=unreadable)
    log = opened(store)
    expected: list[bytes] = []
    heads: list[tuple[int, bytes]] = []
    failures = 0
    for start in range(0, 20, 4):
        batch = ENTRIES[start : start + 4]
        while True:
            before = (log.size, log.root())
            try:
                results = log.append(batch)
                break
            except StoreError:
                failures += 1
                assert (log.size, log.root()) == before
        assert [result.index for result in results] == list(range(start, start + 4))
        for result, entry in zip(results, batch, strict=True):
            verify_entry_receipt(result.receipt, entry, log.verifier)
        expected += batch
        check_log(log, expected)
        heads.append((log.size, log.root()))
        for size, root in heads:
            verify_consistency(size, log.size, root, log.root(), log.consistency(size))
    # A batch that was kept, in a store that says so, is a success at the first attempt.
    assert failures == (0 if keeps and not unreadable else 1 + max(0, unreadable - 1))
    check_log(opened(store), ENTRIES)


def test_a_crash_between_store_and_answer_loses_nothing() -> None:
    """The process ends after the batch is durable and before anyone hears of it: the retry gives the same index."""
    store = MemoryStore()
    answers = opened(store).append(ENTRIES[:4])
    log = opened(store)
    assert [(result.index, result.receipt) for result in log.append(ENTRIES[:6])][:4] == [
        (result.index, result.receipt) for result in answers
    ]
    check_log(log, ENTRIES[:6])


def test_a_clock_that_fails_leaves_the_log_as_it_was() -> None:
    times = iter([1, 2])

    def clock() -> int:
        return next(times)

    log = Log.open(MemoryStore(), signer(), clock=clock)
    log.append([b"a"])
    log.append([b"b"])
    with pytest.raises(StopIteration):
        log.append([b"c"])
    times = iter([3])
    assert log.append([b"c"])[0].index == 2
    check_log(log, [b"a", b"b", b"c"])


def test_a_log_behind_another_writer_takes_in_what_it_wrote() -> None:
    store = MemoryStore()
    first, second = opened(store), opened(store)
    second.append([b"a", b"b"])
    with pytest.raises(StoreError, match="another writer"):
        first.append([b"c"])
    assert first.append([b"b", b"c"])[1].index == 2
    check_log(first, [b"a", b"b", b"c"])


def test_a_store_that_was_reset_under_the_log_stops_it() -> None:
    store = MemoryStore()
    log = opened(store)
    log.append(ENTRIES[:8])
    store.bodies, store.heads = [], []
    with pytest.raises(LogError, match="replaced or reset"):
        log.append([b"new"])
    assert log.size == 8


def test_with_public_keys_a_log_is_read_and_not_signed() -> None:
    store = MemoryStore()
    written = opened(store)
    first = written.append(ENTRIES[:5])
    log = Log.open(store, signer().verifier)
    assert (log.size, log.root(), list(log.entries())) == (5, written.root(), ENTRIES[:5])
    assert log.receipt(2) == first[2].receipt
    for sign in (lambda: log.append([b"more"]), log.checkpoint):
        with pytest.raises(LogError, match="for reading"):
            sign()
    assert log.size == 5
    assert written.append([b"more"])[0].index == 5


def test_a_clock_that_is_hours_off_changes_nothing_but_the_times() -> None:
    """Its owner sets it right during the night: what was recorded before keeps its place, and the log opens again."""
    store = MemoryStore()
    hours = iter([0, 5, -7, 3, 30])
    for batch in range(5):
        now = 1_750_000_000_000 + 3_600_000 * next(hours)
        log = Log.open(store, signer(), clock=lambda now=now: now)
        log.append([f"entry {batch}".encode()])
    check_log(log, [f"entry {batch}".encode() for batch in range(5)])
    assert [(head.time_ms - 1_750_000_000_000) // 3_600_000 for head in store.heads] == [0, 5, -7, 3, 30]
