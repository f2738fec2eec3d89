"""What sources show, whether it holds together, which of them to follow, and who contradicts whom. Pure: no network, no disk."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.errors import NoteError, PublicationError
from scrutineer.log import Checkpoint, LogVerifier, open_checkpoint
from scrutineer.log.merkle import HASH_SIZE
from scrutineer.log.note import MAX_NOTE_SIZE, parse_note
from scrutineer.log.quorum import Quorum, find_cosigners
from scrutineer.log.tiles import MAX_ENTRY_SIZE, TILE_WIDTH, bundles, tiles
from scrutineer.portal.formats import (
    CHECKPOINT_FILE,
    DEFINITION_FILE,
    HEAD_FILE,
    MANIFEST_FILE,
    MAX_FILE_SIZE,
    PENDING_FILE,
    REGISTER_FILE,
    SITE_FILE,
    UNITS_FILE,
)
from scrutineer.portal.manifest import Manifest, open_manifest
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.verify.source import MAX_FILE_SIZE as MAX_TABLE_SIZE

LOG: Final = "log/"
MAX_PAGE_SIZE: Final = 64 * 2**20  # bytes; whatever is neither a table nor of the log nor ballots

Fault = Literal["silent", "lags", "unfit", "fork", "forgets"]
"""silent: gives no usable answer; lags: shows an older log; unfit: what it shows is not signed by the log, or does not belong
together; fork: shows a tree that the log signed beside another one that contradicts it; forgets: lacks a snapshot of what it
published before, or shows another in its place."""

_PLAIN: Final[Mapping[Fault, str]] = {
    "silent": "gives no answer that can be used",
    "lags": "lags",
    "unfit": "shows what does not fit",
    "fork": "shows another history of the log",
    "forgets": "no longer shows what was published before",
}


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """What is wrong with a source, in plain words."""

    source: str
    fault: Fault
    message: str

    def __str__(self) -> str:
        return f"{self.source} {_PLAIN[self.fault]}: {self.message}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A checkpoint of the log that a source shows; its signatures have been checked."""

    source: str
    text: bytes
    """As it came."""
    checkpoint: Checkpoint
    time: int
    """When the log signed it, in POSIX seconds."""
    lacks: str = ""
    """Who has cosigned and who has not, where those are fewer than the definition demands. Then it is nobody's newest head, and
    still shows what the log has signed."""

    @property
    def cosigned(self) -> bool:
        """Whether it carries the quorum of witnesses that the definition demands."""
        return not self.lacks

    @property
    def age(self) -> tuple[int, int]:
        """Newer ones have larger ones: of two at one size, the one signed later is of the newer publication."""
        return self.checkpoint.size, self.time


@dataclass(frozen=True, slots=True)
class Offer:
    """A publication that a source shows: a checkpoint, and a signed manifest that belongs to it."""

    shown: Shown
    manifest: bytes
    files: Mapping[str, bytes]


class UnsettledError(PublicationError):
    """Checkpoint and manifest are of two publications, as they are for a moment while a site is being published."""


def open_shown(source: str, text: bytes, verifier: LogVerifier, quorum: Quorum | None = None, now: int | None = None) -> Shown:
    """Check a checkpoint's signatures: both of the log's, and those of witnesses, of whom too few may have cosigned.

    `now` is the time in POSIX seconds, after which no cosignature may lie by more than a day. Raises NoteError.
    """
    checkpoint = open_checkpoint(text, verifier.note_verifiers).checkpoint
    cosigners = None if quorum is None else find_cosigners(text, quorum, now)
    lacks = "" if cosigners is None or cosigners.complete else cosigners.sentence
    return Shown(source, text, checkpoint, _signed_time(text, verifier), lacks)


def open_offer(shown: Shown, manifest: bytes, verifier: LogVerifier) -> Offer:
    """Check that a manifest is signed by the log, belongs to the checkpoint and lists the whole log.

    Raises NoteError for what the log did not sign or too few witnesses have cosigned, UnsettledError for parts of two
    publications, PublicationError for a manifest that is not one of a whole site.
    """
    if not shown.cosigned:
        raise NoteError(f"its checkpoint at {shown.checkpoint.size:,} entries lacks the quorum of witnesses: {shown.lacks}")
    listed = open_manifest(manifest, verifier)
    if listed.size != shown.checkpoint.size or listed.files.get(CHECKPOINT_FILE) != hashlib.sha256(shown.text).digest():
        raise UnsettledError(
            f"its manifest, of a publication at log size {listed.size:,}, does not name its checkpoint, which is at "
            f"{shown.checkpoint.size:,}"
        )
    check_listing(listed)
    return Offer(shown, manifest, listed.files)


