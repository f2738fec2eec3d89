"""The submitter's journal survives torn ends."""

from pathlib import Path

import pytest

from scrutineer.errors import UsageError
from scrutineer.intake.journal import Journal

LEAVES = [bytes([number]) * 32 for number in range(5)]


def filled(path: Path) -> bytes:
    journal = Journal.open(path)
    for number, leaf in enumerate(LEAVES):
        journal.add(leaf, b"receipt %d" % number)
    assert journal.find(LEAVES[4]) == b"receipt 4"
    journal.close()
    return path.read_bytes()


def test_remembers(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    journal = Journal.open(tmp_path / "j")
    assert len(journal) == 5
    assert [journal.find(leaf) for leaf in LEAVES] == [b"receipt %d" % number for number in range(5)]
    assert journal.find(bytes(31) + b"\1") is None
    journal.close()


def test_a_torn_end_is_cut_off_wherever_it_tears(tmp_path: Path) -> None:
    data = filled(tmp_path / "j")
    record = len(data) // 5
    for size in range(len(data) + 1):
        path = tmp_path / "torn"
        path.write_bytes(data[:size])
        journal = Journal.open(path)
        assert len(journal) == size // record
        journal.add(b"z" * 32, b"later")
        assert journal.find(b"z" * 32) == b"later"
        journal.close()
        again = Journal.open(path)
        assert len(again) == size // record + 1
        again.close()


def test_unusable_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        Journal.open(tmp_path / "missing" / "j")
