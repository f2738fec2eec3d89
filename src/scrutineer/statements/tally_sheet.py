"""`tally-sheet`: the signed record of one station's counts in one contest (acta, boletim de urna, Form 34A, C1).

The only kind with a compact payload, because it must fit one QR code and because a country has a million of them: a CBOR map
with integer keys 1 to 14 in that order; keys whose value is unknown are left out. Its codec is written out by hand, and a
property test holds it against the general one.
"""

from typing import Final, NamedTuple

import cbor2

from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.errors import StatementError
from scrutineer.statements.codec import load, one_line

KIND: Final = "tally-sheet"
MAX_COUNT: Final = 2**31 - 1
"""Largest number a sheet may carry; larger ones cannot be counts."""
MAX_RANKINGS: Final = 4_096
MAX_SOURCE_LENGTH: Final = 256  # characters
MAX_TIME: Final = 2**40  # seconds since 1970

FIGURES: Final = ("blank", "null", "cast", "voters", "roll")
"""Names of the figures under keys 5 to 9."""

_SMALL: Final = tuple(cbor2.dumps(number) for number in range(4096))
_NULL: Final = b"\xf6"
_KEYS: Final = tuple(bytes((key,)) for key in range(16))


class TallySheet(NamedTuple):
    """One station's counts. None means that the figure is not known, which is not zero."""

    election: bytes
    """Hash of the definition's statement, 32 bytes."""
    station: str
    contest: str
    counts: tuple[int | None, ...]
    """Votes per ballot option, in the order of the definition. Empty for a ranked contest, which has rankings."""
    blank: int | None = None
    null: int | None = None
    cast: int | None = None
    """Ballots found in the box (or recorded by the machine)."""
    voters: int | None = None
    """Voters who were checked in and voted."""
    roll: int | None = None
    """Registered voters as the sheet states them."""
    time: int | None = None
    """When the sheet was closed, seconds since 1970 UTC by the station's clock."""
    image: bytes | None = None
    """SHA-256 of the photograph or scan of the paper sheet."""
    records: bytes | None = None
    """SHA-256 of the sealed bundle of ballot records."""
    rankings: tuple[tuple[tuple[int, ...], int], ...] | None = None
    """For a ranked contest: how many ballots carry each order of options (positions in the definition)."""
    source: str | None = None
    """Where replayed figures were published (an address or a row)."""

    def subject(self) -> str:
        """The subject claim of this sheet."""
        return f"{self.station}/{self.contest}"

    def figures(self) -> tuple[object, ...]:
        """What the sheet says, without where and when it was said: two sheets that differ here contradict each other."""
        return (self.counts, self.blank, self.null, self.cast, self.voters, self.roll, self.rankings)


def encode_payload(sheet: TallySheet) -> bytes:
    """The payload in its only encoding. Raises StatementError for a value that cannot stand in a sheet."""
    try:
        return _encode(sheet)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise StatementError(f"a tally sheet holds a value of the wrong type: {one_line(error)}") from error


