"""The independent check: replays a published site from its log and compares everything with what was published.

Trusts the hash of the definition and nothing else. The steps, by number:

(1) the definition is the expected one, names the tables beside it and is signed by its authority;
(2) the checkpoint, the head and the manifest are signed by the log that the definition names, and the checkpoint is cosigned by
    the quorum of witnesses that it names; a newer head that waits for them is signed by the log (head_check.py);
(3) the entries give the checkpoint's root, and every tile is what the entries give (log_check.py);
(4) every statement is canonical, by an issuer who may make it, and its signature verifies (statement_check.py);
(5) every bulletin and certificate says what the log gives at its size (statement_check.py);
(6) every snapshot that is listed is a signed and cosigned head of this log (history_check.py);
(7) every other file is, byte for byte, what the log gives; nothing is missing and nothing was added (files.py);
(8) encrypted ballots prove themselves, and give the figures of the signed sheets (ballots.py);
(9) audits whose files are published say what plan, seed and counts give (audits.py).

All findings are collected; nothing stops at the first one unless the rest could not mean anything. Where the log cannot be
replayed, every file is still held against its hash in the manifest.
"""

import time
from collections.abc import Callable, Mapping

from scrutineer.ballots.engines import own_cores
from scrutineer.ballots.key_table import read_table
from scrutineer.count import Count
from scrutineer.election import Definition, Election
from scrutineer.election.definition import (
    BALLOTS_TABLE,
    BASELINE_TABLE,
    REGISTER_TABLE,
    SHAPES_TABLE,
    UNITS_TABLE,
    table_hash,
)
from scrutineer.election.shapes import read_shapes
from scrutineer.errors import NoteError, PublicationError, ScrutineerError
from scrutineer.log import Head, LogVerifier
from scrutineer.log.quorum import Quorum
from scrutineer.portal.audit_files import MAX_AUDIT_FILE, audit_file_of, named_audit_files
from scrutineer.portal.ballot_named import named_ballots
from scrutineer.portal.ballot_record import StationBallots, bundle_path, published_ballots
from scrutineer.portal.formats import (
    BALLOTS_FILE,
    BASELINE_FILE,
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    HEAD_FILE,
    MANIFEST_FILE,
    MAX_FILE_SIZE,
    PENDING_FILE,
    REGISTER_FILE,
    SHAPES_FILE,
    SITE_FILE,
    UNITS_FILE,
    read_site_info,
)
from scrutineer.portal.history import Snapshot
from scrutineer.portal.images import MAX_IMAGE_SIZE, named_images, published_images
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE, Manifest, open_manifest
from scrutineer.portal.record import Image, Record, SiteOptions
from scrutineer.portal.site import render_site
from scrutineer.statements import Bulletin, parse_statement, statement_hash
from scrutineer.statements.bootstrap import open_election
from scrutineer.verify.audits import check_audits
from scrutineer.verify.ballots import BallotsCheck, Engine
from scrutineer.verify.files import FileCheck
from scrutineer.verify.head_check import HeadCheck
from scrutineer.verify.history_check import HistoryCheck
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Extent, Report
from scrutineer.verify.source import FolderSource, Progress, silent
from scrutineer.verify.statement_check import StatementCheck
from scrutineer.verify.steps import Steps, Unverifiable

_TABLES = {
    UNITS_FILE: UNITS_TABLE,
    REGISTER_FILE: REGISTER_TABLE,
    BASELINE_FILE: BASELINE_TABLE,
    SHAPES_FILE: SHAPES_TABLE,
    BALLOTS_FILE: BALLOTS_TABLE,
}


def verify_site(
    source: FolderSource,
    *,
    definition: bytes | None = None,
    threads: int = 2,
    ballots: Extent = "all",
    engine: Engine | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.time,
) -> Report:
    """Verify a published site. `definition` is the hash that the definition must have, 32 bytes; None takes the site's own.

    `ballots` says of which ballots the proofs are checked, by `engine` or, without one, in this process.
    `clock` gives POSIX seconds: a cosignature from long after now is a finding.
    Never raises for anything that the site holds or lacks: all of that becomes findings.
    """
    report = Report()
    try:
        _Verification(source, report, progress or silent, int(clock()), ballots, engine).run(definition, threads)
        report.complete = True
    except Unverifiable:
        pass
    except ScrutineerError as error:
        # A folder that changes while it is read, or a record that the policy let through and the pages cannot show.
        report.add("published", ".", f"the verification could not be brought to its end: {error}")
    return report


