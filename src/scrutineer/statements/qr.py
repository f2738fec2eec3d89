"""A statement as text and drawing of QR codes: how a signed tally sheet travels on paper and without a network.

The bytes are written in base45 (RFC 9285), whose alphabet is that of a QR code's alphanumeric mode, behind a prefix that says
what they are. Codes are drawn at error correction level M and are no larger than version 25 (117 × 117 modules), which
telephones still read from ordinary print. A statement too large for one code is cut into parts, each a code of its own that
says which part of which statement it is; parts are no larger than version 20, because several stand on one page.
Reading images is in qr_image.py.
"""

import itertools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import segno

from scrutineer.errors import StatementError
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.statement import statement_hash

QR_PREFIX: Final = "SCR1:"
MAX_QR_VERSION: Final = 25
MAX_SINGLE_SIZE: Final = 963  # bytes; what version 25 at level M holds
PART_PREFIX: Final = "SCR2:"
PART_SIZE: Final = 624  # bytes of a statement in one part at most; with its heading it fills version 20 at level M
MAX_PARTS: Final = 32
MAX_GROUPS: Final = 4_096  # statements whose parts are being collected
MAX_READINGS: Final = MAX_GROUPS * MAX_PARTS  # of parts that are kept: each of them once, as long as nobody disturbs
MAX_TRIALS: Final = 256  # ways to join differing readings that are tried for one code; so many readings of a part are kept
_NAME_LENGTH: Final = 16  # hexadecimal digits of the statement's hash in each part
_PART: Final = re.compile(rf"{PART_PREFIX}([0-9A-F]{{{_NAME_LENGTH}}}):([1-9][0-9]?)/([1-9][0-9]?):(.+)", re.DOTALL)
_MAX_TEXT: Final = len(QR_PREFIX) + (3 * MAX_STATEMENT_SIZE + 1) // 2  # characters

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}


def base45_encode(data: bytes) -> str:
    """Base45 (RFC 9285 section 4): two bytes as three characters, a last single byte as two."""
    parts = []
    for at in range(0, len(data) - 1, 2):
        value, third = divmod(data[at] << 8 | data[at + 1], 2025)
        second, first = divmod(third, 45)
        parts.append(_ALPHABET[first] + _ALPHABET[second] + _ALPHABET[value])
    if len(data) % 2:
        second, first = divmod(data[-1], 45)
        parts.append(_ALPHABET[first] + _ALPHABET[second])
    return "".join(parts)


def base45_decode(text: str) -> bytes:
    """Read base45 (RFC 9285 section 6). Raises StatementError for other characters, lengths and values that are too large."""
    if len(text) % 3 == 1:
        raise StatementError("the QR text is cut: base45 does not have that length; scan the code again")
    try:
        values = [_VALUES[character] for character in text]
    except KeyError as error:
        raise StatementError(f"the QR text holds {error.args[0]!r}, which base45 does not have: scan the code again") from None
    data = bytearray()
    for at in range(0, len(values), 3):
        group = values[at : at + 3]
        value = sum(digit * 45**power for power, digit in enumerate(group))
        size = len(group) - 1
        if value >> (8 * size):
            raise StatementError(
                f"the QR text is damaged at character {at}: base45 does not have that group; scan the code again"
            )
        data += value.to_bytes(size)
    return bytes(data)


def to_qr_text(data: bytes) -> str:
    """The text that a QR code of a statement holds."""
    return QR_PREFIX + base45_encode(data)


def from_qr_text(text: str) -> bytes:
    """The bytes of a statement from the text of its QR code; whether they are one is for `parse_statement` to say.

    Raises StatementError for text that is not what `to_qr_text` writes.
    """
    if not text.startswith(QR_PREFIX):
        raise StatementError(f"the QR text does not begin with {QR_PREFIX}: this is not the code of a statement")
    if len(text) > _MAX_TEXT:
        raise StatementError(f"the QR text has {len(text)} characters: no statement needs more than {_MAX_TEXT}")
    data = base45_decode(text[len(QR_PREFIX) :])
    if not data:
        raise StatementError("the QR text holds no bytes: scan the code again")
    return data


