"""A witness without its transport: judge a request, remember, then cosign."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from scrutineer.errors import NoteError, ScrutineerError, StoreError, UsageError
from scrutineer.log.cosignature import Cosigner, MlDsa44Verifier
from scrutineer.log.note import (
    ED25519,
    MLDSA44_COSIGNATURE,
    Ed25519Verifier,
    Note,
    NoteVerifier,
    SignatureLine,
    VerifierKey,
    format_note,
)
from scrutineer.witness.evidence import keep_evidence
from scrutineer.witness.rules import Refusal, Submission, authenticate, judge, parse_request
from scrutineer.witness.state import Remembered, WitnessState

_FROZEN: Final = (
    "a checkpoint bears its own cosignature and is not in its memory, so that the memory is an old copy or its keys are used "
    "elsewhere; the operator has to start a new witness with new keys, or restore the newest copy of the memory"
)

MAX_NAME_SIZE: Final = 255  # bytes of UTF-8; an ML-DSA-44 cosignature writes the length in one byte

Logs = Mapping[str, Sequence[NoteVerifier]]


class Answer(NamedTuple):
    """What the client gets, and what the operator should know."""

    status: int
    media_type: str
    body: bytes
    origin: str
    """The log, where it is one that this witness watches; else empty."""
    code: str
    """'cosigned', or one of `rules.REFUSALS`, or 'failed'."""
    words: str
    """One sentence for the operator."""
    evidence: Path | None = None


class Witness:
    """Cosigns checkpoints of the logs that it watches. One call at a time: checking and remembering must not be interleaved."""

    def __init__(
        self, state: WitnessState, signers: Sequence[Cosigner], logs: Logs, evidence: Path, clock: Callable[[], float]
    ) -> None:
        """Take an open memory, the keys, the logs by origin, a folder for evidence, and a clock in POSIX seconds.

        Raises StoreError where the memory is damaged or belongs to other keys, UsageError where there is no key or no log.
        """
        if not signers or not logs:
            raise UsageError("a witness needs keys of its own and at least one log to watch")
        for signer in signers:
            if len(signer.name.encode()) > MAX_NAME_SIZE:
                raise UsageError(f"the name of a witness has at most {MAX_NAME_SIZE} bytes: choose a shorter one")
        self._state = state
        self._signers = tuple(signers)
        self._own = tuple(signer.verifier for signer in signers)
        self._logs = dict(logs)
        self._evidence = evidence
        self._clock = clock
        self.failure: ScrutineerError | None = None
        """Why this witness can do nothing more until it is started anew."""
        state.set_keys(self.vkeys)
        state.check(self._own)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verifier keys, with which anyone checks what this witness cosigned."""
        return tuple(str(verifier.key) for verifier in self._own)

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs that are watched."""
        return tuple(self._logs)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request. A cosignature is in the answer only after the checkpoint that it is on is durably remembered."""
        request = parse_request(body)
        if isinstance(request, Refusal):
            return _refused("", request)
        submission = authenticate(request, self._logs, self._own)
        if isinstance(submission, Refusal):
            return _refused(request.head.origin if request.head.origin in self._logs else "", submission)
        if self.failure is not None:
            return _failed(submission.head.origin, self.failure)
        try:
            return self._decide(submission, body)
        except StoreError as error:
            self.failure = error
            return _failed(submission.head.origin, error)

    def settle(self) -> None:
        """Tidy the memory, once in a while; see `WitnessState.settle`."""
        if self.failure is None:
            try:
                self._state.settle()
            except StoreError as error:
                self.failure = error

    def _decide(self, submission: Submission, body: bytes) -> Answer:
        head, state = submission.head, self._state
        latest, same = state.latest(head.origin), state.at(head.origin, head.size)
        known = latest.known if latest else None
        refusal = judge(submission, known, same.known if same else None, state.frozen(head.origin))
        if refusal is None:
            return self._cosign(submission, latest)
        if refusal.finding == "own-key":
            state.freeze(head.origin, _FROZEN)
            words = f"this witness has stopped cosigning the log {head.origin}: {_FROZEN}"
            refusal = Refusal("frozen", words, finding="own-key")
        before = same or latest
        try:
            kept = keep_evidence(self._evidence, submission, refusal, body, before.note if before else None)
        except OSError as error:
            # The refusal stands without its files; a full disk must not make a witness forget to refuse.
            answer = _refused(head.origin, refusal)
            return answer._replace(words=f"{answer.words} (the evidence cannot be kept: {error.strerror})")
        return _refused(head.origin, refusal, kept)

    def _cosign(self, submission: Submission, latest: Remembered | None) -> Answer:
        head, text = submission.head, submission.request.note.text
        time = int(self._clock())
        if time <= 0:
            raise StoreError("the clock stands before 1970, and a cosignature must carry its time: set the clock")
        lines = tuple(SignatureLine(signer.name, signer.key_id, signer.sign(text, time)) for signer in self._signers)
        if latest is None or head.size > latest.size:
            note = format_note(Note(text, submission.log_signatures + lines))
            self._state.advance(head.origin, latest.known if latest else None, Remembered(head.size, head.root, note))
            words = f"{head.origin}: cosigned size {head.size:,}"
            if submission.own:
                words += ", which bears our own cosignature already: the memory had been an old copy, and has caught up"
        else:
            words = f"{head.origin}: cosigned size {head.size:,} again"
        # From here on the checkpoint is durable, and only from here on do the signatures leave.
        signed = format_note(Note(text, lines))[len(text) + 1 :]
        return Answer(200, "text/plain; charset=utf-8", signed, head.origin, "cosigned", words)


