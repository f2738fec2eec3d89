"""Step (3): the published entries give the signed root, and the published tiles are what the entries give."""

import hashlib
from typing import Final

import numpy as np

from scrutineer.errors import LogError, PublicationError
from scrutineer.log import Head, MerkleTree, leaf_hash
from scrutineer.log.merkle import HASH_SIZE
from scrutineer.log.tiles import MAX_ENTRY_SIZE, TILE_WIDTH, Bundle, bundles, decode_bundle, tile_bytes, tiles
from scrutineer.statements import is_tally_sheet
from scrutineer.verify.files import FileCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import FolderSource, Progress

FOLDER: Final = "log"
MAX_BUNDLE_SIZE: Final = TILE_WIDTH * (MAX_ENTRY_SIZE + 2)  # bytes
MAX_TILE_SIZE: Final = TILE_WIDTH * HASH_SIZE  # bytes


class LogCheck:
    """Reads the log's files; keeps the tree, and hands out entries again for the later steps."""

    def __init__(self, source: FolderSource, head: Head, files: FileCheck, report: Report, progress: Progress) -> None:
        self.head = head
        self.tree = MerkleTree()
        self.acts: list[tuple[int, bytes]] = []
        """Every entry but the tally sheets, with its index."""
        self._source = source
        self._files = files
        self._report = report
        self._progress = progress
        self._digests: list[bytes] = []
        self._bundle: tuple[int, list[bytes]] = (-1, [])

    def run(self, definition: bytes) -> bool:
        """Whether every entry could be read, so that the later steps have something to work on."""
        for bundle in bundles(self.head.size):
            self._progress("Reading the log", bundle.start, self.head.size)
            entries = self._read_bundle(bundle)
            if entries is None:
                return False
            self.tree.extend(list(map(leaf_hash, entries)))
            self.acts += [(index, entry) for index, entry in enumerate(entries, bundle.start) if not is_tally_sheet(entry)]
        if self.tree.node(0, 0) != definition:
            self._report.add("log", self.where(0), "the first entry is not the definition of this election")
        self._find_repeated()
        entries_hold = self.tree.root() == self.head.root
        tiles_by_path = self._read_tiles()
        if entries_hold:
            for tile in tiles(self.head.size):
                data = tiles_by_path.get(tile.path)
                if data is not None and data != tile_bytes(self.tree, tile.level, tile.index, tile.width):
                    self._report.add("log", f"{FOLDER}/{tile.path}", "is not the tile that the entries give: it was changed")
        elif not self._blame_entries(tiles_by_path):
            self._report.add(
                "log",
                f"{FOLDER}/tile/entries",
                f"the entries give the root {self.tree.root().hex()}, and the signed checkpoint has {self.head.root.hex()}: "
                "entries were changed, added or left out",
            )
        return True

    def entry(self, index: int) -> bytes:
        """An entry that `run` has read, read again. Raises PublicationError where its bundle is not the same any more."""
        number, place = divmod(index, TILE_WIDTH)
        if self._bundle[0] != number:
            bundle = Bundle(number, min(TILE_WIDTH, self.head.size - number * TILE_WIDTH))
            path = f"{FOLDER}/{bundle.path}"
            data = self._source.read(path, MAX_BUNDLE_SIZE)
            # What is counted must be what the tree was made of.
            if hashlib.sha256(data).digest() != self._digests[number]:
                raise PublicationError(f"{path} was changed while it was being verified: verify a copy that nobody writes to")
            self._bundle = (number, decode_bundle(data))
        return self._bundle[1][place]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries start … stop-1."""
        found: list[bytes] = []
        while start < stop:
            place = start % TILE_WIDTH
            self.entry(start)
            found += self._bundle[1][place : place + stop - start]
            start += TILE_WIDTH - place
        return found

    def where(self, index: int) -> str:
        """The file that an entry is in, and its index, for findings."""
        number = index // TILE_WIDTH
        bundle = Bundle(number, min(TILE_WIDTH, self.head.size - number * TILE_WIDTH))
        return f"{FOLDER}/{bundle.path}, entry {index}"

    def _find_repeated(self) -> None:
        """A statement is in the log once: said again later, an act could take effect a second time against its signers' will."""
        beginnings = np.frombuffer(self.tree.nodes(0, 0, self.tree.size), dtype=np.uint64)[:: HASH_SIZE // 8]
        order = np.argsort(beginnings, kind="stable")
        alike = np.flatnonzero(beginnings[order[1:]] == beginnings[order[:-1]])
        first: dict[bytes, int] = {}
        for index in sorted({*order[alike].tolist(), *order[alike + 1].tolist()}):
            earlier = first.setdefault(self.tree.node(0, index), index)
            if earlier != index:
                self._report.add("log", self.where(index), f"is in the log twice: it is entry {earlier} already")

    def _read_bundle(self, bundle: Bundle) -> list[bytes] | None:
        path = f"{FOLDER}/{bundle.path}"
        read = self._read(path, MAX_BUNDLE_SIZE)
        if read is None:
            return None
        data, digest = read
        self._digests.append(digest)
        try:
            entries = decode_bundle(data)
        except LogError as error:
            self._report.add("log", path, f"{error}; it was changed")
            return None
        if len(entries) != bundle.width:
            self._report.add("log", path, f"holds {len(entries)} entries where {bundle.width} belong; it was changed")
            return None
        return entries

    def _read_tiles(self) -> dict[str, bytes]:
        read = {}
        for tile in tiles(self.head.size):
            found = self._read(f"{FOLDER}/{tile.path}", MAX_TILE_SIZE)
            if found is not None:
                read[tile.path] = found[0]
        return read

    def _read(self, path: str, limit: int) -> tuple[bytes, bytes] | None:
        """A file of the log and its SHA-256."""
        try:
            data = self._source.read(path, limit)
        except PublicationError as error:
            self._report.add("files", path, str(error).removeprefix(f"{path} "))
            self._files.missing(path)
            return None
        return data, self._files.seen(path, data)

    def _blame_entries(self, tiles_by_path: dict[str, bytes]) -> bool:
        """Name the entries that were changed, where the tiles of leaf hashes still give the signed root."""
        published = MerkleTree()
        for tile in tiles(self.head.size):
            if tile.level == 0:
                data = tiles_by_path.get(tile.path, b"")
                if len(data) != 32 * tile.width:
                    return False
                published.extend([data[at : at + 32] for at in range(0, len(data), 32)])
        if published.root() != self.head.root:
            return False
        for index in range(self.head.size):
            if published.node(0, index) != self.tree.node(0, index):
                self._report.add("log", self.where(index), "was changed: its hash is not the one in the signed tree")
        return True
