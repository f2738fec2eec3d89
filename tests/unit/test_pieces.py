"""Files in pieces, and the hash of what passes."""

import hashlib
from pathlib import Path

import pytest

from scrutineer.pieces import PIECE, hashed, pieces_of, sha256_of


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_pieces_are_the_whole_file_and_none_is_large(tmp_path: Path, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "nest").write_bytes(data[:size])
    pieces = list(pieces_of(tmp_path / "nest"))
    assert b"".join(pieces) == data[:size]
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    assert sha256_of(pieces) == hashlib.sha256(data[:size]).digest()


def test_the_hash_knows_what_was_handed_on_and_no_more() -> None:
    digest = hashlib.sha256()
    passing = hashed([b"wren", b"robin", b"heron"], digest)
    assert next(passing) == b"wren"
    assert digest.digest() == hashlib.sha256(b"wren").digest()
    assert list(passing) == [b"robin", b"heron"]
    assert digest.digest() == sha256_of([b"wrenrobin", b"heron"])
