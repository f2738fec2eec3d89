"""What the tests of check, backup and restore share: logs in SQLite files, and a published log without a site around it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from log_helpers import signer
from scrutineer.errors import PublicationError
from scrutineer.log import Log, SqliteStore
from scrutineer.log.published import PublishedLog
from scrutineer.log.store import Head
from scrutineer.log.tiles import bundles, encode_bundle, tile_bytes, tiles

VERIFIER = signer().verifier


def made(path: Path, batches: Sequence[Sequence[bytes]]) -> Path:
    """A log with one head for each batch."""
    with_clock = iter(range(10**9))
    log = Log.open(SqliteStore.open(path, create=True), signer(), clock=lambda: next(with_clock))
    for batch in batches:
        log.append(batch)
    log.close()
    return path


def entries(count: int, start: int = 0) -> list[bytes]:
    return [b"statement %d " % number + b"x" * (number % 300) for number in range(start, start + count)]


def batched(count: int, width: int) -> list[list[bytes]]:
    every = entries(count)
    return [every[at : at + width] for at in range(0, count, width)]


def change(path: Path, sql: str, *values: object) -> None:
    """Change a store behind its back."""
    with sqlite3.connect(path) as connection:
        assert connection.execute(sql, values).rowcount
    connection.close()


def everything(path: Path) -> tuple[list[bytes], list[Head], list[bytes]]:
    """Entries, heads and receipts of a store."""
    store = SqliteStore.open_reader(path)
    log = Log.open(store, VERIFIER)
    found = list(log.entries()), list(store.heads(0, log.size)), [log.receipt(index) for index in range(log.size)]
    log.close()
    return found


class Site:
    """The log's files as they would be published."""

    def __init__(self, path: Path) -> None:
        log = Log.open(SqliteStore.open_reader(path), signer())
        self.head = log.head
        self.files = {"checkpoint": log.checkpoint()}
        for bundle in bundles(log.size):
            self.files[bundle.path] = encode_bundle(list(log.entries(bundle.start, bundle.stop)))
        for tile in tiles(log.size):
            self.files[tile.path] = tile_bytes(log.tree, tile.level, tile.index, tile.width)
        log.close()

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise PublicationError(f"{path} is missing")
        assert len(self.files[path]) <= limit
        return self.files[path]

    @property
    def log(self) -> PublishedLog:
        return PublishedLog("nest", self.read, VERIFIER)
