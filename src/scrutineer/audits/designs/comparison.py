"""Ballot comparison: each drawn paper is held against its own record.

With scores from `lowest` to `highest` and D = highest - lowest, a record with score r whose paper has score s overstates by
r - s. Over N cards with a reported total score of T, the overstatement assorter of SHANGRLA (arXiv 1911.10035, section 3.2)

    B = (1 - w/u) / (2 - v/u),    w/u = (r - s) / D,    v/u = 2 T / (N D)

is in whole numbers B = N (D - r + s) / (2 (N D - T)), and the assertion holds if the mean of B is more than 1/2.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from scrutineer.audits.assertions import Assertion, margin_share
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.risk.model import Null, Values
from scrutineer.errors import AuditError


@dataclass(frozen=True, slots=True)
class ReportedTotal:
    """What is reported for an assertion over all cards. Raises AuditError for a total that no cards add up to."""

    assertion: Assertion
    cards: int
    """The greatest number of cards in the population, from the manifest or from the bound on cards that hold the contest."""
    total: int
    """The reported total score; cards without a record add 0."""

    def __post_init__(self) -> None:
        if self.cards < 1 or not self.cards * self.assertion.lowest <= self.total <= self.cards * self.assertion.highest:
            raise AuditError(
                f"assertion {self.assertion.code} of contest {self.assertion.contest}: no {self.cards} cards have a "
                f"total score of {self.total}; check the number of cards and the reported votes"
            )

    @property
    def spread(self) -> int:
        """D: the greatest overstatement of one card."""
        return self.assertion.highest - self.assertion.lowest

    @property
    def margin(self) -> Fraction:
        """The assorter margin v."""
        return margin_share(self.total, self.cards, self.assertion)

    @property
    def clean(self) -> Fraction:
        """The value of a paper that agrees with its record: 1 / (2 - v/u)."""
        return self.value(Fraction(0))

    @property
    def upper(self) -> Fraction:
        """The greatest value of the overstatement assorter: twice `clean`."""
        return 2 * self.clean

    def value(self, overstatement: Fraction | int) -> Fraction:
        """B of an overstatement r - s."""
        return self.cards * (self.spread - Fraction(overstatement)) / (2 * (self.cards * self.spread - self.total))

    def null(self, *, replacement: bool) -> Null:
        """The hypothesis that the assertion is false, for values of this module and of `oneaudit`."""
        return Null(0.5, float(self.upper), None if replacement else self.cards)


def comparison_values(reported: ReportedTotal, records: Scores, papers: Scores) -> Values:
    """The overstatement assorter of drawn cards. Raises AuditError unless there are as many records as papers, in range."""
    overstatements = _overstatements(reported.assertion, records, papers)
    distinct, place = np.unique(overstatements, return_inverse=True)
    return np.array([float(reported.value(int(each))) for each in distinct], np.float64)[place]


class Discrepancies(NamedTuple):
    """Drawn cards by what the paper does to the margin; o1, o2, u1 and u2 where two options have one vote each."""

    none: int
    one_over: int
    two_over: int
    one_under: int
    two_under: int


def discrepancies(assertion: Assertion, records: Scores, papers: Scores) -> Discrepancies:
    """How many drawn cards overstate or understate, and how much. Raises AuditError as `comparison_values` does.

    Two: more than one vote for or against could do, that is more than the greater of `highest` and `-lowest`. One: any less.
    """
    single = max(assertion.highest, -assertion.lowest)
    counts = Counter(
        (int(np.sign(each)), abs(int(each)) > single) for each in _overstatements(assertion, records, papers).tolist()
    )
    return Discrepancies(counts[0, False], counts[1, False], counts[1, True], counts[-1, False], counts[-1, True])


def _overstatements(assertion: Assertion, records: Scores, papers: Scores) -> Scores:
    if records.shape != papers.shape:
        raise AuditError(
            f"assertion {assertion.code} of contest {assertion.contest}: {len(papers)} papers are held against "
            f"{len(records)} records"
        )
    for scores in (records, papers):
        if scores.size and not assertion.lowest <= int(scores.min()) <= int(scores.max()) <= assertion.highest:
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: a drawn card has a score outside "
                f"{assertion.lowest} to {assertion.highest}; the counts belong to another assertion"
            )
    return records - papers
