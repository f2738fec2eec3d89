"""A published site with shapes: they are held against the definition, and every map is made again."""

from pathlib import Path

import pytest

from portal_helpers import Published, republic
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import SHAPES_FILE
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site


@pytest.fixture(scope="module")
def given() -> Published:
    return republic(40, part=0.8).with_options(SiteOptions(languages=("en",)))


@pytest.fixture
def site(given: Published, tmp_path: Path) -> Path:
    given.publish(tmp_path / "site")
    return tmp_path / "site"


def test_a_site_with_maps_verifies(site: Path, given: Published) -> None:
    report = verify_site(FolderSource(site), definition=given.record.election.hash)
    assert [str(finding) for finding in report.findings] == []
    assert report.passed


@pytest.mark.parametrize("change", ["moved", "missing"])
def test_a_border_that_was_moved_is_found(site: Path, given: Published, change: str) -> None:
    path = site / SHAPES_FILE
    if change == "moved":
        path.write_bytes(path.read_bytes().replace(b"-24.", b"-23.", 1))
    else:
        path.unlink()
    report = verify_site(FolderSource(site), definition=given.record.election.hash)
    assert not report.passed
    assert [(finding.check, finding.where) for finding in report.findings] == [("definition", SHAPES_FILE)]


def test_a_place_that_was_coloured_otherwise_is_found(site: Path, given: Published) -> None:
    path = next(path for path in sorted((site / "units").iterdir()) if b'href="#a1"' in path.read_bytes())
    path.write_bytes(path.read_bytes().replace(b'<use href="#a1"', b'<use href="#a0"'))
    report = verify_site(FolderSource(site), definition=given.record.election.hash)
    assert f"units/{path.name}" in {finding.where for finding in report.findings}
