"""The sequencer: natural batches, order, duplicates, and failure without a lie."""

import asyncio
import threading
from collections.abc import Sequence

from log_helpers import MemoryStore, signer
from scrutineer.errors import LogError, ScrutineerError, StoreError
from scrutineer.intake.sequencer import Sequencer
from scrutineer.log import Integrated, Log, verify_entry_receipt

ENTRIES = [b"entry %d" % number for number in range(40)]


def test_what_queues_during_a_commit_is_the_next_batch() -> None:
    log = Log.open(MemoryStore(), signer())
    batches: list[int] = []
    gate = threading.Event()

    def append(entries: Sequence[bytes]) -> list[Integrated]:
        batches.append(len(entries))
        gate.wait(10)
        return log.append(entries)

    async def run() -> list[Integrated | ScrutineerError]:
        results: list[Integrated | ScrutineerError] = []
        recorded: list[bytes] = []
        sequencer = Sequencer(append, recorded=recorded.append, failed=lambda _: None)
        sequencer.put(ENTRIES[0], results.append)
        while not batches:
            await asyncio.sleep(0.001)
        for entry in ENTRIES[1:]:
            sequencer.put(entry, results.append)
        sequencer.put(ENTRIES[0], results.append)
        gate.set()
        await sequencer.close()
        assert recorded == ENTRIES
        assert sequencer.batches == 2
        return results

    results = asyncio.run(run())
    assert batches == [1, 40]
    for entry, result in zip([*ENTRIES, ENTRIES[0]], results, strict=True):
        assert isinstance(result, Integrated)
        assert verify_entry_receipt(result.receipt, entry, log.verifier).index == ENTRIES.index(entry)
    assert results[-1] != results[0]
    assert isinstance(results[-1], Integrated)
    assert not results[-1].fresh


def test_a_failure_is_told_to_everyone_and_nothing_is_appended_after() -> None:
    calls: list[Sequence[bytes]] = []

    def append(entries: Sequence[bytes]) -> list[Integrated]:
        calls.append(entries)
        raise StoreError("the disk is full")

    async def run() -> None:
        results: list[object] = []
        failures: list[ScrutineerError] = []
        sequencer = Sequencer(append, recorded=lambda _: None, failed=failures.append)
        for entry in ENTRIES:
            sequencer.put(entry, results.append)
        while not failures:
            await asyncio.sleep(0.001)
        sequencer.put(b"later", results.append)
        await sequencer.close()
        assert len(results) == len(ENTRIES) + 1
        assert all(isinstance(result, StoreError) for result in results)
        assert len(failures) == 1
        assert len(calls) == 1

    asyncio.run(run())


def test_an_unexpected_failure_is_a_store_failure() -> None:
    def append(entries: Sequence[bytes]) -> list[Integrated]:
        raise MemoryError

    async def run() -> object:
        results: list[object] = []
        sequencer = Sequencer(append, recorded=lambda _: None, failed=lambda _: None)
        sequencer.put(b"entry", results.append)
        await sequencer.close()
        return results[0]

    assert isinstance(asyncio.run(run()), StoreError)


def test_with_somebody_to_take_it_back_a_failure_of_the_store_is_nobodys_end() -> None:
    """What was not recorded is given back whole, with who waits for it; other failures are told as ever."""

    async def run(error: Exception) -> tuple[list[bytes], list[object], list[ScrutineerError]]:
        gate = threading.Event()

        def append(entries: Sequence[bytes]) -> list[Integrated]:
            gate.wait(10)
            raise error

        back: list[bytes] = []
        told: list[object] = []
        failures: list[ScrutineerError] = []
        sequencer = Sequencer(
            append,
            recorded=lambda _: None,
            failed=failures.append,
            unrecorded=lambda queue, _: back.extend(data for data, _ in queue),
        )
        sequencer.put(ENTRIES[0], told.append)
        await asyncio.sleep(0.01)
        for entry in ENTRIES[1:5]:
            sequencer.put(entry, told.append)
        gate.set()
        await sequencer.close()
        while not back and not failures:
            await asyncio.sleep(0.001)
        return back, told, failures

    back, told, failures = asyncio.run(run(StoreError("out of reach")))
    assert (back, told, failures) == (ENTRIES[:5], [], [])
    back, told, failures = asyncio.run(run(LogError("another history")))
    assert back == []
    assert len(told) == 5
    assert [str(error) for error in failures] == ["another history"]


def test_a_stopped_sequencer_gives_back_its_queue_and_tells_the_running_commit() -> None:
    log = Log.open(MemoryStore(), signer())
    gate = threading.Event()

    def append(entries: Sequence[bytes]) -> list[Integrated]:
        gate.wait(10)
        return log.append(entries)

    async def run() -> None:
        told: list[object] = []
        sequencer = Sequencer(append, recorded=lambda _: None, failed=lambda _: None)
        sequencer.put(ENTRIES[0], told.append)
        await asyncio.sleep(0.01)
        sequencer.put(ENTRIES[1], told.append)
        assert [data for data, _ in sequencer.stop(StoreError("over"))] == [ENTRIES[1]]
        sequencer.put(ENTRIES[2], told.append)
        gate.set()
        await sequencer.close()
        assert isinstance(told[0], StoreError)
        assert isinstance(told[1], Integrated)
        assert log.size == 1

    asyncio.run(run())
