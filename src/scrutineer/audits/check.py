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
from functools import partial
from typing import Final

from scrutineer.audits.check_head import HEAD_FILE, seed_notes
from scrutineer.audits.check_model import UNSOUND, Artifacts, AuditCheck, Entry, Finding, FindingCode, said
from scrutineer.audits.check_notes import counts_notes, latest_notes, results_notes, unseen_note
from scrutineer.audits.check_others import others_notes
from scrutineer.audits.check_reports import ReportsCheck
from scrutineer.audits.check_results import check_results
from scrutineer.audits.check_statements import read_statements
from scrutineer.audits.counts import resolve
from scrutineer.audits.plan import PLAN_FILE, Plan, read_plan
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.report import is_report, page_name, report_name
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import Status, draw, measure
from scrutineer.statements import AuditPlan

__all__ = ["Artifacts", "AuditCheck", "Entry", "Finding", "check_audit"]

_MOST_DRAWS: Final = 10_000_000  # beyond ten for each pair of boxes: no audit by box ever needs as many


def check_audit(artifacts: Artifacts) -> AuditCheck:
    """Check an audit. Never raises for anything that the artifacts hold."""
    found = AuditCheck()
    try:
        _Checking(artifacts, found).run()
    except UNSOUND as error:
        found.add("statement", "audit", f"the check could not be brought to its end: {said(error)}")
    if not found.complete:
        found.notes.append(unseen_note(found.unseen, found.outcome))
    return found


class _Checking:
    def __init__(self, artifacts: Artifacts, found: AuditCheck) -> None:
        self._all = artifacts
        self._files = artifacts.files
        self.found = found
        self._own = read_statements(artifacts, found)
        self._reports = ReportsCheck(artifacts, self._own, found)
        self._status: Status | None = None

    def run(self) -> None:
        own = self._own
        if own.planned is None:
            self.found.add("order", "audit", "there is no signed plan: an audit begins with one")
            return
        planned = own.planned[1]
        self.found.name, self.found.about = planned.name, planned.about
        for report in own.reports[-1:]:
            self.found.outcome = report[1].outcome
        if planned.about != "outcome":
            self._check_programme(planned)
            return
        plan = self.found.attempt("plan", PLAN_FILE, partial(self._plan, planned))
        if plan is None:
            return
        if self._all.registered is not None and self._all.alone:
            self.found.notes += others_notes(own.planned[0].hash, self._all.registered)
        if not self._all.whole and (missing := sorted(plan.files.keys() - self._files.keys())):
            self.found.unseen += missing
            return
        files = self.found.attempt("files", "files", partial(open_files, plan, self._files))
        if files is None:
            return
        self._check_results(files)
        if not self._all.whole and DRAW_FILE not in self._files and (own.counts or own.reports) and own.seeded is not None:
            self.found.unseen.append(DRAW_FILE)
            return
        sample = self._draw(files)
        self._check_counts(files, sample)
        for name in self._reports.check(files):
            self._missing("report", name, "is missing, and a signed report names it")
        self._check_last(plan)
        shown = set() if own.seeded is not None else {HEAD_FILE}
        self._check_names({PLAN_FILE, DRAW_FILE, *plan.files, *shown})

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
        signed = (planned.name, planned.election.hex(), planned.size, root.hex(), planned.risk_limit, planned.contests)
        if signed != (plan.name, plan.election, plan.size, plan.root, plan.risk_limit, plan.measured()):
            self.found.add(
                "plan", PLAN_FILE, "says another name, election, log size, root, risk limit or contests than the signed plan"
            )
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
        if (count := self.found.attempt("results", PLAN_FILE, lambda: count_at(files.plan.size))) is None:
            return
        for message in self.found.attempt("results", PLAN_FILE, lambda: check_results(files, count)) or ():
            self.found.add("results", PLAN_FILE, message)
        self.found.notes += self.found.attempt("results", PLAN_FILE, lambda: results_notes(files, count)) or ()

    # Step 5 of the check.

    def _draw(self, files: PlanFiles) -> Sample:
        given = self._files.get(DRAW_FILE)
        if self._own.seeded is None:
            if given is not None:
                self.found.add("draw", DRAW_FILE, "is there, and no seed is registered")
            return Sample(())
        seed = self._own.seeded[1].seed
        if given is None:
            if self._own.counts or self._own.reports:
                self._missing("draw", DRAW_FILE, "is missing: what was drawn cannot be told from what was counted")
            return Sample(())
        most = files.plan.cards if not files.plan.replacement else 10 * files.plan.boxes * files.plan.boxes + _MOST_DRAWS
        rows = self.found.attempt("draw", DRAW_FILE, lambda: draws_in(given))
        if rows is None or rows > most:
            if rows is not None:
                self.found.add("draw", DRAW_FILE, f"has {rows} draws, more than there can be")
            return Sample(())
        sample = self.found.attempt("draw", DRAW_FILE, lambda: draw(files, seed, rows)) or Sample(())
        if differs := difference(given, encode_draw(sample)):
            self.found.add("draw", DRAW_FILE, differs)
        self.found.draws = len(sample)
        return sample

    # Step 6 of the check.

    def _check_counts(self, files: PlanFiles, sample: Sample) -> None:
        seen = resolve(one for _, one in self._own.counts)
        status = self.found.attempt("count", "counts", lambda: measure(files, sample, seen))
        if status is None:
            return
        self._status = status
        self.found.counted = status.counted
        self.found.risks = {contest.contest: contest.risk for contest in status.contests}
        disclosed = self._reports.disclosed()
        for fault in status.faults:
            # What the last report says of itself is no secret, and was left out of account.
            if fault not in disclosed:
                self.found.add("count", "counts", fault)
        self.found.notes += counts_notes(seen, [fault for fault in status.faults if fault in disclosed])

    def _check_last(self, plan: Plan) -> None:
        """Hold the last report against all counts, those that it leaves out as well, and against the results that stand now."""
        self.found.notes += seed_notes(self._own, self._all, self.found)
        if self.found.outcome != "confirmed":
            return
        if self._status is not None and not self._status.confirmed:
            self.found.add(
                "report",
                report_name(len(self._own.reports)),
                "says that the outcome is confirmed, and with all counts that are registered it is not: report again",
            )
        if (latest := self._all.latest) is not None:
            self.found.notes += self.found.attempt("results", PLAN_FILE, lambda: latest_notes(plan, latest())) or ()

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

    def _check_names(self, known: set[str]) -> None:
        evidence = self._own.evidence()
        known |= {each for name in self._reports.names for each in (name, page_name(name))}
        for name in sorted(name for name in self._files.keys() - known if not is_report(name)):
            if hashlib.sha256(self._files[name]).digest() in evidence:
                continue
            self.found.add("files", name, "is no file of this audit: nothing that is signed names it")