class _Verification(Steps):
    def __init__(
        self, source: FolderSource, report: Report, progress: Progress, now: int, extent: Extent, engine: Engine | None
    ) -> None:
        super().__init__(source, report)
        self._progress = progress
        self._now = now
        self._extent: Extent = extent
        self._engine = engine

    def run(self, expected: bytes | None, threads: int) -> None:
        election, definition, tables = self._definition(expected)
        heads = HeadCheck(self._source, self._report, self._now)
        verifier = heads.log_keys(election)
        quorum = heads.quorum(election, verifier)
        if quorum is not None:
            heads.require_checkpoint(verifier, quorum)
        checkpoint, head_file, head = heads.head(verifier)
        pending = None
        if quorum is not None:
            heads.check_quorum(checkpoint, quorum)
            pending = heads.pending(verifier, head)
        manifest = self._manifest(verifier, head)
        files = FileCheck(self._source, manifest, self._report)
        files.seen(CHECKPOINT_FILE, checkpoint)
        files.seen(HEAD_FILE, head_file)
        if pending is not None:
            files.seen(PENDING_FILE, pending)
        shapes, ballots = tables.get(SHAPES_FILE), tables.get(BALLOTS_FILE)
        # The tables have been held against the definition. They are large, and nothing that follows is made from their bytes.
        for path in list(tables):
            files.seen(path, tables.pop(path))
        try:
            options = self._options(election, verifier, head)
            log = LogCheck(self._source, head, files, self._report, self._progress)
            count, snapshots = self._count(election, verifier, quorum, log, threads)
        except Unverifiable:
            # What the files should say is not known. Which of them were changed since they were signed is known all the same.
            files.check_hashes(self._progress)
            raise
        finally:
            self._report.files = files.checked
        record = Record(
            election,
            count,
            definition,
            b"",
            b"",
            checkpoint,
            head,
            log.tree,
            verifier,
            log.entry,
            options,
            shapes_table=shapes,
            ballots_table=ballots,
            pending=pending,
            history=snapshots,
            images=self._images(manifest, log),
            ballots=self._ballots(manifest, count, log),
            audits=self._audits(manifest, count),
        )
        self._compare(record, files)
        check_audits(count, log, record.audits, self._report, self._progress)
        if ballots is not None:
            check = BallotsCheck(record, ballots, self._report, self._progress, self._extent, self._engine, own_cores())
            self._report.ballots = check.run()

    def _count(
        self, election: Election, verifier: LogVerifier, quorum: Quorum | None, log: LogCheck, threads: int
    ) -> tuple[Count, tuple[Snapshot, ...]]:
        """Steps (3) to (6): the count that the log gives, and the heads that the site was published at before."""
        if not log.run(election.hash):
            raise Unverifiable
        history = HistoryCheck(self._source, election, verifier, quorum, self._report)
        history.read(log.tree, self._progress)
        count = Count(election)
        StatementCheck(election, log, self._report, self._progress).run(count, threads, history.sizes, history.take)
        if count.size != log.head.size:
            raise Unverifiable
        self._check_acts(count, log)
        if not history.whole:
            # The receipts on the pages rest on the snapshots: where one is gone or false, no page could be made again.
            raise Unverifiable
        return count, history.snapshots()

    def _images(self, manifest: Manifest | None, log: LogCheck) -> dict[bytes, Image]:
        """The published images that statements of the log name; one that none names does not belong to the site."""
        paths = self._source.paths() if manifest is None else manifest.files
        found = published_images(paths, lambda path: self._source.read(path, MAX_IMAGE_SIZE))
        return named_images(found, map(log.entry, range(log.head.size))) if found else {}

    def _audits(self, manifest: Manifest | None, count: Count) -> dict[str, bytes]:
        """The published files of audits that belong to the log's audits; others do not belong to the site, and are findings."""
        paths = self._source.paths() if manifest is None else manifest.files
        skipped: list[tuple[str, str]] = []
        found: dict[str, bytes] = {}
        for path in filter(audit_file_of, paths):
            try:
                found[path] = self._source.read(path, MAX_AUDIT_FILE)
            except PublicationError as error:
                self._report.add("audit", path, str(error))
        kept = named_audit_files(found, count, skipped)
        for path, reason in skipped:
            self._report.add("audit", path, f"does not belong to its audit: {reason}")
        return kept

    def _ballots(self, manifest: Manifest | None, count: Count, log: LogCheck) -> dict[int, StationBallots]:
        """The published ballots that sheets in effect name; others do not belong to the site, and are findings."""
        if BALLOTS_TABLE not in count.election.definition.tables:
            return {}
        paths = self._source.paths() if manifest is None else manifest.files
        skipped: list[tuple[str, str]] = []
        named = named_ballots(published_ballots(paths, self._source.chunks).items(), count, log.entry, skipped)
        # Said here, before the many pages that differ because these ballots are not among what the log gives.
        for station, reason in skipped:
            self._report.add("ballots", bundle_path(station), f"does not belong to this result: {reason}")
        return named

    def _definition(self, expected: bytes | None) -> tuple[Election, bytes, dict[str, bytes]]:
        """Step (1). The election, its definition and its tables by path."""
        self._progress("Reading the definition", 0, 1)
        definition, units, register = (self.need(path, "definition") for path in (DEFINITION_FILE, UNITS_FILE, REGISTER_FILE))
        tables = {UNITS_FILE: units, REGISTER_FILE: register}
        name = statement_hash(definition)
        self._report.definition = name.hex()
        self._report.definition_expected = expected is not None
        if expected is not None and name != expected:
            self._report.add(
                "definition",
                DEFINITION_FILE,
                f"its hash is {name.hex()}, and {expected.hex()} was expected: "
                "this is not the election that you asked for, or its definition was changed",
            )
            raise Unverifiable
        payload = self.attempt("definition", DEFINITION_FILE, lambda: parse_statement(definition)).payload
        if isinstance(payload, Definition):
            for path in (BASELINE_FILE, SHAPES_FILE, BALLOTS_FILE):
                if _TABLES[path] in payload.tables:
                    tables[path] = self.need(path, "definition")
            self._check_tables(payload, tables)
        baseline = tables.get(BASELINE_FILE)
        election = self.attempt("definition", DEFINITION_FILE, lambda: open_election(definition, units, register, baseline))
        if (shapes := tables.get(SHAPES_FILE)) is not None:
            self.attempt("definition", SHAPES_FILE, lambda: read_shapes(shapes, election.units))
        if (ballots := tables.get(BALLOTS_FILE)) is not None:
            self.attempt("definition", BALLOTS_FILE, lambda: read_table(ballots, election.definition, election.units))
        self._report.election = election.definition.name
        self._report.provenance = election.definition.provenance_sentence()
        self._progress("Reading the definition", 1, 1)
        return election, definition, tables

    def _check_acts(self, count: Count, log: LogCheck) -> None:
        """Steps (1) and (5), what only the whole log shows: the definition is in force, and no bulletin number stands twice."""
        act = count.acts.get(count.election.hash)
        if act is None or act.effective is None:
            signed = 0 if act is None else len(act.signed)
            self._report.add(
                "definition",
                DEFINITION_FILE,
                f"it asks for the signatures of {count.election.definition.needed('definition')} officers, "
                f"and the log holds {signed}",
            )
        first: dict[int, int] = {}
        for recorded in count.bulletins:
            payload = recorded.statement.payload
            number = payload.number if isinstance(payload, Bulletin) else 0
            if first.setdefault(number, recorded.index) != recorded.index:
                where = log.where(recorded.index)
                self._report.add(
                    "bulletin", where, f"bulletin {number} was issued before, as entry {first[number]}: a number stands once"
                )

    def _check_tables(self, definition: Definition, tables: Mapping[str, bytes]) -> None:
        """Step (1), looked at first so that the table is named and not the definition that names it."""
        changed = [path for path, data in tables.items() if table_hash(data) != definition.tables[_TABLES[path]]]
        for path in changed:
            self._report.add("definition", path, "is not the table that the definition names: it was changed")
        if changed:
            raise Unverifiable

    def _manifest(self, verifier: LogVerifier, head: Head) -> Manifest | None:
        """Step (2): the manifest is signed and speaks of this head. None where it was refused; the rest goes on without."""
        data = self.need(MANIFEST_FILE, "manifest", MAX_MANIFEST_SIZE)
        try:
            manifest = open_manifest(data, verifier)
            if manifest.size != head.size:
                raise NoteError(f"it lists the files of log size {manifest.size}, and the checkpoint says {head.size}")
            if MANIFEST_FILE in manifest.files:
                raise NoteError("it lists itself, which no hash can be right for")
        except ScrutineerError as error:
            self._report.add("manifest", MANIFEST_FILE, str(error))
            return None
        return manifest

    def _options(self, election: Election, verifier: LogVerifier, head: Head) -> SiteOptions:
        def read() -> SiteOptions:
            info = read_site_info(self.need(SITE_FILE, "published", MAX_FILE_SIZE))
            if (info.definition, info.origin, info.size) != (election.hash.hex(), verifier.origin, head.size):
                raise PublicationError("it names another definition, log or size than the checkpoint")
            return info.options

        return self.attempt("published", SITE_FILE, read)

    def _compare(self, record: Record, files: FileCheck) -> None:
        """Step (7)."""
        for done, file in enumerate(render_site(record), 1):
            if done % 128 == 0:
                self._progress("Comparing published files", done, max(done, files.listed))
            files.compare(file)
        files.finish()
        self._report.files = files.checked
