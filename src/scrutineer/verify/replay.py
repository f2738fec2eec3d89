"""The independent check: replays a published site from its log and compares everything with what was published.

Trusts the hash of the definition and nothing else. The steps, by number:

(1) the definition is the expected one, names the tables beside it and is signed by its authority;
(2) the checkpoint, the head and the manifest are signed by the log that the definition names, and the checkpoint is cosigned by
    the quorum of witnesses that it names; a newer head that waits for them is signed by the log;
(3) the entries give the checkpoint's root, and every tile is what the entries give (log_check.py);
(4) every statement is canonical, by an issuer who may make it, and its signature verifies (statement_check.py);
(5) every bulletin and certificate says what the log gives at its size (statement_check.py);
(6) every snapshot that is listed is a signed and cosigned head of this log (history_check.py);
(7) every other file is, byte for byte, what the log gives; nothing is missing and nothing was added (files.py);
(8) encrypted ballots prove themselves, and give the figures of the signed sheets (ballots.py).

All findings are collected; nothing stops at the first one unless the rest could not mean anything. Where the log cannot be
replayed, every file is still held against its hash in the manifest.
"""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

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
from scrutineer.errors import LogError, NoteError, PublicationError, ScrutineerError
from scrutineer.log import Head, LogVerifier, open_checkpoint
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.log.quorum import Quorum, check_quorum, find_cosigners
from scrutineer.log.receipt import verify_head
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
    read_head,
    read_site_info,
)
from scrutineer.portal.history import Snapshot, signed_time
from scrutineer.portal.images import MAX_IMAGE_SIZE, named_images, published_images
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE, Manifest, open_manifest
from scrutineer.portal.record import Image, Record, SiteOptions
from scrutineer.portal.site import render_site
from scrutineer.statements import Bulletin, parse_statement, statement_hash
from scrutineer.statements.bootstrap import open_election
from scrutineer.verify.ballots import BallotsCheck, Engine
from scrutineer.verify.files import FileCheck
from scrutineer.verify.history_check import HistoryCheck
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Check, Extent, Report
from scrutineer.verify.source import MAX_SMALL_FILE, FolderSource, Progress, silent
from scrutineer.verify.statement_check import StatementCheck

T = TypeVar("T")

_TABLES = {
    UNITS_FILE: UNITS_TABLE,
    REGISTER_FILE: REGISTER_TABLE,
    BASELINE_FILE: BASELINE_TABLE,
    SHAPES_FILE: SHAPES_TABLE,
    BALLOTS_FILE: BALLOTS_TABLE,
}


class _Unverifiable(Exception):  # noqa: N818 - not an error of its own: the finding that says why is in the report
    """The rest of the verification could not mean anything."""


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
    except _Unverifiable:
        pass
    except ScrutineerError as error:
        # A folder that changes while it is read, or a record that the policy let through and the pages cannot show.
        report.add("published", ".", f"the verification could not be brought to its end: {error}")
    return report


