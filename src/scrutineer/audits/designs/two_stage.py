"""Two stages: boxes are drawn by their number of cards, with replacement, and of each drawn box some cards, without.

The value of a drawn box is the mean of its drawn cards' values, whatever design these come from (`polling`, `comparison`,
`oneaudit`). Box p of N cards in all has n_p of them, with values B_i whose mean is b_p. It is drawn with a chance of n_p / N, and
any m_p of its cards are as likely as any other m_p, so their mean is b_p on average. Whatever was drawn before, a draw has a mean
of

    sum over p of (n_p / N) b_p = (1 / N) sum over all cards of B_i,

the mean of all cards, and lies between 0 and the greatest value of a card. So draws are tested against the hypothesis of single
cards drawn with replacement (`Null` without a population), whatever the m_p are, as long as they hang on the manifest alone and
are fixed before the draw. A card that is missing counts as the worst that it can be, which makes a mean smaller only.
More cards of a box make its value less uncertain, and cost less than another box; two cards of one draw are not two draws. Source
for the design: W. G. Cochran, Sampling Techniques, 3rd edition 1977, section 11.9 (units drawn with probability proportional to
size, subsampled).
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import Pools
from scrutineer.audits.designs.seen import Scores
from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError


def box_values(values: Values, groups: Sequence[int]) -> Values:
    """The value of each drawn box, from its cards' values in the order of the draws; `groups`: how many cards each has.

    A box that is drawn again has other cards drawn, anew from all of its cards. Raises AuditError for groups that are empty or do
    not add up.
    """
    _check_groups(len(values), groups)
    means, start = np.empty(len(groups), np.float64), 0
    for number, group in enumerate(groups):
        # Exact and rounded once, so that no order of addition matters and no mean passes the greatest value.
        means[number] = float(sum((Fraction(float(value)) for value in values[start : start + group]), Fraction(0)) / group)
        start += group
    return means


def two_stage_values(
    reported: ReportedTotal, pools: Pools, boxes: NDArray[np.int64], groups: Sequence[int], papers: Scores
) -> Values:
    """The value of each drawn box where its cards are held against its reported total, as in `oneaudit`.

    `boxes`, by draw: the number of the box among `pools`; `groups`, by draw: how many cards of it; `papers`: their scores, those
    of one draw after those of another. The overstatement assorter is a straight line, so its mean over cards is its value for
    their mean score: exact, and rounded once. Raises AuditError for groups that are empty or do not add up, boxes that do not
    exist, and scores out of range.
    """
    assertion = reported.assertion
    _check_groups(len(papers), groups)
    if len(boxes) != len(groups) or (boxes.size and not 0 <= int(boxes.min()) <= int(boxes.max()) < len(pools.cards)):
        raise AuditError(f"contest {assertion.contest}: a drawn box is not among the {len(pools.cards)} that have totals")
    if papers.size and not assertion.lowest <= int(papers.min()) <= int(papers.max()) <= assertion.highest:
        raise AuditError(
            f"assertion {assertion.code} of contest {assertion.contest}: a drawn card has a score outside "
            f"{assertion.lowest} to {assertion.highest}; the counts belong to another assertion"
        )
    ends = np.cumsum([0, *groups])
    sums = np.append(0, np.cumsum(papers))[ends]
    means = np.empty(len(groups), np.float64)
    for number, (box, group, score) in enumerate(zip(boxes.tolist(), groups, np.diff(sums).tolist(), strict=True)):
        expected = Fraction(int(pools.totals[box]), int(pools.cards[box]))
        means[number] = float(reported.value(expected - Fraction(score, group)))
    return means


def _check_groups(cards: int, groups: Sequence[int]) -> None:
    if any(group < 1 for group in groups) or sum(groups) != cards:
        raise AuditError(f"{cards} values of cards do not make up drawn boxes of {sum(groups)} cards in all")
