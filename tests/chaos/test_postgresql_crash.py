"""Writer, server and network fail at bad moments under load: nothing acknowledged is lost, nothing is in twice, no fork."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from cable import Cable
from log_helpers import ORIGIN, Acknowledged, check_log, signer
from postgresql_server import Server, running
from scrutineer.errors import StoreError
from scrutineer.log import Head, Log

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

from scrutineer.log.postgresql import PostgresqlStore

WRITER = Path(__file__).with_name("log_writer.py")
TESTS = WRITER.parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
KILLS = 20


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


class Client:
    """Appends batch after batch on a thread, each again and again until it is acknowledged, as a station would send it."""

    def __init__(self, log: Log, seed: int) -> None:
        self.log = log
        self.acknowledged = Acknowledged()
        self.failures: list[str] = []
        self.doubtful: list[Head] = []
        """Heads of batches of which the store said that they failed."""
        self.broken: list[BaseException] = []
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        store, append = log._store, log._store.append

        def watched(entries: Sequence[bytes], head: Head) -> None:
            try:
                append(entries, head)
            except StoreError:
                self.doubtful.append(head)
                raise

        store.append = watched  # type: ignore[method-assign]
        self._thread.start()

    def progress(self, batches: int = 1) -> None:
        """Wait until that many more batches are acknowledged."""
        heads = self.acknowledged.heads
        goal = len(heads) + batches
        for _ in range(6000):
            if len(heads) >= goal or self.broken:
                return
            time.sleep(0.005)
        raise TimeoutError(self.failures[-1:])

    def finish(self) -> None:
        """Let the batch that is under way be acknowledged, and end."""
        self._stop.set()
        self._thread.join()
        assert not self.broken

    def _run(self) -> None:
        first = 0
        try:
            while not self._stop.is_set():
                count = self._dice.choice([1, 2, 7, 40, 256])
                batch = [b"entry %d " % number + b"x" * (number % 700) for number in range(first, first + count)]
                for _ in range(2000):
                    try:
                        results = self.log.append(batch)
                    except StoreError as error:
                        self.failures.append(str(error))
                        time.sleep(0.02)
                    else:
                        break
                else:
                    raise TimeoutError(self.failures[-1])
                pairs = " ".join(f"{number}:{result.index}" for number, result in enumerate(results, first))
                self.acknowledged.take(f"ack {self.log.size} {self.log.root().hex()} {pairs}")
                first += count
        except BaseException as error:
            self.broken.append(error)


def test_killed_writers_lose_nothing_and_repeat_nothing(server: Server) -> None:
    url = server.database()
    dice = random.Random(20_241_222)
    acknowledged = Acknowledged()
    writer = subprocess.Popen(
        [sys.executable, str(WRITER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer:
        for seed in range(KILLS):
            first = max(acknowledged.places, default=-1) + 1
            writer.stdin.write(f"{url} {first} {seed}\n")
            writer.stdin.flush()
            pid = int(writer.stdout.readline().removeprefix("pid "))
            acknowledged.take(writer.stdout.readline())
            time.sleep(dice.uniform(0, 0.05))
            os.kill(pid, signal.SIGKILL)
            while (line := writer.stdout.readline()) != "gone\n":
                acknowledged.take(line)
            acknowledged.check(PostgresqlStore.open(url, ORIGIN, wait=10))
        writer.stdin.close()
    assert len(acknowledged.heads) >= KILLS
    assert max(acknowledged.places.values()) == len(acknowledged.places) - 1


@pytest.mark.parametrize("victim", ["the whole server", "the writer's session"])
def test_a_killed_server_loses_nothing_and_repeats_nothing(server: Server, victim: str) -> None:
    """The log goes on by itself when the server is back; what was acknowledged before the kill is there."""
    url = server.database()
    store = PostgresqlStore.open(url, ORIGIN, create=True)
    dice = random.Random(20_241_223)
    client = Client(Log.open(store, signer()), 5)
    try:
        for _ in range(KILLS // 2):
            client.progress()
            time.sleep(dice.uniform(0, 0.05))
            if victim == "the whole server":
                server.kill()
                server.start()
                continue
            connection = store._writer
            if connection is not None:
                # The server then ends every session and recovers, as it does after a crash of its own.
                with suppress(ProcessLookupError):
                    os.kill(connection.info.backend_pid, signal.SIGKILL)
        client.progress(5)
    finally:
        client.finish()
    assert client.failures
    entries = list(client.log.entries())
    client.log.close()
    assert client.acknowledged.check(PostgresqlStore.open(url, ORIGIN, wait=10)) == len(entries) == len(set(entries))
    assert sorted(client.acknowledged.places.values()) == list(range(len(entries)))


def test_a_network_that_is_cut_loses_nothing_and_repeats_nothing(server: Server) -> None:
    """Requests and answers are lost at random moments; a batch whose answer was lost counts once, whether stored or not."""
    name = server.database().rpartition("/")[2]
    with closing(Cable(server.port)) as cable:
        store = PostgresqlStore.open(server.url(name, port=cable.port), ORIGIN, create=True)
        dice = random.Random(20_241_224)
        client = Client(Log.open(store, signer()), 6)
        try:
            for turn in range(3 * KILLS):
                client.progress()
                time.sleep(dice.uniform(0, 0.02))
                if turn % 3:
                    cable.swallow()
                else:
                    cable.cut()
            client.progress(5)
        finally:
            client.finish()
        log = client.log
        check_log(log, list(log.entries()))
        # Some were stored all the same: the answer was lost, not the batch.
        assert any(head.size <= log.size and log._store.head_covering(head.size - 1) == head for head in client.doubtful)
        log.close()
    assert client.acknowledged.check(PostgresqlStore.open(server.url(name), ORIGIN, wait=10)) == len(client.acknowledged.places)


def test_two_writers_take_turns_as_each_is_cut_off(server: Server) -> None:
    """The sequencer's sessions are ended again and again while another waits: one writes at a time, and one history results."""
    url = server.database()
    PostgresqlStore.open(url, ORIGIN, create=True).close()
    acknowledged = Acknowledged()
    turns: list[int] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def run(number: int) -> None:
        count = 0
        try:
            while not stop.is_set():
                with suppress(StoreError), closing(PostgresqlStore.open(url, ORIGIN, wait=5)) as store:
                    log = Log.open(store, signer())
                    turns.append(number)
                    while not stop.is_set():
                        places = range(number * 1_000_000 + count, number * 1_000_000 + count + 5)
                        results = log.append([b"entry %d of its writer" % place for place in places])
                        pairs = " ".join(f"{place}:{result.index}" for place, result in zip(places, results, strict=True))
                        acknowledged.take(f"ack {log.size} {log.root().hex()} {pairs}")
                        count += 5
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    dice = random.Random(20_241_225)
    try:
        for _ in range(KILLS):
            time.sleep(dice.uniform(0, 0.1))
            holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            server.sql(f"SELECT pg_terminate_backend(pid) FROM ({holder}) AS held", url)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert set(turns) == {1, 2}
    acknowledged.check(PostgresqlStore.open(url, ORIGIN, wait=10))
