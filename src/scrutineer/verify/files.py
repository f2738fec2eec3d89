"""Holds every published file against what the log gives, and against the hash in the signed manifest."""

import hashlib
from collections.abc import Iterable

from scrutineer.errors import PublicationError
from scrutineer.pieces import sha256_of
from scrutineer.portal.formats import MANIFEST_FILE, SiteFile
from scrutineer.portal.manifest import Manifest
from scrutineer.portal.rendered import RENDERED_FILE
from scrutineer.verify.parquet import PARQUET_SLACK, same_parquet
from scrutineer.verify.report import Report
from scrutineer.verify.source import FolderSource, Progress


class FileCheck:
    """Keeps account of the files of a site: each is looked at once, and none is left over."""

    def __init__(self, source: FolderSource, manifest: Manifest | None, report: Report) -> None:
        """Without a manifest (it was refused) files are held against the log alone."""
        self._source = source
        self._manifest = manifest
        self._report = report
        self._seen: set[str] = {MANIFEST_FILE}

    @property
    def checked(self) -> int:
        """How many files were looked at."""
        return len(self._seen)

    @property
    def listed(self) -> int:
        """How many files the manifest lists."""
        return len(self._manifest.files) if self._manifest is not None else 0

    def seen(self, path: str, data: bytes) -> bytes:
        """Hold a file that was read and judged elsewhere against the manifest; returns its SHA-256."""
        self._seen.add(path)
        digest = hashlib.sha256(data).digest()
        self._check_hash(path, digest)
        return digest

    def missing(self, path: str) -> None:
        """Note that a file was looked for and reported as missing."""
        self._seen.add(path)

    def compare(self, file: SiteFile) -> None:
        """Hold a file against the bytes that the log gives, without holding either in memory as a whole.

        One that was judged elsewhere is passed over.
        """
        if file.path in self._seen:
            return
        self._seen.add(file.path)
        digest = hashlib.sha256()
        # Parquet is the one format whose bytes depend on the version of the library that writes it.
        given = [b"".join(file.chunks)] if file.path.endswith(".parquet") else file.chunks
        try:
            difference = _first_difference(self._source.chunks(file.path), given, digest)
        except PublicationError as error:
            self._report.add("files", file.path, str(error).removeprefix(f"{file.path} "))
            return
        as_signed = self._check_hash(file.path, digest.digest())
        if difference is None:
            return
        if as_signed and isinstance(given, list) and self._same_table(file.path, given[0]):
            return
        if as_signed:
            self._report.add(
                "published", file.path, f"was published like this, and the log gives something else, first at {difference}"
            )
        elif self._manifest is None:
            self._report.add("published", file.path, f"differs from what the log gives, first at {difference}")

    def check_hashes(self, progress: Progress) -> None:
        """Hold every file that was not looked at yet against the manifest alone, where what the log gives is not known."""
        if self._manifest is None:
            return
        for done, path in enumerate(self._manifest.files):
            if done % 128 == 0:
                progress("Checking hashes of published files", done, self.listed)
            if path in self._seen:
                continue
            self._seen.add(path)
            try:
                digest = sha256_of(self._source.chunks(path))
            except PublicationError as error:
                self._report.add("files", path, str(error).removeprefix(f"{path} "))
            else:
                self._check_hash(path, digest)
        self._report_others("does not belong to this site: the manifest does not list it")

    def finish(self) -> None:
        """Report files that the manifest lists or the folder holds although the log gives no such file."""
        for path in self._manifest.files if self._manifest is not None else ():
            if path not in self._seen:
                self._seen.add(path)
                self._report.add("files", path, "is listed in the manifest, and the log gives no such file")
        self._report_others("does not belong to this site: neither the log nor the manifest gives it")

    def _report_others(self, message: str) -> None:
        try:
            for path in self._source.paths():
                if path not in self._seen and path != RENDERED_FILE:
                    self._report.add("files", path, message)
        except PublicationError as error:
            self._report.add("files", ".", str(error))

    def _check_hash(self, path: str, digest: bytes) -> bool:
        """Whether a file is the one whose hash the publisher signed; reports it where not."""
        if self._manifest is None:
            return False
        listed = self._manifest.files.get(path)
        if listed == digest:
            return True
        if listed is None:
            self._report.add("manifest", path, "is not listed in the manifest")
        else:
            self._report.add("files", path, "was changed after publication: its hash is not the one in the signed manifest")
        return False

    def _same_table(self, path: str, given: bytes) -> bool:
        """Whether a Parquet file holds the table that the log gives, written by another version of the Parquet library."""
        try:
            published = self._source.read(path, 2 * len(given) + PARQUET_SLACK)
        except PublicationError:
            return False
        # Read a second time: it must be what was hashed.
        return self._check_hash(path, hashlib.sha256(published).digest()) and same_parquet(published, given)


def _first_difference(published: Iterable[bytes], given: Iterable[bytes], digest: "hashlib._Hash") -> str | None:
    """Read the published file to its end, hash it, and say where it first departs from the given bytes."""
    offset, line = 0, 1
    found: str | None = None
    others = filter(None, given)
    other, at = b"", 0  # the piece of the given bytes that is compared now, and how much of it has been
    for piece in published:
        digest.update(piece)
        start = 0
        while found is None and start < len(piece):
            if at == len(other):
                other, at = next(others, b""), 0
                found = None if other else f"byte {offset:,}, where the log gives nothing more"
                continue
            common = min(len(piece) - start, len(other) - at)
            left, right = piece[start : start + common], other[at : at + common]
            if left != right:
                first = next(i for i in range(common) if left[i] != right[i])
                found = f"byte {offset + first:,} (line {line + right.count(10, 0, first):,})"
            line += right.count(10)
            offset, start, at = offset + common, start + common, at + common
    if found is None and (at < len(other) or next(others, b"")):
        found = f"byte {offset:,}, where the published file ends too early"
    return found
