"""Go's note package and its ML-DSA verify what our witness signs; a real litewitness cosigns what our log signs."""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from free_ports import free_port
from go_helpers import go_program
from log_helpers import ORIGIN
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.log.cosignature import Ed25519CosignatureVerifier
from scrutineer.log.note import ED25519_COSIGNATURE, Note, SignatureLine, VerifierKey, format_note, parse_note
from scrutineer.witness import WitnessAddress, collect
from scrutineer.witness.answers import format_request
from verify_helpers import told
from witness_helpers import LOG, Bench, History, signers

HISTORY = History()
OTHER = History(name="stork")
WITNESS = "witness.example/lite"


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program(Path(__file__).with_name("witness_verify.go"), tmp_path_factory.mktemp("go"))


def test_our_cosignatures_verify_in_go(go_verifier: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "witness")
    vkeys = [LOG.verifier.vkeys[0], *(str(key.verifier.key) for key in signers())]
    file = tmp_path / "checkpoint"
    old = 0
    for size in (0, 1, 5, 8, 31):
        answer = bench.ask(HISTORY.request(old, size))
        old = size
        file.write_bytes(HISTORY.checkpoint(size) + answer.body)
        run = subprocess.run([go_verifier, *vkeys, file], capture_output=True, text=True, check=False)
        assert run.stdout == f"{ORIGIN} {size} 3 signatures\n", run.stdout + run.stderr
        # The same signatures under another checkpoint.
        file.write_bytes(HISTORY.checkpoint(size + 1) + answer.body)
        run = subprocess.run([go_verifier, *vkeys, file], capture_output=True, text=True, check=False)
        assert run.stdout.startswith("refused:")
    bench.close()


@pytest.fixture
def litewitness(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """The address and the public key of a running litewitness that knows our log."""
    for program, package in (("litewitness", "torchwood"), ("witnessctl", "torchwood"), ("ssh-agent", "openssh-client")):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, which is in Debian's package {package}")
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    ssh_key = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    fingerprint = "SHA256:" + b64encode(hashlib.sha256(b64decode(ssh_key.split()[1])).digest()).rstrip(b"=").decode()
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_bytes(pem)
    database, agent_socket = tmp_path / "lite.db", tmp_path / "agent"
    for command in (
        ["add-log", "-db", database, "-origin", ORIGIN],
        ["add-key", "-db", database, "-origin", ORIGIN, "-key", LOG.verifier.vkeys[0]],
    ):
        subprocess.run(["witnessctl", *command], check=True, capture_output=True)
    listen = f"127.0.0.1:{free_port()}"
    processes = [subprocess.Popen(["ssh-agent", "-D", "-a", agent_socket], stdout=subprocess.DEVNULL)]
    try:
        wait_for(agent_socket.exists)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(agent_socket)}
        subprocess.run(["ssh-add", key], env=environment, check=True, capture_output=True)
        options = [
            f"-db={database}",
            f"-name={WITNESS}",
            f"-key={fingerprint}",
            f"-ssh-agent={agent_socket}",
            f"-listen={listen}",
        ]
        processes.append(subprocess.Popen(["litewitness", *options], stderr=subprocess.DEVNULL))
        wait_for(lambda: listening(listen))
        yield f"http://{listen}", private.public_key().public_bytes_raw()
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(10)


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "the other program did not start"
        time.sleep(0.02)


def listening(address: str) -> bool:
    try:
        httpx.get(f"http://{address}/", timeout=1)
    except httpx.HTTPError:
        return False
    return True


def test_a_real_litewitness_cosigns_our_checkpoints(litewitness: tuple[str, bytes]) -> None:
    url, public_key = litewitness
    verifier = Ed25519CosignatureVerifier(VerifierKey(WITNESS, ED25519_COSIGNATURE, public_key))
    witness = WitnessAddress(url, (verifier,))

    def ask(size: int, history: History = HISTORY, **sizes: int) -> list[str]:
        checkpoint = history.checkpoint(size)
        found = collect(checkpoint, lambda old: history.tree.consistency(old, size), [witness], 1, sizes={WITNESS: 0, **sizes})
        return ["cosigned"] if found.complete else [trouble.kind for trouble in found.troubles]

    for size in (1, 5, 5, 8, 20):
        assert ask(size) == ["cosigned"]
    assert ask(8) == ["ahead"]
    assert ask(20, OTHER) == ask(25, OTHER) == ["contradicted"]
    assert ask(25) == ["cosigned"]


CONVERSATION = [
    ("first", HISTORY.request(0, 5)),
    ("again from nothing", HISTORY.request(0, 5)),
    ("same size", HISTORY.request(5, 5)),
    ("growth", HISTORY.request(5, 9)),
    ("rollback", HISTORY.request(5, 8)),
    ("beyond", format_request(12, (), HISTORY.checkpoint(9))),
    ("second root", format_request(9, (), OTHER.checkpoint(9))),
    ("fork", format_request(9, OTHER.tree.consistency(9, 12), OTHER.checkpoint(12))),
    ("no proof", format_request(9, (), HISTORY.checkpoint(12))),
    ("changed", HISTORY.request(9, 12).replace(b"\n12\n", b"\n13\n")),
    ("another log", HISTORY.request(9, 12).replace(ORIGIN.encode() + b"\n12", b"log.example/ibis\n12")),
    ("no lines", b""),
    ("no old size", b"\n" + HISTORY.checkpoint(12)),
    ("growth again", HISTORY.request(9, 12)),
]


def test_both_witnesses_hold_the_same_conversation(litewitness: tuple[str, bytes], tmp_path: Path) -> None:
    url, _ = litewitness
    bench = Bench(tmp_path / "ours")
    for what, body in CONVERSATION:
        theirs = httpx.post(f"{url}/add-checkpoint", content=body)
        ours = bench.ask(body)
        assert ours.status == theirs.status_code, what
        if ours.status == 409:
            assert (ours.media_type, ours.body) == (theirs.headers["content-type"], theirs.content), what
    bench.close()


def test_a_published_cosigned_checkpoint_verifies_in_go(go_verifier: Path, tmp_path: Path) -> None:
    keys = signers()
    vkeys = tuple(str(key.verifier.key) for key in keys)
    published = told(witnesses=WitnessPolicy(1, (NamedWitness(vkeys),))).published()
    note = parse_note(published.record.checkpoint)
    lines = tuple(SignatureLine(key.name, key.key_id, key.sign(note.text, 1_750_000_000)) for key in keys)
    record = dataclasses.replace(published.record, checkpoint=format_note(Note(note.text, note.signatures + lines)))
    dataclasses.replace(published, record=record).publish(tmp_path / "site")
    command = [go_verifier, published.signer.verifier.vkeys[0], *vkeys, tmp_path / "site/log/checkpoint"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout == f"{published.signer.origin} {len(published.log)} 3 signatures\n", run.stdout + run.stderr
