"""A witness: round trips of add-checkpoint on one connection, each with a durable memory, and cosignatures collected from three.

    python bench/bench_witness.py [CHECKPOINTS]

Starts `scrutineer witness` as a process, sends growing checkpoints of a log that signs with both its keys, and prints p50 and p99
in milliseconds, with the floors measured in the same run: the flush of one page, and the signatures that one answer needs.
Where Debian's torchwood is installed, the same conversation with litewitness is the peer (it makes Ed25519 signatures alone).
"""

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from scrutineer.log import Checkpoint, LogSigner, MerkleTree, leaf_hash, sign_checkpoint
from scrutineer.log.cosignature import Ed25519Cosigner, MlDsa44Signer
from scrutineer.statements import SigningKey
from scrutineer.witness import WitnessAddress, collect
from scrutineer.witness.answers import format_request

GOAL = 5.0  # ms, p50
ORIGIN = "log.example/heron"
LOG = LogSigner(ORIGIN, b"1" * 32, b"2" * 32)


def main(count: int) -> None:
    requests, checkpoints, tree = growth(count)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd())))
        flush, signing = fsync_floor(folder), signature_floor(checkpoints[0])
        witnesses = [stack.enter_context(witness(folder / str(number), number)) for number in range(3)]
        times = converse(witnesses[0].url, requests)
        say(f"add-checkpoint, {count:,} round trips", times)
        print(f"  goal p50 {GOAL} ms: {'reached' if quantile(times, 50) <= GOAL else 'MISSED'}")
        print(f"  floors: flush of a page p50 {flush:.2f} ms; two signatures made and two verified {signing:.2f} ms")
        print(f"  ratio to the floors' sum: {quantile(times, 50) / (flush + signing):.2f}")
        again = converse(witnesses[0].url, [format_request(count, (), checkpoints[-1])] * count)
        say("the same checkpoint again (nothing to remember)", again)
        collected = []
        for size in range(count // 2, count // 2 + 100):
            began = time.perf_counter()
            found = collect(
                checkpoints[size - 1],
                lambda old, size=size: tree.consistency(old, size),
                witnesses[1:],
                2,
                sizes=sizes(witnesses, size),
            )
            collected.append((time.perf_counter() - began) * 1000)
            assert found.complete, found.troubles
        say("collect from 2 witnesses, connections opened each time", collected[1:])
        if shutil.which("litewitness") and shutil.which("ssh-agent"):
            say("peer: litewitness, the same requests", converse(stack.enter_context(litewitness(folder)), requests))
        else:
            print("peer: litewitness is not installed (Debian: torchwood)")


def sizes(witnesses: Sequence[WitnessAddress], size: int) -> dict[str, int]:
    return {found.name: size - 1 for found in witnesses}


def growth(count: int) -> tuple[list[bytes], list[bytes], MerkleTree]:
    """Requests and checkpoints of a tree that grows by one leaf each time."""
    tree = MerkleTree()
    tree.extend([leaf_hash(b"%d" % n) for n in range(count)])
    checkpoints = [sign_checkpoint(Checkpoint(ORIGIN, n, tree.root(n)), LOG.note_signers) for n in range(1, count + 1)]
    proofs = [tree.consistency(n, n + 1) if n else () for n in range(count)]
    return [format_request(n, proof, checkpoints[n]) for n, proof in enumerate(proofs)], checkpoints, tree


def converse(url: str, requests: Sequence[bytes]) -> list[float]:
    """Milliseconds for each request on one connection; each must be answered with 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for body in requests:
        began = time.perf_counter()
        connection.request("POST", "/add-checkpoint", body)
        response = connection.getresponse()
        answer = response.read()
        times.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise SystemExit(f"answered {response.status}: {answer!r}")
    connection.close()
    return times


@contextmanager
def witness(folder: Path, number: int) -> Iterator[WitnessAddress]:
    command = [sys.executable, "-m", "scrutineer", "witness", str(folder), "--port", "0", "--name", f"witness.example/{number}"]
    process = subprocess.Popen(
        [*command, "--log", ",".join(LOG.verifier.vkeys)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(5)]
    try:
        yield WitnessAddress.from_vkeys(lines[0].rpartition(" ")[2], lines[2:4])
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def litewitness(folder: Path) -> Iterator[str]:
    database, key, agent = folder / "lite.db", folder / "key", Path(tempfile.mkdtemp()) / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for arguments in (["add-log"], ["add-key", "-key", LOG.verifier.vkeys[0]]):
        command = ["witnessctl", arguments[0], "-db", database, "-origin", ORIGIN, *arguments[1:]]
        subprocess.run(command, check=True, capture_output=True)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True).stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)]
    try:
        while not agent.exists():
            time.sleep(0.01)
        subprocess.run(["ssh-add", key], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True, capture_output=True)
        options = ["-name=witness.example/lite", f"-key={listed.split()[1]}", f"-ssh-agent={agent}", f"-listen={listen}"]
        processes.append(subprocess.Popen(["litewitness", f"-db={database}", *options], stderr=subprocess.DEVNULL))
        time.sleep(1)
        yield f"http://{listen}"
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(10)
        shutil.rmtree(agent.parent)


def fsync_floor(folder: Path) -> float:
    """Milliseconds for a page that is written in place and flushed."""
    times = []
    with (folder / "floor").open("wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        for number in range(200):
            began = time.perf_counter()
            os.pwrite(file.fileno(), os.urandom(4096), number * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return quantile(times, 50)


def signature_floor(checkpoint: bytes) -> float:
    """Milliseconds for the log's two signatures to be verified and the witness's two to be made."""
    text = checkpoint.partition(b"\n\n")[0] + b"\n"
    makers = (Ed25519Cosigner("w", SigningKey(b"3" * 32)), MlDsa44Signer("w", SigningKey(b"4" * 32, "ml-dsa-44")))
    signed = [(verifier, key.sign(text, 0)) for key, verifier in zip(LOG.note_signers, LOG.verifier.note_verifiers, strict=True)]
    times = []
    for _ in range(200):
        began = time.perf_counter()
        for verifier, signature in signed:
            verifier.verify(text, signature)
        for maker in makers:
            maker.sign(text, 1)
        times.append((time.perf_counter() - began) * 1000)
    return quantile(times, 50)


def quantile(times: Sequence[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def say(what: str, times: Sequence[float]) -> None:
    print(f"{what}: p50 {quantile(times, 50):.2f} ms, p99 {quantile(times, 99):.2f} ms, worst {max(times):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
