"""A witness on a real port."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from log_helpers import ORIGIN
from scrutineer.errors import StoreError, UsageError
from scrutineer.log.note import open_note
from scrutineer.witness import Answer, WitnessService
from scrutineer.witness.answers import format_request
from scrutineer.witness.rules import MAX_REQUEST_SIZE
from witness_helpers import Bench, History, signers

HISTORY = History()
OTHER = History(name="stork")


class Running:
    """A service in a thread."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.heard: list[Answer] = []
        self.error: BaseException | None = None
        started = threading.Event()
        urls: list[str] = []

        def ready(url: str) -> None:
            urls.append(url)
            started.set()

        self.service = WitnessService(bench.witness, ready=ready, report=self.heard.append)

        def run() -> None:
            try:
                self.service.run()
            except BaseException as error:
                self.error = error
            started.set()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        started.wait(10)
        self.url = urls[0]
        self.port = urlsplit(self.url).port or 0

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.headers.get("content-type", ""), response.read()
        finally:
            connection.close()

    def stop(self) -> None:
        self.service.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    bench = Bench(folder)
    service = Running(bench)
    try:
        yield service
    finally:
        service.stop()
        bench.close()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as found:
        yield found


def test_every_status_over_http(witness: Running) -> None:
    status, kind, body = witness.ask("POST", "/add-checkpoint", HISTORY.request(0, 5))
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    assert len(open_note(HISTORY.checkpoint(5) + body, [key.verifier for key in signers()])[1]) == 2
    assert witness.ask("POST", "/add-checkpoint", HISTORY.request(0, 8)) == (409, "text/x.tlog.size", b"5\n")
    for expected, request in (
        (400, b"old 0"),
        (400, format_request(9, (), HISTORY.checkpoint(8))),
        (403, HISTORY.request(5, 8).replace(b"\n8\n", b"\n9\n")),
        (404, HISTORY.request(5, 8).replace(ORIGIN.encode() + b"\n8", b"log.example/ibis\n8")),
        (422, format_request(5, (), OTHER.checkpoint(5))),
    ):
        status, kind, body = witness.ask("POST", "/add-checkpoint", request)
        assert (status, kind) == (expected, "text/plain; charset=utf-8")
        assert body.count(b"\n") == 1
        code, _, words = body.partition(b": ")
        assert code.decode() == witness.heard[-1].code
        assert words
    assert len(witness.heard) == 7


def test_one_connection_serves_many_requests(witness: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", witness.port, timeout=10)
    for size in range(1, 20):
        connection.request("POST", "/add-checkpoint", HISTORY.request(size - 1, size))
        response = connection.getresponse()
        assert response.status == 200
        assert response.read()
    connection.close()


def test_nothing_else_is_served(witness: Running) -> None:
    assert witness.ask("GET", "/health") == (200, "text/plain; charset=utf-8", b"cosigning\n")
    assert witness.ask("POST", "/health")[0] == 405
    assert witness.ask("GET", "/add-checkpoint")[0] == 405
    for path in ("/", "/add-checkpoint/", "/keys", "/memory.db", "/../memory.db"):
        assert witness.ask("GET", path)[0] == 404
    assert witness.heard == []


def test_a_request_may_be_large_and_not_larger(witness: Running) -> None:
    filler = b"\xe2\x80\x94 owl.example/" + b"o" * 3000 + b" " + b"b3dsb3dsb3ds" * 100 + b"\n"
    body = HISTORY.request(0, 5)
    body += filler * ((MAX_REQUEST_SIZE - len(body)) // len(filler))
    assert len(body) > 100_000
    assert witness.ask("POST", "/add-checkpoint", body)[0] == 200
    status, kind, answer = witness.ask("POST", "/add-checkpoint", body + filler)
    assert (status, kind, answer.partition(b":")[0]) == (413, "text/plain; charset=utf-8", b"too-large")


def test_what_is_not_http_is_refused_in_words(witness: Running) -> None:
    with socket.create_connection(("127.0.0.1", witness.port), timeout=10) as client:
        client.sendall(b"HERON / HTTP/9\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"malformed-request: " in answer


def test_a_port_in_use_is_said(tmp_path: Path, witness: Running) -> None:
    bench = Bench(tmp_path / "other")
    with pytest.raises(UsageError, match="is in use"):
        WitnessService(bench.witness, port=witness.port).run()
    bench.close()


def test_a_memory_that_fails_ends_the_service(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.bench.now = 0
        assert service.ask("POST", "/add-checkpoint", HISTORY.request(0, 5))[0] == 503
        service.thread.join(10)
        assert isinstance(service.error, StoreError)


def test_a_service_stopped_before_it_ran_does_not_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    service = WitnessService(bench.witness)
    service.stop()
    service.run()
    bench.close()
