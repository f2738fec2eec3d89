"""Two stages: boxes are drawn by their number of cards, with replacement, and of each drawn box some cards, without.

The value of a drawn box is the mean of its drawn cards' values, whatever design these come from (`polling`, `comparison`,
`oneaudit`). A box is drawn with a chance of its share of all cards, and its drawn cards have the box's mean on average; so the
mean of a draw is that of all cards, and draws are independent. Their hypothesis is that of single cards drawn with replacement.
More cards of a box make its value less uncertain, and cost less than another box. Source for the design: W. G. Cochran, Sampling
Techniques, 3rd edition 1977, section 11.9 (units drawn with probability proportional to size, subsampled).
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError


def box_values(values: Values, groups: Sequence[int]) -> Values:
    """The value of each drawn box, from its cards' values in the order of the draws; `groups`: how many cards each has.

    A box that is drawn again has other cards drawn, anew from all of its cards. Raises AuditError for groups that are empty or do
    not add up.
    """
    if any(group < 1 for group in groups) or sum(groups) != len(values):
        raise AuditError(f"{len(values)} values of cards do not make up drawn boxes of {sum(groups)} cards in all")
    means, start = np.empty(len(groups), np.float64), 0
    for number, group in enumerate(groups):
        # Exact and rounded once, so that no order of addition matters and no mean passes the greatest value.
        means[number] = float(sum((Fraction(float(value)) for value in values[start : start + group]), Fraction(0)) / group)
        start += group
    return means