class QrPart(NamedTuple):
    """One part of a statement that is spread over several codes."""

    name: str
    """The first 16 hexadecimal digits of the statement's hash, in capitals."""
    number: int
    """Which part, from 1."""
    total: int
    data: bytes

    @property
    def text(self) -> str:
        """What its code holds: `SCR2:<name>:<number>/<total>:<base45>`."""
        return f"{PART_PREFIX}{self.name}:{self.number}/{self.total}:{base45_encode(self.data)}"


class Incomplete(NamedTuple):
    """A statement of which parts were read, and not all."""

    name: str
    total: int
    missing: tuple[int, ...]
    """Numbers of the parts that were not read. Empty where all were, and do not fit together."""


def qr_parts(data: bytes) -> list[QrPart]:
    """A statement in parts of nearly equal, even length; there is one way to cut each statement.

    Raises StatementError for one that fits a single code, and for one that needs more than MAX_PARTS.
    """
    total = -(-len(data) // PART_SIZE)
    if not 2 <= total <= MAX_PARTS:
        raise StatementError(
            f"the statement has {len(data)} bytes, and 2 to {MAX_PARTS} parts cannot hold that: send it as a file"
        )
    size = -(-len(data) // total)
    size += size % 2
    name = statement_hash(data).hex()[:_NAME_LENGTH].upper()
    return [QrPart(name, at + 1, total, data[at * size : (at + 1) * size]) for at in range(total)]


def qr_texts(data: bytes) -> list[str]:
    """The texts of a statement's codes: one, or its parts where it does not fit one. Raises StatementError like `qr_parts`."""
    if len(data) <= MAX_SINGLE_SIZE:
        return [to_qr_text(data)]
    return [part.text for part in qr_parts(data)]


def read_qr_text(text: str) -> bytes | QrPart | None:
    """A whole statement or a part of one; None for the text of a foreign code.

    Raises StatementError for text that claims to be a statement's and is damaged.
    """
    if text.startswith(QR_PREFIX):
        return from_qr_text(text)
    if not text.startswith(PART_PREFIX):
        return None
    found = _PART.fullmatch(text[: _MAX_TEXT + 1])
    if found is None:
        raise StatementError("the QR text is damaged: it is not a part of a statement; scan the code again")
    name, number, total = found[1], int(found[2]), int(found[3])
    if not 2 <= total <= MAX_PARTS or number > total:
        raise StatementError(f"the QR text is part {number} of {total}, which no statement has: scan the code again")
    data = base45_decode(found[4])
    if len(data) > PART_SIZE:
        raise StatementError(f"the QR text is a part of {len(data)} bytes: {PART_SIZE} are the most; scan the code again")
    return QrPart(name, number, total, data)


_Group = tuple[str, int]
"""Name and number of parts of a statement that is being put together."""


class QrCollector:
    """Puts statements together from texts of codes in any order, from any number of pictures.

    Repeated and foreign codes change nothing. Codes that were printed to disturb, with the heading of a true part, keep no
    statement from being found: readings that differ are tried against the hash that the heading names, the newest first. A
    statement comes out in any order of the codes where its readings can be joined in at most MAX_TRIALS ways, and otherwise once
    its true codes are given one after the other, whatever was read before. What is kept is bounded by MAX_READINGS in all and
    MAX_TRIALS of one part: newer readings take the place of the oldest.
    """

    def __init__(self) -> None:
        self._statements: dict[bytes, None] = {}
        self._groups: dict[_Group, dict[int, dict[bytes, None]]] = {}  # the readings of each part, the newest last
        self._readings: dict[tuple[_Group, int, bytes], None] = {}  # all of them, the newest last
        self._done: set[_Group] = set()

    @property
    def statements(self) -> list[bytes]:
        """The statements that are whole, in the order in which they became so, each once."""
        return list(self._statements)

    def add(self, text: str) -> bytes | QrPart | None:
        """Take in the text of a code; what it is, as `read_qr_text` says. Raises StatementError for damaged text."""
        found = read_qr_text(text)
        if isinstance(found, bytes):
            self._statements[found] = None
        elif found is not None:
            self._add_part(found)
        return found

    def incomplete(self) -> list[Incomplete]:
        """The statements that are not whole yet, and what is missing of each."""
        return [
            Incomplete(name, total, tuple(number for number in range(1, total + 1) if number not in parts))
            for (name, total), parts in self._groups.items()
        ]

    def _add_part(self, part: QrPart) -> None:
        group = (part.name, part.total)
        if group in self._done:
            return
        if group not in self._groups and len(self._groups) >= MAX_GROUPS:
            raise StatementError(f"parts of {MAX_GROUPS:,} statements wait for the others: give fewer pictures at a time")
        parts = self._keep(group, part)
        if len(parts) < part.total:
            return
        # Ways without this reading had their turn when their own last reading came.
        choices = [[part.data] if number == part.number else [*reversed(parts[number])] for number in range(1, part.total + 1)]
        data = _joined(part.name, part.total, itertools.islice(itertools.product(*choices), MAX_TRIALS))
        if data is not None:
            self._statements[data] = None
            self._done.add(group)
            for number, readings in self._groups.pop(group).items():
                for reading in readings:
                    del self._readings[group, number, reading]

    def _keep(self, group: _Group, part: QrPart) -> dict[int, dict[bytes, None]]:
        """Keep a reading as the newest, and drop the oldest where there are too many; the readings of its statement."""
        readings = self._groups.setdefault(group, {}).setdefault(part.number, {})
        if part.data in readings:
            self._drop(group, part.number, part.data)
        elif len(readings) >= MAX_TRIALS:
            self._drop(group, part.number, next(iter(readings)))
        elif len(self._readings) >= MAX_READINGS:
            self._drop(*next(iter(self._readings)))
        self._readings[group, part.number, part.data] = None
        parts = self._groups.setdefault(group, {})
        parts.setdefault(part.number, {})[part.data] = None
        return parts

    def _drop(self, group: _Group, number: int, reading: bytes) -> None:
        del self._readings[group, number, reading]
        parts = self._groups[group]
        del parts[number][reading]
        if not parts[number]:
            del parts[number]
        if not parts:
            del self._groups[group]


def _joined(name: str, total: int, ways: Iterable[tuple[bytes, ...]]) -> bytes | None:
    """The statement that one of these ways to join parts gives: it has the name, and is cut like that."""
    for way in ways:
        data = b"".join(way)
        if len(data) > MAX_SINGLE_SIZE and -(-len(data) // PART_SIZE) == total:
            parts = qr_parts(data)
            if parts[0].name == name and tuple(part.data for part in parts) == way:
                return data
    return None


def qr_code(data: bytes) -> segno.QRCode:
    """The QR code of a statement that fits one: level M, alphanumeric, in the smallest version that holds it.

    Raises StatementError where it would need a version above MAX_QR_VERSION.
    """
    if len(data) > MAX_SINGLE_SIZE:
        raise StatementError(
            f"the statement has {len(data)} bytes, too many for one QR code of version {MAX_QR_VERSION}: "
            "print it in parts, or send it as a file"
        )
    return _draw(to_qr_text(data))


def qr_codes(data: bytes) -> list[segno.QRCode]:
    """The codes of a statement: one, or one for each part. Raises StatementError like `qr_texts`."""
    return [_draw(text) for text in qr_texts(data)]


def qr_svg(data: bytes) -> str:
    """The QR code of a statement as an SVG element that scales to its container. Raises StatementError like `qr_code`."""
    return _svg(qr_code(data))


def qr_svgs(data: bytes) -> list[str]:
    """The codes of a statement as SVG elements that scale to their containers. Raises StatementError like `qr_texts`."""
    return [_svg(code) for code in qr_codes(data)]


def _draw(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)


def _svg(code: segno.QRCode) -> str:
    svg: str = code.svg_inline(omitsize=True, border=4)
    return svg
