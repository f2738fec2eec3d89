"""TLS handshakes: so many at a time and no longer than so long, and noted where they fail."""

import asyncio
import ssl
from typing import Any, Final

from scrutineer.http.connection import Connection, host_of
from scrutineer.http.connections import OVERFLOW, Connections

HANDSHAKE_TIMEOUT: Final = 10.0  # seconds for the TLS handshake of one client
GOODBYE_TIMEOUT: Final = 5.0  # seconds for a client to say goodbye at the end
FAILED: Final = "tls-handshake"
"""What is noted where a handshake fails: no certificate where one is asked for, another's, none of our protocols, or too slow."""
TURNED_AWAY: Final = "queue-full"
"""What is noted where too many are connected, or shaking hands, already."""


class Handshake(asyncio.Protocol):
    """A client that is connected and has yet to agree on keys; then a `Connection` takes over."""

    _running: Final[set["asyncio.Task[None]"]] = set()  # Tasks live only while somebody holds them.

    def __init__(self, shared: Connections, context: ssl.SSLContext) -> None:
        self._shared = shared
        self._context = context
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        shared = self._shared
        if shared.handshakes >= shared.max_handshakes or len(shared.open) + shared.handshakes >= shared.limit + OVERFLOW:
            self._note(TURNED_AWAY, transport)
            transport.abort()  # type: ignore[attr-defined]
            return
        shared.handshakes += 1
        task = asyncio.get_running_loop().create_task(self._shake_hands(transport))  # type: ignore[arg-type]
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol: what the client says before `start_tls` listens.

        A transport cannot be kept from reading until then: uvloop begins to read after `connection_made`, whatever was asked
        there, and the first words of a fast client come before the task runs.
        """
        self._early.append(data)

    def _hand_over(self, transport: asyncio.Transport) -> None:
        """Give what came early to the protocol that `start_tls` has put in this one's place."""
        early, self._early = b"".join(self._early), []
        # A buffered protocol by its methods, though not by its class.
        protocol: Any = transport.get_protocol()
        while early and protocol is not self:
            buffer = memoryview(protocol.get_buffer(len(early)))
            count = min(len(buffer), len(early))
            buffer[:count] = early[:count]
            protocol.buffer_updated(count)
            early = early[count:]

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        connection = Connection(self._shared)
        loop = asyncio.get_running_loop()
        # It runs when `start_tls` first waits, before anything else can be read.
        loop.call_soon(self._hand_over, transport)
        try:
            secured = await loop.start_tls(
                transport,
                connection,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=GOODBYE_TIMEOUT,
            )
        except OSError as e:  # All of TLS's errors are, as are those of time and of the network.
            print("DBG",repr(e)); self._note(FAILED, transport)
            transport.abort()
            return
        finally:
            self._shared.handshakes -= 1
        if secured is None or secured.is_closing():
            transport.abort()
            return
        connection.connection_made(secured)

    def _note(self, reason: str, transport: asyncio.BaseTransport) -> None:
        if self._shared.note is not None:
            self._shared.note(reason, host_of(transport))
