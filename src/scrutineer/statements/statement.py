"""A statement as a whole: envelope and typed payload; the one place that knows which kind has which type."""

import hashlib
from dataclasses import dataclass
from typing import Final

from scrutineer.election.definition import Definition
from scrutineer.errors import StatementError
from scrutineer.statements import codec, kinds, tally_sheet
from scrutineer.statements.audit import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, Envelope, open_envelope, seal
from scrutineer.statements.incident import Incident
from scrutineer.statements.keys import SigningKey
from scrutineer.statements.tally_sheet import TallySheet

Payload = (
    Definition
    | TallySheet
    | kinds.Accreditation
    | kinds.Endorsement
    | kinds.StationOpened
    | kinds.Attestation
    | kinds.Decision
    | kinds.Bulletin
    | kinds.Claim
    | kinds.Certificate
    | Incident
    | AuditPlan
    | AuditSeed
    | AuditCount
    | AuditReport
)

TYPE_BY_KIND: Final[dict[str, type]] = {
    "definition": Definition,
    "accreditation": kinds.Accreditation,
    "endorsement": kinds.Endorsement,
    "station-opened": kinds.StationOpened,
    "tally-sheet": TallySheet,
    "attestation": kinds.Attestation,
    "decision": kinds.Decision,
    "bulletin": kinds.Bulletin,
    "claim": kinds.Claim,
    "certificate": kinds.Certificate,
    "incident": Incident,
    "audit-plan": AuditPlan,
    "audit-seed": AuditSeed,
    "audit-count": AuditCount,
    "audit-report": AuditReport,
}
KIND_BY_TYPE: Final[dict[type, str]] = {struct: kind for kind, struct in TYPE_BY_KIND.items()}
KINDS: Final = tuple(TYPE_BY_KIND)

SHEET_MARK: Final = f"{CONTENT_TYPE_PREFIX}tally-sheet+cbor".encode()
_SHEET_MARK_WITHIN: Final = 64  # bytes; the content type stands near the start of every statement


@dataclass(frozen=True, slots=True)
class Statement:
    """A well-formed statement. Its signature counts only once `envelope.check_signature` has passed."""

    envelope: Envelope
    payload: Payload
    data: bytes

    @property
    def kind(self) -> str:
        """The kind of statement, as in the table of kinds."""
        return self.envelope.kind

    @property
    def issuer(self) -> str:
        """Who signed, by issuer id."""
        return self.envelope.issuer

    @property
    def hash(self) -> bytes:
        """The statement's name: its leaf hash in the log (RFC 9162 section 2.1.1)."""
        return statement_hash(self.data)


def statement_hash(data: bytes) -> bytes:
    """How statements name each other: SHA-256 over a zero byte and the statement's bytes, which is its leaf hash in the log."""
    return hashlib.sha256(b"\x00" + data).digest()


def parse_statement(data: bytes) -> Statement:
    """Read a statement of any kind. Raises StatementError for anything but the canonical bytes of a known kind."""
    envelope = open_envelope(data)
    return Statement(envelope, decode_payload(envelope.kind, envelope.payload, envelope.subject), data)


def decode_payload(kind: str, payload: bytes, subject: str) -> Payload:
    """Read a payload of a kind and hold it against the subject claim. Raises StatementError."""
    decoded: Payload
    if kind == "tally-sheet":
        decoded = tally_sheet.decode_payload(payload)
    else:
        struct = TYPE_BY_KIND.get(kind)
        if struct is None:
            raise StatementError(f"statements of kind {kind[:64]!r} are not known: use one of {', '.join(KINDS)}")
        value = codec.decode(payload)
        decoded = codec.to_struct(value, struct, kind)
        # A field given with its default value has two encodings, present and absent; only the absent one is canonical.
        if codec.encode(codec.from_struct(decoded)) != payload:
            raise StatementError(f"the {kind} is not in its canonical form: leave out fields that hold their default value")
    if subject_of(decoded) != subject:
        raise StatementError(
            f"the {kind} is about {subject_of(decoded)!r}, but its subject claim says {subject[:64]!r}: they must agree"
        )
    return decoded


def subject_of(payload: Payload) -> str:
    """The subject claim that belongs to a payload."""
    return payload.id if isinstance(payload, Definition) else payload.subject()


def encode_payload(payload: Payload) -> bytes:
    """The payload's bytes in their only encoding. Raises StatementError for a value that `decode_payload` would refuse."""
    if isinstance(payload, TallySheet):
        return tally_sheet.encode_payload(payload)
    # Types do not check their fields when they are made in code, so the value goes through the border once, as others' do.
    struct = type(payload)
    return codec.encode(codec.from_struct(codec.to_struct(codec.from_struct(payload), struct, KIND_BY_TYPE[struct])))


def sign_statement(payload: Payload, issuer: str, key: SigningKey) -> bytes:
    """Sign a payload as an issuer; the bytes are what goes to the intake service.

    Raises StatementError for a payload or issuer that could not be read back, and for a statement too large for the log.
    """
    encoded = encode_payload(payload)
    return seal(KIND_BY_TYPE[type(payload)], issuer, subject_of(payload), encoded, key)


def is_tally_sheet(data: bytes) -> bool:
    """Whether the bytes of a well-formed statement are a tally sheet's; looks at the content type alone."""
    return SHEET_MARK in data[:_SHEET_MARK_WITHIN]
