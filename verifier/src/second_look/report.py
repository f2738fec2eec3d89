"""What a verification found: findings, what was checked, and what was not."""

from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 200
"""Findings that are kept one by one; more are only counted."""


class FormatError(Exception):
    """Bytes or a value that the format does not allow."""


class UnknownFieldError(FormatError):
    """A field that this verifier does not know; a later version of the format may."""


BROKEN = (FormatError, OSError, LookupError, TypeError, ValueError, AttributeError, StopIteration)
"""What reading a file may raise whose values are not of the kind that is expected: a finding, never a crash."""


@dataclass
class Report:
    """Collects findings. No finding: everything that was looked at holds."""

    findings: list[dict[str, str]] = field(default_factory=list)
    count: int = 0
    checked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """What was taken as published instead of being decided here."""
    audits: list[dict[str, Any]] = field(default_factory=list)
    """What was computed of each audit of the outcome."""

    def add(self, check: str, where: str, message: str) -> None:
        """Keep a finding: which check (a clause, such as `6.A`, or a word), where, and what is wrong."""
        self.count += 1
        if self.count <= MOST_KEPT:
            self.findings.append({"check": check, "where": where, "message": message})

    def require(self, holds: bool, check: str, where: str, message: str) -> bool:
        """Keep a finding unless something holds; says whether it does."""
        if not holds:
            self.add(check, where, message)
        return holds

    def checks(self) -> set[str]:
        """The checks that failed."""
        return {finding["check"] for finding in self.findings}
