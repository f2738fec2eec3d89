"""Printers of the papers of a ballot. None of them leaves a plaintext ballot on a disk.

With a command (`lp -d receipt`), the PDF goes to its standard input and is never a file of ours; what a print service keeps of it
is for its own settings (docs/how-to/run-a-voting-machine.md). Without one, it is the file `papers.pdf` of a folder that nobody
else can reach, for a program that prints what it finds there; the next ballot takes its place, and `clear`, which is called as
soon as the voter has answered and when the machine starts, overwrites and removes it. There is one such file at most, and its
times of the last change say nothing about an order of ballots.
"""

import contextlib
import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from scrutineer.errors import BallotError

FILE_NAME: Final = "papers.pdf"
COMMAND_TIME: Final = 10.0  # seconds in which a printer's command has to take a paper


class Printer(Protocol):
    """Prints papers."""

    def print(self, paper: bytes) -> None:
        """Print a PDF. Raises BallotError where the printer did not take it."""
        ...

    def clear(self) -> None:
        """Take care that nothing printed stays behind."""
        ...


class CommandPrinter:
    """Gives papers to a command by its standard input."""

    def __init__(self, command: Sequence[str]) -> None:
        """The command and its arguments; it is run without a shell."""
        if not command:
            raise BallotError("the printer's command is empty: write it as in `lp -d receipt`")
        self._command = tuple(command)

    def print(self, paper: bytes) -> None:
        """Run the command. Raises BallotError where it fails or takes too long."""
        try:
            done = subprocess.run(self._command, input=paper, capture_output=True, timeout=COMMAND_TIME, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else error.strerror
            raise BallotError(f"the printer's command {self._command[0]} did not print: {why}") from error
        if done.returncode:
            raise BallotError(f"the printer's command {self._command[0]} ended with {done.returncode}: look at the printer")

    def clear(self) -> None:
        """Nothing is kept."""


class FolderPrinter:
    """Puts papers into a folder, one file that each ballot uses again."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first paper is printed. A folder in memory, such as below /run, is best."""
        self._folder = folder
        self.file: Final = folder / FILE_NAME

    def print(self, paper: bytes) -> None:
        """Write the file, for its owner alone. Raises BallotError where it cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own()
            self._blank()
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(paper)
                file.flush()
                os.fsync(handle)
        except OSError as error:
            raise BallotError(f"{self.file}: the paper cannot be written ({error.strerror or error})") from error

    def clear(self) -> None:
        """Overwrite the file and remove it. Raises BallotError where it cannot be removed."""
        try:
            self._blank()
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise BallotError(
                f"{self.file}: the paper of a ballot cannot be removed ({error.strerror or error}): remove it before going on"
            ) from error

    def _own(self) -> None:
        """Refuse a folder that somebody else has made or can write: they could read the papers. Raises BallotError."""
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise BallotError(
                f"{self._folder} is not this user's alone, so that others could read the papers: remove it, or name a printer"
            )

    def _blank(self) -> None:
        with contextlib.suppress(FileNotFoundError), self.file.open("r+b") as file:
            file.write(bytes(self.file.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
