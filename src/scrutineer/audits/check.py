"""Checks a whole audit from its artifacts alone: every hash, the order in the log, the draw, every risk, the report.

By number, what is checked:

(1) the statements are of one audit, signed by who may, and stand in the log in their order: plan, seed, counts, report;
(2) the plan file is the one that the signed plan names, and both say the same;
(3) every file that they name is there, and is what they name;
(4) the audited results are those that the log gives at the plan's size: root, totals of every box, and tests that imply the whole
    legal outcome;
(5) what was drawn is what the plan and the seed give;
(6) counts are of what was drawn, each unit once;
(7) the report says what the counts show, and the signed report says what the report file does.

All findings are collected. Where something needed for a step is not there (no log, no counts yet), the step is left out and the
facts say so; what a result rests on that nobody can check stands among its notes. Nothing that artifacts hold makes it raise.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal, TypeVar

from scrutineer.audits.check_notes import SEED_NOTE, counts_notes, latest_notes, results_notes, unseen_note
from scrutineer.audits.check_results import check_results
from scrutineer.audits.counts import Counted, resolve
from scrutineer.audits.plan import PLAN_FILE, Plan, read_plan
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.report import Report, is_report, make_report, page_name, read_report, report_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import PlanFiles, Status, draw, measure, open_files
from scrutineer.count import Count
from scrutineer.errors import PolicyError, ScrutineerError
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed, Statement, parse_statement
from scrutineer.statements.audit_order import AuditOrder

FindingCode = Literal["statement", "order", "plan", "files", "results", "draw", "count", "report", "page"]
T = TypeVar("T")

MAX_FINDINGS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it has to be."""

    code: FindingCode
    where: str
    """The file or statement."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed statement, and where it stands in the log; None where that is not known."""

    data: bytes
    index: int | None = None


@dataclass(frozen=True)
class Artifacts:
    """All there is of one audit."""

    files: Mapping[str, bytes]
    """By name, without a folder: plan.json, what the plan names, draw.csv, report.json, report.html."""
    entries: Sequence[Entry]
    """Statements of this audit, in the order of the log where that is known."""
    admit: Callable[[bytes], object] | None = None
    """Checks who signed a statement, and raises an error of the project's where that does not hold; None: nobody can."""
    root: Callable[[int], bytes | None] | None = None
    """The root of the log at a size; None for a size that it does not have."""
    count: Callable[[int], Count] | None = None
    """The count of the log at a size."""
    latest: Callable[[], Count] | None = None
    """The count of the whole log."""
    whole: bool = True
    """Whether every file has to be there. Of a site's audits only some may be published yet: what is missing is left out then."""


@dataclass
class AuditCheck:
    """What was found, and what was established."""

    name: str = ""
    findings: list[Finding] = field(default_factory=list)
    signatures: bool = False
    """Whether signers and signatures were checked."""
    ordered: bool = False
    """Whether the places of all statements in the log are known, so that their order is proven."""
    results: bool = False
    """Whether the audited results were computed again from the log."""
    about: str = ""
    draws: int = 0
    counted: int = 0
    outcome: str = ""
    """What the last report says; empty where there is none."""
    risks: dict[str, str] = field(default_factory=dict)
    """The measured risk by contest, computed again."""
    unseen: list[str] = field(default_factory=list)
    """Files that are not published, without which the check could not be brought to its end."""
    notes: list[str] = field(default_factory=list)
    """What the result rests on, and what it does not say."""

    @property
    def complete(self) -> bool:
        """Whether nothing that was to be checked is missing."""
        return not self.unseen

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, code: FindingCode, where: str, message: str) -> None:
        """Note a finding; the same one is noted once."""
        finding = Finding(code, where, message)
        if len(self.findings) < MAX_FINDINGS and finding not in self.findings:
            self.findings.append(finding)


def check_audit(artifacts: Artifacts) -> AuditCheck:
    """Check an audit. Never raises for anything that the artifacts hold."""
    checking = _Checking(artifacts)
    try:
        checking.run()
    except (ScrutineerError, ArithmeticError, ValueError, LookupError, TypeError, MemoryError) as error:
        checking.found.add("statement", "audit", f"the check could not be brought to its end: {_said(error)}")
    found = checking.found
    if not found.complete:
        found.notes.append(unseen_note(found.unseen, found.outcome))
    return found


