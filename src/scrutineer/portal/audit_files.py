"""Files of audits, published as `audits/<name>/<file>`: those that a registered plan or report names, or that follow from these.

The plan file and what it names, and report files, are named by hash in signed statements. What is drawn follows from plan and
seed, and the page of a report from the report: these are published only as they come out when they are made again. Evidence is
published under its own name where a seed, count or report of the audit names its hash. Nothing else is published.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from scrutineer.audits.plan import PLAN_FILE, Plan, read_plan
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.report import is_report, page_name, read_report, report_name
from scrutineer.audits.report_page import report_page
from scrutineer.audits.status import draw, open_files
from scrutineer.count import Count
from scrutineer.errors import PublicationError, ScrutineerError
from scrutineer.portal.formats import SiteFile
from scrutineer.statements import AuditCount, AuditPlan, AuditReport, AuditSeed

FOLDER: Final = "audits"
MAX_AUDIT_FILE: Final = 1 << 28  # bytes
_PATH: Final = re.compile(rf"{FOLDER}/([A-Za-z0-9_-][A-Za-z0-9_.-]{{0,63}})/([a-z0-9][a-z0-9-]{{0,60}}\.[a-z]{{2,5}})", re.ASCII)

AuditFiles = Mapping[str, bytes]
"""Contents by path on the site."""


def audit_path(name: str, file: str) -> str:
    """Where a file of an audit lies on the site."""
    return f"{FOLDER}/{name}/{file}"


def audit_file_of(path: str) -> tuple[str, str] | None:
    """Name of the audit and of the file that a path means; None where it is no file of an audit."""
    found = _PATH.fullmatch(path)
    return None if found is None else (found[1], found[2])


def find_audit_files(folder: Path) -> dict[str, bytes]:
    """The files of the audits in a folder, each of which has a folder of its own there. Raises PublicationError."""
    found = {}
    try:
        for path in sorted(folder.glob("*/*")):
            where = audit_path(path.parent.name, path.name)
            if path.is_file() and not path.is_symlink() and audit_file_of(where) is not None and path.suffix != ".cose":
                if path.stat().st_size > MAX_AUDIT_FILE:
                    raise PublicationError(
                        f"{path} has more than {MAX_AUDIT_FILE:,} bytes: no site takes it as a file of an audit"
                    )
                found[where] = path.read_bytes()
    except OSError as error:
        raise PublicationError(f"{error.filename} cannot be read ({error.strerror}): check its permissions") from error
    return found


def named_audit_files(found: AuditFiles, count: Count, skipped: list[tuple[str, str]] | None = None) -> dict[str, bytes]:
    """Those of the files that belong to the audits of a log. `skipped` gets the others, with the reason."""
    plans = {one.plan.name: one for one in _audits(count)}
    siblings: dict[str, dict[str, bytes]] = {}
    for path, data in found.items():
        if (own := audit_file_of(path)) is not None:
            siblings.setdefault(own[0], {})[own[1]] = data
    kept = {}
    for path, data in sorted(found.items()):
        own = audit_file_of(path)
        named = None if own is None else plans.get(own[0])
        if own is None or named is None:
            reason = "no plan of this name is registered"
        else:
            reason = named.fault(own[1], data, siblings[own[0]])
        if not reason:
            kept[path] = data
        elif skipped is not None:
            skipped.append((path, reason))
    return kept


def audit_files(files: AuditFiles) -> Iterator[SiteFile]:
    """The files as they are published."""
    for path in sorted(files):
        yield SiteFile(path, (files[path],))


class _Audit:
    """What the statements of one audit name."""

    def __init__(self, plan: AuditPlan) -> None:
        self.plan = plan
        self.seed = ""
        self.named = {file.name: file.sha256 for file in plan.files} | ({PLAN_FILE: plan.plan} if plan.plan is not None else {})
        self.evidence: set[bytes] = set()
        self.reports = 0

    def take(self, payload: AuditSeed | AuditCount | AuditReport) -> None:
        """Take note of a statement of this audit."""
        if isinstance(payload, AuditSeed):
            self.seed = payload.seed
            self.evidence |= set(payload.evidence)
        elif isinstance(payload, AuditCount):
            self.evidence |= set(payload.images)
        else:
            self.reports += 1
            self.evidence |= set(payload.evidence)
            if payload.report is not None:
                self.named[report_name(self.reports)] = payload.report

    def fault(self, name: str, data: bytes, files: Mapping[str, bytes]) -> str:
        """Why a file does not belong to the audit; empty where it does."""
        digest = hashlib.sha256(data).digest()
        if name in self.named:
            return "" if self.named[name] == digest else "it is not the file that a signed statement names"
        if digest in self.evidence:
            return ""
        try:
            if name == DRAW_FILE and self.seed:
                opened = open_files(self._plan(files), files)
                return difference(data, encode_draw(draw(opened, self.seed, draws_in(data))))
            for number in range(1, self.reports + 1):
                report = report_name(number)
                if name == page_name(report) and is_report(report) and report in files:
                    same = report_page(self._plan(files), read_report(files[report])) == data
                    return "" if same else f"it does not show what {report} says"
        except ScrutineerError as error:
            return str(error)
        return "nothing that is signed names it"

    def _plan(self, files: Mapping[str, bytes]) -> Plan:
        return read_plan(files.get(PLAN_FILE, b""))


def _audits(count: Count) -> list[_Audit]:
    found: dict[bytes, _Audit] = {}
    for recorded in count.audits:
        payload = recorded.statement.payload
        if isinstance(payload, AuditPlan):
            found.setdefault(recorded.statement.hash, _Audit(payload))
        elif isinstance(payload, AuditSeed | AuditCount | AuditReport) and payload.plan in found:
            audit = found[payload.plan]
            if not (isinstance(payload, AuditSeed) and audit.seed):
                audit.take(payload)
    return list(found.values())