def read_logs(groups: Sequence[str]) -> dict[str, tuple[NoteVerifier, ...]]:
    """Read the logs to watch: for each log its verifier keys, separated by commas; the name of the keys is the origin.

    Raises UsageError where a key cannot be read, the keys of one log have different names, or a log is named twice.
    """
    logs: dict[str, tuple[NoteVerifier, ...]] = {}
    for group in groups:
        try:
            verifiers = tuple(_log_verifier(vkey.strip()) for vkey in group.split(","))
        except NoteError as error:
            raise UsageError(f"--log {group[:60]}…: {error}; copy the log's verifier keys from its definition") from None
        names = {verifier.name for verifier in verifiers}
        if len(names) != 1:
            raise UsageError(f"--log names keys of different logs ({', '.join(sorted(names))}): give each log a --log of its own")
        if len({verifier.key_id for verifier in verifiers}) != len(verifiers):
            raise UsageError(f"--log names a key of {verifiers[0].name} twice: leave one out")
        if verifiers[0].name in logs:
            raise UsageError(f"the log {verifiers[0].name} is named twice: put all its keys into one --log, separated by commas")
        logs[verifiers[0].name] = verifiers
    return logs


def _log_verifier(vkey: str) -> NoteVerifier:
    key = VerifierKey.parse(vkey)
    if key.signature_type == ED25519:
        return Ed25519Verifier(key)
    if key.signature_type == MLDSA44_COSIGNATURE:
        return MlDsa44Verifier(key)
    raise NoteError(f"key type {key.signature_type:#04x} of {key.name} is not one that logs sign with here (0x01, 0x06)")


def _refused(origin: str, refusal: Refusal, evidence: Path | None = None) -> Answer:
    words = f"refused ({refusal.code}): {refusal.detail}"
    if refusal.known_size is not None:
        # The specification leaves no room for words here: the body is the size alone.
        return Answer(refusal.status, "text/x.tlog.size", b"%d\n" % refusal.known_size, origin, refusal.code, words, evidence)
    body = f"{refusal.code}: {refusal.detail}\n".encode()
    return Answer(refusal.status, "text/plain; charset=utf-8", body, origin, refusal.code, words, evidence)


def _failed(origin: str, error: ScrutineerError) -> Answer:
    words = f"cannot cosign: {error}"
    return Answer(503, "text/plain; charset=utf-8", b"failed: this witness cannot cosign now\n", origin, "failed", words)
