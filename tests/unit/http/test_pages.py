"""The files of a program's look, and the headers of its answers."""

import asyncio

import httpx
from starlette.applications import Starlette

from scrutineer.design import asset
from scrutineer.http.pages import DESIGN, FOR_EVER, Look, page_headers

LOOK = Look("scrutineer.station.voting", "voting.css", "voting.js", below="/vote")


def got(*paths: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Starlette(routes=[LOOK.route()]))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


def test_each_file_is_served_under_the_name_of_its_bytes_and_kept() -> None:
    kinds = {"style.css": "text/css", "icon.svg": "image/svg+xml", "voting.js": "text/javascript"}
    answers = got(*map(LOOK.path, kinds))
    for answer, kind in zip(answers, kinds.values(), strict=True):
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == FOR_EVER
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[0].content == asset(DESIGN, "style.css").data


def test_no_other_file_is_served() -> None:
    other = ("/vote/assets/style.css", f"/vote/{asset(DESIGN, 'track.js').path}", f"/{asset(DESIGN, 'style.css').path}")
    assert [answer.status_code for answer in got(*other)] == [404, 404, 404]


def test_pictures_come_from_where_a_program_says() -> None:
    assert "img-src 'self';" in page_headers()["content-security-policy"]
    assert "img-src 'self' data:;" in page_headers(images="'self' data:")["content-security-policy"]
