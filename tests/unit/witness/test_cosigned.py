"""The kept checkpoint carries the quorum, is never replaced by an older one, and survives what programs and disks do."""

import multiprocessing
from pathlib import Path

import pytest

from scrutineer.errors import LogError, NoteError, StoreError
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.log.quorum import Quorum
from scrutineer.witness import Trouble
from scrutineer.witness.cosigned import (
    COSIGNED_FILE,
    CosignedFile,
    check_continues,
    check_frozen,
    freeze,
    frozen,
    keep_alarm,
)
from scrutineer.witness.evidence import MAX_CASES
from witness_helpers import LOG, TIME, History, signers

HISTORY, OTHER = History(), History(name="stork")
KEYS = [signers(name, seed) for name, seed in (("owl", 30), ("wren", 40), ("ibis", 50))]
QUORUM = Quorum(2, tuple(tuple(key.verifier for key in keys) for keys in KEYS))


def cosigned(size: int, witnesses: int = 2, history: History = HISTORY) -> bytes:
    note = parse_note(history.checkpoint(size))
    lines = tuple(SignatureLine(k.name, k.key_id, k.sign(note.text, TIME)) for keys in KEYS[:witnesses] for k in keys)
    return format_note(Note(note.text, note.signatures + lines))


@pytest.fixture
def kept(tmp_path: Path) -> CosignedFile:
    return CosignedFile(tmp_path, LOG.verifier, QUORUM)


def size_of(kept: CosignedFile) -> tuple[int, int]:
    found = kept.read()
    return (found.checkpoint.size, len(found.cosigners.cosigned)) if found else (0, 0)


def test_newer_ones_and_more_cosigners_are_kept_and_nothing_older(kept: CosignedFile) -> None:
    assert kept.read() is None
    for size, witnesses, result in ((5, 2, True), (5, 2, False), (5, 3, True), (4, 3, False), (5, 2, False), (9, 2, True)):
        assert kept.keep(cosigned(size, witnesses)) is result
    assert size_of(kept) == (9, 2)
    assert [path.name for path in kept.path.parent.iterdir()] == [COSIGNED_FILE]


def test_what_lacks_the_quorum_or_contradicts_is_not_kept(kept: CosignedFile) -> None:
    kept.keep(cosigned(9))
    for wrong in (cosigned(12, 1), HISTORY.checkpoint(12), cosigned(9, 3, OTHER), b"", cosigned(12)[:-1]):
        with pytest.raises(NoteError):
            kept.keep(wrong)
    assert size_of(kept) == (9, 2)


def test_a_damaged_one_is_set_aside(kept: CosignedFile) -> None:
    damaged = cosigned(9)[:-30]
    kept.path.write_bytes(damaged)
    with pytest.raises(NoteError, match="damaged"):
        kept.read()
    assert kept.keep(cosigned(5))
    assert size_of(kept) == (5, 2)
    assert kept.path.with_name(f"{COSIGNED_FILE}.damaged").read_bytes() == damaged


def test_a_disk_that_does_not_take_it_is_said(kept: CosignedFile, tmp_path: Path) -> None:
    kept.path.mkdir()
    with pytest.raises(StoreError, match=COSIGNED_FILE):
        kept.keep(cosigned(5))


def _keep_all(folder: Path, notes: list[bytes]) -> None:
    file = CosignedFile(folder, LOG.verifier, QUORUM)
    for note in notes:
        file.keep(note)


def test_two_programs_at_once_never_go_back(kept: CosignedFile, tmp_path: Path) -> None:
    notes = [cosigned(size) for size in range(1, 31)]
    context = multiprocessing.get_context("spawn")
    programs = [context.Process(target=_keep_all, args=(tmp_path, part)) for part in (notes[::2], notes[1::2])]
    for program in programs:
        program.start()
    seen = [0]
    while any(program.is_alive() for program in programs):
        seen.append(size_of(kept)[0])
    for program in programs:
        program.join()
        assert program.exitcode == 0
    assert seen == sorted(seen)
    assert size_of(kept) == (30, 2)


def test_a_log_that_does_not_continue_is_refused(kept: CosignedFile) -> None:
    kept.keep(cosigned(9))
    found = kept.read()
    assert found is not None
    check_continues(found, 9, HISTORY.root(9), kept.path)
    check_continues(found, 20, HISTORY.root(9), kept.path)
    with pytest.raises(LogError, match="older copy"):
        check_continues(found, 8, None, kept.path)
    with pytest.raises(LogError, match="another root"):
        check_continues(found, 9, OTHER.root(9), kept.path)


def test_an_alarm_is_kept_once_and_there_is_an_end_to_them(tmp_path: Path) -> None:
    trouble = Trouble("owl", "contradicted", "it answered 422: bad-proof")
    case = keep_alarm(tmp_path, trouble, HISTORY.checkpoint(9), cosigned(5))
    assert case is not None
    assert {path.name: path.read_bytes() for path in case.iterdir()} == {
        "ours.note": HISTORY.checkpoint(9),
        "cosigned-before.note": cosigned_before(case),
        "reason.txt": b"owl would not cosign ours.note: it answered 422: bad-proof\n",
    }
    assert keep_alarm(tmp_path, trouble, HISTORY.checkpoint(9), None) == case
    for number in range(MAX_CASES - 1):
        (case.parent / f"contradicted-{number}").mkdir()
    assert keep_alarm(tmp_path, trouble, HISTORY.checkpoint(10), None) is None


def cosigned_before(case: Path) -> bytes:
    data = (case / "cosigned-before.note").read_bytes()
    assert CosignedFile(case, LOG.verifier, QUORUM).open(data).checkpoint.size == 5
    return data


def test_frozen_until_somebody_removes_the_file(tmp_path: Path) -> None:
    check_frozen(tmp_path)
    freeze(tmp_path, "the first\x1b reason")
    freeze(tmp_path, "another")
    assert frozen(tmp_path) == "the first  reason"
    with pytest.raises(LogError, match="the first"):
        check_frozen(tmp_path)
    (tmp_path / "frozen").unlink()
    check_frozen(tmp_path)
