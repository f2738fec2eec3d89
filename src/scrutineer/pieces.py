"""Files too large to hold, read in pieces, and the SHA-256 of pieces on their way."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

PIECE: Final = 1 << 20  # bytes


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file in pieces of at most a megabyte. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


def sha256_of(pieces: Iterable[bytes]) -> bytes:
    """SHA-256 of all pieces together."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def hashed(pieces: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    """The pieces again, each told to `digest` before it is handed on: one reading gives both hash and content."""
    for piece in pieces:
        digest.update(piece)
        yield piece
