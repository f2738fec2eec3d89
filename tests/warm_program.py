"""The program `scrutineer` for shells of tests, without the second that Python takes to load it at each start.

A process that has loaded every command waits at a socket. For each start it forks, and the fork is the command: a process of its
own with the caller's arguments, folder, environment and files, whose end and exit status are handed on; what ends the caller ends
it. Nothing else is shared, so that what is proved of processes is proved here as well. That the program loads by itself is for
tests that start it as people do.
"""

import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANSWER = struct.Struct("!i")


@contextmanager
def warm_program(folder: Path) -> Iterator[Path]:
    """A folder to put first into PATH, in which `scrutineer` is such a program."""
    programs = folder / "warm"
    programs.mkdir()
    address = programs / "socket"
    program = programs / "scrutineer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" call "{address}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    command = [sys.executable, __file__, "wait", str(address)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield programs
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def call(address: str, arguments: list[str]) -> int:
    """Have a command run; its exit status."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        asked = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109 - this side loads next to nothing
        socket.send_fds(line, [struct.pack("!I", len(asked))], [0, 1, 2])
        line.sendall(asked)
        (worker,) = ANSWER.unpack(line.recv(ANSWER.size, socket.MSG_WAITALL))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda which, _: os.kill(worker, which))
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
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["scrutineer", *arguments]
    line.sendall(ANSWER.pack(os.getpid()))


if __name__ == "__main__":
    if sys.argv[1] == "call":
        sys.exit(call(sys.argv[2], sys.argv[3:]))
    wait(sys.argv[2])
