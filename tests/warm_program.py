"""The program `scrutineer` for shells of tests, without the second that Python takes to load it at each start.

A process that has loaded every command waits at a socket. For each start it forks, and the fork is the command: a process of its
own with the caller's arguments, folder, environment and files, whose end and exit status are handed on; what ends the caller ends
it. Nothing else is shared, so that what is proved of processes is proved here as well. That the program loads by itself is for
tests that start it as people do.
"""

import atexit
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ANSWER = struct.Struct("!i")


@cache
def warm_programs() -> Path:
    """A folder to put first into PATH, in which `scrutineer` is such a program; it is gone when this process ends."""
    programs = Path(tempfile.mkdtemp(prefix="warm-"))
    address = programs / "socket"
    program = programs / "scrutineer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" call "{address}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    command = [sys.executable, __file__, "wait", str(address)]
    # Its standard input ends when this process does, and so does it, with the folder.
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    atexit.register(server.communicate)
    return programs


def warm_environment(**more: str) -> dict[str, str]:
    """The environment of shells in which `scrutineer` is such a program."""
    return {**os.environ, "PATH": f"{warm_programs()}{os.pathsep}{os.environ['PATH']}", **more}


def warm_run(arguments: Sequence[str], timeout: float) -> tuple[int, str, str]:
    """Have a command run in a process of its own; its exit status, output and errors."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX) as line,
    ):
        worker = _ask(line, str(warm_programs() / "socket"), arguments, [nothing.fileno(), out.fileno(), err.fileno()])
        line.settimeout(timeout)
        try:
            status = _ended(line)
        except TimeoutError:
            os.kill(worker, signal.SIGKILL)
            raise
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
    return (status, *said)


def call(address: str, arguments: list[str]) -> int:
    """Have a command run in the place of this process; its exit status."""
    with socket.socket(socket.AF_UNIX) as line:
        worker = _ask(line, address, arguments, [0, 1, 2])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda which, _: os.kill(worker, which))
        return _ended(line)


def _ask(line: socket.socket, address: str, arguments: Sequence[str], files: list[int]) -> int:
    """Have a command begin with these standard files; its process."""
    line.connect(address)
    asked = json.dumps([list(arguments), os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109 - callers load next to nothing
    socket.send_fds(line, [struct.pack("!I", len(asked))], files)
    line.sendall(asked)
    return int(ANSWER.unpack(line.recv(ANSWER.size, socket.MSG_WAITALL))[0])


def _ended(line: socket.socket) -> int:
    """Wait for the end of a command; its exit status."""
    answer = line.recv(ANSWER.size, socket.MSG_WAITALL)
    # The worker has ended only when its end of the line is closed, and with it whatever it had locked.
    while line.recv(1):
        pass
    return int(ANSWER.unpack(answer)[0]) if len(answer) == ANSWER.size else 128 + signal.SIGTERM


def wait(address: str) -> None:
    """Load every command, then fork for each caller."""
    from scrutineer.cli import COMMANDS, main  # Callers load next to nothing.

    for module in {module for module, _ in COMMANDS.values()} | {"voting_commands", "ballots_cvr", "trustees_tally_commands"}:
        importlib.import_module(f"scrutineer.cli.{module}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(16)
        print("ready", flush=True)
        while True:
            if sys.stdin in select.select([server, sys.stdin], [], [])[0]:
                shutil.rmtree(Path(address).parent)
                return
            line, _ = server.accept()
            if os.fork():
                line.close()
                continue
            server.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(line)
            status = 1
            try:
                main()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                line.sendall(ANSWER.pack(status))
                os._exit(status)


def _become(line: socket.socket) -> None:
    """Take over what the caller is."""
    size, files, _, _ = socket.recv_fds(line, 4, 3)
    asked = line.recv(struct.unpack("!I", size)[0], socket.MSG_WAITALL)
    arguments, folder, environment = json.loads(asked)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # The old ones remember of which kind the old files were.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace", buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["scrutineer", *arguments]
    line.sendall(ANSWER.pack(os.getpid()))


if __name__ == "__main__":
    if sys.argv[1] == "call":
        sys.exit(call(sys.argv[2], sys.argv[3:]))
    wait(sys.argv[2])
