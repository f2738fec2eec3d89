"""What the tests of several intake processes on one PostgreSQL store share: a database with an election, and the processes."""

import atexit
import http.client
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from intake_helpers import Republic, log_signer
from postgresql_server import Server
from scrutineer.errors import StoreError
from scrutineer.http.problems import read_problem
from scrutineer.log import Log, SharedLog, verify_entry_receipt
from scrutineer.log.postgresql import PostgresqlStore

MEMBER = """
import json, sys
from contextlib import closing
from pathlib import Path
from intake_helpers import log_signer
from scrutineer.errors import ScrutineerError
from scrutineer.intake import ElectionFiles, Service
from scrutineer.intake.group import Group
folder, url, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
files = ElectionFiles(folder / "definition.cose", folder / "units.csv", folder / "register.csv")
say = lambda **line: print(json.dumps(line), flush=True)
last = []
def progress(now):
    if not last or (now.role, now.trouble) != (last[-1].role, last[-1].trouble):
        say(role=now.role, trouble=now.trouble)
    last[:] = [now]
try:
    with closing(Group.open(url, log_signer())) as group:
        recorder = group.recorder(lambda text: say(line=text))
        ready = lambda at: say(url=at.url)
        Service(group.log, files, port=port, checkers=1, recorder=recorder, ready=ready, progress=progress).run()
        say(counts=last[-1].counts, size=last[-1].size)
except ScrutineerError as error:
    say(error=type(error).__name__, message=str(error))
    sys.exit(error.exit_status)
"""


def opened_database(server: Server, land: Republic) -> str:
    """The address of a database with the log of an election that was opened."""
    url = server.database()
    log = Log.open(PostgresqlStore.open(url, log_signer().origin, create=True), log_signer())
    log.append([land.definition])
    log.close()
    return url


START = 180  # seconds that a process may take to start where many others want the same cores


