"""More than the service can do: stolen keys, thousands of hostile connections. Memory stays bounded, and honest ones get in.

SCRUTINEER_OVERLOAD=10000 opens so many hostile connections, and has a thousand stolen keys keep 30,000 stations from reporting.
"""

import asyncio
import collections
import contextlib
import itertools
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from attack_helpers import SHED, AttackedService, post, send_all
from intake_helpers import log_signer, republic
from scrutineer.intake import Refused, Registered, submit

HOSTILE = int(os.environ.get("SCRUTINEER_OVERLOAD", "1500"))
STATIONS = 31_000 if HOSTILE >= 10_000 else 900
STOLEN = 1_000 if HOSTILE >= 10_000 else 100
VERIFIER = log_signer().verifier


@pytest.mark.parametrize("networks", [1, 20], ids=["one network", "many networks"])
def test_stolen_keys_keep_no_station_out(tmp_path: Path, networks: int) -> None:
    """Sheets that are validly signed with stolen keys, each another one, as fast as they go; every other station reports."""
    land = republic(STATIONS)
    thieves, honest = land.stations[:STOLEN], land.stations[STOLEN:]
    # Signed beforehand, so that the flood is one; beyond them the thieves say the same again.
    loot = [land.sheet(thieves[n % STOLEN], time=n) for n in range(60 * STOLEN)]
    results: list[Registered] = []
    refused: list[Refused] = []
    stop = threading.Event()
    heard: collections.Counter[tuple[str, str]] = collections.Counter()
    with AttackedService(land, tmp_path, capacity=128) as service:

        def stolen(network: int) -> Iterator[tuple[str, bytes]]:
            for sheet in itertools.cycle(loot[network::networks]):
                if stop.is_set():
                    return
                yield "stolen", post(sheet)

        async def flood() -> None:
            floods = (
                send_all(service.port, stolen(n), connections=max(1, 40 // networks), source=f"127.0.{n}.1")
                for n in range(networks)
            )
            for part in await asyncio.gather(*floods):
                heard.update(part)

        flooding = threading.Thread(target=lambda: uvloop.run(flood()))
        flooding.start()
        try:
            time.sleep(1)
            submit(
                [land.sheet(station) for station in honest],
                service.url,
                VERIFIER,
                registered=results.append,
                refused=refused.append,
                connections=8,
            )
        finally:
            stop.set()
            flooding.join()
        report = service.stop()
    assert refused == []
    assert len(results) == len(honest)
    # There was a flood, and it was held back.
    assert sum(count for (_, reason), count in heard.items() if reason in SHED) > 100
    assert {reason for _, reason in heard} <= SHED | {""}
    assert set(report["notes"]) <= SHED | {"duplicate"}


def hostile(port: int, number: int, spread: int) -> socket.socket:
    """One of several kinds of clients that want to be waited for."""
    client = socket.socket()
    client.bind((f"127.1.{number % spread}.1", 0))
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    kind = number % 5
    with contextlib.suppress(BlockingIOError):
        if kind == 1:
            client.send(b"POST /entries HTTP/1.1\r\nhost: a\r\nx-slow: " + b"y" * 8_000)
        elif kind == 2:
            client.send(b"POST /entries HTTP/1.1\r\nhost: a\r\ncontent-type: application/cose\r\ncontent-length: 60000\r\n\r\n")
            client.send(bytes(59_000))
        elif kind == 3:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.send(b"GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n" * 500)
        elif kind == 4:
            client.send(b"POST /entries HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5_000)
    return client


def test_hostile_connections_take_bounded_memory_and_keep_nobody_out(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < HOSTILE + 500:
        pytest.skip(f"this user may open {hard} files, and {HOSTILE + 500} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HOSTILE + 500), hard))
    land = republic(40)
    honest = [land.sheet(station, time=number) for number in range(5) for station in land.stations]
    with AttackedService(land, tmp_path) as service, contextlib.ExitStack() as stack:
        before = service.memory()
        most = before
        for number in range(HOSTILE):
            stack.enter_context(hostile(service.port, number, 200))
            if number % 100 == 0:
                most = max(most, service.memory())
        results: list[Registered] = []
        refused: list[Refused] = []
        submit(honest, service.url, VERIFIER, registered=results.append, refused=refused.append)
        most = max(most, service.memory())
        assert len(results) == len(honest)
        assert refused == []
        print(f"{HOSTILE} hostile connections: {before / 1e6:.0f} MB before, at most {most / 1e6:.0f} MB")
        assert most - before < 64_000_000 + 20_000 * HOSTILE
