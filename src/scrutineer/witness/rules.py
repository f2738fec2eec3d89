"""What a witness may cosign: the checks of C2SP tlog-witness 1.0.0 on one request. Pure; no input or output.

A request is judged in three steps, because the second and third need what the first found: `parse_request` (is it one at all),
`authenticate` (does a log that this witness knows say so), `judge` (does it extend what this witness cosigned last).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from scrutineer.errors import NoteError, ProofError
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, Path, verify_consistency
from scrutineer.log.note import Note, NoteVerifier, SignatureLine, decode_base64, parse_note

MAX_PROOF: Final = 63  # lines; no tree is higher
MAX_REQUEST_SIZE: Final = 128 * 1024  # bytes; sixteen post-quantum signatures of 5 kB, in base64, and a proof

REFUSALS: Final[dict[str, int]] = {
    "malformed": 400,
    "old-size-beyond": 400,
    "not-signed": 403,
    "bad-signature": 403,
    "unknown-log": 404,
    "wrong-old-size": 409,
    "impossible-root": 422,
    "other-root": 422,
    "bad-proof": 422,
    "frozen": 503,
}
"""Every reason for which a checkpoint is not cosigned, with its HTTP status. Stable: programs act on the codes."""

Finding = Literal["fork", "unproved", "own-key"]
"""What a refused request, signed by its log, shows.

`fork`: two signed checkpoints that exclude each other, which proves that the log showed two histories. `unproved`: a later tree
without a proof; the log, or whoever sent the request, may have erred, so this proves nothing by itself. `own-key`: a
cosignature by this very witness that its memory does not know: the memory is an old copy, or somebody else has the keys.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed request: from which size, the proof from there, and the checkpoint; nothing is verified yet."""

    old_size: int
    proof: Path
    note: Note
    head: HeadLines


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that a known log has signed."""

    request: Request
    log_signatures: tuple[SignatureLine, ...]
    """The signatures of the log that verified, in the order of its keys."""
    own: bool
    """Whether this witness itself has cosigned the same checkpoint before."""

    @property
    def head(self) -> HeadLines:
        """Origin, size and root of the checkpoint."""
        return self.request.head


class Refusal(NamedTuple):
    """Why a checkpoint is not cosigned."""

    code: str
    """One of `REFUSALS`."""
    detail: str
    known_size: int | None = None
    """With `wrong-old-size`: the size that this witness cosigned last."""
    finding: Finding | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return REFUSALS[self.code]


class Known(NamedTuple):
    """A checkpoint that this witness has cosigned."""

    size: int
    root: bytes


