"""What the tests of the quorum share: witnesses as processes, and an opened election whose definition names them."""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli_helpers import call, command

BIRDS = ("heron", "owl", "wren")


@dataclass
class WitnessProcess:
    """The real `scrutineer witness`, to be started, killed and started again on the same port."""

    folder: Path
    name: str
    vkeys: list[str] = field(default_factory=list)
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make its keys, before there is a log to watch."""
        self.vkeys = call("witness", self.folder, "--name", self.name, "--keys").out.split()

    def start(self, definition: Path, *, wait: bool = True) -> None:
        port = self.url.rpartition(":")[2] or "0"
        said = self.folder.with_suffix(".log")
        with said.open("w") as file:
            self.process = subprocess.Popen(
                command(["witness", self.folder, "--definition", definition, "--port", port]), stdout=file, stderr=file
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it listens."""
        said = self.folder.with_suffix(".log")
        wait_for(lambda: " at http://" in said.read_text(), "the witness did not start")
        self.url = said.read_text().splitlines()[0].rpartition(" at ")[2]

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def policy_toml(witnesses: Sequence[WitnessProcess], quorum: int) -> str:
    text = f"\n[witnesses]\nquorum = {quorum}\n"
    for witness in witnesses:
        text += f"[[witnesses.witness]]\nkeys = {json.dumps(witness.vkeys)}\n"
    return text


@dataclass
class Watched:
    """An opened election, its witnesses, and what tells commands where they are."""

    folder: Path
    witnesses: list[WitnessProcess]

    @property
    def options(self) -> list[str]:
        return [part for witness in self.witnesses for part in ("--witness", f"{witness.name}={witness.url}")]

    @property
    def definition(self) -> Path:
        return self.folder / "record" / "definition.cose"

    @property
    def cosigned(self) -> int:
        """The size of the checkpoint that is kept, 0 for none."""
        try:
            return int((self.folder / "record" / "checkpoint.cosigned").read_bytes().split(b"\n")[1])
        except FileNotFoundError:
            return 0

    def status(self) -> dict[str, str]:
        """The lines of `scrutineer status`, by what they are of; an exclamation mark where one needs somebody."""
        done = subprocess.run(command(["status", self.folder, "--json"]), capture_output=True, text=True, check=False)
        found = json.loads(done.stdout)
        lines = found["places"][0]["lines"]
        assert (done.returncode == 0) is found["good"] is all(line["good"] for line in lines)
        return {line["what"]: ("" if line["good"] else "! ") + line["words"] for line in lines}


@contextlib.contextmanager
def watched(folder: Path, quorum: int = 2, birds: Sequence[str] = BIRDS) -> Iterator[Watched]:
    """An opened election with witnesses that run; all of them are stopped at the end."""
    witnesses = [WitnessProcess(folder / bird, f"{bird}.example/watch") for bird in birds]
    for witness in witnesses:
        witness.make()
    election = folder / "election"
    call("new", election)
    toml = election / "election.toml"
    text = toml.read_text()
    # Sections of their own stand before the first contest, as in the template.
    at = re.search(r"^# One section \[\[contest\]\]", text, re.MULTILINE)
    assert at is not None
    toml.write_text(text[: at.start()] + policy_toml(witnesses, quorum) + "\n" + text[at.start() :])
    call("open", election)
    made = Watched(election, witnesses)
    try:
        for witness in witnesses:
            witness.start(made.definition, wait=False)
        for witness in witnesses:
            witness.wait()
        yield made
    finally:
        for witness in witnesses:
            witness.stop()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Serving:
    """`serve` as a process whose every line is kept; it may be killed, and it may end by itself."""

    def __init__(self, watched: Watched, *options: object) -> None:
        self.process = subprocess.Popen(
            command(["serve", watched.folder, "--port", 0, *watched.options, *options]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(lambda: self.url or self.process.poll() is not None, "the service did not start")

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    @property
    def url(self) -> str:
        return next((line.removeprefix("Intake at ") for line in self.lines if line.startswith("Intake at ")), "")

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(5)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self._reader.join(5)
        return code
