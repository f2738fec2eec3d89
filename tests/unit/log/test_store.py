"""What every store of the log keeps to; the same tests run on each of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from log_helpers import ORIGIN, check_log, signer
from postgresql_server import Server, running
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Head, Log, SqliteStore, Store


class Home(Protocol):
    """A place that a store is kept in, and can be opened in again."""

    def open(self, *, create: bool = False) -> Store: ...

    def open_reader(self) -> Store: ...


class SqliteHome:
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, *, create: bool = False) -> Store:
        return SqliteStore.open(self.path, create=create)

    def open_reader(self) -> Store:
        return SqliteStore.open_reader(self.path)


class PostgresqlHome:
    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, *, create: bool = False) -> Store:
        from scrutineer.log.postgresql import PostgresqlStore

        return PostgresqlStore.open(self.url, ORIGIN, create=create)

    def open_reader(self) -> Store:
        from scrutineer.log.postgresql import PostgresqlStore

        return PostgresqlStore.open_reader(self.url)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    if request.param == "sqlite":
        return SqliteHome(tmp_path / "log.db")
    server: Server = request.getfixturevalue("server")
    return PostgresqlHome(server.database())


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with closing(home.open(create=True)) as opened:
        yield opened


@contextmanager
def closing(store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        store.close()


def head(size: int, time_ms: int = 0) -> Head:
    return Head(size, bytes([size % 256]) * 32, bytes(64), time_ms)


def test_what_is_appended_can_be_read(store: Store) -> None:
    assert store.last_head() is None
    store.append([b"a", b"b"], head(2, 17))
    store.append([b"c"], head(3, 18))
    assert list(store.entries(0, 3)) == [b"a", b"b", b"c"]
    assert list(store.entries(1, 2)) == [b"b"]
    assert list(store.entries(3, 3)) == []
    assert store.entry(2) == b"c"
    assert [store.head_covering(index).size for index in range(3)] == [2, 2, 3]
    assert store.last_head() == head(3, 18)


def test_batches_of_every_size_are_read_across_chunks(store: Store) -> None:
    bodies: list[bytes] = []
    for count in (1, 255, 256, 257, 9_231):
        batch = [b"%d" % number for number in range(len(bodies), len(bodies) + count)]
        bodies += batch
        store.append(batch, head(len(bodies)))
    assert list(store.entries(0, 10_000)) == bodies
    assert list(store.entries(4000, 9000)) == bodies[4000:9000]


def test_the_longest_entries(store: Store) -> None:
    bodies = [bytes([number % 256]) * 65_535 for number in range(300)]
    store.append(bodies[:4], head(4))
    store.append(bodies[4:], head(300))
    assert list(store.entries(0, 300)) == bodies


def test_named_values(store: Store) -> None:
    assert store.meta("origin") is None
    store.set_meta("origin", b"one")
    store.set_meta("origin", b"two")
    assert store.meta("origin") == b"two"


def test_everything_is_there_after_reopening(home: Home) -> None:
    for call in (home.open, home.open_reader):
        with pytest.raises(StoreError, match=r"there is no .*check the (path|address)"):
            call()
    first = home.open(create=True)
    first.append([b"a"], head(1))
    first.close()
    first.close()
    for create in (False, True):
        with closing(home.open(create=create)) as again:
            assert (again.entry(0), again.last_head()) == (b"a", head(1))


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.append([b"x"], head(2)),
        lambda store: store.append([b"x"], head(5)),
        lambda store: store.append([], head(3)),
        lambda store: store.append([b"x"] * 5, head(4)),
        lambda store: store.append([b"x"] * 1000, head(1002)),
        lambda store: store.entry(3),
        lambda store: store.entry(-1),
        lambda store: store.entry(2**70),
        lambda store: store.head_covering(3),
        lambda store: store.head_covering(-1),
        lambda store: list(store.entries(0, 4)),
        lambda store: list(store.entries(-1, 1)),
        lambda store: list(store.entries(2, 1)),
    ],
)
def test_what_cannot_be_stored_or_read(store: Store, call: Callable[[Store], object]) -> None:
    store.append([b"a", b"b", b"c"], head(3))
    with pytest.raises(StoreError):
        call(store)
    assert list(store.entries(0, 3)) == [b"a", b"b", b"c"]
    store.append([b"d"], head(4))
    assert store.last_head() == head(4)


def test_heads_are_checked() -> None:
    for bad in ((0, bytes(32), bytes(64), 0), (1, bytes(31), bytes(64), 0), (1, bytes(32), b"", 0)):
        with pytest.raises(StoreError):
            Head(*bad)


def test_a_second_writer_is_refused_and_readers_are_not(store: Store, home: Home) -> None:
    store.append([b"a"], head(1))
    with pytest.raises(StoreError, match="another process is writing to it; only one may"):
        home.open()
    with closing(home.open_reader()) as reader:
        assert (reader.entry(0), reader.last_head()) == (b"a", head(1))
        store.append([b"b"], head(2))
        assert list(reader.entries(0, 2)) == [b"a", b"b"]
        for call in (lambda: reader.append([b"c"], head(3)), lambda: reader.set_meta("origin", b"c")):
            with pytest.raises(StoreError, match="reading only"):
                call()
        assert reader.last_head() == head(2)


def test_the_lock_goes_with_the_writer(home: Home) -> None:
    home.open(create=True).close()
    home.open().close()


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    for call in (store.last_head, lambda: store.entry(0), lambda: store.append([b"a"], head(1))):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_a_log_is_the_same_after_reopening(home: Home) -> None:
    entries = [b"entry %d" % number for number in range(700)]
    log = Log.open(home.open(create=True), signer())
    receipts = [result.receipt for start, stop in ((0, 1), (1, 40), (40, 700)) for result in log.append(entries[start:stop])]
    log.close()
    again = Log.open(home.open(), signer())
    check_log(again, entries)
    assert [again.receipt(index) for index in range(700)] == receipts
    assert [result.receipt for result in again.append(entries)] == receipts
    again.close()
    with closing(home.open_reader()) as reader:
        check_log(Log.open(reader, signer().verifier), entries)


def test_another_log_is_refused(home: Home) -> None:
    log = Log.open(home.open(create=True), signer())
    log.append([b"a"])
    log.close()
    with closing(home.open()) as store, pytest.raises(LogError, match="another log"):
        Log.open(store, signer("log.example/egret"))


def test_reading_and_writing_from_several_threads(store: Store) -> None:
    """Readers see whole batches only, each with its head."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                found = store.last_head()
                size = found.size if found else 0
                assert size % 10 == 0
                assert list(store.entries(0, size)) == [b"%d" % number for number in range(size)]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(0, 500, 10):
        store.append([b"%d" % number for number in range(start, start + 10)], head(start + 10))
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
