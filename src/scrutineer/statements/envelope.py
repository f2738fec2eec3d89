"""The envelope of every statement: COSE_Sign1 (RFC 9052 section 4.2) as an IETF SCITT signed statement (RFC 9943).

The protected header holds exactly the algorithm (1), the content type that names the kind (3), the key thumbprint (4,
RFC 9679) and the CWT claims issuer and subject (15, RFC 9597). The unprotected header is empty, so that a statement has one
sequence of bytes and the log can recognise it when it is sent again.
"""

from typing import Final, NamedTuple

import cbor2

from scrutineer.election.register import Algorithm
from scrutineer.errors import StatementError
from scrutineer.statements.codec import MAX_STATEMENT_SIZE, item_head, load, one_line
from scrutineer.statements.keys import ALGORITHM_BY_COSE, COSE_ALGORITHMS, SIGNATURE_SIZES, SigningKey, verify

CONTENT_TYPE_PREFIX: Final = "application/vnd.scrutineer."
CONTENT_TYPE_SUFFIX: Final = "+cbor"
MEDIA_TYPE: Final = "application/cose"
"""Media type of a statement as a whole (RFC 9052 section 12.3)."""

MAX_CLAIM_LENGTH: Final = 192  # characters, issuer and subject each

_ALGORITHM_HEADERS: Final[dict[Algorithm, bytes]] = {name: cbor2.dumps(code) for name, code in COSE_ALGORITHMS.items()}
_SIGNATURE1: Final = b"\x84\x6aSignature1"
_EMPTY_EXTERNAL: Final = b"\x40"
_OPENING: Final = b"\xd2\x84"  # tag 18, array of four


class Envelope(NamedTuple):
    """The parts of a statement. Well-formed and canonical; the signature is not checked yet."""

    kind: str
    issuer: str
    subject: str
    kid: bytes
    algorithm: Algorithm
    protected: bytes
    payload: bytes
    signature: bytes

    def signed_bytes(self) -> bytes:
        """The Sig_structure that the signature covers (RFC 9052 section 4.4)."""
        return signed_bytes(self.protected, self.payload)

    def check_signature(self, public_key: bytes) -> None:
        """Raise SignatureError unless this key made the signature."""
        verify(public_key, signed_bytes(self.protected, self.payload), self.signature, self.algorithm)


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure for COSE_Sign1 with no external data (RFC 9052 section 4.4)."""
    return b"".join((_SIGNATURE1, byte_string(protected), _EMPTY_EXTERNAL, byte_string(payload)))


def protected_header(kind: str, issuer: str, subject: str, kid: bytes, algorithm: Algorithm = "ed25519") -> bytes:
    """The protected header in its only encoding."""
    return b"".join(
        (
            b"\xa4\x01",
            _ALGORITHM_HEADERS[algorithm],
            b"\x03",
            _text_string(f"{CONTENT_TYPE_PREFIX}{kind}{CONTENT_TYPE_SUFFIX}"),
            b"\x04\x58\x20",
            kid,
            b"\x0f\xa2\x01",
            _text_string(issuer),
            b"\x02",
            _text_string(subject),
        )
    )


def seal(kind: str, issuer: str, subject: str, payload: bytes, key: SigningKey) -> bytes:
    """Sign a payload. Raises StatementError where a claim or the whole is too large for the log."""
    _check_claims(issuer, subject)
    try:
        protected = protected_header(kind, issuer, subject, key.kid, key.algorithm)
    except UnicodeEncodeError as error:
        raise StatementError("issuer or subject of the statement is not valid Unicode") from error
    data = assemble(protected, payload, key.sign(signed_bytes(protected, payload)))
    if len(data) > MAX_STATEMENT_SIZE:
        raise StatementError(
            f"the {kind} has {len(data)} bytes, and the log takes at most {MAX_STATEMENT_SIZE}: "
            "put large parts in files named by hash"
        )
    return data


def assemble(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """COSE_Sign1 bytes (tag 18) from its parts."""
    return b"".join((_OPENING, byte_string(protected), b"\xa0", byte_string(payload), byte_string(signature)))


def open_envelope(data: bytes) -> Envelope:
    """Take a statement apart. Raises StatementError unless the bytes are a statement in canonical form."""
    if len(data) > MAX_STATEMENT_SIZE:
        raise StatementError(f"the statement has {len(data)} bytes: at most {MAX_STATEMENT_SIZE} are taken")
    try:
        if data[:2] != _OPENING:
            raise StatementError(
                "not a statement (no COSE_Sign1: the bytes do not begin with tag 18 and an array of four): "
                "send the bytes exactly as they were signed"
            )
        protected, _, payload, signature = load(data[1:])
        header = load(protected)
        algorithm = ALGORITHM_BY_COSE.get(header[1])
        content_type, kid, claims = header[3], header[4], header[15]
        issuer, subject = claims[1], claims[2]
        if algorithm is None:
            raise StatementError(f"algorithm {repr(header[1])[:32]} is not used here: sign with Ed25519 (-8) or ML-DSA-44 (-48)")
        kind = content_type[len(CONTENT_TYPE_PREFIX) : -len(CONTENT_TYPE_SUFFIX)]
        rebuilt = protected_header(kind, issuer, subject, kid, algorithm)
        canonical = rebuilt == protected and assemble(protected, payload, signature) == data
    except StatementError:
        raise
    except Exception as error:
        # Hostile bytes can fail in any of the steps above, in the decoder or on a value of the wrong type; all mean the same.
        raise StatementError(
            f"not a statement (malformed COSE_Sign1: {one_line(error)[:120]}): send the bytes exactly as they were signed"
        ) from error
    if not canonical or len(kid) != 32:
        raise StatementError(
            "the statement is not in its canonical form (deterministic CBOR; headers 1, 3, 4 and 15 protected, no others): "
            "sign it again with a conforming program"
        )
    if len(signature) != SIGNATURE_SIZES[algorithm]:
        raise StatementError(f"the signature has {len(signature)} bytes: {algorithm} has {SIGNATURE_SIZES[algorithm]}")
    _check_claims(issuer, subject)
    return Envelope(kind, issuer, subject, kid, algorithm, protected, payload, signature)


def _check_claims(issuer: str, subject: str) -> None:
    if len(issuer) > MAX_CLAIM_LENGTH or len(subject) > MAX_CLAIM_LENGTH:
        raise StatementError(f"issuer or subject is longer than {MAX_CLAIM_LENGTH} characters: shorten it")


def byte_string(data: bytes) -> bytes:
    """A CBOR byte string in its shortest form."""
    return item_head(2, len(data)) + data


def _text_string(text: str) -> bytes:
    data = text.encode()
    return item_head(3, len(data)) + data
