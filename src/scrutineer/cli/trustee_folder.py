"""A trustee's folder: its secrets in a file that only a passphrase opens, and the files that it carries to the others.

    secret.json     everything that nobody else may read, sealed with the passphrase
    manifest.json   what the keys are made for
    ballots.json    the joined keys, once they were confirmed
    rounds/         what is kept of each decryption

One command at a time works in a folder: a lock sees to it, so that no secret can be used twice at once.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import click
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from scrutineer.ballots.bundle import split_lines
from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.keys import KeyRecord, read_key_record
from scrutineer.ballots.manifest import MAX_MANIFEST_SIZE, Manifest, read_manifest
from scrutineer.ballots.rounds import MAX_LINE_SIZE
from scrutineer.ballots.trustee import TrusteeState, read_state
from scrutineer.durable import write_whole, write_whole_from
from scrutineer.errors import BallotError, UsageError
from scrutineer.pieces import pieces_of

SECRET_FILE: Final = "secret.json"  # noqa: S105 (a name of a file)
MANIFEST_FILE: Final = "manifest.json"
KEYS_FILE: Final = "ballots.json"
ROUNDS: Final = "rounds"
SEALED_FORMAT: Final = "scrutineer-trustee/v1"
MIN_PASSPHRASE: Final = 12  # characters
MAX_SECRET_SIZE: Final = 64 * 1024 * 1024  # bytes
SCRYPT_COST: Final = 2**17
"""N of scrypt with r = 8 and p = 1: 128 MB and about half a second for each guess at a passphrase."""
_LOST: Final = (
    "take the copy that was made after the ceremony; if there is none, this trustee cannot decrypt any more, and the others "
    "go on as long as a quorum of them is left"
)

group: Group = STANDARD
"""The group that all commands work in. Tests put a small one here; nothing else does."""


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    cost: Annotated[int, msgspec.Meta(ge=0, le=2**20)]
    """N of scrypt; 0 where the file is not sealed."""
    salt: bytes
    check: bytes
    """Tells a wrong passphrase from a damaged file."""
    nonce: bytes
    data: bytes


class _Key(msgspec.Struct, frozen=True):
    cost: int
    salt: bytes
    key: bytes


Passphrase = Callable[[], str]


class TrusteeFolder:
    """An opened folder, which is locked until `opened` ends."""

    def __init__(self, path: Path, state: TrusteeState, key: _Key | None) -> None:
        self.path: Final = path
        self.state = state
        self._key: Final = key

    def keep(self, state: TrusteeState) -> None:
        """Make a new state durable before anything that it decided leaves the folder. Raises UsageError."""
        if state != self.state:
            _write(self.path / SECRET_FILE, _seal(state.encode(), self._key))
            self.state = state

    def manifest(self) -> Manifest:
        """What the keys are made for. Raises BallotError."""
        return read_manifest(read_bounded(self.path / MANIFEST_FILE, MAX_MANIFEST_SIZE, "the manifest"))

    def keys_data(self) -> bytes:
        """The confirmed keys as they are published. Raises UsageError."""
        path = self.path / KEYS_FILE
        if not path.exists():
            raise UsageError(f"{self.path} has no {KEYS_FILE}: run `trustees confirm` with the joined keys first")
        return read_bounded(path, MAX_SECRET_SIZE, "the joined keys")

    def keys(self) -> KeyRecord:
        """The confirmed keys. Raises UsageError and BallotError."""
        return read_key_record(self.keys_data(), group)


def make_folder(path: Path, manifest: Manifest, state: TrusteeState, passphrase: str | None) -> None:
    """Write a new trustee's folder. Raises UsageError where there is a trustee already or the folder cannot be written."""
    key = None if passphrase is None else _derive(passphrase, secrets.token_bytes(16), SCRYPT_COST)
    with locked(path):
        if (path / SECRET_FILE).exists():
            raise UsageError(f"{path} holds a trustee already: a key is never overwritten; choose another folder")
        _write(path / MANIFEST_FILE, manifest.encode(), 0o644)
        _write(path / SECRET_FILE, _seal(state.encode(), key))


