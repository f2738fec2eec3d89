"""A real PostgreSQL server of the test's own: a cluster in a temporary folder, run by a user who is not the administrator."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from free_ports import free_port

PASSWORD = "hoopoe%secret/@"  # with characters that a URL must escape
ESCAPED = "hoopoe%25secret%2F%40"
_SETTINGS = """
listen_addresses = '127.0.0.1'
log_min_messages = panic
max_connections = 60
shared_buffers = 64MB
timezone = UTC
recovery_init_sync_method = syncfs
"""


def programs() -> Path:
    """Return the folder of the server's programs; skip the calling test, with the reason, where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]), reverse=True)
    found = str(folders[0]) if folders else shutil.which("initdb")
    if found is None:
        pytest.skip("needs a PostgreSQL server: Debian's package postgresql")
    return Path(found).parent


class Server:
    """One cluster; it can be stopped, killed and started again, and makes an empty database on demand."""

    def __init__(self, folder: Path) -> None:
        self._programs = programs()
        self._folder = folder
        self._data = folder / "data"
        self._names = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: int | None = None
        if os.geteuid() == 0:
            # The server refuses to run as the administrator.
            self._user = next((user.pw_uid for user in pwd.getpwall() if user.pw_name == "postgres"), 65534)
            os.chown(folder, self._user, -1)
        self.port = free_port()
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        arguments = ["-D", str(self._data), "-U", "heron", "--pwfile", str(secret), "--auth=scram-sha-256", "--no-sync"]
        self._run("initdb", *arguments, "-E", "UTF8", "--locale=C")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(f"{_SETTINGS}port = {self.port}\nunix_socket_directories = '{folder}'\n")
        self.start()

    @property
    def pid(self) -> int:
        """The server's main process."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres", *, user: str = f"heron:{ESCAPED}", port: int | None = None) -> str:
        """The address of a database."""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def database(self) -> str:
        """Make an empty database and return its address."""
        name = f"nest{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement as the superuser."""
        psycopg = pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver")
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def start(self) -> None:
        """Start the server, after whatever ended it, and wait until it answers."""
        for _ in range(100):
            log = (self._folder / "server.log").open("ab")
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data)],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
                start_new_session=True,
            )
            log.close()
            while self._process.poll() is None:
                if self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), check=False) == 0:
                    return
                time.sleep(0.02)
            # The last parts of a killed server may still be going away.
            time.sleep(0.05)
        raise RuntimeError((self._folder / "server.log").read_text())

    def stop(self) -> None:
        """End the server at once, without waiting for its clients."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Kill the server and all its processes with SIGKILL."""
        assert self._process is not None
        for pid in [self._process.pid, *_children(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        run = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self._folder,
            user=self._user,
            check=False,
        )
        if check and run.returncode:
            raise RuntimeError(run.stderr)
        return run.returncode


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


@contextmanager
def running() -> Iterator[Server]:
    """A server that is gone, with its folder, at the end."""
    programs()
    folder = Path(tempfile.mkdtemp(prefix="heron-"))
    try:
        server = Server(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
