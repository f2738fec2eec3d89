"""Where a published site is read from: a folder, or an address, which is copied into a folder first."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from scrutineer.errors import NoteError, PublicationError, TransportError
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import peek_manifest

MAX_FILE_SIZE: Final = 4 * 2**30  # bytes
MAX_SMALL_FILE: Final = 256 * 2**20  # bytes; the manifest, and everything that is read at once
_CHUNK: Final = 1 << 20

Progress = Callable[[str, int, int], None]  # what is being done, done, in all


class FolderSource:
    """A published site in a folder. Paths are relative, with slashes."""

    def __init__(self, folder: Path) -> None:
        """Raises PublicationError where there is no such folder."""
        if not folder.is_dir():
            raise PublicationError(f"{folder} is not a folder: name the folder that `publish` wrote, or an address")
        self.folder = folder

    def read(self, path: str, limit: int = MAX_SMALL_FILE) -> bytes:
        """The bytes of a file. Raises PublicationError where it is missing, unreadable or larger than `limit`."""
        return b"".join(self.chunks(path, limit))

    def chunks(self, path: str, limit: int = MAX_FILE_SIZE) -> Iterator[bytes]:
        """The bytes of a file in pieces. Raises PublicationError as `read` does."""
        total = 0
        try:
            with (self.folder / path).open("rb", buffering=0) as file:
                while piece := file.read(_CHUNK):
                    total += len(piece)
                    if total > limit:
                        raise PublicationError(f"{path} is larger than {limit} bytes: this is not a file of a published site")
                    yield piece
        except OSError as error:
            reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            raise PublicationError(f"{path} {reason}") from error

    def paths(self) -> Iterator[str]:
        """Every file below the folder."""
        root = os.fspath(self.folder)
        for folder, _, files in os.walk(root):
            base = os.path.relpath(folder, root)
            for name in files:
                yield name if base == "." else f"{base}/{name}".replace(os.sep, "/")


def copy_site(address: str, folder: Path, *, connections: int = 8, progress: Progress | None = None) -> FolderSource:
    """Copy a published site from its address, file by file as its manifest lists them; files already there are kept.

    Nothing is believed here but the list itself: whoever verifies the folder checks the manifest's signature and every file.
    Raises TransportError where the address cannot be reached, PublicationError where it does not serve a published site.
    """
    base = address.rstrip("/") + "/"
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    with httpx.Client(timeout=30, limits=limits, follow_redirects=False) as client:
        manifest = _get(client, base, MANIFEST_FILE, MAX_SMALL_FILE)
        if manifest is None:
            raise PublicationError(f"{base}{MANIFEST_FILE} does not exist: is this the address of a published site?")
        try:
            listed = peek_manifest(manifest).files
        except (NoteError, PublicationError) as error:
            raise PublicationError(f"{base}{MANIFEST_FILE} is not the manifest of a published site ({error})") from error

        def fetch(path: str) -> None:
            target = folder / path
            if target.is_file() and hashlib.sha256(target.read_bytes()).digest() == listed[path]:
                return
            data = _get(client, base, path, MAX_FILE_SIZE)
            # A file that is not there is the verifier's finding, not a failure to copy.
            if data is not None:
                _write(target, data)

        with ThreadPoolExecutor(connections) as pool:
            for done, _ in enumerate(pool.map(fetch, listed), 1):
                if progress is not None:
                    progress("Copying", done, len(listed))
        _write(folder / MANIFEST_FILE, manifest)
    return FolderSource(folder)


def _get(client: httpx.Client, base: str, path: str, limit: int) -> bytes | None:
    try:
        with client.stream("GET", base + path) as response:
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                raise TransportError(f"{base}{path} answered {response.status_code}: is this the address of a published site?")
            pieces, total = [], 0
            for piece in response.iter_bytes():
                total += len(piece)
                if total > limit:
                    raise PublicationError(f"{base}{path} is larger than {limit} bytes")
                pieces.append(piece)
            return b"".join(pieces)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransportError(
            f"{base}{path} could not be read ({error or type(error).__name__}): check the address and the connection"
        ) from error


def _write(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        raise PublicationError(f"{target} cannot be written ({error.strerror}): free space or choose another folder") from error
