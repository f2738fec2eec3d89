"""Step (9): every audit whose files are published is checked again, from its plan to its report."""

from collections.abc import Mapping

from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.audits.check_others import contest_note
from scrutineer.audits.registered import RegisteredAudit, of_outcome
from scrutineer.count import Count
from scrutineer.portal.audit_files import AuditFiles, audit_path, own_files
from scrutineer.portal.audited import Audited, Audits, audits_of
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import Progress

STRETCH = 4096


def check_audits(count: Count, log: LogCheck, files: AuditFiles, report: Report, progress: Progress) -> None:
    """Check the audits of the log that have files. Signers, signatures and order were checked with the statements.

    An audit that has begun and is not published yet is no finding: its statements stand in the log. But it is said, with whatever
    else the result rests on, so that nobody takes a signed report for one that was checked.
    """
    audits = audits_of(count, files)
    report.audit_notes += _several(audits)
    checking = _Checking(count, log, [one.log for one in audits.every], report)
    for number, one in enumerate(audits.every):
        progress("Checking audits", number, len(audits.every))
        checking.check(one, own_files(files, one.log.plan.name))


def _several(audits: Audits) -> list[str]:
    """Notes on contests that several plans audit, and on plans without a report."""
    outcomes = sum(1 for _ in of_outcome([one.log for one in audits.every]))
    notes = [note for plans in audits.by_contest if (note := contest_note(plans))]
    if outcomes > 1:
        notes.insert(
            0,
            f"{outcomes} audits of the outcome are planned. The risk limit holds for each by itself, and not for the best of "
            "several.",
        )
    return notes


class _Checking:
    def __init__(self, count: Count, log: LogCheck, registered: list[RegisteredAudit], report: Report) -> None:
        self._count = count
        self._log = log
        self._registered = registered
        self._report = report
        self._at: tuple[int, Count] | None = None
        """The last count that was made; several plans may rest on the same results."""

    def check(self, audit: Audited, files: Mapping[str, bytes]) -> None:
        """Check one audit, by its files that are published."""
        log, report, tree = audit.log, self._report, self._log.tree
        name = log.plan.name
        if not files:
            if log.outcome is not None:
                report.audit_notes.append(
                    f"Audit {name!r}: its signed report says {log.outcome!r}, and none of its files is published: nobody can "
                    "compute it again."
                )
            return
        check = check_audit(
            Artifacts(
                files,
                [Entry(own.statement.data, own.index) for own in log.statements],
                root=lambda size: tree.root(size) if 0 < size <= tree.size else None,
                count=self._count_at,
                latest=lambda: self._count,
                whole=False,
                registered=self._registered,
                definition=self._count.election.definition,
                alone=False,
            )
        )
        report.audits += check.complete
        report.audit_notes += [f"Audit {name!r}: {note}" for note in check.notes]
        for finding in check.findings:
            report.add("audit", audit_path(name, finding.where), finding.message)
        named = {finding.where for finding in check.findings}
        for own in audit.unreadable:
            if own.name not in named:
                report.add("audit", audit_path(name, own.name), own.why)

    def _count_at(self, size: int) -> Count:
        if self._at is not None and self._at[0] == size:
            return self._at[1]
        again = Count(self._count.election)
        for start in range(0, size, STRETCH):
            again.apply(self._log.entries(start, min(size, start + STRETCH)))
        self._at = size, again
        return again
