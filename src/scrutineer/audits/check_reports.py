"""Step (7) of the check: a report says what the counts show, the signed report says what its file does, and the page shows it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from scrutineer.audits.check_model import Artifacts, AuditCheck
from scrutineer.audits.check_statements import AuditStatements
from scrutineer.audits.other_plans import other_plans
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.report import Report, is_report, make_report, page_name, read_report, report_name
from scrutineer.audits.report_page import page_verdict
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import draw
from scrutineer.errors import ScrutineerError
from scrutineer.statements import AuditReport


@dataclass(frozen=True)
class ReportsCheck:
    """Checks the reports of one audit."""

    artifacts: Artifacts
    statements: AuditStatements
    found: AuditCheck

    @property
    def names(self) -> list[str]:
        """The report files that signed reports name, in their order."""
        return [report_name(number) for number in range(1, len(self.statements.reports) + 1)]

    def check(self, files: PlanFiles) -> list[str]:
        """Check every report; the names of files that are missing."""
        given, missing = self.artifacts.files, []
        for name in sorted(given.keys() - set(self.names)):
            if is_report(name):
                self.found.add("report", name, "is there, and no signed report names it")
        for name, (_, signed) in zip(self.names, self.statements.reports, strict=True):
            data = given.get(name)
            if data is None:
                missing.append(name)
                continue
            if hashlib.sha256(data).digest() != signed.report:
                self.found.add("report", name, "is not the file that the signed report names: it was changed")
            report = self.found.attempt("report", name, partial(read_report, data))
            if report is not None:
                self.found.attempt("report", name, partial(self._check_report, files, name, report, signed))
                self.found.attempt("page", page_name(name), partial(self._check_page, files, name, report))
        return missing

    def disclosed(self) -> tuple[str, ...]:
        """Faults of counts that the last signed report names: what it says of itself is no secret."""
        data = self.artifacts.files.get(self.names[-1], b"") if self.names else b""
        try:
            return read_report(data).faults
        except ScrutineerError:
            return ()

    def _check_report(self, files: PlanFiles, name: str, report: Report, signed: AuditReport) -> None:
        own = self.statements
        plan = b"" if own.planned is None else own.planned[0].hash
        seed = signed.seed  # In its place in the log it is the registered one, or there was none yet: the order is checked.
        named = self._named_by(report)
        counts = tuple(one for index, one in own.counts if (one.hash in named if index is None else index < report.size))
        draws = report.draws if 0 <= report.draws <= self.found.draws else self.found.draws
        sample = Sample(()) if own.seeded is None or seed is None else draw(files, own.seeded[1].seed, draws)
        others = report.others
        if (registered := self.artifacts.registered) is not None:
            others = other_plans(registered, plan, {contest.contest for contest in files.plan.contests}, report.size)
        again = make_report(files, plan, seed, sample, counts, report.size, others=others, stop=report.outcome == "stopped")
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

    def _check_page(self, files: PlanFiles, name: str, report: Report) -> None:
        where = page_name(name)
        page = self.artifacts.files.get(where)
        if page is None or hashlib.sha256(page).digest() in self.statements.evidence():
            return
        if self.artifacts.definition is None:
            self.found.notes.append(f"{where} is not checked without the log, which names the options: read {name}, which is.")
            return
        verdict = page_verdict(files.plan, report, self.artifacts.definition.contests, page)
        if verdict == "changed":
            self.found.add("page", where, f"does not show what {name} says: it was changed, or is another report's page")
        elif verdict == "other-version":
            self.found.notes.append(
                f"{where} was made by another version of the program, and is not checked: read {name}, which is."
            )

    def _named_by(self, report: Report) -> set[bytes]:
        """The counts that a report names and those whose place they took: without a log, what was there when it was made."""
        replaces: Mapping[bytes, bytes | None] = {one.hash: one.count.replaces for _, one in self.statements.counts}
        named: set[bytes] = set()
        for each in report.counts:
            name: bytes | None = bytes.fromhex(each.statement)
            while name is not None and name not in named:
                named.add(name)
                name = replaces.get(name)
        return named
