"""Other plans that audit the same contests: how many there are, and which of them have no report.

The risk limit of an audit holds for that audit. Whoever plans ten of one contest, and reports the one that passes, has not kept
it: so a report names the other plans, and whoever reads one audit is told of the others. What is said accuses nobody; an audit
may also have no report because it goes on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from scrutineer.audits.registered import RegisteredAudit, of_outcome
from scrutineer.statements.audit import AuditOutcome


class OtherPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another plan for an audit of the outcome, as a report names it."""

    before: bool
    """Whether it was registered before the plan of the report."""
    contests: tuple[str, ...]
    """Contests of the report's plan that it audits too, in the order of their ids."""
    drawn: bool
    """Whether its seed was registered."""
    name: str
    outcome: AuditOutcome | None
    """What its last report says; None where it has none."""
    plan: str
    """Hash of its statement, in hexadecimal."""


def other_plans(audits: Sequence[RegisteredAudit], plan: bytes, contests: Collection[str], size: int) -> tuple[OtherPlan, ...]:
    """The other plans for any of these contests that were registered when the log had so many entries, in its order."""
    own = next((audit.planned.index for audit in audits if audit.hash == plan), size)
    found = []
    for audit in of_outcome(audits):
        if audit.hash == plan or audit.planned.index >= size:
            continue
        if both := set(audit.plan.contests) & set(contests):
            then = audit.until(size)
            found.append(
                OtherPlan(
                    before=audit.planned.index < own,
                    contests=tuple(sorted(both)),
                    drawn=then.seed is not None,
                    name=audit.plan.name,
                    outcome=then.outcome,
                    plan=audit.hash.hex(),
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ContestPlans:
    """The plans that audit one contest, in the order of the log."""

    contest: str
    audits: tuple[RegisteredAudit, ...]

    @property
    def reported(self) -> tuple[RegisteredAudit, ...]:
        """Those that have a report."""
        return tuple(audit for audit in self.audits if audit.reports)

    @property
    def unreported(self) -> tuple[RegisteredAudit, ...]:
        """Those that have none."""
        return tuple(audit for audit in self.audits if not audit.reports)


def contest_plans(audits: Sequence[RegisteredAudit]) -> tuple[ContestPlans, ...]:
    """The plans by contest, in the order of the contests' ids."""
    found: dict[str, list[RegisteredAudit]] = {}
    for audit in of_outcome(audits):
        for contest in audit.plan.contests:
            found.setdefault(contest, []).append(audit)
    return tuple(ContestPlans(contest, tuple(found[contest])) for contest in sorted(found))
