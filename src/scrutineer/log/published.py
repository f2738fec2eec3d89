"""The log as a site publishes it, read back: its entries for who has lost them, its files for who compares them with a store."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from scrutineer.errors import LogError, PublicationError
from scrutineer.log.checkpoint import Checkpoint, open_checkpoint
from scrutineer.log.findings import Finding, Findings
from scrutineer.log.merkle import HASH_SIZE, MerkleTree, leaf_hash
from scrutineer.log.signer import LogVerifier
from scrutineer.log.tiles import (
    MAX_ENTRY_SIZE,
    TILE_WIDTH,
    Bundle,
    Tile,
    bundles,
    decode_bundle,
    encode_bundle,
    tile_bytes,
    tiles,
)

MAX_BUNDLE_SIZE: Final = TILE_WIDTH * (MAX_ENTRY_SIZE + 2)  # bytes
MAX_CHECKPOINT_SIZE: Final = 1 << 20  # bytes


@dataclass
class PublishedLog:
    """The log's files of a published site; `where` names it for people."""

    where: str
    read: Callable[[str, int], bytes]
    """Reads a file below `log/`, by path and limit in bytes; raises PublicationError."""
    verifier: LogVerifier
    note: bytes = field(init=False)
    checkpoint: Checkpoint = field(init=False)
    """What it shows; signed by both keys of the log."""

    def __post_init__(self) -> None:
        """Raise PublicationError where there is no checkpoint, NoteError where the log did not sign it."""
        self.note = self.read("checkpoint", MAX_CHECKPOINT_SIZE)
        self.checkpoint = open_checkpoint(self.note, self.verifier.note_verifiers).checkpoint

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of a bundle as wide as the log is there. Raises LogError where they cannot be read."""
        bundle = Bundle(index, min(TILE_WIDTH, self.checkpoint.size - index * TILE_WIDTH))
        try:
            entries = decode_bundle(self.read(bundle.path, MAX_BUNDLE_SIZE))
        except PublicationError as error:
            raise LogError(f"{self.where}: {error}") from None
        except LogError as error:
            raise LogError(f"{self.where}: {bundle.path}: {error}") from None
        if len(entries) != bundle.width:
            raise LogError(f"{self.where}: {bundle.path} holds {len(entries)} entries where {bundle.width} belong")
        return entries

    def entries(self, start: int) -> Iterator[bytes]:
        """Yield the entries from `start` to the checkpoint. Raises LogError."""
        for index in range(start // TILE_WIDTH, -(-self.checkpoint.size // TILE_WIDTH)):
            yield from self.bundle(index)[max(0, start - index * TILE_WIDTH) :]


class SiteAudit:
    """Holds the files of a published log against the entries that a store gives, bundle by bundle, then tile by tile."""

    def __init__(self, site: PublishedLog) -> None:
        self.site = site
        self.files = 0
        self._findings = Findings()

    def take(self, start: int, entries: Sequence[bytes | None]) -> None:
        """Compare the bundles of entries that begin at `start`, a multiple of the bundles' width."""
        size = self.site.checkpoint.size
        for bundle in bundles(min(size, start + len(entries)), min(size, start)):
            width = min(TILE_WIDTH, size - bundle.start)
            ours = entries[bundle.start - start :][:width]
            self._compare_bundle(Bundle(bundle.index, width), ours)

    def finish(self, tree: MerkleTree) -> Findings:
        """Compare root and tiles, and return everything that was found."""
        shown = self.site.checkpoint
        if tree.size < shown.size:
            self._add(
                "checkpoint", f"shows the log at {shown.size} entries, and the store holds {tree.size}: restore what is missing"
            )
        elif tree.root(shown.size) != shown.root:
            self._add(
                "checkpoint",
                f"shows the root {shown.root.hex()} at {shown.size} entries, and the store gives {tree.root(shown.size).hex()}",
            )
        else:
            for tile in tiles(shown.size):
                self._compare_tile(tile, tile_bytes(tree, tile.level, tile.index, tile.width))
        if self.site.read("checkpoint", MAX_CHECKPOINT_SIZE) != self.site.note:
            # What differs may be of the new publication.
            self._findings = Findings()
            self._findings.add(Finding(self.site.where, "was published again while it was being read: check once more"))
        return self._findings

    def _compare_bundle(self, bundle: Bundle, ours: Sequence[bytes | None]) -> None:
        expected = None if None in ours or len(ours) < bundle.width else encode_bundle([entry for entry in ours if entry])
        data = self._read(bundle.path, MAX_BUNDLE_SIZE)
        if data is None or data == expected:
            return
        try:
            theirs = decode_bundle(data)
        except LogError as error:
            self._add(bundle.path, str(error))
            return
        if len(theirs) != bundle.width:
            self._add(bundle.path, f"holds {len(theirs)} entries where {bundle.width} belong")
        for index, (own, other) in enumerate(zip(ours, theirs, strict=False), bundle.start):
            if own is not None and own != other:
                self._add(
                    f"{bundle.path}, entry {index}",
                    f"has the leaf hash {leaf_hash(other).hex()}, and that of the store's entry is {leaf_hash(own).hex()}",
                )

    def _compare_tile(self, tile: Tile, expected: bytes) -> None:
        data = self._read(tile.path, TILE_WIDTH * HASH_SIZE)
        if data is None or data == expected:
            return
        if len(data) != len(expected):
            self._add(tile.path, f"has {len(data)} bytes instead of {len(expected)}")
        for place in range(min(len(data), len(expected)) // HASH_SIZE):
            own, other = (part[place * HASH_SIZE : (place + 1) * HASH_SIZE] for part in (expected, data))
            if own != other:
                self._add(f"{tile.path}, hash {place}", f"is {other.hex()}, and the store gives {own.hex()}")

    def _read(self, path: str, limit: int) -> bytes | None:
        self.files += 1
        try:
            return self.site.read(path, limit)
        except PublicationError as error:
            self._add(path, str(error))
            return None

    def _add(self, where: str, message: str) -> None:
        self._findings.add(Finding(f"{self.site.where}: {where}", message))
