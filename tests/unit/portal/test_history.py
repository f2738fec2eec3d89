"""Snapshots: every published head stays on the site as it is, whatever is published after it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from portal_helpers import TIME_MS, Published, published
from scrutineer.count import Count
from scrutineer.errors import PublicationError
from scrutineer.portal import SiteOptions
from scrutineer.portal.history import MAX_REGIONS, regions, totals_of
from scrutineer.portal.history_files import INDEX_FILE, SnapshotFiles, is_snapshot, read_only, snapshot_path
from verify_helpers import Story, signed_anew, told, verified

HALF, MORE = 14, 20
ENGLISH = SiteOptions(languages=("en",))


@pytest.fixture(scope="module")
def story() -> Story:
    return told()


def up_to(story: Story, size: int, minutes: int = 0) -> Published:
    """What is published when the log has so many entries."""
    return published(story.election, story.tables, story.log[:size], ENGLISH, time_ms=TIME_MS + minutes * 60_000)


def snapshots(site: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (site / "snapshots").iterdir() if path.name != "index.json"}


def publish_thrice(story: Story, site: Path) -> list[dict[str, bytes]]:
    seen = []
    for minutes, size in enumerate((HALF, MORE, len(story.log))):
        up_to(story, size, minutes * 20).publish(site)
        seen.append(snapshots(site))
    return seen


def test_every_publication_stays_and_is_what_the_log_gives(story: Story, tmp_path: Path) -> None:
    seen = publish_thrice(story, tmp_path)
    assert [len(found) for found in seen] == [1, 2, 3]
    assert seen[0].items() <= seen[1].items() <= seen[2].items()
    report = verified(tmp_path)
    assert report.passed, report.findings
    listed = json.loads((tmp_path / INDEX_FILE).read_bytes())
    assert [row["size"] for row in listed["snapshots"]] == [HALF, MORE, len(story.log)]
    assert listed["contests"] == ["president", "council"]


def test_a_snapshot_says_what_the_log_counts_to_at_its_size(story: Story, tmp_path: Path) -> None:
    publish_thrice(story, tmp_path)
    for size in (HALF, MORE, len(story.log)):
        count = Count(story.election)
        count.apply(story.log[:size])
        found = json.loads((tmp_path / snapshot_path(size)).read_bytes())
        assert (found["size"], len(found["contests"])) == (size, 2)
        for contest, given in zip(found["contests"], totals_of(count, regions(story.election)), strict=True):
            assert tuple(contest["votes"].values()) == given.result.votes
            assert contest["margin"] == given.result.margin
            assert contest["changeable"] == given.result.changeable
            assert [own["counted"] for own in contest["regions"].values()] == [own.counted for own in given.regions]
            assert sum(own["counted"] for own in contest["regions"].values()) == contest["counted"]


def test_of_two_publications_at_one_size_the_first_stays(story: Story, tmp_path: Path) -> None:
    up_to(story, HALF).publish(tmp_path)
    before = snapshots(tmp_path)
    up_to(story, HALF, 45).publish(tmp_path)
    assert snapshots(tmp_path) == before
    assert verified(tmp_path).passed


def test_publishing_takes_earlier_totals_as_they_were_published(story: Story, tmp_path: Path) -> None:
    up_to(story, HALF).publish(tmp_path)
    path = tmp_path / snapshot_path(HALF)
    changed = path.read_bytes().replace(b'"heron": 60', b'"heron": 61')
    assert changed != path.read_bytes()
    signed_anew(tmp_path, up_to(story, HALF).signer, {snapshot_path(HALF): changed})
    up_to(story, MORE, 20).publish(tmp_path)
    assert path.read_bytes() == changed
    report = verified(tmp_path)
    assert [finding.where for finding in report.findings if "snapshots" in finding.where] == [snapshot_path(HALF)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"size": 14', b'"size": 15', "of size 15, not 14"),
        (b'"previous": null', b'"previous": 3', "follows that of size 3"),
        (b'"time_ms": 1750000000000', b'"time_ms": 1750000001000', "its checkpoint was signed at"),
        (b'"heron": 60', b'"heron": -1', "negative"),
        (b'"heron": 60', b'"heron": 060', "cannot be read"),
        (b'"heron": 60', b'"heron":  60', "not in the form"),
        (b'"north"', b'"nowhere"', "other regions"),
        (b'"council"', b'"senate"', "other contests"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_named_and_refused(
    story: Story, tmp_path: Path, old: bytes, new: bytes, says: str
) -> None:
    up_to(story, HALF).publish(tmp_path)
    path = tmp_path / snapshot_path(HALF)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(PublicationError, match=says) as refused:
        up_to(story, MORE).publish(tmp_path)
    assert snapshot_path(HALF) in str(refused.value)
    assert "take it back from a mirror" in str(refused.value)


def test_a_head_of_another_history_is_refused(story: Story, tmp_path: Path) -> None:
    other = told()
    other.log[5] = story.log[6]
    up_to(story, HALF).publish(tmp_path)
    foreign = up_to(other, HALF)
    data = SnapshotFiles(story.election).write(replace(foreign.record.snapshots[0]), None)
    (tmp_path / snapshot_path(HALF)).write_bytes(data)
    with pytest.raises(PublicationError, match="root is not the one"):
        up_to(story, MORE).publish(tmp_path)


def test_a_snapshot_that_is_gone_stops_the_next_publication(story: Story, tmp_path: Path) -> None:
    publish_thrice(story, tmp_path)
    (tmp_path / snapshot_path(MORE)).unlink()
    with pytest.raises(PublicationError, match=r"is missing, and snapshots/index\.json lists it"):
        up_to(story, len(story.log)).publish(tmp_path)


def test_a_list_that_is_gone_or_shorter_stops_the_next_publication(story: Story, tmp_path: Path) -> None:
    publish_thrice(story, tmp_path)
    record = up_to(story, MORE).record
    shorter = SnapshotFiles(story.election).write_index(record.snapshots)
    for damage in (lambda path: path.write_bytes(shorter), Path.unlink):
        damage(tmp_path / INDEX_FILE)
        with pytest.raises(PublicationError, match="snapshots are kept for ever"):
            up_to(story, len(story.log)).publish(tmp_path)


def test_a_site_that_was_published_without_history_begins_one(story: Story, tmp_path: Path) -> None:
    first = up_to(story, HALF)
    first.publish(tmp_path)
    gone: dict[str, bytes | None] = {INDEX_FILE: None, snapshot_path(HALF): None}
    signed_anew(tmp_path, first.signer, gone)
    up_to(story, MORE).publish(tmp_path)
    assert list(snapshots(tmp_path)) == [f"{MORE}.json"]
    assert verified(tmp_path).passed


def test_receipts_rest_on_the_first_head_that_covers_an_entry(story: Story, tmp_path: Path) -> None:
    publish_thrice(story, tmp_path)
    record = up_to(story, len(story.log)).record
    found = SnapshotFiles(story.election).read_all(read_only(tmp_path), record.verifier, record.tree, None)
    record = replace(record, history=found)
    assert [record.covering(index).size for index in (0, HALF - 1, HALF, MORE, len(story.log) - 1)] == [
        HALF,
        HALF,
        MORE,
        len(story.log),
        len(story.log),
    ]
    assert record.snapshots == found


def test_a_record_refuses_a_history_that_is_later_than_itself(story: Story) -> None:
    later = up_to(story, MORE).record.snapshots
    with pytest.raises(PublicationError, match="published later"):
        replace(up_to(story, HALF).record, history=later)
    with pytest.raises(PublicationError, match="one size twice"):
        replace(up_to(story, MORE).record, history=(*later, *later))


def test_regions_are_the_first_division_above_the_stations(story: Story) -> None:
    ids = story.election.units.ids
    assert [[ids[unit] for unit in of] for of in regions(story.election)] == [["north", "south"]] * 2
    assert len(regions(story.election)[0]) < MAX_REGIONS


def test_only_snapshots_are_snapshots() -> None:
    assert is_snapshot("snapshots/12.json")
    assert not is_snapshot(INDEX_FILE)
    assert not is_snapshot("night/12.html")
