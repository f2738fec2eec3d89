"""Strata that are audited in different ways: each gives values whose mean has a bound that is linear in the stratum's own mean.

Overall the assertion is false if and only if the assorter means A_k of the strata satisfy sum (N_k / N) A_k <= 1/2, that is if
there are t_k >= A_k with sum (N_k / N) t_k = 1/2. A stratum's hypothesis A_k <= t becomes: the mean of its values is at most
t + shift. Polling: values are the assorter itself, shift 0. Comparison (and pools): with upper bound u, reported mean R_k and
overstatement w, values are u - w, which lie in [0, 2u] and have the mean u - R_k + A_k; so shift = u - R_k.
`risk.stratified.union_intersection` makes one p-value of two strata. Where cards can be drawn from all of them together, pools
(`oneaudit`) take fewer. Sources: P. B. Stark, ALPHA, 2023 (arXiv 2201.02707), section 4; K. Ottoboni et al., SUITE, E-Vote-ID
2018 (arXiv 1809.04235); J. V. Spertus and P. B. Stark, Sweeter than SUITE, E-Vote-ID 2022 (arXiv 2207.03379).
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.designs.oneaudit import Pools, oneaudit_values
from scrutineer.audits.designs.polling import polling_values
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.stratified import Stratum


def polling_stratum(
    assertion: Assertion, cards: int, papers: Scores, expected: Forecast, *, replacement: bool = False
) -> Stratum:
    """A stratum without records; `expected` is its own `polling_forecast`. Raises AuditError for scores out of range."""
    values = polling_values(assertion, papers)
    return Stratum(values, cards, Fraction(0), assertion.upper, *_expected(expected.values, expected), replacement)


def comparison_stratum(
    reported: ReportedTotal, records: Scores, papers: Scores, expected: Forecast, *, replacement: bool = False
) -> Stratum:
    """A stratum with records; `reported` and `expected` (a `comparison_forecast`) are about this stratum alone.

    Raises AuditError as `comparison_values` does.
    """
    return _overstated(reported, comparison_values(reported, records, papers), expected, replacement)


def oneaudit_stratum(
    reported: ReportedTotal,
    pools: Pools,
    pool: NDArray[np.int64],
    records: Scores,
    papers: Scores,
    expected: Forecast,
    *,
    replacement: bool = False,
) -> Stratum:
    """A stratum with records of some cards and totals of the rest; `expected` is its own `oneaudit_forecast`.

    Raises AuditError as `oneaudit_values` does.
    """
    return _overstated(reported, oneaudit_values(reported, pools, pool, records, papers), expected, replacement)


def _overstated(reported: ReportedTotal, values: Values, expected: Forecast, replacement: bool) -> Stratum:
    upper = reported.assertion.upper
    mean = Fraction(1, 2) + reported.margin / 2
    # B = (u - w) / (2 u - v), so u - w is B times a number that is the same for every card. Products are rounded, so they are
    # kept from passing the greatest value by a last digit.
    scale, greatest = float(2 * upper - reported.margin), float(2 * upper)
    likely = np.minimum(expected.values * scale, greatest)
    drawn = np.minimum(values * scale, greatest)
    return Stratum(drawn, reported.cards, upper - mean, 2 * upper, *_expected(likely, expected), replacement)


def _expected(values: Values, expected: Forecast) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(values.tolist()), tuple(expected.shares.tolist())
