"""`ballots verify` and `ballots show`, over the standard group, on files."""

import hashlib
import json
from functools import cache
from pathlib import Path

import msgspec
import pytest

from ballot_helpers import one_contest
from cli_helpers import Result, call, run
from record_helpers import Record, make_record, sample_record
from scrutineer.ballots.checks import CHECKS
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.keys import election_keys, read_key_record
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.sidecar import make_sidecar


@cache
def record() -> Record:
    """One station and one press, over the standard group."""
    manifest = msgspec.structs.replace(one_contest(2), trimming=2)
    return make_record(manifest, STANDARD, ("cast", "challenged", "spoiled"), data=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record().write(tmp_path)
    return tmp_path


def verify(folder: Path, *more: object, bundles: tuple[str, ...] = ("bundle-1.jsonl",), code: int = 0) -> Result:
    """Verify bundles of a folder in this process."""
    return call("ballots", "verify", *(folder / name for name in bundles), "--keys", folder / "ballots.json", *more, code=code)


def test_a_good_record_passes(folder: Path) -> None:
    tallies = ("--tally", folder / "tally-1.json", "--tally", folder / "tally-2.json")
    done = verify(folder, *tallies, bundles=("bundle-1.jsonl", "bundle-2.jsonl"))
    assert "PASS: 6 ballots in 2 bundle(s)" in done.out
    assert "verification 12 had nothing to look at" in done.out
    assert "verifications 15 to 19" not in done.out


def test_what_was_not_given_is_said(folder: Path) -> None:
    done = verify(folder)
    assert "No decrypted totals were given (--tally): verifications 10 to 14 had nothing to look at." in done.out
    assert "No pre-encrypted ballots: verifications 15 to 19 had nothing to look at." in done.out


def test_json_has_the_totals(folder: Path) -> None:
    done = verify(folder, "--tally", folder / "tally-1.json", "--json").json
    assert done["passed"]
    assert done["failures"] == []
    (bundle,) = done["bundles"]
    assert bundle["totals"] == {"warden": {"wren": 1, "owl": 0}}
    assert bundle["ballots"] == {"cast": 1, "challenged": 1, "spoiled": 1, "provisional": 0}
    assert bundle["sha256"] == hashlib.sha256(record().bundles[0]).hexdigest()
    assert "12.A" in done["idle_checks"]


def test_a_failed_check_has_its_number_and_what_to_do(folder: Path) -> None:
    bundle = folder / "bundle-1.jsonl"
    bundle.write_bytes(bundle.read_bytes().replace(b'"spoiled":1', b'"spoiled":2'))
    done = verify(folder, code=1)
    assert "R.7" in done.out
    assert CHECKS["R.7"].advice in done.out
    assert f"FAIL: 1 of {len(CHECKS)} checks failed, in 1 places." in done.out
    assert verify(folder, "--json", code=1).json["failed_checks"] == ["R.7"]


@pytest.mark.parametrize("engine", ["one", "pool"])
def test_engines_say_the_same(folder: Path, engine: str) -> None:
    lines = (folder / "bundle-1.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "bundle-1.jsonl").write_bytes(b"".join([lines[0], lines[2], lines[1], lines[3], lines[4]]))
    done = verify(folder, "--engine", engine, "--json", code=1).json
    assert "8.E" in done["failed_checks"]


def test_a_side_car_beside_the_bundle_is_used_and_never_trusted(folder: Path) -> None:
    keys = election_keys(read_key_record((folder / "ballots.json").read_bytes()))
    ballots = [msgspec.json.decode(line, type=Ballot) for line in record().bundles[0].splitlines()[1:-1]]
    whole = b"".join(make_sidecar(keys, ballots))
    for sidecar in (whole, whole[:-5], b"nonsense"):
        (folder / "bundle-1.jsonl.commitments").write_bytes(sidecar)
        assert verify(folder, "--json").json == verify(folder, "--json", "--exact").json


def test_the_group_of_tests_is_refused(tmp_path: Path) -> None:
    sample_record().write(tmp_path)
    done = verify(tmp_path, "--json", code=1).json
    assert {"1.B", "1.D", "R.1"} <= set(done["failed_checks"])
    assert done["bundles"] == []


def test_files_that_are_something_else(folder: Path) -> None:
    (folder / "picture.png").write_bytes(bytes(range(256)) * 1000)
    assert "R.2" in verify(folder, "--json", bundles=("picture.png",), code=1).json["failed_checks"]
    assert "R.8" in verify(folder, "--tally", folder / "picture.png", "--json", code=1).json["failed_checks"]
    keys = call("ballots", "verify", folder / "bundle-1.jsonl", "--keys", folder / "picture.png", "--json", code=1)
    assert keys.json["failed_checks"] == ["R.1"]


def test_commands_that_cannot_be_used_as_given(folder: Path) -> None:
    verify(folder, "--engine", "one", "--workers", "2", code=2)
    call("ballots", "verify", "--keys", folder / "ballots.json", code=2)
    call("ballots", "verify", folder / "missing.jsonl", "--keys", folder / "ballots.json", code=2)


def test_show_says_what_stands_in_a_bundle(folder: Path) -> None:
    done = call("ballots", "show", folder / "bundle-1.jsonl")
    assert "Station      0001\n" in done.out
    assert "Ballots      1 cast, 1 challenged, 1 spoiled\n" in done.out
    facts = call("ballots", "show", folder / "bundle-2.jsonl", "--json").json
    assert facts["ballots"] == {"cast": 2, "uncast": 1}
    assert facts["sha256"] == hashlib.sha256(record().bundles[1]).hexdigest()


def test_show_lists_codes(folder: Path) -> None:
    lines = call("ballots", "show", folder / "bundle-1.jsonl", "--codes").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["cast", "challenged", "spoiled"]
    rows = [json.loads(line) for line in call("ballots", "show", folder / "bundle-1.jsonl", "--codes", "--json").out.splitlines()]
    assert ["  ".join(row.values()) for row in rows] == lines


def test_show_names_what_is_malformed(folder: Path) -> None:
    (folder / "bundle-1.jsonl").write_bytes(record().bundles[0][:-1])
    done = call("ballots", "show", folder / "bundle-1.jsonl", code=1)
    assert "R.2" in done.out
    assert "the bundle is not complete" in done.out


def test_as_a_process_of_its_own(folder: Path) -> None:
    done = run("ballots", "verify", folder / "bundle-1.jsonl", "--keys", folder / "ballots.json", "--workers", "2")
    assert "PASS" in done.out
