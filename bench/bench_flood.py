"""Flood: requests signed with keys that nobody registered, while honest stations report a hundred times a second.

Starts the real service with its gate and its record of incidents as a process, has `wrk` (Debian package wrk) send sheets of
unregistered keys as fast as it can until a million are refused, and sends honest sheets beside it at a steady pace. Prints the
CPU time of the service for each refusal (what the honest sheets cost it, measured without a flood, is taken off and printed),
the ratio to a floor measured in the same run (the same connections code, which answers every request with a refusal prepared
beforehand and looks at nothing), what the checkers did meanwhile, and how long honest stations waited.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench_intake import HEAD, LUA, OPTIONS, build, cpu_seconds, log_signer
from scrutineer.election.definition import Election
from scrutineer.http import Connections, Done, Port, Problem, Request, problem_response
from scrutineer.http.port import connection_limit, date_field, each_second
from scrutineer.intake import Address, ElectionFiles, Progress, Service
from scrutineer.intake.gate import StationGate
from scrutineer.intake.incidents import IncidentRecord
from scrutineer.log import Log, SqliteStore
from scrutineer.statements import SigningKey, TallySheet, sign_statement
from scrutineer.statements.bootstrap import open_election

STRANGERS = 20_000  # sheets of unregistered keys, sent again and again
HONEST_RATE = 100  # sheets a second
QUIET = 300  # honest sheets before the flood, to see what one costs
ROUND = 5  # seconds of flood at a time
REFUSAL_GOAL = 15.0  # microseconds of CPU for each refusal
HONEST_GOAL = 100.0  # milliseconds, 99 of 100 honest sheets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="requests of unregistered keys")
    parser.add_argument("--stations", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--dir", type=Path, help="folder for the log, on the disk to be measured")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--echo", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
    elif arguments.echo:
        uvloop.run(echo())
    elif shutil.which("wrk") is None:
        print("skipped: wrk is not installed (apt install wrk)")
    else:
        with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
            run(Path(name), arguments.stations, arguments.requests, arguments.connections)


def run(folder: Path, stations: int, requests: int, connections: int) -> None:
    election, keys = build(folder, stations)
    ids = list(election.units.station_index)
    write_flood(folder, election, ids)
    seconds_at_most = max(60, requests // 10_000)
    honest = [sheet(election, ids[n % stations], keys[n % stations], n) for n in range(HONEST_RATE * seconds_at_most)]
    print(f"{stations} stations; load average {os.getloadavg()[0]:.2f}", flush=True)
    floor = flood(folder, ["--echo"], min(requests, 200_000), connections, [])
    print(f"floor: {floor['service']:.1f} us CPU a request, {floor['rate']:,.0f}/s: the same HTTP, nothing looked at", flush=True)
    result = flood(folder, ["--serve", str(folder)], requests, connections, honest)
    count = result["requests"]
    refusal = result["service"] - len(result["waits"]) * result["honest"] / count
    print(
        f"{count:,.0f} requests of unregistered keys, {result['rate']:,.0f}/s: {refusal:.1f} us CPU of the service each "
        f"({refusal / floor['service']:.2f} of the floor; {result['service']:.1f} with the honest sheets, which take "
        f"{result['honest']:.0f} each; {result['kernel']:.1f} of it in the kernel), "
        f"goal {REFUSAL_GOAL:.0f}: {'reached' if refusal <= REFUSAL_GOAL else 'missed'}; "
        f"answers {result['counts']}"
    )
    waits = sorted(result["waits"])
    p50, p99, worst = (waits[min(len(waits) - 1, int(len(waits) * share))] * 1e3 for share in (0.5, 0.99, 1))
    print(
        f"{len(waits)} honest sheets at {HONEST_RATE}/s meanwhile, all receipted: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst "
        f"{worst:.1f} ms; goal p99 {HONEST_GOAL:.0f}: {'reached' if p99 <= HONEST_GOAL else 'missed'}"
    )
    print(f"checkers: {result['checkers']:.2f} s CPU; the service's memory at most {result['memory'] / 1e6:.0f} MB", flush=True)


def sheet(election: Election, station: str, key: SigningKey, number: int) -> bytes:
    counts = tuple((number * 37 + option * 101) % 70 for option in range(OPTIONS))
    total = sum(counts) + 7
    payload = TallySheet(election.hash, station, "president", counts, 3, 4, total, total, 700, 1_735_700_000 + number)
    return sign_statement(payload, f"station/{station}", key)


def write_flood(folder: Path, election: Election, ids: list[str]) -> None:
    stranger = SigningKey(b"x" * 32)
    with (folder / "flood").open("wb") as file:
        for number in range(STRANGERS):
            data = sheet(election, ids[number % len(ids)], stranger.derive(str(number)), number)
            request = HEAD.format(len(data)).encode() + data
            file.write(len(request).to_bytes(3, "little") + request)
    (folder / "wrk.lua").write_text(LUA)


def flood(folder: Path, mode: list[str], requests: int, connections: int, honest: list[bytes]) -> dict:  # type: ignore[type-arg]
    """Flood a server until it has had so many requests; honest sheets go beside."""
    command = [sys.executable, __file__, *mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        waits: list[float] = []
        alone = uvloop.run(_honest_cost(process.pid, url, honest[:QUIET]))
        before, kernel = cpu_seconds(process.pid), kernel_seconds(process.pid)
        sent, busy = uvloop.run(_flood(folder, url, requests, connections, honest[QUIET:], waits))
        after, kernel = cpu_seconds(process.pid), kernel_seconds(process.pid) - kernel
        memory = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[0]) * 1024
        process.send_signal(signal.SIGTERM)
        report = process.stdout.read().strip()
    return {
        "kernel": kernel / sent * 1e6,
        "requests": sent,
        "rate": sent / busy,
        "service": (after["service"] - before["service"]) / sent * 1e6,
        "honest": alone,
        "checkers": after.get("checkers", 0.0) - before.get("checkers", 0.0),
        "waits": waits,
        "memory": memory,
        "counts": json.loads(report)["counts"] if report else {},
    }


async def _flood(
    folder: Path, url: str, requests: int, connections: int, honest: list[bytes], waits: list[float]
) -> tuple[int, float]:
    sender = asyncio.create_task(report_steadily(url, honest, waits))
    environment = {**os.environ, "REQUESTS": str(folder / "flood")}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{ROUND}", "--timeout", "10", "-s", str(folder / "wrk.lua"), url]
    sent, busy = 0, 0.0
    while sent < requests:
        wrk = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
        output, _ = await wrk.communicate()
        result = json.loads(re.findall(rb"^\{.*\}$", output, re.MULTILINE)[-1])
        sent += result["requests"]
        busy += result["microseconds"] / 1e6
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    return sent, busy


async def _honest_cost(pid: int, url: str, honest: list[bytes]) -> float:
    """Microseconds of the service for an honest sheet, without a flood."""
    if not honest:
        return 0.0
    before = cpu_seconds(pid)["service"]
    await report_steadily(url, honest, [])
    return (cpu_seconds(pid)["service"] - before) / len(honest) * 1e6


def kernel_seconds(pid: int) -> float:
    """CPU time that a process spent in the kernel, which on a virtual machine is mostly waking whoever waits for the answer."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[12]) / os.sysconf("SC_CLK_TCK")


