"""`manifest`: the hash of every file of a site, signed by the log's key, so that a changed or missing file can be named.

A signed note (C2SP signed-note) whose text is the line `scrutineer-site-manifest/v1`, a line `size <log size>`, and for every
file but the manifest itself one line `<SHA-256 in hexadecimal>  <path>`, sorted by path: what `sha256sum --check` reads.
It is signed with the log's Ed25519 key alone, because ML-DSA-44 note signatures exist for checkpoints only. It cannot be
taken for a checkpoint, whose second line is a number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scrutineer.errors import NoteError, PublicationError
from scrutineer.log import LogSigner, LogVerifier
from scrutineer.log.merkle import MAX_SIZE
from scrutineer.log.note import open_note, parse_note, sign_note

TITLE: Final = "scrutineer-site-manifest/v1"
MAX_MANIFEST_SIZE: Final = 1 << 28  # bytes; a million pages need half of it
MAX_PATH_LENGTH: Final = 255  # characters

_PART = r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,127}"
_PATH: Final = re.compile(rf"{_PART}(?:/{_PART}){{0,9}}")
_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)")
_SIZE: Final = re.compile(r"size ([1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a site at a log size: SHA-256 by path."""

    size: int
    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_SIZE:
            raise PublicationError(f"manifest: {self.size} is not a log size")
        for path, digest in self.files.items():
            check_path(path)
            if len(digest) != 32:
                raise PublicationError(f"manifest: {path} is not named by a SHA-256 hash of 32 bytes")

    def to_text(self) -> bytes:
        """The note text."""
        lines = [TITLE, f"size {self.size}", *(f"{self.files[path].hex()}  {path}" for path in sorted(self.files))]
        return ("\n".join(lines) + "\n").encode()


def check_path(path: str) -> None:
    """Refuse a path that could lead out of the site's folder, or that is hidden. Raises PublicationError."""
    if len(path) > MAX_PATH_LENGTH or _PATH.fullmatch(path) is None:
        raise PublicationError(f"{path[:MAX_PATH_LENGTH]!r} cannot be the path of a file of a site")


def sign_manifest(manifest: Manifest, signer: LogSigner) -> bytes:
    """The signed manifest; the same bytes for the same files and key."""
    ed25519, _ = signer.note_signers
    return sign_note(manifest.to_text(), [ed25519])


def open_manifest(data: bytes, verifier: LogVerifier) -> Manifest:
    """Read a manifest once the log's Ed25519 signature on it has verified.

    Raises NoteError where it is malformed, not in its only form, or not signed by the log.
    """
    ed25519, _ = verifier.note_verifiers
    note, _ = open_note(data, [ed25519], max_size=MAX_MANIFEST_SIZE)
    if len(note.signatures) != 1:
        raise NoteError("manifest: it has other signatures than the log's")
    return _read_text(note.text)


def peek_manifest(data: bytes) -> Manifest:
    """Read a manifest whose signature is not checked here, to know which files to fetch. Raises NoteError."""
    return _read_text(parse_note(data, max_size=MAX_MANIFEST_SIZE).text)


def _read_text(text: bytes) -> Manifest:
    lines = text.decode().split("\n")[:-1]
    stated = _SIZE.fullmatch(lines[1]) if len(lines) > 1 else None
    if lines[0] != TITLE or stated is None:
        raise NoteError(f"manifest: it does not begin with the lines {TITLE!r} and 'size' with the log size")
    files: dict[str, bytes] = {}
    for number, line in enumerate(lines[2:], start=3):
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise NoteError(f"manifest: line {number} is not a SHA-256 hash, two spaces and a path")
        files[matched[2]] = bytes.fromhex(matched[1])
    try:
        manifest = Manifest(int(stated[1]), files)
    except PublicationError as error:
        raise NoteError(str(error)) from error
    if manifest.to_text() != text:
        raise NoteError("manifest: it is not sorted by path, or lists a file twice")
    return manifest
