"""Reads many tally sheets at once: the plain ones, which in any election are nearly all of them.

A sheet is plain when an ordinary station sends an ordinary sheet: signed with Ed25519 for a contest that is counted by
option, every count known, nothing in it but figures, time and hashes of image and records. Such sheets differ in a few
numbers and lengths, so thousands are walked through together, one CBOR item after the other, a column of positions moving
through all of them (the encoding is RFC 8949 section 4.2.1, the envelope RFC 9052 section 4.2).

What is read here is a strict part of what `Policy.read_sheet` reads, with the same figures. Everything else, sound or not, is
left out and for the policy to look at: nothing is refused here, and no reason is ever given.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Election
from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.envelope import protected_header, signed_bytes
from scrutineer.statements.keys import thumbprints
from scrutineer.statements.tally_sheet import FIGURES, KIND, MAX_COUNT

Column = NDArray[np.int64]
Mask = NDArray[np.bool_]

_OPENING: Final = b"\xd2\x84\x58"  # tag 18, array of four, byte string whose length stands in the next byte
_HEADER_AT: Final = 4
_KID_SIZE: Final = 32
_CLAIMS: Final = b"\x0f\xa2\x01"
_ISSUER: Final = b"station/"
_HEADER: Final = protected_header(KIND, "", "", b"").partition(_CLAIMS)[0]  # all that stands before the key's thumbprint
_CLAIMS_AT: Final = _HEADER_AT + len(_HEADER) + _KID_SIZE
_SIGNATURE: Final = b"\x58\x40"
_SIGNATURE_SIZE: Final = 64
_SIGNED_PREFIX: Final = signed_bytes(b"", b"")[:-3]  # without the three empty byte strings
_TIME, _IMAGE, _RECORDS = 10, 11, 12  # map keys; those of the figures are 5 to 9
_FIRST_FIGURE: Final = 5
_ROUNDS: Final = 6  # contests looked for one after the other; it takes as long as to look up all by name
_SHORTEST: Final = 200  # bytes; no plain sheet is shorter
RECORDS_SIZE: Final = 33  # bytes; see `SheetBatch.records`

# A position in a sheet that is not plain may run past its end: by a few texts of at most 255 bytes, and 5 for every number.
_SLACK: Final = 5 * MAX_OPTIONS + 2048

# How CBOR writes an unsigned number, by its first byte: bytes in all, how far to shift the four bytes behind it, and the
# least number that may be written so. Of all other first bytes no number is large enough.
_SIZES: Final = np.ones(256, dtype=np.int64)
_SHIFTS: Final = np.zeros(256, dtype=np.int64)
_LEAST: Final = np.full(256, 2**32, dtype=np.int64)
_LEAST[:24] = 0
for _head, _size, _shift, _least in ((0x18, 2, 24, 24), (0x19, 3, 16, 256), (0x1A, 5, 0, 65536)):
    _SIZES[_head], _SHIFTS[_head], _LEAST[_head] = _size, _shift, _least


class SheetBatch(NamedTuple):
    """Plain sheets among the entries given, one row each, in the order of the entries."""

    rows: Column
    """Position of each sheet among the entries."""
    station: Column
    """Station numbers."""
    contest: Column
    """Positions of the contests."""
    counts: NDArray[np.int32]
    """Votes by option, shape (sheets, most options of any contest met); UNKNOWN beyond the options of a sheet's own contest."""
    figures: NDArray[np.int32]
    """Blank, null, cast, voters, roll, shape (sheets, 5); UNKNOWN where a sheet does not state them."""
    time: Column
    kid: NDArray[np.uint8]
    """Thumbprint of the key that each claims to be signed with, shape (sheets, 32)."""
    records: NDArray[np.uint8]
    """The bundle of ballots that each names, shape (sheets, 33): 1 and its SHA-256, or zeros where it names none."""

    def take(self, chosen: NDArray[np.intp] | Mask | slice) -> "SheetBatch":
        """Some of the sheets."""
        return SheetBatch(
            self.rows[chosen],
            self.station[chosen],
            self.contest[chosen],
            self.counts[chosen],
            self.figures[chosen],
            self.time[chosen],
            self.kid[chosen],
            self.records[chosen],
        )


