"""Encrypted ballots of stations as a site publishes them: a bundle that the station's sheet names, and its decrypted totals.

A bundle proves itself by its hash, which stands in the signed sheet (`records`), and so it can be published later, by anyone who
has it. What pages show of it is read here in one pass and without trust in its content: whether its proofs hold is for `verify`.
Nothing is held in memory but the first bytes of every confirmation code.
"""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from scrutineer.ballots.bundle import split_lines
from scrutineer.ballots.confirmation import TRACKING_SIZE
from scrutineer.ballots.record import OpenedBallot
from scrutineer.ballots.tally_check import MAX_TALLY_SIZE, read_tally
from scrutineer.errors import BallotError
from scrutineer.pieces import hashed

FOLDER: Final = "ballots"
BUNDLE_ENDING: Final = ".jsonl"
TALLY_ENDING: Final = ".tally.json"
STATUSES: Final = ("cast", "challenged", "spoiled", "provisional")


class BallotFile(NamedTuple):
    """A file of ballots: its hash and size, and how its bytes are read, in pieces."""

    digest: bytes
    """SHA-256."""
    size: int
    pieces: Callable[[], Iterator[bytes]]


class NamedBy(NamedTuple):
    """A sheet in effect that names a bundle."""

    contest: str
    entry: int
    """Log entry."""


@dataclass(frozen=True)
class StationBallots:
    """The ballots of one station."""

    station: str
    bundle: BallotFile
    codes: bytes
    """The first TRACKING_SIZE bytes of each confirmation code, in the order of the bundle."""
    status: bytes
    """For each ballot its place in STATUSES."""
    device: str
    closing: str
    """The closing hash in hexadecimal; empty where the bundle has none that can be read."""
    tally: BallotFile | None = None
    opened: tuple[OpenedBallot, ...] = ()
    """Challenged ballots that the tally record opens."""
    named_by: tuple[NamedBy, ...] = ()

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Ballots by status."""
        found = Counter(self.status)
        return {name: found[number] for number, name in enumerate(STATUSES)}

    @property
    def ballots(self) -> int:
        """Ballots in the bundle."""
        return len(self.status)


Ballots = Mapping[int, StationBallots]
"""Ballots by the number of the station."""


def bundle_path(station: str) -> str:
    """Where a station's bundle lies on the site."""
    return f"{FOLDER}/{station}{BUNDLE_ENDING}"


def tally_path(station: str) -> str:
    """Where what was decrypted of a station's bundle lies on the site."""
    return f"{FOLDER}/{station}{TALLY_ENDING}"


def station_of(path: str) -> tuple[str, str] | None:
    """The station and the ending of a path on the site that is a bundle's or a tally record's; None for any other."""
    folder, _, name = path.partition("/")
    if folder == FOLDER and "/" not in name:
        for ending in (TALLY_ENDING, BUNDLE_ENDING):
            if name.endswith(ending) and len(name) > len(ending):
                return name.removesuffix(ending), ending
    return None


class _Line(msgspec.Struct):
    """What is taken of a line. Fields that it does not have are passed over by the reader of JSON, which is the quickest way."""

    kind: str
    status: str = ""
    code: bytes = b""
    device: str = ""
    station: str = ""
    closing: bytes = b""


_LINES: Final = msgspec.json.Decoder(_Line)


def scan_bundle(station: str, pieces: Callable[[], Iterator[bytes]]) -> StationBallots:
    """Read a bundle once. Lines that cannot be read are passed over; they are for `verify` to name.

    Without a station it is that of the bundle's header.
    """
    digest, size = hashlib.sha256(), 0

    def read() -> Iterator[bytes]:
        nonlocal size
        for piece in hashed(pieces(), digest):
            size += len(piece)
            yield piece

    codes, status, device, closing = bytearray(), bytearray(), "", ""
    own = station
    for data in split_lines(read()):
        try:
            line = _LINES.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if line.kind == "header":
            device = line.device[:256] if line.device.isprintable() else ""
            own = own or line.station
        elif line.kind == "closing":
            closing = line.closing.hex() if len(line.closing) == hashlib.sha256().digest_size else ""
        elif line.status in STATUSES and len(line.code) == hashlib.sha256().digest_size:
            codes += line.code[:TRACKING_SIZE]
            status.append(STATUSES.index(line.status))
    return StationBallots(own, BallotFile(digest.digest(), size, pieces), bytes(codes), bytes(status), device, closing)


def with_tally(ballots: StationBallots, pieces: Callable[[], Iterator[bytes]]) -> StationBallots:
    """Add what was decrypted of a bundle. Raises BallotError where it cannot be read, or is of another bundle."""
    data = b"".join(_bounded(pieces()))
    record = read_tally(data)
    if record.bundle != ballots.bundle.digest:
        raise BallotError(
            f"it is of the bundle with the SHA-256 {record.bundle.hex()}, and the bundle of station {ballots.station} has "
            f"{ballots.bundle.digest.hex()}"
        )
    tally = BallotFile(hashlib.sha256(data).digest(), len(data), pieces)
    return replace(ballots, tally=tally, opened=record.challenged)


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        yield piece
        total += len(piece)
        if total > MAX_TALLY_SIZE:
            return


def published_ballots(
    paths: Iterable[str], pieces: Callable[[str], Iterator[bytes]], known: Mapping[str, StationBallots] | None = None
) -> dict[str, StationBallots]:
    """The ballots among the files of a published site, by station; `pieces` reads one by its path.

    Whether they are named is not looked at; `known` are passed over. A tally record that does not belong to its bundle is left
    out. Raises what `pieces` raises.
    """
    names = {named for path in paths if (named := station_of(path)) is not None}
    found: dict[str, StationBallots] = {}
    for station in sorted(station for station, ending in names if ending == BUNDLE_ENDING):
        if known is not None and station in known:
            continue
        own = scan_bundle(station, _Pieces(pieces, bundle_path(station)))
        if (station, TALLY_ENDING) in names:
            with contextlib.suppress(BallotError):
                own = with_tally(own, _Pieces(pieces, tally_path(station)))
        found[station] = own
    return found


@dataclass(frozen=True)
class _Pieces:
    read: Callable[[str], Iterator[bytes]]
    path: str

    def __call__(self) -> Iterator[bytes]:
        return self.read(self.path)


def changed_ballots(ballots: Ballots, before: Mapping[str, bytes]) -> set[str]:
    """The stations whose ballots are others than those of files published before, by path and hash."""
    now = {}
    for own in ballots.values():
        now[own.station, BUNDLE_ENDING] = own.bundle.digest
        if own.tally is not None:
            now[own.station, TALLY_ENDING] = own.tally.digest
    was = {named: digest for path, digest in before.items() if (named := station_of(path)) is not None}
    return {station for station, ending in now.keys() | was.keys() if now.get((station, ending)) != was.get((station, ending))}
