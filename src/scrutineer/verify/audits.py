"""Step (9): every audit whose files are published is checked again, from its plan to its report."""

from collections.abc import Sequence

from scrutineer.audits.check import Artifacts, Entry, check_audit
from scrutineer.count import Count
from scrutineer.portal.audit_files import AuditFiles, audit_file_of, audit_path
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed, parse_statement
from scrutineer.verify.log_check import LogCheck
from scrutineer.verify.report import Report
from scrutineer.verify.source import Progress

STRETCH = 4096


def check_audits(count: Count, log: LogCheck, files: AuditFiles, report: Report, progress: Progress) -> None:
    """Check the audits of the log that have files. Signers, signatures and order were checked with the statements.

    An audit that has begun and is not published yet is no finding: its statements stand in the log. But it is said, with whatever
    else the result rests on, so that nobody takes a signed report for one that was checked.
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

    outcomes = sum(
        isinstance(own.statement.payload, AuditPlan) and own.statement.payload.about == "outcome" for own in count.audits
    )
    if outcomes > 1:
        report.audit_notes.append(
            f"{outcomes} audits of the outcome are planned. The risk limit holds for each by itself, and not for the best of "
            "several."
        )
    for number, (name, entries) in enumerate(audits.values()):
        progress("Checking audits", number, len(audits))
        own = {file[1]: data for path, data in files.items() if (file := audit_file_of(path)) is not None and file[0] == name}
        if not own:
            if said := _reported(entries):
                report.audit_notes.append(
                    f"Audit {name!r}: its signed report says {said!r}, and none of its files is "
                    "published: nobody can compute it again."
                )
            continue
        artifacts = Artifacts(
            own,
            entries,
            root=lambda size: tree.root(size) if 0 < size <= tree.size else None,
            count=count_at,
            latest=lambda: count,
            whole=False,
        )
        check = check_audit(artifacts)
        report.audits += check.complete
        report.audit_notes += [f"Audit {name!r}: {note}" for note in check.notes]
        for finding in check.findings:
            report.add("audit", audit_path(name, finding.where), finding.message)


def _reported(entries: Sequence[Entry]) -> str:
    """What the last report among the statements of an audit says; empty where there is none."""
    payloads = (parse_statement(entry.data).payload for entry in reversed(entries))
    return next((payload.outcome for payload in payloads if isinstance(payload, AuditReport)), "")
