"""`tally-sheet`: the signed record of one station's counts in one contest (acta, boletim de urna, Form 34A, C1).

The only kind with a compact payload, because it must fit one QR code and because a country has a million of them: a CBOR map
with integer keys 1 to 14 in that order; keys whose value is unknown are left out. Its codec is written out by hand, and a
property test holds it against the general one.
"""

from typing import Final, NamedTuple

import cbor2

from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.errors import StatementError
from scrutineer.statements.codec import TEXT_HEADS, item_head, load, one_line

KIND: Final = "tally-sheet"
MAX_COUNT: Final = 2**31 - 1
"""Largest number a sheet may carry; larger ones cannot be counts."""
MAX_RANKINGS: Final = 4_096
MAX_SOURCE_LENGTH: Final = 256  # characters
MAX_TIME: Final = 2**40  # seconds since 1970

FIGURES: Final = ("blank", "null", "cast", "voters", "roll")
"""Names of the figures under keys 5 to 9."""


class _Codes(dict[int | None, bytes]):
    """Encodings of counts behind a prefix (their map key): small ones from the table, others when they are asked for."""

    def __init__(self, prefix: bytes = b"") -> None:
        super().__init__((number, prefix + cbor2.dumps(number)) for number in range(4096))
        self._prefix = prefix

    def __missing__(self, value: int | None) -> bytes:
        return self._prefix + (_NULL if value is None else _known(value))


_NULL: Final = b"\xf6"
_COUNTS: Final = _Codes()
_BLANK, _NULL_VOTES, _CAST, _VOTERS, _ROLL = (_Codes(bytes((key,))) for key in (5, 6, 7, 8, 9))


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
        # Python takes True and 1.0 for the number 1. Decoding sees such a disguise in the bytes, encoding must look.
        for value in (*sheet.counts, sheet.blank, sheet.null, sheet.cast, sheet.voters, sheet.roll, sheet.time):
            if value is not None and value.__class__ is not int:
                _known(value)
        return _encode(sheet)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise StatementError(f"a tally sheet holds a value of the wrong type: {one_line(error)}") from error


def _encode(sheet: TallySheet) -> bytes:
    """Every sheet that is signed, taken in or verified passes here, so the common case is a chain of table look-ups."""
    election, station, contest, counts, blank, null, cast, voters, roll, time, image, records, rankings, source = sheet
    if len(election) != 32:
        raise StatementError("a tally sheet names its election by a hash of 32 bytes")
    station_text, contest_text = station.encode(), contest.encode()
    if not 0 < len(station_text) <= 64 or not 0 < len(contest_text) <= 64:
        raise StatementError("station and contest of a tally sheet are identifiers of 1 to 64 characters")
    if len(counts) > MAX_OPTIONS:
        raise StatementError(f"a tally sheet has at most {MAX_OPTIONS} options: this one has {len(counts)}")
    parts = [
        b"\x01\x58\x20",
        election,
        b"\x02",
        TEXT_HEADS[len(station_text)],
        station_text,
        b"\x03",
        TEXT_HEADS[len(contest_text)],
        contest_text,
        b"\x04",
        item_head(4, len(counts)),
        *map(_COUNTS.__getitem__, counts),
    ]
    entries = 4
    for figure, codes in ((blank, _BLANK), (null, _NULL_VOTES), (cast, _CAST), (voters, _VOTERS), (roll, _ROLL)):
        if figure is not None:
            entries += 1
            parts.append(codes[figure])
    if time is not None:
        entries += 1
        if not (time.__class__ is int and 0 <= time < MAX_TIME):
            raise StatementError("the time of a tally sheet is a whole number of seconds since 1970")
        parts.append(b"\x0a" + (b"\x1a" + time.to_bytes(4, "big") if 0xFFFF < time <= 0xFFFFFFFF else cbor2.dumps(time)))
    for key, digest in ((b"\x0b", image), (b"\x0c", records)):
        if digest is not None:
            entries += 1
            if digest.__class__ is not bytes or len(digest) != 32:
                raise StatementError("a tally sheet names its image and its records by SHA-256 hashes of 32 bytes")
            parts += (key, b"\x58\x20", digest)
    if rankings is not None:
        entries += 1
        parts += (b"\x0d", _rankings(rankings))
    if source is not None:
        entries += 1
        source_text = source.encode()
        if not 0 < len(source) <= MAX_SOURCE_LENGTH:
            raise StatementError(f"the source of a tally sheet has 1 to {MAX_SOURCE_LENGTH} characters")
        parts += (b"\x0e", item_head(3, len(source_text)), source_text)
    return bytes((0xA0 | entries,)) + b"".join(parts)


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
    parts = [item_head(4, len(rankings))]
    for order, ballots in rankings:
        if not order or len(set(order)) != len(order):
            raise StatementError("a ranking names at least one option and none twice")
        parts += (b"\x82", item_head(4, len(order)), *(_known(option) for option in order), _known(ballots))
    return b"".join(parts)


def _known(value: int) -> bytes:
    if value.__class__ is not int or not 0 <= value <= MAX_COUNT:
        raise StatementError(f"{_shown(value)} is not a count: counts are whole numbers from 0 to {MAX_COUNT}")
    return cbor2.dumps(value)


def _shown(value: object) -> str:
    # Python writes out integers of a few thousand digits at most.
    return f"an integer of {value.bit_length()} bits" if isinstance(value, int) and abs(value) >> 64 else repr(value)[:64]
