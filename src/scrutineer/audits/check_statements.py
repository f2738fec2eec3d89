"""Step (1) of the check: the statements of one audit, signed by who may, in the order that the log demands."""

from dataclasses import dataclass, field

from scrutineer.audits.check_model import Artifacts, AuditCheck
from scrutineer.audits.counts import Counted
from scrutineer.errors import PolicyError, ScrutineerError
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed, Statement, parse_statement
from scrutineer.statements.audit_order import AuditOrder


@dataclass
class AuditStatements:
    """What was said in an audit."""

    planned: tuple[Statement, AuditPlan] | None = None
    plan_index: int | None = None
    """Where the plan stands in the log; None where that is not known."""
    seeded: tuple[Statement, AuditSeed] | None = None
    seed_index: int | None = None
    counts: list[tuple[int | None, Counted]] = field(default_factory=list)
    """With their places in the log, where these are known."""
    reports: list[tuple[Statement, AuditReport]] = field(default_factory=list)

    def evidence(self) -> set[bytes]:
        """Hashes of what seed, counts and reports name: photographs, recordings, and the report files."""
        seed = None if self.seeded is None else self.seeded[1]
        seeds = () if seed is None else (*seed.evidence, *([seed.head] if seed.head else []))
        images = (image for _, one in self.counts for image in one.count.images)
        named = (hash_ for _, report in self.reports for hash_ in (*report.evidence, *([report.report] if report.report else [])))
        return {*seeds, *images, *named}


def read_statements(artifacts: Artifacts, found: AuditCheck) -> AuditStatements:
    """The statements that may stand where they do; for every other one there is a finding."""
    order, own = AuditOrder(), AuditStatements()
    entries = list(artifacts.entries)
    indexes = [entry.index for entry in entries if entry.index is not None]
    found.ordered = len(indexes) == len(entries) > 0
    found.signatures = artifacts.admit is not None
    if indexes != sorted(set(indexes)):
        found.add("order", "log", "statements do not stand in the log as they were given: one after the other, each once")
    for number, entry in enumerate(entries):
        where = f"statement {number}" if entry.index is None else f"log entry {entry.index}"
        try:
            statement = parse_statement(entry.data)
            if artifacts.admit is not None:
                artifacts.admit(entry.data)
            payload = statement.payload
            if not isinstance(payload, AuditPlan | AuditSeed | AuditCount | AuditReport):
                found.add("statement", where, f"a {statement.kind} is no part of an audit")
                continue
            order.check(payload, statement.issuer, statement.hash)
        except PolicyError as error:
            found.add("order", where, str(error))
            continue
        except ScrutineerError as error:
            found.add("statement", where, str(error))
            continue
        order.apply(statement)
        _take(own, found, statement, payload, entry.index, where)
    return own


def _take(
    own: AuditStatements,
    found: AuditCheck,
    statement: Statement,
    payload: AuditPlan | AuditSeed | AuditCount | AuditReport,
    index: int | None,
    where: str,
) -> None:
    if isinstance(payload, AuditPlan):
        if own.planned is not None:
            found.add("order", where, "a second plan: it is another audit's")
            return
        own.planned, own.plan_index = (statement, payload), index
        if payload.size and index is not None and payload.size > index:
            found.add("order", where, f"the plan speaks of log size {payload.size}, which the log had not reached")
    elif isinstance(payload, AuditSeed):
        own.seeded, own.seed_index = (statement, payload), index
    elif isinstance(payload, AuditCount):
        own.counts.append((index, Counted(statement.hash, payload)))
    else:
        own.reports.append((statement, payload))
        if index is not None and payload.size > index:
            found.add("order", where, f"the report rests on log size {payload.size}, which the log had not reached")
    if own.planned is not None and payload.election != own.planned[1].election:
        found.add("statement", where, "it belongs to another election than the plan")