async def report_steadily(url: str, honest: list[bytes], waits: list[float]) -> None:
    """Send sheets at a steady pace, whether or not the ones before are answered, each on one of four connections."""
    host, port = url.rpartition("/")[2].split(":")
    lanes = [await asyncio.open_connection(host, int(port)) for _ in range(4)] if honest else []
    queues: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in lanes]
    readers = [asyncio.create_task(_read(reader, queue, waits)) for (reader, _), queue in zip(lanes, queues, strict=True)]
    begin = time.monotonic()
    try:
        for number, data in enumerate(honest):
            due = begin + number / HONEST_RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            queues[number % 4].put_nowait(due)
            lanes[number % 4][1].write(HEAD.format(len(data)).encode() + data)
    finally:
        for task in readers:
            task.cancel()


async def _read(reader: asyncio.StreamReader, queue: "asyncio.Queue[float]", waits: list[float]) -> None:
    while True:
        due = await queue.get()
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        if not head.startswith(b"HTTP/1.1 201"):
            print(f"an honest sheet was not receipted: {head!r}", file=sys.stderr, flush=True)
            os._exit(1)
        waits.append(time.monotonic() - due)


async def echo() -> None:
    refusal = problem_response(Problem("unknown-key", "x" * 120))

    def answer(_: Request, done: Done) -> None:
        done(refusal)

    connections = Connections(answer, time.monotonic, connection_limit())
    connections.sweep(date_field())
    port = await Port.open(connections, "127.0.0.1", 0)
    print(port.address.url, flush=True)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: os._exit(0))
    await each_second(lambda: connections.sweep(date_field()))


def serve(folder: Path) -> None:
    (folder / "log").mkdir()
    store = SqliteStore.open(folder / "log" / "log.sqlite", create=True)
    log = Log.open(store, log_signer())
    files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
    log.append([files.definition.read_bytes()])
    election = open_election(*(path.read_bytes() for path in files[:3]))
    record = IncidentRecord.open(folder / "incidents", election.hash)
    last: list[Progress] = []

    def ready(address: Address) -> None:
        print(address.url, flush=True)

    Service(
        log,
        files,
        gate=StationGate.of(election),
        note=record.note,
        housekeeping=store.checkpoint_wal,
        ready=ready,
        progress=last.append,
    ).run()
    print(json.dumps({"counts": last[-1].counts}), flush=True)
    record.close()
    log.close()


if __name__ == "__main__":
    main()
