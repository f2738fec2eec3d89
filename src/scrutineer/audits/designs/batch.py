"""Tally-sheet comparison: the unit is a box with its reported tally, and what is compared are scores of whole boxes.

**The question as one number.** An assertion a has reported scores s_ap by box p, and true ones t_ap. The reported scores add up
to `need` or more; they would have to be overstated by at least M_a = sum of s_ap - need + 1 for the assertion to be false. With
e_ap = s_ap - t_ap, the overstatement of box p is e_p = max over a of e_ap / M_a: the maximum across-contest relative
overstatement (MACRO). Where any assertion of any contest is false, the e_p add up to at least 1 (P. B. Stark, Efficient
Post-Election Audits of Multiple Contests: 2009 California Tests, CELS 2009, section 3; SSRN 1443314).

**Bounds.** A box with n cards cannot have a score below n · lowest; so e_ap is at most s_ap - n · lowest, and e_p at most
u_p, the largest of these over M_a. The u_p add up to U. A box with u_p = 0 has e_p of 0 or less for every assertion: leaving it
out makes the sum of the others' e_p no smaller, so it is irrelevant, and it is never drawn.

**Whole numbers.** Both are kept in units of 1 / scale, rounded up: that makes overstatements larger only, so every statement
above still holds. With one assertion, and as long as the numbers fit, scale is the least common multiple of the M_a, and nothing
is rounded.

**Values.** Drawn with probability u_p / U, with replacement, the taint e_p / u_p has a mean of at least 1 / U where an assertion
is false; so x = 1 - taint has a mean of at most 1 - 1 / U (`null`). Drawn without replacement, each of N boxes alike,
x = 1 - e_p / largest u has a mean of at most 1 - 1 / (N · largest u) (`uniform_null`). Every risk function takes these values:
Kaplan-Markov's evidence is the product of (1 - taint) / (1 - 1 / U), which one box of taint 1 makes zero for ever; a bet that
is less than everything goes on.

Missing, illegible and pending boxes count as overstated as far as their bound goes. An overstatement below zero counts up to
`credit` times the bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.risk.model import Null, RiskFunction, Values
from scrutineer.audits.sampling.sample import Sample

BoxScores: TypeAlias = tuple[int | None, ...]
"""What was counted in a box: the score by assertion, in the order of the design's; None where it could not be counted."""


@dataclass(frozen=True, eq=False)
class Reported:
    """One assertion, and what was reported of it by box. Raises AuditError for numbers that fit no election."""

    assertion: Assertion
    scores: NDArray[np.int64]
    """By box: the reported score; 0 where the box does not hold the contest."""
    cards: NDArray[np.int64]
    """By box: how many cards of the contest can lie in it at most; 0 where it does not hold the contest."""
    unseen: int = 0
    """How many cards lie in no box (still to be counted, or nowhere to be found): each counts as the worst card."""


@dataclass(frozen=True, eq=False)
class BatchDesign:
    """Boxes with what was reported of them for all assertions that one sample is to show.

    Raises AuditError for reported scores that do not make every assertion true: nothing can be confirmed of these.
    """

    names: tuple[str, ...]
    reported: tuple[Reported, ...]
    credit: Fraction = Fraction(0)
    """How much an understatement counts at most, as a share of the bound."""

    @property
    def bounds(self) -> NDArray[np.int64]:
        """By box: u_p in units of 1 / scale, rounded up; what `sampling.canonical.draw_boxes` takes."""
        raise NotImplementedError

    @property
    def scale(self) -> int:
        """How many units make an overstatement of 1, which would make an assertion false."""
        raise NotImplementedError

    @property
    def limit(self) -> Fraction:
        """U: all bounds together. Below 1 every assertion is true whatever the boxes hold."""
        raise NotImplementedError

    def irrelevant(self) -> tuple[str, ...]:
        """Boxes that cannot matter: their bound is 0."""
        raise NotImplementedError

    def null(self) -> Null:
        """What is tested by draws of `draw_boxes`. Raises AuditError where no sample is needed."""
        raise NotImplementedError

    def uniform_null(self) -> Null:
        """What is tested by draws of `draw_boxes_uniformly` from the boxes that are not irrelevant."""
        raise NotImplementedError

    def taints(self, sample: Sample, counted: Mapping[str, BoxScores]) -> tuple[Fraction, ...]:
        """By draw: the overstatement as a share of the bound; 1 for a box that is not among the counted ones.

        Raises AuditError for a box of the sample that the design does not have, for a count with another number of scores, and
        for a score that so many cards cannot have.
        """
        raise NotImplementedError

    def values(self, sample: Sample, counted: Mapping[str, BoxScores]) -> Values:
        """By draw of `draw_boxes`: 1 - taint. Raises AuditError as `taints` does."""
        raise NotImplementedError

    def uniform_values(self, sample: Sample, counted: Mapping[str, BoxScores]) -> Values:
        """By draw of `draw_boxes_uniformly`: 1 - overstatement over the largest bound. Raises AuditError as `taints` does."""
        raise NotImplementedError

    def size(self, risk_limit: Fraction) -> int:
        """The least number of draws of `draw_boxes` that reaches the risk limit by Kaplan-Markov where no box is overstated:
        the least n with (1 - 1/U)^n at most the risk limit."""
        raise NotImplementedError


def clean_size(function: RiskFunction, null: Null, risk_limit: Fraction, most: int) -> int | None:
    """How many draws reach the risk limit where every drawn box is as reported; None where `most` draws do not."""
    raise NotImplementedError


def kaplan_markov(limit: Fraction, taints: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The P-value after each draw, exactly: the least of 1 and the products so far of (1 - 1/U) / (1 - taint); a taint of 1
    makes all products from there on infinite. Source: Stark 2009, section 4 (Kaplan-Markov)."""
    raise NotImplementedError
