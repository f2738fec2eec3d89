"""The copy of the history beside the log: a site in a new folder begins with it."""

import json
from pathlib import Path

import pytest

from cli_helpers import call, opened
from scrutineer.cli.kept_history import HISTORY_FILE
from scrutineer.cli.office import RECORD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An opened election folder whose log was published twice."""
    folder = opened(tmp_path / "election")
    publish(folder, tmp_path / "site")
    report(folder, "Rain.")
    publish(folder, tmp_path / "site")
    return folder


def report(folder: Path, text: str) -> None:
    call("incident", folder, text, "--kind", "other", "--from", "2026-11-01T18:00")


def publish(folder: Path, site: Path, code: int = 0) -> str:
    return call("publish", folder, "--to", site, "--languages", "en", "--workers", 1, code=code).err


def snapshots(site: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (site / "snapshots").iterdir()}


def test_a_new_folder_begins_with_the_history(folder: Path, tmp_path: Path) -> None:
    assert len(snapshots(tmp_path / "site")) == 3
    publish(folder, tmp_path / "new")
    assert snapshots(tmp_path / "new") == snapshots(tmp_path / "site")
    assert call("verify", tmp_path / "new", "--json").json["passed"]


def test_a_line_that_was_cut_off_is_passed_over(folder: Path, tmp_path: Path) -> None:
    kept = folder / RECORD / HISTORY_FILE
    with kept.open("ab") as file:
        file.write(b'{"format":"scrutineer-snapshot/v1","elec')
    report(folder, "Snow.")
    publish(folder, tmp_path / "site")
    sizes = [json.loads(line)["size"] for line in kept.read_bytes().splitlines() if line.endswith(b"}")]
    assert sizes == [row["size"] for row in json.loads(snapshots(tmp_path / "site")["index.json"])["snapshots"]]
    publish(folder, tmp_path / "new")
    assert snapshots(tmp_path / "new") == snapshots(tmp_path / "site")


def test_a_damaged_copy_is_named(folder: Path, tmp_path: Path) -> None:
    kept = folder / RECORD / HISTORY_FILE
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(lines[0].replace(b'"time_ms":1', b'"time_ms":2', 1) + lines[1])
    said = publish(folder, tmp_path / "new", code=1)
    assert HISTORY_FILE in said
    assert "move it away" in said
    kept.unlink()
    publish(folder, tmp_path / "new")
    assert len(snapshots(tmp_path / "new")) == 2
