"""One round of a mirror: ask the sources what they show, judge it, and bring the copy up to date.

The order of the checks, by number:

(1) the definition has the hash that is expected; it names the keys of the log;
(2) a source's checkpoint is signed by both of these keys, and cosigned by the quorum where the definition names witnesses;
(3) it is of the history that the copy holds: shorter ones are held against the copy's tree, longer ones are shown to extend it
    by the source's own tiles;
(4) its manifest is signed by the log, names this checkpoint and lists the whole log;
(5) every file that is fetched has the hash in the manifest; the entries give the checkpoint's root, and the tiles are the
    entries' tiles;
(6) what the other sources show is a prefix of that tree.

Only then is the copy shown. What does not hold is said of the source that showed it, and the next source is tried.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrutineer.election.definition import BALLOTS_TABLE, SHAPES_TABLE
from scrutineer.errors import LogError, PublicationError, ScrutineerError, TransportError
from scrutineer.log import Checkpoint, LogVerifier, MerkleTree
from scrutineer.log.quorum import Quorum
from scrutineer.portal.formats import (
    BALLOTS_FILE,
    BASELINE_FILE,
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    REGISTER_FILE,
    SHAPES_FILE,
    UNITS_FILE,
)
from scrutineer.portal.history_files import is_snapshot
from scrutineer.statements import statement_hash
from scrutineer.statements.bootstrap import check_table, open_election
from scrutineer.verify.mirror.ask import PAUSE, Asker, Attempt, Pause, log_keys, subtrees_of
from scrutineer.verify.mirror.evidence import keep_fork, keep_lost
from scrutineer.verify.mirror.fetch import Fetcher, MovedError
from scrutineer.verify.mirror.folder import FORMAT, Held, MirrorFolder, State, use_definition
from scrutineer.verify.mirror.nodes import Node, cover, root_of
from scrutineer.verify.mirror.offers import (
    Offer,
    Shown,
    SourceFinding,
    lag,
    plan,
    ranked,
    same_size_forks,
    size_limit,
)
from scrutineer.verify.mirror.tree import check_tiles, extend_tree, held_tree
from scrutineer.verify.source import FolderSource, Progress, silent
from scrutineer.verify.web import WebSite

ROUNDS: Final = 4
"""How often a round begins again because a source was published meanwhile, before that source is left out of it."""


@dataclass(frozen=True)
class MirrorRound:
    """What one round did, and what it found."""

    definition: bytes | None
    """Hash of the definition; None where no source gave one."""
    first_use: bool
    """Whether nobody said which definition to expect, and the first one seen is now the one that this mirror follows."""
    checkpoint: Checkpoint | None
    """Of the copy that is shown; None where there is none yet."""
    changed: bool
    """Whether the copy that is shown is another one now."""
    files: int
    """Files of the copy that is shown, the manifest included."""
    fetched: int
    """Files that were fetched, and their size in bytes."""
    fetched_bytes: int
    used: tuple[str, ...]
    """The sources that files were taken from."""
    current: tuple[str, ...]
    """The sources that show the copy as it is now."""
    findings: tuple[SourceFinding, ...]
    evidence: tuple[Path, ...]
    """Folders in which contradicting checkpoints were kept."""

    @property
    def good(self) -> bool:
        """Whether there is a copy that a source shows, and no source that answers shows anything else."""
        return bool(self.current) and all(finding.fault == "silent" for finding in self.findings)


class Mirror:
    """Keeps a copy up to date, round by round. What it knows of the copy stays in memory between rounds."""

    def __init__(
        self,
        folder: MirrorFolder,
        sources: Sequence[WebSite],
        *,
        definition: bytes | None = None,
        connections: int = 8,
        progress: Progress | None = None,
        pause: Pause = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`definition` is the hash to expect, 32 bytes; None for that of the mirror, and in a new one the first that is seen.

        Raises UsageError where the folder is a mirror of another election.
        """
        state = folder.state()
        self._definition = use_definition(state, definition)
        self._first_use = definition is None and state is None
        self._asker = Asker(state.sources if state is not None else {}, pause, clock)
        self._state = state
        self._folder = folder
        self._sources = tuple(sources)
        self._connections = connections
        self._progress = progress or silent
        self._pause = pause
        self._verifier: LogVerifier | None = None
        self._quorum: Quorum | None = None
        self._held: Held | None = None
        self._tree = MerkleTree()

    def run(self) -> MirrorRound:
        """Do one round. Raises PublicationError where the folder cannot be read or written; sources only make findings."""
        moved: dict[str, int] = {}
        left_out: dict[str, SourceFinding] = {}
        while True:
            attempt = Attempt([source for source in self._sources if source.address not in left_out], list(left_out.values()))
            try:
                return self._round(attempt)
            except MovedError as error:
                moved[error.source] = moved.get(error.source, 0) + 1
                if moved[error.source] >= ROUNDS:
                    left_out[error.source] = SourceFinding(
                        error.source, "unfit", "it shows another publication each time that it is asked"
                    )
                self._pause(PAUSE)

    def _round(self, attempt: Attempt) -> MirrorRound:
        verifier = self._keys(attempt)
        if verifier is None:
            return self._done(attempt, changed=False)
        if self._held is None:
            self._load(verifier)
        shown, offers = self._ask_all(attempt, verifier)
        changed = False
        if not self._divided(attempt, shown):
            for offer in ranked(offers, self._held.offer.manifest if self._held is not None else None):
                if self._is_held(offer) or self._is_older(offer):
                    break
                if self._copy(attempt, offer, offers, shown):
                    changed = True
                    break
                if attempt.divided:
                    break
        self._compare(attempt, shown, offers)
        return self._done(attempt, changed=changed)

    # --- (1) the definition -----------------------------------------------------------------------------------------

    def _keys(self, attempt: Attempt) -> LogVerifier | None:
        """The keys of the log; None where no source gives the definition that is expected."""
        if self._verifier is None:
            data = self._folder.definition()
            if data is None:
                data = self._asker.definition(attempt, self._definition)
            elif statement_hash(data) != self._definition:
                raise PublicationError(
                    f"{self._folder.site}/{DEFINITION_FILE} is damaged: keep it for whoever looks into that, and mirror into a "
                    "new folder"
                )
            if data is None:
                return None
            self._verifier, self._quorum = log_keys(data)
            self._definition = statement_hash(data)
        return self._verifier

    # --- (2) to (4) what sources show -------------------------------------------------------------------------------

    def _load(self, verifier: LogVerifier) -> None:
        """Read and check the copy that is shown."""
        self._progress("Checking the copy", 0, 1)
        held = self._folder.held(verifier, self._quorum)
        if held is not None:
            self._tree = held_tree(held.offer.shown.checkpoint, held.files, held.site.read)
        self._held = held
        self._progress("Checking the copy", 1, 1)

    def _ask_all(self, attempt: Attempt, verifier: LogVerifier) -> tuple[list[Shown], list[Offer]]:
        """What every source shows that is of the history of this copy, and the publications that can be copied."""
        shown, offers = [], []
        held = self._held.offer if self._held is not None else None
        for seen in self._asker.all(attempt, verifier, held, self._quorum):
            if seen.shown is not None and self._is_our_history(attempt, seen.source, seen.shown):
                shown.append(seen.shown)
                if seen.offer is not None:
                    offers.append(seen.offer)
                elif seen.error is not None:
                    attempt.leave(seen.source, seen.error)
            elif seen.shown is None and seen.error is not None:
                attempt.leave(seen.source, seen.error)
        return shown, offers

    # --- (3) histories ----------------------------------------------------------------------------------------------

    def _is_our_history(self, attempt: Attempt, source: WebSite, shown: Shown) -> bool:
        """Whether a checkpoint is of the history that the copy holds; says what is wrong and keeps what proves it."""
        if self._held is None:
            return True
        ours, theirs = self._held.offer.shown, shown.checkpoint
        try:
            if theirs.size <= ours.checkpoint.size:
                if self._tree.root(theirs.size) == theirs.root:
                    return True
                subtrees = self._subtrees(theirs.size, ours.checkpoint.size)
            else:
                subtrees = subtrees_of(source, ours.checkpoint.size, theirs)
                if root_of(subtrees, ours.checkpoint.size) == ours.checkpoint.root:
                    return True
        except ScrutineerError as error:
            if not isinstance(error, TransportError) and self._moved(source, shown):
                raise MovedError(source.address) from error
            attempt.leave(source, error)
            return False
        self._fork(attempt, ours, shown, subtrees)
        return False

    def _subtrees(self, first: int, second: int) -> dict[Node, bytes]:
        if first == second:
            return {}
        return {node: self._tree.node(*node) for node in cover(first, second)}

    def _moved(self, source: WebSite, shown: Shown) -> bool:
        """Whether a source shows another checkpoint by now."""
        try:
            answer = source.read(CHECKPOINT_FILE, size_limit(CHECKPOINT_FILE))
        except ScrutineerError:
            return False
        return answer is not None and answer.data != shown.text

    def _fork(self, attempt: Attempt, one: Shown, other: Shown, subtrees: dict[Node, bytes]) -> None:
        """Keep what proves a contradiction, and say it of `other`."""
        attempt.evidence.append(keep_fork(self._folder, one, other, subtrees))
        attempt.findings.append(
            SourceFinding(
                other.source,
                "fork",
                f"its checkpoint at {other.checkpoint.size:,} entries and the one at {one.checkpoint.size:,} that "
                f"{one.source} shows are both signed by the log, and neither tree is the beginning of the other; "
                f"both are kept in {attempt.evidence[-1]}",
            )
        )

    def _divided(self, attempt: Attempt, shown: Sequence[Shown]) -> bool:
        """Whether sources show two roots for one size, and neither what is held nor the witnesses say which to follow."""
        divided = False
        for one, other in same_size_forks(shown):
            self._fork(attempt, one, other, {})
            if one.cosigned == other.cosigned:
                self._fork(attempt, other, one, {})
                # Heads without the quorum are nobody's: two of them say nothing about one that has it.
                divided = divided or one.cosigned
        return divided

    # --- (5) and (6) copying ----------------------------------------------------------------------------------------

    def _is_held(self, offer: Offer) -> bool:
        return (
            self._held is not None and offer.manifest == self._held.offer.manifest and len(self._held.files) == len(offer.files)
        )

    def _is_older(self, offer: Offer) -> bool:
        return self._held is not None and offer.shown.age < self._held.offer.shown.age

    def _copy(self, attempt: Attempt, offer: Offer, offers: Sequence[Offer], shown: Sequence[Shown]) -> bool:
        """Make a copy of a publication and show it; False where its sources could not give it, or it does not hold."""
        names = {other.shown.source for other in offers if other.manifest == offer.manifest}
        sources = [source for source in attempt.sources if source.address in names]
        held = self._held
        staged = self._folder.stage(offer, held)
        needed = plan(offer.files, {path: offer.files[path] for path in staged})
        fetcher = Fetcher(offer, sources, self._folder, self._connections)
        size = self._tree.size
        try:
            if not fetcher.run(needed.log, "Copying the log", self._progress):
                return False
            self._check_log(offer, held)
            if not all(self._is_prefix(attempt, offer.shown, other) for other in shown):
                return False
            if not fetcher.run(needed.rest, "Copying the site", self._progress):
                return False
            self._write_state()
            if held is not None:
                self._find_lost(attempt, offer, held)
            self._folder.show(offer)
            self._held = Held(offer, dict(offer.files), FolderSource(self._folder.site.resolve()))
        except LogError as error:
            for source in sources:
                attempt.leave(source, error)
            return False
        finally:
            if self._held is held:
                self._tree.truncate(size)
            attempt.take(fetcher)
        return True

    def _find_lost(self, attempt: Attempt, offer: Offer, held: Held) -> None:
        """Say which snapshots were published before and are gone or changed now, and keep them: they are to stay for ever."""
        lost = sorted(path for path in held.files if is_snapshot(path) and offer.files.get(path) != held.files[path])
        if not lost:
            return
        kept = keep_lost(self._folder, held, offer, lost)
        attempt.evidence.append(kept)
        more = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
        message = f"{lost[0]}{more} is gone or another file now, and snapshots are kept for ever; what was there is in {kept}"
        attempt.findings.append(SourceFinding(offer.shown.source, "forgets", message))

    def _check_log(self, offer: Offer, held: Held | None) -> None:
        """The log's files that this copy has and the one that is shown has not are those of the signed tree."""
        staging = FolderSource(self._folder.staging)
        changed = plan(offer.files, held.files if held is not None else {}).log
        extend_tree(self._tree, offer.shown.checkpoint, frozenset(changed), staging.read)
        check_tiles(self._tree, offer.shown.checkpoint.size, frozenset(changed), staging.read)
        if self._tree.node(0, 0) != self._definition:
            raise LogError("the first entry of its log is not the definition")
        if {DEFINITION_FILE, UNITS_FILE, REGISTER_FILE, BASELINE_FILE, SHAPES_FILE, BALLOTS_FILE}.isdisjoint(changed):
            return
        tables = [DEFINITION_FILE, UNITS_FILE, REGISTER_FILE]
        try:
            parts = [staging.read(path) for path in tables]
            baseline, shapes, ballots = (
                staging.read(path) if path in offer.files else None for path in (BASELINE_FILE, SHAPES_FILE, BALLOTS_FILE)
            )
            election = open_election(parts[0], parts[1], parts[2], baseline)
            check_table(election.definition, SHAPES_TABLE, shapes)
            check_table(election.definition, BALLOTS_TABLE, ballots)
            if election.hash != self._definition:
                raise LogError(f"{DEFINITION_FILE} is not the definition that its log begins with")
        except LogError:
            raise
        except ScrutineerError as error:
            raise LogError(f"its definition and tables do not belong together ({error})") from error

    def _is_prefix(self, attempt: Attempt, ours: Shown, other: Shown) -> bool:
        """Whether another source's checkpoint is of the tree that was copied just now."""
        size = other.checkpoint.size
        if size > self._tree.size or self._tree.root(size) == other.checkpoint.root:
            return True
        subtrees = self._subtrees(size, self._tree.size)
        self._fork(attempt, ours, other, subtrees)
        if not other.cosigned:
            return True
        # Neither may be taken: without a copy that shares more with one of them, nobody can say which one to follow.
        attempt.divided = True
        self._fork(attempt, other, ours, subtrees)
        return False

    def _compare(self, attempt: Attempt, shown: Sequence[Shown], offers: Sequence[Offer]) -> None:
        """Say who is behind, and who shows what is held now."""
        if self._held is None:
            return
        for one in shown:
            found = lag(one, self._held.offer.shown.checkpoint)
            if found is not None and not attempt.named(one.source):
                attempt.findings.append(found)
        for offer in offers:
            if attempt.named(offer.shown.source):
                continue
            if self._is_older(offer):
                attempt.findings.append(
                    SourceFinding(offer.shown.source, "lags", "it shows an earlier publication of the log at the same size")
                )
            else:
                attempt.current.append(offer.shown.source)

    def _write_state(self) -> None:
        if self._definition is None:
            return
        sources = {
            source.address: self._asker.served[source.address] for source in self._sources if source.address in self._asker.served
        }
        state = State(FORMAT, self._definition.hex(), sources)
        if state != self._state:
            self._folder.write_state(state)
            self._state = state

    def _done(self, attempt: Attempt, *, changed: bool) -> MirrorRound:
        held = self._held
        if held is not None:
            self._write_state()
        return MirrorRound(
            self._definition,
            self._first_use,
            held.offer.shown.checkpoint if held is not None else None,
            changed,
            len(held.offer.files) + 1 if held is not None else 0,
            attempt.files,
            attempt.bytes,
            tuple(sorted(attempt.used)),
            tuple(attempt.current),
            tuple(attempt.findings),
            tuple(dict.fromkeys(attempt.evidence)),
        )
