"""One ballot, found by its code and proved in a site that nobody trusts."""

import json
from pathlib import Path

import pytest

from cli_helpers import call, refused
from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.record import Ballot
from scrutineer.errors import UsageError
from scrutineer.verify import FolderSource
from scrutineer.verify.track import track
from scrutineer.verify.tracked import Tracked
from scrutineer.verify.tracking_code import read_code
from sealed_election import Sealed


@pytest.fixture
def site(sealed: Sealed, tmp_path: Path) -> Path:
    sealed.with_ballots(sealed.write_folder(tmp_path / "ballots")).publish(tmp_path / "site")
    return tmp_path / "site"


def ballot(sealed: Sealed, status: str, station: str = "pond") -> Ballot:
    items = read_bundle(split_lines([sealed.voted[station].bundle]))
    return next(item.value for item in items if isinstance(item.value, Ballot) and item.value.status == status)


def look(sealed: Sealed, site: Path, status: str) -> Tracked:
    return track(FolderSource(site), ballot(sealed, status).code[:12], sealed.given.record.election.hash)


@pytest.mark.parametrize("status", ["cast", "challenged", "spoiled", "provisional"])
def test_a_ballot_is_found_with_what_became_of_it(sealed: Sealed, site: Path, status: str) -> None:
    found = look(sealed, site, status)
    assert [step for step in found.steps if step.state != "good"] == []
    assert found.proved
    assert (found.station, found.place, found.status, found.ballots) == ("pond", "Pond", status, 8)
    assert found.code == ballot(sealed, status).code.hex()
    assert found.sheets == [1, 2]
    expected = [("Warden of the marsh", ["Wren"]), ("Song of the year", ["Robin"])] if status == "challenged" else []
    assert found.opened == expected


def test_a_code_that_is_nowhere_is_not_found(site: Path) -> None:
    found = track(FolderSource(site), bytes(12))
    assert not found.found
    assert "No ballot with this code is among the 16" in found.steps[-1].sentence


def test_another_election_is_refused(sealed: Sealed, site: Path) -> None:
    found = track(FolderSource(site), ballot(sealed, "cast").code[:12], bytes(32))
    assert not found.found
    assert "another election" in found.steps[-1].sentence


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_status_that_was_changed_is_found_by_the_sheet(sealed: Sealed, site: Path) -> None:
    line = b'"nonce":'
    data = (site / "ballots/pond.jsonl").read_bytes()
    at = data.index(b'"status":"cast"')
    (site / "ballots/pond.jsonl").write_bytes(data[:at] + b'"status":"spoiled"' + data[at + len(b'"status":"cast"') :])
    assert line in data
    found = look(sealed, site, "cast")
    assert found.status == "spoiled"
    assert not found.proved
    assert "names " + sealed.voted["pond"].digest.hex() in found.steps[-1].sentence


def test_a_ballot_that_was_left_out_breaks_the_chain(sealed: Sealed, site: Path) -> None:
    path = site / "ballots/pond.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    found = look(sealed, site, "cast")
    assert not found.proved
    assert any("one is missing, added or moved" in step.sentence for step in found.steps if step.state == "bad")


def test_the_index_cannot_hide_where_a_ballot_is(sealed: Sealed, site: Path) -> None:
    shard = site / f"ballots/codes/{ballot(sealed, 'cast').code.hex()[0]}.json"
    change(shard, b'"pond"', b'"reed"') if b'"pond"' in shard.read_bytes() else None
    found = look(sealed, site, "cast")
    assert not found.proved
    assert "does not hold the ballot that the index says" in found.steps[-1].sentence


@pytest.mark.parametrize("path", ["ballots/index.json", "ballots/pond.json", "log/checkpoint", "definition/ballots.json"])
def test_what_cannot_be_read_is_said(sealed: Sealed, site: Path, path: str) -> None:
    (site / path).write_bytes(b"\xff{")
    found = look(sealed, site, "cast")
    assert not found.proved
    assert found.steps[-1].state == "bad"


def test_a_log_without_the_sheet_is_found(sealed: Sealed, site: Path) -> None:
    path = next((site / "log/tile/0").rglob("7"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "do not lead from log entry" in look(sealed, site, "cast").steps[-1].sentence


def test_a_code_may_be_given_in_every_way_in_which_it_is_shown(sealed: Sealed) -> None:
    code = ballot(sealed, "cast").code
    words = tracking_words(code)
    ways = (words, words.upper(), words.replace("-", " "), f"  {words} \n", code.hex(), code.hex().upper(), code.hex()[:24])
    for text in (*ways, f"https://count.example/track.html#{words}"):
        assert read_code(text) == code[:12]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "6 words, and 0 were given"),
        ("lusab babad", "6 words, and 2 were given"),
        ("lusab babad gutih tugad mudof sakut x", "'x' is not a word"),
        ("lusab babad gutih tugad mudof sakuc", "'sakuc' is not a word"),
        ("deadbeef", "'deadbeef' is not a word"),
    ],
)
def test_a_code_that_cannot_be_one_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_code(text)


def test_the_command_says_it_to_people_and_programs(sealed: Sealed, site: Path) -> None:
    words = tracking_words(ballot(sealed, "challenged").code)
    name = sealed.given.record.election.hash.hex()
    said = call("track", *words.split("-"), "--from", site, "--definition", name).out
    assert f"Ballot {words}" in said
    assert "Station pond (Pond). It was challenged" in said
    assert "Warden of the marsh: Wren" in said
    document = json.loads(call("track", words, "--from", site, "--json").out)
    assert document["proved"]
    assert document["status"] == "challenged"
    assert "No ballot with this code" in call("track", "00" * 12, "--from", site, code=1).out
    assert "is not a word" in refused("track", "nonsense", "--from", site, code=2)
