"""What the store in PostgreSQL does besides what every store does: addresses, migrations, the lock, the fence, and failures."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from log_helpers import ORIGIN, check_log, signer
from postgresql_server import ESCAPED, PASSWORD, Server, running
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Head, Log

psycopg = pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

from scrutineer.log.postgresql import PostgresqlStore, migrate, schema  # noqa: E402
from scrutineer.log.postgresql.server import Address  # noqa: E402

ENTRIES = [b"entry %d" % number for number in range(30)]


def head(size: int) -> Head:
    return Head(size, bytes([size % 256]) * 32, bytes(64), 0)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def url(server: Server) -> str:
    return server.database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresqlStore]:
    with closing(PostgresqlStore.open(url, ORIGIN, create=True)) as opened:
        yield opened


def session(store: PostgresqlStore) -> int:
    assert store._writer is not None
    return store._writer.info.backend_pid


def wait_until(server: Server, condition: str) -> None:
    for _ in range(500):
        if server.sql(f"SELECT {condition}") == [(True,)]:
            return
        time.sleep(0.02)
    raise TimeoutError(condition)


# Addresses


def test_an_address_is_shown_without_its_password() -> None:
    for url, text in (
        (f"postgresql://heron:{ESCAPED}@db.example:6432/night?sslmode=require", "postgresql://heron@db.example:6432/night"),
        ("postgres://db.example/night?password=hoopoe", "postgresql://db.example/night"),
        ("postgresql://heron:hoopoe@a.example:1,b.example:2/night", "postgresql://heron@a.example,b.example:1,2/night"),
        ("postgresql:///night", "postgresql:///night"),
    ):
        address = Address.parse(url)
        assert (str(address), address.text) == (text, text)
        assert "hoopoe" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://heron:hoo%zzpoe@db.example/night",
        "postgresql://heron:wren@hoopoe@db.example/night",
        "postgresql://heron:hoo/poe@db.example/night",
        "postgresql://heron:12/hoopoe@db.example/night",
        "postgresql://heron:hoopoe@db.example:x/night",
        "postgresql://heron:hoopoe@db.example/night?bird=hoopoe",
        "postgresql://heron:hoopoe@[db.example/night",
        "mysql://heron:hoopoe@db.example/night",
        "host=db.example password=hoopoe",
        "",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match=r"postgresql://USER@HOST:PORT/DATABASE") as caught:
        PostgresqlStore.open(url, ORIGIN)
    assert "hoo" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


# Failures, and what they say


def test_servers_that_cannot_be_used_are_explained(server: Server, url: str) -> None:
    server.sql("CREATE ROLE wren LOGIN PASSWORD 'hoopoe'")
    name = url.rpartition("/")[2]
    for bad, message in (
        (server.url(user="heron:hoopoe"), "check user and password"),
        (server.url(user="heron"), "check user and password"),
        (server.url("nowhere"), "create the database"),
        (server.url(port=1), "cannot be reached; check host and port"),
        ("postgresql://heron:hoopoe@nowhere.invalid/night", "cannot be reached; check host and port"),
        (server.url(name, user="wren:hoopoe"), "give this user the right"),
    ):
        for call in (lambda url: PostgresqlStore.open(url, ORIGIN, create=True), migrate):
            with pytest.raises(StoreError, match=message) as caught:
                call(bad)
            assert "hoopoe" not in str(caught.value)
            assert PASSWORD not in str(caught.value)
            assert "log store postgresql://" in str(caught.value)
    migrate(url)
    with pytest.raises(StoreError, match="give this user the right"):
        PostgresqlStore.open_reader(server.url(name, user="wren:hoopoe")).last_head()


def test_a_server_that_does_not_flush_is_refused(server: Server, url: str) -> None:
    migrate(url)
    server.sql("ALTER SYSTEM SET fsync = off")
    server.sql("SELECT pg_reload_conf()")
    try:
        wait_until(server, "current_setting('fsync') = 'off'")
        with pytest.raises(StoreError, match="set fsync = on"):
            PostgresqlStore.open(url, ORIGIN)
    finally:
        server.sql("ALTER SYSTEM RESET fsync")
        server.sql("SELECT pg_reload_conf()")
        wait_until(server, "current_setting('fsync') = 'on'")


def test_a_read_only_server_is_refused_to_writers_alone(server: Server, store: PostgresqlStore, url: str) -> None:
    store.append([b"a"], head(1))
    store.close()
    server.sql(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match="read-only; give the address of the primary"):
        PostgresqlStore.open(url, ORIGIN)
    with closing(PostgresqlStore.open_reader(url)) as reader:
        assert reader.entry(0) == b"a"


def test_a_pool_of_connections_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool answers with a number of its own for the session; here the client is told another than the server's."""
    migrate(url)
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    with pytest.raises(StoreError, match="pool of connections"):
        PostgresqlStore.open(url, ORIGIN)


