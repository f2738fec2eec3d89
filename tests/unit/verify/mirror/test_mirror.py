"""Rounds of a mirror over real HTTP, with sources that are honest, behind, broken and hostile."""

import json
import shutil
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import portal_helpers as portal
import verify_helpers as helpers
from mirror_helpers import at, counting, do_round, faults, files_of, forked, lying
from scrutineer.log import open_checkpoint
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, MANIFEST_FILE
from scrutineer.portal.manifest import open_manifest
from scrutineer.verify import FolderSource
from scrutineer.verify.mirror.nodes import root_of
from scrutineer.verify.replay import verify_site
from site_servers import Answer, answering, compressed, cut, drop, mirror, nonsense, reading, send

SIGNER = portal.log_signer()
OLD = 26


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, story: helpers.Story, old: Path) -> Path:
    folder = tmp_path_factory.mktemp("new") / "site"
    shutil.copytree(old, folder)
    story.published().publish(folder)
    return folder


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory, story: helpers.Story) -> Path:
    folder = tmp_path_factory.mktemp("old") / "site"
    at(story, OLD).published().publish(folder)
    return folder


@pytest.fixture
def held(tmp_path: Path, old: Path) -> Path:
    """A mirror of the election as it was."""
    with answering(mirror(old, {})) as address:
        assert do_round(tmp_path / "held", address).good
    return tmp_path / "held"


