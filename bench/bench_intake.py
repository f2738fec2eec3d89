"""Intake: sheets per second with signature check, exact deduplication and a receipt in the answer, each durable.

Builds an election, signs the sheets beforehand, starts the real service as a process and posts every sheet once with `wrk`
(Debian package wrk) at 256, 16 and 1 connections. Everything shares this machine's cores: the service, its checkers and wrk.
Prints rates, latencies, refusals, CPU time per sheet, and the ratio to two floors measured in the same run: bare libsodium
verifications, and a bare uvicorn ASGI application that answers the same requests with a constant.

With `--store postgresql` the same at 256 connections on both stores, in turns, so that they meet the same neighbours;
PostgreSQL is a server of its own (Debian package postgresql) on this machine's disk, with its flushes on. Prints the ratio of
the middle rates, for sheets that come to the process that leads and for sheets that come to one that follows.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
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

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

OPTIONS = 10
GOAL = 13_000  # sheets/s at 256 connections
SHARED_GOAL = 8_000  # the same over PostgreSQL
RATIO_GOAL = 0.6  # of that to the embedded store
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
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite", help="postgresql: both, side by side")
    parser.add_argument("--rounds", type=int, default=3, help="of both stores, with --store postgresql")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.checkers, arguments.url)
        return
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (apt install wrk)")
        return
    if arguments.store == "postgresql":
        phase = Phase(256, arguments.seconds, arguments.seconds * 25_000)
        with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
            compare(Path(name), arguments.stations, arguments.checkers, phase, arguments.rounds)
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
        rate = measure(folder, phase, checkers)
        print(
            f"      ratio to bare verification on one core {rate / floor_verify:.2f}; to bare uvicorn {rate / echo:.2f}", end=""
        )
        print(f"; goal {GOAL:,}: {'reached' if rate >= GOAL else 'missed'}" if phase.connections == 256 else "", flush=True)


def compare(folder: Path, stations: int, checkers: int, phase: Phase, rounds: int) -> None:
    """The embedded store and PostgreSQL in turns."""
    from postgresql_server import running

    election, keys = build(folder, stations)
    write_requests(folder, election, keys, [phase])
    print(f"{stations} stations, {phase.sheets} sheets signed; load average {os.getloadavg()[0]:.2f}", flush=True)
    rates: dict[str, list[float]] = {"embedded store": [], "PostgreSQL": [], "PostgreSQL, to one that follows": []}
    with running() as server:
        for _ in range(rounds):
            for name, found in rates.items():
                print(name, flush=True)
                if name == "embedded store":
                    found.append(measure(folder, phase, checkers))
                    continue
                url = server.database()
                open_database(folder, url)
                with contextlib.ExitStack() as stack:
                    if "follows" in name:
                        # It leads, as nobody else is there yet, and gets no sheets but those that the other one takes.
                        command = [sys.executable, __file__, "--serve", str(folder), "--checkers", str(checkers), "--url", url]
                        leader = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
                        assert leader.stdout is not None
                        stack.callback(leader.communicate)
                        stack.callback(leader.terminate)
                        leader.stdout.readline()
                        time.sleep(1)
                    spent = server_seconds(server.pid)
                    found.append(measure(folder, phase, checkers, url=url))
                    spent = server_seconds(server.pid) - spent
                    print(
                        f"      the database server took {spent / (found[-1] * phase.seconds) * 1e6:.0f} CPU us/sheet", flush=True
                    )
    middle = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in middle.items():
        ratio = rate / middle["embedded store"]
        reached = rate >= SHARED_GOAL and ratio >= RATIO_GOAL
        verdict = (
            "" if name == "embedded store" else f"; goal {SHARED_GOAL:,} and {RATIO_GOAL}: {'reached' if reached else 'missed'}"
        )
        print(f"{name}: {rate:,.0f} sheets/s, {ratio:.2f} of the embedded store{verdict}")


def open_database(folder: Path, url: str) -> None:
    from scrutineer.log.postgresql import PostgresqlStore

    log = Log.open(PostgresqlStore.open(url, log_signer().origin, create=True), log_signer())
    log.append([(folder / "definition.cose").read_bytes()])
    log.close()


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


def measure(folder: Path, phase: Phase, checkers: int, url: str | None = None) -> float:
    """Sheets per second of one service, over PostgreSQL where an address is given."""
    store = folder / "log"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    command = [sys.executable, __file__, "--serve", str(folder), "--checkers", str(checkers)]
    command += ["--url", url] if url else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if url:
            time.sleep(1)  # It begins to lead, or follows.
        before = cpu_seconds(process.pid)
        result = wrk(folder, phase, address, phase.seconds)
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
        + f", wrk {result['cpu'] / max(1, accepted) * 1e6:.0f}",
        flush=True,
    )
    return rate


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


def server_seconds(postmaster: int) -> float:
    """CPU time of a database server: of its processes and of those that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if path.parent.name == str(postmaster):
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
    return total / ticks


def log_signer() -> LogSigner:
    return LogSigner("bench.example/log", b"1" * 32, b"2" * 32)


def serve(folder: Path, checkers: int, url: str | None) -> None:
    """The service as a process of its own; says its address, and at the end what it did."""
    files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
    last: list[Progress] = []

    def ready(address: Address) -> None:
        print(address.url, flush=True)

    if url:
        from scrutineer.intake.group import Group

        with contextlib.closing(Group.open(url, log_signer())) as group:
            recorder = group.recorder(lambda line: print(line, file=sys.stderr))
            Service(group.log, files, checkers=checkers, recorder=recorder, ready=ready, progress=last.append).run()
            print(json.dumps({"counts": last[-1].counts, "batches": last[-1].batches, "size": last[-1].size}), flush=True)
        return
    store = SqliteStore.open(folder / "log" / "log.sqlite", create=True)
    log = Log.open(store, log_signer())
    log.append([files.definition.read_bytes()])
    Service(log, files, checkers=checkers, housekeeping=store.checkpoint_wal, ready=ready, progress=last.append).run()
    print(json.dumps({"counts": last[-1].counts, "batches": last[-1].batches, "size": last[-1].size}), flush=True)
    log.close()


if __name__ == "__main__":
    main()