@contextlib.contextmanager
def opened(path: Path, passphrase: Passphrase) -> Iterator[TrusteeFolder]:
    """A trustee's folder, opened and locked. Raises UsageError where it is missing, damaged, locked or the passphrase wrong."""
    secret = path / SECRET_FILE
    if not secret.exists():
        raise UsageError(f"{path} holds no trustee ({SECRET_FILE} is missing): name the right folder, or {_LOST}")
    with locked(path):
        try:
            sealed = msgspec.json.decode(read_bounded(secret, MAX_SECRET_SIZE, "the secrets"), type=_Sealed)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UsageError(f"{secret} is damaged and cannot be read: {_LOST}") from error
        if sealed.format != SEALED_FORMAT:
            raise UsageError(f"{secret} has the format {sealed.format[:40]!r}: this program reads {SEALED_FORMAT}")
        key = None
        data = sealed.data
        if sealed.cost:
            key = _derive(passphrase(), sealed.salt, sealed.cost)
            if _check(key) != sealed.check:
                raise UsageError(
                    f"this passphrase does not open {secret}: try again; mind capital letters and the keyboard's language"
                )
            try:
                data = ChaCha20Poly1305(key.key).decrypt(sealed.nonce, sealed.data, SEALED_FORMAT.encode())
            except (InvalidTag, ValueError) as error:
                raise UsageError(f"{secret} is damaged, although the passphrase is right: {_LOST}") from error
        try:
            state = read_state(data)
        except BallotError as error:
            raise UsageError(f"{secret} is damaged: {_LOST} ({error})") from error
        yield TrusteeFolder(path, state, key)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder against other commands, making it where it is missing. Raises UsageError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another folder, or make room") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another command works in {path}: wait until it has ended") from error
        yield
    finally:
        os.close(handle)


def ask_passphrase(file: Path | None, *, new: bool = False) -> str:
    """The passphrase from a file or the keyboard. Raises UsageError for a new one that is too short."""
    if file is not None:
        try:
            text = read_bounded(file, 4096, "the passphrase").decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UsageError(f"{file} is not a text in UTF-8: write the passphrase into it again") from error
    else:
        text = click.prompt("Passphrase of this trustee", hide_input=True, confirmation_prompt=new, err=True)
    if new and len(text) < MIN_PASSPHRASE:
        raise UsageError(
            f"this passphrase is too short: use at least {MIN_PASSPHRASE} characters, best four or five random words"
        )
    return text


def read_bounded(path: Path, limit: int, what: str) -> bytes:
    """A file of at most so many bytes. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{what} cannot be read from {path} ({error.strerror}): is the stick in, and the name right?") from error
    if len(data) > limit:
        raise UsageError(f"{path} has more than {limit} bytes: that is not {what}")
    return data


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file in pieces. Raises UsageError."""
    try:
        yield from pieces_of(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): is the stick in, and the name right?") from error


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file with their line feeds, in bounded memory. Raises UsageError."""
    return split_lines(chunks_of(path), MAX_LINE_SIZE)


def write_lines(path: Path, lines: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file of any size durably, whole or not at all. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_from(path, lines, mode)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): make room, or put in another stick; then go on"
        ) from error


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    try:
        write_whole(path, data, mode)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): make room; then give the same command again") from error


def _derive(passphrase: str, salt: bytes, cost: int) -> _Key:
    if cost < 2 or cost & (cost - 1):
        raise UsageError(f"the secrets are damaged: {_LOST}")
    return _Key(cost, salt, Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode()))


def _check(key: _Key) -> bytes:
    return ChaCha20Poly1305(key.key).encrypt(bytes(12), b"", b"check")


def _seal(data: bytes, key: _Key | None) -> bytes:
    if key is None:
        return msgspec.json.encode(_Sealed(SEALED_FORMAT, 0, b"", b"", b"", data))
    # The nonce 0 belongs to the check alone; 95 random bits are enough for the few times that a trustee's state is written.
    nonce = b"\x01" + secrets.token_bytes(11)
    sealed = ChaCha20Poly1305(key.key).encrypt(nonce, data, SEALED_FORMAT.encode())
    return msgspec.json.encode(_Sealed(SEALED_FORMAT, key.cost, key.salt, _check(key), nonce, sealed))
