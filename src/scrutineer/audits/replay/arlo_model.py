"""What the audit report that Arlo exports says: values of all its sections."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

EXTRA: Final = "EXTRA"
"""Stands for the ticket number of a batch that is audited on top of the sample and does not count for the risk."""
AUDIT_TYPES: Final = ("BALLOT_POLLING", "BATCH_COMPARISON", "BALLOT_COMPARISON", "HYBRID")


@dataclass(frozen=True, slots=True)
class ReportedTicket:
    """One ticket number of the report."""

    round: int
    number: str
    """Or EXTRA."""
    batch: str
    """The batch that was drawn, where the row combines several; otherwise that of the row."""


@dataclass(frozen=True, slots=True)
class ReportedContest:
    """A contest, as the section CONTESTS has it."""

    name: str
    targeted: bool
    winners: int
    votes_allowed: int
    ballots: int
    choices: tuple[str, ...]
    votes: tuple[int, ...]
    pending: int = 0
    majority: bool = False
    """Whether a majority decides at once, and the two first go to a run-off otherwise."""
    batch_votes: tuple[int, ...] | None = None
    """Votes by choice of all batches together, in a batch comparison."""
    cvr: tuple[int, tuple[int, ...]] | None = None
    """Ballots and votes of the stratum that has cast vote records, in a hybrid audit."""
    non_cvr: tuple[int, tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class ReportedRound:
    """A contest in a round, as the section ROUNDS has it."""

    number: int
    contest: str
    size: int | None
    """Draws that were asked for; None for a contest that no draw was made for."""
    p_value: str
    """As printed; empty where the round has not ended."""
    found: tuple[int, ...]
    """Votes by choice that the audit counted in this round, a unit drawn twice being counted twice in an audit of ballots."""
    not_found: int = 0
    """Draws whose ballots could not be found."""
    found_non_cvr: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReportedBatch:
    """A row of SAMPLED BATCHES."""

    where: str
    """The line of the file, as messages name it."""
    jurisdiction: str
    name: str
    ballots: int | None
    audited: bool
    tickets: dict[str, tuple[ReportedTicket, ...]]
    """By contest."""
    reported: dict[str, tuple[int, ...]]
    """By contest that the batch holds: reported votes by choice."""
    found: dict[str, tuple[int, ...]]
    """By contest that was counted."""
    combines: str = ""
    """The names of the batches that were counted together, as the report writes them; empty for a single batch."""
    required: bool = False
    """Whether the law asks for it on top of the sample."""


@dataclass(frozen=True, slots=True)
class ReportedBallot:
    """A row of SAMPLED BALLOTS."""

    where: str
    jurisdiction: str
    tabulator: str | None
    """None where the report has no such column."""
    batch: str
    position: int
    imprinted: str
    """Empty for a ballot without a cast vote record."""
    status: str
    """AUDITED, NOT_FOUND or NOT_AUDITED; empty where results were entered as totals."""
    tickets: dict[str, tuple[ReportedTicket, ...]]
    recorded: dict[str, str]
    """By contest: what the cast vote record has, as printed."""
    found: dict[str, str]
    """By contest: what the audit board saw, as printed."""


@dataclass(frozen=True, slots=True)
class ArloReport:
    """All sections of a report that a replay asks for."""

    audit: str
    election: str
    kind: str
    """One of AUDIT_TYPES."""
    math: str
    """MACRO, BRAVO, MINERVA, PROVIDENCE, SUPERSIMPLE, CARD_STYLE_DATA, SUITE."""
    risk_limit: Decimal
    """As a share of 1."""
    seed: str
    online: bool
    """Whether the boards entered ballot by ballot."""
    contests: tuple[ReportedContest, ...]
    rounds: tuple[ReportedRound, ...]
    batches: tuple[ReportedBatch, ...] = ()
    ballots: tuple[ReportedBallot, ...] = ()
    warnings: tuple[str, ...] = ()
    earlier: bool = False
    """Whether it is of an Arlo before November 2024, which did not ask for pending ballots."""

    def contest(self, name: str) -> ReportedContest:
        """The contest of that name, which the reader has made sure exists."""
        return next(contest for contest in self.contests if contest.name == name)

    def rounds_of(self, contest: str) -> tuple[ReportedRound, ...]:
        """The rounds of a contest, the first first."""
        return tuple(each for each in self.rounds if each.contest == contest)
