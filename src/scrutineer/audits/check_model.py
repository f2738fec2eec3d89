"""What the check of an audit is given, and what it finds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from scrutineer.audits.registered import RegisteredAudit
from scrutineer.count import Count
from scrutineer.election import Definition
from scrutineer.errors import ScrutineerError

FindingCode = Literal["statement", "order", "plan", "files", "results", "draw", "count", "report", "page"]
T = TypeVar("T")

MAX_FINDINGS: Final = 1_000
UNSOUND: Final = (ScrutineerError, ArithmeticError, ValueError, LookupError, TypeError, MemoryError, RecursionError)
"""What working with files of other people can raise, whose every value has the right shape and cannot be computed with."""


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
    registered: Sequence[RegisteredAudit] | None = None
    """All audits of the log, since a report names the other plans of its contests; None where there is no log."""
    definition: Definition | None = None
    """Of the election, whose keys of the log and of its witnesses a head is checked with."""
    alone: bool = True
    """Whether this audit is checked by itself: notes then say which other plans there are of its contests."""


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

    def attempt(self, code: FindingCode, where: str, step: Callable[[], T]) -> T | None:
        """What a step gives; None, and a finding, where the artifacts make it fail."""
        try:
            return step()
        except UNSOUND as error:
            self.add(code, where, said(error))
            return None


def said(error: BaseException) -> str:
    """An error in words, and of one that is not the project's own no more than that something cannot be computed with."""
    if isinstance(error, ScrutineerError):
        return str(error)
    return f"holds values that nothing can be computed with ({type(error).__name__})"
