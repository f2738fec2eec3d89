"""Images in a published site: they come with the pages that show them, stay, prove themselves, and are checked by `verify`."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from observed_samples import PRESIDENT, Said, made_up, rows, sheet
from portal_helpers import Published
from scrutineer.election import Election
from scrutineer.portal import SiteOptions
from scrutineer.portal.images import ImageFolder
from scrutineer.portal.publish import Effort, publish
from verify_helpers import verified

FIRST, SECOND, OTHER = b"\xff\xd8\xff first", b"\x89PNG\r\n\x1a\n second", b"\xff\xd8\xff of no sheet"
ENGLISH = SiteOptions(languages=("en",))


def what(election: Election) -> Iterable[Said]:
    for number, data in enumerate((FIRST, SECOND)):
        yield sheet(election, f"n{number}", (10, 5, number), image=hashlib.sha256(data).digest())
    yield sheet(election, "n2", (10, 5, 2))


def path_of(data: bytes) -> str:
    return f"images/{hashlib.sha256(data).hexdigest()}.{'jpg' if data[0] == 0xFF else 'png'}"


@pytest.fixture(scope="module")
def given() -> Published:
    return made_up(rows(), (PRESIDENT,), what).with_options(ENGLISH)


def put(given: Published, site: Path, folder: Path | None, *, everything: bool = False) -> int:
    """Publish with the images of a folder; returns how many files were written."""
    images = {} if folder is None else ImageFolder(folder).named(lambda start, stop: given.log[start:stop], len(given.log))
    record = replace(given.record, images=images)
    return publish(record, given.entries, given.signer, site, effort=Effort(everything=everything)).written


def folder_of(path: Path, *images: bytes) -> Path:
    path.mkdir(exist_ok=True)
    for number, data in enumerate(images):
        (path / f"{number}.bin").write_bytes(data)
    return path


def pages(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.glob("stations/**/*.html")}


def test_what_the_log_names_is_published_and_verified(given: Published, tmp_path: Path) -> None:
    put(given, tmp_path / "site", folder_of(tmp_path / "photos", FIRST, OTHER))
    assert [path.name for path in (tmp_path / "site" / "images").iterdir()] == [path_of(FIRST).removeprefix("images/")]
    assert path_of(FIRST) in pages(tmp_path / "site")["stations/north/n0.html"].decode()
    report = verified(tmp_path / "site")
    assert report.passed, report.findings


def test_images_that_come_later_change_the_pages_of_their_stations_alone(given: Published, tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(given, site, folder_of(tmp_path / "early", FIRST))
    before = pages(site)
    put(given, site, folder_of(tmp_path / "late", SECOND))
    after = pages(site)
    assert {path for path in after if after[path] != before[path]} == {"stations/north/n1.html"}
    assert sorted(path.name for path in (site / "images").iterdir()) == sorted(
        path.removeprefix("images/") for path in (path_of(FIRST), path_of(SECOND))
    )
    assert verified(site).passed
    put(given, tmp_path / "anew", folder_of(tmp_path / "both", FIRST, SECOND))
    assert pages(tmp_path / "anew") == after


def test_images_stay_without_the_folder_they_came_from(given: Published, tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(given, site, folder_of(tmp_path / "photos", FIRST, SECOND))
    before = pages(site)
    for everything in (False, True):
        put(given, site, None, everything=everything)
        assert pages(site) == before
    assert (site / path_of(FIRST)).read_bytes() == FIRST
    assert verified(site).passed


def test_an_image_that_was_taken_away_leaves_its_page(given: Published, tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(given, site, folder_of(tmp_path / "photos", FIRST, SECOND))
    (site / path_of(FIRST)).unlink()
    put(given, site, None)
    assert not re.search("<img", pages(site)["stations/north/n0.html"].decode())
    assert "<img" in pages(site)["stations/north/n1.html"].decode()
    assert verified(site).passed


def test_another_image_under_the_name_of_one_is_found(given: Published, tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(given, site, folder_of(tmp_path / "photos", FIRST))
    (site / path_of(FIRST)).write_bytes(SECOND)
    findings = verified(site).findings
    assert path_of(FIRST) in {finding.where for finding in findings}
    # Given again, it is put right.
    put(given, site, tmp_path / "photos", everything=True)
    assert verified(site).passed


def test_an_image_that_no_statement_names_does_not_belong_to_a_site(given: Published, tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(given, site, folder_of(tmp_path / "photos", FIRST))
    (site / path_of(OTHER)).write_bytes(OTHER)
    report = verified(site)
    assert not report.passed
    assert {finding.where for finding in report.findings} == {path_of(OTHER)}
