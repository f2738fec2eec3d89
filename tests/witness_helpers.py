"""What the tests of witnesses share: a log that can sign any checkpoint, also a false one, and a witness on a disk."""

from collections.abc import Sequence
from pathlib import Path

from log_helpers import ORIGIN, signer
from scrutineer.log import Checkpoint, MerkleTree, leaf_hash, sign_checkpoint
from scrutineer.log.cosignature import Cosigner, Ed25519Cosigner, MlDsa44Signer
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.statements import SigningKey
from scrutineer.witness import Answer, Witness, WitnessAddress, WitnessState
from scrutineer.witness.answers import format_request

NAME = "witness.example/crane"
TIME = 1_750_000_000
LOG = signer()
LOGS = {ORIGIN: LOG.verifier.note_verifiers}


class History:
    """A tree, and what its log says of it."""

    def __init__(self, leaves: Sequence[bytes] = (), name: str = "heron") -> None:
        self._signed: dict[int, bytes] = {}
        self.tree = MerkleTree()
        self.tree.extend([leaf_hash(leaf) for leaf in leaves] or [leaf_hash(f"{name} {n}".encode()) for n in range(32)])

    def root(self, size: int) -> bytes:
        return self.tree.root(size) if size else EMPTY_ROOT

    def checkpoint(self, size: int) -> bytes:
        """The signed checkpoint of this size, the same bytes each time, although ML-DSA signatures are not."""
        if size not in self._signed:
            self._signed[size] = self._sign(size)
        return self._signed[size]

    def _sign(self, size: int) -> bytes:
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.root(size)), LOG.note_signers)

    def request(self, old: int, size: int) -> bytes:
        """An honest request."""
        proof = self.tree.consistency(old, size) if 0 < old < size else ()
        return format_request(old, proof, self.checkpoint(size))


def signers(name: str = NAME, seed: int = 7) -> tuple[Cosigner, Cosigner]:
    return (
        Ed25519Cosigner(name, SigningKey(bytes([seed]) * 32)),
        MlDsa44Signer(name, SigningKey(bytes([seed + 1]) * 32, "ml-dsa-44")),
    )


def address(url: str, name: str = NAME, seed: int = 7) -> WitnessAddress:
    return WitnessAddress(url, tuple(key.verifier for key in signers(name, seed)))


class Bench:
    """A witness on a disk that can be stopped and started."""

    def __init__(self, folder: Path, *, mark: Path | None = None, name: str = NAME, seed: int = 7) -> None:
        self.folder = folder
        self.path = folder / "memory.db"
        self.mark = mark
        self.now = TIME
        self._signers = signers(name, seed)
        if not self.path.exists():
            WitnessState.create(self.path, name)
        self.start()

    def start(self) -> None:
        self.state = WitnessState.open(self.path, self.mark)
        try:
            self.witness = Witness(self.state, self._signers, LOGS, self.folder / "evidence", lambda: float(self.now))
        except BaseException:
            self.state.close()
            raise

    def restart(self) -> None:
        self.state.close()
        self.start()

    def ask(self, body: bytes) -> Answer:
        return self.witness.add_checkpoint(body)

    def close(self) -> None:
        self.state.close()
