"""What the tests of audits share: an election with auditors, and the statements of an audit of it."""

from typing import Any

from count_helpers import key_of, make_election, units
from scrutineer.election import Definition, Election, Issuer, LogIdentity, Register
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.log import LogSigner
from scrutineer.statements import (
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Payload,
    sign_statement,
    statement_hash,
)
from scrutineer.statements.audit import BoxTotals, ContestRisk
from scrutineer.statements.bootstrap import open_election

LOG = LogSigner("log.example/heron", b"\x01" * 32, b"\x02" * 32)
HASH = bytes(range(32))
AUDITORS = ("auditor/dipper", "auditor/wren")
NORTHERN_AUDITOR = "auditor/northern"
"""An auditor who speaks for the northern region alone."""
DICE = "20271503141592653589"


def signed_election() -> tuple[Election, bytes, bytes, bytes]:
    """The small country with auditors; its signed definition and its tables."""
    plain = make_election()
    tree = units()
    others = [*plain.register.others(), *(Issuer(name, "auditor", key_of(name).public_key) for name in AUDITORS)]
    others.append(Issuer(NORTHERN_AUDITOR, "auditor", key_of(NORTHERN_AUDITOR).public_key, unit="north"))
    register = write_register(Register(tree.station_index, plain.register.station_keys, others))
    fields = {name: getattr(plain.definition, name) for name in Definition.__struct_fields__}
    fields["tables"] = {UNITS_TABLE: table_hash(write_units(tree)), REGISTER_TABLE: table_hash(register)}
    fields["log"] = LogIdentity(LOG.verifier.origin, LOG.verifier.vkeys)
    definition = sign_statement(Definition(**fields), "authority/one", key_of("authority/one"))
    return open_election(definition, write_units(tree), register), definition, write_units(tree), register


class Auditing:
    """Writes the statements of audits of one election."""

    def __init__(self, election: Election) -> None:
        self.election = election

    def sign(self, payload: Payload, issuer: str = AUDITORS[0]) -> bytes:
        return sign_statement(payload, issuer, key_of(issuer))

    def plan(self, by: str = AUDITORS[0], **given: Any) -> bytes:
        fields: dict[str, Any] = {
            "election": self.election.hash,
            "name": "boxes",
            "about": "outcome",
            "title": "Boxes against sheets",
            "by": "Society of Observers",
            "protocol": "Boxes are drawn and counted.",
        }
        if given.get("about", "outcome") == "outcome":
            fields |= {"size": 7, "root": HASH, "risk_limit": "0.05", "plan": HASH, "contests": ("president",)}
        return self.sign(AuditPlan(**(fields | given)), by)

    def seed(self, plan: bytes, by: str = AUDITORS[0], **given: Any) -> bytes:
        fields: dict[str, Any] = {"seed": DICE, "how": "Dice", "who": "Everyone", "when": "At noon"}
        return self.sign(AuditSeed(election=self.election.hash, plan=statement_hash(plan), **(fields | given)), by)

    def count(self, plan: bytes, by: str = AUDITORS[0], **given: Any) -> bytes:
        fields: dict[str, Any] = {
            "box": "a1",
            "totals": (BoxTotals(contest="president", counts=(50, 20, 10), blank=3, null=2, cards=85),),
            "counted_by": ("Dipper", "Wren"),
        }
        return self.sign(AuditCount(election=self.election.hash, plan=statement_hash(plan), **(fields | given)), by)

    def report(self, plan: bytes, seed: bytes | None, by: str = AUDITORS[0], **given: Any) -> bytes:
        fields: dict[str, Any] = {"size": 9, "outcome": "confirmed"}
        if given.get("outcome") != "held":
            fields |= {"risks": (ContestRisk(contest="president", risk="0.03"),), "report": HASH}
        named = None if seed is None else statement_hash(seed)
        return self.sign(AuditReport(election=self.election.hash, plan=statement_hash(plan), seed=named, **(fields | given)), by)
