"""Encrypted ballots on a site: what is published, what is refused, and how each ballot is found."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from portal_helpers import Published
from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.record import Ballot
from scrutineer.errors import BallotError
from scrutineer.portal.ballot_files import MOST_IN_FILE, digits_for
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.portal.ballot_record import scan_bundle, station_of, with_tally
from scrutineer.portal.publish import publish
from scrutineer.station.voting.closing import encoded
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site
from sealed_election import STATIONS, Sealed


def ballots_of(bundle: bytes) -> list[Ballot]:
    return [item.value for item in read_bundle(split_lines([bundle])) if isinstance(item.value, Ballot)]


def show(given: Published, site: Path) -> int:
    return publish(given.record, given.entries, given.signer, site).written


def test_a_site_has_the_files_that_the_sheets_name(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    show(sealed.with_ballots(sealed_folder), tmp_path / "site")
    site = tmp_path / "site"
    for station in STATIONS:
        assert (site / f"ballots/{station}.jsonl").read_bytes() == sealed.voted[station].bundle
        assert (site / f"ballots/{station}.tally.json").read_bytes() == sealed.tallies[station].encode()
        said = json.loads((site / f"ballots/{station}.json").read_bytes())
        assert said["bundle"]["sha256"] == sealed.voted[station].digest.hex()
        assert said["ballots"] == {"cast": 5, "challenged": 1, "spoiled": 1, "provisional": 1}
        assert len(said["sheets"]) == 2
    assert not (site / "ballots/paper.jsonl").exists()
    report = verify_site(FolderSource(site), definition=sealed.given.record.election.hash)
    assert [str(finding) for finding in report.findings] == []


def test_every_code_is_in_the_index_once(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    show(sealed.with_ballots(sealed_folder), tmp_path / "site")
    index = json.loads((tmp_path / "site/ballots/index.json").read_bytes())
    assert (index["digits"], index["ballots"], index["stations"]) == (1, 16, 2)
    found = set()
    for path in (tmp_path / "site/ballots/codes").iterdir():
        shard = json.loads(path.read_bytes())
        assert shard["prefix"] == path.stem
        assert shard["ballots"] == sorted(shard["ballots"])
        for code, station, number, status in shard["ballots"]:
            assert code.startswith(path.stem)
            found.add((code, shard["stations"][station], number, shard["statuses"][status]))
    assert found == {
        (ballot.code.hex()[:24], station, number, ballot.status)
        for station in STATIONS
        for number, ballot in enumerate(ballots_of(sealed.voted[station].bundle), 1)
    }


def test_the_index_is_cut_finer_the_more_ballots_there_are() -> None:
    assert [digits_for(n) for n in (0, 1, 16 * MOST_IN_FILE, 16 * MOST_IN_FILE + 1, 20_000_000)] == [1, 1, 1, 2, 4]


def test_a_bundle_that_no_sheet_names_is_refused_with_both_hashes(sealed: Sealed, sealed_folder: Path) -> None:
    skipped: list[tuple[str, str]] = []
    other = sealed.voted["pond"].bundle.replace(b'"spoiled"', b'"provisional"', 1)
    (sealed_folder / "pond.jsonl").write_bytes(other)
    (sealed_folder / "pond.tally.json").unlink()
    paper = sealed.voted["pond"].bundle.replace(b'"station":"pond"', b'"station":"paper"', 1)
    (sealed_folder / "paper.jsonl").write_bytes(paper)
    lost = sealed.voted["pond"].bundle.replace(b'"station":"pond"', b'"station":"moor"', 1)
    (sealed_folder / "nowhere.jsonl").write_bytes(lost)
    (sealed_folder / "nothing.jsonl").write_bytes(b"{}\n")
    (sealed_folder / "other.json").write_bytes(b"{}")
    given = sealed.with_ballots(sealed_folder, skipped)
    assert [own.station for own in given.record.ballots.values()] == ["reed"]
    said = dict(skipped)
    assert said["pond.jsonl"] == (
        f"its SHA-256 is {sha256(other).hexdigest()}, and the station's sheet names {sealed.voted['pond'].digest.hex()}"
    )
    assert "no sheet of it that is in effect names a bundle" in said["paper.jsonl"]
    assert "which this election does not have" in said["nowhere.jsonl"]
    assert set(said) == {"pond.jsonl", "paper.jsonl", "nowhere.jsonl"}


def test_the_openings_of_a_machine_are_said_to_be_for_the_trustees(sealed: Sealed, sealed_folder: Path) -> None:
    [opened] = sealed.tallies["pond"].challenged
    (sealed_folder / "openings.jsonl").write_bytes(encoded(opened))
    (sealed_folder / "nothing.jsonl").write_bytes(b"{}\n")
    found = BallotFolder(sealed_folder)
    for _ in range(2):
        assert len(found.find()) == len(STATIONS)
        [(name, why)] = found.skipped
        assert name == "openings.jsonl"
        assert "the trustees give it to `trustees tally commit` and `combine` as --openings" in why


def test_files_are_known_by_what_they_hold_and_not_by_their_names(sealed: Sealed, sealed_folder: Path) -> None:
    (sealed_folder / "below").mkdir()
    (sealed_folder / "pond.jsonl").rename(sealed_folder / "below" / "bundle.jsonl")
    (sealed_folder / "pond.tally.json").rename(sealed_folder / "tally-1.json")
    (sealed_folder / "reed.jsonl").unlink()
    found = BallotFolder(sealed_folder)
    [(name, own)] = found.find()
    assert (name, own.station) == ("below/bundle.jsonl", "pond")
    assert own.tally is not None
    assert len(own.opened) == 1
    [(skipped, reason)] = found.skipped
    assert skipped == "reed.tally.json"
    assert sealed.voted["reed"].digest.hex() in reason


def test_publishing_again_writes_nothing_and_keeps_what_is_not_given_again(
    sealed: Sealed, sealed_folder: Path, tmp_path: Path
) -> None:
    given = sealed.with_ballots(sealed_folder)
    show(given, tmp_path / "site")
    assert show(given, tmp_path / "site") <= 2  # the head and the manifest are signed anew
    bare = replace(given, record=replace(given.record, ballots={}))
    show(bare, tmp_path / "site")
    assert (tmp_path / "site/ballots/pond.jsonl").exists()
    report = verify_site(FolderSource(tmp_path / "site"), definition=given.record.election.hash)
    assert report.passed


def test_ballots_that_come_later_change_their_station_alone(sealed: Sealed, sealed_folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    show(sealed.given, site)
    before = {path: path.stat().st_mtime_ns for path in site.glob("stations/**/*.html")}
    (sealed_folder / "reed.jsonl").unlink()
    (sealed_folder / "reed.tally.json").unlink()
    show(sealed.with_ballots(sealed_folder), site)
    changed = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"pond.html"}
    report = verify_site(FolderSource(site), definition=sealed.given.record.election.hash)
    assert report.passed


def test_hostile_lines_are_passed_over() -> None:
    lines = [b"\n", b"{}\n", b'{"kind":"ballot","code":"AA==","status":"cast"}\n', b"[[[[", b'{"kind":7}\n', b"\xff\n"]
    own = scan_bundle("pond", lambda: iter(lines))
    assert (own.ballots, own.closing, own.device) == (0, "", "")
    with pytest.raises(BallotError, match="decrypted totals"):
        with_tally(own, lambda: iter([b"{"]))


def test_only_files_of_ballots_are_taken_for_them() -> None:
    assert station_of("ballots/a.b.jsonl") == ("a.b", ".jsonl")
    assert station_of("ballots/a.tally.json") == ("a", ".tally.json")
    for path in ("ballots/a.json", "ballots/codes/0.jsonl", "data/a.jsonl", "ballots/.jsonl", "ballots/.tally.json"):
        assert station_of(path) is None


def test_a_folder_tells_when_something_in_it_changed(sealed_folder: Path) -> None:
    found = BallotFolder(sealed_folder)
    before = found.stamp()
    assert found.stamp() == before
    (sealed_folder / "later.tally.json").write_bytes(b"{}")
    assert found.stamp() != before