def test_a_weaker_commit_of_the_database_is_not_taken_over(server: Server, url: str) -> None:
    name = url.rpartition("/")[2]
    for set_to, used in (("off", "on"), ("remote_write", "on"), ("remote_apply", "remote_apply")):
        server.sql(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}")
        with closing(PostgresqlStore.open(url, ORIGIN, create=True)) as store:
            assert store._writer is not None
            assert store._writer.execute("SHOW synchronous_commit").fetchone() == (used,)


def test_a_missing_driver_is_explained() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import scrutineer.log; from scrutineer.errors import StoreError\n"
        "try:\n    import scrutineer.log.postgresql\nexcept StoreError as error:\n    print(error)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "install scrutineer[postgresql]" in output


def test_what_is_logged_cannot_be_changed_by_a_slip(server: Server, store: PostgresqlStore, url: str) -> None:
    store.append([b"a"], head(1))
    for slip in ("DELETE FROM scrutineer.entry", "UPDATE scrutineer.head SET time_ms = 1", "TRUNCATE scrutineer.entry"):
        with pytest.raises(psycopg.Error, match="only ever added to"):
            server.sql(slip, url)


def test_lost_and_changed_entries_are_found(server: Server, store: PostgresqlStore, url: str) -> None:
    log = Log.open(store, signer())
    log.append(ENTRIES)
    log.close()
    server.sql("ALTER TABLE scrutineer.entry DISABLE TRIGGER append_only", url)
    server.sql("UPDATE scrutineer.entry SET body = 'x' WHERE idx = 7", url)
    with closing(PostgresqlStore.open(url, ORIGIN)) as again, pytest.raises(LogError, match="an entry was changed"):
        Log.open(again, signer())
    server.sql("DELETE FROM scrutineer.entry WHERE idx = 7", url)
    with closing(PostgresqlStore.open(url, ORIGIN)) as again, pytest.raises(StoreError, match="1 of the entries 0 to 29"):
        Log.open(again, signer())


# Migrations


