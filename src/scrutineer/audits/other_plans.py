"""Other plans that audit the same contests: how many there are, and which of them have no report.

The risk limit of an audit holds for that audit. Whoever plans ten of one contest, and reports the one that passes, has not kept
it: so a report names the other plans, and whoever reads one audit is told of the others. What is said accuses nobody; an audit
may also have no report because it goes on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from scrutineer.audits.registered import RegisteredAudit, of_outcome
from scrutineer.statements.audit import AuditOutcome

Contests = Mapping[bytes, Collection[str]]
"""By hash of a plan's statement: the contests that its plan file names. Plans whose file nobody has are left out."""


class OtherPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another plan for an audit of the outcome, as a report names it."""

    before: bool
    """Whether it was registered before the plan of the report."""
    contests: tuple[str, ...]
    """Contests of the report's plan that its reports speak of, in the order of their ids; empty where it has no report."""
    drawn: bool
    """Whether its seed was registered."""
    name: str
    outcome: AuditOutcome | None
    """What its last report says; None where it has none."""
    plan: str
    """Hash of its statement, in hexadecimal."""


def other_plans(audits: Sequence[RegisteredAudit], plan: bytes, contests: Collection[str], size: int) -> tuple[OtherPlan, ...]:
    """The other plans of the outcome that were registered when the log had so many entries, in its order.

    Which contests a plan is about stands in its file alone, which whoever reports need not have: a plan belongs here unless it
    has reports, and none of them is about a contest of this one.
    """
    own = next((audit.planned.index for audit in audits if audit.hash == plan), size)
    found = []
    for audit in of_outcome(audits):
        if audit.hash == plan or audit.planned.index >= size:
            continue
        then = audit.until(size)
        said = {risk.contest for _, report in then.reports for risk in report.risks} & set(contests)
        if said or not then.reports:
            found.append(
                OtherPlan(
                    before=audit.planned.index < own,
                    contests=tuple(sorted(said)),
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


def contest_plans(
    audits: Sequence[RegisteredAudit], known: Contests
) -> tuple[tuple[ContestPlans, ...], tuple[RegisteredAudit, ...]]:
    """The plans by contest, in the order of the contests' ids; and those of which nobody can say which contests they audit.

    Contests are those of a plan's file where it is at hand, and otherwise those that its reports speak of.
    """
    found: dict[str, list[RegisteredAudit]] = {}
    unknown = []
    for audit in of_outcome(audits):
        said = {risk.contest for _, report in audit.reports for risk in report.risks}
        contests = known.get(audit.hash) or said
        for contest in sorted(contests):
            found.setdefault(contest, []).append(audit)
        if not contests:
            unknown.append(audit)
    return tuple(ContestPlans(contest, tuple(found[contest])) for contest in sorted(found)), tuple(unknown)
