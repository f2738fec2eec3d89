"""ONEAudit: comparison where only totals of some boxes are known, and not which card bears which vote.

A pool is a group of cards with a reported total (a box, a precinct, a tabulator's batch). Each of its cards is held against the
mean of the pool, as if its record said that; the overstatements of a pool then add up to what they would with true records, so
the assorter of `comparison` is valid for any mixture of records and pools, whatever the reported totals are. Spread within pools
costs sample size; risk never. Source: P. B. Stark, Overstatement-Net-Equivalent Risk-Limiting Audit: ONEAudit, 2023 (arXiv
2303.03335), section 2.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError

OWN_RECORD: Final = -1
"""The pool of a card that is held against its own record."""


@dataclass(frozen=True, eq=False)
class Pools:
    """Groups of cards of which only totals are known. Raises AuditError for totals that no cards add up to."""

    cards: NDArray[np.int64]
    """By pool: how many cards of the population are in it, as the manifest says; blank ones and those without the contest too."""
    totals: NDArray[np.int64]
    """By pool: the reported total score of these cards."""

    def __post_init__(self) -> None:
        if self.cards.shape != self.totals.shape or self.cards.ndim != 1 or (self.cards.size and int(self.cards.min()) < 1):
            raise AuditError("each pool needs a reported total and at least one card")

    def check(self, reported: ReportedTotal) -> None:
        """Raises AuditError for a pool whose cards cannot have its total, and for more cards than the population holds."""
        assertion = reported.assertion
        # Totals are bounded by cards that exist, so these products stay far below 2**63.
        wrong = np.flatnonzero((self.totals > self.cards * assertion.highest) | (self.totals < self.cards * assertion.lowest))
        if wrong.size:
            first = int(wrong[0])
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: pool {first + 1} has "
                f"{int(self.cards[first])} cards, and none so many have a total score of {int(self.totals[first])}"
            )
        if int(self.cards.sum()) > reported.cards:
            raise AuditError(
                f"contest {assertion.contest}: the pools hold {int(self.cards.sum())} cards, and there are {reported.cards}"
            )


@dataclass(frozen=True, eq=False)
class ScoreTally:
    """How many cards are reported to have which score of an assertion, by box. Raises AuditError for what cannot be counted."""

    scores: NDArray[np.int64]
    """Different scores, in ascending order."""
    counts: NDArray[np.int64]
    """Boxes x scores; what is left of the cards of a box has a score of 0."""

    def __post_init__(self) -> None:
        if (
            self.counts.ndim != 2
            or self.scores.shape != self.counts.shape[1:]
            or not bool(np.all(np.diff(self.scores) > 0))
            or (self.counts.size and int(self.counts.min()) < 0)
        ):
            raise AuditError("a tally by box and score needs ascending scores, and for each box how many cards have each of them")

    @classmethod
    def of_votes(
        cls, assertion: Assertion, votes: NDArray[np.int64], cards: NDArray[np.int64], rest: NDArray[np.int64] | None = None
    ) -> "ScoreTally":
        """From votes by box and option, and by box the cards on which no mark counts.

        Where a card may mark several options, votes do not say which marks are on one card: as few cards as possible are taken
        to have marks for and against. Totals are right, and single cards as far from each other as can be, so that sizes are
        rather too large. Raises AuditError where votes do not even say the totals: for ranked contests, for several marks with
        weights other than 1, 0 and -1, and for more votes than the cards can bear.
        """
        if votes.ndim != 2 or votes.shape != (len(cards), len(assertion.weights)) or assertion.continuing is not None:
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: votes of {len(assertion.weights)} options of an "
                "unranked contest are needed for each box"
            )
        weights = np.array(assertion.weights, np.int64)
        if assertion.most == 1:
            blank = np.zeros(len(cards), np.int64) if rest is None else rest
            scores = np.unique(np.append(weights, assertion.rest))
            columns = [votes[:, weights == score].sum(axis=1) + (blank if score == assertion.rest else 0) for score in scores]
            kept = scores != 0
            return cls(scores[kept], np.column_stack(columns)[:, kept])
        if (
            np.count_nonzero(weights == 1) != 1
            or np.count_nonzero(weights == -1) != 1
            or np.abs(weights).sum() != 2
            or assertion.rest
        ):
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: where a card may mark several options, votes say "
                "how cards are marked only for an option against another; compare single cards with records"
            )
        supporting, opposing = votes[:, weights == 1][:, 0], votes[:, weights == -1][:, 0]
        both = np.maximum(supporting + opposing - cards, 0)
        if cards.size and bool(np.any((supporting > cards) | (opposing > cards))):
            raise AuditError(f"contest {assertion.contest}: a box has more votes for an option than cards")
        return cls(np.array([-1, 1]), np.column_stack([opposing - both, supporting - both]))

    @property
    def totals(self) -> NDArray[np.int64]:
        """By box: the total score."""
        return self.counts @ self.scores

    def pools(self, cards: NDArray[np.int64]) -> Pools:
        """The boxes as pools of so many cards."""
        return Pools(cards, self.totals)

    def with_rest(self, cards: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Scores and counts of all cards of each box, those with 0 as the last column.

        Raises AuditError for a box with fewer cards than have a score.
        """
        rest = cards - self.counts.sum(axis=1)
        if rest.shape != cards.shape or (rest.size and int(rest.min()) < 0):
            box = int(np.argmin(rest)) + 1
            raise AuditError(f"box {box}: more cards have a score than are in it; check the manifest and the reported votes")
        return np.append(self.scores, 0), np.column_stack([self.counts, rest])


def oneaudit_values(reported: ReportedTotal, pools: Pools, pool: NDArray[np.int64], records: Scores, papers: Scores) -> Values:
    """The overstatement assorter of drawn cards.

    `pool`, by drawn card: the number of its pool, or OWN_RECORD; `records` counts for the latter alone. The hypothesis is
    `ReportedTotal.null`. Raises AuditError for pools that do not exist and for scores out of range.
    """
    assertion = reported.assertion
    if not pool.shape == records.shape == papers.shape:
        raise AuditError(f"contest {assertion.contest}: {len(papers)} papers need as many records and pools")
    if pool.size and not OWN_RECORD <= int(pool.min()) <= int(pool.max()) < len(pools.cards):
        raise AuditError(f"contest {assertion.contest}: a drawn card is of a pool that is not among the {len(pools.cards)} known")
    for scores in (records[pool == OWN_RECORD], papers):
        if scores.size and not assertion.lowest <= int(scores.min()) <= int(scores.max()) <= assertion.highest:
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: a drawn card has a score outside "
                f"{assertion.lowest} to {assertion.highest}; the counts belong to another assertion"
            )
    # One exact value for each (pool or record, paper) that occurs; few do, even in long samples.
    known: dict[tuple[int, int, int], float] = {}
    values = np.empty(len(papers), np.float64)
    for number, key in enumerate(zip(pool.tolist(), np.where(pool < 0, records, 0).tolist(), papers.tolist(), strict=True)):
        value = known.get(key)
        if value is None:
            group, record, paper = key
            expected = Fraction(record) if group < 0 else Fraction(int(pools.totals[group]), int(pools.cards[group]))
            value = known[key] = float(reported.value(expected - paper))
        values[number] = value
    return values
