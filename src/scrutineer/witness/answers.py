"""What is sent to a witness, and what its answer is worth. Pure; the sending is in client.py."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from scrutineer.errors import NoteError, UsageError
from scrutineer.log.cosignature import CosignatureVerifier, cosignature_time, cosignature_verifier
from scrutineer.log.merkle import MAX_SIZE, Path
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.log.quorum import MAX_AHEAD

MAX_ANSWER_SIZE: Final = 64 * 1024  # bytes

TroubleKind = Literal["unreachable", "nonsense", "refused", "ahead", "contradicted"]
"""`unreachable`: no answer in time. `nonsense`: an answer that the specification does not allow, or signatures that do not
hold. `refused`: it will not cosign, and says why. `ahead`: it has cosigned a larger tree than ours, so that either this log has
lost entries, or its keys have signed another history. `contradicted`: it says that our tree does not continue the one that it has
cosigned (status 422)."""


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness that may be asked: its submission prefix and ALL keys with which it must cosign."""

    url: str
    verifiers: tuple[CosignatureVerifier, ...]

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"{self.url!r} is not the address of a witness: write it as https://host/path")
        if not self.verifiers or len({verifier.name for verifier in self.verifiers}) != 1:
            raise UsageError(f"the witness at {self.url} needs verifier keys that have one name")

    @property
    def name(self) -> str:
        """The name of the witness."""
        return self.verifiers[0].name

    @classmethod
    def from_vkeys(cls, url: str, vkeys: Sequence[str]) -> "WitnessAddress":
        """Read the verifier keys of a witness. Raises NoteError for one that makes no cosignatures."""
        return cls(url.rstrip("/"), tuple(cosignature_verifier(vkey) for vkey in vkeys))


class Cosigned(NamedTuple):
    """Valid cosignatures, one for each key of the witness."""

    lines: tuple[SignatureLine, ...]


class OtherSize(NamedTuple):
    """The witness holds another size than it was told; ask again from there."""

    size: int


class Trouble(NamedTuple):
    """Why a witness has not cosigned, in one sentence for the operator of the log."""

    witness: str
    kind: TroubleKind
    detail: str
    size: int = 0
    """With `ahead`: the size that it says it has cosigned."""


def format_request(old_size: int, proof: Path, checkpoint: bytes) -> bytes:
    """The body of an add-checkpoint request."""
    lines = [f"old {old_size}", *(b64encode(node).decode() for node in proof)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


def read_answer(
    witness: WitnessAddress, checkpoint: bytes, status: int, media_type: str, body: bytes, now: int
) -> Cosigned | OtherSize | Trouble:
    """Judge an answer to a request with this checkpoint, at the time `now` in POSIX seconds.

    Nothing is believed: cosignatures are verified, all keys of the witness must have signed, and no signature may lack a time.
    """
    if status == 200:
        try:
            return Cosigned(_cosignatures(witness, checkpoint, body, now))
        except NoteError as error:
            return Trouble(witness.name, "nonsense", f"it answered with cosignatures that do not hold: {error}")
    if status == 409:
        text = body.decode("ascii", "replace")
        size = text.removesuffix("\n")
        if media_type != "text/x.tlog.size" or not size.isdecimal() or not size.isascii() or len(size) > 19:
            return Trouble(witness.name, "nonsense", "it answered 409 without the size that it holds")
        if text != f"{int(size)}\n" or int(size) > MAX_SIZE:
            return Trouble(witness.name, "nonsense", "it answered 409 with something that is not a size")
        return OtherSize(int(size))
    if status in (400, 403, 404, 422, 429, 500, 502, 503, 504):
        words = "".join(character if character.isprintable() else " " for character in body[:300].decode("utf-8", "replace"))
        kind: TroubleKind = "contradicted" if status == 422 else "refused"
        return Trouble(witness.name, kind, f"it answered {status}: {words.strip() or 'without a reason'}")
    return Trouble(witness.name, "nonsense", f"it answered with status {status}, which a witness does not use")


def add_cosignatures(checkpoint: bytes, cosigned: Sequence[Cosigned]) -> bytes:
    """The checkpoint with these cosignatures behind the signatures that it has."""
    note = parse_note(checkpoint)
    added = tuple(line for answer in cosigned for line in answer.lines)
    return format_note(Note(note.text, note.signatures + added))


def _cosignatures(witness: WitnessAddress, checkpoint: bytes, body: bytes, now: int) -> tuple[SignatureLine, ...]:
    text = parse_note(checkpoint).text
    answer = parse_note(text + b"\n" + body)
    found = []
    for verifier in witness.verifiers:
        lines = [line for line in answer.signatures if (line.name, line.key_id) == (verifier.name, verifier.key_id)]
        if len(lines) != 1:
            raise NoteError(f"{len(lines)} cosignatures by key {verifier.key_id.hex()} of {verifier.name} instead of one")
        verifier.verify(text, lines[0].signature)
        time = cosignature_time(lines[0].signature)
        if not 0 < time <= now + MAX_AHEAD:
            raise NoteError(f"the time {time} of the cosignature by {verifier.name} is missing or lies far in the future")
        found.append(lines[0])
    return tuple(found)
