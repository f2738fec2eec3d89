"""What a verification found: findings that name the file and what is wrong with it, and the facts that it established."""

from dataclasses import dataclass, field
from typing import Final, Literal

from scrutineer.log.quorum import Cosigners

Check = Literal[
    "definition",
    "manifest",
    "files",
    "checkpoint",
    "witnesses",
    "log",
    "statement",
    "signature",
    "bulletin",
    "certificate",
    "snapshot",
    "published",
]
MAX_MESSAGE_LENGTH: Final = 1_000  # characters
MAX_FINDINGS: Final = 1_000
"""Findings kept; more are counted. A copy with more than so many faults is simply not a copy."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the record demands."""

    check: Check
    where: str
    """The file, and the entry or line in it where that is known."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(slots=True)
class Report:
    """The outcome of a verification. It passes when nothing was found."""

    definition: str = ""
    """Hash of the definition, hexadecimal."""
    definition_expected: bool = False
    """Whether the verifier was given that hash beforehand."""
    election: str = ""
    provenance: str = ""
    origin: str = ""
    size: int = 0
    root: str = ""
    witnesses: Cosigners | None = None
    """Who has cosigned the checkpoint; None where the definition names no witnesses, or it was not looked at."""
    pending: int | None = None
    """Entries at a newer head that is shown as waiting for its witnesses; None where none is."""
    sheets: int = 0
    statements: int = 0
    signatures: int = 0
    bulletins: int = 0
    certificates: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    dropped: int = 0
    """Findings beyond MAX_FINDINGS."""
    complete: bool = False
    """Whether every step was done; what stopped the verification before is the last finding."""

    @property
    def passed(self) -> bool:
        """Whether everything was checked and nothing was found."""
        return self.complete and not self.findings

    def add(self, check: Check, where: str, message: str) -> None:
        """Note a finding; the same one is noted once. What a site calls its files cannot look like anything else."""
        finding = Finding(check, _printable(where), _printable(message))
        if len(self.findings) >= MAX_FINDINGS:
            self.dropped += 1
        elif finding not in self.findings[-8:]:
            self.findings.append(finding)


def _printable(text: str) -> str:
    shown = text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}…"
    if shown.isprintable():
        return shown
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in shown)
