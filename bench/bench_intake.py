"""Intake: sheets per second with signature check, exact deduplication and a receipt in the answer, each durable.

Builds an election, signs the sheets beforehand, starts the real service as a process and posts every sheet once with `wrk`
(Debian package wrk) at 256, 16 and 1 connections. Everything shares this machine's cores: the service, its checkers and wrk.
Prints rates, latencies, refusals, CPU time per sheet, and the ratio to two floors measured in the same run: bare libsodium
verifications, and a bare uvicorn ASGI application that answers the same requests with a constant.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from nacl import bindings

from scrutineer.election import Contest, Definition, Issuer, LogIdentity, Option, Register, UnitRow, Units
from scrutineer.election.definition import Election, table_hash, write_register, write_units
from scrutineer.intake.checkers import ElectionFiles
from scrutineer.intake.server import Address, Progress, Service
from scrutineer.log import Log, LogSigner, SqliteStore
from scrutineer.statements import SigningKey, TallySheet, sign_statement, statement_hash
from scrutineer.statements.policy import Policy

OPTIONS = 10
GOAL = 13_000  # sheets/s at 256 connections
HEAD = "POST /entries HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cose\r\ncontent-length: {}\r\n\r\n"

LUA = """
local file = io.open(os.getenv("REQUESTS"), "rb")
local all = file:read("*a")
file:close()
local at, last = 1, #all
request = function()
  if at > last then at = 1 end
  local a, b, c = all:byte(at, at + 2)
  local first = at + 3
  at = first + a + b * 256 + c * 65536
  return all:sub(first, at - 1)
end
done = function(summary, latency, requests)
  io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %.3f, "p99": %.3f, "worst": %.3f, "errors": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""

ECHO = """
BODY = b"x" * 600
HEAD = [(b"content-type", b"application/cose"), (b"location", b"/entries/" + b"a" * 64), (b"content-length", b"600")]
async def app(scope, receive, send):
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 201, "headers": HEAD})
    await send({"type": "http.response.body", "body": BODY})
"""


@dataclass(frozen=True)
class Phase:
    """One measurement: how many connections, for how long, with how many sheets at hand."""

    connections: int
    seconds: int
    sheets: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=6, help="length of the measurement at 256 connections")
    parser.add_argument("--checkers", type=int, default=1, help="processes that verify")
    parser.add_argument("--dir", type=Path, help="folder for the log, on the disk to be measured")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.checkers)
        return
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (apt install wrk)")
        return
    phases = [
        Phase(256, arguments.seconds, arguments.seconds * 25_000),
        Phase(16, 3, 3 * 20_000),
        Phase(1, 3, 3 * 8_000),
    ]
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        run(Path(name), arguments.stations, arguments.checkers, phases)


def run(folder: Path, stations: int, checkers: int, phases: list[Phase]) -> None:
    started = time.monotonic()
    election, keys = build(folder, stations)
    print(f"{stations} stations; signing {sum(phase.sheets for phase in phases)} sheets …", flush=True)
    sample = write_requests(folder, election, keys, phases)
    print(f"prepared in {time.monotonic() - started:.0f} s; load average {os.getloadavg()[0]:.2f}", flush=True)
    floor_verify, check_us = measure_floor(election, sample)
    print(
        f"floor: {floor_verify:,.0f} bare libsodium verifications/s on one core; policy without signature {check_us:.1f} us/sheet"
    )
    echo = measure_echo(folder, phases[0])
    print(f"floor: {echo:,.0f} requests/s through a bare uvicorn ASGI application, 256 connections")
    for phase in phases:
        measure(folder, phase, checkers, floor_verify, echo)


def build(folder: Path, stations: int) -> tuple[Election, list[SigningKey]]:
    """An election of invented places, written as the service needs it."""
    rows = [UnitRow("land", "", "Land", "country", None)]
    for number in range(stations):
        if number % 500 == 0:
            district = f"d{number // 500}"
            rows.append(UnitRow(district, "land", f"District {number // 500}", "district", None))
        rows.append(UnitRow(f"{district}-{number % 500}", district, f"Station {number}", "station", 700))
    units = Units(rows)
    root, authority, signer = SigningKey(b"s" * 32), SigningKey(b"a" * 32), log_signer()
    keys = [root.derive(station) for station in units.station_index]
    register = Register(
        units.station_index,
        b"".join(key.public_key for key in keys),
        [Issuer("authority/board", "authority", authority.public_key)],
    )
    contest = Contest("president", "President", "plurality", tuple(Option(f"o{n}", f"Option {n}") for n in range(OPTIONS)))
    tables = {"units.csv": write_units(units), "register.csv": write_register(register)}
    definition = Definition(
        version=1,
        id="bench",
        name="Bench",
        date="2025-01-01",
        timezone="UTC",
        provenance="simulated",
        authority="Board",
        contests=(contest,),
        tables={name: table_hash(data) for name, data in tables.items()},
        log=LogIdentity(signer.origin, signer.verifier.vkeys),
    )
    statement = sign_statement(definition, "authority/board", authority)
    (folder / "definition.cose").write_bytes(statement)
    for name, data in tables.items():
        (folder / name).write_bytes(data)
    return Election(definition, units, register, statement_hash(statement)), keys


