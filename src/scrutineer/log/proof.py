"""C2SP tlog-proof: a text file that proves, offline, that an entry is in the log and who cosigned its head."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from scrutineer.errors import NoteError, ProofError
from scrutineer.log.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint
from scrutineer.log.merkle import HASH_SIZE, MAX_SIZE, verify_inclusion
from scrutineer.log.note import MAX_NOTE_SIZE, NoteVerifier, decode_base64, parse_note

MAX_EXTRA_SIZE = 1 << 16  # bytes
MAX_PROOF_SIZE = MAX_NOTE_SIZE + 2 * MAX_EXTRA_SIZE  # bytes
MAX_PATH = 63  # hashes

_TITLE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class LogProof:
    """Index, inclusion path, checkpoint bytes and optional extra data, which nothing authenticates."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE:
            raise ProofError(f"log proof: {self.index} is not an index")
        if len(self.path) > MAX_PATH or any(len(value) != HASH_SIZE for value in self.path):
            raise ProofError(f"log proof: the path is not a list of up to {MAX_PATH} hashes of {HASH_SIZE} bytes")
        if self.extra is not None and len(self.extra) > MAX_EXTRA_SIZE:
            raise ProofError(f"log proof: {len(self.extra)} bytes of extra data are more than {MAX_EXTRA_SIZE}")
        try:
            Checkpoint.from_text(parse_note(self.checkpoint).text)
        except NoteError as error:
            raise ProofError(f"log proof: {error}") from None

    def to_text(self) -> bytes:
        """Return the proof file."""
        lines = [_TITLE]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [b64encode(value).decode() for value in self.path]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def from_text(cls, data: bytes) -> "LogProof":
        """Parse a proof file strictly; raise ProofError."""
        if len(data) > MAX_PROOF_SIZE:
            raise ProofError(f"log proof: {len(data)} bytes are more than the {MAX_PROOF_SIZE} allowed")
        head, _blank, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise ProofError("log proof: the part before the checkpoint is not ASCII") from None
        if lines.pop(0) != _TITLE:
            raise ProofError(f"log proof: the first line is not {_TITLE}")
        try:
            extra = decode_base64(lines.pop(0)[6:], "extra") if lines and lines[0].startswith("extra ") else None
            index = lines.pop(0) if lines else ""
            path = tuple(decode_base64(line, f"hash {number}") for number, line in enumerate(lines))
        except NoteError as error:
            raise ProofError(f"log proof: {error}") from None
        number = index.removeprefix("index ")
        if not index.startswith("index ") or not (number.isdecimal() and len(number) <= len(str(MAX_SIZE))):
            raise ProofError("log proof: there is no line 'index <number>'")
        proof = cls(int(number), path, checkpoint, extra)
        if proof.to_text() != data:
            raise ProofError("log proof: not in canonical form")
        return proof


def verify_proof(
    data: bytes, leaf: bytes, verifiers: Sequence[NoteVerifier], witnesses: Sequence[NoteVerifier] = ()
) -> OpenedCheckpoint:
    """Return the checkpoint that covers the leaf hash, and who cosigned it.

    `verifiers` are the log's keys, all of which must have signed. Raises ProofError when the file is malformed or does
    not lead to the checkpoint's root, and NoteError when the checkpoint is not signed as required.
    """
    proof = LogProof.from_text(data)
    opened = open_checkpoint(proof.checkpoint, verifiers, witnesses)
    verify_inclusion(leaf, proof.index, opened.checkpoint.size, proof.path, opened.checkpoint.root)
    return opened