def parse_request(body: bytes) -> Request | Refusal:
    """Read the body of an add-checkpoint request strictly."""
    head, separator, note = body.partition(b"\n\n")
    if not separator:
        return Refusal("malformed", "there is no empty line between the proof and the checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        return Refusal("malformed", "the lines before the checkpoint are not ASCII")
    word, _, size = first.partition(" ")
    if word != "old" or not _is_size(size):
        return Refusal("malformed", "the first line is not 'old' and a size in decimal without leading zeros")
    if len(lines) > MAX_PROOF:
        return Refusal("malformed", f"the proof has {len(lines)} lines, and {MAX_PROOF} are the most")
    try:
        proof = tuple(decode_base64(line, f"proof line {number}") for number, line in enumerate(lines, start=1))
        if any(len(node) != HASH_SIZE for node in proof):
            return Refusal("malformed", f"a line of the proof is not a hash of {HASH_SIZE} bytes")
        parsed = parse_note(note, MAX_REQUEST_SIZE)
        return Request(int(size), proof, parsed, HeadLines.parse(parsed.text))
    except NoteError as error:
        return Refusal("malformed", str(error))


def authenticate(
    request: Request, logs: Mapping[str, Sequence[NoteVerifier]], own: Sequence[NoteVerifier] = ()
) -> Submission | Refusal:
    """Find the log by its origin and verify its signatures: EVERY key named for it must have signed.

    All are required for the reason that `open_checkpoint` gives: with any one of two, the weaker would decide. `own` are the
    keys of this witness; where one of them has signed, and the signature holds, the submission says so.
    """
    head = request.head
    verifiers = logs.get(head.origin)
    if not verifiers:
        return Refusal("unknown-log", f"this witness does not watch a log {head.origin!r}")
    signatures = []
    for verifier in verifiers:
        lines = _lines_of(request.note, verifier)
        if not lines:
            return Refusal("not-signed", f"the signature by key {verifier.key_id.hex()} of {verifier.name} is missing")
        for line in lines:
            try:
                verifier.verify(request.note.text, line.signature)
            except NoteError as error:
                return Refusal("bad-signature", str(error))
        signatures.append(lines[0])
    return Submission(request, tuple(signatures), any(_has_signed(request.note, verifier) for verifier in own))


def judge(submission: Submission, latest: Known | None, same_size: Known | None, frozen: str | None = None) -> Refusal | None:
    """Return why the checkpoint may not be cosigned; None where it may.

    `latest` is what this witness cosigned last for the origin, `same_size` what it cosigned at the submission's size, if it
    remembers, and `frozen` why it cosigns nothing more for this log. None is returned only where the tree of the submission
    extends the tree of `latest`, or is that tree; whoever records every accepted checkpoint as the next `latest`, before
    anything else is judged, has therefore cosigned only prefixes of one tree.
    """
    request, head = submission.request, submission.head
    known = latest.size if latest is not None else 0
    if frozen is not None:
        return Refusal("frozen", f"this witness has stopped cosigning the log {head.origin}: {frozen}")
    refusal = _inconsistency(request, latest)
    if refusal is None:
        return None
    if submission.own and (head.size > known or (same_size is not None and same_size.root != head.root)):
        return refusal._replace(finding="own-key")
    if head.size == 0 and head.root != EMPTY_ROOT:
        return refusal._replace(finding="fork")
    if same_size is not None and same_size.root != head.root:
        return refusal._replace(finding="fork")
    return refusal


def _inconsistency(request: Request, latest: Known | None) -> Refusal | None:
    """The checks of the specification, in its order."""
    old, head = request.old_size, request.head
    known = latest.size if latest is not None else 0
    # "The old size MUST be equal to or lower than the checkpoint size."
    if old > head.size:
        return Refusal("old-size-beyond", f"the old size {old} is larger than the size {head.size} of the checkpoint")
    # "The witness MUST check that the old size matches the size of the latest checkpoint it cosigned."
    if old != known:
        return Refusal("wrong-old-size", f"the last size cosigned for {head.origin} is {known}, not {old}", known)
    # "A checkpoint of size zero MUST have the root hash of the empty tree."
    if head.size == 0 and head.root != EMPTY_ROOT:
        return Refusal("impossible-root", f"{head.origin} gives a tree of 0 entries a root that no empty tree has")
    # "If the old size is zero, the consistency proof MUST be empty."
    if old == 0:
        if request.proof:
            return Refusal("bad-proof", "there is a proof, and from size 0 nothing is to be proved", finding="unproved")
        return None
    if latest is not None and old == head.size and latest.root != head.root:
        return Refusal("other-root", f"{head.origin} has signed another root for size {head.size} than the one cosigned before")
    try:
        verify_consistency(old, head.size, latest.root if latest is not None else EMPTY_ROOT, head.root, request.proof)
    except ProofError as error:
        return Refusal("bad-proof", f"{head.origin}, from size {old} to {head.size}: {error}", finding="unproved")
    return None


def _is_size(text: str) -> bool:
    return text.isdecimal() and len(text) <= len(str(MAX_SIZE)) and str(int(text)) == text and int(text) <= MAX_SIZE


def _lines_of(note: Note, verifier: NoteVerifier) -> list[SignatureLine]:
    return [line for line in note.signatures if (line.name, line.key_id) == (verifier.name, verifier.key_id)]


def _has_signed(note: Note, verifier: NoteVerifier) -> bool:
    for line in _lines_of(note, verifier):
        try:
            verifier.verify(note.text, line.signature)
        except NoteError:
            continue  # Anybody can write our name under a note: only a signature that holds says something.
        return True
    return False
