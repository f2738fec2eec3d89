"""Servers on loopback for the tests of whoever reads sites: honest, broken and hostile."""

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import uvicorn

from scrutineer.intake.reader import reader_app

Answer = Callable[[BaseHTTPRequestHandler, str], None]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a browser asks for everything on a page at once


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                answer(self, self.path.removeprefix("/"))

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def reading(site: Path) -> Iterator[str]:
    """The application that serves a published site, in a real server."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(reader_app(site), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def mirror(site: Path, lie: dict[str, Answer]) -> Answer:
    """Serves a site, and lies about some of its files."""

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        if path in lie:
            lie[path](handler, path)
        elif (site / path).is_file():
            send(handler, (site / path).read_bytes())
        else:
            send(handler, b"", 404)

    return answer


def drop(handler: BaseHTTPRequestHandler, _path: str) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut(handler: BaseHTTPRequestHandler, _path: str) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    drop(handler, "")


def compressed(handler: BaseHTTPRequestHandler, _path: str) -> None:
    send(handler, gzip.compress(bytes(10_000_000)), content_encoding="gzip")


def nonsense(handler: BaseHTTPRequestHandler, _path: str) -> None:
    handler.wfile.write(b"\x00\xff nonsense\r\n\r\n")
    drop(handler, "")