class SignedBatch(NamedTuple):
    """Plain sheets, each by the first key of its own station, and what is left to check: the signatures."""

    sheets: SheetBatch
    keys: list[bytes]
    """Public keys, Ed25519."""
    signed: list[bytes]
    """Each signature with the bytes that it must cover behind it."""


class BatchReader:
    """Reads the plain sheets of one election."""

    def __init__(self, election: Election) -> None:
        units, contests = election.units, election.contests
        self._election = election.hash
        self._stations = units.station_index
        self._contests = election.contest_index
        self._keys = election.register.station_keys
        below = [units.stations_below(unit) for unit in election.contest_units]
        self._first = np.array([span.start for span in below], dtype=np.int64)
        self._last = np.array([span.stop for span in below], dtype=np.int64)
        # Ranked contests have rankings and no counts: their sheets are not plain.
        self._options = np.array([0 if c.rule == "ranked" else len(c.options) for c in contests], dtype=np.int64)

    def read(self, entries: Sequence[bytes]) -> SheetBatch:
        """What the plain sheets say. Who may have signed them is not asked."""
        sizes = np.fromiter(map(len, entries), np.int64, len(entries))
        ends = np.cumsum(sizes)
        rows = np.flatnonzero((sizes > _SHORTEST) & (sizes <= MAX_STATEMENT_SIZE))
        data = b"".join((*entries, bytes(_SLACK)))
        walk = _Walk(data, (ends - sizes)[rows])
        start, end = walk.at, ends[rows] - len(_SIGNATURE) - _SIGNATURE_SIZE

        # The envelope up to the claims, which name issuer and subject: `station/<id>` and `<id>/<contest>`.
        walk.expect(_OPENING)
        protected_size = walk.byte()
        walk.expect(_HEADER)
        walk.at = start + _CLAIMS_AT
        walk.expect(_CLAIMS)
        name_size = walk.text_head() - len(_ISSUER)
        walk.expect(_ISSUER)
        name_at = walk.at
        walk.at = name_at + name_size
        walk.expect(b"\x02")
        contest_size = walk.text_head() - name_size - 1
        walk.expect_copy(name_at, name_size)
        walk.expect(b"/")
        contest_at = walk.at
        walk.at = contest_at + contest_size
        walk.fits &= walk.at == start + _HEADER_AT + protected_size
        text = data.decode("latin-1")  # one character for each byte; identifiers are ASCII
        station = _numbers_of(self._stations, text, name_at, name_size)
        contest = self._contests_of(walk, text, contest_at, contest_size)
        options = self._options[contest]
        walk.fits &= (station >= self._first[contest]) & (station < self._last[contest]) & (contest >= 0) & (options > 0)

        # From here on only what may still be plain, most options first: those that have an n-th count then come first.
        chosen = np.flatnonzero(walk.fits)
        chosen = chosen[np.argsort(-options[chosen], kind="stable")]
        columns = (rows, start, end, name_at, name_size, contest_at, contest_size, station, contest, options)
        rows, start, end, name_at, name_size, contest_at, contest_size, station, contest, options = (
            column[chosen] for column in columns
        )
        walk.choose(chosen)
        walk.expect(b"\xa0")
        size = walk.payload_head()
        walk.fits &= walk.at + size == end
        entries_in_map = walk.byte() - 0xA0
        walk.expect(b"\x01\x58\x20" + self._election + b"\x02")
        walk.fits &= walk.text_head() == name_size
        walk.expect_copy(name_at, name_size)
        walk.expect(b"\x03")
        walk.fits &= walk.text_head() == contest_size
        walk.expect_copy(contest_at, contest_size)
        walk.expect(b"\x04")
        walk.fits &= walk.array_head() == options
        counts = np.full((len(rows), int(options.max(initial=0))), UNKNOWN, dtype=np.int32)
        for option in range(counts.shape[1]):
            have = int(np.searchsorted(-options, -option))
            counts[:have, option] = walk.count(have)
        figures = np.empty((len(rows), len(FIGURES)), dtype=np.int32)
        stated = np.full(len(rows), 4)
        for place in range(len(FIGURES)):
            value, present = walk.number_under(_FIRST_FIGURE + place)
            walk.fits &= value <= MAX_COUNT
            # What does not fit is left out, but must not run over before it is.
            figures[:, place] = np.minimum(value, MAX_COUNT)
            stated += present
        time, present = walk.number_under(_TIME)
        stated += present
        stated += walk.digest_under(_IMAGE)
        digest_at = walk.at + 3  # behind the key and the head of the byte string
        named = walk.digest_under(_RECORDS)
        stated += named
        records = np.zeros((len(rows), RECORDS_SIZE), dtype=np.uint8)
        records[named, 0] = 1
        records[named, 1:] = walk.window(digest_at[named], RECORDS_SIZE - 1)
        # Every item ended where the next began, and the last one ends here: so none reached out of its own sheet.
        walk.fits &= (walk.at == end) & (entries_in_map == stated)
        walk.expect(_SIGNATURE)

        plain = np.flatnonzero(walk.fits)
        plain = plain[np.argsort(rows[plain])]
        kid = walk.window(start + _CLAIMS_AT - _KID_SIZE, _KID_SIZE)
        return SheetBatch(rows, station, contest, counts, figures, time, kid, records).take(plain)

    def _contests_of(self, walk: "_Walk", text: str, at: Column, size: Column) -> Column:
        """As `_numbers_of`. Contests are few, so that of one sheet is looked for in all the others, and then the next."""
        found = np.full(len(at), -1)
        left = np.flatnonzero((size > 0) & walk.fits)
        for _ in range(_ROUNDS):
            if not len(left):
                return found
            start, length = int(at[left[0]]), int(size[left[0]])
            same = size[left] == length
            same &= (walk.window(at[left], length) == walk.window(at[left[:1]], length)).all(axis=1)
            found[left[same]] = self._contests.get(text[start : start + length], -1)
            left = left[~same]
        found[left] = _numbers_of(self._contests, text, at[left], size[left])
        return found

    def read_signed(self, entries: Sequence[bytes]) -> SignedBatch:
        """The plain sheets that name the first key of their own station, and the signatures to check."""
        sheets = self.read(entries)
        block = self._keys
        keys = [block[32 * station : 32 * station + 32] for station in sheets.station.tolist()]
        prints = np.frombuffer(thumbprints(keys), dtype=np.uint8).reshape(-1, _KID_SIZE)
        given = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 32).any(axis=1)  # zeros: a station without a key
        by_station = (sheets.kid == prints).all(axis=1) & given
        if not by_station.all():
            sheets = sheets.take(by_station)
            keys = [key for key, named in zip(keys, by_station.tolist(), strict=True) if named]
        return SignedBatch(sheets, keys, [_signed(entries[row]) for row in sheets.rows.tolist()])


