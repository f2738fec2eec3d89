"""The web server of the how-to page, run for real: nginx with the page's own lines, in front of a site, a mirror and intake."""

import contextlib
import gzip
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from cli_helpers import call, opened, rows, run_afresh, serving, signed
from free_ports import free_port
from nginx_server import (
    NGINX,
    Certificate,
    make_certificate,
    nginx,
    page_block,
    page_blocks,
    placed,
)
from scrutineer.cli.statement_files import read_statements
from scrutineer.design import asset
from scrutineer.http.problems import read_problem
from scrutineer.intake.reader import AT_ONCE, FOR_EVER, SHORTLY
from site_servers import reading

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt install nginx")

STYLE = asset("scrutineer.design", "style.css").path
PATHS = {
    "": SHORTLY,
    "index.html": SHORTLY,
    STYLE: FOR_EVER,
    "snapshots/7.json": FOR_EVER,
    "snapshots/index.json": SHORTLY,
    "quarantine.html": SHORTLY,
    "data/president/stations.csv": SHORTLY,
    "data/president/results.csv": SHORTLY,
    "definition/definition.cose": SHORTLY,
    "manifest": AT_ONCE,
    "site.json": AT_ONCE,
    "log/checkpoint": AT_ONCE,
    "log/head.json": AT_ONCE,
    "log/tile/0/000.p/7": FOR_EVER,
    "log/tile/entries/000.p/7": FOR_EVER,
}
MISSING = (
    "nothing",
    "log/tile/0/001",
    "log/tile/entries/000",
    "data/",
    "../record/log.db",
    "%2e%2e/keys/officer-1.pem",
    ".git/HEAD",
    ".rendered",
)
SECURITY = ("x-content-type-options", "content-security-policy", "referrer-policy", "access-control-allow-origin")


class Place(NamedTuple):
    """A published election, and where it is served."""

    folder: Path
    site: Path
    url: str
    certificate: Certificate
    definition: str

    @property
    def environment(self) -> dict[str, str]:
        """For programs that have to believe the certificate."""
        return {"SSL_CERT_FILE": str(self.certificate.path)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("nginx")
    office, site, certificate = opened(folder / "birds"), folder / "site", make_certificate(folder)
    with serving(office) as service:
        run_afresh("submit", signed(office, rows()), "--to", service.address, "--definition", office / "record/definition.cose")
    call("publish", office, "--to", site)
    definition = str(call("count", office, "--json").json["election"])
    port, mirror_port = free_port(), free_port()
    (folder / "mirror/site").parent.mkdir()
    (folder / "mirror/site").symlink_to(site)
    http = placed(page_block("results.example.org"), port, certificate, {"/srv/site": str(site)})
    http += placed(page_block("mirror.example.net"), mirror_port, certificate, {"/srv/mirror/site": str(folder / "mirror/site")})
    with nginx(folder / "server", http, included(), [port, mirror_port]):
        yield Place(office, site, f"https://127.0.0.1:{port}/", certificate, definition)
        assert " [error] " not in without_missing((folder / "server/error.log").read_text())


def included() -> dict[str, str]:
    """The files of configuration that the page's server blocks include."""
    return {"site-files.conf": page_block("charset_types"), "site-safety.conf": page_block("^add_header X-Content")}


def without_missing(log: str) -> str:
    """nginx notes each file that it was asked for and does not have, and each folder that it does not list."""
    return "\n".join(line for line in log.splitlines() if "No such file" not in line and "is forbidden" not in line)


@pytest.fixture
def client(place: Place) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(place.certificate.path))
    with httpx.Client(base_url=place.url, verify=context, follow_redirects=False) as client:
        yield client


def test_every_block_of_the_page_is_run_here() -> None:
    marks = ("upstream intake", "results.example.org", "charset_types", "^add_header X-Content", "mirror.example.net")
    assert sorted(page_block(mark) for mark in marks) == sorted(page_blocks())


