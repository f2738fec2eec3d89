"""The folder of a mirror, written so that whoever reads the copy sees one publication or the next, and nothing in between.

    DIR/site        a link to the copy that is shown: serve this one
    DIR/.copies/N   whole copies: the one that is shown, and the one before it for requests that are under way
    DIR/.staging    the copy that is being made
    DIR/mirror.json the election that the mirror is of, and what its sources last answered
    DIR/evidence    pairs of checkpoints that contradict each other

A copy is made beside the one that is shown, of hard links to the files that stay and of files that were fetched. Once it is
whole and on the disk it gets its number, and the link is replaced by one rename. Before that rename the old copy is whole, after
it the new one is; a crash leaves a staging folder from which the next run goes on, after it has checked every file in it.
"""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from scrutineer.errors import NoteError, PublicationError, UsageError
from scrutineer.log import LogVerifier
from scrutineer.log.quorum import Quorum
from scrutineer.pieces import sha256_of
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, MANIFEST_FILE, write_json
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.verify.mirror.offers import Offer, open_offer, open_shown, size_limit
from scrutineer.verify.source import FolderSource

FORMAT: Final = "scrutineer-mirror/v1"
SITE: Final = "site"
EVIDENCE: Final = "evidence"
STATE: Final = "mirror.json"
_COPIES: Final = ".copies"
_STAGING: Final = ".staging"
_NEW: Final = ".new"  # what is about to replace the link or the state
_OURS: Final = frozenset({SITE, EVIDENCE, STATE, _COPIES, _STAGING, _NEW})
_MAX_STATE_SIZE: Final = 1 << 20  # bytes


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a file that a source served: the source's name for it, and its SHA-256 in hexadecimal."""

    etag: str
    sha256: str


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`mirror.json`."""

    format: str
    definition: str
    """Hash of the definition in hexadecimal: the election that this mirror is of."""
    sources: dict[str, dict[str, Known]]
    """By address and path, what was last served of the files that every run asks for."""


@dataclass(frozen=True)
class Held:
    """The copy that is shown. Its checkpoint and manifest have been checked; `files` are those whose bytes are as listed."""

    offer: Offer
    files: Mapping[str, bytes]
    site: FolderSource


class MirrorFolder:
    """A mirror's folder, held alone for as long as the block lasts. Raises PublicationError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.staging = path / _STAGING
        self._handle = -1
        self._folders: set[Path] = set()

    def __enter__(self) -> Self:
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock()
            with writing(self.path):
                foreign = sorted(set(os.listdir(self.path)) - _OURS)  # noqa: PTH208 - names alone
            if foreign and self.state() is None:
                raise PublicationError(f"{self.path} holds {foreign[0]!r} and is not a mirror: name a new or an empty folder")
        except BaseException:
            os.close(self._handle)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    @property
    def site(self) -> Path:
        """What readers are to be served."""
        return self.path / SITE

    # --- what is there already --------------------------------------------------------------------------------------

    def state(self) -> State | None:
        """`mirror.json`; None where there is none. Raises PublicationError where it is another program's."""
        path = self.path / STATE
        with writing(path):
            try:
                with path.open("rb") as file:
                    data = file.read(_MAX_STATE_SIZE + 1)
            except FileNotFoundError:
                return None
        try:
            state = msgspec.json.decode(data, type=State)
            if state.format != FORMAT or len(bytes.fromhex(state.definition)) != 32:
                raise PublicationError(
                    f"{path} has another format than {FORMAT!r}: use the version that made it, or another folder"
                )
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise PublicationError(f"{path} cannot be read ({error}): it is damaged; name another folder") from error
        return state

    def definition(self) -> bytes | None:
        """The definition of the copy that is shown, 32 bytes of hash unchecked; None where nothing is shown."""
        if not self.site.is_dir():
            return None
        return FolderSource(self.site).read(DEFINITION_FILE, MAX_STATEMENT_SIZE)

    def held(self, verifier: LogVerifier, quorum: Quorum | None = None) -> Held | None:
        """The copy that is shown; every file is read and hashed, and left out where it is not as listed.

        Raises PublicationError where checkpoint or manifest are not what the log and its witnesses signed: without them nobody
        could tell whether the log is still the same.
        """
        if not self.site.is_dir():
            return None
        source = FolderSource(self.site.resolve())
        try:
            shown = open_shown(str(self.site), source.read(CHECKPOINT_FILE, size_limit(CHECKPOINT_FILE)), verifier, quorum)
            offer = open_offer(shown, source.read(MANIFEST_FILE, MAX_MANIFEST_SIZE), verifier)
        except (NoteError, PublicationError) as error:
            raise PublicationError(
                f"{self.site} is damaged ({error}): keep it for whoever looks into that, and mirror into a new folder"
            ) from error
        whole = {path: digest for path, digest in offer.files.items() if _digest(source, path) == digest}
        return Held(offer, whole, source)

    # --- making a copy ----------------------------------------------------------------------------------------------

    def stage(self, offer: Offer, held: Held | None) -> set[str]:
        """Begin or go on with a copy: take what is held; the files that are in the staging folder, byte for byte."""
        with writing(self.staging):
            self._take_up()
            self.staging.mkdir(exist_ok=True)
            self._folders = {self.staging}
            staged = self._keep_listed(offer.files)
            if held is not None:
                for path in offer.files:
                    if path not in staged and held.files.get(path) == offer.files[path]:
                        self._link(held.site.folder / path, self._place(path))
                        staged.add(path)
        return staged

    def save(self, path: str, pieces: Iterator[bytes]) -> tuple[bytes, int]:
        """Write a file of the copy that is being made; its SHA-256 and size."""
        digest, size = hashlib.sha256(), 0
        target = self._place(path)
        with writing(target):
            # What is there may be a link to a file of the copy that is shown.
            target.unlink(missing_ok=True)
            with target.open("xb", buffering=0) as file:
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    view = memoryview(piece)
                    while view:
                        view = view[file.write(view) :]
        return digest.digest(), size

    def drop(self, path: str) -> None:
        """Remove a file of the copy that is being made."""
        with contextlib.suppress(OSError):
            (self.staging / path).unlink()

    def show(self, offer: Offer) -> None:
        """Show the copy that was made: its files are all there. From here on it is the one that readers get."""
        with writing(self.path):
            manifest = self.staging / MANIFEST_FILE
            manifest.unlink(missing_ok=True)
            manifest.write_bytes(offer.manifest)
            _sync(self._handle)
            copies = self.path / _COPIES
            copies.mkdir(exist_ok=True)
            before = self._numbers()
            number = max(before, default=0) + 1
            self.staging.rename(copies / str(number))
            new = self.path / _NEW
            new.unlink(missing_ok=True)
            new.symlink_to(f"{_COPIES}/{number}")
            current = self._shown()
            # The copy is on the disk under its name before anything leads to it.
            _sync(self._handle)
            new.replace(self.site)
            _sync(self._handle)
            for other in before:
                if other != current:
                    shutil.rmtree(copies / str(other), ignore_errors=True)

    def write_state(self, state: State) -> None:
        """Replace `mirror.json`."""
        path = self.path / STATE
        with writing(path):
            new = self.path / _NEW
            new.unlink(missing_ok=True)
            with new.open("wb") as file:
                file.write(write_json(msgspec.to_builtins(state)))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            os.fsync(self._handle)

    def keep(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Keep evidence under a name, once; the folder that it is in."""
        target = self.path / EVIDENCE / name
        if target.is_dir():
            return target
        with writing(target):
            target.parent.mkdir(exist_ok=True)
            new = target.parent / f".{name}"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            for path, data in files.items():
                (new / path).write_bytes(data)
            _sync(self._handle)
            new.rename(target)
            _sync(self._handle)
        return target

    # ----------------------------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PublicationError(f"{self.path} is being written by another program: wait until that has finished") from error

    def _shown(self) -> int | None:
        """The number of the copy that is shown."""
        try:
            return int(self.site.readlink().name)
        except (OSError, ValueError):
            return None

    def _numbers(self) -> list[int]:
        try:
            return [int(entry.name) for entry in os.scandir(self.path / _COPIES) if entry.name.isdecimal()]
        except FileNotFoundError:
            return []

    def _take_up(self) -> None:
        """A copy that got its number and was not shown before the program ended is gone on with like any that was begun."""
        current = self._shown() or 0
        for number in self._numbers():
            if number > current:
                copy = self.path / _COPIES / str(number)
                if self.staging.exists():
                    shutil.rmtree(copy)
                else:
                    copy.rename(self.staging)

    def _keep_listed(self, listed: Mapping[str, bytes]) -> set[str]:
        """Of what an earlier run left in the staging folder, keep the files that are as listed, and remove everything else."""
        source = FolderSource(self.staging)
        staged = set()
        for path in list(source.paths()):
            if path in listed and _digest(source, path) == listed[path]:
                staged.add(path)
            else:
                (self.staging / path).unlink()
        for folder, _, _ in os.walk(self.staging, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # noqa: PTH106 - strings: there are many; one that holds something stays
        self.staging.mkdir(exist_ok=True)
        return staged

    def _place(self, path: str) -> Path:
        target = self.staging / path
        if target.parent not in self._folders:
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(target.parent)
        return target

    @staticmethod
    def _link(source: Path, target: Path) -> None:
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK):
                raise
            shutil.copyfile(source, target)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk says into a PublicationError that says what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PublicationError(
                f"{path}: no space is left; the copy that is shown stays as it is; free some space and run the same command again"
            ) from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY):
            raise PublicationError(f"{where} is in the way ({error.strerror}): name a new or an empty folder") from error
        raise PublicationError(
            f"{where} cannot be written ({error.strerror}): check the disk or choose another folder"
        ) from error


def use_definition(state: State | None, given: bytes | None) -> bytes | None:
    """The hash of the definition that a mirror follows: the one given, else the one it was begun with; None for a new one.

    Raises UsageError where both are there and are not the same.
    """
    begun = bytes.fromhex(state.definition) if state is not None else None
    if given is not None and begun is not None and given != begun:
        raise UsageError(
            f"this folder is a mirror of the election whose definition has the hash {begun.hex()}, and {given.hex()} was given: "
            "name another folder"
        )
    return given if given is not None else begun


def _digest(source: FolderSource, path: str) -> bytes:
    """The SHA-256 of a file; nothing where it cannot be read."""
    try:
        return sha256_of(source.chunks(path))
    except PublicationError:
        return b""


def _sync(handle: int) -> None:
    """Wait until everything written to the handle's file system is on the disk: one wait for tens of thousands of files."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        os.sync()
    elif call(handle) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
