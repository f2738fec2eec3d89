"""Files of audits, published as `audits/<name>/<file>`: those that a registered plan or report names, or that follow from these.

The plan file and what it names, and report files, are named by hash in signed statements. What is drawn follows from plan and
seed, and the page of a report from the report: these are published only as they come out when they are made again. Evidence is
published under its own name where a seed, count or report of the audit names its hash. Nothing else is published.

Files that an auditor has signed can hold anything. Whatever cannot be worked with is left out, with the reason; it stops nothing.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from scrutineer.audits.check_model import UNSOUND, said
from scrutineer.audits.plan import PLAN_FILE, read_plan
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.planned.files import open_files
from scrutineer.audits.registered import RegisteredAudit, registered_audits
from scrutineer.audits.report import page_name, read_report, report_name
from scrutineer.audits.report_page import page_verdict, report_page
from scrutineer.audits.status import draw
from scrutineer.count import Count
from scrutineer.election import Contest
from scrutineer.portal.formats import SiteFile
from scrutineer.statements import AuditSeed

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


def own_files(files: AuditFiles, name: str) -> dict[str, bytes]:
    """The files of one audit, by their names."""
    return {own[1]: data for path, data in files.items() if (own := audit_file_of(path)) is not None and own[0] == name}


def report_files(audit: RegisteredAudit) -> list[str]:
    """The report files of an audit, in the order of the signed reports; those of reports that name no file as well."""
    return [report_name(number) for number in range(1, len(audit.reports) + 1)]


def named_audit_files(
    found: AuditFiles,
    count: Count,
    skipped: list[tuple[str, str]] | None = None,
    published: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Those of the files that belong to the audits of a log. `skipped` gets the others, with the reason.

    `published`: hashes by path of what the same publisher has found right before. Such a table of draws is not drawn again: it
    follows from plan and seed, and these never change.
    """
    known, contests = published or {}, tuple(count.election.contests)
    audits = {
        audit.plan.name: _Judge(audit, own_files(found, audit.plan.name), contests) for audit in registered_audits(count.audits)
    }
    kept = {}
    for path, data in sorted(found.items()):
        own = audit_file_of(path)
        reason = "no plan of this name is registered"
        if own is not None and own[0] in audits:
            reason = audits[own[0]].fault(own[1], data, known.get(path))
        if not reason:
            kept[path] = data
        elif skipped is not None:
            skipped.append((path, reason))
    return kept


def with_report_pages(found: AuditFiles, count: Count) -> dict[str, bytes]:
    """The files, and the page of every report among them as this version of the program makes it, in place of any other."""
    made = dict(found)
    for audit in registered_audits(count.audits):
        own = own_files(found, audit.plan.name)
        for name, (_, report) in zip(report_files(audit), audit.reports, strict=True):
            data = own.get(name)
            if report.report is None or data is None or hashlib.sha256(data).digest() != report.report:
                continue
            try:
                page = _page(own.get(PLAN_FILE, b""), data, tuple(count.election.contests))
            except UNSOUND:
                continue  # The page of audits says that the report, or its plan, cannot be read.
            made[audit_path(audit.plan.name, page_name(name))] = page
    return made


def audit_files(files: AuditFiles) -> Iterator[SiteFile]:
    """The files as they are published."""
    for path in sorted(files):
        yield SiteFile(path, (files[path],))


class _Judge:
    """Says which files belong to one audit."""

    def __init__(self, audit: RegisteredAudit, files: Mapping[str, bytes], contests: tuple[Contest, ...]) -> None:
        self._files = files
        self._contests = contests
        self._plan = audit.plan.plan
        self._seed = "" if audit.seed is None else audit.seed.seed
        self._reports = report_files(audit)
        self._named = {file.name: file.sha256 for file in audit.plan.files}
        self._named |= {PLAN_FILE: audit.plan.plan} if audit.plan.plan is not None else {}
        self._named |= {
            name: report.report
            for name, (_, report) in zip(self._reports, audit.reports, strict=True)
            if report.report is not None
        }
        self._evidence = {hash_ for own in audit.statements for hash_ in _evidence(own.statement.payload)}

    def fault(self, name: str, data: bytes, known: bytes | None) -> str:
        """Why a file does not belong to the audit; empty where it does. `known`: the hash of one that was found right before."""
        digest = hashlib.sha256(data).digest()
        if name in self._named:
            return "" if self._named[name] == digest else "it is not the file that a signed statement names"
        if digest in self._evidence:
            return ""
        try:
            if name == DRAW_FILE and self._seed:
                return "" if digest == known else self._draw_fault(data)
            for report in self._reports:
                if name == page_name(report) and report in self._files:
                    return self._page_fault(report, data)
        except UNSOUND as error:
            return said(error)
        return "nothing that is signed names it"

    def _draw_fault(self, data: bytes) -> str:
        plan = self._files.get(PLAN_FILE, b"")
        if hashlib.sha256(plan).digest() != self._plan:
            return f"{PLAN_FILE}, from which it follows, is missing or is another one than was signed"
        named = tuple((name, self._files[name]) for name in sorted(self._named.keys() & self._files.keys()) if name != PLAN_FILE)
        return _draw_fault(plan, named, self._seed, data)

    def _page_fault(self, report: str, data: bytes) -> str:
        plan, given = self._files.get(PLAN_FILE, b""), self._files[report]
        if data == _page(plan, given, self._contests):
            return ""
        verdict = page_verdict(read_plan(plan), read_report(given), self._contests, data)
        return f"it does not show what {report} says" if verdict == "changed" else ""


@lru_cache(maxsize=32)
def _draw_fault(plan: bytes, files: tuple[tuple[str, bytes], ...], seed: str, data: bytes) -> str:
    """Where a table of draws is not what plan and seed give; empty where it is. Raises AuditError, as `open_files` does."""
    opened = open_files(read_plan(plan), dict(files))
    return difference(data, encode_draw(draw(opened, seed, draws_in(data))))


@lru_cache(maxsize=32)
def _page(plan: bytes, report: bytes, contests: tuple[Contest, ...]) -> bytes:
    return report_page(read_plan(plan), read_report(report), contests)


def _evidence(payload: object) -> Iterator[bytes]:
    """Hashes of photographs and other files that a seed, count or report names."""
    yield from getattr(payload, "evidence", ())
    yield from getattr(payload, "images", ())
    if isinstance(payload, AuditSeed) and payload.head is not None:
        yield payload.head
