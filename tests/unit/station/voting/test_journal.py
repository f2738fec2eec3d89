"""The journal: what was written is found, a torn frame is dropped, and damage is told and never repaired away."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from scrutineer.errors import StoreError
from scrutineer.station.voting.journal import MAGIC, STEP, Frame, Journal, Kind

FRAMES = [Frame(Kind.ACTIVATED, b"\0\0\0\1\0"), Frame(Kind.PREPARED, b"{ballot}" * 50), Frame(Kind.DECIDED, b"cast")]


def written(path: Path, frames: list[Frame] = FRAMES) -> int:
    """A journal with these frames behind its header; where the last of them begins."""
    journal = Journal.create(path, b"header")
    last = 0
    for frame in frames:
        last = end_of(path)
        journal.append(*frame)
    journal.close()
    return last


def end_of(path: Path) -> int:
    return len(path.read_bytes().rstrip(b"\0"))


def read(path: Path) -> list[Frame]:
    journal = Journal.open(path)
    found = list(journal.frames())
    journal.close()
    return found


def test_everything_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    assert read(path) == [Frame(Kind.HEADER, b"header"), *FRAMES]
    journal = Journal.open(path)
    journal.append(Kind.CLOSED)
    assert list(journal.frames())[-1] == Frame(Kind.CLOSED, b"")
    journal.close()
    with pytest.raises(StoreError, match="exists already"):
        Journal.create(path, b"header")


def test_a_torn_frame_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    start = written(path)
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0"))
    for cut in range(start, end):
        path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
        assert read(path) == [Frame(Kind.HEADER, b"header"), *FRAMES[:-1]], cut
        # It was wiped, and the next frame stands in its place.
        assert path.read_bytes() == whole[:start] + bytes(len(whole) - start)
    # Blocks of a frame may reach the disk in any order: its beginning is missing here.
    path.write_bytes(whole[:start] + bytes(7) + whole[start + 7 :])
    assert read(path) == [Frame(Kind.HEADER, b"header"), *FRAMES[:-1]]


def test_a_torn_frame_is_replaced_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    start = written(path)
    data = bytearray(path.read_bytes())
    data[start + 8] ^= 1
    path.write_bytes(data)
    journal = Journal.open(path)
    journal.append(Kind.DECIDED, b"spoiled")
    journal.close()
    assert read(path)[-1] == Frame(Kind.DECIDED, b"spoiled")


def test_damage_before_the_end_is_told_and_left(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    start = written(path)
    whole = path.read_bytes()
    for place in range(len(MAGIC), start):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="is damaged at byte"):
            Journal.open(path)
        assert path.read_bytes() == damaged
    path.write_bytes(b"X" + whole[1:])
    with pytest.raises(StoreError, match="is not the journal of a voting machine"):
        Journal.open(path)


def test_frames_cannot_be_left_out_or_moved(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal.create(path, b"header")
    marks = [end_of(path)]
    for name in (b"one", b"two", b"three"):
        journal.append(Kind.DECIDED, name)
        marks.append(end_of(path))
    journal.close()
    whole = path.read_bytes()
    parts = [whole[start:end] for start, end in pairwise(marks)]
    for order in ((1, 0, 2), (0, 2), (1, 2), (0, 2, 1)):
        path.write_bytes((whole[: marks[0]] + b"".join(parts[place] for place in order)).ljust(len(whole), b"\0"))
        try:
            found = read(path)
        except StoreError:
            continue
        # Only the end can be cut off unseen here; the sealed totals notice that.
        assert found[1:] == [Frame(Kind.DECIDED, name) for name in (b"one", b"two", b"three")][: len(found) - 1]


def test_size_and_times_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal.create(path, b"header")
    for number in range(50):
        journal.append(Kind.PREPARED, bytes(1000))
        state = path.stat()
        assert (state.st_size, state.st_mtime_ns, state.st_atime_ns) == (STEP, 0, 0), number
    journal.make_room(STEP)
    assert path.stat().st_size == 2 * STEP
    journal.close()


def test_one_program_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal.create(path, b"header")
    with pytest.raises(StoreError, match="used by another program") as caught:
        Journal.open(path)
    assert caught.value.code == "in-use"
    journal.close()
    Journal.open(path).close()


def test_no_room_changes_nothing(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from scrutineer.errors import StoreError
from scrutineer.station.voting.journal import STEP, Journal, Kind
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.create(Path(sys.argv[1]), b"header")
resource.setrlimit(resource.RLIMIT_FSIZE, (STEP, STEP))
written = 0
try:
    while True:
        journal.append(Kind.PREPARED, bytes(100_000))
        written += 1
except StoreError as error:
    assert "make room on the disk" in str(error), error
    print(written)
"""
    path = tmp_path / "journal"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, env={**os.environ}, timeout=60
    )
    assert len(read(path)) == 1 + int(done.stdout)
