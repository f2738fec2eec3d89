"""What the tests of the station share: servers that misbehave, certificates, commands in processes that can be killed."""

import datetime
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intake_helpers import log_signer
from scrutineer.http.port import Tls
from scrutineer.intake import ElectionFiles, Service
from scrutineer.log import Log
from scrutineer.station.outbox import Outbox
from scrutineer.station.sender import Sender
from scrutineer.station.ways import Way

VERIFIER = log_signer().verifier

Behaviour = Callable[[bytes, socket.socket], bytes | None]
"""Gets a statement and the connection; the answer to send, or None where it has done what it wanted by itself."""


def answer(status: str, body: bytes = b"", *fields: str, media_type: str = "application/cose") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", f"content-type: {media_type}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Misbehaving:
    """A real server on a port of its own that answers as it is told to."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.statements: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for connection in (self._socket, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection.makefile("rb") as file:
            while True:
                length = 0
                while line := file.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                if not length:
                    return
                statement = file.read(length)
                self.statements.append(statement)
                reply = self.behaviour(statement, connection)
                if reply is not None:
                    connection.sendall(reply)
        with suppress(OSError):
            connection.close()


@contextmanager
def misbehaving(behaviour: Behaviour) -> Iterator[Misbehaving]:
    server = Misbehaving(behaviour)
    try:
        yield server
    finally:
        server.close()


def unused_url() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def outbox_of(folder: Path, statements: list[bytes]) -> Outbox:
    outbox = Outbox.open(folder / "outbox.sqlite", create=True)
    outbox.add(statements)
    return outbox


def intakes(*urls: str) -> list[Way]:
    return [Way("intake", url) for url in urls]


def send(outbox: Outbox, ways: list[Way], folder: Path, *, once: bool = False, **options: object) -> Sender:
    sender = Sender(outbox, ways, VERIFIER, folder / "evidence", **options)  # type: ignore[arg-type]
    uvloop.run(sender.run(once=once))
    return sender


class Certificates(NamedTuple):
    """Files of an authority that was made for one test."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def certificates(folder: Path) -> Certificates:
    now = datetime.datetime.now(datetime.UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wetland authority")])

    def issue(name: str, key: ec.EllipticCurvePrivateKey, *, root: bool = False) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(root_name if root else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if not root:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
            )
        return builder.sign(root_key, hashes.SHA256())

    def write(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    pem = serialization.Encoding.PEM
    files = [write("authority.pem", issue("", root_key, root=True).public_bytes(pem))]
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        files += [write(f"{name}.pem", issue(name, key).public_bytes(pem)), write(f"{name}.key", private)]
    return Certificates(*files)


@contextmanager
def serving_tls(log: Log, files: ElectionFiles, tls: Tls) -> Iterator[str]:
    """The service with TLS in a thread; its address."""
    addresses: queue.Queue[str] = queue.Queue()
    service = Service(log, files, tls=tls, ready=lambda address: addresses.put(address.url))
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    try:
        yield addresses.get(timeout=30)
    finally:
        service.stop()
        thread.join(30)


FORKER = """
import json, os, sys
from scrutineer.cli import cli
import scrutineer.cli.station_commands, uvloop
for line in sys.stdin:
    arguments = json.loads(line)
    child = os.fork()
    if not child:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            status = cli.main(arguments, standalone_mode=False) or 0
        except BaseException as error:
            status = getattr(error, "exit_status", getattr(error, "exit_code", 99))
        os._exit(status)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Commands:
    """Runs commands of the station, one at a time, each in a process of its own that starts at once and can be killed."""

    def __init__(self) -> None:
        root = Path(__file__).parent.parent
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root / "src")},
        )

    def start(self, *arguments: object) -> int:
        """Start a command; its process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> int:
        """Wait for the command's end; its exit status, negative where a signal ended it."""
        assert self._process.stdout is not None
        return os.waitstatus_to_exitcode(int(self._process.stdout.readline()))

    def run(self, *arguments: object) -> int:
        self.start(*arguments)
        return self.wait()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
