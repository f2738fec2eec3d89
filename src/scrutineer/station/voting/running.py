"""How a command reaches the voting program that runs on this machine: where its board is, and asking it to do something.

DIR/voting/board.json holds address and code of the board while the program runs, readable by its owner alone.
"""

import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.durable import write_whole
from scrutineer.errors import BallotError, StoreError, UsageError

RUNNING_FILE: Final = "board.json"
ANSWER_TIME: Final = 600.0  # seconds; sealing a large station's ballots takes minutes
MAX_ANSWER: Final = 64 * 1024  # bytes


class Running(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The board of a program that runs."""

    url: str
    code: str

    @property
    def link(self) -> str:
        """What a poll worker's browser opens."""
        return f"{self.url}/enter?code={self.code}"


class _Answer(msgspec.Struct, frozen=True):
    done: str = ""
    error: str = ""


def announce(folder: Path, running: Running) -> None:
    """Say where the board is. Raises StoreError."""
    try:
        write_whole(folder / RUNNING_FILE, msgspec.json.encode(running), 0o600)
    except OSError as error:
        raise StoreError(f"{folder / RUNNING_FILE} cannot be written ({error.strerror}): make room on the disk") from error


def withdraw(folder: Path) -> None:
    """The program ends."""
    (folder / RUNNING_FILE).unlink(missing_ok=True)


def find(folder: Path) -> Running:
    """The program that runs. Raises UsageError where none has said that it does."""
    try:
        return msgspec.json.decode((folder / RUNNING_FILE).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            f"the voting program of {folder.parent} does not run: start it with `scrutineer station vote {folder.parent}`"
        ) from error


def ask(running: Running, act: str, fields: Mapping[str, bytes]) -> str:
    """Let the program that runs do an act of the board; what it did. Raises BallotError with its reason where it refuses."""
    boundary = secrets.token_hex(24)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    ]
    request = urllib.request.Request(  # noqa: S310 - an address of this machine, which its own program has written
        f"{running.url}/{act}",
        b"".join(parts) + f"--{boundary}--\r\n".encode(),
        {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "accept": "application/json",
            "origin": running.url,
            "x-board-code": running.code,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_TIME) as answer:  # noqa: S310 - as above
            return msgspec.json.decode(answer.read(MAX_ANSWER), type=_Answer).done
    except urllib.error.HTTPError as error:
        try:
            why = msgspec.json.decode(error.read(MAX_ANSWER), type=_Answer).error
        except msgspec.MsgspecError:
            why = f"the voting program answered with {error.code}: look at the board"
        raise BallotError(why) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            f"the voting program does not answer at {running.url}: end it and start it again; nothing that was cast is lost"
        ) from error