class MemberProcess:
    """One process of a group, to be killed; what it says is read in the background."""

    def __init__(self, folder: Path, url: str, *, port: int = 0) -> None:
        root = Path(__file__).parent.parent
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "tests"), str(root / "src")))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", MEMBER, str(folder), url, str(port)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=environment,
        )
        # A test that failed ends without ending its processes.
        atexit.register(self.process.kill)
        self.said: list[dict[str, object]] = []
        self._new: queue.SimpleQueue[dict[str, object] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        first = self.hear(lambda said: "url" in said or "error" in said, START)
        self.error = first if "error" in first else None
        self.url = str(first.get("url", ""))

    @property
    def lines(self) -> list[str]:
        """The plain lines of its log so far."""
        return [str(said["line"]) for said in self.said if "line" in said]

    @property
    def leads(self) -> bool:
        """Whether its last word on it was that it leads."""
        turns = [line for line in self.lines if "lead" in line]
        return bool(turns) and "leads now" in turns[-1]

    def hear(self, wanted: Callable[[dict[str, object]], bool], seconds: float = 30) -> dict[str, object]:
        """The next thing that it says which is wanted."""
        deadline = time.monotonic() + seconds
        while True:
            said = self._new.get(timeout=max(0.01, deadline - time.monotonic()))
            if said is None:
                raise RuntimeError(f"the process has ended after {self.said}")
            if wanted(said):
                return said

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self._end()

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        self._end()
        return self.process.returncode

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.said.append(said)
            self._new.put(said)
        self._new.put(None)

    def _end(self) -> None:
        self.process.wait(30)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Load:
    """Senders that send one sheet after the other, each again and again to one of several ports until it is acknowledged."""

    def __init__(self, land: Republic, ports: list[int], senders: int = 4, first: int = 0) -> None:
        self.acknowledged: dict[bytes, bytes] = {}
        self.given: list[bytes] = []
        self.times: list[tuple[float, float]] = []
        """When each sheet was sent first, and when its receipt came."""
        self.refusals: Counter[str] = Counter()
        self.broken: list[BaseException] = []
        self._land = land
        self._ports = ports
        self._first = first
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(senders)]
        for thread in self._threads:
            thread.start()

    def progress(self, receipts: int = 20, seconds: float = 60) -> None:
        """Wait for so many more receipts, of sheets that were sent from now on."""
        now = time.monotonic()
        seen = len(self.times)
        deadline = now + seconds
        while sum(sent > now for sent, _ in self.times[seen:]) < receipts:
            if self.broken or time.monotonic() > deadline:
                raise TimeoutError(f"no receipts come: {self.broken} {self.refusals}")
            time.sleep(0.002)

    def finish(self) -> None:
        """Have everything acknowledged that was given, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a sheet is not acknowledged"
        assert not self.broken
        assert set(self.acknowledged) == set(self.given)
        assert len(self.acknowledged) == len(self.given)

    def _send(self, number: int) -> None:
        dice = random.Random(number)
        stations = self._land.stations
        count = 0
        try:
            while not self._stop.is_set():
                moment = self._first + number * 1_000_000 + count
                sheet = self._land.sheet(stations[count % len(stations)], time=moment)
                count += 1
                self.given.append(sheet)
                sent = time.monotonic()
                receipt = self._until_acknowledged(sheet, dice)
                self.times.append((sent, time.monotonic()))
                assert self.acknowledged.setdefault(sheet, receipt) == receipt
                if count % 10 == 0:
                    # Any process gives the same receipt for it, whoever recorded it.
                    assert self._until_acknowledged(sheet, dice) == receipt
                # Room for the processes to be started again on a machine with few cores.
                time.sleep(dice.uniform(0, 0.01))
        except BaseException as error:
            self.broken.append(error)

    def _until_acknowledged(self, sheet: bytes, dice: random.Random) -> bytes:
        for _ in range(20_000):
            try:
                status, body = self._post(dice.choice(self._ports), sheet)
            except (OSError, http.client.HTTPException) as error:
                self.refusals[type(error).__name__] += 1
                time.sleep(0.01)
                continue
            if status in (200, 201):
                return body
            problem = read_problem(body)
            self.refusals["" if problem is None else problem.code] += 1
            assert status == 503, (status, body)
            time.sleep(0.02)
        raise TimeoutError(str(self.refusals))

    def _post(self, port: int, sheet: bytes) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("POST", "/entries", sheet, {"content-type": "application/cose"})
            answer = connection.getresponse()
            return answer.status, answer.read()


class Reader:
    """Somebody who reads the log all the time: raises when what he is shown does not continue what he has seen."""

    def __init__(self, url: str) -> None:
        self.roots: dict[int, bytes] = {}
        self.broken: list[BaseException] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def finish(self) -> dict[int, bytes]:
        """End; return the roots that were seen, by size."""
        self._stop.set()
        self._thread.join(30)
        assert not self.broken
        return self.roots

    def _read(self) -> None:
        try:
            with closing(SharedLog.open(PostgresqlStore.open_reader(self._url), log_signer().verifier)) as log:
                self.roots[log.size] = log.root()
                while not self._stop.is_set():
                    with suppress(StoreError):
                        while log.follow(log.size):
                            self.roots[log.size] = log.root()
                    self._stop.wait(0.02)
        except BaseException as error:
            self.broken.append(error)


def start_together(folder: Path, url: str, ports: list[int]) -> list[MemberProcess]:
    """Several processes, all started at once."""
    with ThreadPoolExecutor(len(ports)) as pool:
        return list(pool.map(lambda port: MemberProcess(folder, url, port=port), ports))


def the_one_that_leads(members: list[MemberProcess], seconds: float = 30) -> int:
    """Wait until one of them leads; which."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        leading = [number for number, member in enumerate(members) if member.leads]
        if len(leading) == 1:
            return leading[0]
        time.sleep(0.01)
    raise TimeoutError([member.lines for member in members])


def check_record(url: str, acknowledged: dict[bytes, bytes], roots: dict[int, bytes] | None = None) -> list[bytes]:
    """Read the log anew: every acknowledged statement exactly once, every receipt, all roots seen; return the entries."""
    with closing(Log.open(PostgresqlStore.open_reader(url), log_signer().verifier)) as log:
        entries = list(log.entries())
        assert len(set(entries)) == len(entries) == log.size
        for statement, receipt in acknowledged.items():
            found = verify_entry_receipt(receipt, statement, log.verifier)
            assert entries[found.index] == statement
            assert found.root == log.root(found.size)
            assert log.receipt(found.index) == receipt
        for size, root in (roots or {}).items():
            assert log.root(size) == root
    return entries
