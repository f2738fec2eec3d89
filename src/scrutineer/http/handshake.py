"""Clients of a TLS port until they have agreed on keys: so many at a time and no longer than so long, noted where that fails.

The event loop's own server says nothing of handshakes that fail, and takes any number of them. So sockets are accepted here.
"""

import asyncio
import contextlib
import socket
import ssl
from typing import Final

from scrutineer.http.connection import Connection, host_of_name
from scrutineer.http.connections import OVERFLOW, Connections

HANDSHAKE_TIMEOUT: Final = 10.0  # seconds for the TLS handshake of one client
GOODBYE_TIMEOUT: Final = 5.0  # seconds for a client to say goodbye at the end
FAILED: Final = "tls-handshake"
"""What is noted where a handshake fails: no certificate where one is asked for, another's, none of our protocols, or too slow."""
TURNED_AWAY: Final = "queue-full"
"""What is noted where too many are connected, or shaking hands, already."""

_AT_A_TIME: Final = 64  # clients accepted before others get their turn
_PAUSE: Final = 1.0  # seconds without accepting, when there are no more open files to be had


class Listener:
    """Accepts the clients of a TLS port. `open` it in the event loop."""

    def __init__(self, sockets: list[socket.socket], shared: Connections, context: ssl.SSLContext) -> None:
        """Use `open`."""
        self.sockets = sockets
        self._shared = shared
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()  # Tasks live only while somebody holds them.
        self._closed = False
        self._listen()

    @classmethod
    async def open(cls, host: str, port: int, backlog: int, shared: Connections, context: ssl.SSLContext) -> "Listener":
        """Listen on every address that the host's name has. Raises OSError."""
        loop = asyncio.get_running_loop()
        places = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        sockets: list[socket.socket] = []
        try:
            for family, _, _, _, address in dict.fromkeys(places):
                sockets.append(socket.create_server(address[:2], family=family, backlog=backlog))
                sockets[-1].setblocking(False)
        except OSError:
            for one in sockets:
                one.close()
            raise
        return cls(sockets, shared, context)

    def close(self) -> None:
        """Accept no more clients, and end handshakes under way."""
        self._closed = True
        for one in self.sockets:
            self._loop.remove_reader(one)
            one.close()
        for task in self._running:
            task.cancel()

    def _listen(self) -> None:
        if not self._closed:
            for one in self.sockets:
                self._loop.add_reader(one, self._accept, one)

    def _accept(self, listening: socket.socket) -> None:
        shared = self._shared
        for _ in range(_AT_A_TIME):
            try:
                client, name = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # No files are left: the client waits in the backlog until there are.
                for one in self.sockets:
                    self._loop.remove_reader(one)
                self._loop.call_later(_PAUSE, self._listen)
                return
            if shared.handshakes >= shared.max_handshakes or len(shared.open) + shared.handshakes >= shared.limit + OVERFLOW:
                self._note(TURNED_AWAY, name)
                client.close()
                continue
            client.setblocking(False)
            shared.handshakes += 1
            task = self._loop.create_task(self._shake_hands(client, name))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _shake_hands(self, client: socket.socket, name: object) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: Connection(self._shared),
                client,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=GOODBYE_TIMEOUT,
            )
        except OSError:  # All errors of TLS are of this class, as are those of time and of the network.
            self._note(FAILED, name)
            with contextlib.suppress(OSError):
                client.close()
        finally:
            self._shared.handshakes -= 1

    def _note(self, reason: str, name: object) -> None:
        if self._shared.note is not None:
            self._shared.note(reason, host_of_name(name))
