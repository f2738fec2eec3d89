"""Connections that are slow, silent or too many; the clock is set by hand."""

import asyncio
from collections.abc import Awaitable, Callable

from scrutineer.http.connection import (
    IDLE_TIMEOUT,
    LINGER_TIMEOUT,
    MAX_PIPELINED,
    REQUEST_TIMEOUT,
    Connection,
    Connections,
    Done,
    Request,
    Response,
)

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
