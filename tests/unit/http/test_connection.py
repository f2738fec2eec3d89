"""Connections that are slow, silent or too many; the clock is set by hand."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from scrutineer.http.connection import (
    CROWDED_TIMEOUT,
    IDLE_TIMEOUT,
    LINGER_TIMEOUT,
    MAX_FIELDS,
    MAX_FRAMING_SIZE,
    MAX_PIPELINED,
    OVERFLOW,
    REQUEST_TIMEOUT,
    Connection,
    Connections,
    Done,
    Request,
    Response,
)
from scrutineer.http.forwarded import read_networks

GET = b"GET /heron HTTP/1.1\r\nHost: here\r\n\r\n"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """Keeps every request until it is told to answer."""

    def __init__(self, limit: int = 100) -> None:
        self.clock = Clock()
        self.waiting: list[tuple[Request, Done]] = []
        self.shared = Connections(lambda request, done: self.waiting.append((request, done)), self.clock, limit)
        self.later(0)

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.shared.sweep(b"date: today\r\n")

    async def has(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.waiting) < count:
                await asyncio.sleep(0.001)

    async def connected(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.shared.open) != count:
                await asyncio.sleep(0.001)


Work = Callable[[Server, Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]], Awaitable[None]]


def run(work: Work, server: Server | None = None) -> None:
    async def main() -> None:
        state = server or Server()
        listener = await asyncio.get_running_loop().create_server(lambda: Connection(state.shared), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        writers: list[asyncio.StreamWriter] = []

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            return reader, writer

        try:
            await asyncio.wait_for(work(state, connect), 30)
        finally:
            for writer in writers:
                writer.close()
            listener.close()
            state.shared.abort()

    asyncio.run(main())


def test_a_request_that_never_ends_is_refused_in_time() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        reader, writer = await connect()
        writer.write(b"POST /entries HTTP/1.1\r\nHost: h")
        await server.connected(1)
        await asyncio.sleep(0.05)
        server.later(REQUEST_TIMEOUT - 1)
        writer.write(b"ere\r\nContent-Length: 5\r\n\r\n12")
        await asyncio.sleep(0.05)
        server.later(2)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"connection: close\r\n" in answer
        # The client that does not hang up is cut off.
        server.later(LINGER_TIMEOUT + 1)
        await server.connected(0)

    run(work)


def test_a_silent_connection_is_closed_but_not_one_that_waits_for_its_answer() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        silent, _ = await connect()
        patient, writer = await connect()
        writer.write(GET)
        await server.has(1)
        server.later(IDLE_TIMEOUT + 1)
        assert await silent.read() == b""
        await server.connected(1)
        server.waiting[0][1](Response(200, b"", b"heron"))
        assert (await patient.readuntil(b"heron")).startswith(b"HTTP/1.1 200 OK\r\ndate: today\r\n")

    run(work)


def test_too_many_clients() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        await connect()
        await server.connected(1)
        reader, _ = await connect()
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"retry-after: 1\r\n" in answer

    run(work, Server(limit=1))


def test_answers_out_of_order_go_out_in_order() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        reader, writer = await connect()
        writer.write(GET * 3)
        await server.has(3)
        for number in (2, 0, 1):
            server.waiting[number][1](Response(200, b"", b"bird %d;" % number))
        received = await reader.readuntil(b"bird 2;")
        assert [received.index(b"bird %d;" % number) for number in range(3)] == sorted(
            received.index(b"bird %d;" % number) for number in range(3)
        )

    run(work)


def test_a_client_that_asks_without_end_is_held_back() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        reader, writer = await connect()
        for _ in range(200):
            writer.write(GET * MAX_PIPELINED)
        await server.has(MAX_PIPELINED)
        await asyncio.sleep(0.1)
        taken = len(server.waiting)
        assert taken < 200 * MAX_PIPELINED
        answered = 0
        while answered < 200 * MAX_PIPELINED:
            await server.has(answered + 1)
            for _, done in server.waiting[answered:]:
                done(Response(200, b"", b""))
                answered += 1
        assert (await reader.readexactly(12)) == b"HTTP/1.1 200"

    run(work)


def test_a_client_that_takes_no_answers_is_cut_off() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        reader, writer = await connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET * 3)
        await server.has(3)
        for _, done in server.waiting:
            done(Response(200, b"", bytes(8_000_000)))
        server.later(REQUEST_TIMEOUT + 1)
        await server.connected(0)

    run(work)


def test_closing_answers_what_was_asked() -> None:
    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        idle, _ = await connect()
        reader, writer = await connect()
        writer.write(GET)
        await server.has(1)
        server.shared.close()
        assert await idle.read() == b""
        writer.write(GET)
        server.waiting[0][1](Response(200, b"", b"heron"))
        assert (await reader.read()).endswith(b"heron")
        assert len(server.waiting) == 1

    run(work)


Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def test_many_or_endless_header_fields_are_refused() -> None:
    async def work(server: Server, connect: Connect) -> None:
        heads = (
            b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(MAX_FIELDS)) + b"\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX-Wren: " + b"y" * (MAX_FRAMING_SIZE + 100_000),
            b"GET /" + b"y" * (MAX_FRAMING_SIZE + 100_000),
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * (MAX_FRAMING_SIZE + 100_000),
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: "
            + b"y" * (MAX_FRAMING_SIZE + 100_000),
        )
        for head in heads:
            reader, writer = await connect()
            writer.write(head)
            assert (await reader.read(400)).startswith(b"HTTP/1.1 431 "), head[:40]
        assert not server.waiting
        assert server.shared.partial == 0

    run(work)


def test_encodings_are_refused() -> None:
    async def work(server: Server, connect: Connect) -> None:
        for field, status in (
            (b"Content-Encoding: gzip", 415),
            (b"Content-Encoding: br, gzip", 415),
            (b"Transfer-Encoding: gzip, chunked", 400),
        ):
            reader, writer = await connect()
            length = b"" if field.startswith(b"Transfer") else b"Content-Length: 2\r\n"
            body = b"ab" if length else b""
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n" + length + b"\r\n" + body)
            assert (await reader.read(400)).startswith(b"HTTP/1.1 %d " % status), field
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nab")
        await server.has(1)

    run(work)


def test_bodies_that_wait_for_answers_are_bounded_in_all() -> None:
    server = Server()
    server.shared.max_held = 1_000

    async def work(server: Server, connect: Connect) -> None:
        reader, writer = await connect()
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n" + bytes(400)
        writer.write(post * 3)
        await server.has(2)
        assert server.shared.held == 800
        for _, done in server.waiting:
            done(Response(200, b"", b""))
        received = await reader.read(100_000)
        while received.count(b"HTTP/1.1") < 3:
            received += await reader.read(100_000)
        assert received.count(b"HTTP/1.1 200 ") == 2
        assert received.count(b"HTTP/1.1 503 ") == 1
        assert server.shared.held == 0
        writer.write(post)
        await server.has(3)
        # With a reset; after a mere farewell the service would still answer.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await server.connected(0)
        # The client has gone, but its statement is still with the service.
        assert server.shared.held == 400
        server.waiting[2][1](Response(200, b"", b""))
        assert server.shared.held == 0

    run(work, server)


def test_unfinished_requests_are_bounded_in_all_and_whole_ones_are_not_turned_away() -> None:
    server = Server()
    server.shared.max_partial = 100_000

    async def work(server: Server, connect: Connect) -> None:
        slow = [await connect() for _ in range(20)]
        for _, writer in slow:
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + bytes(15_000))
            await asyncio.sleep(0.005)
        assert server.shared.partial <= 100_000
        _, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n" + bytes(30_000))
        await server.has(1)
        answers = [await asyncio.wait_for(reader.read(12), 0.05) for reader, _ in slow[:1]]
        assert answers == [b"HTTP/1.1 503"]
        for _, writer in slow:
            writer.close()
        await server.connected(1)
        assert server.shared.partial == 0

    run(work, server)


def test_one_network_leaves_room_for_others() -> None:
    async def work(server: Server, connect: Connect) -> None:
        crowd = [await connect() for _ in range(10)]
        await asyncio.sleep(0.05)
        refused = [reader for reader, _ in crowd if b"429" in await _soon(reader)]
        assert 3 <= len(refused) <= 5
        assert b"network-busy" in await refused[0].read()

    run(work, Server(limit=10))


async def _soon(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(20), 0.05)
    except TimeoutError:
        return b""


def test_when_it_is_crowded_who_does_nothing_leaves_sooner() -> None:
    async def work(server: Server, connect: Connect) -> None:
        server.shared.proxies = read_networks(["127.0.0.1"])
        quiet = [await connect() for _ in range(8)]
        quiet[0][1].write(b"POST / HTTP/1.1\r\nHost: a\r\n")
        quiet[1][1].write(GET)
        await server.has(1)
        await server.connected(8)
        server.later(CROWDED_TIMEOUT + 1)
        await server.connected(2)
        server.later(LINGER_TIMEOUT + 1)
        await server.connected(1)
        server.waiting[0][1](Response(200, b"", b"heron"))
        assert (await quiet[1][0].readuntil(b"heron")).startswith(b"HTTP/1.1 200")

    run(work, Server(limit=10))


def test_far_too_many_connections_are_cut() -> None:
    heard: list[tuple[str, str]] = []
    server = Server(limit=1)
    server.shared.note = lambda reason, peer: heard.append((reason, peer))

    async def work(server: Server, connect: Connect) -> None:
        readers = [(await connect())[0] for _ in range(OVERFLOW + 11)]
        answers = [await _whole(reader) for reader in readers[1:]]
        assert sum(b"queue-full" in answer for answer in answers) == OVERFLOW
        assert answers.count(b"") == 10
        assert heard == [("queue-full", "127.0.0.1")] * (OVERFLOW + 10)

    run(work, server)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def test_clients_behind_a_proxy_are_known_by_what_it_passes_on() -> None:
    heard: list[tuple[str, str]] = []
    server = Server()
    server.shared.note = lambda reason, peer: heard.append((reason, peer))

    async def work(server: Server, connect: Connect) -> None:
        field = b"X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n"
        _, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n")
        await server.has(1)
        server.shared.proxies = read_networks(["127.0.0.0/8"])
        _, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n" + GET)
        await server.has(3)
        assert [request.peer for request, _ in server.waiting] == ["127.0.0.1", "192.0.2.7", "127.0.0.1"]
        for _, done in server.waiting:
            done(Response(404, b"", b"", "not-found"))
        assert heard == [("not-found", peer) for peer in ("127.0.0.1", "192.0.2.7", "127.0.0.1")]

    run(work, server)


def test_a_request_to_switch_protocols_has_one_answer() -> None:
    async def work(server: Server, connect: Connect) -> None:
        upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
        for request in (upgrade, upgrade + b"PRI * HTTP/2.0\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n\0\1"):
            reader, writer = await connect()
            writer.write(request)
            received = await reader.read()
            assert received.count(b"HTTP/1.1 400 ") == received.count(b"HTTP/1.1 ") == 1
        assert not server.waiting

    run(work)


def test_many_requests_at_once_leave_others_their_turn_and_are_answered_whole_and_in_order() -> None:
    server = Server()
    count = 4 * MAX_FRAMING_SIZE // len(GET)
    seen: list[bytes] = []

    def answer(request: Request, done: Done) -> None:
        seen.append(request.path)
        done(Response(200, b"", b"%d" % len(seen)))

    server.shared.handler = answer

    async def work(server: Server, connect: Connect) -> None:
        (many, hasty), (other, patient) = await connect(), await connect()
        await server.connected(2)
        hasty.write(GET * count)
        patient.write(GET.replace(b"heron", b"owl"))
        assert await _answers(other, 1) != [b"%d" % (count + 1)]
        assert seen.index(b"/owl") < 8 * MAX_PIPELINED
        answers = await _answers(many, count)
        assert answers == [b"%d" % place for place, path in enumerate(seen, 1) if path == b"/heron"]
        assert server.shared.partial == 0

    run(work, server)


def test_what_waits_for_its_turn_counts_and_is_given_up_first() -> None:
    server = Server()
    server.shared.max_partial = 20_000

    async def work(server: Server, connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(GET * (60_000 // len(GET)))
        await server.has(MAX_PIPELINED)
        assert server.shared.partial == 0
        # Those that were taken are answered; the one behind them hears why it is not.
        for _, done in server.waiting[:]:
            done(Response(200, b"", b""))
        assert (await reader.read()).rpartition(b"HTTP/1.1 ")[2].startswith(b"503")

    run(work, server)


async def _answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """The bodies of so many answers."""
    bodies = []
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        bodies.append(await reader.readexactly(length))
    return bodies


def test_a_fault_of_the_service_is_not_called_one_of_the_client() -> None:
    def fail(_: Request, __: Done) -> None:
        raise RuntimeError("kestrel")

    async def work(server: Server, connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        server.shared.handler = fail
        reader, writer = await connect()
        for _ in range(2):  # The connection goes on.
            writer.write(GET)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 503 ")
            await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r")[0]))
        assert [str(error) for error in told] == ["kestrel"] * 2
        assert server.shared.held == 0

    run(work)
