"""The audits of an election as the log tells them: each plan with its seed, its counts and its reports."""

from collections import Counter
from dataclasses import dataclass, field

from scrutineer.count import Count, Recorded
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.statements.audit import Discrepancy, UnitStatus


@dataclass(slots=True)
class Audited:
    """One audit, from its plan on."""

    planned: Recorded
    plan: AuditPlan
    seeded: Recorded | None = None
    seed: AuditSeed | None = None
    counts: dict[bytes, AuditCount] = field(default_factory=dict)
    """Counts that none has replaced, by the hash of their statement, in log order."""
    replaced: int = 0
    reports: list[tuple[Recorded, AuditReport]] = field(default_factory=list)

    def boxes(self) -> dict[UnitStatus, int]:
        """How many boxes were counted, and how many were missing or illegible. A box is what its last count says."""
        return Counter({count.box: count.status for count in self.counts.values()}.values())

    def cards(self) -> int:
        """How many single cards were looked at."""
        return sum(len(count.cards) for count in self.counts.values())

    def reasons(self) -> dict[Discrepancy, int]:
        """For how many counts each reason for a difference was given."""
        return Counter(reason for count in self.counts.values() for reason in count.discrepancies)


def audited(count: Count) -> list[Audited]:
    """Every audit with a registered plan, in the order of the plans."""
    found: dict[bytes, Audited] = {}
    for own in count.audits:
        payload = own.statement.payload
        if isinstance(payload, AuditPlan):
            found.setdefault(own.statement.hash, Audited(own, payload))
            continue
        audit = found.get(payload.plan) if isinstance(payload, AuditSeed | AuditCount | AuditReport) else None
        if audit is None:
            continue
        if isinstance(payload, AuditSeed):
            if audit.seed is None:
                audit.seeded, audit.seed = own, payload
        elif isinstance(payload, AuditCount):
            if payload.replaces is not None:
                audit.replaced += audit.counts.pop(payload.replaces, None) is not None
            audit.counts[own.statement.hash] = payload
        elif isinstance(payload, AuditReport):
            audit.reports.append((own, payload))
    return list(found.values())
