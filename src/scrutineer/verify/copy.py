"""Copies a published site from its address into a folder, file by file as its manifest lists them.

Nothing is believed here but the list itself: whoever verifies the folder checks the manifest's signature and every file.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from scrutineer.errors import NoteError, PublicationError
from scrutineer.pieces import hashed
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE, peek_manifest
from scrutineer.verify.source import MAX_FILE_SIZE, FolderSource, Progress
from scrutineer.verify.web import WebSite

ROUNDS: Final = 4
"""How often the list is fetched anew where files are not as listed, because the site was published again meanwhile."""
PAUSE: Final = 2.0  # seconds between two rounds
_PARTIAL: Final = ".copying"  # hidden, and so no file of a site

Pause = Callable[[float], None]


def copy_site(
    address: str, folder: Path, *, connections: int = 8, progress: Progress | None = None, pause: Pause = time.sleep
) -> FolderSource:
    """Copy a published site; what an earlier copy left in the folder is kept where it is still listed, and removed where not.

    Raises TransportError where the address cannot be reached, PublicationError where it does not serve a published site, or
    where the folder cannot be written or holds something else than an earlier copy.
    """
    with WebSite(address, connections=connections) as site:
        copy = _Copy(site, folder, connections, progress)
        for left in range(ROUNDS - 1, -1, -1):
            if copy.run() or not left:
                break
            pause(PAUSE)
    return FolderSource(folder)


class _Copy:
    def __init__(self, site: WebSite, folder: Path, connections: int, progress: Progress | None) -> None:
        self._site = site
        self._folder = folder
        self._connections = connections
        self._progress = progress

    def run(self) -> bool:
        """Fetch the list and what is missing; whether every file is as listed now."""
        listed = self._list()
        missing = 0
        with ThreadPoolExecutor(self._connections) as pool:
            for done, there in enumerate(pool.map(lambda path: self._copy(path, listed[path]), listed), 1):
                missing += not there
                if self._progress is not None:
                    self._progress("Copying", done, len(listed))
        return not missing

    def _list(self) -> Mapping[str, bytes]:
        """Fetch the manifest, and keep it. What the one before listed and this one does not is removed first."""
        url = self._site.url(MANIFEST_FILE)
        pieces = self._site.pieces(MANIFEST_FILE, MAX_MANIFEST_SIZE)
        manifest = None if pieces is None else b"".join(pieces)
        if manifest is None:
            raise PublicationError(f"{url} does not exist: is this the address of a published site?")
        try:
            listed = peek_manifest(manifest).files
        except (NoteError, PublicationError) as error:
            raise PublicationError(f"{url} is not the manifest of a published site ({error})") from error
        if MANIFEST_FILE in listed:
            raise PublicationError(f"{url} lists itself: this is not the manifest of a published site")
        with _writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._folder / MANIFEST_FILE
            for path in self._before(target):
                if path not in listed:
                    self._remove(path)
            self._save(target, iter((manifest,)))
        return listed

    def _before(self, manifest: Path) -> Mapping[str, bytes]:
        try:
            return peek_manifest(manifest.read_bytes()).files
        except FileNotFoundError:
            if any(self._folder.iterdir()):
                raise PublicationError(
                    f"{self._folder} holds something else than an earlier copy of a site: name a new or an empty folder"
                ) from None
        except (NoteError, PublicationError) as error:
            raise PublicationError(
                f"{manifest} is not that of an earlier copy ({error}): name a new or an empty folder"
            ) from error
        return {}

    def _remove(self, path: str) -> None:
        target = self._folder / path
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            target.unlink()
        with contextlib.suppress(OSError):
            for above in target.parents:
                if above == self._folder:
                    break
                above.rmdir()

    def _copy(self, path: str, digest: bytes) -> bool:
        """Fetch a file unless it is there; whether it is the one listed. One that does not exist is the verifier's finding."""
        target = self._folder / path
        with _writing(target):
            if _digest(target) == digest:
                return True
            pieces = self._site.pieces(path, MAX_FILE_SIZE)
            if pieces is None:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            return self._save(target, pieces) == digest

    def _save(self, target: Path, pieces: Iterator[bytes]) -> bytes:
        """Write a file whole or not at all; returns its SHA-256."""
        found = hashlib.sha256()
        partial = self._folder / f"{_PARTIAL}-{threading.get_ident()}"
        try:
            with partial.open("wb") as file:
                file.writelines(hashed(pieces, found))
            partial.replace(target)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
        return found.digest()


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        return b""


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublicationError(f"{target} cannot be written ({error.strerror}): free space or choose another folder") from error