def _encode(sheet: TallySheet) -> bytes:
    if len(sheet.election) != 32:
        raise StatementError("a tally sheet names its election by a hash of 32 bytes")
    station, contest = sheet.station.encode(), sheet.contest.encode()
    if not 0 < len(station) <= 64 or not 0 < len(contest) <= 64:
        raise StatementError("station and contest of a tally sheet are identifiers of 1 to 64 characters")
    if len(sheet.counts) > MAX_OPTIONS:
        raise StatementError(f"a tally sheet has at most {MAX_OPTIONS} options: this one has {len(sheet.counts)}")
    parts = [
        b"",
        b"\x01\x58\x20",
        sheet.election,
        b"\x02",
        _head(0x60, len(station)),
        station,
        b"\x03",
        _head(0x60, len(contest)),
    ]
    parts += (contest, b"\x04", _head(0x80, len(sheet.counts)))
    parts += [_SMALL[n] if n.__class__ is int and 0 <= n < 4096 else _number(n) for n in sheet.counts]
    entries = 4
    for key, value in ((5, sheet.blank), (6, sheet.null), (7, sheet.cast), (8, sheet.voters), (9, sheet.roll)):
        if value is not None:
            entries += 1
            parts += (_KEYS[key], _number(value))
    if sheet.time is not None:
        entries += 1
        if not (sheet.time.__class__ is int and 0 <= sheet.time < MAX_TIME):
            raise StatementError("the time of a tally sheet is a whole number of seconds since 1970")
        parts += (b"\x0a", _uint(sheet.time))
    for key, digest in ((11, sheet.image), (12, sheet.records)):
        if digest is not None:
            entries += 1
            if digest.__class__ is not bytes or len(digest) != 32:
                raise StatementError("a tally sheet names its image and its records by SHA-256 hashes of 32 bytes")
            parts += (_KEYS[key], b"\x58\x20", digest)
    if sheet.rankings is not None:
        entries += 1
        parts += (b"\x0d", _rankings(sheet.rankings))
    if sheet.source is not None:
        entries += 1
        source = sheet.source.encode()
        if not 0 < len(sheet.source) <= MAX_SOURCE_LENGTH:
            raise StatementError(f"the source of a tally sheet has 1 to {MAX_SOURCE_LENGTH} characters")
        parts += (b"\x0e", _head(0x60, len(source)), source)
    parts[0] = _KEYS[0] if entries > 15 else bytes((0xA0 | entries,))
    return b"".join(parts)


def decode_payload(data: bytes) -> TallySheet:
    """Read a payload. Raises StatementError unless it is a tally sheet in its only encoding."""
    try:
        value = load(data)
        get = value.get
        rankings = get(13)
        sheet = TallySheet(
            value[1],
            value[2],
            value[3],
            tuple(value[4]),
            get(5),
            get(6),
            get(7),
            get(8),
            get(9),
            get(10),
            get(11),
            get(12),
            None if rankings is None else tuple((tuple(order), ballots) for order, ballots in rankings),
            get(14),
        )
        canonical = _encode(sheet) == data
    except StatementError:
        raise
    except Exception as error:
        # As in open_envelope: whatever hostile bytes break, they are not a tally sheet.
        raise StatementError(f"not a tally sheet (malformed payload: {one_line(error)[:120]})") from error
    if not canonical:
        raise StatementError(
            "the tally sheet is not in its canonical form (deterministic CBOR, known keys only, unknown figures left out)"
        )
    return sheet


def _rankings(rankings: tuple[tuple[tuple[int, ...], int], ...]) -> bytes:
    if len(rankings) > MAX_RANKINGS:
        raise StatementError(f"a tally sheet has at most {MAX_RANKINGS} rankings: sum equal ones")
    orders = [order for order, _ in rankings]
    if orders != sorted(set(orders)):
        raise StatementError("the rankings of a tally sheet are sorted and each order stands once")
    parts = [_head(0x80, len(rankings))]
    for order, ballots in rankings:
        if not order or len(set(order)) != len(order):
            raise StatementError("a ranking names at least one option and none twice")
        parts += (b"\x82", _head(0x80, len(order)), *(_known(option) for option in order), _known(ballots))
    return b"".join(parts)


def _number(value: int | None) -> bytes:
    return _NULL if value is None else _known(value)


def _known(value: int) -> bytes:
    if value.__class__ is not int or not 0 <= value <= MAX_COUNT:
        raise StatementError(f"{_shown(value)} is not a count: counts are whole numbers from 0 to {MAX_COUNT}")
    return _uint(value)


def _shown(value: object) -> str:
    # Python writes out integers of a few thousand digits at most.
    return f"an integer of {value.bit_length()} bits" if isinstance(value, int) and abs(value) >> 64 else repr(value)[:64]


def _uint(value: int) -> bytes:
    return _SMALL[value] if value < 4096 else cbor2.dumps(value)


def _head(major: int, length: int) -> bytes:
    return (
        bytes((major | length,))
        if length < 24
        else bytes((major | 24, length))
        if length < 256
        else bytes((major | 25, length >> 8, length & 255))
    )
