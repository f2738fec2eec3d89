"""What the frames of a journal add up to. Pure: one function takes a frame just written and one read after a restart.

| frame       | content                                                                                         |
|-------------|-------------------------------------------------------------------------------------------------|
| `HEADER`    | the header of the bundle (record.BundleHeader) in its only form                                 |
| `ACTIVATED` | number of the ballot style (4 bytes, big-endian), and 1 for a provisional ballot, 0 for others  |
| `CANCELLED` | nothing                                                                                         |
| `PREPARED`  | the ballot (record.Ballot) in its only form, with the status `spoiled`, which it keeps unless more follows |
| `DECIDED`   | the status; for a challenged ballot a line feed and the opened ballot (record.OpenedBallot) follow |
| `CLOSED`    | nothing                                                                                         |
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import msgspec

from scrutineer.ballots.record import Ballot, BundleHeader, OpenedBallot, Status
from scrutineer.errors import StoreError
from scrutineer.station.voting.journal import Frame, Kind

_OUT_OF_ORDER: Final = "the journal of the voting machine is not in order: keep the folder as it is, and tell the centre"
_Where = Literal["idle", "active", "prepared", "closed"]


@dataclass(frozen=True, slots=True)
class Activation:
    """The ballot that a voter may fill in now."""

    style: int
    """Number of the ballot style in the manifest."""
    provisional: bool

    def encode(self) -> bytes:
        """As the content of a frame."""
        return self.style.to_bytes(4, "big") + bytes((self.provisional,))


@dataclass(frozen=True, slots=True)
class Counters:
    """How many ballots there were; no totals of votes."""

    activated: int = 0
    cast: int = 0
    challenged: int = 0
    spoiled: int = 0
    provisional: int = 0
    cancelled: int = 0
    """Activations that ended without a ballot in the box."""


class Past:
    """Everything that has happened on a machine, as far as it is needed to go on."""

    def __init__(self, header: BundleHeader) -> None:
        self.header: Final = header
        self.activation: Activation | None = None
        self.pending: Ballot | None = None
        """A prepared ballot whose voter has not decided."""
        self.last_code = header.opening
        """The confirmation code that the next ballot follows."""
        self.last_cast = bytes(32)
        """The code of the last ballot that was cast; zeros before the first."""
        self.decided: tuple[bytes, Status] | None = None
        """Code and end of the last ballot; None once somebody else has been activated, or the voter has left."""
        self.cast_by_style: Counter[int] = Counter()
        self.closed = False
        self._counts: Counter[str] = Counter()

    @property
    def counters(self) -> Counters:
        """The counts until now."""
        return Counters(**self._counts)

    def apply(self, frame: Frame) -> None:
        """Take note of the next frame. Raises StoreError for one that cannot stand there."""
        kind, content = frame
        if kind not in _FOLLOWING[self._where()]:
            raise StoreError(_OUT_OF_ORDER)
        if kind is Kind.ACTIVATED:
            if len(content) != 5:
                raise StoreError(_OUT_OF_ORDER)
            self.activation = Activation(int.from_bytes(content[:4], "big"), content[4] == 1)
            self.decided = None
            self._counts["activated"] += 1
        elif kind is Kind.CANCELLED:
            self.activation = self.decided = None
            self._counts["cancelled"] += 1
        elif kind is Kind.PREPARED:
            self.pending = _ballot(content)
            self.last_code = self.pending.code
        elif kind is Kind.DECIDED:
            self._decide(decision(content)[0])
        else:
            self.closed = True

    def _decide(self, status: Status) -> None:
        ballot, activation = self.pending, self.activation
        if (
            ballot is None
            or activation is None
            or (status in ("cast", "provisional") and (status == "provisional") != activation.provisional)
        ):
            raise StoreError(_OUT_OF_ORDER)
        self._counts[status] += 1
        self.decided = ballot.code, status
        if status == "cast":
            self.last_cast = ballot.code
            self.cast_by_style[ballot.style] += 1
        if status in ("cast", "provisional"):
            self.activation = None
        self.pending = None

    def _where(self) -> _Where:
        if self.closed:
            return "closed"
        if self.pending is not None:
            return "prepared"
        return "active" if self.activation is not None else "idle"


_FOLLOWING: Final[dict[_Where, frozenset[Kind]]] = {
    "idle": frozenset({Kind.ACTIVATED, Kind.CLOSED}),
    "active": frozenset({Kind.PREPARED, Kind.CANCELLED}),
    "prepared": frozenset({Kind.DECIDED}),
    "closed": frozenset(),
}


def read_header(frames: Iterator[Frame]) -> BundleHeader:
    """The header, which is the first frame. Raises StoreError."""
    frame = next(frames, None)
    if frame is None or frame.kind is not Kind.HEADER:
        raise StoreError(_OUT_OF_ORDER)
    try:
        return msgspec.json.decode(frame.content, type=BundleHeader)
    except msgspec.MsgspecError as error:
        raise StoreError(_OUT_OF_ORDER) from error


def decision(content: bytes) -> tuple[Status, OpenedBallot | None]:
    """What a frame says became of a ballot. Raises StoreError."""
    name, _, rest = content.partition(b"\n")
    for status in get_args(Status):
        if name == status.encode() and bool(rest) == (status == "challenged"):
            try:
                return status, msgspec.json.decode(rest, type=OpenedBallot) if rest else None
            except msgspec.MsgspecError as error:
                raise StoreError(_OUT_OF_ORDER) from error
    raise StoreError(_OUT_OF_ORDER)


def decided_ballots(frames: Iterable[Frame]) -> Iterator[tuple[Ballot, OpenedBallot | None]]:
    """All ballots of a closed journal in the order of the chain, each with what became of it. Raises StoreError."""
    pending: Ballot | None = None
    for kind, content in frames:
        if kind is Kind.PREPARED:
            pending = _ballot(content)
        elif kind is Kind.DECIDED:
            if pending is None:
                raise StoreError(_OUT_OF_ORDER)
            status, opened = decision(content)
            yield msgspec.structs.replace(pending, status=status), opened
            pending = None


def _ballot(content: bytes) -> Ballot:
    try:
        return msgspec.json.decode(content, type=Ballot)
    except msgspec.MsgspecError as error:
        raise StoreError(_OUT_OF_ORDER) from error
