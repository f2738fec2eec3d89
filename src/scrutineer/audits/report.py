"""The report of an audit of the outcome: what the counts show, as canonical JSON that anyone computes again, byte for byte."""

import hashlib
import re
from typing import Final, Literal

import msgspec

from scrutineer.audits.counts import Counted, resolve
from scrutineer.audits.other_plans import OtherPlan
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.sampling.sample import Sample
from scrutineer.audits.status import Status, measure
from scrutineer.errors import AuditError
from scrutineer.statements.audit import AuditOutcome, Discrepancy, UnitStatus
from scrutineer.statements.codec import one_line

FORMAT: Final = "scrutineer-audit-report/1"
REPORT_FILE: Final = "report.json"
"""The first report; the second one is report-2.json, and so on. None is ever written over."""
MAX_REPORT: Final = 1 << 28  # bytes


_NAME: Final = re.compile(r"report(?:-[1-9][0-9]*)?\.json", re.ASCII)


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields are all there, in canonical form."""


class ReportedTest(_Part, frozen=True, kw_only=True):
    """One assertion and its measured risk, rounded up."""

    contest: str
    code: str
    risk: str


class ReportedContest(_Part, frozen=True, kw_only=True):
    """One contest and the greatest risk of its assertions."""

    contest: str
    risk: str
    confirmed: bool
    full_count: str


class ReportedCount(_Part, frozen=True, kw_only=True):
    """One count that the report rests on."""

    box: str
    statement: str
    """Hash of the statement, in hexadecimal."""
    status: UnitStatus
    cards: int
    """Single cards in it; 0 where the whole box was counted, or nothing could be."""
    discrepancies: tuple[Discrepancy, ...]


class ReplacedCount(_Part, frozen=True, kw_only=True):
    """One count that does not hold any more, since another took its place."""

    box: str
    statement: str
    """Hash of its statement, in hexadecimal."""
    by: str
    """Hash of the count that took its place, which may have been replaced in its turn."""
    note: str
    """Why, in the words of those who counted again."""


class Report(_Part, frozen=True, kw_only=True):
    """The report file."""

    format: Literal["scrutineer-audit-report/1"]
    name: str
    election: str
    plan: str
    """Hash of the plan's statement, in hexadecimal."""
    seed: str
    """Hash of the seed's statement; empty where nothing was drawn."""
    size: int
    """Counts before this log size are taken into account."""
    outcome: AuditOutcome
    risk_limit: str
    draws: int
    units: int
    counted: int
    missing: tuple[str, ...]
    illegible: tuple[str, ...]
    pending: tuple[str, ...]
    contests: tuple[ReportedContest, ...]
    tests: tuple[ReportedTest, ...]
    counts: tuple[ReportedCount, ...]
    """In the order of their boxes and hashes."""
    replaced: tuple[ReplacedCount, ...]
    """Counts that others took the place of, in the order of their boxes and hashes."""
    others: tuple[OtherPlan, ...]
    """Other plans of the outcome that were registered before log size `size` and may be about the same contests."""
    voids: tuple[str, ...]
    faults: tuple[str, ...]

    def encode(self) -> bytes:
        """The canonical bytes."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def hash(self) -> bytes:
        """SHA-256 of the canonical bytes, which the signed report names."""
        return hashlib.sha256(self.encode()).digest()


def report_name(number: int) -> str:
    """The file of the n-th report of an audit, from 1."""
    return REPORT_FILE if number == 1 else f"report-{number}.json"


def page_name(report: str) -> str:
    """The page that shows a report file."""
    return f"{report.removesuffix('.json')}.html"


def is_report(name: str) -> bool:
    """Whether a file is called like a report."""
    return _NAME.fullmatch(name) is not None


def make_report(
    files: PlanFiles,
    plan: bytes,
    seed: bytes | None,
    sample: Sample,
    counts: tuple[Counted, ...],
    size: int,
    *,
    others: tuple[OtherPlan, ...] = (),
    stop: bool = False,
) -> Report:
    """The report of what was counted before a log size, by the hashes of the plan's and the seed's statements.

    `others`: what `other_plans.other_plans` finds in the log at that size.
    `stop`: the audit ends here although nothing is shown. Raises AuditError for a sample without a seed.
    """
    if seed is None and len(sample):
        raise AuditError("nothing can have been drawn without a seed")
    seen = resolve(counts)
    status = measure(files, sample, seen)
    return Report(
        format=FORMAT,
        name=files.plan.name,
        election=files.plan.election,
        plan=plan.hex(),
        seed="" if seed is None else seed.hex(),
        size=size,
        outcome=outcome_of(files, status, seeded=seed is not None, stop=stop),
        risk_limit=files.plan.risk_limit,
        draws=status.draws,
        units=status.units,
        counted=status.counted,
        missing=status.missing,
        illegible=status.illegible,
        pending=status.pending,
        contests=tuple(
            ReportedContest(contest=each.contest, risk=each.risk, confirmed=each.confirmed, full_count=each.full_count)
            for each in status.contests
        ),
        tests=tuple(ReportedTest(contest=test.contest, code=test.code, risk=test.risk) for test in status.tests),
        counts=tuple(
            ReportedCount(
                box=one.count.box,
                statement=one.hash.hex(),
                status=one.count.status,
                cards=len(one.count.cards),
                discrepancies=one.count.discrepancies,
            )
            for one in sorted(seen.held, key=lambda one: (one.count.box.encode(), one.hash))
        ),
        replaced=tuple(
            ReplacedCount(
                box=one.counted.count.box,
                statement=one.counted.hash.hex(),
                by=one.by.hash.hex(),
                note=one.by.count.note,
            )
            for one in sorted(seen.replaced, key=lambda one: (one.counted.count.box.encode(), one.counted.hash))
        ),
        others=others,
        voids=status.voids,
        faults=status.faults,
    )


def outcome_of(files: PlanFiles, status: Status, *, seeded: bool, stop: bool) -> AuditOutcome:
    """What an audit has come to: a contest that needs a full count, or boxes that void the plan, outweigh everything else."""
    if status.voids or any(contest.full_count and contest.target for contest in files.plan.contests):
        return "full-count"
    if status.confirmed and seeded:
        return "confirmed"
    return "stopped" if stop else "continuing"


def read_report(data: bytes) -> Report:
    """The report of a file. Raises AuditError for anything but the canonical bytes of one."""
    if len(data) > MAX_REPORT:
        raise AuditError(f"{REPORT_FILE}: {len(data)} bytes are more than a report may have")
    try:
        report = msgspec.json.decode(data, type=Report, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuditError(f"{REPORT_FILE}: {one_line(error)}; use the file that `scrutineer audit report` wrote") from error
    if report.encode() != data:
        raise AuditError(f"{REPORT_FILE} is not in its canonical form; use the one that `scrutineer audit report` wrote")
    return report
