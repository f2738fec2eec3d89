"""Writing a site to a folder: the one module of the portal that does input and output.

Every file is written beside the site and moved to its place whole, and only where its bytes changed. The order of writes is
the design: what a checkpoint covers is durable before the checkpoint is there, and the manifest, which says that the
publication is complete, comes last. Whoever reads in between, or after a crash, finds a log that holds together, and at worst
pages that are newer than the manifest; publishing again completes it.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.errors import LogError, NoteError, PublicationError
from scrutineer.log import LogSigner, open_checkpoint
from scrutineer.log.quorum import Quorum, check_quorum
from scrutineer.log.tiles import TILE_WIDTH
from scrutineer.portal.formats import CHECKPOINT_FILE, MANIFEST_FILE, SITE_FILE, SiteFile, read_site_info
from scrutineer.portal.log_files import Entries, render_head, render_pending, render_tiles
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE, Manifest, check_path, open_manifest, sign_manifest
from scrutineer.portal.record import Record
from scrutineer.portal.site import render_definition, render_site

Progress = Callable[[int, int], None]
"""Told the files done and about how many there are in all."""

_TEMPORARY: Final = ".publishing"  # hidden, so that no web server hands it out
_UNFINISHED: Final = ".unfinished"
"""Names of the files that a publication has added and no manifest names yet, one on a line: one that is cut off leaves it behind,
and the next one knows by it what to take away."""
_EVERY: Final = 64  # files between two words of progress


@dataclass(frozen=True, slots=True)
class PublicationSummary:
    """What a publication did."""

    size: int
    """Log entries that the site shows."""
    files: int
    """Files of the site, the manifest included."""
    written: int
    """Files that are new or changed."""
    removed: int
    """Files of the previous publication that no longer belong."""
    bytes: int
    """Size of the whole site."""


def publish(
    record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress | None = None
) -> PublicationSummary:
    """Write the site to a folder, or bring the one that is there up to date.

    Raises PublicationError where the folder cannot be written, holds something else than a site of this log, shows a log
    that is not a prefix of this one, or is being written by another program; and where the definition names witnesses and the
    record's checkpoint does not carry their quorum: what lacks it is never shown as the log's head.
    """
    _require_quorum(record)
    return _publish(record, entries, signer, site, progress, pending=False)


def publish_pending(
    record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress | None = None
) -> PublicationSummary:
    """Write what may be shown of a head that waits for its witnesses: definition, log files, and `log/checkpoint.pending`.

    There are no pages and no figures. Raises PublicationError as `publish` does, and where the folder shows a cosigned head
    already, which stays as it is.
    """
    return _publish(record, entries, signer, site, progress, pending=True)


def _require_quorum(record: Record) -> None:
    policy = record.election.definition.witnesses
    if policy is None:
        return
    try:
        check_quorum(record.checkpoint, Quorum.from_policy(policy, record.verifier))
    except NoteError as error:
        raise PublicationError(
            f"the head of {record.head.size:,} entries cannot be published ({error}): collect the quorum of cosignatures first"
        ) from error


def _publish(
    record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress | None, *, pending: bool
) -> PublicationSummary:
    if signer.verifier != record.verifier:
        raise PublicationError(
            "the site would be signed with other keys than the log's: give the keys that the log was opened with"
        )
    try:
        site.mkdir(parents=True, exist_ok=True)
        with _alone(site):
            publication = _Publication(record, entries, signer, site, progress or _silent)
            try:
                return publication.run(pending=pending)
            finally:
                publication.tidy()
    except OSError as error:
        raise PublicationError(_advice(site, error)) from error


@contextlib.contextmanager
def _alone(site: Path) -> Iterator[None]:
    """Hold the folder, so that two publications cannot mix. The lock ends with the program, however that ends."""
    handle = os.open(site, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PublicationError(f"{site} is being written by another program: wait until that has finished") from error
        yield
    finally:
        os.close(handle)


class _Publication:
    def __init__(self, record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress) -> None:
        self._record = record
        self._entries = entries
        self._signer = signer
        self._root = os.fspath(site)
        self._temporary = os.path.join(self._root, _TEMPORARY)  # noqa: PTH118 - strings: there are tens of thousands of files
        self._progress = progress
        self._files: dict[str, bytes] = {}
        self._folders: set[str] = {self._root}
        self._changed: set[str] = set()
        self._written = 0
        self._bytes = 0
        self._known: frozenset[str] = frozenset()
        self._unfinished = -1

    def run(self, *, pending: bool) -> PublicationSummary:
        """Write everything in the order that survives a crash at any moment."""
        before = self._known = self._before()
        if pending and os.path.lexists(f"{self._root}/{CHECKPOINT_FILE}"):
            raise PublicationError(f"{self._root} shows a head that was published before, and that stays: choose another folder")
        self._unfinished = os.open(f"{self._root}/{_UNFINISHED}", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        before = before.union(self._cut_off())
        expected = len(before) or self._expected()
        for file in render_definition(self._record) if pending else render_site(self._record):
            self._take(file, expected)
        for file in render_tiles(self._record, self._entries):
            self._take(file, expected, durable=True)
        # Tiles and bundles have to be found after a power failure before anything says that they are there.
        self._settle()
        for file in render_pending(self._record) if pending else render_head(self._record):
            self._take(file, expected, durable=True)
        self._settle()
        removed = self._remove(before)
        manifest = sign_manifest(Manifest(self._record.head.size, self._files), self._signer)
        self._write(SiteFile(MANIFEST_FILE, (manifest,)), durable=True)
        self._settle()
        os.unlink(f"{self._root}/{_UNFINISHED}")  # noqa: PTH108
        self._progress(len(self._files) + 1, len(self._files) + 1)
        return PublicationSummary(self._record.head.size, len(self._files) + 1, self._written, removed, self._bytes)

    def tidy(self) -> None:
        """Remove the file that was being written, where one was."""
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)  # noqa: PTH108
        if self._unfinished >= 0:
            os.close(self._unfinished)

    # --- what is there already --------------------------------------------------------------------------------------

    def _before(self) -> frozenset[str]:
        """The files of the previous publication. Raises PublicationError where the folder is not ours to write."""
        if all(entry.name.startswith(".") for entry in os.scandir(self._root)):
            return frozenset()
        info = self._read(SITE_FILE, 1 << 16)
        if info is None:
            raise PublicationError(f"{self._root} is not empty and holds no published site: choose another folder, or empty it")
        if read_site_info(info).definition != self._record.election.hash.hex():
            raise PublicationError(f"{self._root} holds the site of another election: choose another folder")
        self._check_prefix()
        manifest = self._read(MANIFEST_FILE, MAX_MANIFEST_SIZE)
        if manifest is None:
            return frozenset()
        try:
            return frozenset(open_manifest(manifest, self._record.verifier).files)
        except NoteError as error:
            raise PublicationError(
                f"{self._root}/{MANIFEST_FILE} is not what this log published ({error}): remove the site and publish again"
            ) from error

    def _check_prefix(self) -> None:
        """Refuse to replace a checkpoint by one of another history: readers hold the old one as evidence."""
        data = self._read(CHECKPOINT_FILE, 1 << 20)
        if data is None:
            return
        try:
            shown = open_checkpoint(data, self._record.verifier.note_verifiers).checkpoint
        except NoteError as error:
            raise PublicationError(
                f"{self._root}/{CHECKPOINT_FILE} is not what this log published ({error}): remove the site and publish again"
            ) from error
        if shown.size > self._record.head.size:
            raise PublicationError(
                f"{self._root} shows the log at {shown.size} entries already, and this would take it back to "
                f"{self._record.head.size}: publish a log that is at least as long"
            )
        if self._record.tree.root(shown.size) != shown.root:
            raise LogError(
                f"{self._root} shows another history of this log, with another root at {shown.size} entries: do not publish; "
                "find out which store was replaced, and restore the log from what was published"
            )

    def _read(self, path: str, limit: int) -> bytes | None:
        """A file of the site; None where it is not there."""
        try:
            with open(f"{self._root}/{path}", "rb") as file:  # noqa: PTH123
                data = file.read(limit + 1)
        except FileNotFoundError:
            return None
        if len(data) > limit:
            raise PublicationError(f"{self._root}/{path} is larger than it can be: remove the site and publish again")
        return data

    def _expected(self) -> int:
        """About how many files there will be, for the progress of a first publication."""
        units = self._record.election.units
        pages = {"stations": units.unit_count, "units": len(units.index), "none": 0}[self._record.options.pages]
        pages *= len(self._record.options.languages) if self._record.options.translated == "stations" else 1
        return pages + 2 * self._record.head.size // TILE_WIDTH + 20

    def _cut_off(self) -> Iterator[str]:
        """The files that publications added which were cut off before their manifest."""
        with open(self._unfinished, "rb", closefd=False) as file:
            for line in file:
                # Half a name could be the name of something else; the quotation marks tell that it is whole.
                with contextlib.suppress(PublicationError, UnicodeDecodeError):
                    name = line.decode().strip()
                    if len(name) > 2 and name[0] == name[-1] == '"':
                        check_path(name[1:-1])
                        yield name[1:-1]

    # --- writing ----------------------------------------------------------------------------------------------------

    def _take(self, file: SiteFile, expected: int, *, durable: bool = False) -> None:
        self._files[file.path] = self._write(file, durable=durable)
        if len(self._files) % _EVERY == 0:
            self._progress(len(self._files), max(expected, len(self._files)))

    def _write(self, file: SiteFile, *, durable: bool) -> bytes:
        """Put a file in its place unless it is there already; returns its SHA-256."""
        check_path(file.path)
        target = f"{self._root}/{file.path}"
        chunks = file.chunks
        if isinstance(chunks, tuple) and len(chunks) == 1:
            data: bytes = chunks[0]
            self._bytes += len(data)
            if not self._is_there(target, data):
                self._write_temporary((data,), durable=durable)
                self._move(target)
            return hashlib.sha256(data).digest()
        digest = self._write_temporary(chunks, durable=durable)
        self._bytes += os.path.getsize(self._temporary)  # noqa: PTH202
        if self._has(target, digest):
            os.unlink(self._temporary)  # noqa: PTH108
        else:
            self._move(target)
        return digest

    def _is_there(self, target: str, data: bytes) -> bool:
        try:
            handle = os.open(target, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return False
        try:
            return os.fstat(handle).st_size == len(data) and os.read(handle, len(data) + 1) == data
        finally:
            os.close(handle)

    def _has(self, target: str, digest: bytes) -> bool:
        try:
            with open(target, "rb", buffering=0) as file:  # noqa: PTH123
                return hashlib.file_digest(file, "sha256").digest() == digest
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _write_temporary(self, chunks: Iterable[bytes], *, durable: bool) -> bytes:
        digest = hashlib.sha256()
        handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            for chunk in chunks:
                digest.update(chunk)
                _write_all(handle, chunk)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        return digest.digest()

    def _move(self, target: str) -> None:
        path = target[len(self._root) + 1 :]
        if path not in self._known:
            _write_all(self._unfinished, f'\n"{path}"\n'.encode())
        folder = target.rpartition("/")[0]
        if folder not in self._folders:
            self._make_folder(folder)
        os.replace(self._temporary, target)  # noqa: PTH105
        self._changed.add(folder)
        self._written += 1

    def _make_folder(self, folder: str) -> None:
        """Make a folder and those above it, and remember the ones whose list of names changed."""
        missing = []
        while folder not in self._folders:
            self._folders.add(folder)
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        for made in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(made)  # noqa: PTH102
                self._changed.add(made.rpartition("/")[0])

    def _settle(self) -> None:
        """Make every change to the lists of names durable, and before them the list of what was added."""
        if self._changed:
            os.fsync(self._unfinished)
        for folder in sorted(self._changed):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._changed.clear()

    def _remove(self, before: frozenset[str]) -> int:
        """Remove what the previous publication had and this one has not; nothing else in the folder is touched."""
        removed = 0
        for path in sorted(before.difference(self._files)):
            target = f"{self._root}/{path}"
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(target)  # noqa: PTH108
                removed += 1
            folder = target.rpartition("/")[0]
            with contextlib.suppress(OSError):
                while folder != self._root:
                    os.rmdir(folder)  # noqa: PTH106
                    self._changed.discard(folder)
                    folder = folder.rpartition("/")[0]
        return removed


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _advice(site: Path, error: OSError) -> str:
    where = error.filename or site
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"{site}: no space is left to write the site; free some and publish again, nothing published is lost"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{where} cannot be written ({error.strerror}): choose a folder that you may write to"
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return f"{where} is in the way of the site ({error.strerror}): choose another folder, or remove it"
        case errno.ENAMETOOLONG:
            return f"{where} is too long a name for this disk: choose a folder with a shorter path"
        case _:
            return f"{where} cannot be written ({error.strerror or error}): check the disk and publish again"


def _silent(_done: int, _total: int) -> None:
    pass
