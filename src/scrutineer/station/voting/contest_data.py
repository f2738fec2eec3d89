"""What a contest's encrypted data holds: written-in names, and the marks of a contest that was spoilt on purpose.

ElectionGuard Design Specification 2.1.0, section 3.3.10, leaves the content open; this is ours. The data of a contest with b
blocks is always 32 * b bytes, so that its length says nothing:

- 1 byte: what follows. 0 nothing (all other bytes are 0); 1 written-in names; 2 marks and written-in names;
- after 2 alone, the marks. Where one mark is the most that an option can have, one bit for each option, the first option in the
  lowest bit of the first byte, in as few bytes as hold them; else one byte for each: the points of an option, or in a ranked
  contest the place of a candidate, 0 for none (candidates in the order in which the contest's orders first name them);
- 1 byte: how many names were written in;
- for each: 1 byte with its length in bytes, then its UTF-8 in Unicode normalization form C;
- 0 in all other bytes.

There is one form only: who reads it writes it again and compares.
"""

import unicodedata

import msgspec

from scrutineer.ballots.manifest import BLOCK_SIZE, MAX_LINES, MAX_NAME, ORDER_MARK, ManifestContest
from scrutineer.errors import BallotError

_NOTHING, _NAMES, _MARKS = 0, 1, 2


class ContestData(msgspec.Struct, frozen=True):
    """The content of a contest's data. `marks` is empty unless the contest was spoilt on purpose."""

    marks: tuple[int, ...] = ()
    """One for each candidate: 0 or 1, points, or the place in a ranking."""
    names: tuple[str, ...] = ()


def candidates(contest: ManifestContest) -> tuple[str, ...]:
    """Labels of what a voter can mark: the options; in a ranked contest, those whose orders the options are."""
    if not contest.orders:
        return contest.options
    return tuple(dict.fromkeys(part for option in contest.options for part in option.split(ORDER_MARK)))


def lines(contest: ManifestContest) -> int:
    """How many names can be written in: none without the field `write-ins` or without room for a name."""
    return min(contest.selection_limit, MAX_LINES) if longest_name(contest) else 0


def longest_name(contest: ManifestContest) -> int:
    """The longest name that can be written in, in bytes of UTF-8; 0 where none can."""
    if "write-ins" not in contest.fields or contest.orders:
        return 0
    room = BLOCK_SIZE * contest.data_blocks - 2 - _marks_size(contest)
    return max(0, min(MAX_NAME, room // min(contest.selection_limit, MAX_LINES) - 1))


def tidy_name(text: str) -> str:
    """A written-in name as it is kept: normalization form C, one space between words, nothing that prints nothing."""
    words = unicodedata.normalize("NFC", text).split()
    return " ".join(kept for word in words if (kept := "".join(char for char in word if char.isprintable())))


def pack(contest: ManifestContest, data: ContestData) -> bytes:
    """The bytes of a contest's data. Marks that have no room are left out; empty for a contest without data.

    Raises BallotError for names that are too many, too long or not tidy, and for marks that are not one for each candidate.
    """
    size = BLOCK_SIZE * contest.data_blocks
    where = f"contest {contest.label}"
    if len(data.names) > lines(contest):
        raise BallotError(f"{len(data.names)} names are written in in {where}, which has lines for {lines(contest)}")
    for name in data.names:
        if not name or name != tidy_name(name) or len(name.encode()) > longest_name(contest):
            raise BallotError(f"a name written in in {where} is empty, not tidy, or longer than {longest_name(contest)} bytes")
    parts = [bytes([_NAMES if data.names else _NOTHING])]
    if data.marks and 2 + _marks_size(contest) <= size:
        parts = [bytes([_MARKS]), _pack_marks(contest, data.marks)]
    if data.names or len(parts) > 1:
        parts.append(bytes([len(data.names)]))
        parts += [bytes([len(name.encode())]) + name.encode() for name in data.names]
    return b"".join(parts).ljust(size, b"\0") if size else b""


def unpack(contest: ManifestContest, data: bytes) -> ContestData:
    """Read a contest's data. Raises BallotError unless it is in its only form."""
    broken = BallotError(f"the data of contest {contest.label} is not in the form that a voting machine writes")
    if len(data) != BLOCK_SIZE * contest.data_blocks:
        raise broken
    marks: tuple[int, ...] = ()
    names: list[str] = []
    try:
        if data and data[0] != _NOTHING:
            at = 1
            if data[0] == _MARKS:
                at += _marks_size(contest)
                marks = _unpack_marks(contest, data[1:at])
            count, at = data[at], at + 1
            for _ in range(count):
                end = at + 1 + data[at]
                names.append(data[at + 1 : end].decode())
                at = end
        read = ContestData(marks, tuple(names))
        again = pack(contest, read)
    except (IndexError, UnicodeDecodeError, BallotError) as error:
        raise broken from error
    if again != data:
        raise broken
    return read


def _marks_size(contest: ManifestContest) -> int:
    count = len(candidates(contest))
    return count if contest.orders or contest.option_limit > 1 else (count + 7) // 8


def _pack_marks(contest: ManifestContest, marks: tuple[int, ...]) -> bytes:
    most = 255 if contest.orders or contest.option_limit > 1 else 1
    if len(marks) != len(candidates(contest)) or not all(0 <= mark <= most for mark in marks):
        raise BallotError(f"the marks of contest {contest.label} are not one from 0 to {most} for each candidate")
    if most > 1:
        return bytes(marks)
    return sum(mark << place for place, mark in enumerate(marks)).to_bytes(_marks_size(contest), "little")


def _unpack_marks(contest: ManifestContest, data: bytes) -> tuple[int, ...]:
    if contest.orders or contest.option_limit > 1:
        return tuple(data)
    bits = int.from_bytes(data, "little")
    return tuple(bits >> place & 1 for place in range(len(contest.options)))
