import fcntl
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from portal_helpers import Published, log_signer, made_up, published, republic, tables_of
from publish_helpers import OPTIONS, read
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.errors import LogError, PublicationError
from scrutineer.log import open_checkpoint
from scrutineer.log.tiles import decode_bundle
from scrutineer.portal import open_manifest
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.history_files import SnapshotFiles, read_only
from scrutineer.portal.publish import publish
from scrutineer.portal.site_folder import SiteFolder, Written
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site


@pytest.fixture(scope="module")
def whole() -> Published:
    return republic(300, seed=5).with_options(OPTIONS)


def up_to(given: Published, size: int) -> Published:
    record = given.record
    return published(record.election, tables_of(record), given.log[:size], record.options, given.signer)


def check(site: Path, given: Published) -> None:
    """The folder is exactly what the record gives, and the independent check passes it."""
    files, record = read(site), given.record
    manifest = open_manifest((site / "manifest").read_bytes(), record.verifier)
    history = SnapshotFiles(record.election).read_all(read_only(site), record.verifier, record.tree, None)
    assert files == replace(given, record=replace(record, history=history)).files()
    assert set(manifest.files) == set(files)
    report = verify_site(FolderSource(site), definition=given.record.election.hash)
    assert report.passed, report.findings


def test_a_site_is_what_the_record_gives_and_passes_the_check(whole: Published, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    summary = whole.publish(tmp_path / "new" / "site", lambda done, total: heard.append((done, total)))
    check(tmp_path / "new" / "site", whole)
    assert summary.written == summary.files == len(whole.files()) + 1
    assert summary.size == len(whole.log)
    assert heard == sorted(heard)
    assert heard[-1] == (summary.files, summary.files)
    assert all(done <= total for done, total in heard)


def test_publishing_again_writes_nothing(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert whole.publish(tmp_path).written == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_damaged_file_is_written_again(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    for path in ("index.html", "data/president/stations.csv", "log/tile/0/000"):
        with (tmp_path / path).open("r+b") as file:
            file.write(b"?")
    (tmp_path / "rules.html").unlink()
    assert whole.publish(tmp_path).written == 4
    check(tmp_path, whole)


def test_a_log_that_grew_replaces_its_partial_tiles(whole: Published, tmp_path: Path) -> None:
    first = up_to(whole, 150)
    first.publish(tmp_path)
    assert len(decode_bundle((tmp_path / "log/tile/entries/000.p/150").read_bytes())) == 150
    summary = whole.publish(tmp_path)
    assert summary.removed == 2
    assert not (tmp_path / "log/tile/entries/000.p").exists()
    check(tmp_path, whole)


def test_files_that_were_never_published_are_left_alone(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    (tmp_path / "stations" / "note.txt").write_text("mine")
    (tmp_path / ".git").mkdir()
    whole.publish(tmp_path)
    assert (tmp_path / "stations" / "note.txt").read_text() == "mine"


@pytest.mark.parametrize("part", [0, 0.02, 0.3, 0.5])
def test_a_crash_leaves_a_log_that_holds_together(
    whole: Published, tmp_path: Path, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    up_to(whole, 150).publish(tmp_path)
    old = (tmp_path / "log" / "checkpoint").read_bytes()
    left = int(part * len(whole.files()))
    write = SiteFolder.write

    def write_some(folder: SiteFolder, file: SiteFile, *, durable: bool = False) -> Written:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return write(folder, file, durable=durable)

    with monkeypatch.context() as patch:
        patch.setattr(SiteFolder, "write", write_some)
        with pytest.raises(KeyboardInterrupt):
            publish(whole.record, whole.entries, whole.signer, tmp_path)
    assert (tmp_path / "log" / "checkpoint").read_bytes() == old
    shown = open_checkpoint(old, whole.record.verifier.note_verifiers).checkpoint
    assert len(decode_bundle((tmp_path / "log/tile/entries/000.p/150").read_bytes())) == shown.size
    assert not (tmp_path / ".publishing").exists()
    whole.publish(tmp_path)
    check(tmp_path, whole)


def test_a_crash_of_the_first_publication_can_be_completed(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    for path in ("manifest", "log/checkpoint", "log/head.json", "index.html"):
        (tmp_path / path).unlink()
    whole.publish(tmp_path)
    check(tmp_path, whole)


def test_a_folder_with_something_else_is_refused(whole: Published, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(PublicationError, match="not empty and holds no published site"):
        whole.publish(tmp_path)
    assert read(tmp_path) == {"thesis.txt": b"mine"}


def test_the_site_of_another_election_is_refused(whole: Published, tmp_path: Path) -> None:
    republic(100, seed=6).publish(tmp_path)
    with pytest.raises(PublicationError, match="another election"):
        whole.publish(tmp_path)


def test_a_site_never_goes_back(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    before = read(tmp_path)
    with pytest.raises(PublicationError, match="take it back to 150"):
        up_to(whole, 150).publish(tmp_path)
    assert read(tmp_path) == before


def test_another_history_of_the_log_is_refused(whole: Published, tmp_path: Path) -> None:
    record = whole.record
    fork = [*whole.log[:100], *whole.log[101:202]]
    tables = tables_of(record)
    published(record.election, tables, fork, OPTIONS, whole.signer).publish(tmp_path)
    with pytest.raises(LogError, match="another history"):
        whole.publish(tmp_path)


def test_other_keys_are_refused(whole: Published, tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="other keys"):
        replace(whole, signer=log_signer(9)).publish(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"", b"scrutineer-site-manifest/v1\nsize 1\n", None])
def test_a_damaged_manifest_is_not_believed(whole: Published, tmp_path: Path, damage: bytes | None) -> None:
    whole.publish(tmp_path)
    manifest = (tmp_path / "manifest").read_bytes()
    (tmp_path / "manifest").write_bytes(manifest.replace(b"index.html", b"../escape", 1) if damage is None else damage)
    with pytest.raises(PublicationError, match="not what this log published"):
        whole.publish(tmp_path)


def test_a_full_disk_is_explained(whole: Published, tmp_path: Path) -> None:
    (tmp_path / ".publishing").symlink_to("/dev/full")
    with pytest.raises(PublicationError, match="no space is left"):
        whole.publish(tmp_path)


def test_a_path_that_cannot_be_a_folder_is_explained(whole: Published, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for site in (tmp_path / "file", tmp_path / "file" / "site"):
        with pytest.raises(PublicationError, match="in the way of the site"):
            whole.publish(site)


def test_a_read_only_folder_is_explained(whole: Published, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # The superuser may write wherever there is a disk, but not into the kernel's own files.
    folder = Path("/sys/scrutineer-site") if os.geteuid() == 0 else tmp_path / "site"
    try:
        with pytest.raises(PublicationError, match="choose a folder that you may write to"):
            whole.publish(folder)
    finally:
        tmp_path.chmod(0o700)


def test_two_publications_do_not_mix(whole: Published, tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(PublicationError, match="being written by another program"):
            whole.publish(tmp_path)
    finally:
        os.close(handle)
    whole.publish(tmp_path)


def test_the_manifest_is_read_by_sha256sum(whole: Published, tmp_path: Path) -> None:
    whole.publish(tmp_path)
    command = "grep -E '^[0-9a-f]{64}  ' manifest | sha256sum --check --quiet"
    assert command in (tmp_path / "check.html").read_text()
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "rules.html").write_text("changed")
    assert b"rules.html" in subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True).stdout


def test_ids_that_differ_in_case_survive_on_disk(tmp_path: Path) -> None:
    contest = Contest("c", "C", "plurality", (Option("a", "A"), Option("b", "B")))
    rows = [
        UnitRow("land", "", "L", "country", None),
        UnitRow("S", "land", "S", "station", 5),
        UnitRow("s", "land", "s", "station", 5),
    ]
    given = made_up(rows, (contest,))
    given.publish(tmp_path)
    check(tmp_path, given)