class _Walk:
    """A position in each of many sheets. `fits` says in which of them everything so far was as in a plain sheet."""

    def __init__(self, data: bytes, at: Column) -> None:
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        # Four bytes as one number, at every position.
        self._words: NDArray[np.uint32] = np.ndarray((len(data) - 3,), np.dtype(">u4"), data, strides=(1,))
        self.at = at
        self.fits: Mask = np.ones(len(at), dtype=np.bool_)

    def choose(self, chosen: NDArray[np.intp]) -> None:
        """Go on with some of the sheets, in this order."""
        self.at, self.fits = self.at[chosen], self.fits[chosen]

    def window(self, at: Column, size: int) -> NDArray[np.uint8]:
        """So many bytes from each position, shape (sheets, size)."""
        return np.lib.stride_tricks.sliding_window_view(self._bytes, size)[at]

    def expect(self, text: bytes) -> None:
        """Pass over bytes that are the same in all sheets."""
        self.fits &= (self.window(self.at, len(text)) == np.frombuffer(text, dtype=np.uint8)).all(axis=1)
        self.at = self.at + len(text)

    def expect_copy(self, original: Column, size: Column) -> None:
        """Pass over bytes that each sheet holds at another position as well."""
        steps = np.arange(max(0, int(size.max(initial=0))))
        same = self._bytes[self.at[:, None] + steps] == self._bytes[original[:, None] + steps]
        self.fits &= (same | (steps >= size[:, None])).all(axis=1)
        self.at = self.at + size

    def byte(self) -> Column:
        """Read one byte."""
        value = self._bytes[self.at].astype(np.int64)
        self.at = self.at + 1
        return value

    def text_head(self) -> Column:
        """Read the head of a text of at most 255 bytes: its length."""
        length = self._head(0x60)
        self.fits &= length < 256
        return np.where(length < 256, length, 0)

    def array_head(self) -> Column:
        """Read the head of an array: how many items it has."""
        return self._head(0x80)

    def payload_head(self) -> Column:
        """Read the head of a byte string: its length."""
        return self._head(0x40)

    def _head(self, major: int) -> Column:
        """Read the head of an item of a major type, which is that of a number (major type 0) but for its first bits."""
        head = self._bytes[self.at] - np.uint8(major)
        length, size, fits = self._decode(self.at, np.where(head < 0x1A, head, 0xFF))
        self.fits &= fits
        self.at = self.at + size
        return np.where(fits, length, 0)

    def count(self, sheets: int) -> Column:
        """Read one count from each of the first so many sheets."""
        at = self.at[:sheets]
        value, size, fits = self._decode(at, self._bytes[at])
        self.fits[:sheets] &= fits & (value <= MAX_COUNT)
        at += size
        return np.minimum(value, MAX_COUNT)

    def number_under(self, key: int) -> tuple[Column, Mask]:
        """Read a map entry whose value is a number, where it is there: the number, else UNKNOWN, and whether it is there."""
        present = self._bytes[self.at] == key
        value, size, fits = self._decode(self.at + 1, self._bytes[self.at + 1])
        self.fits &= fits | ~present
        self.at = self.at + np.where(present, size + 1, 0)
        return np.where(present, value, UNKNOWN), present

    def digest_under(self, key: int) -> Mask:
        """Pass over a map entry whose value is a byte string of 32 bytes, where it is there: whether it is."""
        present: Mask = self._bytes[self.at] == key
        self.fits &= ((self._bytes[self.at + 1] == 0x58) & (self._bytes[self.at + 2] == 0x20)) | ~present
        self.at = self.at + np.where(present, 35, 0)
        return present

    def _decode(self, at: Column, head: NDArray[np.integer]) -> tuple[Column, Column, Mask]:
        """Numbers, their sizes, and whether they are numbers in their shortest form; of at most four bytes."""
        value = np.where(head < 24, head, self._words[at + 1].astype(np.int64) >> _SHIFTS[head])
        return value, _SIZES[head], value >= _LEAST[head]


def _numbers_of(numbers: dict[str, int], text: str, at: Column, size: Column) -> Column:
    """The numbers that go with names in a text; -1 for a name that is not known."""
    names = map(text.__getitem__, map(slice, at.tolist(), (at + size).tolist()))
    return np.fromiter(map(numbers.get, names, repeat(-1)), np.int64, len(at))


def _signed(data: bytes) -> bytes:
    """The signature of a plain sheet, and behind it the Sig_structure that it covers (RFC 9052 section 4.4).

    Both byte strings of that stand in it exactly as they stand in the statement.
    """
    at = _HEADER_AT + data[3]
    end = -_SIGNATURE_SIZE - len(_SIGNATURE)
    return b"".join((data[-_SIGNATURE_SIZE:], _SIGNED_PREFIX, data[2:at], b"\x40", data[at + 1 : end]))
