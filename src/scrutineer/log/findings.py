"""What a check of the log found: places, and what was expected there."""

from dataclasses import dataclass
from typing import Final, NoReturn

from scrutineer.errors import LogError

MAX_FINDINGS: Final = 10_000  # kept; the others are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be: where, and what was expected there."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class Findings:
    """The first findings, and how many more there were: a store that is wrong everywhere must not fill the memory."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.dropped = 0

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it."""
        if len(self.kept) < MAX_FINDINGS:
            self.kept.append(finding)
        else:
            self.dropped += 1

    def add_all(self, others: "Findings") -> None:
        """Take over what somebody else found."""
        for finding in others.kept:
            self.add(finding)
        self.dropped += others.dropped


def refuse(finding: Finding) -> NoReturn:
    """Take a finding as the end of the work. Raises LogError."""
    raise LogError(str(finding))
