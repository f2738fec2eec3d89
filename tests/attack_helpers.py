"""The service with its gate as a process, and clients that send a great deal, also from other networks of this machine."""

import asyncio
import collections
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import httptools

from intake_helpers import Republic

PIPELINED = 16
SHED = frozenset({"queue-full", "key-busy", "network-busy"})

SERVER = """
import collections, json, sys
from pathlib import Path
from intake_helpers import opened_log
from scrutineer.intake import ElectionFiles, Service
from scrutineer.intake.gate import StationGate
from scrutineer.statements.bootstrap import open_election
folder, capacity = Path(sys.argv[1]), int(sys.argv[2])
files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
election = open_election(*(path.read_bytes() for path in files[:3]))
notes, last = collections.Counter(), []
with opened_log(folder, files.definition.read_bytes()) as (log, store):
    ready = lambda address: print(json.dumps({"url": address.url}), flush=True)
    note = lambda reason, peer: notes.update((reason,))
    Service(log, files, checkers=1, gate=StationGate.of(election, capacity=capacity), note=note,
            housekeeping=store.checkpoint_wal, ready=ready, progress=last.append).run()
    print(json.dumps({"counts": last[-1].counts, "notes": notes, "size": last[-1].size}), flush=True)
"""


class AttackedService:
    """The service, to be attacked; `stop` tells what it noted."""

    def __init__(self, land: Republic, folder: Path, *, capacity: int = 8_192) -> None:
        land.write(folder)
        root = Path(__file__).parent.parent
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "tests"), str(root / "src")))}
        command = [sys.executable, "-c", SERVER, str(folder), str(capacity)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment)
        self.url = str(self._line()["url"])
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def memory(self) -> int:
        """Bytes that the service's own process has in memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024

    def stop(self) -> dict[str, dict[str, int]]:
        """SIGTERM; the counts of the service and what was noted."""
        self._process.send_signal(signal.SIGTERM)
        report = self._line()
        assert self._process.wait(30) == 0
        return report

    def _line(self) -> dict:  # type: ignore[type-arg]
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))


def post(body: bytes, *fields: bytes) -> bytes:
    head = b"POST /entries HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cose\r\n"
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (head, b"".join(field + b"\r\n" for field in fields), len(body), body)


class Sender(asyncio.Protocol):
    """Sends requests, a few at a time, on one connection; hears the status and reason of each, in order."""

    def __init__(self, requests: Iterator[tuple[str, bytes]], heard: "collections.Counter[tuple[str, str]]") -> None:
        self._requests = requests
        self._heard = heard
        self._waiting: collections.deque[str] = collections.deque()
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        out = []
        while len(self._waiting) < PIPELINED and (request := next(self._requests, None)) is not None:
            self._waiting.append(request[0])
            out.append(request[1])
        if out:
            self._transport.write(b"".join(out))
        elif not self._waiting:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)
        if len(self._waiting) <= PIPELINED // 2:
            self._send()

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        # The reason is the last thing in a refusal.
        reason = self._body.rpartition(b"dcode")[2][1:].decode() if self._parser.get_status_code() >= 400 else ""
        self._heard[self._waiting.popleft(), reason] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            if self._waiting:
                self.done.set_exception(ConnectionResetError(f"{len(self._waiting)} requests have no answer"))
            else:
                self.done.set_result(None)


async def send_all(
    port: int, requests: Iterable[tuple[str, bytes]], *, connections: int = 16, source: str = "127.0.0.1"
) -> "collections.Counter[tuple[str, str]]":
    """Send (kind, request) pairs over several connections; how often each kind was answered with each reason ('': taken)."""
    heard: collections.Counter[tuple[str, str]] = collections.Counter()
    shared = iter(requests)
    loop = asyncio.get_running_loop()
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(lambda: Sender(shared, heard), "127.0.0.1", port, local_addr=(source, 0))
        senders.append(sender)
    await asyncio.gather(*(sender.done for sender in senders))
    return heard
