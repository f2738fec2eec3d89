"""What the outside of a statement tells in a microsecond: who says that he signed it, and whether it can be one at all.

The envelope of a statement has one layout (statements/envelope.py), so its parts stand where their lengths say. Nothing here
decodes the payload: that is the checkers' work. What this module calls malformed, they call malformed too; what it finds in
order may still be malformed inside.
"""

from typing import Final

from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, CONTENT_TYPE_SUFFIX, MAX_CLAIM_LENGTH, protected_header
from scrutineer.statements.statement import KINDS

SHEET: Final = "tally-sheet"

_SMALLEST: Final = 140  # bytes; less than the headers and the signature of any statement
_KIND_BY_TYPE: Final = {f"{CONTENT_TYPE_PREFIX}{kind}{CONTENT_TYPE_SUFFIX}".encode(): kind for kind in KINDS}
# Header map of four, algorithm, content type with one byte of length (it is longer than 23 bytes); the signature's head.
_ED25519: Final = b"\xa4\x01\x27\x03\x78"
_MLDSA44: Final = b"\xa4\x01\x38\x2f\x03\x78"
# What nearly every statement begins with, behind the length of its header.
_SHEET_HEADER: Final = protected_header(SHEET, "", "", b"").partition(b"\x04\x58\x20")[0]
_SHEET_KID_AT: Final = 4 + len(_SHEET_HEADER)

Look = tuple[str, bytes, bytes, int]
"""The outside of a statement whose envelope is in order: kind, issuer, key thumbprint, and where its payload begins."""


def first_look(data: bytes) -> Look | str:
    """Read the envelope; text says why it cannot be a statement's."""
    try:
        return _look(data)
    except IndexError:
        return "the bytes end before their parts do"


def _look(data: bytes) -> Look | str:
    size = len(data)
    if size < _SMALLEST or data[:2] != b"\xd2\x84":
        return "no COSE_Sign1: the bytes do not begin with tag 18 and an array of four"
    head = data[2]
    kind = SHEET
    signature, signature_at = b"\x58\x40", size - 66
    if head == 0x58:
        at = 4
        end = 4 + data[3]
    elif head == 0x59 and data[3]:
        at = 5
        end = 5 + (data[3] << 8 | data[4])
    else:
        return "the protected header is not a byte string in its shortest form"
    if at == 4 and data.startswith(_SHEET_HEADER, 4):
        kid_at = _SHEET_KID_AT
    else:
        # Algorithm, and the content type that names the kind.
        if data[at : at + 5] == _ED25519:
            at += 6
        elif data[at : at + 6] == _MLDSA44:
            at += 7
            signature, signature_at = b"\x59\x09\x74", size - 2423
        else:
            return "the protected header does not begin with an algorithm in use and a content type"
        kid_at = at + data[at - 1]
        kind = _KIND_BY_TYPE.get(data[at:kid_at], "")
        if not kind:
            return "the content type names no kind of statement"
    # The key's thumbprint, then the claims: issuer and subject.
    at = kid_at + 38
    if not data.startswith(b"\x04\x58\x20", kid_at) or not data.startswith(b"\x0f\xa2\x01", at - 3):
        return "the protected header does not go on with the key's thumbprint and two claims"
    head = data[at]
    issuer_at = at + 1
    issuer_end = issuer_at + head - 0x60
    if not 0x60 <= head < 0x78:
        issuer_at, issuer_end = _text(data, at)
    head = data[issuer_end + 1]
    subject_at = issuer_end + 2
    subject_end = subject_at + head - 0x60
    if not 0x60 <= head < 0x78:
        subject_at, subject_end = _text(data, issuer_end + 1)
    if data[issuer_end] != 2 or subject_end != end:
        return "the claims are not issuer and subject"
    if end - issuer_at > MAX_CLAIM_LENGTH or not data[issuer_at:end].isascii():
        # Rare, and then the letters count: those who decode must look.
        try:
            texts = data[issuer_at:issuer_end].decode(), data[subject_at:subject_end].decode()
        except UnicodeDecodeError:
            return "issuer or subject is not UTF-8"
        if max(map(len, texts)) > MAX_CLAIM_LENGTH:
            return f"issuer or subject is longer than {MAX_CLAIM_LENGTH} characters"
    # The unprotected header is empty; payload and signature fill the rest.
    head = data[end + 1]
    if head == 0x59 and data[end + 2]:
        payload_at = end + 4
        payload_end = payload_at + (data[end + 2] << 8 | data[end + 3])
    elif head == 0x58 and data[end + 2] > 23:
        payload_at = end + 3
        payload_end = payload_at + data[end + 2]
    elif 0x40 <= head < 0x58:
        payload_at = end + 2
        payload_end = payload_at + head - 0x40
    else:
        return "the payload is not a byte string in its shortest form"
    if data[end] != 0xA0 or payload_end != signature_at or not data.startswith(signature, signature_at):
        return "unprotected header, payload and signature do not fill the statement"
    return kind, data[issuer_at:issuer_end], data[kid_at + 3 : kid_at + 35], payload_at


def _text(data: bytes, at: int) -> tuple[int, int]:
    """Where a text of 24 bytes or more, in its shortest form, begins and ends. Raises IndexError where there is none."""
    head = data[at]
    if head == 0x78 and data[at + 1] > 23:
        return at + 2, at + 2 + data[at + 1]
    if head == 0x79 and data[at + 1]:
        return at + 3, at + 3 + (data[at + 1] << 8 | data[at + 2])
    raise IndexError(at)
