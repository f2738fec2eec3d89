"""The reader serves published files with the right lifetimes."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from scrutineer.errors import UsageError
from scrutineer.intake.reader import AT_ONCE, FOR_EVER, SHORTLY, cache_control, reader_app
from scrutineer.portal.pages import POLICY

FILES = {
    "index.html": SHORTLY,
    "results.csv": SHORTLY,
    "stations/n1/index.html": SHORTLY,
    "stations/tile/index.html": SHORTLY,  # a place of that name
    "manifest": AT_ONCE,
    "site.json": AT_ONCE,
    "log/checkpoint": AT_ONCE,
    "log/head.json": AT_ONCE,
    "log/tile/0/000": FOR_EVER,
    "log/tile/entries/x001/234": FOR_EVER,
    "log/tile/1/000.p/12": FOR_EVER,
    "assets/style.0123456789.css": FOR_EVER,
    "assets/style.css": SHORTLY,  # a name without a hash
    "es/assets/style.0123456789.css": FOR_EVER,
    "snapshots/120.json": FOR_EVER,
    f"images/{'0a' * 32}.jpg": FOR_EVER,
    "images/0a.jpg": SHORTLY,
    "snapshots/index.json": SHORTLY,
    "stations/snapshots/120.html": SHORTLY,
}
KINDS = {
    "index.html": "text/html; charset=utf-8",
    "check.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "stations.csv": "text/csv; charset=utf-8",
    "map.svg": "image/svg+xml",
    "sheet.webp": "image/webp",
    "sheet.pdf": "application/pdf",
    "north.json": "application/json",
    "shapes.geojson": "application/geo+json",
    "stations.parquet": "application/vnd.apache.parquet",
    "definition.cose": "application/cose",
    "checkpoint": "text/plain; charset=utf-8",
    "000": "application/octet-stream",
    "what.is-this": "application/octet-stream",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "site"


def with_client(site: Path, check: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(reader_app(site)), base_url="http://reader") as client:
            await check(client)

    asyncio.run(run())


def test_serves_files_with_their_lifetimes(site: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for path, lifetime in {**FILES, "": SHORTLY, "stations/n1/": SHORTLY}.items():
            response = await client.get(f"/{path}")
            assert response.status_code == 200
            assert response.headers["cache-control"] == lifetime == cache_control(f"/{path}")
            assert response.headers["x-content-type-options"] == "nosniff"
            known = await client.get(f"/{path}", headers={"if-none-match": response.headers["etag"]})
            assert (known.status_code, known.content) == (304, b"")
            assert known.headers["cache-control"] == lifetime
            assert known.headers["etag"] == response.headers["etag"]

    with_client(site, check)


def test_kinds_of_files(site: Path) -> None:
    for name in KINDS:
        (site / name).write_text(name)

    async def check(client: httpx.AsyncClient) -> None:
        for name, kind in KINDS.items():
            assert (await client.get(f"/{name}")).headers["content-type"] == kind, name

    with_client(site, check)


def test_what_is_hidden_is_not_served(site: Path) -> None:
    (site / ".rendered").write_text("{}")
    (site / ".git").mkdir()
    (site / ".git" / "HEAD").write_text("ref")

    async def check(client: httpx.AsyncClient) -> None:
        for path in ("/.rendered", "/.git/HEAD", "/stations/../.rendered"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/./index.html")).status_code == 200

    with_client(site, check)


def test_the_header_allows_whatever_a_page_allows_itself(site: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        stated = (await client.get("/")).headers["content-security-policy"]
        whole = dict(part.split(" ", 1) for part in stated.split("; "))
        for part in POLICY.split("; "):
            name, _, sources = part.partition(" ")
            assert set(sources.split()) - {"'none'"} <= set(whole.get(name, whole["default-src"]).split()), name
        assert whole["frame-ancestors"] == "'none'"

    with_client(site, check)


def test_parts_of_files(site: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for path in ("log/tile/0/000", "results.csv"):
            whole = await client.get(f"/{path}")
            assert whole.headers["accept-ranges"] == "bytes"
            part = await client.get(f"/{path}", headers={"range": "bytes=2-4", "if-range": whole.headers["etag"]})
            assert (part.status_code, part.content) == (206, path.encode()[2:5])
            assert part.headers["content-range"] == f"bytes 2-4/{len(path)}"
            assert part.headers["cache-control"] == FILES[path]
            changed = await client.get(f"/{path}", headers={"range": "bytes=2-4", "if-range": '"another"'})
            assert (changed.status_code, changed.content) == (200, path.encode())
            assert (await client.get(f"/{path}", headers={"range": "bytes=900-"})).status_code == 416

    with_client(site, check)


def test_what_is_not_there_is_not_remembered(site: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for path in ("/missing", "/log/tile/0/001", "/%2e%2e/secret"):
            response = await client.get(path)
            assert (response.status_code, response.headers["cache-control"]) == (404, AT_ONCE)
        assert (await client.post("/log/checkpoint")).status_code == 405

    with_client(site, check)


def test_what_is_not_there_is_said_on_a_page_of_the_site(site: Path) -> None:
    (site / "404.html").write_text("There is no page here")

    async def check(client: httpx.AsyncClient) -> None:
        safety = (await client.get("/")).headers
        for path in ("/missing", "/a/b/c.html", "/.git/HEAD"):
            response = await client.get(path)
            assert (response.status_code, response.headers["cache-control"]) == (404, AT_ONCE)
            if "/." not in path:
                assert (response.text, response.headers["content-type"]) == ("There is no page here", KINDS["index.html"])
                assert all(
                    response.headers[name] == safety[name] for name in ("content-security-policy", "x-content-type-options")
                )
        assert (await client.get("/404.html")).status_code == 200

    with_client(site, check)


def test_a_site_that_is_replaced_while_it_is_served(site: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(site)

    async def check(client: httpx.AsyncClient) -> None:
        before = await client.get("/results.csv")
        (tmp_path / "other").mkdir()
        (tmp_path / "other/results.csv").write_text("other")
        (tmp_path / "new").symlink_to(tmp_path / "other")
        (tmp_path / "new").replace(link)
        after = await client.get("/results.csv", headers={"if-none-match": before.headers["etag"]})
        assert (after.status_code, after.text) == (200, "other")

    with_client(link, check)


def test_no_site(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="publish"):
        reader_app(tmp_path / "missing")
