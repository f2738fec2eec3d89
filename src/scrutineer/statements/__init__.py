"""What may be said: one frozen type per kind of statement, its envelope (COSE) and its encoding (deterministic CBOR).

Public face: `parse_statement`, `sign_statement`, `Statement`, `statement_hash`, the payload types, `SigningKey`.
"""

from scrutineer.statements.audit import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.statements.incident import Incident
from scrutineer.statements.keys import SigningKey, thumbprint
from scrutineer.statements.kinds import (
    Accreditation,
    Attestation,
    Bulletin,
    Certificate,
    Claim,
    ClaimedFigure,
    ContestResult,
    Decision,
    Endorsement,
    Figures,
    StationOpened,
)
from scrutineer.statements.statement import (
    KINDS,
    Payload,
    Statement,
    is_tally_sheet,
    parse_statement,
    sign_statement,
    statement_hash,
)
from scrutineer.statements.tally_sheet import TallySheet

__all__ = [
    "KINDS",
    "Accreditation",
    "Attestation",
    "AuditCount",
    "AuditPlan",
    "AuditReport",
    "AuditSeed",
    "Bulletin",
    "Certificate",
    "Claim",
    "ClaimedFigure",
    "ContestResult",
    "Decision",
    "Endorsement",
    "Figures",
    "Incident",
    "Payload",
    "SigningKey",
    "Statement",
    "StationOpened",
    "TallySheet",
    "is_tally_sheet",
    "parse_statement",
    "sign_statement",
    "statement_hash",
    "thumbprint",
]
