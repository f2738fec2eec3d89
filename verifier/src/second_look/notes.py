"""Signed notes (C2SP signed-note), checkpoints (tlog-checkpoint) and cosignatures (docs/formats.md, "Checkpoint")."""

import hashlib
import re
from dataclasses import dataclass

from second_look import signatures
from second_look.report import FormatError
from second_look.shapes import decode_base64

LOG_ED25519, COSIGNED_ED25519, COSIGNED_ML_DSA_44 = 1, 4, 6


@dataclass(frozen=True)
class NoteKey:
    """A verifier key: `<name>+<key id>+<base64 of type and public key>`."""

    name: str
    id: bytes
    type: int
    public: bytes


def note_key(written: str) -> NoteKey:
    """Read a verifier key; its id must be the one that its name and key give."""
    parts = written.split("+", 2)
    if len(parts) != 3 or not parts[0] or re.search(r"\s", parts[0]):
        raise FormatError(f"{written[:60]!r} is not a verifier key")
    data = decode_base64(parts[2])
    own = hashlib.sha256(parts[0].encode() + b"\n" + data).digest()[:4]
    if len(data) < 2 or own.hex() != parts[1]:
        raise FormatError(f"the id of verifier key {written[:60]!r} is not that of its key")
    return NoteKey(parts[0], own, data[0], data[1:])


@dataclass(frozen=True)
class Note:
    """A note's text, with its last line feed, and its signatures: name, key id, and the bytes behind the id."""

    text: bytes
    signatures: list[tuple[str, bytes, bytes]]


def read_note(data: bytes) -> Note:
    """Take a note apart; no signature is checked here."""
    text, middle, rest = data.rpartition(b"\n\n")
    try:
        lines = rest.decode().split("\n")
        text.decode()
    except UnicodeDecodeError:
        raise FormatError("a signed note is not UTF-8") from None
    if not middle or lines[-1] or len(lines) < 2:
        raise FormatError("a signed note has no signatures behind an empty line")
    found = []
    for line in lines[:-1]:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—" or not parts[1]:
            raise FormatError("a line below a signed note is no signature")
        blob = decode_base64(parts[2])
        if len(blob) < 5:
            raise FormatError("a signature of a note is too short")
        found.append((parts[1], blob[:4], blob[4:]))
    return Note(text + b"\n", found)


@dataclass(frozen=True)
class Checkpoint:
    """A signed head of the log."""

    origin: str
    size: int
    root: bytes
    note: Note


def u64(value: int) -> bytes:
    """A number in 64 bits."""
    return value.to_bytes(8, "big")


def read_checkpoint(data: bytes) -> Checkpoint:
    """Read a checkpoint: exactly three lines of text, in their only form."""
    note = read_note(data)
    lines = note.text.decode().split("\n")
    if len(lines) != 4 or not re.fullmatch(r"[1-9][0-9]{0,17}", lines[1]) or not lines[0]:
        raise FormatError("a checkpoint has other lines than origin, size and root")
    root = decode_base64(lines[2])
    if len(root) != 32:
        raise FormatError("the root of a checkpoint has not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, note)


def signature_holds(key: NoteKey, note: Note, blob: bytes, head: Checkpoint | None) -> bool:
    """Whether the bytes behind a key id are that key's signature of a note; cosignatures need the head that they are of."""
    if key.type == LOG_ED25519:
        return signatures.holds(signatures.ED25519, key.public, note.text, blob)
    if head is None or len(blob) <= 8 or not any(blob[:8]):
        return False
    time, signature = blob[:8], blob[8:]
    if key.type == COSIGNED_ED25519:
        message = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + note.text
        return signatures.holds(signatures.ED25519, key.public, message, signature)
    if key.type == COSIGNED_ML_DSA_44:
        name, origin = key.name.encode(), head.origin.encode()
        message = b"".join(
            (b"subtree/v1\n\0", bytes([len(name)]), name, time, bytes([len(origin)]), origin, bytes(8), u64(head.size), head.root)
        )
        return signatures.holds(signatures.ML_DSA_44, key.public, message, signature)
    return False


def signed_by(key: NoteKey, note: Note, head: Checkpoint | None = None) -> bool:
    """Whether a note bears a signature by this key; FormatError where one names the key and does not hold, or stands twice."""
    own = [blob for name, key_id, blob in note.signatures if name == key.name and key_id == key.id]
    if len(own) > 1:
        raise FormatError(f"key {key.name}+{key.id.hex()} has signed a note twice")
    if own and not signature_holds(key, note, own[0], head):
        raise FormatError(f"the signature by {key.name}+{key.id.hex()} does not hold")
    return bool(own)


def read_manifest(data: bytes, key: NoteKey) -> tuple[int, dict[str, bytes]]:
    """The list of a site's files, once the log's signature on it holds: log size, and SHA-256 by path."""
    note = read_note(data)
    if len(note.signatures) != 1 or not signed_by(key, note):
        raise FormatError("the list of files is not signed by the log alone")
    title, size, *lines = note.text.decode().split("\n")[:-1]
    given = re.fullmatch(r"size ([1-9][0-9]{0,17})", size)
    if title != "scrutineer-site-manifest/v1" or given is None:
        raise FormatError("the list of files begins in another way")
    files: dict[str, bytes] = {}
    before = ""
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9_~-][A-Za-z0-9_.~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*)", line)
        if match is None or match[2] <= before:
            raise FormatError(f"line {line[:100]!r} of the list of files")
        before = match[2]
        files[match[2]] = bytes.fromhex(match[1])
    return int(given[1]), files
