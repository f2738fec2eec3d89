"""Steps of a verification, each of which may show that nothing after it could mean anything."""

from collections.abc import Callable
from typing import TypeVar

from scrutineer.errors import PublicationError, ScrutineerError
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.verify.report import Check, Report
from scrutineer.verify.source import MAX_SMALL_FILE, FolderSource

T = TypeVar("T")


class Unverifiable(Exception):  # noqa: N818 - not an error of its own: the finding that says why is in the report
    """The rest of the verification could not mean anything."""


class Steps:
    """Reads a site step by step; what fails is noted in the report."""

    def __init__(self, source: FolderSource, report: Report) -> None:
        self._source = source
        self._report = report

    def attempt(self, check: Check, where: str, step: Callable[[], T]) -> T:
        """Do a step without which nothing after it could mean anything."""
        try:
            return step()
        except ScrutineerError as error:
            self._report.add(check, where, str(error))
            raise Unverifiable from error

    def need(self, path: str, check: Check, limit: int = MAX_SMALL_FILE) -> bytes:
        """A file without which nothing after it could mean anything."""
        try:
            return self._source.read(path, limit)
        except PublicationError as error:
            self._report.add(check, path, str(error).removeprefix(f"{path} "))
            raise Unverifiable from error

    def read_if_there(self, path: str) -> bytes | None:
        """A note of the log; None where there is none."""
        try:
            return self._source.read(path, MAX_NOTE_SIZE)
        except PublicationError:
            return None
