# ruff: noqa: E402 - run as a program, this file finds the package by itself
"""Fuzzes the HTTP parser: mutated requests in random pieces against a real connection, in process.

    python tests/fuzz/fuzz_http.py --runs 1000000 --seed 7

Whatever comes in, nothing is raised, every request that began is answered or its connection ended, answers are HTTP in good
order, and what is kept of unfinished requests stays within its limits and is given back.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httptools

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "src")]

from scrutineer.http import Connection, Connections, Done, Request, Response
from scrutineer.http.connection import IDLE_TIMEOUT, MAX_FRAMING_SIZE, PIECE, REQUEST_TIMEOUT
from scrutineer.http.connections import BUFFER_SIZE
from scrutineer.http.forwarded import read_networks

MAX_BODY: Final = 2_000  # bytes
SEEDS: Final = (
    b"GET /heron HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"POST /entries HTTP/1.1\r\nHost: a\r\nContent-Type: application/cose\r\nContent-Length: 5\r\n\r\nheron",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nheron\r\n3;x=y\r\nowl\r\n0\r\nTrailer: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nowl",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nowl",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n" + bytes(2001),
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)
TOKENS: Final = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n",
    b"Host: b\r\n",
    b"X: " + b"y" * 20_000,
    b"x:y\r\n" * 120,
)


class Transport(asyncio.Transport):
    """Takes what is written; a client behind a proxy."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.ended = False
        self.paused = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("10.0.0.9", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written behind the end"
        self.written += data

    def is_closing(self) -> bool:
        return self.ended

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Answers:
    """Reads what was written, strictly."""

    def __init__(self, written: bytes, head_only: bool) -> None:
        self.statuses: list[int] = []
        self._parser = httptools.HttpResponseParser(self)
        if not head_only:
            self._parser.feed_data(written)

    def on_message_complete(self) -> None:
        self.statuses.append(self._parser.get_status_code())


def run_one(source: random.Random, data: bytes) -> list[int]:
    """Feed a connection; the statuses that came back."""
    now = [0.0]
    asked: list[tuple[Request, Done]] = []
    turns: list[Callable[[], object]] = []
    shared = Connections(
        lambda request, done: asked.append((request, done)),
        lambda: now[0],
        max_body=MAX_BODY,
        proxies=read_networks(["10.0.0.0/8"]),
        note=lambda reason, peer: None,
        soon=lambda work: turns.append(work),
    )
    shared.sweep(b"date: today\r\n")
    transport = Transport()
    connection = Connection(shared)
    connection.connection_made(transport)
    at = answered = 0
    while at < len(data):
        size = source.choice((1, 7, 100, 20_000, len(data)))
        if len(data) > 2_000 and size < 100:
            size += 5_000
        part = data[at : at + min(size, BUFFER_SIZE)]
        at += len(part)
        connection.get_buffer(-1)[: len(part)] = part
        connection.buffer_updated(len(part))
        while transport.paused and not transport.ended:
            # Nothing more is read before what was read is parsed, or answered.
            assert shared.partial <= MAX_FRAMING_SIZE + 2 * PIECE + MAX_BODY + BUFFER_SIZE
            answered = _answer(source, asked, answered, all_of_them=not turns)
            _take_turns(turns)
        assert shared.partial <= MAX_FRAMING_SIZE + 2 * PIECE + MAX_BODY
        if source.random() < 0.5:
            answered = _answer(source, asked, answered, all_of_them=False)
    answered = _answer(source, asked, answered, all_of_them=True)
    assert shared.held == 0
    # Time passes, and no more comes.
    now[0] += REQUEST_TIMEOUT + 1
    shared.sweep(b"date: today\r\n")
    began = bool(data.strip(b"\r\n"))
    head_only = any(request.method == b"HEAD" for request, _ in asked)
    answers = Answers(bytes(transport.written), head_only)
    assert not began or transport.written, "no answer"
    final = [status for status in answers.statuses if status >= 200]
    assert head_only or len(final) >= len(asked), "a request has no answer"
    now[0] += IDLE_TIMEOUT + 1
    shared.sweep(b"date: today\r\n")
    assert transport.ended, "the connection stays open for nothing"
    connection.connection_lost(None)
    assert (shared.partial, shared.held, len(shared.open)) == (0, 0, 0)
    return answers.statuses


def _take_turns(turns: list[Callable[[], object]]) -> None:
    while turns:
        turns.pop(0)()


def _answer(source: random.Random, asked: list[tuple[Request, Done]], answered: int, *, all_of_them: bool) -> int:
    while answered < len(asked) and (all_of_them or source.random() < 0.7):
        request, done = asked[answered]
        assert len(request.body) <= MAX_BODY
        done(Response(200, b"", b"heron"))
        answered += 1
    return answered


def inputs(source: random.Random) -> Iterator[bytes]:
    """Requests one behind the other, mutated, without end."""
    while True:
        data = bytearray(b"".join(source.choices(SEEDS, k=source.choice((1, 1, 2, 5, 40)))))
        for _ in range(min(int(source.expovariate(0.5)), 8)):
            position = source.randrange(len(data) + 1)
            kind = source.randrange(6)
            if kind == 0 and position < len(data):
                data[position] ^= 1 << source.randrange(8)
            elif kind == 1:
                data[position:position] = source.choice(TOKENS)
            elif kind == 2:
                del data[position : position + 1 + int(source.expovariate(0.1))]
            elif kind == 3:
                del data[position:]
            elif kind == 4:
                end = position + 1 + int(source.expovariate(0.05))
                data[position:position] = data[position:end] * source.choice((1, 2, 500))
            else:
                data[position:position] = source.randbytes(source.randrange(9))
        yield bytes(data[:400_000])


def fuzz(runs: int, seed: int) -> dict[int, int]:
    """Run so many inputs; how often each status came back."""
    source = random.Random(seed)
    found = inputs(source)
    statuses: dict[int, int] = {}
    for _ in range(runs):
        data = next(found)
        try:
            for status in run_one(source, data):
                statuses[status] = statuses.get(status, 0) + 1
        except BaseException:
            print(f"failing input: {data[:4_000].hex()}", file=sys.stderr)
            raise
    return statuses


def main() -> None:
    """Fuzz from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the HTTP parser.")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(fuzz(arguments.runs, arguments.seed))


if __name__ == "__main__":
    main()