def check_listing(manifest: Manifest) -> None:
    """Refuse a list that cannot be written to a folder or leaves out what every site has. Raises PublicationError."""
    files = manifest.files
    if MANIFEST_FILE in files:
        raise PublicationError("its manifest lists itself, which no hash can be right for")
    for path in files:
        for at in (at for at, letter in enumerate(path) if letter == "/"):
            if path[:at] in files:
                raise PublicationError(f"its manifest lists {path[:at]} as a file and as a folder")
    needed = [SITE_FILE, HEAD_FILE, CHECKPOINT_FILE, DEFINITION_FILE, UNITS_FILE, REGISTER_FILE]
    missing = next((path for path in (*needed, *log_files(manifest.size)) if path not in files), None)
    if missing is not None:
        raise PublicationError(f"its manifest does not list {missing}, which belongs to a log of {manifest.size:,} entries")


def log_files(size: int, since: int = 0) -> list[str]:
    """The bundles and tiles that a log of `size` has and one of `since` had not, bundles first."""
    return [f"{LOG}{bundle.path}" for bundle in bundles(size, since)] + [f"{LOG}{tile.path}" for tile in tiles(size, since)]


def size_limit(path: str) -> int:
    """The most bytes that a file may have, by what it is; beyond them it is not taken to its end."""
    if path.startswith(f"{LOG}tile/entries/"):
        return TILE_WIDTH * (MAX_ENTRY_SIZE + 2)
    if path.startswith(f"{LOG}tile/"):
        return TILE_WIDTH * HASH_SIZE
    if path in (CHECKPOINT_FILE, PENDING_FILE):
        return MAX_NOTE_SIZE
    if path in (SITE_FILE, HEAD_FILE):
        return MAX_FILE_SIZE
    if path == DEFINITION_FILE:
        return MAX_STATEMENT_SIZE
    return MAX_TABLE_SIZE if path.startswith(("definition/", "data/", "ballots/")) else MAX_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Plan:
    """What a copy of a publication is made of."""

    kept: tuple[str, ...]
    """Files that are held already, byte for byte."""
    log: tuple[str, ...]
    """Files of the log, and the definition with its tables, that have to be fetched; they are checked before the rest is."""
    rest: tuple[str, ...]
    """Every other file that has to be fetched."""

    @property
    def fetched(self) -> int:
        """How many files have to be fetched."""
        return len(self.log) + len(self.rest)


def plan(listed: Mapping[str, bytes], held: Mapping[str, bytes]) -> Plan:
    """What to keep and what to fetch: a file is kept where the same bytes are held under the same name."""
    kept, log, rest = [], [], []
    for path in sorted(listed):
        if held.get(path) == listed[path]:
            kept.append(path)
        elif path.startswith((LOG, "definition/")):
            log.append(path)
        else:
            rest.append(path)
    return Plan(tuple(kept), tuple(log), tuple(rest))


def ranked(offers: Iterable[Offer], held: bytes | None = None) -> list[Offer]:
    """Offers in the order in which they are to be tried: the newest first, and of equals the one held, then as given.

    Two publications of one size and second are both signed; where the one that is held is still shown, another is no reason
    to move. `held` is the manifest that is held.
    """
    return sorted(offers, key=lambda offer: (-offer.shown.age[0], -offer.shown.age[1], offer.manifest != held))


def same_size_forks(shown: Sequence[Shown]) -> list[tuple[Shown, Shown]]:
    """Pairs whose checkpoints give two roots for one size; those that carry the quorum come first in them."""
    first: dict[int, Shown] = {}
    found = []
    for one in sorted(shown, key=lambda one: not one.cosigned):
        other = first.setdefault(one.checkpoint.size, one)
        if other.checkpoint.root != one.checkpoint.root:
            found.append((other, one))
    return found


def lag(shown: Shown, newest: Checkpoint) -> SourceFinding | None:
    """Say so where a source shows an older log than the newest that is known."""
    behind = newest.size - shown.checkpoint.size
    if behind <= 0:
        return None
    return SourceFinding(
        shown.source, "lags", f"it shows the log at {shown.checkpoint.size:,} entries, {behind:,} fewer than {newest.size:,}"
    )


def _signed_time(text: bytes, verifier: LogVerifier) -> int:
    """The time in seconds that the log's ML-DSA-44 signature covers; the signature has been checked."""
    _, key = verifier.note_verifiers
    for line in parse_note(text).signatures:
        if (line.name, line.key_id) == (key.name, key.key_id):
            return int.from_bytes(line.signature[:8])
    raise NoteError(f"checkpoint: the signature by key {key.key_id.hex()} of {key.name} is missing")
