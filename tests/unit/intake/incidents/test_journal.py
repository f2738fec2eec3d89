"""The journal's files: torn ends, damage, rotation, full disks, and two processes at once."""

import os
import shutil
from pathlib import Path

import pytest

from incident_helpers import ELECTION, change, records
from scrutineer.errors import StoreError, UsageError
from scrutineer.intake.incidents import read_journal
from scrutineer.intake.incidents.chain import Removed, Window
from scrutineer.intake.incidents.journal import Journal, journal_files


def window(count: int = 1) -> Window:
    return Window(since=1, until=61, lasted=60_000, counts={"scan": (count, {})})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "incidents", ELECTION)


def sound(folder: Path) -> int:
    """The number of records, all of them in order."""
    checked = read_journal(folder)
    assert checked.findings == []
    return checked.records


def test_it_goes_on_where_it_was_closed(journal: Journal) -> None:
    folder = journal.folder
    for _ in range(3):
        journal.append(window())
    place = journal.place
    journal.close()
    again = Journal.open(folder, ELECTION)
    assert again.place == place
    again.append(window(), covered=3)
    again.close()
    third = Journal.open(folder, ELECTION)
    assert (third.place.n, third.place.covered) == (5, 3)
    third.close()
    assert sound(folder) == 5
    assert [record.n for record in third.records(4)] == [4, 5]


@pytest.mark.parametrize("torn", [b"{", b'{"covered":0', b"\0" * 300])
def test_a_torn_end_is_cut_off(journal: Journal, torn: bytes) -> None:
    journal.append(window())
    journal.close()
    (path,) = journal_files(journal.folder)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert read_journal(journal.folder).torn == path.name
    Journal.open(journal.folder, ELECTION).close()
    assert path.read_bytes() == whole


def test_every_torn_end_of_the_last_record_is_survived(journal: Journal) -> None:
    journal.append(window())
    journal.close()
    (path,) = journal_files(journal.folder)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole), 7):
        path.write_bytes(whole[:end])
        again = Journal.open(journal.folder, ELECTION)
        again.append(window(2))
        again.close()
        assert sound(journal.folder) == 2


def test_a_file_that_never_got_a_whole_record_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "incidents"
    folder.mkdir()
    (folder / "journal-000001.jsonl").write_bytes(b'{"covered":0,"el')
    Journal.open(folder, ELECTION).close()
    assert sound(folder) == 1


@pytest.mark.parametrize("at", [1, 2, 3])
def test_damage_stays_to_be_seen_and_the_journal_goes_on(journal: Journal, at: int) -> None:
    for _ in range(3):
        journal.append(window())
    journal.close()
    (path,) = journal_files(journal.folder)
    change(path, at, lasted=1)
    damaged = path.read_bytes()
    again = Journal.open(journal.folder, ELECTION)
    again.append(window(7))
    again.close()
    assert path.read_bytes().startswith(damaged)
    findings = read_journal(journal.folder).findings
    assert findings[0] == f"{path.name}, line {at + 1} (record {at + 1}): it was changed: its hash is another one"


def test_a_journal_without_any_good_record_is_followed_by_a_new_one(journal: Journal) -> None:
    journal.close()
    (path,) = journal_files(journal.folder)
    path.write_bytes(b"nonsense\n")
    Journal.open(journal.folder, ELECTION).close()
    assert path.read_bytes() == b"nonsense\n"
    assert len(journal_files(journal.folder)) == 2
    assert len(read_journal(journal.folder).findings) == 1


def test_one_process_at_a_time(journal: Journal) -> None:
    with pytest.raises(UsageError, match="another process writes"):
        Journal.open(journal.folder, ELECTION)
    journal.close()
    Journal.open(journal.folder, ELECTION).close()


def test_another_election_has_another_journal(journal: Journal) -> None:
    journal.close()
    with pytest.raises(UsageError, match="another election"):
        Journal.open(journal.folder, bytes(32))


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="choose a folder"):
        Journal.open(tmp_path / "file", ELECTION)


class TestRotation:
    def small(self, folder: Path) -> Journal:
        return Journal.open(folder, ELECTION, file_size=2_000, files=3)

    def test_it_never_grows_above_its_limit_and_says_what_was_removed(self, tmp_path: Path) -> None:
        journal = self.small(tmp_path)
        most = 0
        for number in range(100):
            journal.append(window(number + 1))
            most = max(most, sum(path.stat().st_size for path in journal_files(tmp_path)))
            if number % 10 == 0:
                checked = read_journal(tmp_path)
                assert checked.findings == []
        journal.close()
        assert most < 4 * 3_000
        assert len(journal_files(tmp_path)) == 3
        checked = read_journal(tmp_path)
        assert checked.removed > 50
        assert checked.last == journal.place.n
        assert any(isinstance(record, Removed) for record in records(tmp_path))
        again = self.small(tmp_path)
        assert again.place == journal.place
        again.close()

    def test_a_file_that_somebody_else_removed_is_missed(self, tmp_path: Path) -> None:
        journal = self.small(tmp_path)
        for number in range(15):
            journal.append(window(number + 1))
        journal.close()
        first, second, *_ = journal_files(tmp_path)
        kept = tmp_path.parent / "kept"
        shutil.move(second, kept)
        (found,) = read_journal(tmp_path).findings
        assert "are missing before record" in found
        shutil.move(kept, second)
        first.unlink()
        (found,) = read_journal(tmp_path).findings
        assert "and nothing says why" in found

    def test_a_removal_that_was_cut_short_is_done_again(self, tmp_path: Path) -> None:
        journal = self.small(tmp_path)
        while not any(isinstance(record, Removed) for record in records(tmp_path)):
            first = journal_files(tmp_path)[0]
            content = first.read_bytes()
            journal.append(window())
        journal.close()
        first.write_bytes(content)  # The record says removed, and the machine stopped before it was.
        assert read_journal(tmp_path).findings == []
        journal = self.small(tmp_path)
        journal.append(window())
        journal.close()
        assert not first.exists()
        assert read_journal(tmp_path).findings == []


class TestFaults:
    """Every write failing once, in two forms: failed, and failed but written."""

    @pytest.mark.parametrize("call", ["write", "fsync"])
    @pytest.mark.parametrize("persisted", [False, True], ids=["failed", "failed-but-written"])
    def test_a_failed_write_leaves_the_journal_as_it_was(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch, call: str, persisted: bool
    ) -> None:
        journal.append(window())
        real = getattr(os, call)

        def fail(*arguments: object) -> int:
            if persisted:
                real(*arguments)
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(StoreError, match="No space left on device"):
                journal.append(window(2))
        assert sound(journal.folder) == 2
        journal.append(window(3))
        journal.close()
        assert sound(journal.folder) == 3

    def test_nor_where_it_cannot_even_be_cut_off(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.write
        with monkeypatch.context() as patch:

            def fail(*_: object) -> None:
                raise OSError(5, "Input/output error")

            patch.setattr(os, "write", lambda file, data: real(file, data[:10]))
            patch.setattr(os, "ftruncate", fail)
            with pytest.raises(StoreError):
                journal.append(window())
            with pytest.raises(StoreError):
                journal.append(window())
        assert read_journal(journal.folder).torn
        journal.append(window(3))
        journal.close()
        assert sound(journal.folder) == 2
