"""Images of paper sheets: the files of a folder whose SHA-256 a sheet or somebody's copy of one names, published under that hash.

The log holds no images, only their hashes, so an image can be published later, by anyone who has it, and proves itself. A file
that no statement names is not published. Whoever gives a folder answers for what the images show: a published image has every
byte of the one that was signed, also the place and time that a telephone may have written into it.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from scrutineer.errors import PublicationError
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.progress import Progress, silent
from scrutineer.portal.record import Image, Images
from scrutineer.portal.sheets import read_source
from scrutineer.statements import Attestation, is_tally_sheet, parse_statement

FOLDER: Final = "images"
MAX_IMAGE_SIZE: Final = 8 << 20  # bytes
_LONGEST_START: Final = 12
_HASH_DIGITS: Final = 64


def ending_of(start: bytes) -> str | None:
    """The ending that belongs to a file which begins so: jpg, png, webp, pdf; None for anything else."""
    if start.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    return "pdf" if start.startswith(b"%PDF-") else None


def image_path(digest: bytes, image: Image) -> str:
    """Where an image lies on the site."""
    return f"{FOLDER}/{digest.hex()}.{image.ending}"


def image_name(path: str) -> tuple[bytes, str] | None:
    """Hash and ending that a path on the site names; None where it is not an image's."""
    folder, _, name = path.partition("/")
    digits, _, ending = name.partition(".")
    if folder != FOLDER or len(digits) != _HASH_DIGITS or ending not in ("jpg", "png", "webp", "pdf"):
        return None
    digest = bytes.fromhex(digits) if all(digit in "0123456789abcdef" for digit in digits) else b""
    return (digest, ending) if digest else None


def named_images(images: Images, entries: Iterable[bytes]) -> dict[bytes, Image]:
    """Those of the images that a sheet or an attestation among the entries of the log names, each with its stations."""
    stations: Stations = {}
    _note(stations, images, entries)
    return _with_stations(images, stations)


def published_images(paths: Iterable[str], read: Callable[[str], bytes]) -> dict[bytes, Image]:
    """The images among the files of a published site; `read` reads one by its path. Whether they are named is not looked at."""
    found: dict[bytes, Image] = {}
    for path in paths:
        named = image_name(path)
        if named is not None:
            found[named[0]] = Image(named[1], partial(read, path))
    return found


def image_files(images: Images) -> Iterator[SiteFile]:
    """The files of images, by hash; each is read when its pieces are taken, and never changes once it was published.

    Taking the pieces raises PublicationError where the bytes are not those of the hash, or of another type.
    """
    for digest in sorted(images):
        path = image_path(digest, images[digest])
        yield SiteFile(path, _Pieces(path, digest, images[digest]), once=True)


class ImageFolder:
    """A folder of images, which is looked through again for every publication; only files that changed are read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], bytes, str]] = {}
        """Size and time of change of every file, its hash, and the ending or, behind a '!', why it cannot be published."""
        self._stations: Stations = {}
        self._noted: tuple[frozenset[bytes], int] = (frozenset(), 0)
        """Which images the entries of the log were searched for, and up to which size."""
        self.skipped: list[tuple[str, str]] = []
        """Files that cannot be published, by name, with the reason; after `find`."""

    def find(self, progress: Progress = silent) -> dict[bytes, Image]:
        """Every image of the folder and those below it, by hash. Hidden files and links are passed over.

        `progress` is told the files looked at and how many there are. Raises PublicationError where something cannot be read.
        """
        images: dict[bytes, Image] = {}
        self.skipped = []
        paths = list(_files(self._folder))
        for done, path in enumerate(paths, start=1):
            digest, ending = self._look_at(path)
            progress(done, len(paths))
            if ending.startswith("!"):
                self.skipped.append((path.relative_to(self._folder).as_posix(), ending[1:]))
            else:
                images.setdefault(digest, Image(ending, _Loader(path)))
        return images

    def named(self, entries: Callable[[int, int], Iterable[bytes]], size: int, progress: Progress = silent) -> dict[bytes, Image]:
        """The images that one of the first `size` entries of the log names; `entries` gives a stretch of them."""
        images = self.find(progress)
        known, start = self._noted
        if not images.keys() <= known or start > size:
            self._stations, start = {}, 0
        _note(self._stations, images, entries(start, size), start)
        self._noted = (frozenset(images), size)
        return _with_stations(images, self._stations)

    def _look_at(self, path: Path) -> tuple[bytes, str]:
        try:
            status = path.stat()
            key = (status.st_size, status.st_mtime_ns)
            before = self._read.get(path)
            if before is not None and before[0] == key:
                return before[1:]
            data = _read(path)
        except OSError as error:
            raise PublicationError(
                f"{path} cannot be read ({error.strerror}): correct its permissions, or move it away"
            ) from None
        ending = ending_of(data[:_LONGEST_START]) or "!not a JPEG, PNG, WebP or PDF file"
        if len(data) > MAX_IMAGE_SIZE:
            ending = f"!larger than {MAX_IMAGE_SIZE >> 20} MB"
        digest = hashlib.sha256(data).digest()
        self._read[path] = (key, digest, ending)
        return digest, ending


Stations = dict[bytes, dict[str, None]]
"""Ids of the stations that name each image, in the order of the log."""


def _note(stations: Stations, images: Images, entries: Iterable[bytes], start: int = 0) -> None:
    for index, entry in enumerate(entries, start):
        if is_tally_sheet(entry):
            source = read_source(index, entry)
            digest, station = source.image, source.issuer.partition("/")[2]
        else:
            payload = parse_statement(entry).payload
            if not isinstance(payload, Attestation):
                continue
            digest, station = payload.image, payload.station
        if digest is not None and digest in images:
            stations.setdefault(digest, {})[station] = None


def _with_stations(images: Images, stations: Stations) -> dict[bytes, Image]:
    return {
        digest: Image(image.ending, image.load, tuple(stations[digest])) for digest, image in images.items() if digest in stations
    }


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The bytes of an image, which are read and checked when they are asked for."""

    path: str
    digest: bytes
    image: Image

    def __iter__(self) -> Iterator[bytes]:
        data = self.image.load()
        if hashlib.sha256(data).digest() != self.digest:
            raise PublicationError(f"{self.path} does not have the SHA-256 in its name: publish it again from its source")
        if ending_of(data[:_LONGEST_START]) != self.image.ending or len(data) > MAX_IMAGE_SIZE:
            raise PublicationError(f"{self.path} is not a file of that type of at most {MAX_IMAGE_SIZE >> 20} MB: remove it")
        yield data


@dataclass(frozen=True, slots=True)
class PublishedImage:
    """Reads an image of a published site by its path; for `published_images`."""

    root: Path

    def __call__(self, path: str) -> bytes:
        """Its bytes. Raises PublicationError where it cannot be read."""
        return _Loader(self.root / path)()


@dataclass(frozen=True, slots=True)
class _Loader:
    """Reads a file when it is asked to; can be handed to another process."""

    path: Path

    def __call__(self) -> bytes:
        try:
            return _read(self.path)
        except OSError as error:
            raise PublicationError(f"{self.path} cannot be read any more ({error.strerror}): put it back") from None


def _read(path: Path) -> bytes:
    """A file, or as much of one that is too large as tells so."""
    with path.open("rb") as file:
        return file.read(MAX_IMAGE_SIZE + 1)


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in a fixed order."""

    def refuse(error: OSError) -> None:
        raise PublicationError(f"{error.filename} cannot be read ({error.strerror}): name a folder that you may read")

    for here, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path
