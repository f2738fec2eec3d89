"""nginx as a process of its own, with the configuration that the how-to page gives."""

import contextlib
import datetime
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
PAGE = Path(__file__).resolve().parents[1] / "docs/how-to/run-behind-a-web-server.md"
_BLOCK = re.compile(r"^```nginx\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page_blocks() -> list[str]:
    """The nginx blocks of the how-to page, in order."""
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def page_block(mark: str) -> str:
    """The one block of the page that holds a mark, or begins with what stands behind a `^`."""
    (block,) = (block for block in page_blocks() if mark in block or (mark[0] == "^" and block.startswith(mark[1:])))
    return block


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that vouches for itself."""

    path: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / "server.pem", folder / "server.key")
    certificate.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    certificate.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate


def placed(block: str, port: int, certificate: Certificate, changes: Mapping[str, str]) -> str:
    """A server block of the page on a free port, with files of this machine. Whatever is replaced has to be there."""
    block, listens = re.subn(r"listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;", block)
    block, named = re.subn(r"(ssl_certificate +)\S+;", rf"\g<1>{certificate.path};", block)
    block, keyed = re.subn(r"(ssl_certificate_key +)\S+;", rf"\g<1>{certificate.key};", block)
    assert (listens, named, keyed) == (1, 1, 1), block
    for old, new in changes.items():
        assert block.count(old) == 1, f"{old!r} in {block}"
        block = block.replace(old, new)
    return block


@contextlib.contextmanager
def nginx(folder: Path, http: str, files: Mapping[str, str], ports: list[int], *, workers: int = 1) -> Iterator[int]:
    """nginx with what stands in its `http` block and further files of configuration; its process id."""
    assert NGINX is not None
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    user = "user root;\n" if os.getuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    scratch = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    settings = folder / "nginx.conf"
    settings.write_text(
        f"{user}worker_processes {workers};\ndaemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        "events { worker_connections 512; }\n"
        f"http {{\n    access_log off;\n    sendfile on;\n    tcp_nopush on;\n{scratch}{http}\n}}\n"
    )
    command = [NGINX, "-p", str(folder), "-c", str(settings), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for port in ports:
            _await(port, process, folder)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()}")
        time.sleep(0.05)