class _Checking:
    def __init__(self, artifacts: Artifacts) -> None:
        self._all = artifacts
        self._files = artifacts.files
        self.found = AuditCheck()
        self._planned: tuple[Statement, AuditPlan] | None = None
        self._seeded: tuple[Statement, AuditSeed] | None = None
        self._counts: list[tuple[int | None, Counted]] = []
        self._reports: list[tuple[Statement, AuditReport]] = []
        self._status: Status | None = None

    def run(self) -> None:
        self._read_statements()
        if self._planned is None:
            self.found.add("order", "audit", "there is no signed plan: an audit begins with one")
            return
        planned = self._planned[1]
        self.found.name, self.found.about = planned.name, planned.about
        for report in self._reports[-1:]:
            self.found.outcome = report[1].outcome
        if planned.about != "outcome":
            self._check_programme(planned)
            return
        plan = self._try("plan", PLAN_FILE, lambda: self._plan(planned))
        if plan is None:
            return
        if not self._all.whole and (missing := sorted(plan.files.keys() - self._files.keys())):
            self.found.unseen += missing
            return
        files = self._try("files", "files", lambda: open_files(plan, self._files))
        if files is None:
            return
        self._check_results(files)
        if not self._all.whole and DRAW_FILE not in self._files and (self._counts or self._reports) and self._seeded is not None:
            self.found.unseen.append(DRAW_FILE)
            return
        sample = self._draw(files)
        self._check_counts(files, sample)
        self._check_reports(files)
        self._check_last(plan)
        self._check_names({PLAN_FILE, DRAW_FILE, *plan.files})

    # Step 1 of the check.

    def _read_statements(self) -> None:
        order = AuditOrder()
        entries = list(self._all.entries)
        indexes = [entry.index for entry in entries if entry.index is not None]
        self.found.ordered = len(indexes) == len(entries) > 0
        self.found.signatures = self._all.admit is not None
        if indexes != sorted(set(indexes)):
            self.found.add(
                "order", "log", "statements do not stand in the log as they were given: one after the other, each once"
            )
        for number, entry in enumerate(entries):
            where = f"statement {number}" if entry.index is None else f"log entry {entry.index}"
            try:
                statement = parse_statement(entry.data)
                if self._all.admit is not None:
                    self._all.admit(entry.data)
                payload = statement.payload
                if not isinstance(payload, AuditPlan | AuditSeed | AuditCount | AuditReport):
                    self.found.add("statement", where, f"a {statement.kind} is no part of an audit")
                    continue
                order.check(payload, statement.issuer, statement.hash)
            except PolicyError as error:
                self.found.add("order", where, str(error))
                continue
            except ScrutineerError as error:
                self.found.add("statement", where, str(error))
                continue
            order.apply(statement)
            self._take(statement, payload, entry.index, where)

    def _take(
        self, statement: Statement, payload: AuditPlan | AuditSeed | AuditCount | AuditReport, index: int | None, where: str
    ) -> None:
        if isinstance(payload, AuditPlan):
            if self._planned is not None:
                self.found.add("order", where, "a second plan: it is another audit's")
                return
            self._planned = (statement, payload)
            if payload.size and index is not None and payload.size > index:
                self.found.add("order", where, f"the plan speaks of log size {payload.size}, which the log had not reached")
        elif isinstance(payload, AuditSeed):
            self._seeded = (statement, payload)
        elif isinstance(payload, AuditCount):
            self._counts.append((index, Counted(statement.hash, payload)))
        else:
            self._reports.append((statement, payload))
            if index is not None and payload.size > index:
                self.found.add("order", where, f"the report rests on log size {payload.size}, which the log had not reached")
        if self._planned is not None and payload.election != self._planned[1].election:
            self.found.add("statement", where, "it belongs to another election than the plan")

    # Steps 2 to 4 of the check.

    def _plan(self, planned: AuditPlan) -> Plan | None:
        data = self._files.get(PLAN_FILE)
        if data is None:
            self._missing("plan", PLAN_FILE, "is missing, and the signed plan names it")
            return None
        if hashlib.sha256(data).digest() != planned.plan:
            self.found.add("plan", PLAN_FILE, "is not the file that the signed plan names: it was changed")
        plan = read_plan(data)
        root = planned.root or b""
        signed = (planned.name, planned.election.hex(), planned.size, root.hex(), planned.risk_limit)
        if signed != (plan.name, plan.election, plan.size, plan.root, plan.risk_limit):
            self.found.add("plan", PLAN_FILE, "says another name, election, log size, root or risk limit than the signed plan")
        named = {file.name: (file.sha256.hex(), file.size) for file in planned.files}
        if named != {name: (file.sha256, file.size) for name, file in plan.files.items()}:
            self.found.add("plan", PLAN_FILE, "names other files than the signed plan, or other hashes of them")
        if self._all.root is not None and self._all.root(planned.size) != root:
            self.found.add("results", PLAN_FILE, f"names another root than the log has at size {planned.size}")
        return plan

    def _check_results(self, files: PlanFiles) -> None:
        if (count_at := self._all.count) is None:
            return
        self.found.results = True
        if (count := self._try("results", PLAN_FILE, lambda: count_at(files.plan.size))) is None:
            return
        for message in self._try("results", PLAN_FILE, lambda: check_results(files, count)) or ():
            self.found.add("results", PLAN_FILE, message)
        self.found.notes += self._try("results", PLAN_FILE, lambda: results_notes(files, count)) or ()

    # Step 5 of the check.

    def _draw(self, files: PlanFiles) -> Sample:
        given = self._files.get(DRAW_FILE)
        if self._seeded is None:
            if given is not None:
                self.found.add("draw", DRAW_FILE, "is there, and no seed is registered")
            return Sample(())
        seed = self._seeded[1].seed
        if given is None:
            if self._counts or self._reports:
                self._missing("draw", DRAW_FILE, "is missing: what was drawn cannot be told from what was counted")
            return Sample(())
        most = files.plan.cards if not files.plan.replacement else 10 * files.plan.boxes * files.plan.boxes + 10_000_000
        rows = self._try("draw", DRAW_FILE, lambda: draws_in(given))
        if rows is None or rows > most:
            if rows is not None:
                self.found.add("draw", DRAW_FILE, f"has {rows} draws, more than there can be")
            return Sample(())
        sample = self._try("draw", DRAW_FILE, lambda: draw(files, seed, rows)) or Sample(())
        if differs := difference(given, encode_draw(sample)):
            self.found.add("draw", DRAW_FILE, differs)
        self.found.draws = len(sample)
        return sample

    # Step 6 of the check.

    def _check_counts(self, files: PlanFiles, sample: Sample) -> None:
        seen = resolve(one for _, one in self._counts)
        status = self._try("count", "counts", lambda: measure(files, sample, seen))
        if status is None:
            return
        self._status = status
        self.found.counted = status.counted
        self.found.risks = {contest.contest: contest.risk for contest in status.contests}
        disclosed = self._disclosed()
        for fault in status.faults:
            # What the last report says of itself is no secret, and was left out of account.
            if fault not in disclosed:
                self.found.add("count", "counts", fault)
        self.found.notes += counts_notes(seen, [fault for fault in status.faults if fault in disclosed])

    def _disclosed(self) -> tuple[str, ...]:
        """Faults that the last signed report names."""
        data = self._files.get(report_name(len(self._reports)), b"") if self._reports else b""
        try:
            return read_report(data).faults
        except ScrutineerError:
            return ()

    # Step 7 of the check.

    def _check_reports(self, files: PlanFiles) -> None:
        names = [report_name(number) for number in range(1, len(self._reports) + 1)]
        for name in sorted(self._files.keys() - set(names)):
            if is_report(name):
                self.found.add("report", name, "is there, and no signed report names it")
        for name, (_, signed) in zip(names, self._reports, strict=True):
            data = self._files.get(name)
            if data is None:
                self._missing("report", name, "is missing, and a signed report names it")
                continue
            if hashlib.sha256(data).digest() != signed.report:
                self.found.add("report", name, "is not the file that the signed report names: it was changed")
            self._try("report", name, partial(self._check_report, files, name, data, signed))

    def _check_report(self, files: PlanFiles, name: str, data: bytes, signed: AuditReport) -> None:
        report = read_report(data)
        plan = b"" if self._planned is None else self._planned[0].hash
        seed = signed.seed  # In its place in the log it is the registered one, or there was none yet: the order is checked.
        named = self._named_by(report)
        counts = tuple(one for index, one in self._counts if (one.hash in named if index is None else index < report.size))
        draws = report.draws if 0 <= report.draws <= self.found.draws else self.found.draws
        sample = Sample(()) if self._seeded is None or seed is None else draw(files, self._seeded[1].seed, draws)
        again = make_report(files, plan, seed, sample, counts, report.size, stop=report.outcome == "stopped")
        if again != report:
            fields = [field for field in report.__struct_fields__ if getattr(report, field) != getattr(again, field)]
            self.found.add("report", name, f"says otherwise than plan, seed and counts in: {', '.join(fields)}")
        risks = {each.contest: each.risk for each in report.contests}
        if (signed.size, signed.outcome, {each.contest: each.risk for each in signed.risks}) != (
            report.size,
            report.outcome,
            risks,
        ):
            self.found.add("report", name, "says another log size, outcome or risk than the signed report")
        page = self._files.get(page_name(name))
        if page is not None and page != report_page(files.plan, report):
            self.found.add(
                "page",
                page_name(name),
                f"is not what this version of the program makes of {name}: it was changed, or is of another version; read {name}",
            )

    def _named_by(self, report: Report) -> set[bytes]:
        """The counts that a report names and those whose place they took: without a log, what was there when it was made."""
        replaces = {one.hash: one.count.replaces for _, one in self._counts}
        named: set[bytes] = set()
        for each in report.counts:
            name: bytes | None = bytes.fromhex(each.statement)
            while name is not None and name not in named:
                named.add(name)
                name = replaces.get(name)
        return named

    def _check_last(self, plan: Plan) -> None:
        """Hold the last report against all counts, those that it leaves out as well, and against the results that stand now."""
        if self._seeded is not None:
            self.found.notes.append(SEED_NOTE)
        if self.found.outcome != "confirmed":
            return
        if self._status is not None and not self._status.confirmed:
            self.found.add(
                "report",
                report_name(len(self._reports)),
                "says that the outcome is confirmed, and with all counts that are registered it is not: report again",
            )
        if (latest := self._all.latest) is not None:
            self.found.notes += self._try("results", PLAN_FILE, lambda: latest_notes(plan, latest())) or ()

    # Audits of anything but the outcome.

    def _check_programme(self, planned: AuditPlan) -> None:
        named = {file.name: file for file in planned.files}
        for name, file in named.items():
            data = self._files.get(name)
            if data is None:
                self._missing("files", name, "is missing, and the plan names it")
            elif (hashlib.sha256(data).digest(), len(data)) != (file.sha256, file.size):
                self.found.add("files", name, "is not the file that the plan names: it was changed")
        self._check_names(set(named))

    def _missing(self, code: FindingCode, where: str, message: str) -> None:
        if self._all.whole:
            self.found.add(code, where, message)
        elif where not in self.found.unseen:
            self.found.unseen.append(where)

    def _evidence(self) -> set[bytes]:
        """Hashes of what seed, counts and reports name as evidence."""
        seeds = () if self._seeded is None else self._seeded[1].evidence
        images = (image for _, one in self._counts for image in one.count.images)
        named = (
            hash_ for _, report in self._reports for hash_ in (*report.evidence, *([report.report] if report.report else []))
        )
        return {*seeds, *images, *named}

    def _check_names(self, known: set[str]) -> None:
        evidence = self._evidence()
        reports = {report_name(number) for number in range(1, len(self._reports) + 1)}
        known |= reports | {page_name(name) for name in reports}
        for name in sorted(name for name in self._files.keys() - known if not is_report(name)):
            if hashlib.sha256(self._files[name]).digest() in evidence:
                continue
            self.found.add("files", name, "is no file of this audit: nothing that is signed names it")

    def _try(self, code: FindingCode, where: str, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except (ScrutineerError, ArithmeticError, ValueError, LookupError, TypeError, MemoryError) as error:
            self.found.add(code, where, _said(error))
            return None


def _said(error: BaseException) -> str:
    return (
        str(error)
        if isinstance(error, ScrutineerError)
        else f"holds values that nothing can be computed with ({type(error).__name__})"
    )
