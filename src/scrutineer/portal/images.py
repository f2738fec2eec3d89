"""Images of paper sheets: the files of a folder whose SHA-256 a sheet or somebody's copy of one names, published under that hash.

The log holds no images, only their hashes, so an image can be published later, by anyone who has it, and proves itself. A file
that no statement names is not published. Whoever gives a folder answers for what the images show: a published image has every
byte of the one that was signed, also the place and time that a telephone may have written into it.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.errors import PublicationError
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.record import Image, Images
from scrutineer.portal.sheets import read_source
from scrutineer.statements import Attestation, is_tally_sheet, parse_statement

FOLDER: Final = "images"
MAX_IMAGE_SIZE: Final = 8 << 20  # bytes
_LONGEST_START: Final = 12
_HASH_DIGITS: Final = 64


@dataclass(frozen=True)
class FoundImages:
    """What a folder holds."""

    images: dict[bytes, Image]
    skipped: tuple[tuple[str, str], ...]
    """Files that cannot be published, with the reason, by name."""


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


def find_images(folder: Path, progress: Callable[[int], None] | None = None) -> FoundImages:
    """Read every file of a folder and those below it. Hidden files and links are passed over.

    `progress` is told how many files were read. Raises PublicationError where the folder cannot be read.
    """
    images: dict[bytes, Image] = {}
    skipped: list[tuple[str, str]] = []
    for number, path in enumerate(_files(folder), start=1):
        try:
            data = _read(path)
        except OSError as error:
            raise PublicationError(
                f"{path} cannot be read ({error.strerror}): correct its permissions, or move it away"
            ) from None
        ending = ending_of(data[:_LONGEST_START])
        if len(data) > MAX_IMAGE_SIZE:
            skipped.append((str(path.relative_to(folder)), f"larger than {MAX_IMAGE_SIZE >> 20} MB"))
        elif ending is None:
            skipped.append((str(path.relative_to(folder)), "not a JPEG, PNG, WebP or PDF file"))
        else:
            images.setdefault(hashlib.sha256(data).digest(), Image(ending, _Loader(path)))
        if progress is not None:
            progress(number)
    return FoundImages(images, tuple(skipped))


def named_images(images: Images, entries: Iterable[bytes]) -> dict[bytes, Image]:
    """Those of the images that a sheet or an attestation among the entries of the log names, each with its stations."""
    stations: dict[bytes, dict[str, None]] = {}
    for index, entry in enumerate(entries):
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
    return {
        digest: Image(images[digest].ending, images[digest].load, tuple(stations[digest]))
        for digest in images
        if digest in stations
    }


def image_files(images: Images, digests: Iterable[bytes] | None = None) -> Iterator[SiteFile]:
    """The files of these images (None: of all), by hash.

    Raises PublicationError for one whose bytes are not those of its hash any more, or that is of another type.
    """
    for digest in sorted(images if digests is None else digests):
        image = images[digest]
        data = image.load()
        path = image_path(digest, image)
        if hashlib.sha256(data).digest() != digest:
            raise PublicationError(f"{path}: its bytes do not have the SHA-256 in its name: publish it again from its source")
        if ending_of(data[:_LONGEST_START]) != image.ending or len(data) > MAX_IMAGE_SIZE:
            raise PublicationError(f"{path} is not a file of that type of at most {MAX_IMAGE_SIZE >> 20} MB: remove it")
        yield SiteFile(path, (data,))


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
