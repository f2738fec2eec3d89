"""Whatever is changed in a published site, `verify` says FAIL and names the file."""

import hashlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import verify_helpers as helpers
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import (
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    HEAD_FILE,
    MANIFEST_FILE,
    REGISTER_FILE,
    SITE_FILE,
    UNITS_FILE,
)
from scrutineer.portal.rendered import RENDERED_FILE

SEED = 20_250_615
# Files that the verification cannot go on without: it ends early, so that many positions can be tried.
GATES = (SITE_FILE, HEAD_FILE, UNITS_FILE, REGISTER_FILE, DEFINITION_FILE, CHECKPOINT_FILE)
MOST = 250
"""Positions tried in each of them."""
# The files of one language are changed in many ways; the others are made by the same templates, and changed once.
ENGLISH = SiteOptions(languages=("en",))

STORIES: dict[str, Callable[[], helpers.Story]] = {"decided": helpers.told, "going on": helpers.open_quarantine}


class Site:
    """A published site, and its files as they should be."""

    def __init__(self, folder: Path, story: helpers.Story, options: SiteOptions = ENGLISH) -> None:
        story.published(options).publish(folder)
        self.folder = folder
        self.definition = story.election.hash
        self.files = self.found()

    def found(self) -> dict[str, bytes]:
        """Every file there is now, but for the publisher's own note, which is no part of the site."""
        files = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        return {path: file.read_bytes() for path, file in files.items() if path != RENDERED_FILE}

    def check(self, *paths: str, expected: bool = True) -> None:
        """Verify, expecting that each of these files is named."""
        report = helpers.verified(self.folder, self.definition if expected else None)
        assert not report.passed, paths
        named = {finding.where.partition(",")[0] for finding in report.findings}
        assert named.issuperset(paths), (paths, [str(finding) for finding in report.findings])

    def restore(self, *paths: str) -> None:
        for path in paths:
            target = self.folder / path
            if target.is_symlink() or not target.is_dir():
                target.unlink(missing_ok=True)
            else:
                shutil.rmtree(target)
            if path in self.files:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.files[path])

    def mutations(self, path: str, draw: random.Random) -> Iterator[bytes]:
        """The file with one bit changed at several places, cut, lengthened and emptied."""
        data = self.files[path]
        places = {0, len(data) - 1, len(data) // 2, *(draw.randrange(len(data)) for _ in range(2))}
        for place in sorted(places):
            yield flipped(data, place, draw.randrange(8))
        yield data[:-1]
        yield data[1:]
        yield data[: len(data) // 2]
        yield data + b"\n"
        yield data + data
        yield b""


def is_only_compared(path: str) -> bool:
    """Whether no step of the verification reads it but the comparison of its bytes."""
    return path.endswith(".html") or path.startswith(("api/", "assets/", "data/", "search/"))


def flipped(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


@pytest.fixture(scope="module", params=STORIES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site") / "site", STORIES[request.param]())
    report = helpers.verified(site.folder, site.definition)
    assert report.passed, [str(finding) for finding in report.findings]
    assert report.files == len(site.files)
    return site


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("decided") / "site", helpers.told())


def test_a_changed_file_is_named(site: Site) -> None:
    draw = random.Random(SEED)
    for path in site.files:
        # The longer log is there for its tiles; its pages are like those of the other.
        if is_only_compared(path) or ("log/tile/0/000" in site.files and not path.startswith("log/")):
            continue
        for changed in site.mutations(path, draw):
            (site.folder / path).write_bytes(changed)
            site.check(path)
        site.restore(path)


def test_files_that_are_all_changed_are_all_named(decided: Site) -> None:
    """In every way, all of them at once: one hides no other."""
    draw = random.Random(SEED + 5)
    files = list(filter(is_only_compared, decided.files))
    for changed in zip(*(decided.mutations(path, draw) for path in files), strict=False):
        for path, data in zip(files, changed, strict=True):
            (decided.folder / path).write_bytes(data)
        decided.check(*files)
    decided.restore(*files)


def test_a_changed_file_is_named_without_the_expected_definition(site: Site) -> None:
    draw = random.Random(SEED + 1)
    for path, data in site.files.items():
        (site.folder / path).write_bytes(flipped(data, draw.randrange(len(data)), draw.randrange(8)))
        site.check(path, expected=False)
        site.restore(path)


def test_a_changed_page_in_any_language_is_named(tmp_path: Path) -> None:
    draw = random.Random(SEED + 4)
    site = Site(tmp_path / "site", helpers.told(), SiteOptions())
    others = [path for path in site.files if path.startswith(("ar/", "es/", "fr/", "pt/"))]
    assert len(others) > 100
    for path in others:
        data = site.files[path]
        (site.folder / path).write_bytes(flipped(data, draw.randrange(len(data)), draw.randrange(8)))
    site.check(*others)
    site.restore(*others)
    for path in draw.sample(others, 12):
        (site.folder / path).write_bytes(flipped(site.files[path], 0, 1))
        site.check(path)
        site.restore(path)


@pytest.mark.parametrize("path", GATES)
def test_every_part_of_what_the_rest_hangs_on_counts(site: Site, path: str) -> None:
    draw = random.Random(SEED + 2)
    data = site.files[path]
    for place in range(0, len(data), -(-len(data) // MOST)):
        (site.folder / path).write_bytes(flipped(data, place, draw.randrange(8)))
        site.check(path)
    site.restore(path)


def test_a_missing_file_is_named(decided: Site) -> None:
    for path in decided.files:
        (decided.folder / path).unlink()
        decided.check(path)
        decided.restore(path)


def test_a_folder_in_place_of_a_file_is_named(decided: Site) -> None:
    for path in decided.files:
        (decided.folder / path).unlink()
        (decided.folder / path).mkdir()
        decided.check(path)
        decided.restore(path)


def test_a_link_in_place_of_a_file_is_named(decided: Site, tmp_path: Path) -> None:
    for path, data in decided.files.items():
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_bytes(data)
        (decided.folder / path).unlink()
        (decided.folder / path).symlink_to(elsewhere)
        decided.check(path)
        decided.restore(path)


def test_an_added_file_is_named(decided: Site) -> None:
    folders = {str(Path(path).parent) for path in decided.files}
    for folder in sorted(folders):
        for name in ("added.html", ".hidden", "INDEX.HTML", "new\nline\x1b[2J", "index.html.bak"):
            path = f"{folder}/{name}".removeprefix("./")
            (decided.folder / path).write_bytes(b"<p>Something else</p>")
            decided.check(path.replace("\n", "\\n").replace("\x1b", "\\x1b"))
            decided.restore(path)


def test_two_exchanged_files_are_both_named(decided: Site) -> None:
    draw = random.Random(SEED + 3)
    # Where either is needed by everything else, the verification ends with the first of the two.
    paths = [path for path in decided.files if path not in {*GATES, MANIFEST_FILE} and "entries" not in path]
    for _ in range(40):
        left, right = draw.sample(paths, 2)
        if decided.files[left] == decided.files[right]:
            continue
        (decided.folder / left).write_bytes(decided.files[right])
        (decided.folder / right).write_bytes(decided.files[left])
        decided.check(left, right)
        decided.restore(left, right)


def test_a_whole_log_of_others_is_refused(tmp_path: Path) -> None:
    one, other = Site(tmp_path / "one", helpers.told()), Site(tmp_path / "other", helpers.told(id="other"))
    for path in (path for path in one.files if path in other.files and one.files[path] != other.files[path]):
        (one.folder / path).write_bytes(other.files[path])
        # The same log signed both here: a manifest or checkpoint of the other is good, and what it speaks of is not.
        one.check(*({path} - {MANIFEST_FILE, CHECKPOINT_FILE}))
        one.restore(path)


def test_the_digest_of_the_site_is_what_it_was(site: Site) -> None:
    """The tests above put everything back: what they found, they found for the change alone."""
    assert {path: hashlib.sha256(data).digest() for path, data in site.found().items()} == {
        path: hashlib.sha256(data).digest() for path, data in site.files.items()
    }
    assert helpers.verified(site.folder, site.definition).passed
