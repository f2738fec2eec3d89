"""TLS: with and without clients' certificates, resumed sessions, clients that never finish, certificates that change."""

import asyncio
import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import uvloop

from scrutineer.errors import UsageError
from scrutineer.http import Connections, Done, Port, Request, Response, Tls, drain
from scrutineer.http import handshake as handshake_module
from tls_helpers import Certified, TestAuthority

GET = b"GET /heron HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    """A port with TLS in a thread; `heard` has every note."""

    def __init__(self, tls: Tls, max_handshakes: int = 100) -> None:
        self.heard: queue.Queue[tuple[str, str]] = queue.Queue()
        self.port = 0
        self._tls = tls
        self._max_handshakes = max_handshakes
        self._ready = threading.Event()
        self._stop = threading.Event()
        self.reloading = threading.Event()
        self.connections: Connections | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _serve(self) -> None:
        def answer(request: Request, done: Done) -> None:
            done(Response(200, b"", request.peer.encode()))

        self.connections = connections = Connections(
            answer, time.monotonic, note=lambda *what: self.heard.put(what), max_handshakes=self._max_handshakes
        )
        port = await Port.open(connections, "127.0.0.1", 0, self._tls)
        self.port = port.address.port
        self._ready.set()
        while not self._stop.is_set():
            await asyncio.sleep(0.01)
            if self.reloading.is_set():
                port.reload()
                self.reloading.clear()
        port.close()
        await drain(connections)

    def note(self) -> tuple[str, str]:
        return self.heard.get(timeout=20)


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    return TestAuthority(tmp_path)


@pytest.fixture
def service(authority: TestAuthority) -> Certified:
    return authority.issue("service")


def client(authority: TestAuthority, own: Certified | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


@contextlib.contextmanager
def connected(server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
    ):
        yield secured


def ask(secured: ssl.SSLSocket) -> bytes:
    secured.sendall(GET)
    received = b""
    while not received.endswith(b"127.0.0.1"):
        part = secured.recv(4096)
        if not part:
            break
        received += part
    return received


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_answers_and_resumes_sessions(authority: TestAuthority, service: Certified, version: ssl.TLSVersion) -> None:
    with Server(Tls(service.certificate, service.key)) as server:
        context = client(authority)
        context.minimum_version = context.maximum_version = version
        with connected(server, context) as first:
            assert ask(first).startswith(b"HTTP/1.1 200 OK")
            assert ask(first).startswith(b"HTTP/1.1 200 OK")
            session = first.session
        with connected(server, context, session) as second:
            assert ask(second).startswith(b"HTTP/1.1 200 OK")
            assert second.session_reused
        assert server.heard.empty()


def test_a_request_right_behind_the_handshake_is_not_lost(authority: TestAuthority, service: Certified) -> None:
    with Server(Tls(service.certificate, service.key)) as server:
        for _ in range(30):
            with connected(server, client(authority)) as secured:
                assert ask(secured).startswith(b"HTTP/1.1 200 OK")


def test_old_versions_are_refused(authority: TestAuthority, service: Certified) -> None:
    with Server(Tls(service.certificate, service.key)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
            plain.sendall(GET)
            while plain.recv(1000):
                pass
        assert server.note() == ("tls-handshake", "127.0.0.1")


def test_mutual(authority: TestAuthority, service: Certified, tmp_path: Path) -> None:
    station = authority.issue("station")
    stranger = TestAuthority(tmp_path, "kestrel").issue("stranger")
    with Server(Tls(service.certificate, service.key, authority.certificate)) as server:
        with connected(server, client(authority, station)) as secured:
            assert ask(secured).startswith(b"HTTP/1.1 200 OK")
            session = secured.session
        with connected(server, client(authority, station), None) as secured:
            assert ask(secured).startswith(b"HTTP/1.1 200 OK")
        context = client(authority, station)
        with connected(server, context) as secured:
            ask(secured)
            session = secured.session
        with connected(server, context, session) as secured:
            assert ask(secured).startswith(b"HTTP/1.1 200 OK")
            assert secured.session_reused
        assert server.heard.empty()
        for other in (None, stranger):
            # With TLS 1.3 the client's part is over before the service looks at its certificate.
            with contextlib.suppress(ssl.SSLError, ConnectionError), connected(server, client(authority, other)) as secured:
                assert ask(secured) == b""
            assert server.note() == ("tls-handshake", "127.0.0.1")


def test_handshakes_that_never_end(authority: TestAuthority, service: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake_module, "HANDSHAKE_TIMEOUT", 1.0)
    with Server(Tls(service.certificate, service.key), max_handshakes=5) as server:
        silent = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(8)]
        # Three too many: they are cut at once, the others in time; then there is room again.
        assert [server.note() for _ in range(8)] == [("queue-full", "127.0.0.1")] * 3 + [("tls-handshake", "127.0.0.1")] * 5
        for plain in silent:
            with plain, contextlib.suppress(ConnectionError):
                assert plain.recv(1) == b""
        with connected(server, client(authority)) as secured:
            assert ask(secured).startswith(b"HTTP/1.1 200 OK")
        assert server.connections is not None
        assert server.connections.handshakes == 0


def test_certificates_are_read_again(authority: TestAuthority, service: Certified, tmp_path: Path) -> None:
    other = TestAuthority(tmp_path, "kestrel")
    with Server(Tls(service.certificate, service.key)) as server:
        with connected(server, client(authority)) as kept:
            assert ask(kept)
            other.issue("service")  # The same files, with another authority's certificate.
            server.reloading.set()
            while server.reloading.is_set():
                time.sleep(0.01)
            with connected(server, client(other)) as secured:
                assert ask(secured).startswith(b"HTTP/1.1 200 OK")
            assert ask(kept).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(ssl.SSLError), connected(server, client(authority)):
            pass


def test_files_that_do_not_belong_together(authority: TestAuthority, service: Certified, tmp_path: Path) -> None:
    other = authority.issue("other")
    good = Tls(service.certificate, service.key)
    context = good.context()
    for bad in (
        Tls(service.certificate, other.key),
        Tls(tmp_path / "none", other.key),
        good._replace(client_authority=other.key),
    ):
        with pytest.raises(UsageError, match="TLS cannot be set up"):
            bad.context()
        with pytest.raises(UsageError, match="TLS cannot be set up"):
            bad.load(context)
