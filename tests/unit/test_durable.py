"""Files that are written whole or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrutineer.durable import write_whole, write_whole_from


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "nest"
    write_whole(path, b"first")
    (tmp_path / "nest.partial").write_bytes(b"left by a program that was killed")
    write_whole(path, b"second", 0o600)
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["nest"]


def test_what_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nest"
    write_whole(path, b"first")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["nest"]


def test_a_file_of_parts_holds_them_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "nest"
    write_whole_from(path, (bytes([number]) * 70_000 for number in range(3)), 0o640)
    assert path.read_bytes() == bytes(70_000) + b"\x01" * 70_000 + b"\x02" * 70_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_parts_that_end_in_an_error_leave_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "nest"
    write_whole(path, b"first")

    def parts() -> Iterator[bytes]:
        yield b"second"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_whole_from(path, parts())
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["nest"]
