"""Step (9): every audit whose files are published is checked again, from its plan to its report."""

from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.count import Count
from scrutineer.portal.audit_files import AuditFiles, audit_file_of, audit_path
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import Progress

STRETCH = 4096


def check_audits(count: Count, log: LogCheck, files: AuditFiles, report: Report, progress: Progress) -> None:
    """Check the audits of the log that have files. Signers, signatures and order were checked with the statements.

    An audit that has begun and is not published yet is no finding: its statements stand in the log.
    """
    tree = log.tree
    audits: dict[bytes, tuple[str, list[Entry]]] = {}
    for recorded in count.audits:
        statement = recorded.statement
        payload = statement.payload
        if isinstance(payload, AuditPlan):
            audits[statement.hash] = (payload.name, [Entry(statement.data, recorded.index)])
        elif isinstance(payload, AuditSeed | AuditCount | AuditReport) and payload.plan in audits:
            audits[payload.plan][1].append(Entry(statement.data, recorded.index))

    def count_at(size: int) -> Count:
        again = Count(count.election)
        for start in range(0, size, STRETCH):
            again.apply(log.entries(start, min(size, start + STRETCH)))
        return again

    for number, (name, entries) in enumerate(audits.values()):
        progress("Checking audits", number, len(audits))
        own = {file[1]: data for path, data in files.items() if (file := audit_file_of(path)) is not None and file[0] == name}
        if not own:
            continue
        artifacts = Artifacts(
            own, entries, root=lambda size: tree.root(size) if 0 < size <= tree.size else None, count=count_at, whole=False
        )
        report.audits += 1
        for finding in check_audit(artifacts).findings:
            report.add("audit", audit_path(name, finding.where), finding.message)
