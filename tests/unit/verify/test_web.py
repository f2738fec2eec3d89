"""Reading files from an address that may be slow, broken or hostile."""

import time
from http.server import BaseHTTPRequestHandler

import pytest

from scrutineer.errors import PublicationError, TransportError
from scrutineer.verify import web as web_module
from scrutineer.verify.web import WebSite
from site_servers import answering, send


def drip(handler: BaseHTTPRequestHandler, _path: str) -> None:
    """A body that comes one byte at a time, and would last for a week."""
    handler.send_response(200)
    handler.send_header("content-length", "600000")
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.01)


def drip_headers(handler: BaseHTTPRequestHandler, _path: str) -> None:
    """An answer whose headers never end."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.01)


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "PATIENCE", 0.3)
    with answering(drip) as address, WebSite(address) as site:
        with pytest.raises(TransportError, match="too slowly"):
            site.read("a", 1 << 20)
        pieces = site.pieces("a", 1 << 20)
        assert pieces is not None
        with pytest.raises(TransportError, match="too slowly"):
            list(pieces)


def test_headers_that_never_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "PATIENCE", 0.3)

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        drip_headers(handler, path) if path == "slow" else send(handler, b"here")

    with answering(answer) as address, WebSite(address) as site:
        with pytest.raises(TransportError, match="could not be read"):
            site.read("slow", 1 << 20)
        found = site.read("a", 10)
        assert found is not None
        assert found.data == b"here"


def test_a_server_that_says_nothing() -> None:
    with (
        answering(lambda *_: time.sleep(1)) as address,
        WebSite(address, timeout=0.2) as site,
        pytest.raises(TransportError, match="could not be read"),
    ):
        site.read("a", 100)


def test_sizes_and_versions() -> None:
    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == "none":
            send(handler, b"", 404)
        elif handler.headers.get("if-none-match") == '"1"':
            send(handler, b"", 304, etag='"1"')
        else:
            send(handler, b"12345", etag='"1"')

    with answering(answer) as address, WebSite(address) as site:
        found = site.read("a", 5)
        assert found is not None
        assert (found.data, found.etag) == (b"12345", '"1"')
        assert site.read("a", 5, '"0"') == found
        same = site.read("a", 5, '"1"')
        assert same is not None
        assert same.data is None
        assert site.read("none", 5) is None
        assert site.pieces("none", 5) is None
        with pytest.raises(PublicationError, match="larger than 4 bytes"):
            site.read("a", 4)
    with (
        answering(lambda handler, _: send(handler, b"", 304)) as address,
        WebSite(address) as site,
        pytest.raises(TransportError, match="answered 304"),
    ):
        site.read("a", 5)


@pytest.mark.parametrize(("more", "words"), [("secret", "redirects are not followed"), ("\x1b[2J", "could not be read")])
def test_a_redirect_is_named_and_not_followed(more: str, words: str) -> None:
    asked: list[str] = []
    with answering(lambda handler, path: asked.append(path)) as elsewhere:

        def answer(handler: BaseHTTPRequestHandler, _path: str) -> None:
            send(handler, b"", 307, location=f"{elsewhere}/{more}")

        with answering(answer) as address, WebSite(address) as site, pytest.raises(TransportError, match=words) as error:
            site.read("a", 5)
    assert asked == []
    assert str(error.value).isprintable()
