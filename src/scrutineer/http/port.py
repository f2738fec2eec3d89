"""A port that is listened on, with or without TLS, and how it is left: nobody's answer is cut off."""

import asyncio
import contextlib
import email.utils
import errno
import resource
import signal
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.errors import UsageError
from scrutineer.http.connection import Connection, Connections
from scrutineer.http.handshake import Listener

CLOSING_GRACE: Final = 5.0  # seconds that clients have to hang up after their last answer
BACKLOG: Final = 2_048  # connections waiting to be accepted
MAX_CONNECTIONS: Final = 10_000
SPARE_FILES: Final = 192  # open files beside the connections


class Address(NamedTuple):
    """Where a service listens."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Tls(NamedTuple):
    """What a service needs for TLS: its certificate chain and key (PEM), and where clients must show a certificate, whose."""

    certificate: Path
    key: Path
    client_authority: Path | None = None
    """PEM certificates of the authorities that issue the clients' certificates (mutual TLS); None: clients show none."""

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer with session tickets. Raises UsageError for files that cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # A client would have the dear part of a handshake again and again.
        self.load(context)
        if self.client_authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Read the files into a context, for the first time or again, for clients from now on. Raises UsageError."""
        try:
            # A trial first, so that files that do not belong together leave the context as it was.
            for trial in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
                trial.load_cert_chain(self.certificate, self.key)
                if self.client_authority is not None:
                    trial.load_verify_locations(self.client_authority)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in self if path is not None)
            raise UsageError(f"TLS cannot be set up with {files} ({error}): give PEM files that belong together") from error


class Port:
    """One listening port. `open` it in the event loop; whoever opened it calls `close` and then `drain`."""

    def __init__(
        self, server: asyncio.Server | Listener, address: Address, tls: Tls | None, context: ssl.SSLContext | None
    ) -> None:
        self._server = server
        self._tls = tls
        self._context = context
        self.address = address

    @classmethod
    async def open(cls, connections: Connections, host: str, port: int, tls: Tls | None = None) -> "Port":
        """Listen; port 0 takes a free one. Raises UsageError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        context = tls.context() if tls is not None else None
        try:
            server: asyncio.Server | Listener
            if context is not None:
                server = await Listener.open(host, port, BACKLOG, connections, context)
            else:
                server = await loop.create_server(
                    lambda: Connection(connections), host, port, backlog=BACKLOG, reuse_address=True
                )
        except OSError as error:
            raise _address_error(host, port, error) from error
        name, number = server.sockets[0].getsockname()[:2]
        return cls(server, Address(name, number, "http" if tls is None else "https"), tls, context)

    def reload(self) -> None:
        """Read certificate and key again, for connections from now on; without TLS there is nothing to do. Raises UsageError."""
        if self._tls is not None and self._context is not None:
            self._tls.load(self._context)

    def close(self) -> None:
        """Accept no more clients."""
        self._server.close()


async def drain(connections: Connections, grace: float = CLOSING_GRACE) -> None:
    """Wait until clients have read their last answers and hung up; cut off those that do not in time (seconds)."""
    connections.close()
    deadline = time.monotonic() + grace
    while connections.open and time.monotonic() < deadline:
        connections.close()
        await asyncio.sleep(0.01)
    connections.abort()


def connection_limit() -> int:
    """How many connections the open files that this process may have leave room for; asks for as many as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)


def date_field() -> bytes:
    """The Date header field as of now."""
    return b"date: " + email.utils.formatdate(usegmt=True).encode() + b"\r\n"


def stop_on_signals(stop: asyncio.Event) -> bool:
    """Let SIGTERM and SIGINT set `stop`; whether they do, which only the main thread of a program can ask for."""
    if threading.current_thread() is not threading.main_thread():
        return False
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return True


async def each_second(work: Callable[[], object]) -> None:
    """Call `work` once a second until the task is cancelled."""
    while True:
        await asyncio.sleep(1)
        work()


def _address_error(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"port {port} on {host} is in use: stop the other program, or choose another port")
    if error.errno in (errno.EACCES, errno.EPERM):
        return UsageError(f"port {port} on {host} may not be used by this user: choose one above 1023")
    return UsageError(f"cannot listen on {host}, port {port} ({error.strerror or error}): check host and port")
