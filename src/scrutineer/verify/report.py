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
    "ballots",
    "audit",
]
MAX_MESSAGE_LENGTH: Final = 1_000  # characters
MAX_FINDINGS: Final = 1_000
"""Findings kept; more are counted. A copy with more than so many faults is simply not a copy."""

_NAMED: Final = 5  # stations named in a sentence

Extent = Literal["all", "sample", "none"]
"""Which ballots' proofs are checked. Files, chains, totals and sheets are checked in every case but `none`."""


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
class BallotFacts:
    """What was established of the encrypted ballots."""

    extent: Extent
    stations: int = 0
    ballots: int = 0
    checked: int = 0
    """Ballots whose proofs were checked."""
    cast: int = 0
    challenged: int = 0
    compared: int = 0
    """Figures of sheets that the decrypted totals were held against."""
    undecrypted: list[str] = field(default_factory=list)
    """Stations whose totals are not published yet."""
    unpublished: list[str] = field(default_factory=list)
    """Stations whose sheets name ballots that are not published yet."""
    decided: list[str] = field(default_factory=list)
    """Stations with published ballots where a decision of officers stands, whatever the ballots give."""

    def sentences(self) -> list[str]:
        """The facts for people."""
        if self.extent == "none":
            return ["Encrypted ballots were not looked at."]
        checked = "all" if self.checked == self.ballots else f"{self.checked:,}"
        first = (
            f"Encrypted ballots: {self.ballots:,} of {self.stations:,} station(s), {self.cast:,} of them cast; the proofs of "
            f"{checked} were checked, and {self.compared:,} figures of "
            "signed sheets were held against the ballots and what was decrypted of them."
        )
        said = [first]
        for stations, what in (
            (self.undecrypted, "Totals not decrypted yet"),
            (self.unpublished, "Ballots named by a sheet and not published yet"),
            (self.decided, "A decision of officers stands, and was not held against the ballots, at"),
        ):
            if stations:
                more = f" and {len(stations) - _NAMED:,} more" if len(stations) > _NAMED else ""
                said.append(f"{what}: {', '.join(stations[:_NAMED])}{more}.")
        return said


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
    ballots: BallotFacts | None = None
    """What was established of encrypted ballots; None where the election has none."""
    statements: int = 0
    signatures: int = 0
    bulletins: int = 0
    certificates: int = 0
    audits: int = 0
    """Audits that were checked from their plan to their report, with all their files."""
    audit_notes: list[str] = field(default_factory=list)
    """What the results of audits rest on, and which could not be checked."""
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
