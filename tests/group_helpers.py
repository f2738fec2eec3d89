"""What the tests of several intake processes on one PostgreSQL store share: a database with an election, and the processes."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from intake_helpers import Republic, log_signer
from postgresql_server import Server
from scrutineer.log import Log, verify_entry_receipt
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
        Service(group.log, files, port=port, checkers=1, recorder=recorder, ready=lambda at: say(url=at.url), progress=progress).run()
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
        self.said: list[dict[str, object]] = []
        self._new: queue.SimpleQueue[dict[str, object] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        first = self.hear(lambda said: "url" in said or "error" in said)
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


def check_record(url: str, acknowledged: dict[bytes, bytes]) -> list[bytes]:
    """Read the log anew: root, every acknowledged statement exactly once, every receipt; return the entries."""
    with closing(Log.open(PostgresqlStore.open_reader(url), log_signer().verifier)) as log:
        entries = list(log.entries())
        assert len(set(entries)) == len(entries) == log.size
        for statement, receipt in acknowledged.items():
            found = verify_entry_receipt(receipt, statement, log.verifier)
            assert entries[found.index] == statement
            assert found.root == log.root(found.size)
            assert log.receipt(found.index) == receipt
    return entries
