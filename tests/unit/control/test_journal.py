"""The journal: chained, added to by several processes, and refused where it was changed."""

import json
from pathlib import Path

import pytest

from scrutineer.control.journal import JOURNAL_FILE, NOTHING, Journal
from scrutineer.errors import ControlError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / JOURNAL_FILE


def clock() -> int:
    return 7


def test_lines_are_chained_and_read_again(path: Path) -> None:
    journal = Journal(path, clock)
    journal.add("entered", "authority/officer-1", passkey="ab")
    journal.add("left", "authority/officer-1", note='Zoë\nsaid "bye"')
    again = Journal(path, clock)
    assert [(one.number, one.time, one.what, one.who, dict(one.facts)) for one in again.events] == [
        (1, 7, "entered", "authority/officer-1", {"passkey": "ab"}),
        (2, 7, "left", "authority/officer-1", {"note": 'Zoë\nsaid "bye"'}),
    ]
    assert json.loads(path.read_bytes().split(b"\n")[0])["previous"] == NOTHING
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_processes_continue_one_chain(path: Path) -> None:
    one, other = Journal(path, clock), Journal(path, clock)
    one.add("first", "console")
    other.add("second", "console")
    one.add("third", "console")
    other.catch_up()
    assert [event.what for event in one.events] == [event.what for event in other.events] == ["first", "second", "third"]


def test_a_torn_line_is_written_over(path: Path) -> None:
    Journal(path, clock).add("first", "console")
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole + whole[:length].rstrip(b"\n"))
        journal = Journal(path, clock)
        assert [event.what for event in journal.events] == ["first"]
        journal.add("second", "console")
        assert [event.what for event in Journal(path, clock).events] == ["first", "second"]
        path.write_bytes(whole)


def test_any_change_is_found(path: Path) -> None:
    journal = Journal(path, clock)
    for what in ("first", "second", "third"):
        journal.add(what, "console", digest="0" * 64)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    changed = [
        whole.replace(b"first", b"fierst"),
        lines[1] + lines[2],
        lines[0] + lines[2],
        lines[1] + lines[0] + lines[2],
        b"\n" + whole,
        whole + b"{}\n",
        whole.replace(b'"n":2', b'"n":3'),
    ]
    for data in changed:
        path.write_bytes(data)
        with pytest.raises(ControlError, match="put the whole file back"):
            Journal(path, clock)


def test_a_journal_cut_short_under_a_running_room_is_found(path: Path) -> None:
    journal = Journal(path, clock)
    journal.add("first", "console")
    path.write_bytes(b"")
    with pytest.raises(ControlError, match="cut short"):
        journal.add("second", "console")


def test_a_full_journal_refuses(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path, clock)
    monkeypatch.setattr("scrutineer.control.journal.MAX_JOURNAL", 200)
    journal.add("first", "console")
    with pytest.raises(ControlError, match="no room"):
        journal.add("second", "console", text="x" * 100)
    assert len(Journal(path, clock).events) == 1
