"""Asks sources for the little that every run needs: the definition once, and the checkpoint and the manifest each time."""

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scrutineer.election import Definition
from scrutineer.errors import LogError, NoteError, PublicationError, ScrutineerError, TransportError
from scrutineer.log import Checkpoint, LogVerifier
from scrutineer.log.quorum import Quorum
from scrutineer.portal.formats import CHECKPOINT_FILE, DEFINITION_FILE, MANIFEST_FILE
from scrutineer.portal.manifest import MAX_MANIFEST_SIZE
from scrutineer.statements import parse_statement, statement_hash
from scrutineer.verify.mirror.fetch import Fetcher
from scrutineer.verify.mirror.folder import Known
from scrutineer.verify.mirror.nodes import Node, cover, node_in, root_of, tile_of
from scrutineer.verify.mirror.offers import (
    LOG,
    Fault,
    Offer,
    Shown,
    SourceFinding,
    UnsettledError,
    open_offer,
    open_shown,
    size_limit,
)
from scrutineer.verify.web import WebSite

PAUSE: Final = 2.0  # seconds before a source is asked again that is being published, or is behind another one
_MAX_ETAG_LENGTH: Final = 256  # characters

Pause = Callable[[float], None]


@dataclass
class Attempt:
    """What is found out in one round."""

    sources: list[WebSite]
    findings: list[SourceFinding]
    evidence: list[Path] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    divided: bool = False
    """Whether two sources show histories that contradict each other, and nothing that is held decides between them."""

    def leave(self, source: WebSite, error: ScrutineerError) -> None:
        """Do without a source for the rest of the round, and say why."""
        fault: Fault = "silent" if isinstance(error, TransportError) else "unfit"
        if not self.named(source.address):
            self.findings.append(SourceFinding(source.address, fault, str(error)))
        if source in self.sources:
            self.sources.remove(source)

    def take(self, fetcher: Fetcher) -> None:
        """Add up what was fetched."""
        self.used |= fetcher.used
        self.files += fetcher.files
        self.bytes += fetcher.bytes
        self.findings += fetcher.findings

    def named(self, source: str) -> bool:
        """Whether something is said of a source already."""
        return any(finding.source == source for finding in self.findings)


@dataclass(frozen=True)
class Seen:
    """What a source answered: its checkpoint and publication where they are the log's, and else what is wrong."""

    source: WebSite
    shown: Shown | None
    offer: Offer | None
    error: ScrutineerError | None

    @property
    def unsettled(self) -> bool:
        """Whether it was of two publications, which passes where the source is just being published."""
        return isinstance(self.error, UnsettledError)