class _Verification:
    def __init__(
        self, source: FolderSource, report: Report, progress: Progress, now: int, extent: Extent, engine: Engine | None
    ) -> None:
        self._source = source
        self._report = report
        self._progress = progress
        self._now = now
        self._extent: Extent = extent
        self._engine = engine

    def run(self, expected: bytes | None, threads: int) -> None:
        election, definition, tables = self._definition(expected)
        verifier = self._log_keys(election)
        quorum = self._quorum(election, verifier)
        if quorum is not None:
            self._require_checkpoint(verifier, quorum)
        checkpoint, head_file, head = self._head(verifier)
        pending = None
        if quorum is not None:
            self._check_quorum(checkpoint, quorum)
            pending = self._pending(verifier, head)
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
        except _Unverifiable:
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
        )
        self._compare(record, files)
        if ballots is not None:
            check = BallotsCheck(record, ballots, self._report, self._progress, self._extent, self._engine, own_cores())
            self._report.ballots = check.run()

    def _count(
        self, election: Election, verifier: LogVerifier, quorum: Quorum | None, log: LogCheck, threads: int
    ) -> tuple[Count, tuple[Snapshot, ...]]:
        """Steps (3) to (6): the count that the log gives, and the heads that the site was published at before."""
        if not log.run(election.hash):
            raise _Unverifiable
        history = HistoryCheck(self._source, election, verifier, quorum, self._report)
        history.read(log.tree, self._progress)
        count = Count(election)
        StatementCheck(election, log, self._report, self._progress).run(count, threads, history.sizes, history.take)
        if count.size != log.head.size:
            raise _Unverifiable
        self._check_acts(count, log)
        if not history.whole:
            # The receipts on the pages rest on the snapshots: where one is gone or false, no page could be made again.
            raise _Unverifiable
        return count, history.snapshots()

    def _images(self, manifest: Manifest | None, log: LogCheck) -> dict[bytes, Image]:
        """The published images that statements of the log name; one that none names does not belong to the site."""
        paths = self._source.paths() if manifest is None else manifest.files
        found = published_images(paths, lambda path: self._source.read(path, MAX_IMAGE_SIZE))
        return named_images(found, map(log.entry, range(log.head.size))) if found else {}

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
        definition, units, register = (self._need(path, "definition") for path in (DEFINITION_FILE, UNITS_FILE, REGISTER_FILE))
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
            raise _Unverifiable
        payload = self._try("definition", DEFINITION_FILE, lambda: parse_statement(definition)).payload
        if isinstance(payload, Definition):
            for path in (BASELINE_FILE, SHAPES_FILE, BALLOTS_FILE):
                if _TABLES[path] in payload.tables:
                    tables[path] = self._need(path, "definition")
            self._check_tables(payload, tables)
        baseline = tables.get(BASELINE_FILE)
        election = self._try("definition", DEFINITION_FILE, lambda: open_election(definition, units, register, baseline))
        if (shapes := tables.get(SHAPES_FILE)) is not None:
            self._try("definition", SHAPES_FILE, lambda: read_shapes(shapes, election.units))
        if (ballots := tables.get(BALLOTS_FILE)) is not None:
            self._try("definition", BALLOTS_FILE, lambda: read_table(ballots, election.definition, election.units))
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
            raise _Unverifiable

    def _log_keys(self, election: Election) -> LogVerifier:
        """Step (2): the keys of the log are those of the definition."""
        log = election.definition.log

        def read() -> LogVerifier:
            if len(log.keys) != 2:
                raise NoteError(
                    f"the definition names {len(log.keys)} keys of the log, and two are needed: Ed25519 and ML-DSA-44"
                )
            verifier = LogVerifier.from_vkeys(*log.keys)
            if verifier.origin != log.origin:
                raise NoteError(f"the keys of the log are those of {verifier.origin!r}, and its origin is {log.origin!r}")
            return verifier

        verifier = self._try("definition", DEFINITION_FILE, read)
        self._report.origin = verifier.origin
        return verifier

    def _head(self, verifier: LogVerifier) -> tuple[bytes, bytes, Head]:
        """Step (2): checkpoint and head are of the same tree and time, and signed."""
        text = self._need(CHECKPOINT_FILE, "checkpoint", MAX_NOTE_SIZE)
        checkpoint = self._try("checkpoint", CHECKPOINT_FILE, lambda: open_checkpoint(text, verifier.note_verifiers).checkpoint)
        self._report.size, self._report.root = checkpoint.size, checkpoint.root.hex()
        data = self._need(HEAD_FILE, "checkpoint", MAX_FILE_SIZE)

        def read() -> Head:
            head = read_head(data)
            if (head.size, head.root) != (checkpoint.size, checkpoint.root):
                raise LogError(
                    f"it is the head of another tree (size {head.size}, root {head.root.hex()}) than {CHECKPOINT_FILE} "
                    f"(size {checkpoint.size}, root {checkpoint.root.hex()})"
                )
            verify_head(head.size, head.root, head.signature, verifier)
            # The head's signature does not cover its time; that of the checkpoint does, in seconds.
            signed = signed_time(text, verifier)
            if head.time_ms // 1000 != signed:
                raise LogError(f"it gives the time {head.time_ms} ms, and the checkpoint was signed at {signed} s")
            return head

        return text, data, self._try("checkpoint", HEAD_FILE, read)

    def _quorum(self, election: Election, verifier: LogVerifier) -> Quorum | None:
        """Step (2): the witnesses of the definition; None where it names none."""
        policy = election.definition.witnesses
        if policy is None:
            return None
        return self._try("definition", DEFINITION_FILE, lambda: Quorum.from_policy(policy, verifier))

    def _require_checkpoint(self, verifier: LogVerifier, quorum: Quorum) -> None:
        """Step (2): say so where a pending head is all that is shown."""
        if self._read_if_there(CHECKPOINT_FILE) is not None or (note := self._read_if_there(PENDING_FILE)) is None:
            return
        size = self._try("checkpoint", PENDING_FILE, lambda: open_checkpoint(note, verifier.note_verifiers).checkpoint.size)
        self._report.pending = size
        found = self._report.witnesses = self._try("witnesses", PENDING_FILE, lambda: find_cosigners(note, quorum))
        self._report.add(
            "witnesses",
            PENDING_FILE,
            f"the head of {size:,} entries is pending, and no result is shown: {found.sentence}",
        )
        raise _Unverifiable

    def _check_quorum(self, checkpoint: bytes, quorum: Quorum) -> None:
        """Step (2): enough witnesses have cosigned. What they cosigned is checked on even where they are too few."""
        found = self._report.witnesses = self._try("witnesses", CHECKPOINT_FILE, lambda: find_cosigners(checkpoint, quorum))
        try:
            check_quorum(checkpoint, quorum, self._now)
        except NoteError as error:
            self._report.add("witnesses", CHECKPOINT_FILE, str(error) if found.complete else found.sentence)

    def _pending(self, verifier: LogVerifier, head: Head) -> bytes | None:
        """Step (2): a newer head that waits for its witnesses, where one is shown."""
        note = self._read_if_there(PENDING_FILE)
        if note is None:
            return None
        pending = self._try("checkpoint", PENDING_FILE, lambda: open_checkpoint(note, verifier.note_verifiers).checkpoint)
        self._report.pending = pending.size
        if pending.size <= head.size:
            forked = pending.size == head.size and pending.root != head.root
            self._report.add(
                "checkpoint",
                PENDING_FILE,
                f"is of {pending.size:,} entries, and no newer head than {CHECKPOINT_FILE} with {head.size:,}"
                + ("; the log has signed two roots for one size" if forked else ""),
            )
        return note

    def _read_if_there(self, path: str) -> bytes | None:
        try:
            return self._source.read(path, MAX_NOTE_SIZE)
        except PublicationError:
            return None

    def _manifest(self, verifier: LogVerifier, head: Head) -> Manifest | None:
        """Step (2): the manifest is signed and speaks of this head. None where it was refused; the rest goes on without."""
        data = self._need(MANIFEST_FILE, "manifest", MAX_MANIFEST_SIZE)
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
            info = read_site_info(self._need(SITE_FILE, "published", MAX_FILE_SIZE))
            if (info.definition, info.origin, info.size) != (election.hash.hex(), verifier.origin, head.size):
                raise PublicationError("it names another definition, log or size than the checkpoint")
            return info.options

        return self._try("published", SITE_FILE, read)

    def _compare(self, record: Record, files: FileCheck) -> None:
        """Step (7)."""
        for done, file in enumerate(render_site(record), 1):
            if done % 128 == 0:
                self._progress("Comparing published files", done, max(done, files.listed))
            files.compare(file)
        files.finish()
        self._report.files = files.checked

    def _try(self, check: Check, where: str, step: Callable[[], T]) -> T:
        """Do a step without which nothing after it could mean anything."""
        try:
            return step()
        except ScrutineerError as error:
            self._report.add(check, where, str(error))
            raise _Unverifiable from error

    def _need(self, path: str, check: Check, limit: int = MAX_SMALL_FILE) -> bytes:
        try:
            return self._source.read(path, limit)
        except PublicationError as error:
            self._report.add(check, path, str(error).removeprefix(f"{path} "))
            raise _Unverifiable from error
