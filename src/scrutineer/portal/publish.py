"""Publishing: a record becomes the files of a site, in the order that survives a crash at any moment.

The order of writes is the design: what a checkpoint covers is durable before the checkpoint is there, and the manifest, which
says that the publication is complete, comes last. Whoever reads in between, or after a crash, finds a log that holds together,
and at worst pages that are newer than the manifest; publishing again completes it.

The pages of places whose data did not change since the last publication are not made again (changes.py, rendered.py). The result
is the same, byte for byte.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Final

from scrutineer.errors import LogError, NoteError, PublicationError
from scrutineer.log import LogSigner, open_checkpoint
from scrutineer.log.quorum import Quorum, check_quorum
from scrutineer.log.tiles import TILE_WIDTH
from scrutineer.portal.audit_files import MAX_AUDIT_FILE, audit_file_of, named_audit_files, with_report_pages
from scrutineer.portal.ballot_folder import SitePieces
from scrutineer.portal.ballot_named import named_ballots
from scrutineer.portal.ballot_record import StationBallots, changed_ballots, published_ballots, station_of
from scrutineer.portal.changes import Changes, changes_since, with_places
from scrutineer.portal.forks import in_forks
from scrutineer.portal.formats import CHECKPOINT_FILE, MANIFEST_FILE, SITE_FILE, SiteFile, read_site_info
from scrutineer.portal.history import Snapshot
from scrutineer.portal.history_files import FOLDER, INDEX_FILE, SnapshotFiles, is_snapshot, snapshot_path
from scrutineer.portal.images import PublishedImage, image_name, image_path, published_images
from scrutineer.portal.log_files import Entries, PublishedEntries, render_head, render_pending, render_tiles
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE, Manifest, open_manifest, sign_manifest
from scrutineer.portal.progress import Progress, silent
from scrutineer.portal.publication import Effort as Effort
from scrutineer.portal.publication import PublicationSummary as PublicationSummary
from scrutineer.portal.publication import advice
from scrutineer.portal.record import Image, Record
from scrutineer.portal.rendered import MAX_RENDERED_SIZE, RENDERED_FILE, Rendered
from scrutineer.portal.site import Part, Site, render_definition
from scrutineer.portal.site_folder import SiteFolder, Written

_EVERY: Final = 64  # files between two words of progress
_FEW: Final = 400  # places; for fewer no other processes are started


def publish(
    record: Record,
    entries: Entries,
    signer: LogSigner,
    site: Path,
    progress: Progress | None = None,
    effort: Effort | None = None,
) -> PublicationSummary:
    """Write the site to a folder, or bring the one that is there up to date.

    Raises PublicationError where the folder cannot be written, holds something else than a site of this log, shows a log
    that is not a prefix of this one, or is being written by another program; and where the definition names witnesses and the
    record's checkpoint does not carry their quorum: what lacks it is never shown as the log's head.
    """
    _require_quorum(record)
    return _publish(record, entries, signer, site, progress, effort or Effort(), pending=False)


def publish_pending(
    record: Record, entries: Entries, signer: LogSigner, site: Path, progress: Progress | None = None
) -> PublicationSummary:
    """Write what may be shown of a head that waits for its witnesses: definition, log files, and `log/checkpoint.pending`.

    There are no pages and no figures. Raises PublicationError as `publish` does, and where the folder shows a cosigned head
    already, which stays as it is.
    """
    return _publish(record, entries, signer, site, progress, Effort(), pending=True)


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
    record: Record,
    entries: Entries,
    signer: LogSigner,
    site: Path,
    progress: Progress | None,
    effort: Effort,
    *,
    pending: bool,
) -> PublicationSummary:
    if signer.verifier != record.verifier:
        raise PublicationError(
            "the site would be signed with other keys than the log's: give the keys that the log was opened with"
        )
    try:
        site.mkdir(parents=True, exist_ok=True)
        folder = SiteFolder(site)
        with folder.alone():
            try:
                return _Publication(record, entries, signer, folder, progress or silent, effort).run(pending=pending)
            finally:
                folder.tidy()
    except OSError as error:
        raise PublicationError(advice(site, error)) from error


class _Publication:
    def __init__(
        self,
        record: Record,
        entries: Entries,
        signer: LogSigner,
        folder: SiteFolder,
        progress: Progress,
        effort: Effort,
    ) -> None:
        self._record = record
        self._entries = entries
        self._signer = signer
        self._folder = folder
        self._progress = progress
        self._effort = effort
        self._files: dict[str, bytes] = {}
        self._expected = 0
        self._written = 0
        self._bytes = 0

    def run(self, *, pending: bool) -> PublicationSummary:
        """Write everything in the order that survives a crash at any moment."""
        record, folder = self._record, self._folder
        before, signed = self._before()
        if pending and folder.exists(CHECKPOINT_FILE):
            raise PublicationError(f"{folder.root} shows a head that was published before, and that stays: choose another folder")
        if not pending:
            history, images, ballots = self._history(before), self._images(before), self._ballots(before)
            self._record = record = replace(record, history=history, images=images, ballots=ballots, audits=self._audits(before))
        cut_off = folder.begin(frozenset(before))
        self._expected = len(before) or self._guess()
        for file in render_definition(record):
            self._take(file)
        for file in render_tiles(record, self._entries):
            self._take(file, durable=True)
        kept = 0 if pending else self._pages(before, signed)
        # Tiles and bundles have to be found after a power failure before anything says that they are there.
        folder.settle()
        for file in render_pending(record) if pending else render_head(record):
            self._take(file, durable=True)
        folder.settle()
        removed = folder.remove(sorted(path for path in (*before, *cut_off - before.keys()) if path not in self._files))
        manifest = sign_manifest(Manifest(record.head.size, self._files), self._signer)
        self._note(folder.write(SiteFile(MANIFEST_FILE, (manifest,)), durable=True))
        folder.settle()
        folder.finish()
        if not pending:
            folder.write_hidden(RENDERED_FILE, Rendered.of(record, manifest).to_json())
        total = len(self._files)
        self._progress(total, total)
        return PublicationSummary(record.head.size, total, self._written, removed, self._bytes, kept)

    # --- what is there already --------------------------------------------------------------------------------------

    def _before(self) -> tuple[Mapping[str, bytes], bytes]:
        """The files of the previous publication by path, with their hashes, and its manifest.

        Raises PublicationError where the folder is not ours to write.
        """
        folder, verifier = self._folder, self._record.verifier
        if folder.is_empty():
            return {}, b""
        info = folder.read(SITE_FILE, 1 << 16)
        if info is None:
            raise PublicationError(f"{folder.root} is not empty and holds no published site: choose another folder, or empty it")
        if read_site_info(info).definition != self._record.election.hash.hex():
            raise PublicationError(f"{folder.root} holds the site of another election: choose another folder")
        self._check_prefix()
        manifest = folder.read(MANIFEST_FILE, MAX_MANIFEST_SIZE)
        if manifest is None:
            return {}, b""
        try:
            return open_manifest(manifest, verifier).files, manifest
        except NoteError as error:
            raise PublicationError(
                f"{folder.root}/{MANIFEST_FILE} is not what this log published ({error}): remove the site and publish again"
            ) from error

    def _history(self, before: Mapping[str, bytes]) -> tuple[Snapshot, ...]:
        """The snapshots of the site, which stay as they are; the record's own where the site has none yet."""
        record, policy = self._record, self._record.election.definition.witnesses
        quorum = None if policy is None else Quorum.from_policy(policy, record.verifier)
        found = SnapshotFiles(record.election).read_all(self._folder.read, record.verifier, record.tree, quorum)
        kept = {snapshot_path(snapshot.head.size) for snapshot in found}
        lost = sorted(path for path in before if is_snapshot(path) and path not in kept)
        if lost:
            raise PublicationError(
                f"{self._folder.root}/{INDEX_FILE} does not list {lost[0]}, which was published: snapshots are kept for ever, so "
                "take the list back from a mirror or a copy of the site, and publish again"
            )
        return found or record.history

    def _images(self, before: Mapping[str, bytes]) -> dict[bytes, Image]:
        """The images of the site, which stay there as long as nobody takes their files away, and those that were given now."""
        folder = self._folder
        there = (path for path in before if image_name(path) is not None and folder.size_of(path) is not None)
        return published_images(there, PublishedImage(Path(folder.root))) | dict(self._record.images)

    def _ballots(self, before: Mapping[str, bytes]) -> dict[int, StationBallots]:
        """The ballots of the site, which stay there as long as a sheet in effect names them, and those that were given now."""
        record, folder = self._record, self._folder
        if record.ballots_table is None:
            return {}
        given = {own.station: own for own in record.ballots.values()}
        there = (path for path in before if station_of(path) is not None and folder.size_of(path) is not None)
        found = published_ballots(there, SitePieces(Path(folder.root)), given)
        if not found:
            return dict(record.ballots)
        return named_ballots((found | given).items(), record.count, record.entry)

    def _audits(self, before: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files of audits of the site, which stay there, those that were given now, and pages of the reports among them."""
        there = {}
        for path in before:
            if audit_file_of(path) is not None and (data := self._folder.read(path, MAX_AUDIT_FILE)) is not None:
                there[path] = data
        count = self._record.count
        return named_audit_files(with_report_pages(there | dict(self._record.audits), count), count, published=before)

    def _check_prefix(self) -> None:
        """Refuse to replace a checkpoint by one of another history: readers hold the old one as evidence."""
        root, record = self._folder.root, self._record
        data = self._folder.read(CHECKPOINT_FILE, 1 << 20)
        if data is None:
            return
        try:
            shown = open_checkpoint(data, record.verifier.note_verifiers).checkpoint
        except NoteError as error:
            raise PublicationError(
                f"{root}/{CHECKPOINT_FILE} is not what this log published ({error}): remove the site and publish again"
            ) from error
        if shown.size > record.head.size:
            raise PublicationError(
                f"{root} shows the log at {shown.size} entries already, and this would take it back to "
                f"{record.head.size}: publish a log that is at least as long"
            )
        if record.tree.root(shown.size) != shown.root:
            raise LogError(
                f"{root} shows another history of this log, with another root at {shown.size} entries: do not publish; "
                "find out which store was replaced, and restore the log from what was published"
            )

    def _guess(self) -> int:
        """About how many files there will be, for the progress of a first publication."""
        units, options = self._record.election.units, self._record.options
        pages = {"stations": units.unit_count, "units": len(units.index), "none": 0}[options.pages]
        pages *= len(options.languages) if options.translated == "stations" else 1
        return pages + len(units.index) + 2 * self._record.head.size // TILE_WIDTH + 20

    # --- pages ------------------------------------------------------------------------------------------------------

    def _pages(self, before: Mapping[str, bytes], signed: bytes) -> int:
        """Make every page and every file of data, or only those that can have changed; returns how many were kept."""
        folder, record = self._folder, self._record
        # Pages show entries as they were published: their files need no connection, which no forked process could use.
        site = Site(replace(record, entry=PublishedEntries(Path(folder.root), record.head.size).entry))
        rendered = Rendered.read(folder.read(RENDERED_FILE, MAX_RENDERED_SIZE))
        taken_away = any(named is not None and named[0] not in record.images for named in map(image_name, before))
        if self._effort.everything or taken_away or rendered is None or not rendered.serves(record, signed):
            rendered = None
        added = {
            station
            for digest, image in record.images.items()
            if image_path(digest, image) not in before
            for station in image.stations
        }
        added |= changed_ballots(record.ballots, before)
        changes, kept = (None, {}) if rendered is None else self._unchanged(site, before, rendered, added)
        # From now on pages are of one size or the other, until the manifest says that they are all of this one. Nothing but this
        # publication knows which pages have new images: should it be cut off, the next one makes every page.
        if rendered is None or added:
            folder.remove_hidden(RENDERED_FILE)
        else:
            folder.write_hidden(RENDERED_FILE, rendered.up_to_size(record.head.size).to_json())
        for path, (digest, size) in kept.items():
            self._files[path] = digest
            self._bytes += size
        # The first part of each kind is made here, so that what all pages share is worked out once and not in every process.
        parts = site.parts(changes)
        places = ((part.what, part.language, number) for number, part in enumerate(parts) if part.places)
        first = {(what, language): number for what, language, number in reversed(list(places))}.values()
        others = [part for number, part in enumerate(parts) if number not in first]
        workers = self._effort.workers if sum(len(part.places) for part in others) > _FEW else 1
        self._take_parts(site, [parts[number] for number in first], 1)
        self._take_parts(site, others, workers)
        stayed = 0
        for file in site.shared():
            if file.once and rendered is not None and self._keep(file.path, before, rendered):
                stayed += 1
                continue
            if file.digest and before.get(file.path) == file.digest and self._stays(file.path, before, rendered):
                stayed += 1
                continue
            # Snapshots are read again by the publications that follow, so that a power cut must not leave half of one.
            self._take(file, durable=file.path.startswith(f"{FOLDER}/"))
        return len(kept) + stayed

    def _stays(self, path: str, before: Mapping[str, bytes], rendered: Rendered | None) -> bool:
        """Leave a file that has the bytes it had as it is; False where it is not there any more."""
        if rendered is not None:
            return self._keep(path, before, rendered)
        size = self._folder.size_of(path)
        if size is None or not self._folder.has(path, before[path]):
            return False
        self._files[path] = before[path]
        self._bytes += size
        return True

    def _keep(self, path: str, before: Mapping[str, bytes], rendered: Rendered) -> bool:
        """Leave a file that never changes as it is; False where it is not there as it was published."""
        digest, size = before.get(path), self._folder.size_of(path)
        if digest is None or size is None or not (rendered.is_of_this_boot() or self._folder.has(path, digest)):
            return False
        self._files[path] = digest
        self._bytes += size
        return True

    def _unchanged(
        self, site: Site, before: Mapping[str, bytes], rendered: Rendered, added: AbstractSet[str]
    ) -> tuple[Changes | None, dict[str, tuple[bytes, int]]]:
        """What is to be made again, and the files of all other places with hash and size.

        `added` are stations of which files are new, changed or gone that no entry of the log speaks of.
        """
        record, folder, units = self._record, self._folder, self._record.election.units
        changes = changes_since(record.count, rendered.size, self._entries(rendered.size, record.head.size))
        if changes is None:
            return None, {}
        stations = added & units.station_index.keys()
        named = [int(units.station_units[units.station_index[station]]) for station in stations]
        changes = with_places(changes, named, units)
        owned = {path: owner for path in before if (owner := site.owner(path)) is not None}
        taken = changes.places(units)
        as_written = rendered.is_of_this_boot()
        kept: dict[str, tuple[bytes, int]] = {}
        lost: set[int] = set()
        for path, owner in owned.items():
            if not taken[owner]:
                size = folder.size_of(path)
                if size is None or not (as_written or folder.has(path, before[path])):
                    lost.add(owner)
                else:
                    kept[path] = (before[path], size)
        if lost:
            changes = with_places(changes, lost, units)
            taken = changes.places(units)
            kept = {path: found for path, found in kept.items() if not taken[owned[path]]}
        return changes, kept

    def _take_parts(self, site: Site, parts: Sequence[Part], workers: int) -> None:
        with contextlib.closing(in_forks(lambda number: self._make(site, parts[number]), len(parts), workers)) as made:
            for files in made:
                for written in files:
                    self._folder.wrote(written)
                    self._note(written)
                self._say()

    def _make(self, site: Site, part: Part) -> Iterator[Written]:
        """Make and write the files of some places; in a process of its own, perhaps."""
        for file in site.render(part):
            yield self._folder.write(file)

    # --- account ----------------------------------------------------------------------------------------------------

    def _take(self, file: SiteFile, *, durable: bool = False) -> None:
        self._note(self._folder.write(file, durable=durable))
        if len(self._files) % _EVERY == 0:
            self._say()

    def _note(self, written: Written) -> None:
        self._files[written.path] = written.digest
        self._written += written.is_new
        self._bytes += written.size

    def _say(self) -> None:
        self._progress(len(self._files), max(self._expected, len(self._files)))
