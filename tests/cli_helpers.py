"""What the tests of the command line share: commands as processes or in this one, and the service as a process."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from scrutineer.cli import main
from warm_program import warm_run

HEADER = "station,contest,votes:heron,votes:kingfisher,votes:owl-forest,votes:owl-meadow,blank,null,cast,voters,roll,time\n"
STATIONS = ("north-1", "north-2", "north-3", "south-1", "south-2", "south-3")
FIGURES = (100, 50, 30, 20, 3, 2)


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def checked(result: Result, code: int) -> Result:
    """A command ends with the expected status, never with a traceback, and says in one line what is wrong."""
    assert result.code == code, result
    assert "Traceback" not in result.err + result.out, result
    if code == 2:
        lines = result.err.strip().splitlines()
        assert len(lines) == 1, result
        assert lines[0].startswith("scrutineer"), result
    return result


def run(*arguments: object, code: int = 0, timeout: float = 120) -> Result:
    """Run a command as a process of its own, which has not to load the program first."""
    return checked(Result(*warm_run([str(argument) for argument in arguments], timeout)), code)


def run_afresh(*arguments: object, code: int = 0, env: dict[str, str] | None = None, timeout: float = 120) -> Result:
    """Run a command as a process of its own, started as people start it."""
    done = subprocess.run(
        command(arguments), capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, check=False
    )
    return checked(Result(done.returncode, done.stdout, done.stderr), code)


def command(arguments: Sequence[object]) -> list[str]:
    return [sys.executable, "-m", "scrutineer", *map(str, arguments)]


def call(*arguments: object, code: int = 0) -> Result:
    """Run a command in this process: the same entry point, without the time that Python takes to start."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["scrutineer", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return checked(Result(status, out.getvalue(), err.getvalue()), code)


def refused(*arguments: object, code: int = 1) -> str:
    """Run a command that has to fail with one line on standard error; that line."""
    lines = call(*arguments, code=code).err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("scrutineer"), lines
    return lines[0]


def rows(stations: Sequence[str] = STATIONS, figures: Sequence[int] = FIGURES, **changes: int) -> str:
    """Rows of a table for `sign`, on which everything adds up except for what is changed."""
    *votes, blank, null = figures
    stated = {"cast": sum(figures), "voters": sum(figures), "time": 1_780_000_000} | changes
    marks = ",".join(map(str, votes))
    line = f"president,{marks},{blank},{null},{stated['cast']},{stated['voters']},,{stated['time']}"
    return "".join(f"{station},{line}\n" for station in stations)


def opened(folder: Path) -> Path:
    """An election folder as `new` writes it, opened."""
    call("new", folder)
    call("open", folder)
    return folder


def signed(folder: Path, table: str, name: str = "sheets") -> Path:
    """Sheets of a table, signed with the keys of an opened folder."""
    source, target = folder.parent / f"{name}.csv", folder.parent / f"{name}.bundle"
    source.write_text(HEADER + table)
    call("sign", folder, source, "--to", target)
    return target


class Service:
    """`serve` as a process."""

    def __init__(self, folder: Path, *options: object) -> None:
        self.process = subprocess.Popen(
            command(["serve", folder, "--port", 0, *options]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("Intake at "):
                break

    @property
    def address(self) -> str:
        assert self.lines, self.process.communicate()
        assert self.lines[-1].startswith("Intake at "), self.lines
        return self.lines[-1].removeprefix("Intake at ")

    @property
    def site(self) -> str:
        return next(line.removeprefix("Site at ") for line in self.lines if line.startswith("Site at "))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; its exit status and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@contextlib.contextmanager
def serving(folder: Path, *options: object) -> Iterator[Service]:
    """The service for as long as the block lasts; it has to end well."""
    service = Service(folder, *options)
    try:
        yield service
        if service.process.poll() is None:
            code, err = service.stop()
            assert code == 0, err
            assert "Traceback" not in err
    finally:
        if service.process.poll() is None:
            service.kill()
