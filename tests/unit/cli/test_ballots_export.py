"""`ballots export-2.0`, over the standard group."""

import json
from pathlib import Path

import pytest

from ballot_helpers import one_contest
from ceremony_helpers import ceremony
from cli_helpers import call
from scrutineer.ballots.group import STANDARD
from second_version_2_0 import Reading


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    record, _ = ceremony(one_contest(2), 1, 1, STANDARD)
    path = tmp_path / "ballots.json"
    path.write_bytes(record.encode())
    return path


def test_the_record_holds_in_the_standard_group(keys: Path, tmp_path: Path) -> None:
    out = tmp_path / "record"
    asked = ("--ballots", 5, "--guardians", 2, "--quorum", 2, "--seed", "aviary", "--json")
    told = call("ballots", "export-2.0", out, "--keys", keys, *asked).json
    assert told["ballots"] == 5
    assert not Reading(out, int(STANDARD.p), int(STANDARD.q), int(STANDARD.g), letter=False).failed
    tally = json.loads((out / "tally.json").read_bytes())["contests"][0]["selections"]
    assert told["totals"] == {"warden": {each["selection_id"]: each["tally"] for each in tally}}
    assert not list(tmp_path.glob("*.partial"))


def test_to_the_letter(keys: Path, tmp_path: Path) -> None:
    out = tmp_path / "record"
    call("ballots", "export-2.0", out, "--keys", keys, "--ballots", 1, "--hashes", "specification")
    assert not Reading(out, int(STANDARD.p), int(STANDARD.q), int(STANDARD.g), letter=True).failed


def test_nothing_is_overwritten(keys: Path, tmp_path: Path) -> None:
    out = tmp_path / "record"
    out.mkdir()
    assert "is there already" in call("ballots", "export-2.0", out, "--keys", keys, code=2).err
    out.rename(tmp_path / "other.partial")
    assert "interrupted" in call("ballots", "export-2.0", tmp_path / "other", "--keys", keys, code=2).err


def test_guardians_that_cannot_be(keys: Path, tmp_path: Path) -> None:
    result = call("ballots", "export-2.0", tmp_path / "record", "--keys", keys, "--guardians", 1, "--quorum", 2, code=1)
    assert "quorum of 2" in result.err
    assert not (tmp_path / "record").exists()
