"""Publication, verification and mirrors demand the quorum that the definition names."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from mirror_helpers import at, forked
from portal_helpers import Published, log_signer
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.errors import PublicationError
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.portal import sign_manifest
from scrutineer.portal.manifest import Manifest, open_manifest
from scrutineer.portal.publish import publish_pending
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.mirror import Mirror, MirrorFolder, MirrorRound
from scrutineer.verify.replay import verify_site
from scrutineer.verify.web import WebSite
from site_servers import reading
from verify_helpers import Story, told
from witness_helpers import signers

NAMES = ("crane.example/w", "owl.example/w", "wren.example/w")
KEYS = {name: signers(name, 10 * number + 7) for number, name in enumerate(NAMES)}
POLICY = WitnessPolicy(2, tuple(NamedWitness(tuple(str(key.verifier.key) for key in keys)) for keys in KEYS.values()))
NOW = 1_750_000_100


@pytest.fixture(scope="module")
def story() -> Story:
    return told(witnesses=POLICY)


def cosign(note: bytes, names: Sequence[str], when: int = NOW) -> bytes:
    parsed = parse_note(note)
    lines = tuple(SignatureLine(key.name, key.key_id, key.sign(parsed.text, when)) for name in names for key in KEYS[name])
    return format_note(Note(parsed.text, parsed.signatures + lines))


def cosigned(given: Published, names: Sequence[str] = NAMES[:2], when: int = NOW, pending: bytes | None = None) -> Published:
    checkpoint = cosign(given.record.checkpoint, names, when)
    return dataclasses.replace(given, record=dataclasses.replace(given.record, checkpoint=checkpoint, pending=pending))


def check(site: Path, story: Story, now: int = NOW) -> Report:
    return verify_site(FolderSource(site), definition=story.election.hash, clock=lambda: float(now))


def rewrite(site: Path, path: str, data: bytes | None) -> None:
    """Change a file as the log itself could, with its manifest."""
    if data is None:
        (site / path).unlink()
    else:
        (site / path).write_bytes(data)
    manifest = open_manifest((site / "manifest").read_bytes(), log_signer().verifier)
    files = {name: digest for name, digest in manifest.files.items() if name != path}
    if data is not None:
        files[path] = hashlib.sha256(data).digest()
    (site / "manifest").write_bytes(sign_manifest(Manifest(manifest.size, files), log_signer()))


def found(report: Report) -> list[tuple[str, str]]:
    return [(finding.check, finding.where) for finding in report.findings]


def test_a_cosigned_site_passes_and_says_who(story: Story, tmp_path: Path) -> None:
    cosigned(story.published()).publish(tmp_path)
    report = check(tmp_path, story)
    assert report.passed, report.findings
    assert report.witnesses is not None
    assert (report.witnesses.cosigned, report.witnesses.missing) == (NAMES[:2], NAMES[2:])
    page = (tmp_path / "index.html").read_text()
    assert "2 of 3 witnesses have cosigned this head of the log: <bdi>crane.example/w</bdi> and <bdi>owl.example/w</bdi>" in page
    assert "Not among them: <bdi>wren.example/w</bdi>" in page


def test_without_witnesses_in_the_definition_all_is_as_before(tmp_path: Path) -> None:
    plain = told()
    plain.published().publish(tmp_path)
    report = check(tmp_path, plain)
    assert report.passed
    assert report.witnesses is None
    assert "names no witnesses" in (tmp_path / "index.html").read_text()
    # A pending head belongs to no such site.
    rewrite(tmp_path, "log/checkpoint.pending", (tmp_path / "log/checkpoint").read_bytes())
    assert found(check(tmp_path, plain)) == [("files", "log/checkpoint.pending")]


def test_what_lacks_the_quorum_is_not_published_as_the_head(story: Story, tmp_path: Path) -> None:
    for names in ((), NAMES[:1]):
        with pytest.raises(PublicationError, match=r"missing are .*wren"):
            cosigned(story.published(), names).publish(tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("names", [(), NAMES[:1]])
def test_a_site_without_the_quorum_fails_with_who_is_missing(story: Story, tmp_path: Path, names: Sequence[str]) -> None:
    given = cosigned(story.published())
    given.publish(tmp_path)
    rewrite(tmp_path, "log/checkpoint", cosign(story.published().record.checkpoint, names))
    report = check(tmp_path, story)
    first = report.findings[0]
    assert (first.check, first.where) == ("witnesses", "log/checkpoint")
    assert "2 are needed, and missing are" in first.message
    assert NAMES[2] in first.message


def test_a_line_of_a_witness_that_does_not_hold_fails(story: Story, tmp_path: Path) -> None:
    given = cosigned(story.published())
    given.publish(tmp_path)
    note = parse_note((tmp_path / "log/checkpoint").read_bytes())
    last = note.signatures[-1]
    bad = dataclasses.replace(last, signature=last.signature[:-1] + bytes([last.signature[-1] ^ 1]))
    rewrite(tmp_path, "log/checkpoint", format_note(Note(note.text, (*note.signatures, bad))))
    assert found(check(tmp_path, story)) == [("witnesses", "log/checkpoint")]


def test_a_cosignature_from_the_future_is_a_finding_and_nothing_else_is(story: Story, tmp_path: Path) -> None:
    cosigned(story.published(), when=NOW + 200_000).publish(tmp_path)
    assert found(check(tmp_path, story)) == [("witnesses", "log/checkpoint")]
    assert check(tmp_path, story, NOW + 150_000).passed


def test_strangers_among_the_cosigners_change_nothing(story: Story, tmp_path: Path) -> None:
    given = cosigned(story.published())
    note = parse_note(given.record.checkpoint)
    stranger = SignatureLine("stork.example/w", b"1234", b"x" * 72)
    record = dataclasses.replace(given.record, checkpoint=format_note(Note(note.text, (*note.signatures, stranger))))
    dataclasses.replace(given, record=record).publish(tmp_path)
    assert check(tmp_path, story).passed


def test_a_newer_head_is_shown_as_pending_alone(story: Story, tmp_path: Path) -> None:
    newest = story.published().record.checkpoint
    before = at(story, 20)
    cosigned(before.published(), pending=newest).publish(tmp_path)
    report = check(tmp_path, story)
    assert report.passed, report.findings
    assert (report.size, report.pending) == (20, len(story.log))
    assert f"A newer head of {len(story.log)} entries waits for its witnesses" in (tmp_path / "index.html").read_text()
    # The quorum comes, and the pending head goes.
    cosigned(story.published()).publish(tmp_path)
    assert not (tmp_path / "log/checkpoint.pending").exists()
    assert check(tmp_path, story).passed


def test_a_pending_head_that_is_none(story: Story, tmp_path: Path) -> None:
    pending = "log/checkpoint.pending"
    newest = story.published().record.checkpoint
    cosigned(at(story, 20).published(), pending=newest).publish(tmp_path)
    for data in (at(story, 10).published().record.checkpoint, forked(story, 20, 10).published().record.checkpoint):
        rewrite(tmp_path, pending, data)
        assert found(check(tmp_path, story))[0] == ("checkpoint", pending)
    (tmp_path / pending).write_bytes(newest)
    assert ("files", pending) in found(check(tmp_path, story))


def test_with_a_pending_head_alone_there_is_no_result(story: Story, tmp_path: Path) -> None:
    given = story.published()
    publish_pending(given.record, given.entries, given.signer, tmp_path)
    assert not list(tmp_path.rglob("*.html"))
    assert not (tmp_path / "data").exists()
    report = check(tmp_path, story)
    assert found(report) == [("witnesses", "log/checkpoint.pending")]
    assert "0 of 3 witnesses have cosigned" in report.findings[0].message
    cosigned(given).publish(tmp_path)
    assert check(tmp_path, story).passed
    with pytest.raises(PublicationError, match="stays"):
        publish_pending(given.record, given.entries, given.signer, tmp_path)


# --- mirrors --------------------------------------------------------------------------------------------------------


def mirrored(folder: Path, story: Story, *sites: Path) -> MirrorRound:
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(WebSite(stack.enter_context(reading(site)))) for site in sites]
        held = stack.enter_context(MirrorFolder(folder))
        mirror = Mirror(held, sources, definition=story.election.hash, pause=lambda _: None, clock=lambda: float(NOW))
        return mirror.run()


def test_a_mirror_takes_nothing_without_the_quorum(story: Story, tmp_path: Path) -> None:
    cosigned(at(story, 20).published()).publish(tmp_path / "cosigned")
    cosigned(story.published()).publish(tmp_path / "stripped")
    rewrite(tmp_path / "stripped", "log/checkpoint", cosign(story.published().record.checkpoint, NAMES[:1]))
    done = mirrored(tmp_path / "mirror", story, tmp_path / "stripped", tmp_path / "cosigned")
    assert done.checkpoint is not None
    assert done.checkpoint.size == 20
    (finding,) = done.findings
    assert finding.fault == "unfit"
    assert "lacks the quorum" in finding.message
    assert check(tmp_path / "mirror/site", story).passed
    assert mirrored(tmp_path / "none", story, tmp_path / "stripped").checkpoint is None


@pytest.mark.parametrize("size", [24, 32])
def test_a_fork_without_the_quorum_divides_nobody_and_is_kept(story: Story, tmp_path: Path, size: int) -> None:
    cosigned(story.published()).publish(tmp_path / "cosigned")
    fork = forked(story, size, 20)
    cosigned(fork.published()).publish(tmp_path / "fork")
    rewrite(tmp_path / "fork", "log/checkpoint", fork.published().record.checkpoint)
    done = mirrored(tmp_path / "mirror", story, tmp_path / "fork", tmp_path / "cosigned")
    assert done.checkpoint is not None
    assert done.checkpoint.size == len(story.log)
    assert "fork" in {finding.fault for finding in done.findings}
    assert len(done.evidence) == 1


def test_two_heads_without_the_quorum_keep_nobody_from_one_that_has_it(story: Story, tmp_path: Path) -> None:
    cosigned(at(story, 20).published()).publish(tmp_path / "cosigned")
    for name, other in (("longer", at(story, 24)), ("fork", forked(story, 24, 20))):
        cosigned(other.published()).publish(tmp_path / name)
        rewrite(tmp_path / name, "log/checkpoint", other.published().record.checkpoint)
    done = mirrored(tmp_path / "mirror", story, tmp_path / "longer", tmp_path / "fork", tmp_path / "cosigned")
    assert done.checkpoint is not None
    assert done.checkpoint.size == 20
    assert [finding.fault for finding in done.findings].count("fork") == 2
    assert not done.good


def test_a_fork_that_has_the_quorum_divides_everybody(story: Story, tmp_path: Path) -> None:
    cosigned(story.published()).publish(tmp_path / "one")
    cosigned(forked(story, 32, 20).published()).publish(tmp_path / "two")
    done = mirrored(tmp_path / "mirror", story, tmp_path / "one", tmp_path / "two")
    assert done.checkpoint is None
    assert len(done.evidence) == 1


def test_a_pending_head_is_mirrored_with_the_site(story: Story, tmp_path: Path) -> None:
    cosigned(at(story, 20).published(), pending=story.published().record.checkpoint).publish(tmp_path / "site")
    assert mirrored(tmp_path / "mirror", story, tmp_path / "site").good
    assert check(tmp_path / "mirror/site", story).passed
