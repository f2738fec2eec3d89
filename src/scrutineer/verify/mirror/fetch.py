"""Fetches files by hash from whichever source gives them. A file that is not as listed is never kept, whoever sent it."""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from scrutineer.errors import PublicationError, TransportError
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE
from scrutineer.verify.mirror.folder import MirrorFolder
from scrutineer.verify.mirror.offers import Offer, SourceFinding, size_limit
from scrutineer.verify.source import Progress
from scrutineer.verify.web import WebSite

MOST_FAILURES: Final = 3  # after which a source is not asked again in this round


class MovedError(PublicationError):
    """A source shows another publication by now; what was listed is to be asked for again."""

    def __init__(self, source: str) -> None:
        super().__init__(f"{source} was published again while it was being copied: run the same command again")
        self.source = source


class Fetcher:
    """Fetches the files of one publication from the sources that show it, in the order given.

    `findings` are about sources that were found wanting; they are not asked for anything more.
    """

    def __init__(self, offer: Offer, sources: Sequence[WebSite], folder: MirrorFolder, connections: int) -> None:
        self.findings: list[SourceFinding] = []
        self.used: set[str] = set()
        self.files = 0
        self.bytes = 0
        self._offer = offer
        self._sources = list(sources)
        self._folder = folder
        self._connections = connections
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._stop = False

    def run(self, paths: Iterable[str], what: str, progress: Progress) -> bool:
        """Fetch files into the copy that is being made; False where no source is left that could give them.

        Raises MovedError where a source has published again meanwhile, PublicationError where the disk cannot be written.
        """
        wanted = list(paths)
        pool = ThreadPoolExecutor(self._connections)
        try:
            tasks = [pool.submit(self._fetch, path) for path in wanted]
            for done, task in enumerate(as_completed(tasks), 1):
                if not task.result():
                    return False
                progress(what, done, len(wanted))
        finally:
            self._stop = True
            pool.shutdown(cancel_futures=True)
            self._stop = False
        return True

    def _fetch(self, path: str) -> bool:
        for source in list(self._sources):
            fresh = False
            while not self._stop and source in self._sources:
                try:
                    if self._take(source, path, fresh):
                        return True
                    problem = f"{path} is not the file that its signed manifest names"
                except TransportError as error:
                    self._failed(source, str(error))
                    continue
                except _UnfitError as error:
                    problem = str(error)
                if not fresh:
                    # A cache in between may still hold the file of an earlier publication.
                    fresh = True
                    continue
                self._unfit(source, problem)
        return False

    def _take(self, source: WebSite, path: str, fresh: bool) -> bool:
        """Fetch a file from a source; whether it is the one listed."""
        try:
            pieces = source.pieces(path, size_limit(path), fresh=fresh)
        except PublicationError as error:
            raise _UnfitError(str(error)) from error
        if pieces is None:
            raise _UnfitError(f"{path} is listed in its manifest and does not exist there")
        body = _Marked(pieces)
        try:
            digest, size = self._folder.save(path, body)
        except PublicationError as error:
            self._folder.drop(path)
            if body.failed:
                raise _UnfitError(str(error)) from error
            raise
        except BaseException:
            self._folder.drop(path)
            raise
        if digest != self._offer.files[path]:
            self._folder.drop(path)
            return False
        with self._lock:
            self._failures[source.address] = 0
            self.used.add(source.address)
            self.files += 1
            self.bytes += size
        return True

    def _failed(self, source: WebSite, message: str) -> None:
        with self._lock:
            self._failures[source.address] = self._failures.get(source.address, 0) + 1
            if self._failures[source.address] >= MOST_FAILURES:
                self._leave(source, SourceFinding(source.address, "silent", message))

    def _unfit(self, source: WebSite, message: str) -> None:
        """Do without a source, unless it only shows another publication by now."""
        try:
            answer = source.read(MANIFEST_FILE, MAX_MANIFEST_SIZE)
            moved = answer is not None and answer.data != self._offer.manifest
        except (TransportError, PublicationError):
            moved = False
        if moved:
            raise MovedError(source.address)
        with self._lock:
            self._leave(source, SourceFinding(source.address, "unfit", message))

    def _leave(self, source: WebSite, finding: SourceFinding) -> None:
        if source in self._sources:
            self._sources.remove(source)
            self.findings.append(finding)


class _UnfitError(Exception):
    """What a source sent for a file cannot be that file."""


class _Marked:
    """The pieces of a body, and whether it was the body that failed and not the disk."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.failed = False

    def __iter__(self) -> "_Marked":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except PublicationError:
            self.failed = True
            raise
