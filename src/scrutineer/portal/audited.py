"""The audits of an election for its pages: what the log says of each, and what its published files say or fail to say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scrutineer.audits.assertion_words import assertion_sentence
from scrutineer.audits.check_model import UNSOUND, said
from scrutineer.audits.check_results import not_shown_now
from scrutineer.audits.other_plans import ContestPlans, contest_plans
from scrutineer.audits.plan import PLAN_FILE, Plan, read_plan
from scrutineer.audits.planned.files import check_weights
from scrutineer.audits.registered import RegisteredAudit, registered_audits
from scrutineer.audits.report import read_report
from scrutineer.count import Count
from scrutineer.errors import AuditError
from scrutineer.portal.audit_files import AuditFiles, own_files, report_files
from scrutineer.statements import AuditPlan


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A published file that nobody can work with, although a signed statement names it."""

    name: str
    why: str
    """In plain English."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One audit."""

    log: RegisteredAudit
    file: Plan | None
    """Its plan file; None where that is not published, or cannot be read, or is not about contests of this election."""
    unreadable: tuple[Unreadable, ...]
    outdated: tuple[str, ...]
    """Contests that it confirmed, and whose results now are others than those."""


@dataclass(frozen=True, slots=True)
class Audits:
    """The audits of an election, in the order of their plans."""

    every: tuple[Audited, ...]
    by_contest: tuple[ContestPlans, ...]
    """The plans for audits of the outcome by contest, in the order of the contests' ids."""


def audits_of(count: Count, files: AuditFiles) -> Audits:
    """Every audit with a registered plan."""
    every = tuple(_audited(log, count, own_files(files, log.plan.name)) for log in registered_audits(count.audits))
    return Audits(every, contest_plans([one.log for one in every]))


def _audited(log: RegisteredAudit, count: Count, files: Mapping[str, bytes]) -> Audited:
    unreadable = list(_unreadable_reports(log, files))
    plan: Plan | None = None
    outdated: tuple[str, ...] = ()
    if log.plan.plan is not None and PLAN_FILE in files:
        try:
            plan = _plan(files[PLAN_FILE], log.plan, count)
            outdated = not_shown_now(plan, count) if log.outcome == "confirmed" else ()
        except UNSOUND as error:
            unreadable.insert(0, Unreadable(PLAN_FILE, said(error)))
            plan = None
    return Audited(log, plan, tuple(unreadable), outdated)


def _plan(data: bytes, planned: AuditPlan, count: Count) -> Plan:
    """The plan of a file. Raises AuditError for none, for another than was signed, and for tests that do not fit the election."""
    plan = read_plan(data)
    signed = (planned.name, planned.election.hex(), planned.size, (planned.root or b"").hex(), planned.risk_limit)
    if signed != (plan.name, plan.election, plan.size, plan.root, plan.risk_limit):
        raise AuditError("it says another name, election, log size, root or risk limit than the signed plan")
    check_weights(plan, plan.cards)
    for each in plan.contests:
        number = count.election.contest_index.get(each.contest)
        if number is None:
            raise AuditError(f"it is about contest {each.contest!r}, which this election does not have")
        contest = count.election.contests[number]
        for test in each.tests:
            assertion_sentence(test.assertion(contest.id), contest)
            if len(test.weights) != len(contest.options):
                raise AuditError(
                    f"contest {contest.id!r}, {test.code}: {len(test.weights)} weights for {len(contest.options)} options"
                )
    check_weights(plan, plan.cards)
    return plan


def _unreadable_reports(log: RegisteredAudit, files: Mapping[str, bytes]) -> Iterator[Unreadable]:
    for name, (_, signed) in zip(report_files(log), log.reports, strict=True):
        if signed.report is not None and name in files:
            try:
                read_report(files[name])
            except UNSOUND as error:
                yield Unreadable(name, said(error))
