"""The record of one service: what is counted, when it is written, and what happens when it cannot be."""

import os
from pathlib import Path

import pytest

from incident_helpers import TIME, Kept, totals, windows
from scrutineer.intake.incidents import read_journal
from scrutineer.intake.incidents.chain import MAX_LISTED
from scrutineer.statements.tally_sheet import MAX_TIME


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "incidents")


def test_a_window_holds_what_was_noted_in_it(kept: Kept) -> None:
    for _ in range(3):
        kept.record.note("bad-signature", "192.0.2.7")
    kept.record.note("duplicate", "2001:db8:7::9")
    kept.record.note("duplicate", "::ffff:192.0.2.9")
    kept.record.note("rained-out", "")
    kept.end_window()
    kept.end_window()  # A quiet one is not written.
    kept.record.note("too-large", "198.51.100.1")
    kept.end_window(30)
    first, second = windows(kept.folder)
    assert (first.since, first.until, first.lasted) == (TIME, TIME + 60, 60_000)
    assert first.counts == {
        "forged-signature": (3, {"192.0.2.0/24": 3}),
        "replay": (2, {"192.0.2.0/24": 1, "2001:db8:7::/48": 1}),
        "other": (1, {"unknown": 1}),
    }
    assert (second.since, second.lasted) == (TIME + 120, 30_000)
    assert kept.said == []


def test_no_address_is_written(kept: Kept) -> None:
    for address in ("203.0.113.77", "2001:db8:7:4d4d:4d4d:4d4d:4d4d:4d4d", "2002:cb00:714d::1", "::ffff:203.0.113.77"):
        kept.record.note("not-found", address)
    kept.end_window()
    written = b"".join(path.read_bytes() for path in kept.folder.iterdir())
    assert b"203.0.113.77" not in written
    assert b"4d4d" not in written
    assert b"714d" not in written


def test_what_is_open_is_written_when_it_is_closed(kept: Kept) -> None:
    kept.record.note("not-found", "192.0.2.7")
    kept.reopen()
    assert totals(kept.folder) == {"scan": 1}


def test_a_window_lists_the_largest_networks_and_counts_the_rest(kept: Kept) -> None:
    for number in range(100):
        for _ in range(number + 1):
            kept.record.note("not-found", f"10.0.{number}.1")
    kept.end_window()
    ((total, networks),) = windows(kept.folder)[0].counts.values()
    assert total == 5_050
    assert networks == {f"10.0.{number}.0/24": number + 1 for number in range(99, 99 - MAX_LISTED, -1)}


class TestClocks:
    def test_a_clock_that_is_set_back_by_hours(self, kept: Kept) -> None:
        for jump in (0, -7_200, 10_800, -86_400):
            kept.wall.now += jump
            kept.record.note("not-found", "192.0.2.7")
            kept.end_window()
        kept.reopen()
        told = [(window.since - TIME, window.until - TIME, window.lasted) for window in windows(kept.folder)]
        assert told[1:] == [(60, -7_080, 60_000), (-7_080, 3_780, 60_000), (3_780, -82_560, 60_000)]
        assert read_journal(kept.folder).findings == []
        assert totals(kept.folder) == {"scan": 4}

    @pytest.mark.parametrize("now", [-5.0, 1e18])
    def test_a_clock_that_tells_nonsense(self, kept: Kept, now: float) -> None:
        kept.wall.now = now
        kept.record.note("not-found", "192.0.2.7")
        kept.end_window()
        (window,) = windows(kept.folder)
        assert window.until in (0, 55, MAX_TIME - 1)


class TestFullDisk:
    def test_it_goes_on_says_it_once_and_counts_what_was_not_written(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        kept.record.note("not-found", "192.0.2.7")
        kept.end_window()
        with monkeypatch.context() as patch:

            def full(*_: object) -> None:
                raise OSError(28, "No space left on device")

            patch.setattr(os, "write", full)
            for number in range(1, 4):
                for _ in range(number):
                    kept.record.note("bad-signature", "192.0.2.7")
                kept.end_window()
            kept.end_window()  # A quiet one does not add to them.
        kept.record.note("duplicate", "192.0.2.7")
        kept.end_window()
        assert len(kept.said) == 2
        assert "No space left on device" in kept.said[0]
        assert "the service goes on" in kept.said[0]
        assert "\n" not in kept.said[0]
        assert kept.said[1] == "the journal of the attack record is kept again"
        _, last = windows(kept.folder)
        assert last.unwritten is not None
        assert last.unwritten.counts == {"forged-signature": 6}
        assert last.unwritten.since == TIME + 60
        assert last.unwritten.windows == 3
        assert totals(kept.folder) == {"scan": 1, "forged-signature": 6, "replay": 1}
        assert read_journal(kept.folder).findings == []

    def test_what_was_not_written_is_written_in_a_quiet_window_too(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        kept.record.note("not-found", "192.0.2.7")
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda _file, data: len(data) - 1)
            kept.end_window()
        assert totals(kept.folder) == {}
        kept.end_window()
        assert totals(kept.folder) == {"scan": 1}
