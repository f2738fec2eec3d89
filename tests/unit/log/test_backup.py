"""A backup file: whole or refused with the place, and never there half."""

import struct
from pathlib import Path

import pytest

from log_helpers import ORIGIN, signer
from scrutineer.errors import LogError, StoreError
from scrutineer.log import SqliteStore
from scrutineer.log.backup import MAX_BLOCK_ENTRIES, Backup, BackupSummary, write_backup
from store_helpers import VERIFIER, batched, change, entries, everything, made


def backed_up(store: Path, file: Path) -> BackupSummary:
    reader = SqliteStore.open_reader(store)
    try:
        return write_backup(reader, VERIFIER, file)
    finally:
        reader.close()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A backup in which every byte can be flipped in a moment."""
    backed_up(made(tmp_path / "log.db", [[b"a"], [b"bb", b"ccc"], [b"dddd"]]), tmp_path / "backup")
    return tmp_path / "backup"


def test_it_holds_every_entry_and_head(tmp_path: Path) -> None:
    count = 2 * MAX_BLOCK_ENTRIES + 300
    store = made(tmp_path / "log.db", batched(count, 7))
    summary = backed_up(store, tmp_path / "backup")
    backup = Backup(tmp_path / "backup")
    assert (backup.size, backup.root, backup.verifier) == (count, summary.root, VERIFIER)
    found = [entry for part, _ in backup.segments() for entry in part]
    heads = [head for _, part in backup.segments() for head in part]
    assert (found, heads) == everything(store)[:2]
    assert (summary.size, summary.heads, summary.bytes) == (count, len(heads), (tmp_path / "backup").stat().st_size)
    assert backup.check().tree.root() == summary.root
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_batch_larger_than_a_block(tmp_path: Path) -> None:
    store = made(tmp_path / "log.db", [entries(MAX_BLOCK_ENTRIES * 2 + 5)])
    assert backed_up(store, tmp_path / "backup").heads == 1
    assert Backup(tmp_path / "backup").check().heads == 1


def test_a_flipped_byte_anywhere_is_found_and_named(small: Path) -> None:
    data = small.read_bytes()
    first_block = data.index(b"\n\n") + 2 + 32
    for place in range(len(data)):
        for bit in (1, 0x80):
            small.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
            with pytest.raises(LogError) as caught:
                Backup(small).check()
            assert str(small) in str(caught.value)
            assert ("the block of the entries from" in str(caught.value)) == (place >= first_block), place


def test_the_block_of_a_flipped_byte_is_named(tmp_path: Path) -> None:
    backed_up(made(tmp_path / "log.db", batched(MAX_BLOCK_ENTRIES * 3, 64)), tmp_path / "backup")
    data = bytearray((tmp_path / "backup").read_bytes())
    place = data.index(b"statement 1500 ")
    data[place] ^= 4
    (tmp_path / "backup").write_bytes(data)
    with pytest.raises(LogError, match=r"the block of the entries from 1024 on, at byte \d+, was changed: its \d+ bytes"):
        Backup(tmp_path / "backup").check()


def test_one_that_ends_early_or_late_is_refused(small: Path) -> None:
    data = small.read_bytes()
    for length in range(len(data)):
        small.write_bytes(data[:length])
        with pytest.raises(LogError, match=str(small)):
            Backup(small).check()
    small.write_bytes(data + b"\n")
    with pytest.raises(LogError, match="does not end after 4 entries"):
        Backup(small).check()


def test_blocks_of_two_backups_do_not_mix(tmp_path: Path) -> None:
    """Each block says by its digest which ones are before it."""
    parts = []
    for name, last in (("one", b"x"), ("two", b"y")):
        backed_up(made(tmp_path / f"{name}.db", [[b"a"], [last]]), tmp_path / name)
        parts.append((tmp_path / name).read_bytes())
    end = 12 + struct.calcsize(">QQ") + 32
    (tmp_path / "mixed").write_bytes(parts[0][:-end] + parts[1][-end:])
    with pytest.raises(LogError, match="from 2 on"):
        Backup(tmp_path / "mixed").check()


def test_a_store_that_does_not_hold_together_is_not_backed_up(tmp_path: Path) -> None:
    store = made(tmp_path / "log.db", batched(100, 5))
    change(store, "UPDATE entry SET body = ? WHERE idx = 50", b"kite")
    with pytest.raises(LogError, match="entries 50 to 54"):
        backed_up(store, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


def test_nothing_is_replaced_and_nothing_empty_written(tmp_path: Path) -> None:
    store = made(tmp_path / "log.db", [[b"a"]])
    (tmp_path / "backup").write_text("precious")
    with pytest.raises(StoreError, match="is there already"):
        backed_up(store, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "precious"
    with pytest.raises(LogError, match="log is empty"):
        backed_up(made(tmp_path / "empty.db", []), tmp_path / "other")
    with pytest.raises(StoreError, match="no such folder"):
        backed_up(store, tmp_path / "nowhere" / "backup")


def test_what_an_interrupted_backup_left_is_no_obstacle(tmp_path: Path) -> None:
    store = made(tmp_path / "log.db", [[b"a"]])
    (tmp_path / "backup.partial").write_bytes(b"half" * 10_000)
    backed_up(store, tmp_path / "backup")
    Backup(tmp_path / "backup").check()


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    import fcntl

    store = made(tmp_path / "log.db", [[b"a"]])
    with (tmp_path / "backup.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another backup is being written"):
            backed_up(store, tmp_path / "backup")


def test_a_growing_log_is_backed_up_to_the_head_at_the_start(tmp_path: Path) -> None:
    from scrutineer.log import Log

    path = made(tmp_path / "log.db", batched(100, 5))
    log = Log.open(SqliteStore.open(path), signer())
    reader = SqliteStore.open_reader(path)
    grown = []

    def grow(done: int, total: int) -> None:
        if not grown:
            grown.extend(log.append([b"later 1", b"later 2"]))

    summary = write_backup(reader, VERIFIER, tmp_path / "backup", written=grow)
    assert (summary.size, log.size) == (100, 102)
    log.close()
    reader.close()


def test_other_files_are_no_backups(tmp_path: Path) -> None:
    for data in (b"", b"SQLite format 3\0" * 100, b"scrutineer-log-backup/v1\n", b"scrutineer-log-backup/v1\n\n" + bytes(32)):
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(LogError):
            Backup(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be read"):
        Backup(tmp_path / "nothing")
    assert VERIFIER.origin == ORIGIN
