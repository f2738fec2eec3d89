"""Verifying an address: real servers on loopback, honest, broken and hostile."""

import socket
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import portal_helpers as portal
import verify_helpers as helpers
from mirror_helpers import files_of
from scrutineer.errors import PublicationError, TransportError
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import TITLE
from scrutineer.verify import source as sources
from scrutineer.verify.copy import copy_site
from scrutineer.verify.replay import verify_site
from site_servers import Answer, answering, compressed, cut, drop, mirror, nonsense, reading, send


@pytest.fixture(scope="module")
def story() -> helpers.Story:
    return helpers.told()


@pytest.fixture
def site(tmp_path: Path, story: helpers.Story) -> Path:
    story.published().publish(tmp_path / "site")
    return tmp_path / "site"


def no_pause(_seconds: float) -> None:
    pass


def test_a_site_over_http_verifies(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    with reading(site) as address:
        source = copy_site(address, tmp_path / "copy", progress=lambda *step: steps.append(step))
    report = verify_site(source, definition=story.election.hash)
    assert report.passed, [str(finding) for finding in report.findings]
    files = files_of(site)
    assert {str(p.relative_to(tmp_path / "copy")): p.read_bytes() for p in (tmp_path / "copy").rglob("*") if p.is_file()} == files
    assert steps[-1] == ("Copying", len(files) - 1, len(files) - 1)


def test_a_copy_goes_on_where_it_was_and_follows_a_new_publication(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    earlier = helpers.Story(story.election, story.tables, story.log[:-6]).published()
    earlier.publish(tmp_path / "earlier")
    asked: list[str] = []

    def counting(folder: Path) -> Answer:
        serve = mirror(folder, {})

        def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
            asked.append(path)
            serve(handler, path)

        return answer

    with answering(counting(tmp_path / "earlier")) as address:
        assert verify_site(copy_site(address, tmp_path / "copy")).passed
        asked.clear()
        (tmp_path / "copy/index.html").unlink()
        (tmp_path / "copy/rules.html").write_bytes(b"damaged")
        assert verify_site(copy_site(address, tmp_path / "copy")).passed
        assert sorted(asked) == ["index.html", MANIFEST_FILE, "rules.html"]
    with answering(counting(site)) as address:
        # The log has grown: its partial tiles of before do not belong any more.
        assert verify_site(copy_site(address, tmp_path / "copy"), definition=story.election.hash).passed


def test_a_site_that_is_published_again_while_it_is_copied(site: Path, story: helpers.Story, tmp_path: Path) -> None:
    earlier = helpers.Story(story.election, story.tables, story.log[:-6]).published()
    earlier.publish(tmp_path / "earlier")
    shown = [tmp_path / "earlier"]

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        mirror(shown[0], {})(handler, path)
        if path == MANIFEST_FILE:
            shown[0] = site

    with answering(answer) as address:
        source = copy_site(address, tmp_path / "copy", pause=no_pause)
    report = verify_site(source, definition=story.election.hash)
    assert report.passed, [str(finding) for finding in report.findings]
    assert report.size == len(story.log)


def test_a_folder_that_holds_something_else_is_left_alone(site: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("mine")
    (tmp_path / "file").touch()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / MANIFEST_FILE).write_text("my own manifest")
    with answering(mirror(site, {})) as address:
        for folder in ("mine", "file", "odd", "file/below"):
            with pytest.raises(PublicationError):
                copy_site(address, tmp_path / folder)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_file_that_is_missing_or_other_is_a_finding(site: Path, tmp_path: Path) -> None:
    lies: dict[str, Answer] = {
        "index.html": lambda handler, _: send(handler, b"", 404),
        "data/summary.json": lambda handler, _: send(handler, b"{}"),
        "log/tile/0/000.p/32": lambda handler, _: send(handler, b""),
    }
    with answering(mirror(site, lies)) as address:
        report = verify_site(copy_site(address, tmp_path / "copy", pause=no_pause))
    assert {finding.where for finding in report.findings} >= set(lies)
    assert not report.passed


BROKEN: dict[str, Answer] = {
    "500": lambda handler, _: send(handler, b"", 500),
    "403": lambda handler, _: send(handler, b"", 403),
    "206": lambda handler, _: send(handler, b"half", 206),
    "redirect": lambda handler, _: send(handler, b"", 302, location="http://127.0.0.1:1/elsewhere"),
    "redirect to itself": lambda handler, path: send(handler, b"", 301, location=f"/{path}"),
    "dropped": drop,
    "cut": cut,
    "compressed": compressed,
    "nonsense": nonsense,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("path", [MANIFEST_FILE, "data/summary.json"])
def test_answers_that_are_none_end_in_one_error(site: Path, tmp_path: Path, name: str, path: str) -> None:
    with answering(mirror(site, {path: BROKEN[name]})) as address, pytest.raises(TransportError, match=path) as error:
        copy_site(address, tmp_path / "copy", pause=no_pause)
    assert "\n" not in str(error.value)


def test_a_body_without_end_is_cut_off(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(handler: BaseHTTPRequestHandler, _path: str) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        while True:
            handler.wfile.write(bytes(1 << 16))

    monkeypatch.setattr("scrutineer.verify.copy.MAX_FILE_SIZE", 1 << 20)
    monkeypatch.setattr("scrutineer.verify.copy.MAX_MANIFEST_SIZE", 1 << 20)
    for path in (MANIFEST_FILE, "data/summary.json"):
        with answering(mirror(site, {path: endless})) as address, pytest.raises(PublicationError, match="is larger than"):
            copy_site(address, tmp_path / "copy")


def test_addresses_that_lead_nowhere(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for address in (
        f"http://127.0.0.1:{port}",
        "http://no.such.host.invalid",
        "http://",
        "http://[::1",
        "http://a b",
        "http://x:99999",
    ):
        with pytest.raises(TransportError):
            copy_site(address, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_server_that_holds_no_site(tmp_path: Path) -> None:
    with (
        answering(lambda handler, _: send(handler, b"", 404)) as address,
        pytest.raises(PublicationError, match="does not exist"),
    ):
        copy_site(address, tmp_path / "copy")
    for body in (b"", b"\n", b"<html>", b"\xff\xfe", bytes(1000), TITLE.encode()):
        lie = mirror(tmp_path, {MANIFEST_FILE: lambda handler, _, body=body: send(handler, body)})  # type: ignore[misc]
        with answering(lie) as address, pytest.raises(PublicationError, match="is not the manifest"):
            copy_site(address, tmp_path / "copy")


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "/etc/outside",
        "a/../../outside",
        ".hidden",
        "a/.hidden",
        "a//b",
        "a\\..\\b",
        "a/",
        "",
        "manifest",
        "a\x00b",
        "ä",
    ],
)
def test_a_manifest_that_leads_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    text = f"{TITLE}\nsize 1\n{'00' * 32}  {path}\n".encode()
    note = text + b"\n\xe2\x80\x94 log.example " + b"AAAAAAAA" + b"\n"
    lies: dict[str, Answer] = {MANIFEST_FILE: lambda handler, _: send(handler, note)}
    with (
        answering(mirror(tmp_path / "none", lies)) as address,
        pytest.raises(PublicationError, match=r"is not the manifest|itself"),
    ):
        copy_site(address, tmp_path / "copy")
    assert not list(tmp_path.rglob("outside"))


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    text = f"{TITLE}\nsize 1\n{'00' * 32}  a\n{'00' * 32}  a/b\n".encode()
    note = text + b"\n\xe2\x80\x94 log.example " + b"AAAAAAAA" + b"\n"
    lies: dict[str, Answer] = {
        MANIFEST_FILE: lambda handler, _: send(handler, note),
        "a": lambda handler, _: send(handler, b"file"),
        "a/b": lambda handler, _: send(handler, b"file"),
    }
    with answering(mirror(tmp_path / "none", lies)) as address, pytest.raises(PublicationError, match="cannot be written"):
        copy_site(address, tmp_path / "copy", pause=no_pause)


class TestFolder:
    """A folder that is as little trusted as what it holds."""

    def test_a_pipe_or_a_device_does_not_stop_the_verification(self, site: Path) -> None:
        import os

        for path in ("index.html", "log/checkpoint", "log/tile/0/000.p/32"):
            data = (site / path).read_bytes()
            (site / path).unlink()
            os.mkfifo(site / path)
            report = helpers.verified(site)
            assert path in {finding.where for finding in report.findings}
            (site / path).unlink()
            (site / path).write_bytes(data)
        os.mkfifo(site / "pipe")
        assert [finding.where for finding in helpers.verified(site).findings] == ["pipe"]

    def test_a_link_to_a_folder_is_named_and_not_followed(self, site: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/more.html").touch()
        (site / "link").symlink_to(tmp_path / "elsewhere")
        (site / "loop").symlink_to(site)
        assert {finding.where for finding in helpers.verified(site).findings} == {"link", "loop"}

    def test_folders_in_folders_without_end(self, site: Path) -> None:
        import os

        here = os.open(site, os.O_RDONLY)
        for _ in range(1_500):
            os.mkdir("d", dir_fd=here)
            there = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = there
        os.close(os.open("hidden", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.close(here)
        try:
            assert not helpers.verified(site).passed
        finally:
            # Deeper than Python's own ways of removing a tree can go.
            subprocess.run(["rm", "-rf", str(site)], check=True)

    def test_a_log_that_is_another_when_it_is_read_again(self, site: Path, story: helpers.Story) -> None:
        """What is counted must be what the tree was made of."""

        class Changing(sources.FolderSource):
            reads = 0

            def read(self, path: str, limit: int = sources.MAX_SMALL_FILE) -> bytes:
                data = super().read(path, limit)
                if "entries" in path:
                    self.reads += 1
                    if self.reads > 1:
                        return other
                return data

        lie = helpers.told()
        lie.log[-8] = lie.sheet("b2", helpers.COUNCIL, (1, 90))
        other = portal.published(lie.election, lie.tables, lie.log[:-1]).files()["log/tile/entries/000.p/32"]
        report = verify_site(Changing(site), definition=story.election.hash)
        assert not report.passed
        assert any("while it was being verified" in finding.message for finding in report.findings)

    def test_a_file_that_goes_while_it_is_read(self, site: Path) -> None:
        class Vanishing(sources.FolderSource):
            def read(self, path: str, limit: int = sources.MAX_SMALL_FILE) -> bytes:
                data = super().read(path, limit)
                if "entries" in path:
                    (self.folder / path).unlink()
                return data

        report = verify_site(Vanishing(site))
        assert not report.passed
        assert "is missing" in str(report.findings[-1])

    def test_a_huge_file_is_not_held_in_memory(self, site: Path) -> None:
        for path in ("log/checkpoint", "log/head.json", "site.json", "log/tile/0/000.p/32", "log/tile/entries/000.p/32"):
            data = (site / path).read_bytes()
            with (site / path).open("r+b") as file:
                file.truncate(1 << 31)
            report = helpers.verified(site)
            assert any(f.where == path and "is larger than" in f.message for f in report.findings), path
            (site / path).write_bytes(data)

    def test_names_that_are_no_text_are_shown_as_text(self, site: Path) -> None:
        (site / "b\udcff\x1b[2J\nPASS").touch()
        (finding,) = helpers.verified(site).findings
        assert finding.where == "b\\udcff\\x1b[2J\\nPASS"
        assert str(finding).isprintable()