def test_files_with_lifetimes_validators_and_safety(place: Place, client: httpx.Client) -> None:
    size = len(list((place.site / "log/tile/entries").glob("000.p/*")))
    assert size == 1, "the paths of this test name the partial tiles of a log with 7 entries"
    for path, lifetime in PATHS.items():
        response = client.get(path)
        assert response.status_code == 200, path
        assert response.content == (place.site / (path or "index.html")).read_bytes()
        assert response.headers.get_list("cache-control") == [lifetime], path
        assert all(name in response.headers for name in SECURITY), path
        etag = response.headers["etag"]
        assert not etag.startswith("W/")
        known = client.get(path, headers={"if-none-match": etag})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
        assert known.headers["cache-control"] == lifetime
        other = client.get(path, headers={"if-none-match": '"another"'})
        assert other.status_code == 200
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "etag", "cache-control"):
            assert head.headers[name] == response.headers[name]


def test_kinds_of_files(client: httpx.Client) -> None:
    for path, kind in {
        "": "text/html; charset=utf-8",
        STYLE: "text/css; charset=utf-8",
        "data/president/stations.csv": "text/csv; charset=utf-8",
        "site.json": "application/json",
        "log/checkpoint": "text/plain; charset=utf-8",
        "manifest": "text/plain; charset=utf-8",
        "log/tile/entries/000.p/7": "application/octet-stream",
        "definition/definition.cose": "application/cose",
    }.items():
        assert client.get(path).headers["content-type"] == kind