def test_migrations_are_applied_once_and_in_order(server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [name for name, _sql in schema.migrations()]
    assert first == ["0001_entries_and_heads.sql", "0002_inbox.sql"]
    assert migrate(url) == first
    assert migrate(url) == []
    store = PostgresqlStore.open(url, ORIGIN)
    store.append([b"a"], head(1))
    known = schema.migrations()
    more = [*known, ("0003_nest.sql", "CREATE TABLE scrutineer.nest (bird text)"), ("0004_egg.sql", "SELECT 1")]
    monkeypatch.setattr(schema, "migrations", lambda: more)
    for call in (lambda: PostgresqlStore.open(url, "log.example/egret"), lambda: PostgresqlStore.open_reader(url)):
        with pytest.raises(StoreError, match="version 2, and this program needs 4: migrate them"):
            call()
    assert migrate(url) == ["0003_nest.sql", "0004_egg.sql"]
    assert server.sql("SELECT version, name FROM scrutineer.migration ORDER BY 1", url)[2:] == [
        (3, "0003_nest.sql"),
        (4, "0004_egg.sql"),
    ]
    # A writer that knows the old tables is cut off, and opened anew it sees why.
    with pytest.raises(StoreError, match="its tables were migrated"):
        store.append([b"b"], head(2))
    store.close()
    monkeypatch.setattr(schema, "migrations", lambda: known)
    for call in (lambda: PostgresqlStore.open(url, ORIGIN), lambda: PostgresqlStore.open_reader(url), lambda: migrate(url)):
        with pytest.raises(StoreError, match="use a newer Scrutineer"):
            call()


def test_a_migration_that_fails_changes_nothing(server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [*schema.migrations(), ("0003_broken.sql", "CREATE TABLE scrutineer.nest (bird text); SELECT 1 / 0")]
    monkeypatch.setattr(schema, "migrations", lambda: broken)
    with pytest.raises(StoreError, match="division by zero"):
        migrate(url)
    assert server.sql("SELECT to_regnamespace('scrutineer') IS NULL", url) == [(True,)]


# One writer


def test_a_lost_connection_is_made_anew_with_lock_and_fence(server: Server, store: PostgresqlStore, url: str) -> None:
    log = Log.open(store, signer())
    for start in range(0, 30, 5):
        fence = store._fence
        server.sql(f"SELECT pg_terminate_backend({session(store)})")
        server.sql(f"SELECT pg_terminate_backend({store._reader.info.backend_pid})" if store._reader else "SELECT")
        # The failed batch is not in the log, which the log learns from the new connection; then it stores it.
        with pytest.raises(StoreError, match="log store postgresql://heron@"):
            log.append(ENTRIES[start : start + 5])
        assert [result.index for result in log.append(ENTRIES[start : start + 5])] == list(range(start, start + 5))
        assert store._fence == fence + 1
        with pytest.raises(StoreError, match="only one may"):
            PostgresqlStore.open(url, ORIGIN)
    check_log(log, ENTRIES)


def test_whoever_lost_the_lock_to_another_cannot_write(
    server: Server, store: PostgresqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scrutineer.log.postgresql.store.RECOVERY_WAIT", 0.2)
    log = Log.open(store, signer())
    log.append(ENTRIES[:5])
    server.sql(f"SELECT pg_terminate_backend({session(store)})")
    other_store = PostgresqlStore.open(url, ORIGIN, wait=5)
    other = Log.open(other_store, signer())
    other.append(ENTRIES[5:20])
    for _ in range(2):
        with pytest.raises(StoreError):
            log.append(ENTRIES[20:])
    assert other.append(ENTRIES[4:6])[0].index == 4
    other.close()
    # The other one is gone; what it wrote is taken in, and counts as written.
    assert [result.index for result in log.append(ENTRIES)] == list(range(30))
    check_log(log, ENTRIES)


def test_a_writer_that_waits_begins_when_the_first_one_ends(store: PostgresqlStore, url: str) -> None:
    with pytest.raises(StoreError, match="only one may"):
        PostgresqlStore.open(url, ORIGIN, wait=0.1)
    began: list[PostgresqlStore] = []
    thread = threading.Thread(target=lambda: began.append(PostgresqlStore.open(url, ORIGIN, wait=30)))
    thread.start()
    store.append([b"a"], head(1))
    store.close()
    thread.join()
    (second,) = began
    second.append([b"b"], head(2))
    assert list(second.entries(0, 2)) == [b"a", b"b"]
    second.close()


def test_who_waits_keeps_nobody_from_clearing_up(store: PostgresqlStore, server: Server, url: str) -> None:
    """A row that every commit replaces must not leave its earlier versions behind for as long as another process waits."""
    began: list[PostgresqlStore] = []
    thread = threading.Thread(target=lambda: began.append(PostgresqlStore.open(url, ORIGIN, wait=60)))
    thread.start()
    asks = "query LIKE '%advisory%' AND pid <> pg_backend_pid() AND datname = '" + url.rpartition("/")[2] + "'"
    wait_until(server, f"EXISTS (SELECT FROM pg_stat_activity WHERE {asks})")
    for size in range(1, 501):
        store.append([b"heron"], head(size))
    assert server.sql("SELECT pg_relation_size('scrutineer.tip')", url) == [(8192,)]
    store.close()
    thread.join()
    began[0].close()


def test_without_the_lock_the_fence_alone_keeps_the_tree_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers that take no lock begin again and again at the same time: each batch is stored by one of them, or by none."""
    monkeypatch.setattr(PostgresqlStore, "_lock", lambda *_: None)
    PostgresqlStore.open(url, ORIGIN, create=True).close()
    acknowledged: dict[bytes, set[int]] = {}
    roots: dict[int, set[bytes]] = {}
    refused: list[str] = []

    def write(name: bytes) -> None:
        for number in range(15):
            with closing(PostgresqlStore.open(url, ORIGIN)) as store:
                try:
                    log = Log.open(store, signer())
                    for batch in range(4):
                        count = 300 if batch == 3 else 3
                        entries = [b"%s %d %d %d" % (name, number, batch, entry) for entry in range(count)]
                        for entry, result in zip(entries, log.append(entries), strict=True):
                            acknowledged.setdefault(entry, set()).add(result.index)
                        roots.setdefault(log.size, set()).add(log.root())
                except StoreError as error:
                    refused.append(str(error))

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"heron", b"egret")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reason for reason in refused if "another process has begun to write" in reason]
    with closing(PostgresqlStore.open_reader(url)) as reader:
        log = Log.open(reader, signer().verifier)
        stored = list(log.entries())
        assert len(set(stored)) == len(stored)
        assert all(places == {stored.index(entry)} for entry, places in acknowledged.items())
        assert all(found == {log.root(size)} for size, found in roots.items())
        assert len(acknowledged) >= 300


# Batches that failed and are stored all the same


@contextmanager
def waiting_for_a_standby(server: Server) -> Iterator[Callable[[], None]]:
    """From here on every commit waits for a standby that never comes; the function that is given ends that."""

    def end() -> None:
        server.sql("ALTER SYSTEM RESET synchronous_standby_names")
        server.sql("SELECT pg_reload_conf()")

    cut_off: list[object] = []
    with psycopg.connect(server.url(), autocommit=True) as probe:
        probe.add_notice_handler(cut_off.append)

        def commit() -> None:
            while not cut_off:
                probe.execute("SELECT pg_logical_emit_message(true, 'probe', '')")

        server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.sql("SELECT pg_reload_conf()")
        thread = threading.Thread(target=commit)
        thread.start()
        try:
            # The setting takes hold some time after it was read: when a commit that can be cut off has begun to wait.
            wait_until(server, waits(f"= {probe.info.backend_pid}"))
            server.sql(f"SELECT pg_cancel_backend({probe.info.backend_pid})")
            thread.join()
            yield end
        finally:
            cut_off.append("over")
            end()
            thread.join()


def waits(pid: str) -> str:
    return f"EXISTS (SELECT FROM pg_stat_activity WHERE pid {pid} AND wait_event = 'SyncRep')"


@pytest.mark.parametrize("end", ["pg_terminate_backend", "pg_cancel_backend"])
@pytest.mark.parametrize("count", [3, 300])
def test_a_batch_that_failed_but_persisted_counts_once(server: Server, store: PostgresqlStore, end: str, count: int) -> None:
    """The commit is on the disk when the wait for the standby is cut off: nothing is acknowledged until that wait is done."""
    log = Log.open(store, signer())
    log.append(ENTRIES)
    pid = session(store)
    batch = [b"batch %d" % number for number in range(count)]
    outcome: list[object] = []

    def append() -> None:
        try:
            outcome.append(log.append(batch))
        except StoreError as error:
            outcome.append(error)

    thread = threading.Thread(target=append)
    with waiting_for_a_standby(server) as end_of_wait:
        thread.start()
        wait_until(server, waits(f"= {pid}"))
        server.sql(f"SELECT {end}({pid})")
        # The writer's new session raises the fence, and that commit waits for the standby in turn: still no answer.
        wait_until(server, waits(f"<> {pid}"))
        assert not outcome
        end_of_wait()
        thread.join()
    (results,) = outcome
    assert isinstance(results, list), results
    assert [(result.index, result.fresh) for result in results] == [(index, True) for index in range(30, 30 + count)]
    check_log(log, ENTRIES + batch)


def test_a_batch_that_failed_and_is_not_stored_leaves_the_store_usable(server: Server, store: PostgresqlStore, url: str) -> None:
    log = Log.open(store, signer())
    log.append(ENTRIES[:3])
    for table in ("entry", "head"):
        server.sql(f"ALTER TABLE scrutineer.{table} ADD CONSTRAINT storm CHECK (false) NOT VALID", url)
        for batch in (ENTRIES[3:], [b"%d" % number for number in range(500)]):
            with pytest.raises(StoreError, match="storm"):
                log.append(batch)
        server.sql(f"ALTER TABLE scrutineer.{table} DROP CONSTRAINT storm", url)
    assert log.append(ENTRIES)[-1].index == 29
    check_log(log, ENTRIES)