def write_requests(folder: Path, election: Election, keys: list[SigningKey], phases: list[Phase]) -> list[bytes]:
    """Whole HTTP requests, each with a sheet of its own, in one file for each phase; return some sheets."""
    ids = list(election.units.station_index)
    number = 0
    sheet = b""
    sample: list[bytes] = []
    for phase in phases:
        with (folder / f"requests-{phase.connections}").open("wb") as file:
            for _ in range(phase.sheets):
                station = number % len(ids)
                counts = tuple((number * 37 + option * 101) % 70 for option in range(OPTIONS))
                payload = TallySheet(
                    election.hash,
                    ids[station],
                    "president",
                    counts,
                    3,
                    4,
                    sum(counts) + 7,
                    sum(counts) + 7,
                    700,
                    1_735_700_000 + number,
                )
                sheet = sign_statement(payload, f"station/{ids[station]}", keys[station])
                request = HEAD.format(len(sheet)).encode() + sheet
                file.write(len(request).to_bytes(3, "little") + request)
                number += 1
                if len(sample) < 5_000:
                    sample.append(sheet)
    return sample


def measure_floor(election: Election, sample: list[bytes]) -> tuple[float, float]:
    """Verifications per second of one core, and microseconds of policy besides; best of three."""
    policy = Policy(election)
    readings = [policy.read_sheet(sheet) for sheet in sample]
    signed = [(reading.signature + reading.signed, reading.public_key) for reading in readings]
    verify = min(clocked(lambda: [bindings.crypto_sign_open(message, key) for message, key in signed]) for _ in range(3))
    read = min(clocked(lambda: [policy.read_sheet(sheet) for sheet in sample]) for _ in range(3))
    return len(sample) / verify, read / len(sample) * 1e6


def clocked(work: object) -> float:
    start = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - start


def measure_echo(folder: Path, phase: Phase) -> float:
    (folder / "echo.py").write_text(ECHO)
    command = [sys.executable, "-m", "uvicorn", "echo:app", "--port", "18499", "--no-access-log", "--log-level", "error"]
    with subprocess.Popen(command, cwd=folder) as process:
        time.sleep(2)
        result = wrk(folder, phase, "http://127.0.0.1:18499", 3)
        process.terminate()
    return result["requests"] / result["microseconds"] * 1e6


def measure(folder: Path, phase: Phase, checkers: int, floor_verify: float, echo: float) -> None:
    store = folder / "log"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    command = [sys.executable, __file__, "--serve", str(folder), "--checkers", str(checkers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        before = cpu_seconds(process.pid)
        result = wrk(folder, phase, url, phase.seconds)
        after = cpu_seconds(process.pid)
        process.send_signal(signal.SIGTERM)
        report = json.loads(process.stdout.readline())
    counts = report["counts"]
    accepted = counts.pop("accepted", 0)
    duplicates = counts.pop("duplicate", 0)
    seconds = result["microseconds"] / 1e6
    rate = accepted / seconds
    print(
        f"{phase.connections:>4} connections: {rate:>8,.0f} sheets/s   p50 {result['p50']:.2f} ms   p99 {result['p99']:.2f} ms   "
        f"worst {result['worst']:.1f} ms   refused {sum(counts.values())} {counts or ''}  resent {duplicates}"
    )
    print(
        f"      {report['batches']} flushes, {accepted / max(1, report['batches']):.1f} sheets each; CPU us/sheet: "
        + ", ".join(f"{name} {(after[name] - before.get(name, 0)) / max(1, accepted) * 1e6:.0f}" for name in sorted(after))
        + f", wrk {result['cpu'] / max(1, accepted) * 1e6:.0f}"
    )
    print(
        f"      ratio to bare verification on one core {rate / floor_verify:.2f}; ratio to bare uvicorn {rate / echo:.2f}", end=""
    )
    print(f"; goal {GOAL:,}: {'reached' if rate >= GOAL else 'missed'}" if phase.connections == 256 else "", flush=True)


def wrk(folder: Path, phase: Phase, url: str, seconds: int) -> dict[str, float]:
    (folder / "wrk.lua").write_text(LUA)
    environment = {**os.environ, "REQUESTS": str(folder / f"requests-{phase.connections}")}
    command = ["wrk", "-t1", f"-c{phase.connections}", f"-d{seconds}", "--timeout", "10", "-s", str(folder / "wrk.lua"), url]
    before = os.times()
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    after = os.times()
    result: dict[str, float] = json.loads(re.findall(r"^\{.*\}$", output, re.MULTILINE)[-1])
    result["cpu"] = after.children_user + after.children_system - before.children_user - before.children_system
    return result


def cpu_seconds(session: int) -> dict[str, float]:
    """CPU time of the service's processes: the service itself and its checkers."""
    ticks = os.sysconf("SC_CLK_TCK")
    total: dict[str, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            name = "service" if path.parent.name == str(session) else "checkers"
            total[name] = total.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / ticks
    return total


def log_signer() -> LogSigner:
    return LogSigner("bench.example/log", b"1" * 32, b"2" * 32)


def serve(folder: Path, checkers: int) -> None:
    """The service as a process of its own; says its address, and at the end what it did."""
    store = SqliteStore.open(folder / "log" / "log.sqlite", create=True)
    log = Log.open(store, log_signer())
    files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
    log.append([files.definition.read_bytes()])
    last: list[Progress] = []

    def ready(address: Address) -> None:
        print(address.url, flush=True)

    Service(log, files, checkers=checkers, housekeeping=store.checkpoint_wal, ready=ready, progress=last.append).run()
    print(json.dumps({"counts": last[-1].counts, "batches": last[-1].batches, "size": last[-1].size}), flush=True)
    log.close()


if __name__ == "__main__":
    main()
