"""Restoring and migrating: same entries, heads and receipts; completed from what was published; never two logs, never a fork."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from log_helpers import ORIGIN, signer
from postgresql_server import Server, running
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Head, Log, SqliteStore
from scrutineer.log import backup as writing
from scrutineer.log import copy as copying
from scrutineer.log.backup import Backup, write_backup
from scrutineer.log.copy import Copied, close_prefix, migrate, restore
from scrutineer.log.mark import Mark
from store_helpers import VERIFIER, Site, batched, entries, everything, made

COUNT = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


class FailingStore:
    """An SQLite store that fails at the n-th transaction, after or before it took effect."""

    def __init__(self, store: SqliteStore, at: int, *, kept: bool) -> None:
        self._store, self._left, self._kept = store, at, kept
        self.entries, self.entry, self.heads = store.entries, store.entry, store.heads
        self.last_head, self.meta = store.last_head, store.meta

    def _try(self, work: Callable[[], None]) -> None:
        self._left -= 1
        if self._left < 0 and not self._kept:
            raise StoreError("the disk is full")
        work()
        if self._left < 0:
            raise StoreError("the disk is full")

    def extend(self, start: int, found: Iterable[bytes], heads: Sequence[Head]) -> None:
        self._try(lambda: self._store.extend(start, found, heads))

    def set_meta(self, key: str, value: bytes) -> None:
        self._try(lambda: self._store.set_meta(key, value))


def backup_of(store: Path) -> Backup:
    file = store.with_suffix(".backup")
    reader = SqliteStore.open_reader(store)
    write_backup(reader, VERIFIER, file)
    reader.close()
    return Backup(file)


def restored(backup: Backup, target: Path, *sites: Site, mark: Path | None = None, accept_loss: bool = False) -> Copied:
    store = SqliteStore.open(target, create=True)
    try:
        return restore(
            backup,
            store,
            VERIFIER,
            sites=[(site.log, site.head) for site in sites],
            mark=Mark(mark or target.with_suffix(".mark")),
            accept_loss=accept_loss,
            progress=lambda what, done, total: None,
            settle=store.checkpoint_wal,
        )
    finally:
        store.close()


def test_a_restored_log_is_the_same_log(tmp_path: Path) -> None:
    origin = made(tmp_path / "log.db", batched(COUNT, 7))
    copied = restored(backup_of(origin), tmp_path / "new.db")
    assert everything(tmp_path / "new.db") == everything(origin)
    assert (copied.size, copied.from_site, copied.resumed, copied.lost_to) == (COUNT, 0, 0, None)
    log = Log.open(SqliteStore.open(tmp_path / "new.db"), signer(), mark=Mark(tmp_path / "new.mark"))
    assert log.append([b"next"])[0].index == COUNT
    log.close()


def test_what_the_backup_lacks_comes_from_what_was_published(tmp_path: Path) -> None:
    batches = batched(COUNT, 7)
    backup = backup_of(made(tmp_path / "early.db", batches[:50]))
    whole = made(tmp_path / "whole.db", batches)
    copied = restored(backup, tmp_path / "new.db", Site(tmp_path / "early.db"), Site(whole))
    assert (copied.size, copied.from_site) == (COUNT, COUNT - 350)
    (were, heads, receipts), (are, now, new) = everything(whole), everything(tmp_path / "new.db")
    assert are == were
    assert now == [*heads[:50], heads[-1]]
    # Where the head is known, the receipt is the same byte for byte: before the backup, and under the published head.
    assert new[:350] == receipts[:350]
    assert new[994:] == receipts[994:]


def test_more_published_than_one_chunk(tmp_path: Path) -> None:
    batches = batched(3000, 100)
    backup = backup_of(made(tmp_path / "early.db", batches[:11]))
    whole = made(tmp_path / "whole.db", batches)
    restored(backup, tmp_path / "new.db", Site(whole))
    assert everything(tmp_path / "new.db")[0] == entries(3000)


def test_another_history_is_never_restored(tmp_path: Path) -> None:
    backup = backup_of(made(tmp_path / "log.db", batched(350, 7)))
    for name, batches in (
        ("longer", [*batched(343, 7), entries(100, 5000)]),
        ("as-long", [*batched(343, 7), entries(7, 5000)]),
        ("shorter", [entries(7, 5000)]),
    ):
        site = Site(made(tmp_path / f"{name}.db", batches))
        with pytest.raises(LogError, match="different histories"):
            restored(backup, tmp_path / "new.db", site)
    store = SqliteStore.open_reader(tmp_path / "new.db")
    assert store.last_head() is None
    store.close()


def test_a_site_that_cannot_complete_it_is_named(tmp_path: Path) -> None:
    batches = batched(COUNT, 7)
    backup = backup_of(made(tmp_path / "early.db", batches[:50]))
    whole = made(tmp_path / "whole.db", batches)
    for path, data in (
        ("tile/entries/002", None),
        ("tile/entries/002", b"\0"),
        ("tile/entries/001", Site(whole).files["tile/entries/002"]),
        ("tile/entries/003.p/232", Site(whole).files["tile/entries/002"]),
    ):
        site = Site(whole)
        if data is None:
            del site.files[path]
        else:
            site.files[path] = data
        with pytest.raises(LogError, match="nest"):
            restored(backup, tmp_path / "new.db", site)
    site = Site(whole)
    site.head = None
    with pytest.raises(LogError, match="head beside its checkpoint"):
        restored(backup, tmp_path / "new.db", site)


def test_the_mark_decides_what_may_be_restored(tmp_path: Path) -> None:
    batches = batched(COUNT, 7)
    mark = tmp_path / "log.mark"
    backup = backup_of(made(tmp_path / "early.db", batches[:50]))
    whole = made(tmp_path / "whole.db", batches)
    Log.open(SqliteStore.open(whole), signer(), mark=Mark(mark)).close()
    with pytest.raises(LogError, match=r"350 entries can be had, and 1,000 were signed.*--accept-loss"):
        restored(backup, tmp_path / "new.db", mark=mark)
    assert restored(backup, tmp_path / "published.db", Site(whole), mark=mark).lost_to is None
    copied = restored(backup, tmp_path / "new.db", mark=mark, accept_loss=True)
    assert (copied.lost_from, copied.lost_to) == (350, 1000)
    log = Log.open(SqliteStore.open(tmp_path / "new.db"), signer(), mark=Mark(mark))
    assert log.append([b"kite"])[0].index == 350
    log.close()
    # The history that was given up is refused from now on, whatever is asked for.
    with pytest.raises(LogError, match="different histories"):
        restored(backup_of(whole), tmp_path / "third.db", mark=mark, accept_loss=True)


def test_only_an_empty_store_is_written(tmp_path: Path) -> None:
    backup = backup_of(made(tmp_path / "log.db", batched(350, 7)))
    held = made(tmp_path / "held.db", [[b"a"]])
    before = everything(held)
    with pytest.raises(LogError, match="holds a log of 1 entries already"):
        restored(backup, held)
    assert everything(held) == before
    opened = made(tmp_path / "opened.db", [])
    restored(backup, opened)
    assert everything(opened) == everything(tmp_path / "log.db")


@pytest.mark.parametrize("kept", [False, True])
def test_a_restore_that_fails_at_any_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    monkeypatch.setattr(copying, "BATCH", 100)
    monkeypatch.setattr(writing, "MAX_BLOCK_ENTRIES", 100)
    batches = batched(1000, 50)
    backup = backup_of(made(tmp_path / "early.db", batches[:12]))
    site = Site(made(tmp_path / "whole.db", batches))
    sizes = []
    for at in range(8):
        target = tmp_path / f"new-{at}.db"
        store = SqliteStore.open(target, create=True)
        with pytest.raises(StoreError, match="disk is full"):
            restore(
                backup,
                FailingStore(store, at, kept=kept),
                VERIFIER,
                sites=[(site.log, site.head)],
                mark=Mark(target.with_suffix(".mark")),
                progress=lambda what, done, total: None,
            )
        head = store.last_head()
        sizes.append(head.size if head else 0)
        finished = kept and at == 7
        assert bool(store.meta("origin")) == finished
        if head and not finished:
            with pytest.raises(LogError, match="was not finished"):
                Log.open(store, signer())
        store.close()
        if not finished:
            assert restored(backup, target, site).resumed == sizes[-1]
        assert everything(target)[0] == entries(1000)
        assert Mark(target.with_suffix(".mark")).read(VERIFIER) is not None
    # Six blocks, the rest from the site, the origin.
    assert sizes == ([100, 200, 300, 400, 500, 600, 1000, 1000] if kept else [0, 100, 200, 300, 400, 500, 600, 1000])


def test_an_unfinished_copy_of_something_else_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "new.db"
    store = SqliteStore.open(target, create=True)
    other = SqliteStore.open_reader(made(tmp_path / "other.db", [entries(7, 5000)]))
    store.extend(0, entries(7, 5000), list(other.heads(0, 7)))
    store.close()
    with pytest.raises(LogError, match="something else"):
        restored(backup_of(made(tmp_path / "log.db", batched(350, 7))), target)
    # The same entries under heads that the backup does not have.
    target.unlink()
    store = SqliteStore.open(target, create=True)
    single = SqliteStore.open_reader(made(tmp_path / "single.db", batched(7, 1)))
    store.extend(0, entries(7), list(single.heads(0, 7)))
    store.close()
    with pytest.raises(LogError, match="something else"):
        restored(Backup(tmp_path / "log.backup"), target)


def test_there_and_back_between_the_two_kinds_of_store(tmp_path: Path, server: Server) -> None:
    postgresql = pytest.importorskip("scrutineer.log.postgresql")
    origin = made(tmp_path / "log.db", batched(COUNT, 7))
    url, mark = server.database(), Mark(tmp_path / "m")
    here = SqliteStore.open(origin)
    there = postgresql.PostgresqlStore.open(url, ORIGIN, create=True)
    copied = migrate(here, there, VERIFIER, address="postgresql://nest", mark=mark, progress=lambda what, done, total: None)
    assert (copied.size, copied.resumed) == (COUNT, 0)
    with pytest.raises(LogError, match=r"moved to postgresql://nest: use it there, with --store"):
        Log.open(here, signer())
    log = Log.open(there, signer(), mark=mark)
    assert [log.receipt(index) for index in range(0, COUNT, 37)]
    log.append([b"kite"])
    heads, found = list(there.heads(0, COUNT + 1)), list(log.entries())
    log.close()
    here.close()
    reader = postgresql.PostgresqlStore.open_reader(url)
    write_backup(reader, VERIFIER, tmp_path / "backup")
    reader.close()
    restored(Backup(tmp_path / "backup"), tmp_path / "new.db", mark=tmp_path / "m")
    again = everything(tmp_path / "new.db")
    assert again[0] == found == [*entries(COUNT), b"kite"]
    assert again[1] == heads
    before = SqliteStore.open_reader(origin)
    assert heads[:-1] == list(before.heads(0, COUNT))
    before.close()


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_migration_that_fails_at_any_write_never_leaves_two_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool, side: str
) -> None:
    monkeypatch.setattr(copying, "BATCH", 300)
    for at in range(4 if side == "target" else 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        source = SqliteStore.open(made(folder / "log.db", batched(2500, 100)))
        target = SqliteStore.open(folder / "new.db", create=True)
        failing = FailingStore(source if side == "source" else target, at, kept=kept)
        here, there = (failing, target) if side == "source" else (source, failing)
        arguments = {"address": "nest", "mark": Mark(folder / "m"), "progress": lambda what, done, total: None}
        with pytest.raises(StoreError, match="disk is full"):
            migrate(here, there, VERIFIER, **arguments)  # type: ignore[arg-type]
        finished = bool(target.meta("origin"))
        assert finished == (kept and side == "target" and at == 3)
        usable = []
        for store in (source, target):
            try:
                usable.append(Log.open(store, VERIFIER).size) if store.last_head() else None
            except LogError:
                continue
        assert usable in ([], [2500])
        if not finished:
            migrate(source, target, VERIFIER, **arguments)  # type: ignore[arg-type]
        with pytest.raises(LogError, match="moved to nest"):
            Log.open(source, VERIFIER)
        log = Log.open(target, VERIFIER)
        assert list(log.entries()) == entries(2500)
        assert list(target.heads(0, 2500)) == list(source.heads(0, 2500))
        source.close()
        target.close()


def test_a_store_is_closed_only_where_the_other_one_continues_it(tmp_path: Path) -> None:
    source = SqliteStore.open(made(tmp_path / "log.db", batched(14, 7)))
    for name, batches in (("behind", batched(7, 7)), ("beside", [entries(7), entries(30, 5000)]), ("empty", [])):
        other = SqliteStore.open_reader(made(tmp_path / f"{name}.db", batches))
        with pytest.raises(LogError, match="does not continue the 14 here"):
            close_prefix(source, other, VERIFIER, "nest")
        other.close()
    assert Log.open(source, VERIFIER).size == 14
    other = SqliteStore.open_reader(made(tmp_path / "ahead.db", batched(21, 7)))
    assert close_prefix(source, other, VERIFIER, "nest") == 14
    with pytest.raises(LogError, match="moved to nest"):
        Log.open(source, VERIFIER)
    other.close()
    source.close()
