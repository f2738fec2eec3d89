"""TLS: CPU time of the service for a handshake, and at a country's bursts over kept connections.

Starts the real service with TLS as a process. Handshakes: `openssl s_time` opens new connections, first with whole
handshakes, then with resumed sessions; the floor is `openssl s_server`, measured the same way in the same run. Bursts: 2,917 new
sheets a second (a million stations in an hour, ten times the mean) over connections that are kept, and the same without TLS.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import uvloop

from bench_flood import sheet
from bench_intake import HEAD, build, cpu_seconds, log_signer
from scrutineer.http import Tls
from scrutineer.intake import Address, ElectionFiles, Service
from scrutineer.intake.gate import StationGate
from scrutineer.log import Log, SqliteStore
from scrutineer.statements.bootstrap import open_election

BURST = 2_917  # sheets a second
GOAL = 25.0  # percent of one core, of the service and its checkers apart from the handshakes
CONNECTIONS = 64
TICK = 0.02  # seconds between two groups of sheets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="length of each measurement")
    parser.add_argument("--stations", type=int, default=20_000)
    parser.add_argument("--dir", type=Path, help="folder for the log, on the disk to be measured")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.plain)
        return
    if shutil.which("openssl") is None:
        print("skipped: openssl is not installed")
        return
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        run(Path(name), arguments.stations, arguments.seconds)


def run(folder: Path, stations: int, seconds: int) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    election, keys = build(folder, stations)
    ids = list(election.units.station_index)
    sheets = [sheet(election, ids[n % stations], keys[n % stations], n) for n in range(BURST * seconds)]
    print(f"{stations} stations; load average {os.getloadavg()[0]:.2f}", flush=True)
    floor = dict(zip(("new", "reuse"), handshakes_of_openssl(folder, seconds), strict=True))
    with Served(folder, plain=False) as served:
        for kind, what in (("new", "whole"), ("reuse", "resumed (TLS 1.2)")):
            cost = served.cost(lambda kind=kind: s_time(served.port, kind, seconds))  # type: ignore[misc]
            print(
                f"handshakes, {what}: {cost:.0f} us CPU of the service each, {floor[kind]:.0f} of openssl s_server "
                f"(ratio {cost / floor[kind]:.2f}); {1e6 / cost:,.0f} a second and core"
            )
    for plain in (True, False):
        shutil.rmtree(folder / "log")
        with Served(folder, plain=plain) as served:
            before = cpu_seconds(served.process.pid)
            started = time.monotonic()
            waits, shaken = uvloop.run(burst(served, None if plain else folder / "certificate.pem", sheets))
            lasted = time.monotonic() - started
            after = cpu_seconds(served.process.pid)
        share = {name: (after[name] - shaken.get(name, before[name])) / lasted * 100 for name in after}
        p99 = sorted(waits)[int(len(waits) * 0.99)] * 1e3
        whole = len(waits) == len(sheets) and len(waits) / lasted > 0.95 * BURST
        reached = ("reached" if share["service"] <= GOAL else "missed") if whole else "not measured, the burst was not carried"
        print(
            f"{len(waits) / lasted:,.0f} sheets/s {'without' if plain else 'with'} TLS over {CONNECTIONS} kept connections: "
            f"service {share['service']:.0f} % of a core, checkers {share.get('checkers', 0):.0f} %; p99 {p99:.1f} ms, "
            f"{len(sheets) - len(waits)} turned away" + ("" if plain else f"; goal {GOAL:.0f} % of the service: {reached}"),
            flush=True,
        )


class Served:
    """The service as a process."""

    def __init__(self, folder: Path, *, plain: bool) -> None:
        command = [sys.executable, __file__, "--serve", str(folder), *(["--plain"] if plain else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def cost(self, work: "object") -> float:
        """Microseconds of the service's own process for each of what `work` says it did."""
        before = cpu_seconds(self.process.pid)["service"]
        count = work()  # type: ignore[operator]
        return (cpu_seconds(self.process.pid)["service"] - before) / count * 1e6  # type: ignore[no-any-return]


def s_time(port: int, kind: str, seconds: int) -> int:
    """Open connections with openssl for some seconds; how many there were."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", f"-{kind}", "-time", str(seconds)]
    # With TLS 1.3 tickets come behind the handshake, and s_time does not wait for them: it would resume nothing.
    command += ["-tls1_2"] if kind == "reuse" else []
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count = int(re.findall(r"(\d+) connections in", output)[-1])
    if kind == "reuse" and output.count("r") < count // 2:
        print("sessions were not resumed: the figure below is of whole handshakes", flush=True)
    return count


def handshakes_of_openssl(folder: Path, seconds: int) -> Iterator[float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["openssl", "s_server", "-accept", str(port), "-cert", "certificate.pem", "-key", "key.pem", "-quiet"]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        time.sleep(1)
        for kind in ("new", "reuse"):
            before = cpu_seconds(process.pid)["service"]
            count = s_time(port, kind, seconds)
            yield (cpu_seconds(process.pid)["service"] - before) / count * 1e6
        process.terminate()


async def burst(served: Served, certificate: Path | None, sheets: list[bytes]) -> tuple[list[float], dict[str, float]]:
    """Send sheets at the pace of a burst; how long each waited, and the CPU time of the service when all were connected."""
    context = ssl.create_default_context(cafile=certificate) if certificate is not None else None
    lanes = [
        await asyncio.open_connection("127.0.0.1", served.port, ssl=context, server_hostname="localhost" if context else None)
        for _ in range(CONNECTIONS)
    ]
    connected = cpu_seconds(served.process.pid)
    waits: list[float] = []
    queues: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in lanes]
    begin = time.monotonic()
    counts = [len(range(lane, len(sheets), CONNECTIONS)) for lane in range(CONNECTIONS)]
    readers = [
        asyncio.create_task(_read(reader, queue, waits, count))
        for (reader, _), queue, count in zip(lanes, queues, counts, strict=True)
    ]
    sent = 0
    while sent < len(sheets):
        due = min(len(sheets), int((time.monotonic() - begin) * BURST))
        for number in range(sent, due):
            data = sheets[number]
            queues[number % CONNECTIONS].put_nowait(time.monotonic())
            lanes[number % CONNECTIONS][1].write(HEAD.format(len(data)).encode() + data)
        sent = max(sent, due)
        await asyncio.sleep(TICK)
    await asyncio.gather(*readers)
    for _, writer in lanes:
        writer.close()
    return waits, connected


async def _read(reader: asyncio.StreamReader, queue: "asyncio.Queue[float]", waits: list[float], count: int) -> None:
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        waited = time.monotonic() - await queue.get()
        # Turned away: the machine cannot do so much. The figures say how often.
        if head.startswith(b"HTTP/1.1 201"):
            waits.append(waited)


def serve(folder: Path, plain: bool) -> None:
    (folder / "log").mkdir(exist_ok=True)
    store = SqliteStore.open(folder / "log" / "log.sqlite", create=True)
    log = Log.open(store, log_signer())
    files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
    log.append([files.definition.read_bytes()])
    election = open_election(*(path.read_bytes() for path in files[:3]))

    def ready(address: Address) -> None:
        print(address.url, flush=True)

    tls = None if plain else Tls(folder / "certificate.pem", folder / "key.pem")
    Service(log, files, tls=tls, gate=StationGate.of(election), housekeeping=store.checkpoint_wal, ready=ready).run()
    log.close()


if __name__ == "__main__":
    main()
