"""What a planner is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.planner_work import Work
from scrutineer.errors import AuditError


class Design(StrEnum):
    """Ways of auditing one election."""

    COMPARISON = "comparison"
    """Single cards are drawn and held against their records."""
    ONEAUDIT = "oneaudit"
    """Single cards are drawn and held against the totals of their boxes."""
    POLLING = "polling"
    """Single cards are drawn; nothing reported about them is used but the outcome."""
    BATCH_MACRO = "batch-macro"
    """Boxes are drawn by error bound and counted; Kaplan-Markov on the greatest relative overstatement (MACRO)."""
    BATCH_BETTING = "batch-betting"
    """Boxes are drawn by error bound and counted; bets that a wrong box does not end."""
    TWO_STAGE = "two-stage"
    """Boxes are drawn by their number of cards, and some cards of each are held against the totals of the box."""
    FULL_COUNT = "full-count"
    """Every card of every box."""


class Records(StrEnum):
    """What was reported below the totals of the election."""

    CARDS = "cards"
    """A record of each card that can be found for its paper: cast vote records, or encrypted ballots that can be opened."""
    BATCHES = "batches"
    """Totals by box."""
    TOTALS = "totals"
    """Nothing below the totals."""


@dataclass(frozen=True, eq=False)
class Target:
    """One assertion that an audit has to prove, and what is reported about it.

    Raises AuditError without scores, and for scores that do not add up to the total.
    """

    assertion: Assertion
    total: int
    """The reported total score of all cards."""
    overall: Mapping[int, int] | None = None
    """By score how many cards are reported to have it; cards not named have 0. None: taken from `boxes`."""
    boxes: ScoreTally | None = None
    """The same by box of the manifest; None where that was not reported."""
    cards: NDArray[np.int64] | None = None
    """By box how many cards hold the contest, where records say which; None: any card may hold it."""

    def __post_init__(self) -> None:
        if sum(score * count for score, count in self.tally.items()) != self.total:
            raise AuditError(f"{self.what}: reported scores by card do not add up to the total of {self.total}")

    @property
    def what(self) -> str:
        """Contest and assertion, for people."""
        return f"contest {self.assertion.contest}, assertion {self.assertion.code}"

    @property
    def tally(self) -> Mapping[int, int]:
        """By score how many cards have it."""
        if self.overall is not None:
            return self.overall
        if self.boxes is None:
            raise AuditError(f"{self.what}: no scores were reported, neither of all cards nor by box")
        return dict(zip(self.boxes.scores.tolist(), self.boxes.counts.sum(axis=0).tolist(), strict=True))

    @property
    def spare(self) -> int:
        """By how much the total score could be overstated, and the assertion still be true."""
        return self.total - self.assertion.need


@dataclass(frozen=True, slots=True)
class Row:
    """One design and what it would take."""

    design: Design
    risk: str
    """The name of the risk function; empty for a full count."""
    p50: Work
    p90: Work
    one_bad: Work | None
    """In nine cases of ten, if the first thing that is drawn is as wrong as it can be; None: a full count, or no matter."""
    full_count: bool
    """Whether nothing but a count of everything would do in one case of ten or more."""
    per_box: int | None
    """In two stages: how many cards of each drawn box; None: all, or another design."""
    why: str
    """What decides the size, in plain English."""
