"""What the tests of publishing share: one log published again and again while it grows."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from portal_helpers import Published, published, tables_of
from scrutineer.portal import PublicationSummary, SiteOptions, open_manifest
from scrutineer.portal.publish import Effort, publish

OPTIONS = SiteOptions(languages=("en", "es"), translated="units")
"""Two languages, one of them without pages of stations."""


def grown(given: Published, log: list[bytes], sizes: Iterable[int], options: SiteOptions = OPTIONS) -> list[Published]:
    """The record at each of these sizes of a log."""
    record = given.record
    steps = [published(record.election, tables_of(record), log[:size], options, given.signer) for size in sizes]
    return [replace(now, record=replace(now.record, baseline_table=record.baseline_table)) for now in steps]


class GrowingSite:
    """A folder in which a log is published again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shown: list[Published] = []

    def publish(self, given: Published, effort: Effort | None = None) -> PublicationSummary:
        """Publish a record to the folder."""
        summary = publish(given.record, given.entries, given.signer, self.folder, None, effort)
        history = self._shown[-1].record.snapshots if self._shown else ()
        self._shown.append(replace(given, record=replace(given.record, history=history)))
        return summary

    def check(self) -> None:
        """The folder is exactly what the last record gives with the history of this folder, rendered all at once."""
        files = read(self.folder)
        given = self._shown[-1]
        assert files == given.files()
        manifest = open_manifest((self.folder / "manifest").read_bytes(), given.record.verifier)
        assert set(manifest.files) == set(files)
        assert {path.name for path in self.folder.iterdir() if path.name.startswith(".")} == {".rendered"}


def read(site: Path) -> dict[str, bytes]:
    """The files of a site but its manifest and what is hidden."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "manifest"
    }
