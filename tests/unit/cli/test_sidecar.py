"""`ballots sidecar`: what it writes is what `verify` takes, over the standard group and on files."""

import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from ballot_helpers import one_contest
from record_helpers import Record, make_record
from scrutineer.ballots.batch import Batch
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.sidecar import MAGIC
from scrutineer.cli.ballots_commands import ballots_command


@cache
def record() -> Record:
    """One station and one press, over the standard group."""
    return make_record(one_contest(2), STANDARD, ("cast", "cast", "challenged", "cast", "spoiled"), data=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record().write(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(ballots_command, arguments)
    return result.exit_code, result.output


def sidecar(folder: Path, *more: str) -> tuple[int, str]:
    return run("sidecar", str(folder / "bundle-1.jsonl"), "--keys", str(folder / "ballots.json"), *more)


def verify(folder: Path) -> tuple[int, dict[str, object]]:
    code, output = run("verify", str(folder / "bundle-1.jsonl"), "--keys", str(folder / "ballots.json"), "--json")
    return code, json.loads(output)


def test_a_bundle_is_checked_with_the_side_car_that_was_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = verify(folder)
    code, output = sidecar(folder)
    assert (code, "5 ballots in 1 side-car(s)" in output) == (0, True)
    assert (folder / "bundle-1.jsonl.commitments").read_bytes().startswith(MAGIC)
    taken: list[bool] = []
    add = Batch.add

    def noted(*arguments: object) -> bool:
        taken.append(add(*arguments))  # type: ignore[arg-type]
        return taken[-1]

    monkeypatch.setattr(Batch, "add", noted)
    assert verify(folder) == without
    assert taken == [True] * 5


def test_what_is_there_is_left_unless_it_is_asked_for(folder: Path) -> None:
    path = folder / "bundle-1.jsonl.commitments"
    path.write_bytes(b"something")
    code, output = sidecar(folder)
    assert (code, "1 were there already" in output) == (0, True)
    assert path.read_bytes() == b"something"
    assert sidecar(folder, "--again")[0] == 0
    assert path.read_bytes().startswith(MAGIC)
    assert sorted(one.name for one in folder.iterdir() if "partial" in one.name) == []


def test_keys_that_cannot_be_used(folder: Path) -> None:
    (folder / "ballots.json").write_bytes(b"{}")
    result = CliRunner().invoke(
        ballots_command, ["sidecar", str(folder / "bundle-1.jsonl"), "--keys", str(folder / "ballots.json")]
    )
    assert result.exit_code != 0
    assert "no keys that can be used" in str(result.exception)
    assert not (folder / "bundle-1.jsonl.commitments").exists()
