"""What to follow, what to fetch and who contradicts whom, decided without a network or a disk."""

import hashlib
from dataclasses import replace

import pytest

import portal_helpers as portal
import verify_helpers as helpers
from scrutineer.errors import NoteError, PublicationError
from scrutineer.log import Checkpoint, sign_checkpoint
from scrutineer.log.note import sign_note
from scrutineer.log.tiles import MAX_ENTRY_SIZE
from scrutineer.portal.formats import CHECKPOINT_FILE, MANIFEST_FILE
from scrutineer.portal.manifest import Manifest, sign_manifest
from scrutineer.verify.mirror.offers import (
    Offer,
    Shown,
    UnsettledError,
    lag,
    log_files,
    open_offer,
    open_shown,
    plan,
    ranked,
    same_size_forks,
    size_limit,
)

SIGNER = portal.log_signer()
LIAR = portal.log_signer(9)


def shown(size: int, root: bytes = b"a", time: int = 0, source: str = "http://a/") -> Shown:
    return Shown(source, b"", Checkpoint(portal.ORIGIN, size, root * 32), time)


def offer(size: int, time: int, manifest: bytes = b"", source: str = "http://a/") -> Offer:
    return Offer(shown(size, time=time, source=source), manifest, {})


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return helpers.told().published().files()


def listing(site: dict[str, bytes], **changes: bytes | None) -> Manifest:
    files = {path: hashlib.sha256(data).digest() for path, data in site.items()}
    size = int(site[CHECKPOINT_FILE].split(b"\n")[1])
    return Manifest(size, {path: digest for path, digest in {**files, **changes}.items() if digest is not None})


def test_an_honest_offer(site: dict[str, bytes]) -> None:
    seen = open_shown("http://a/", site[CHECKPOINT_FILE], SIGNER.verifier)
    manifest = sign_manifest(listing(site), SIGNER)
    found = open_offer(seen, manifest, SIGNER.verifier)
    assert found.shown.time == portal.TIME_MS // 1000
    assert found.files == listing(site).files


def test_signatures_that_are_not_the_logs(site: dict[str, bytes]) -> None:
    checkpoint = Checkpoint(portal.ORIGIN, 32, bytes(32))
    ed25519, mldsa44 = SIGNER.note_signers
    for signers in (LIAR.note_signers, [ed25519], [mldsa44]):
        with pytest.raises(NoteError):
            open_shown("http://a/", sign_checkpoint(checkpoint, signers, 1), SIGNER.verifier)
    for text in (b"", b"\xff", site[CHECKPOINT_FILE][:-20], sign_manifest(listing(site), SIGNER)):
        with pytest.raises(NoteError):
            open_shown("http://a/", text, SIGNER.verifier)
    seen = open_shown("http://a/", site[CHECKPOINT_FILE], SIGNER.verifier)
    for manifest in (sign_manifest(listing(site), LIAR), site[CHECKPOINT_FILE], b""):
        with pytest.raises(NoteError):
            open_offer(seen, manifest, SIGNER.verifier)


def test_parts_of_two_publications(site: dict[str, bytes]) -> None:
    seen = open_shown("http://a/", site[CHECKPOINT_FILE], SIGNER.verifier)
    older = replace(listing(site), size=20)
    other = listing(site, **{CHECKPOINT_FILE: bytes(32)})
    for listed in (older, other):
        with pytest.raises(UnsettledError):
            open_offer(seen, sign_manifest(listed, SIGNER), SIGNER.verifier)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({MANIFEST_FILE: bytes(32)}, "lists itself"),
        ({"data": bytes(32)}, "as a file and as a folder"),
        ({"log/tile/0/000.p/32": None}, "does not list log/tile/0/000.p/32"),
        ({"log/tile/entries/000.p/32": None}, "does not list log/tile/entries"),
        ({"definition/units.csv": None}, "does not list definition/units.csv"),
    ],
)
def test_a_list_that_is_not_of_a_whole_site(site: dict[str, bytes], changes: dict[str, bytes | None], words: str) -> None:
    seen = open_shown("http://a/", site[CHECKPOINT_FILE], SIGNER.verifier)
    with pytest.raises(PublicationError, match=words):
        open_offer(seen, sign_manifest(listing(site, **changes), SIGNER), SIGNER.verifier)


def test_a_path_that_leads_out_is_refused_although_it_is_signed(site: dict[str, bytes]) -> None:
    seen = open_shown("http://a/", site[CHECKPOINT_FILE], SIGNER.verifier)
    text = listing(site).to_text() + b"00" * 32 + b"  zz/../../outside\n"
    with pytest.raises(NoteError, match="cannot be the path"):
        open_offer(seen, sign_note(text, [SIGNER.note_signers[0]]), SIGNER.verifier)


def test_only_what_changed_is_fetched_and_the_log_first() -> None:
    one, two = bytes(32), b"2" * 32
    listed = {"a.html": one, "b.html": two, "log/checkpoint": two, "log/tile/0/000": one, "definition/units.csv": two}
    held = {"a.html": one, "b.html": one, "log/checkpoint": one, "log/tile/0/000": one, "gone.html": one}
    needed = plan(listed, held)
    assert needed.kept == ("a.html", "log/tile/0/000")
    assert needed.log == ("definition/units.csv", "log/checkpoint")
    assert needed.rest == ("b.html",)
    assert needed.fetched == 3
    assert plan(listed, listed).fetched == 0


def test_files_of_a_log_that_grew() -> None:
    assert log_files(300, 256) == ["log/tile/entries/001.p/44", "log/tile/0/001.p/44"]
    assert "log/tile/entries/000" in log_files(300, 255)


def test_the_newest_is_tried_first_and_the_held_one_of_equals() -> None:
    offers = [offer(5, 1, b"x"), offer(7, 1, b"y"), offer(7, 2, b"z"), offer(7, 2, b"h"), offer(7, 2, b"w")]
    assert [one.manifest for one in ranked(offers, b"h")] == [b"h", b"z", b"w", b"y", b"x"]
    assert [one.manifest for one in ranked(offers)] == [b"z", b"h", b"w", b"y", b"x"]


def test_two_roots_for_one_size() -> None:
    one, same, other, longer = shown(5), shown(5, source="http://b/"), shown(5, b"b", source="http://c/"), shown(6, b"c")
    assert same_size_forks([one, same, longer]) == []
    assert same_size_forks([one, longer, same, other]) == [(one, other)]


def test_who_is_behind() -> None:
    newest = Checkpoint(portal.ORIGIN, 7_000, bytes(32))
    assert lag(shown(7_000), newest) is None
    assert lag(shown(8_000), newest) is None
    found = lag(shown(5_999), newest)
    assert found is not None
    assert str(found) == "http://a/ lags: it shows the log at 5,999 entries, 1,001 fewer than 7,000"


def test_every_file_has_a_limit() -> None:
    assert size_limit("log/tile/0/000") == 256 * 32
    assert size_limit("log/tile/entries/000.p/3") == 256 * (MAX_ENTRY_SIZE + 2)
    assert size_limit("log/head.json") == size_limit("site.json") == 4096
    assert size_limit("log/checkpoint") == 1 << 20
    assert size_limit("index.html") < size_limit("data/sheets.csv")
