"""A statement as the text and drawing of one QR code: how a signed tally sheet travels on paper and without a network.

The bytes are written in base45 (RFC 9285), whose alphabet is that of a QR code's alphanumeric mode, behind a prefix that says
what they are. Codes are drawn at error correction level M and are no larger than version 25 (117 × 117 modules), which
telephones still read from ordinary print. Reading images is in qr_image.py.
"""

from typing import Final

import segno

from scrutineer.errors import StatementError
from scrutineer.statements.codec import MAX_STATEMENT_SIZE

QR_PREFIX: Final = "SCR1:"
MAX_QR_VERSION: Final = 25
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


def qr_code(data: bytes) -> segno.QRCode:
    """The QR code of a statement: level M, alphanumeric, in the smallest version that holds it.

    Raises StatementError where it would need a version above MAX_QR_VERSION.
    """
    text = to_qr_text(data)
    try:
        code = segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)
    except segno.DataOverflowError:
        code = None
    if code is None or int(code.version) > MAX_QR_VERSION:
        raise StatementError(
            f"the statement has {len(data)} bytes, too many for one QR code of version {MAX_QR_VERSION}: send it as a file"
        )
    return code


def qr_svg(data: bytes) -> str:
    """The QR code of a statement as an SVG element that scales to its container. Raises StatementError like `qr_code`."""
    svg: str = qr_code(data).svg_inline(omitsize=True, border=4)
    return svg
