"""The reader serves published files with the right lifetimes."""

import asyncio
from pathlib import Path

import httpx
import pytest

from scrutineer.errors import UsageError
from scrutineer.intake.reader import AT_ONCE, FOR_EVER, SHORTLY, cache_control, reader_app


def test_serves_files_with_their_lifetimes(tmp_path: Path) -> None:
    for name in ("index.html", "checkpoint", "results.csv", "tile/0/000", "tile/entries/000.p/12", "stations/n1/index.html"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    asyncio.run(check(tmp_path))


async def check(site: Path) -> None:
    transport = httpx.ASGITransport(reader_app(site))
    async with httpx.AsyncClient(transport=transport, base_url="http://reader") as client:
        for path, lifetime in (
            ("/", SHORTLY),
            ("/checkpoint", AT_ONCE),
            ("/results.csv", SHORTLY),
            ("/tile/0/000", FOR_EVER),
            ("/tile/entries/000.p/12", SHORTLY),
            ("/stations/n1/", SHORTLY),
        ):
            response = await client.get(path)
            assert response.status_code == 200
            assert response.headers["cache-control"] == lifetime == cache_control(path)
            assert response.headers["x-content-type-options"] == "nosniff"
            etag = response.headers["etag"]
            assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304
        assert (await client.get("/missing")).status_code == 404
        assert (await client.get("/%2e%2e/secret")).status_code == 404
        assert (await client.post("/checkpoint")).status_code == 405


def test_no_site(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="publish"):
        reader_app(tmp_path / "missing")
