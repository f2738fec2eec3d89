"""Strata that are audited in different ways: each gives values whose mean has a bound that is linear in the stratum's own mean.

Overall the assertion is false if and only if the assorter means A_k of the strata satisfy sum (N_k / N) A_k <= 1/2, that is if
there are t_k >= A_k with sum (N_k / N) t_k = 1/2. A stratum's hypothesis A_k <= t becomes: the mean of its values is at most
t + shift. Polling: values are the assorter itself, shift 0. Comparison (and pools): with upper bound u, reported mean R_k and
overstatement w, values are u - w, which lie in [0, 2u] and have the mean u - R_k + A_k; so shift = u - R_k. Means of the
hypothesis outside of the values' range need no test. `risk.stratified` combines them. Sources: P. B. Stark, ALPHA, 2023 (arXiv
2201.02707), section 4; K. Ottoboni et al., SUITE, E-Vote-ID 2018 (arXiv 1809.04235); J. V. Spertus and P. B. Stark, Sweeter than
SUITE, E-Vote-ID 2022 (arXiv 2207.03379).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.designs.oneaudit import Pools, oneaudit_values
from scrutineer.audits.designs.polling import polling_values
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.risk.model import Values


@dataclass(frozen=True, eq=False)
class StratumSample:
    """What was drawn in one stratum, ready for `risk.stratified`."""

    values: Values
    cards: int
    """N_k: all cards of the stratum."""
    shift: Fraction
    """What to add to a hypothetical assorter mean of the stratum to get that of its values."""
    upper: Fraction
    """The greatest value."""
    replacement: bool = False


def polling_stratum(assertion: Assertion, cards: int, papers: Scores, *, replacement: bool = False) -> StratumSample:
    """A stratum without records. Raises AuditError for scores out of range."""
    return StratumSample(polling_values(assertion, papers), cards, Fraction(0), assertion.upper, replacement)


def comparison_stratum(reported: ReportedTotal, records: Scores, papers: Scores, *, replacement: bool = False) -> StratumSample:
    """A stratum with records; `reported` is about this stratum alone. Raises AuditError as `comparison_values` does."""
    return _overstated(reported, comparison_values(reported, records, papers), replacement)


def oneaudit_stratum(
    reported: ReportedTotal,
    pools: Pools,
    pool: NDArray[np.int64],
    records: Scores,
    papers: Scores,
    *,
    replacement: bool = False,
) -> StratumSample:
    """A stratum with records of some cards and totals of the rest. Raises AuditError as `oneaudit_values` does."""
    return _overstated(reported, oneaudit_values(reported, pools, pool, records, papers), replacement)


def _overstated(reported: ReportedTotal, values: Values, replacement: bool) -> StratumSample:
    upper = reported.assertion.upper
    mean = Fraction(1, 2) + reported.margin / 2
    # B = (u - w) / (2 u - v), so u - w is B times a number that is the same for every card.
    # The product is rounded, so it is kept from passing the greatest value by a last digit.
    scaled = np.minimum(values * float(2 * upper - reported.margin), float(2 * upper))
    return StratumSample(scaled, reported.cards, upper - mean, 2 * upper, replacement)
