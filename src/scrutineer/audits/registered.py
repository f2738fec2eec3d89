"""The audits of a log: each registered plan with the seed, the counts and the reports that follow from it, in the log's order.

Pure grouping. Of plans of one name the first is the audit, of seeds of one plan the first is the seed, as
`statements.audit_order` admits them. What names no registered plan belongs to no audit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.count import Recorded
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.statements.audit import AuditOutcome, Discrepancy, UnitStatus


@dataclass
class RegisteredAudit:
    """One audit, from its plan on."""

    planned: Recorded
    plan: AuditPlan
    seeded: Recorded | None = None
    seed: AuditSeed | None = None
    counts: list[tuple[int, Counted]] = field(default_factory=list)
    """Every count by its place in the log, those that others replaced as well."""
    reports: list[tuple[Recorded, AuditReport]] = field(default_factory=list)
    statements: list[Recorded] = field(default_factory=list)
    """All of the above from the plan on, and seeds after the first."""

    @property
    def hash(self) -> bytes:
        """Hash of the plan's statement, by which the others name it."""
        return self.planned.statement.hash

    @property
    def outcome(self) -> AuditOutcome | None:
        """What the last report says; None where there is no report."""
        return self.reports[-1][1].outcome if self.reports else None

    @cached_property
    def seen(self) -> Seen:
        """The counts that hold, those that others replaced, and what contradicts itself."""
        return resolve(one for _, one in self.counts)

    def until(self, size: int) -> "RegisteredAudit":
        """The audit as it stood when the log had so many entries; the plan has to be among them."""
        earlier = self.seeded is not None and self.seeded.index < size
        return RegisteredAudit(
            self.planned,
            self.plan,
            self.seeded if earlier else None,
            self.seed if earlier else None,
            [one for one in self.counts if one[0] < size],
            [one for one in self.reports if one[0].index < size],
            [one for one in self.statements if one.index < size],
        )

    def confirmed(self) -> frozenset[str]:
        """The contests whose risk is within the limit by the last report; contests that were measured alongside need not be."""
        risks = self.reports[-1][1].risks if self.reports else ()
        return frozenset(each.contest for each in risks if Fraction(each.risk) <= Fraction(self.plan.risk_limit))

    def boxes(self) -> dict[UnitStatus, int]:
        """How many boxes were counted, and how many were missing or illegible. A box is what its last count says."""
        return Counter({one.count.box: one.count.status for one in self.seen.held}.values())

    def cards(self) -> int:
        """How many single cards were looked at."""
        return len(self.seen.cards)

    def reasons(self) -> dict[Discrepancy, int]:
        """For how many counts each reason for a difference was given."""
        return Counter(reason for one in self.seen.held for reason in one.count.discrepancies)


def registered_audits(recorded: Iterable[Recorded]) -> list[RegisteredAudit]:
    """Every audit of the statements of a log, given in its order; in the order of the plans."""
    found: dict[bytes, RegisteredAudit] = {}
    names: set[str] = set()
    for own in recorded:
        payload = own.statement.payload
        if isinstance(payload, AuditPlan):
            if payload.name not in names:
                names.add(payload.name)
                found[own.statement.hash] = RegisteredAudit(own, payload, statements=[own])
            continue
        audit = found.get(payload.plan) if isinstance(payload, AuditSeed | AuditCount | AuditReport) else None
        if audit is None:
            continue
        audit.statements.append(own)
        if isinstance(payload, AuditSeed):
            if audit.seed is None:
                audit.seeded, audit.seed = own, payload
        elif isinstance(payload, AuditCount):
            audit.counts.append((own.index, Counted(own.statement.hash, payload)))
        elif isinstance(payload, AuditReport):
            audit.reports.append((own, payload))
    return list(found.values())


def of_outcome(audits: Sequence[RegisteredAudit]) -> Iterator[RegisteredAudit]:
    """Those that audit the outcome, and not devices, rolls or anything else."""
    return (audit for audit in audits if audit.plan.about == "outcome")
