"""The folder of a mirror: damaged, in use, in the way, and left half done."""

from pathlib import Path

import pytest

import verify_helpers as helpers
from mirror_helpers import at, counting, do_round, files_of
from scrutineer.errors import PublicationError, UsageError
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, MANIFEST_FILE
from scrutineer.verify.mirror import MirrorFolder
from scrutineer.verify.mirror.folder import STATE
from site_servers import answering, mirror


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


@pytest.fixture
def site(story: helpers.Story, tmp_path: Path) -> Path:
    story.published().publish(tmp_path / "site")
    return tmp_path / "site"


def test_damaged_files_are_fetched_again(site: Path, tmp_path: Path) -> None:
    asked: list[str] = []
    damaged = ["index.html", "log/tile/0/000.p/32", "definition/units.csv"]
    with answering(counting(mirror(site, {}), asked)) as address:
        do_round(tmp_path / "m", address)
        for path in damaged:
            (tmp_path / "m/site" / path).write_bytes(b"damaged")
        (tmp_path / "m/site/rules.html").unlink()
        asked.clear()
        result = do_round(tmp_path / "m", address)
        assert (result.good, result.changed, result.fetched) == (True, True, 4)
        assert sorted(asked) == sorted([*damaged, "rules.html", CHECKPOINT_FILE, MANIFEST_FILE])
        assert files_of(tmp_path / "m/site") == files_of(site)


@pytest.mark.parametrize("path", [CHECKPOINT_FILE, MANIFEST_FILE, DEFINITION_FILE])
def test_what_tells_the_history_is_not_replaced(site: Path, tmp_path: Path, path: str) -> None:
    with answering(mirror(site, {})) as address:
        do_round(tmp_path / "m", address)
        (tmp_path / "m/site" / path).write_bytes(b"damaged")
        before = files_of(tmp_path / "m/site")
        with pytest.raises(PublicationError, match="is damaged"):
            do_round(tmp_path / "m", address)
    assert files_of(tmp_path / "m/site") == before


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b'{"format": "other/v1", "definition": "", "sources": {}}', b"[" * 100_000]
)
def test_a_state_that_is_no_mirrors(site: Path, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / STATE).write_bytes(data)
    with answering(mirror(site, {})) as address, pytest.raises(PublicationError, match=STATE):
        do_round(tmp_path / "m", address)


def test_a_folder_that_cannot_be_used(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken/site").mkdir(parents=True)
    (tmp_path / "taken/site/mine").touch()
    with answering(mirror(site, {})) as address:
        for folder in ("file", "file/below", "taken"):
            with pytest.raises(PublicationError):
                do_round(tmp_path / folder, address)
    assert [path.name for path in (tmp_path / "taken/site").iterdir()] == ["mine"]


def test_one_program_at_a_time(tmp_path: Path) -> None:
    with (
        MirrorFolder(tmp_path / "m"),
        pytest.raises(PublicationError, match="by another program"),
        MirrorFolder(tmp_path / "m"),
    ):
        pass
    with MirrorFolder(tmp_path / "m") as again:
        assert again.state() is None


def test_another_election_needs_another_folder(site: Path, tmp_path: Path) -> None:
    with answering(mirror(site, {})) as address:
        do_round(tmp_path / "m", address)
        with pytest.raises(UsageError, match="name another folder"):
            do_round(tmp_path / "m", address, definition=bytes(32))


def test_a_copy_that_was_made_and_never_shown_is_checked_before_it_is(story: helpers.Story, tmp_path: Path) -> None:
    """The program ended between the last two renames, and the copy was damaged since."""
    site = tmp_path / "site"
    with answering(mirror(site, {})) as address:
        at(story, 26).published().publish(site)
        old = files_of(site)
        do_round(tmp_path / "m", address)
        story.published().publish(site)
        do_round(tmp_path / "m", address)
        link = tmp_path / "m/site"
        link.unlink()
        link.symlink_to(".copies/1")
        (tmp_path / "m/.copies/2/rules.html").unlink()
        (tmp_path / "m/.copies/2/site.json").write_bytes(b"damaged")
        assert files_of(link) == old
        result = do_round(tmp_path / "m", address)
    assert result.good
    assert result.fetched <= 2
    assert files_of(tmp_path / "m/site") == files_of(site)
