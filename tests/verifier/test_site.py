"""The second verifier accepts what is published, and refuses it where a byte of what matters differs."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from second_look.report import Report
from second_look.site import verify_site

import verify_helpers
from full_election import publish_all
from portal_helpers import republic
from publish_helpers import GrowingSite, grown
from scrutineer.portal import SiteOptions
from second_look_helpers import SOURCE, change

SEED = 20_250_615
ENGLISH = SiteOptions(languages=("en",))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "second_look", *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full") / "site"
    publish_all(folder, ENGLISH)
    return folder


def _holds(report: Report) -> None:
    assert not report.count, report.findings


def test_an_election_in_which_everything_happened_is_accepted(site: Path) -> None:
    run = _run(str(site))
    assert run.returncode == 0, run.stdout
    assert "everything that was checked holds" in run.stdout
    assert "not checked: " in run.stdout


def test_the_report_as_json(site: Path) -> None:
    run = _run(str(site), "--json")
    report = json.loads(run.stdout)
    assert report["holds"]
    assert report["findings"] == []
    assert any("102 statements" in line for line in report["checked"])


def test_the_election_must_be_the_one_that_was_asked_for(site: Path) -> None:
    name = hashlib.sha256(b"\0" + (site / "definition/definition.cose").read_bytes()).hexdigest()
    assert _run(str(site), "--definition", name).returncode == 0
    assert _run(str(site), "--definition", "0" * 64).returncode == 1
    assert _run(str(site / "nowhere")).returncode == 2


@pytest.mark.parametrize("contests", ["president", "general"])
def test_republics_are_accepted(contests: str, tmp_path: Path) -> None:
    republic(600, contests=contests, part=0.8, alliances=True).with_options(ENGLISH).publish(tmp_path / "site")
    _holds(verify_site(tmp_path / "site"))


def test_a_site_that_grew_is_accepted(tmp_path: Path) -> None:
    given = republic(300)
    growing = GrowingSite(tmp_path / "site")
    for step in grown(given, given.log, (1, 40, 255, 256, 257, len(given.log)), ENGLISH):
        growing.publish(step)
        _holds(verify_site(tmp_path / "site"))


@pytest.mark.parametrize("story", [verify_helpers.told, verify_helpers.open_quarantine])
def test_stories_with_decisions_are_accepted(story: verify_helpers.Callable[[], verify_helpers.Story], tmp_path: Path) -> None:
    story().published(ENGLISH).publish(tmp_path / "site")
    _holds(verify_site(tmp_path / "site"))


def _matters(path: str) -> bool:
    return path.startswith(("log/", "data/", "definition/", "snapshots/", "ballots/")) or path in ("site.json", "manifest")


def _files(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file() and path.name != ".rendered")


def test_any_flipped_bit_is_noticed(site: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(site, copy)
    draw = random.Random(SEED)
    files = [path for path in _files(copy) if _matters(path)]
    assert len(files) > 20
    tried = files + draw.choices(files, k=8) if "SCRUTINEER_ALL_MUTATIONS" in os.environ else draw.sample(files, 12)
    for path in tried:
        data = (copy / path).read_bytes()
        changed = bytearray(data)
        changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (copy / path).write_bytes(changed)
        assert verify_site(copy).count, path
        (copy / path).write_bytes(data)
    _holds(verify_site(copy))


def test_what_is_flipped_is_noticed_without_the_list_of_files(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of files finds every change of a copy; whoever published could sign another list. The rest must find it too."""
    monkeypatch.setattr("second_look.site._check_files", lambda *_: None)
    copy = tmp_path / "copy"
    shutil.copytree(site, copy)
    draw = random.Random(SEED + 1)
    # What only the comparison of bytes covers: forms of the tables for other programs, outlines, and the earlier election.
    # So are the index of ballots and what says in short what a bundle holds.
    beside = ("manifest", "data/map.json", "data/results.nist.json", "ballots/index.json")
    files = [path for path in _files(copy) if _matters(path) and path not in beside and not path.endswith(".parquet")]
    index = re.compile(r"ballots/(codes/[0-9a-f]+|[^/]+(?<!\.tally))\.json")
    files = [path for path in files if index.fullmatch(path) is None]
    missed = []
    for path in draw.sample(files, 16):
        data = (copy / path).read_bytes()
        changed = bytearray(data)
        at = draw.randrange(len(data))
        changed[at] = data[at] ^ 1 << draw.randrange(7)
        (copy / path).write_bytes(changed)
        if not verify_site(copy).count:
            missed.append((path, at, bytes(data[max(0, at - 40) : at + 10])))
        (copy / path).write_bytes(data)
    # Outcomes and bounds stand in the summary and in snapshots, and names of formats in all of them: the report says what is not
    # checked.
    assert all(path.endswith(".json") and not path.startswith("log/") for path, _, _ in missed), missed


def test_missing_and_added_files_are_noticed(site: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(site, copy)
    (copy / "data/president/stations.csv").rename(tmp_path / "kept")
    assert "data/president/stations.csv" in {finding["where"] for finding in verify_site(copy).findings}
    (tmp_path / "kept").rename(copy / "data/president/stations.csv")
    (copy / "added.html").write_text("Other figures")
    assert "added.html" in {finding["where"] for finding in verify_site(copy).findings}


def test_hostile_values_are_findings_and_never_exceptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of other kinds in files that are well-formed JSON, and arbitrary bytes."""
    monkeypatch.setattr("second_look.site._check_files", lambda *_: None)
    site = tmp_path / "site"
    republic(6).with_options(ENGLISH).publish(site)
    _holds(verify_site(site))
    draw = random.Random(SEED)
    files = [path for path in _files(site) if _matters(path) and not path.endswith((".parquet", "map.json", "nist.json"))]
    noticed = tried = 0
    for path in files:
        data = (site / path).read_bytes()
        others = [b"", b"[]", b"[" * 5000, draw.randbytes(300), data[: len(data) // 2]]
        if path.endswith(".json"):
            for seed in range(5):
                value = json.loads(data)
                change(value, random.Random(seed))
                others.append(json.dumps(value).encode())
        for other in others:
            (site / path).write_bytes(other)
            noticed += bool(verify_site(site).count)
            tried += 1
        (site / path).write_bytes(data)
    assert noticed > 0.7 * tried
