"""A relay as a process of its own, and requests to it."""

import http.client
import os
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from scrutineer.http.problems import Problem, read_problem


class Reply(NamedTuple):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Problem:
        """The refusal that this answer is."""
        problem = read_problem(self.body)
        assert problem is not None, self
        return problem


def ask(url: str, method: str, path: str, body: bytes = b"", media_type: str = "application/cose", timeout: float = 10) -> Reply:
    """One request on a connection of its own."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=timeout)
    try:
        connection.request(method, path, body, {"content-type": media_type})
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


class RelayProcess:
    """`scrutineer relay` as a process, to be killed."""

    def __init__(self, folder: Path, definition: Path, *to: str, port: int = 0) -> None:
        root = Path(__file__).parent.parent
        command = [sys.executable, "-m", "scrutineer", "relay", str(folder), "--definition", str(definition), "--port", str(port)]
        for url in to:
            command += ["--to", url]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root / "src")},
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first.startswith("Relay at "), (first, self.process.communicate(timeout=30))
        self.url = first.removeprefix("Relay at ").strip()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.communicate(timeout=30)

    def terminate(self) -> tuple[int, str, str]:
        """SIGTERM; status, output and errors."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err
