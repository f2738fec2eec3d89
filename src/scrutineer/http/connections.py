"""What all connections of a server share: who answers, who is connected, and how much of everything there may be at a time."""

import asyncio
import collections
import heapq
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final

from scrutineer.http.forwarded import Network, is_trusted
from scrutineer.http.messages import Handler, Note, Refuse, problem_response
from scrutineer.http.problems import Problem

if TYPE_CHECKING:
    from scrutineer.http.connection import Connection

MAX_BODY_SIZE: Final = 64 * 1024  # bytes
MAX_HELD: Final = 64 * 1024 * 1024  # bytes of whole bodies that wait for their answers, of all connections
MAX_PARTIAL: Final = 16 * 1024 * 1024  # bytes of requests that have not arrived whole, of all connections
MAX_HANDSHAKES: Final = 1_024  # TLS handshakes under way
SHED: Final = 64  # requests given up at a time where too much is on its way
BUFFER_SIZE: Final = 128 * 1024  # bytes read from one connection at a time: more than any request has
OVERFLOW: Final = 64  # connections beyond the limit that are told so; more are cut without a word


def _soon(work: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_soon(work)


class Connections:
    """What all connections of a server share, and the current Date header field."""

    def __init__(
        self,
        handler: Handler,
        clock: Callable[[], float],
        limit: int = 10_000,
        *,
        refuse: Refuse = problem_response,
        max_body: int = MAX_BODY_SIZE,
        max_held: int = MAX_HELD,
        max_partial: int = MAX_PARTIAL,
        max_handshakes: int = MAX_HANDSHAKES,
        note: Note | None = None,
        network: Callable[[str], Hashable] = str,
        proxies: tuple[Network, ...] = (),
        soon: Callable[[Callable[[], object]], object] = _soon,
    ) -> None:
        """`clock` tells the time for timeouts, in seconds; `limit` is how many clients may be connected at a time.

        `refuse` words the answer to what never reaches the handler; `max_body` is how many bytes a body may have, `max_held` and
        `max_partial` all of them together; `note` hears of every answer that has a reason, whether or not the client still takes
        it, and of connections that are cut without one. `network` tells which addresses belong together: while more than half of
        the connections are taken, a network may have as many as are left. Clients behind `proxies` are known by the address
        that those pass on (X-Forwarded-For); from anyone else the field means nothing. `soon` has something done when others
        had their turn.
        """
        self.handler = handler
        self.limit = limit
        self.refuse = refuse
        self.max_body = max_body
        self.max_held = max_held
        self.max_partial = max_partial
        self.max_handshakes = max_handshakes
        self.note = note
        self.clock = clock
        self.now = clock()
        self.open: set[Connection] = set()
        self.handshakes = 0
        """TLS handshakes under way."""
        self.held = 0
        """Bytes of bodies that wait for their answers."""
        self.partial = 0
        """Bytes of requests that have not arrived whole, or have to wait for their turn."""
        self.buffer = memoryview(bytearray(BUFFER_SIZE))
        """Where what arrives is read into, one connection after the other."""
        self.date_field = b""
        self.closing = False
        self.proxies = proxies
        self.soon = soon
        self._network = network
        self._by_network: collections.Counter[Hashable] = collections.Counter()

    @property
    def crowded(self) -> bool:
        """Whether most places are taken, so that those who do nothing with theirs must leave them sooner."""
        return 4 * (len(self.open) + self.handshakes) > 3 * self.limit

    def trusts(self, peer: str) -> bool:
        """Whether a proxy at this address is believed who its clients are."""
        return bool(self.proxies) and is_trusted(peer, self.proxies)

    def join(self, connection: "Connection", peer: str, trusted: bool) -> Problem | None:
        """Take a connection in; why it has to leave again."""
        self.open.add(connection)
        network = self._network(peer)
        self._by_network[network] += 1
        taken = len(self.open)
        if taken > self.limit:
            return Problem("queue-full", f"{self.limit} clients are connected: try again a little later")
        if 2 * taken > self.limit and not trusted and self._by_network[network] > self.limit - taken + 1:
            return Problem("network-busy", "most of those who are connected come from your network: try again a little later")
        return None

    def part(self, connection: "Connection", peer: str) -> None:
        """A connection has ended."""
        if connection in self.open:
            self.open.remove(connection)
            network = self._network(peer)
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]

    def shed_partial(self) -> None:
        """Make room for requests that are not whole, by giving up those of which most has arrived, and the slowest of these."""
        for connection in heapq.nlargest(SHED, self.open, key=lambda connection: connection.unfinished):
            connection.shed()

    def sweep(self, date_field: bytes) -> None:
        """Once a second: renew the date, cut connections that are too slow or idle."""
        self.date_field = date_field
        self.now = self.clock()
        for connection in list(self.open):
            connection.sweep()

    def close(self) -> None:
        """Close every connection once it has its answers."""
        self.closing = True
        for connection in list(self.open):
            connection.close_when_answered()

    def abort(self) -> None:
        """Cut every connection."""
        for connection in list(self.open):
            connection.abort()