class Asker:
    """Asks sources, and remembers which versions they served, so that what is held need not be sent again."""

    def __init__(
        self, served: Mapping[str, Mapping[str, Known]], pause: Pause = time.sleep, clock: Callable[[], float] = time.time
    ) -> None:
        self.served: dict[str, dict[str, Known]] = {source: dict(known) for source, known in served.items()}
        """By address and path."""
        self._pause = pause
        self._clock = clock

    def definition(self, attempt: Attempt, expected: bytes | None) -> bytes | None:
        """The definition from a source; where nobody said which to expect, all that answer must give the same."""
        found: dict[bytes, tuple[str, bytes]] = {}
        for source in list(attempt.sources):
            try:
                answer = source.read(DEFINITION_FILE, size_limit(DEFINITION_FILE))
                if answer is None or answer.data is None:
                    raise PublicationError(
                        f"{source.url(DEFINITION_FILE)} does not exist: is this the address of a published site?"
                    )
                name = statement_hash(answer.data)
                if expected is not None and name != expected:
                    raise PublicationError(
                        f"its definition has the hash {name.hex()}, and {expected.hex()} was expected: it is another "
                        "election, or its definition was changed"
                    )
                log_keys(answer.data)
                found.setdefault(name, (source.address, answer.data))
            except ScrutineerError as error:
                attempt.leave(source, error)
        if len(found) > 1:
            for name, (address, _) in found.items():
                attempt.findings.append(
                    SourceFinding(
                        address,
                        "unfit",
                        f"its definition has the hash {name.hex()}, and another source shows another election: say which one is "
                        "meant with --definition",
                    )
                )
            return None
        return next((data for _, data in found.values()), None)

    def all(self, attempt: Attempt, verifier: LogVerifier, held: Offer | None, quorum: Quorum | None = None) -> list[Seen]:
        """What every source shows; `held` is the publication that is held, which need not be sent again."""
        with ThreadPoolExecutor(max(1, len(attempt.sources))) as pool:
            asked = list(pool.map(lambda source: self._ask(source, verifier, held, quorum), attempt.sources))
        # What lacks the quorum is nobody's newest head.
        newest = max((seen.shown.age for seen in asked if seen.shown is not None and seen.shown.cosigned), default=(0, 0))
        if held is not None:
            newest = max(newest, held.shown.age)
        if any(seen.unsettled or (seen.shown is not None and seen.shown.age < newest) for seen in asked):
            # Who is being published, or was asked a moment before the others, gets the time for it.
            self._pause(PAUSE)
            asked = [
                self._ask(seen.source, verifier, held, quorum)
                if seen.unsettled or (seen.shown is not None and seen.shown.age < newest)
                else seen
                for seen in asked
            ]
        return asked

    def _ask(self, source: WebSite, verifier: LogVerifier, held: Offer | None, quorum: Quorum | None) -> Seen:
        shown: Shown | None = None
        try:
            note = self._read(source, CHECKPOINT_FILE, size_limit(CHECKPOINT_FILE), held)
            shown = open_shown(source.address, note, verifier, quorum, int(self._clock()))
            return Seen(
                source, shown, open_offer(shown, self._read(source, MANIFEST_FILE, MAX_MANIFEST_SIZE, held), verifier), None
            )
        except ScrutineerError as error:
            return Seen(source, shown, None, error)

    def _read(self, source: WebSite, path: str, limit: int, held: Offer | None) -> bytes:
        """A note of a source, which need not send the one that is held again."""
        note = None if held is None else held.manifest if path == MANIFEST_FILE else held.shown.text
        known = self.served.get(source.address, {}).get(path)
        same = note is not None and known is not None and known.sha256 == hashlib.sha256(note).hexdigest()
        answer = source.read(path, limit, known.etag if same and known is not None else None)
        if answer is None:
            raise PublicationError(f"{source.url(path)} does not exist: is this the address of a published site?")
        data = answer.data if answer.data is not None else note
        if data is None:
            raise TransportError(f"{source.url(path)} was said to be unchanged, and was never sent: use another mirror")
        self._remember(source, path, data, answer.etag)
        return data

    def _remember(self, source: WebSite, path: str, data: bytes, etag: str | None) -> None:
        served = dict(self.served.get(source.address, {}))
        if etag and len(etag) <= _MAX_ETAG_LENGTH and etag.isascii() and etag.isprintable():
            served[path] = Known(etag, hashlib.sha256(data).hexdigest())
        else:
            served.pop(path, None)
        self.served[source.address] = served


def subtrees_of(source: WebSite, first: int, checkpoint: Checkpoint) -> dict[Node, bytes]:
    """The hashes of a cover from a source's tiles, which must give the root that its checkpoint signs. Raises LogError."""
    tiles: dict[str, bytes] = {}
    subtrees = {}
    for node in cover(first, checkpoint.size):
        tile = tile_of(node, checkpoint.size)
        path = f"{LOG}{tile.path}"
        if path not in tiles:
            answer = source.read(path, size_limit(path))
            if answer is None or answer.data is None:
                raise LogError(f"{source.url(path)} does not exist, and its log has that tile")
            tiles[path] = answer.data
        subtrees[node] = node_in(tile, tiles[path], node)
    if root_of(subtrees, checkpoint.size) != checkpoint.root:
        raise LogError(f"its tiles do not give the root that its checkpoint signs for {checkpoint.size:,} entries")
    return subtrees


def log_keys(definition: bytes) -> tuple[LogVerifier, Quorum | None]:
    """The log's keys in a definition, and its witnesses where it names some. Raises StatementError or NoteError."""
    payload = parse_statement(definition).payload
    if not isinstance(payload, Definition):
        raise NoteError("its definition is a statement of another kind")
    if len(payload.log.keys) != 2:
        raise NoteError(f"the definition names {len(payload.log.keys)} keys of the log, and two are needed")
    verifier = LogVerifier.from_vkeys(*payload.log.keys)
    if verifier.origin != payload.log.origin:
        raise NoteError(f"the keys of the log are those of {verifier.origin!r}, and its origin is {payload.log.origin!r}")
    policy = payload.witnesses
    return verifier, None if policy is None else Quorum.from_policy(policy, verifier)
