"""A test that nobody drew for, over boxes that were drawn for others: opportunistic risk in tally-sheet comparison.

Boxes are drawn with replacement, box p with probability B_p / B by the bounds of the targeted tests. Another assertion has
overstatements e_p of at most o_p in box p, and is false only if they add up to its margin M or more. Boxes with B_p = 0 are never
drawn: at worst they are all overstated to their bounds, W in all, and M - W is left for the others. Let c be the least B_p / o_p
of boxes that can be drawn. Then t_p = c · max(0, e_p) / B_p is at most 1, and its mean over the draws is

    sum of B_p / B · t_p  >=  c / B · (sum of e_p over boxes that can be drawn)  >=  c (M - W) / B = 1 / U,

so x = 1 - t has a mean of at most 1 - 1 / U where the assertion is false, as in `designs.batch`. Nothing is shown where M <= W;
and nothing needs to be where all o_p together are less than M. The sum is that of Horvitz and Thompson, J. Am. Stat. Assoc. 47
(1952), for draws with unequal probabilities.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, nextafter

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.designs.batch import Reported
from scrutineer.audits.risk.model import Null
from scrutineer.errors import AuditError


@dataclass(frozen=True, eq=False)
class Alongside:
    """One assertion over boxes that are drawn by the bounds of others. Raises AuditError for bounds of other boxes."""

    reported: Reported
    bounds: NDArray[np.int64]
    """By box: what its chance of being drawn is proportional to."""

    def __post_init__(self) -> None:
        if self.bounds.shape != self.reported.scores.shape:
            raise AuditError(
                f"there are bounds of {len(self.bounds)} boxes, and scores of {len(self.reported.scores)}: they are of one list"
            )

    @cached_property
    def certain(self) -> bool:
        """Whether the assertion is true whatever lies in the boxes."""
        return int(self.reported.bounds.sum()) < self.reported.margin

    @cached_property
    def shows(self) -> bool:
        """Whether these draws can show anything of it."""
        return not self.certain and self._left > 0

    @cached_property
    def limit(self) -> Fraction:
        """U. Raises AuditError where these draws show nothing of the assertion."""
        if not self.shows:
            raise AuditError(
                f"assertion {self.reported.assertion.code} of contest {self.reported.assertion.contest} is not shown by draws "
                "that were made for others: plan an audit that targets it"
            )
        return Fraction(int(self.bounds.sum())) / (self._least * self._left)

    def null(self) -> Null:
        """The hypothesis that the assertion is false. Raises AuditError as `limit` does."""
        mean = 1 - 1 / self.limit
        return Null(near if Fraction(near := float(mean)) >= mean else nextafter(near, inf), 1.0, None)

    def share(self, box: int, overstatement: int) -> Fraction:
        """The t of a box that can be drawn. Raises AuditError for one that cannot, and for an overstatement beyond its bound."""
        if not int(self.bounds[box]) or overstatement > int(self.reported.bounds[box]):
            raise AuditError(f"box {box + 1} of the list cannot be drawn, or cannot be overstated by {overstatement}")
        return self._least * max(0, overstatement) / int(self.bounds[box])

    @cached_property
    def _left(self) -> int:
        """M - W."""
        return self.reported.margin - int(self.reported.bounds[self.bounds == 0].sum())

    @cached_property
    def _least(self) -> Fraction:
        """c; there is a box that can be drawn and overstated wherever anything is left to show."""
        both = np.flatnonzero((self.bounds > 0) & (self.reported.bounds > 0)).tolist()
        return min(Fraction(int(self.bounds[box]), int(self.reported.bounds[box])) for box in both)
