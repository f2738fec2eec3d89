"""Step (2) of `verify_site`: the head that a site shows is one of the log that the definition names, cosigned as it demands."""

from scrutineer.election import Election
from scrutineer.errors import LogError, NoteError
from scrutineer.log import Head, LogVerifier, open_checkpoint
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.log.quorum import Quorum, check_quorum, find_cosigners
from scrutineer.log.receipt import verify_head
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, HEAD_FILE, MAX_FILE_SIZE, PENDING_FILE, read_head
from scrutineer.portal.history import signed_time
from scrutineer.verify.report import Report
from scrutineer.verify.source import FolderSource
from scrutineer.verify.steps import Steps, Unverifiable


class HeadCheck(Steps):
    """Checks checkpoint, head and pending head of a site. `now` is in seconds since 1970."""

    def __init__(self, source: FolderSource, report: Report, now: int) -> None:
        super().__init__(source, report)
        self._now = now

    def log_keys(self, election: Election) -> LogVerifier:
        """The keys of the log are those of the definition."""
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

        verifier = self.attempt("definition", DEFINITION_FILE, read)
        self._report.origin = verifier.origin
        return verifier

    def head(self, verifier: LogVerifier) -> tuple[bytes, bytes, Head]:
        """Checkpoint and head are of the same tree and time, and signed."""
        text = self.need(CHECKPOINT_FILE, "checkpoint", MAX_NOTE_SIZE)
        checkpoint = self.attempt(
            "checkpoint", CHECKPOINT_FILE, lambda: open_checkpoint(text, verifier.note_verifiers).checkpoint
        )
        self._report.size, self._report.root = checkpoint.size, checkpoint.root.hex()
        data = self.need(HEAD_FILE, "checkpoint", MAX_FILE_SIZE)

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

        return text, data, self.attempt("checkpoint", HEAD_FILE, read)

    def quorum(self, election: Election, verifier: LogVerifier) -> Quorum | None:
        """The witnesses of the definition; None where it names none."""
        policy = election.definition.witnesses
        if policy is None:
            return None
        return self.attempt("definition", DEFINITION_FILE, lambda: Quorum.from_policy(policy, verifier))

    def require_checkpoint(self, verifier: LogVerifier, quorum: Quorum) -> None:
        """Say so where a pending head is all that is shown."""
        if self.read_if_there(CHECKPOINT_FILE) is not None or (note := self.read_if_there(PENDING_FILE)) is None:
            return
        size = self.attempt("checkpoint", PENDING_FILE, lambda: open_checkpoint(note, verifier.note_verifiers).checkpoint.size)
        self._report.pending = size
        found = self._report.witnesses = self.attempt("witnesses", PENDING_FILE, lambda: find_cosigners(note, quorum))
        self._report.add(
            "witnesses",
            PENDING_FILE,
            f"the head of {size:,} entries is pending, and no result is shown: {found.sentence}",
        )
        raise Unverifiable

    def check_quorum(self, checkpoint: bytes, quorum: Quorum) -> None:
        """Enough witnesses have cosigned. What they cosigned is checked on even where they are too few."""
        found = self._report.witnesses = self.attempt("witnesses", CHECKPOINT_FILE, lambda: find_cosigners(checkpoint, quorum))
        try:
            check_quorum(checkpoint, quorum, self._now)
        except NoteError as error:
            self._report.add("witnesses", CHECKPOINT_FILE, str(error) if found.complete else found.sentence)

    def pending(self, verifier: LogVerifier, head: Head) -> bytes | None:
        """A newer head that waits for its witnesses, where one is shown."""
        note = self.read_if_there(PENDING_FILE)
        if note is None:
            return None
        pending = self.attempt("checkpoint", PENDING_FILE, lambda: open_checkpoint(note, verifier.note_verifiers).checkpoint)
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
