"""The files of a program's look, and the headers of its answers."""

from starlette.applications import Starlette
from starlette.testclient import TestClient

from scrutineer.design import asset
from scrutineer.http.pages import DESIGN, FOR_EVER, Look, page_headers

LOOK = Look("scrutineer.station.voting", "voting.css", "voting.js", below="/vote")


def test_each_file_is_served_under_the_name_of_its_bytes_and_kept() -> None:
    with TestClient(Starlette(routes=[LOOK.route()])) as client:
        for name, kind in (("style.css", "text/css"), ("icon.svg", "image/svg+xml"), ("voting.js", "text/javascript")):
            answer = client.get(LOOK.path(name))
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == FOR_EVER
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get(LOOK.path("style.css")).content == asset(DESIGN, "style.css").data


def test_no_other_file_is_served() -> None:
    with TestClient(Starlette(routes=[LOOK.route()])) as client:
        for path in ("/vote/assets/style.css", f"/vote/{asset(DESIGN, 'track.js').path}", f"/{asset(DESIGN, 'style.css').path}"):
            assert client.get(path).status_code == 404


def test_pictures_come_from_where_a_program_says() -> None:
    assert "img-src 'self';" in page_headers()["content-security-policy"]
    assert "img-src 'self' data:;" in page_headers(images="'self' data:")["content-security-policy"]
