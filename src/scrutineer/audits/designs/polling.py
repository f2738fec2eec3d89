"""Ballot polling: what drawn papers show, and nothing of what was reported about them.

A value is the assorter of a paper, from 0 to `Assertion.upper`; the assertion holds if their mean over all cards is more than
1/2. Source: P. B. Stark, SHANGRLA, 2020 (arXiv 1911.10035), section 2.
"""

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.risk.model import Null, Values
from scrutineer.errors import AuditError


def polling_values(assertion: Assertion, papers: Scores) -> Values:
    """The assorter's values of drawn papers. Raises AuditError for scores that no card can have."""
    if papers.size and not assertion.lowest <= int(papers.min()) <= int(papers.max()) <= assertion.highest:
        raise AuditError(
            f"assertion {assertion.code} of contest {assertion.contest}: a drawn card has a score outside "
            f"{assertion.lowest} to {assertion.highest}; the counts belong to another assertion"
        )
    # A quotient of two whole numbers below 2**53 is rounded once, alike everywhere.
    return (papers - assertion.lowest).astype(np.float64) / np.float64(-2 * assertion.lowest)


def polling_null(assertion: Assertion, population: int | None) -> Null:
    """The hypothesis that the assertion is false: a mean of at most 1/2.

    `population`: the greatest number of cards that can hold the contest, drawn without replacement; None: with replacement.
    """
    return Null(0.5, float(assertion.upper), population)