def test_a_copy_and_a_second_run(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    with reading(site) as address:
        result = do_round(tmp_path / "m", address, definition=story.election.hash, steps=steps)
        assert result.good
        assert (result.changed, result.first_use, result.fetched) == (True, False, result.files - 1)
        assert result.used == result.current == (address,)
        assert steps[-1][1] == steps[-1][2]
        again = do_round(tmp_path / "m", address)
    assert again.good
    assert (again.changed, again.fetched, again.first_use) == (False, 0, False)
    assert again.checkpoint == result.checkpoint
    assert files_of(tmp_path / "m/site") == files_of(site)
    assert verify_site(FolderSource(tmp_path / "m/site"), definition=story.election.hash).passed


def test_what_is_held_is_not_sent_again(site: Path, tmp_path: Path) -> None:
    sent: list[tuple[str, int]] = []

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        etag = f'"{hash((site / path).read_bytes())}"'
        known = handler.headers.get("if-none-match") == etag
        sent.append((path, 304 if known else 200))
        send(handler, b"" if known else (site / path).read_bytes(), sent[-1][1], etag=etag)

    with answering(answer) as address:
        assert do_round(tmp_path / "m", address).good
        assert {status for _, status in sent} == {200}
        assert len({path for path, _ in sent}) == len(files_of(site))
        sent.clear()
        assert do_round(tmp_path / "m", address).good
    assert sorted(sent) == [(CHECKPOINT_FILE, 304), (MANIFEST_FILE, 304)]


def test_a_log_that_grew_is_followed_and_full_tiles_stay(tmp_path: Path) -> None:
    story = helpers.open_quarantine()
    asked: list[str] = []
    for size in (250, 258, len(story.log)):
        at(story, size).published().publish(tmp_path / "site")
        with answering(counting(mirror(tmp_path / "site", {}), asked)) as address:
            assert do_round(tmp_path / "m", address).good
        assert files_of(tmp_path / "m/site") == files_of(tmp_path / "site")
    assert asked.count("log/tile/entries/000") == 1
    assert asked.count(DEFINITION_FILE) == 2  # for its keys, and as a file
    assert len(list((tmp_path / "m/.copies").iterdir())) == 2
    stays = (tmp_path / "m/site/log/tile/entries/000").stat()
    assert stays.st_nlink == 2


def test_who_lags_is_named(held: Path, site: Path, old: Path) -> None:
    with answering(mirror(site, {})) as newer, answering(mirror(old, {})) as older:
        result = do_round(held, older, newer)
        assert (result.changed, result.used, result.current) == (True, (f"{newer}/",), (f"{newer}/",))
        assert [str(finding) for finding in result.findings] == [
            f"{older}/ lags: it shows the log at 26 entries, 6 fewer than 32"
        ]
        result = do_round(held, older)
        assert not result.good
        assert faults(result) == ["lags"]
    assert files_of(held / "site") == files_of(site)


def test_whichever_answers_is_used(site: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with answering(drop) as broken, answering(mirror(site, {})) as address:
        result = do_round(tmp_path / "m", dead, broken, address)
        assert result.good
        assert faults(result) == ["silent", "silent"]
        assert result.used == (f"{address}/",)
    nobody = do_round(tmp_path / "m", dead)
    assert not nobody.good
    assert nobody.checkpoint == result.checkpoint
    assert do_round(tmp_path / "none", dead).checkpoint is None
    assert not (tmp_path / "none/site").exists()


def test_trust_on_first_use_and_another_election(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    other = helpers.told(name="Another election")
    other.published().publish(tmp_path / "other")
    with answering(mirror(site, {})) as ours, answering(mirror(tmp_path / "other", {})) as theirs:
        both = do_round(tmp_path / "m", ours, theirs)
        assert both.checkpoint is None
        assert faults(both) == ["unfit", "unfit"]
        assert "--definition" in str(both.findings[0])
        result = do_round(tmp_path / "m", theirs, ours, definition=story.election.hash)
        assert faults(result) == ["unfit"]
        assert result.used == (f"{ours}/",)
        first = do_round(tmp_path / "first", ours)
        assert first.first_use
        assert first.definition == story.election.hash
        later = do_round(tmp_path / "first", theirs)
        assert (later.first_use, later.good, later.changed) == (False, False, False)
    assert files_of(tmp_path / "first/site") == files_of(site)


def endless(handler: BaseHTTPRequestHandler, _path: str) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(bytes(1 << 16))


def swapped(path: str, site: Path) -> Answer:
    return lambda handler, _: send(handler, (site / path).read_bytes())


ANSWERS: dict[str, tuple[Answer, str]] = {
    "cut": (cut, "silent"),
    "dropped": (drop, "silent"),
    "nonsense": (nonsense, "silent"),
    "compressed": (compressed, "silent"),
    "error": (lambda handler, _: send(handler, b"", 503), "silent"),
    "redirect": (lambda handler, _: send(handler, b"", 302, location="http://127.0.0.1:1/elsewhere"), "silent"),
    "missing": (lambda handler, _: send(handler, b"", 404), "unfit"),
    "endless": (endless, "unfit"),
    "empty": (lambda handler, _: send(handler, b""), "unfit"),
    "other": (lambda handler, _: send(handler, b"something else"), "unfit"),
}
FILES = [CHECKPOINT_FILE, MANIFEST_FILE, "log/tile/entries/000.p/32", "log/tile/0/000.p/32", "site.json"]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("path", FILES)
def test_broken_answers_leave_the_copy_whole_and_another_source_helps(
    held: Path, site: Path, old: Path, name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scrutineer.verify.mirror.ask.MAX_MANIFEST_SIZE", 1 << 20)
    answer, fault = ANSWERS[name]
    with answering(mirror(site, {path: answer})) as liar, answering(mirror(site, {})) as honest:
        alone = do_round(held, liar)
        assert (alone.changed, alone.good) == (False, False)
        assert faults(alone) == [fault]
        assert "\n" not in str(alone.findings[0])
        assert files_of(held / "site") == files_of(old)
        result = do_round(held, liar, honest)
    assert result.changed
    assert faults(result) == [fault]
    assert result.current == (f"{honest}/",)
    assert files_of(held / "site") == files_of(site)


def test_a_snapshot_that_went_is_said_and_kept(held: Path, story: helpers.Story, tmp_path: Path, old: Path) -> None:
    story.published().publish(tmp_path / "anew")  # in a folder without the history of the old one
    with answering(mirror(tmp_path / "anew", {})) as address:
        result = do_round(held, address)
        assert faults(do_round(held, address)) == []  # said once
    assert result.changed
    assert faults(result) == ["forgets"]
    assert f"snapshots/{OLD}.json is gone" in str(result.findings[0])
    (kept,) = result.evidence
    assert (kept / f"{OLD}.json").read_bytes() == (old / f"snapshots/{OLD}.json").read_bytes()
    assert (kept / "manifest-before").read_bytes() == (old / MANIFEST_FILE).read_bytes()


def test_swapped_files_and_old_ones_under_a_new_log(held: Path, site: Path, old: Path) -> None:
    before, after = files_of(old), files_of(site)
    one, other = [path for path in sorted(after) if path.startswith("data/") and after[path] != before.get(path, after[path])][:2]
    lies: list[dict[str, Answer]] = [
        {one: swapped(other, site)},
        {one: swapped(one, old)},
        {MANIFEST_FILE: swapped(MANIFEST_FILE, old)},
        {CHECKPOINT_FILE: swapped(CHECKPOINT_FILE, old)},
    ]
    for lie in lies:
        with answering(mirror(site, lie)) as liar:
            result = do_round(held, liar)
        assert faults(result) == ["unfit"], lie
        assert files_of(held / "site") == files_of(old)


def test_keys_that_are_not_the_logs(held: Path, story: helpers.Story, old: Path, tmp_path: Path) -> None:
    lie = story.published(signer=portal.log_signer(9))
    other = {CHECKPOINT_FILE: lie.files()[CHECKPOINT_FILE]}
    with answering(lying(old, other)) as liar:
        result = do_round(held, liar)
    assert faults(result) == ["unfit"]
    assert result.evidence == ()
    assert files_of(held / "site") == files_of(old)


def test_a_publisher_who_signs_what_does_not_fit(story: helpers.Story, tmp_path: Path) -> None:
    for path in ("log/tile/0/000.p/32", "log/tile/entries/000.p/32", "definition/units.csv", DEFINITION_FILE):
        folder = tmp_path / path.replace("/", "-")
        story.published().publish(folder)
        data = bytearray((folder / path).read_bytes())
        data[-3] ^= 1
        helpers.signed_anew(folder, SIGNER, {path: bytes(data)})
        with answering(mirror(folder, {})) as address:
            result = do_round(tmp_path / "m", address, definition=story.election.hash)
        assert result.checkpoint is None, path
        assert faults(result) == ["unfit"], path


class TestForks:
    """Two trees that the log signed: nothing of the other one gets into the copy, and both checkpoints are kept."""

    @pytest.mark.parametrize(("size", "since"), [(OLD, 20), (20, 10), (31, 20), (40, 25), (300, 5)])
    def test_against_the_copy(self, held: Path, story: helpers.Story, old: Path, tmp_path: Path, size: int, since: int) -> None:
        forked(story, size, since).published().publish(tmp_path / "fork")
        with answering(mirror(tmp_path / "fork", {})) as liar, answering(mirror(old, {})) as honest:
            result = do_round(held, honest, liar)
            assert do_round(held, liar).evidence == result.evidence  # kept once
        assert (result.changed, result.good, result.current) == (False, False, (f"{honest}/",))
        assert faults(result) == ["fork"]
        assert "both signed by the log" in str(result.findings[0])
        assert files_of(held / "site") == files_of(old)
        (kept,) = result.evidence
        self.check(kept, {OLD, size})

    def check(self, kept: Path, sizes: set[int]) -> None:
        """What anyone would check who is handed the evidence."""
        about = json.loads((kept / "about.json").read_text())
        one, two = (
            open_checkpoint((kept / f"checkpoint-{number}").read_bytes(), SIGNER.verifier.note_verifiers).checkpoint
            for number in (1, 2)
        )
        assert {one.size, two.size} == sizes
        if one.size == two.size:
            assert one.root != two.root
            return
        subtrees = {(node["level"], node["index"]): bytes.fromhex(node["hash"]) for node in about["subtrees"]}
        assert root_of(subtrees, two.size) == two.root
        assert root_of(subtrees, one.size) != one.root

    def test_without_a_copy_nobody_is_followed(self, site: Path, story: helpers.Story, tmp_path: Path) -> None:
        for size, since in ((32, 20), (31, 20)):
            forked(story, size, since).published().publish(tmp_path / str(size))
            with answering(mirror(site, {})) as one, answering(mirror(tmp_path / str(size), {})) as other:
                result = do_round(tmp_path / "m", one, other)
            assert result.checkpoint is None
            assert not (tmp_path / "m/site").exists()
            assert faults(result) == ["fork", "fork"]
            assert {finding.source for finding in result.findings} == {f"{one}/", f"{other}/"}
            self.check(result.evidence[0], {32, size})

    def test_forks_after_what_is_held(self, held: Path, site: Path, old: Path, story: helpers.Story, tmp_path: Path) -> None:
        """Both extend the copy: nobody can say which one to follow."""
        forked(story, 32, 28).published().publish(tmp_path / "fork")
        with answering(mirror(site, {})) as one, answering(mirror(tmp_path / "fork", {})) as other:
            result = do_round(held, one, other)
        assert faults(result) == ["fork", "fork"]
        assert files_of(held / "site") == files_of(old)

    def test_a_signed_checkpoint_is_evidence_whatever_stands_beside_it(self, held: Path, old: Path, story: helpers.Story) -> None:
        fork = forked(story, OLD, 20).published().files()[CHECKPOINT_FILE]
        with answering(lying(old, {CHECKPOINT_FILE: fork})) as liar:
            result = do_round(held, liar)
        assert faults(result) == ["fork"]
        self.check(result.evidence[0], {OLD})

    def test_tiles_that_do_not_give_the_signed_root_prove_nothing(self, held: Path, site: Path, old: Path) -> None:
        tile = bytearray((site / "log/tile/0/000.p/32").read_bytes())
        tile[0] ^= 1
        tile[-1] ^= 1
        with answering(lying(site, {"log/tile/0/000.p/32": bytes(tile)})) as liar:
            result = do_round(held, liar)
        assert faults(result) == ["unfit"]
        assert result.evidence == ()
        assert files_of(held / "site") == files_of(old)


def test_a_run_goes_on_where_another_was_broken_off(site: Path, tmp_path: Path) -> None:
    asked: list[str] = []
    with answering(mirror(site, {"site.json": drop})) as address:
        broken = do_round(tmp_path / "m", address, connections=1)
    assert broken.checkpoint is None
    assert broken.fetched > 5
    (staged,) = (tmp_path / "m/.staging").rglob("icon*.svg")
    staged.write_bytes(b"damaged")
    (tmp_path / "m/.staging/foreign").write_bytes(b"not listed")
    with answering(counting(mirror(site, {}), asked)) as address:
        result = do_round(tmp_path / "m", address)
    assert result.good
    assert result.fetched == result.files - 1 - broken.fetched + 1
    assert staged.relative_to(tmp_path / "m/.staging").as_posix() in asked
    assert files_of(tmp_path / "m/site") == files_of(site)


def test_a_site_that_is_published_again_meanwhile(site: Path, old: Path, tmp_path: Path) -> None:
    shown = [old]

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        mirror(shown[0], {})(handler, path)
        if path == "log/tile/entries/000.p/26":
            shown[0] = site

    with answering(answer) as address:
        result = do_round(tmp_path / "m", address, connections=1)
    assert result.good
    assert files_of(tmp_path / "m/site") == files_of(site)


def test_a_source_that_shows_something_else_each_time(held: Path, story: helpers.Story, site: Path, old: Path) -> None:
    """It is left alone after a while; what the other source shows is taken."""
    manifest = (site / MANIFEST_FILE).read_bytes()
    turn = [0]

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == MANIFEST_FILE:
            turn[0] += 1
            send(handler, manifest if turn[0] % 2 else b"another")
        elif path == "index.html":
            send(handler, b"lie")
        else:
            mirror(site, {})(handler, path)

    with answering(answer) as liar, answering(mirror(old, {})) as honest:
        result = do_round(held, liar, honest)
    assert faults(result) == ["unfit"]
    assert result.current == (f"{honest}/",)
    assert files_of(held / "site") == files_of(old)


def test_the_log_in_the_copy_is_the_one_that_was_signed(site: Path, tmp_path: Path) -> None:
    with answering(mirror(site, {})) as address:
        result = do_round(tmp_path / "m", address)
    listed = open_manifest((tmp_path / "m/site" / MANIFEST_FILE).read_bytes(), SIGNER.verifier)
    assert result.checkpoint is not None
    assert listed.size == result.checkpoint.size == 32
