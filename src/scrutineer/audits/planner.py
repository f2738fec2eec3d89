"""What an audit would cost, by design: boxes opened, cards handled, places visited, before anything is promised.

Every design that the records allow gets a row. Work is simulated from the reported results; a row says how much is enough in half
of all cases and in nine of ten, and whether that is a full count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.forecasts import NO_ERRORS, Rates
from scrutineer.audits.manifest import Manifest


class Design(StrEnum):
    """Ways of auditing one election."""

    COMPARISON = "comparison"
    """Single cards are drawn and held against their records."""
    ONEAUDIT = "oneaudit"
    """Single cards are drawn and held against the totals of their boxes."""
    POLLING = "polling"
    """Single cards are drawn; nothing reported about them is used but the outcome."""
    BATCH_MACRO = "batch-macro"
    """Boxes are drawn by error bound and counted, Kaplan-Markov on the greatest relative overstatement (MACRO)."""
    BATCH_BETTING = "batch-betting"
    """Boxes are drawn by error bound and counted, each assertion with its own bets."""
    TWO_STAGE = "two-stage"
    """Boxes are drawn by their number of cards, and some cards of each."""
    FULL_COUNT = "full-count"
    """Every card of every box."""


class Records(StrEnum):
    """What was reported below the totals of the election."""

    CARDS = "cards"
    """A record of each card that can be found for its paper (cast vote records, or encrypted ballots that can be opened)."""
    BATCHES = "batches"
    """Totals by box."""
    TOTALS = "totals"
    """Nothing below the totals."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What work costs, in any one unit (money, minutes of a pair of people)."""

    box: float = 10.0
    """To fetch, open and seal a box again."""
    card: float = 1.0
    """To find one card in an open box and enter what it shows."""
    counted_card: float = 0.25
    """To count a card when a whole box is counted."""
    place: float = 0.0
    """To get to a place where boxes are kept."""


USUAL_COSTS: Final = Costs()


@dataclass(frozen=True, eq=False)
class Target:
    """One assertion that an audit has to prove, and what is reported about it."""

    assertion: Assertion
    total: int
    """The reported total score of all cards."""
    boxes: NDArray[np.int64] | None = None
    """By box of the manifest (rows) and score (columns, from `lowest` up to `highest`): how many cards are said to have it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One estimate of work."""

    draws: int
    boxes: int
    """Different boxes opened."""
    cards: int
    """Different cards handled."""
    places: int
    cost: float


@dataclass(frozen=True, slots=True)
class Row:
    """One design and what it would take."""

    design: Design
    risk: str
    """The name of the risk function."""
    p50: Work
    p90: Work
    full_count: bool
    """Whether nothing but a count of everything would do in one case of ten or more."""
    why: str
    """What decides the size, in plain English; empty where there is nothing to say."""


def trade_off(
    targets: Sequence[Target],
    manifest: Manifest,
    records: Records,
    *,
    risk_limit: Fraction,
    places: Sequence[str] | None = None,
    rates: Rates = NO_ERRORS,
    costs: Costs = USUAL_COSTS,
    repetitions: int = 100,
    seed: int = 0,
) -> tuple[Row, ...]:
    """Feasible designs, the cheapest (by the 9-of-10 cost) first. Raises AuditError without targets or where boxes do not fit."""
    raise NotImplementedError


def rows_table(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    """The rows as texts for a table, a line of headings first."""
    raise NotImplementedError
