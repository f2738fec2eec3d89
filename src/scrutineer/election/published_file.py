"""The bytes of a results file as somebody published it: packed or not, in whatever encoding, cut into rows with their lines."""

import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from scrutineer.election.finding import Finding, did_you_mean, summary
from scrutineer.election.layout_model import FileFormat
from scrutineer.election.toml_table import read_bounded
from scrutineer.errors import LayoutError

MAX_FILE_SIZE: Final = 512 * 1024 * 1024  # bytes, packed and unpacked alike
_ZIP: Final = b"PK\x03\x04"
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file's text and the SHA-256 of the bytes as they lie on the disk."""

    name: str
    sha256: bytes
    text: str
    first_line: int
    """Line of the header, counted from 1."""
    rows_stated: int | None
    """The number of rows that the file states above its header."""
    format: FileFormat

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Header and rows with the lines they end on; lines without any cell are left out. Raises LayoutError."""
        reader = csv.reader(
            io.StringIO(self.text, newline=""), delimiter=self.format.delimiter, quotechar=self.format.quote, strict=True
        )
        before = self.first_line - 1
        try:
            for row in reader:
                if row:
                    yield before + reader.line_num, row
        except csv.Error as error:
            raise LayoutError(
                f"{self.name}, line {before + reader.line_num}: not readable as CSV ({error}); "
                "check the layout's delimiter and quote, and the line's quotation marks"
            ) from error

    def line_count(self) -> int:
        """How many lines there are from the header on, for progress."""
        return self.text.count("\n") + 1


def open_published(path: Path, form: FileFormat) -> PublishedFile:
    """Read a results file. Raises LayoutError where it cannot be read, unpacked or decoded."""
    findings: list[Finding] = []
    packed = read_bounded(path, MAX_FILE_SIZE, findings)
    if packed is None:
        raise LayoutError(summary(findings))
    text = _decode(_unpack(packed, path.name, form.member), path.name, form.encodings)
    skipped = 0
    for _ in range(form.skip_lines):
        _, _, text = text.partition("\n")
        skipped += 1
    stated = None
    if form.row_count_line:
        line, _, text = text.partition("\n")
        skipped += 1
        if not (line.strip().isascii() and line.strip().isdigit()):
            raise LayoutError(f"{path.name}, line {skipped}: {line[:40]!r} is not the number of rows, which the layout expects")
        stated = int(line)
    return PublishedFile(path.name, hashlib.sha256(packed).digest(), text, skipped + 1, stated, form)


def _unpack(data: bytes, name: str, member: str) -> bytes:
    try:
        if data.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                return _read_all(file, name)
        if data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_member(archive, name, member)) as file:
                return _read_all(file, name)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise LayoutError(f"{name}: cannot be unpacked ({error}); fetch the file again") from error
    return data


def _member(archive: zipfile.ZipFile, name: str, member: str) -> str:
    members = [info.filename for info in archive.infolist() if not info.is_dir()]
    if member:
        if member not in members:
            raise LayoutError(f"{name}: holds no file {member!r}; {did_you_mean(member, members)} as the layout's member")
        return member
    if len(members) != 1:
        raise LayoutError(f"{name}: holds {len(members)} files; name one of them as the layout's member")
    return members[0]


def _read_all(file: IO[bytes] | gzip.GzipFile, name: str) -> bytes:
    data = file.read(MAX_FILE_SIZE + 1)
    if len(data) > MAX_FILE_SIZE:
        raise LayoutError(f"{name}: unpacks to more than {MAX_FILE_SIZE // 1024 // 1024} MB, which is the most; split the file")
    return data


def _decode(data: bytes, name: str, encodings: tuple[str, ...]) -> str:
    fault = ""
    for encoding in encodings:
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            fault = fault or f"{name}, line {line}: not {encoding}; correct the layout's encoding"
        except UnicodeError:
            fault = fault or f"{name}: not {encoding}; correct the layout's encoding"
    raise LayoutError(fault)