def test_parts_of_files(place: Place, client: httpx.Client) -> None:
    for path in ("index.html", "log/tile/entries/000.p/7"):
        data = (place.site / path).read_bytes()
        etag = client.get(path).headers["etag"]
        part = client.get(path, headers={"range": "bytes=10-19", "if-range": etag})
        assert (part.status_code, part.content) == (206, data[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
        assert part.headers["cache-control"] == PATHS[path]
        assert client.get(path, headers={"range": "bytes=-5"}).content == data[-5:]
        changed = client.get(path, headers={"range": "bytes=10-19", "if-range": '"another"'})
        assert (changed.status_code, changed.content) == (200, data)
        # Its lifetime is the file's: nginx adds headers before it looks at the range, and offers no way to change that.
        assert client.get(path, headers={"range": f"bytes={len(data)}-"}).status_code == 416


def test_nothing_is_compressed_on_the_way(place: Place, client: httpx.Client) -> None:
    """Compression would take the ETags' strength and the ranges away, and mirrors refuse what is not the file."""
    response = client.get("index.html", headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in response.headers
    assert response.content == (place.site / "index.html").read_bytes()
    assert len(gzip.compress(response.content)) < len(response.content)


def test_compressed_copies_are_for_those_who_accept_them(place: Place, client: httpx.Client) -> None:
    data = (place.site / "rules.html").read_bytes()
    copy = place.site / "rules.html.gz"
    copy.write_bytes(gzip.compress(data))
    try:
        packed = client.get("rules.html", headers={"accept-encoding": "gzip"})
        plain = client.get("rules.html", headers={"accept-encoding": "identity"})
    finally:
        copy.unlink()
    assert (packed.headers["content-encoding"], packed.content) == ("gzip", data)
    assert ("content-encoding" not in plain.headers, plain.content) == (True, data)
    for name in ("cache-control", "content-type", *SECURITY):
        assert packed.headers[name] == plain.headers[name]


def test_what_is_not_there_is_not_remembered(client: httpx.Client) -> None:
    for path in MISSING:
        response = client.get(path)
        assert response.status_code in (404, 400), path
        assert ("There is no page here" in response.text) == (response.status_code == 404), path
        if response.status_code != 400:  # What is no path at all is refused before anything else is looked at.
            assert response.headers["cache-control"] == AT_ONCE, path
    for refusal, status in (
        (client.post("log/tile/0/000.p/7", content=b"x"), 405),
        (client.put("index.html", content=b"x"), 405),
    ):
        assert (refusal.status_code, refusal.headers.get("cache-control")) == (status, None)
    assert client.get("index.html").headers["server"] == "nginx"


def test_our_own_server_answers_alike(place: Place, client: httpx.Client) -> None:
    alike = ("cache-control", "content-length", "accept-ranges", *SECURITY)
    with reading(place.site) as url, httpx.Client(base_url=url) as own:
        for path in PATHS:
            one, other = client.get(path), own.get(path)
            assert one.content == other.content
            for name in alike:
                assert one.headers[name] == other.headers[name], (path, name)
            if one.headers["content-type"].startswith("text/"):
                assert one.headers["content-type"] == other.headers["content-type"], path
            asked = {"if-none-match": other.headers["etag"]}
            assert own.get(path, headers=asked).status_code == 304
            ranged = {"range": "bytes=0-3"}
            assert client.get(path, headers=ranged).status_code == own.get(path, headers=ranged).status_code == 206
            assert client.get(path, headers=ranged).content == own.get(path, headers=ranged).content
            assert client.head(path).headers["content-length"] == own.head(path).headers["content-length"]
        for path in ("nothing", "log/tile/0/001"):
            one, other = client.get(path), own.get(path)
            assert (one.status_code, one.headers["cache-control"]) == (other.status_code, other.headers["cache-control"])


def test_verify_and_mirror_over_tls(place: Place, tmp_path: Path) -> None:
    verified = run_afresh("verify", place.url, "--definition", place.definition, env=place.environment)
    assert "PASS" in verified.out
    copy = tmp_path / "copy"
    run_afresh("mirror", place.url, copy, "--definition", place.definition, env=place.environment)
    for path in PATHS:
        name = path or "index.html"
        assert (copy / "site" / name).read_bytes() == (place.site / name).read_bytes()
    assert "PASS" in call("verify", copy / "site", "--definition", place.definition).out


def test_a_stranger_s_certificate_is_not_believed(place: Place, tmp_path: Path) -> None:
    other = make_certificate(tmp_path)
    run_afresh("verify", place.url, "--definition", place.definition, env={"SSL_CERT_FILE": str(other.path)}, code=1)


def test_a_mirror_s_link_is_followed_when_it_changes(place: Place, tmp_path: Path) -> None:
    first, second, link = (tmp_path / name for name in ("first", "second", "site"))
    for folder in (first, second):
        folder.mkdir()
        (folder / "manifest").write_text(folder.name)
    link.symlink_to(first)
    port = free_port()
    http = placed(page_block("mirror.example.net"), port, place.certificate, {"/srv/mirror/site": str(link)})
    context = ssl.create_default_context(cafile=str(place.certificate.path))
    url = f"https://127.0.0.1:{port}/manifest"
    with nginx(tmp_path / "server", http, included(), [port]), httpx.Client(verify=context) as client:
        before = client.get(url)
        (tmp_path / "next").symlink_to(second)
        (tmp_path / "next").replace(link)
        after = client.get(url)
    assert (before.text, after.text) == ("first", "second")


@contextlib.contextmanager
def intake_behind_nginx(place: Place, folder: Path, office: Path) -> Iterator[httpx.Client]:
    port = free_port()
    with serving(office) as service:
        behind = service.address.removeprefix("http://").rstrip("/")
        http = placed(page_block("upstream intake"), port, place.certificate, {"127.0.0.1:8470": behind})
        context = ssl.create_default_context(cafile=str(place.certificate.path))
        with (
            nginx(folder / "server", http, {}, [port]),
            httpx.Client(base_url=f"https://127.0.0.1:{port}/", verify=context) as client,
        ):
            yield client


def test_intake_behind_nginx(place: Place, tmp_path: Path) -> None:
    office = opened(tmp_path / "birds")
    statement = next(iter(read_statements(signed(office, rows(("north-1",))))))
    kind = {"content-type": "application/cose"}
    with intake_behind_nginx(place, tmp_path, office) as client:
        new = client.post("entries", content=statement, headers=kind)
        assert (new.status_code, new.headers["content-type"]) == (201, "application/cose")
        again = client.post("entries", content=statement, headers=kind)
        assert (again.status_code, again.content) == (200, new.content)
        receipt = client.get(new.headers["location"])
        assert (receipt.content, receipt.headers["cache-control"]) == (new.content, FOR_EVER)
        forged = client.post("entries", content=statement[:-1] + bytes([statement[-1] ^ 1]), headers=kind)
        problem = read_problem(forged.content)
        assert problem is not None
        assert (forged.status_code, problem.code) == (400, "bad-signature")
        assert client.post("entries", content=bytes(70_000), headers=kind).status_code == 413
