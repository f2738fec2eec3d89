"""Verification of a site's history: every snapshot is a signed head of the log, and says what the log gives at its size."""

from collections.abc import Callable
from pathlib import Path

import pytest

import portal_helpers as portal
import verify_helpers as helpers
from scrutineer.portal import SiteOptions
from scrutineer.portal.history_files import INDEX_FILE, SnapshotFiles, snapshot_path
from scrutineer.verify import Report

SIGNER = portal.log_signer()
SIZES = (14, 20)
ENGLISH = SiteOptions(languages=("en",))


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


def up_to(story: helpers.Story, size: int, minutes: int = 0) -> portal.Published:
    return portal.published(story.election, story.tables, story.log[:size], ENGLISH, time_ms=portal.TIME_MS + minutes * 60_000)


@pytest.fixture
def site(tmp_path: Path, story: helpers.Story) -> Path:
    for minutes, size in enumerate((*SIZES, len(story.log))):
        up_to(story, size, minutes * 40).publish(tmp_path / "site")
    return tmp_path / "site"


def named(report: Report) -> set[str]:
    return {finding.where for finding in report.findings}


def test_a_site_with_history_passes(site: Path) -> None:
    report = helpers.verified(site)
    assert report.passed, report.findings
    assert len(list((site / "night").iterdir())) == 3


def test_a_snapshot_that_is_listed_and_missing_fails(site: Path) -> None:
    helpers.signed_anew(site, SIGNER, {snapshot_path(SIZES[0]): None})
    report = helpers.verified(site)
    assert not report.passed
    assert named(report) == {snapshot_path(SIZES[0])}
    assert "is missing" in report.findings[0].message
    assert report.findings[0].check == "snapshot"


def test_a_list_that_leaves_a_snapshot_out_fails(site: Path, story: helpers.Story) -> None:
    """Also where the publisher takes the file away and signs a manifest that says so: the one after it tells."""
    snapshots = [up_to(story, size).record.snapshots[0] for size in (SIZES[0], len(story.log))]
    shorter = SnapshotFiles(story.election).write_index(snapshots)
    helpers.signed_anew(site, SIGNER, {snapshot_path(SIZES[1]): None, INDEX_FILE: shorter})
    report = helpers.verified(site)
    assert named(report) == {snapshot_path(len(story.log))}
    assert "it follows that of size 20, and the list has it follow that of size 14" in report.findings[0].message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"heron": 60', b'"heron": 59'),
        (b'"margin": ', b'"margin": 1'),
        (b'"changeable": true', b'"changeable": false'),
    ],
)
def test_other_totals_than_those_of_the_log_are_found(site: Path, old: bytes, new: bytes) -> None:
    path = site / snapshot_path(SIZES[0])
    changed = path.read_bytes().replace(old, new, 1)
    assert changed != path.read_bytes()
    helpers.signed_anew(site, SIGNER, {snapshot_path(SIZES[0]): changed})
    report = helpers.verified(site)
    assert named(report) == {snapshot_path(SIZES[0])}
    assert "the log gives something else" in report.findings[0].message


def _other_signature(data: bytes) -> bytes:
    at = data.index(b'"signature": "') + 14
    return data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        _other_signature,
        lambda data: data.replace(b'"time_ms": 175', b'"time_ms": 176'),
        lambda data: data.replace(b"log.example/heron", b"log.example/robin"),
        lambda data: b"{}\n",
        lambda data: b"[" * 100_000,
        lambda data: b"\xff",
    ],
)
def test_a_snapshot_that_is_no_signed_head_is_named(site: Path, change: Callable[[bytes], bytes]) -> None:
    data = (site / snapshot_path(SIZES[1])).read_bytes()
    helpers.signed_anew(site, SIGNER, {snapshot_path(SIZES[1]): change(data)})
    report = helpers.verified(site)
    assert named(report) == {snapshot_path(SIZES[1])}
    assert report.findings[0].check == "snapshot"


def test_a_head_of_another_log_is_named(site: Path, story: helpers.Story) -> None:
    """Signed by the log for another tree: the log has contradicted itself."""
    other = helpers.begin()
    for number in range(SIZES[0] - 1):
        other.sheet("b1", helpers.COUNCIL, (number, 60))
    head = up_to(other, SIZES[0]).record.snapshots[0]
    data = SnapshotFiles(story.election).write(head, None)
    helpers.signed_anew(site, SIGNER, {snapshot_path(SIZES[0]): data})
    report = helpers.verified(site)
    assert named(report) == {snapshot_path(SIZES[0])}
    assert "its root is not the one that this log has" in report.findings[0].message


@pytest.mark.parametrize("data", [None, b"{}", b'{"snapshots": 1'])
def test_a_list_that_cannot_be_read_fails(site: Path, data: bytes | None) -> None:
    helpers.signed_anew(site, SIGNER, {INDEX_FILE: data})
    assert named(helpers.verified(site)) == {INDEX_FILE}
