"""Who may say what of an audit, and when: the seed after its plan, one seed for a plan, counts after the seed.

Pure state over the log's prefix: `apply` takes note of what is recorded, `check` says whether a statement may follow. Of two
seeds (or two plans of one name) the first in the log holds for ever. Several plans may share one throw of dice, if all of them
were registered before it.
"""

from dataclasses import dataclass
from typing import Final

from scrutineer.errors import PolicyError
from scrutineer.statements.audit import AuditCount, AuditPlan, AuditReport, AuditSeed, AuditStatement
from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, CONTENT_TYPE_SUFFIX
from scrutineer.statements.statement import Statement

_ORDERED: Final = tuple(f"{CONTENT_TYPE_PREFIX}{kind}{CONTENT_TYPE_SUFFIX}".encode() for kind in ("audit-plan", "audit-seed"))


def orders_audits(data: bytes) -> bool:
    """Whether the bytes of a well-formed statement decide what may follow in an audit; looks at its header alone."""
    start = data[:96]
    return any(kind in start for kind in _ORDERED)


@dataclass(slots=True)
class PlannedAudit:
    """One registered plan, and its seed once that is registered."""

    hash: bytes
    plan: AuditPlan
    issuer: str
    number: int
    """How many plans were registered before it."""
    seed: bytes | None = None
    """Hash of the seed's statement."""

    def may(self, issuer: str) -> bool:
        """Whether an issuer belongs to this audit."""
        return issuer == self.issuer or issuer in self.plan.board


class AuditOrder:
    """The plans and seeds of one election's log so far."""

    def __init__(self) -> None:
        self.plans: dict[bytes, PlannedAudit] = {}
        """By hash of the plan's statement."""
        self.names: dict[str, bytes] = {}
        """The plan that holds each name."""
        self._shown: dict[str, int] = {}
        """How many plans were registered when the digits of a seed were first."""

    def apply(self, statement: Statement) -> None:
        """Take note of a recorded statement. One that `check` would refuse changes nothing."""
        payload = statement.payload
        if isinstance(payload, AuditPlan):
            if self.names.setdefault(payload.name, statement.hash) == statement.hash:
                self.plans.setdefault(statement.hash, PlannedAudit(statement.hash, payload, statement.issuer, len(self.plans)))
        elif isinstance(payload, AuditSeed):
            planned = self.plans.get(payload.plan)
            if planned is not None and planned.seed is None and planned.may(statement.issuer):
                planned.seed = statement.hash
                self._shown.setdefault(payload.seed, len(self.plans))

    def check(self, payload: AuditStatement, issuer: str, name: bytes) -> None:
        """Refuse a statement, by its hash, that may not follow what is recorded. Raises PolicyError with the reason's code."""
        if isinstance(payload, AuditPlan):
            if self.names.get(payload.name, name) != name:
                raise PolicyError(f"audit {payload.name!r} is planned already: give this one another name", code="second-plan")
            return
        planned = self.plans.get(payload.plan)
        if planned is None:
            raise PolicyError(
                f"plan {payload.plan.hex()[:16]}… is not registered: register the plan first, and only then make what follows it",
                code="plan-not-registered",
            )
        if not planned.may(issuer):
            raise PolicyError(
                f"{issuer} does not belong to audit {planned.plan.name!r}: it is held by {planned.issuer} and the board that "
                "its plan names",
                code="not-of-this-audit",
            )
        if isinstance(payload, AuditSeed):
            if planned.seed not in (None, name):
                raise PolicyError(f"audit {planned.plan.name!r} has its seed: a plan is drawn from once", code="second-seed")
            if planned.number >= self._shown.get(payload.seed, len(self.plans)):
                raise PolicyError(
                    f"these digits were known before audit {planned.plan.name!r} was planned: throw the dice again for it",
                    code="known-seed",
                )
        elif isinstance(payload, AuditCount):
            if planned.seed is None:
                raise PolicyError(
                    f"audit {planned.plan.name!r} has no seed yet, so no box of it can have been drawn: register the seed first",
                    code="seed-not-registered",
                )
        else:
            self._check_report(payload, planned)

    def _check_report(self, report: AuditReport, planned: PlannedAudit) -> None:
        if report.seed != planned.seed:
            raise PolicyError(
                f"the report of audit {planned.plan.name!r} names "
                f"{'no seed, and one is registered' if report.seed is None else 'another seed than the registered one'}: name it",
                code="seed-not-registered",
            )
        if (planned.plan.about == "outcome") != bool(report.risks):
            raise PolicyError(
                f"audit {planned.plan.name!r} is about {planned.plan.about}: the report of an audit of the outcome says the risk "
                "of each contest, and no other does",
                code="wrong-shape",
            )
