"""Whether a linear statement follows from others, whatever the votes are: exactly, by a simplex in fractions.

A statement is that the sum of weight x votes is more than zero, or at least zero; votes are never negative. By the transposition
theorems of Farkas and Motzkin a statement c follows from statements a_1, a_2 … that can all be true together exactly if some
mu c - sum lambda_k a_k has no negative weight, with mu > 0 and all lambda_k >= 0, where a strict c needs a lambda_k > 0 of a
strict one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MAX_CELLS: Final = 40_000
"""Weights of all statements up to which combinations of several are tried; beyond that, single statements alone."""

Row = list[Fraction]


@dataclass(frozen=True, slots=True)
class Statement:
    """That the weighted sum of votes is more than zero (`strict`), or at least zero."""

    weights: tuple[int, ...]
    strict: bool


def follows(claim: Statement, known: Sequence[Statement]) -> bool:
    """Whether a claim follows from statements that can all be true together.

    Where there are more than MAX_CELLS weights, False may also mean that it follows from several of them alone.
    """
    if not claim.strict and min(claim.weights) >= 0:
        return True
    if any(_follows_from_one(claim, each) for each in known):
        return True
    if not known or len(known) * len(claim.weights) > MAX_CELLS:
        return False
    return _feasible(_tableau(claim, known))


def _follows_from_one(claim: Statement, known: Statement) -> bool:
    """Whether claim - lambda known has no negative weight for a lambda > 0."""
    if claim.strict and not known.strict:
        return False
    least, most = Fraction(0), None
    for own, other in zip(claim.weights, known.weights, strict=True):
        if other > 0:
            limit = Fraction(own, other)
            most = limit if most is None else min(most, limit)
        elif other < 0:
            least = max(least, Fraction(own, other))
        elif own < 0:
            return False
    return most is None or (most > 0 and least <= most)


def _tableau(claim: Statement, known: Sequence[Statement]) -> list[Row]:
    """Equations in (mu, lambda, slack | right side): one for each weight, and last one that sets the scale.

    For a strict claim the lambdas of strict statements add up to 1; mu is then not 0, as these statements can all be true. For
    another claim mu is 1.
    """
    size = len(claim.weights)
    rows = []
    for at in range(size):
        slack = [Fraction(int(other == at)) for other in range(size)]
        rows.append([Fraction(-claim.weights[at]), *(Fraction(each.weights[at]) for each in known), *slack, Fraction(0)])
    scale = [int(not claim.strict), *(int(claim.strict and each.strict) for each in known), *(0 for _ in range(size)), 1]
    rows.append([Fraction(value) for value in scale])
    return rows


def _feasible(rows: list[Row]) -> bool:
    """Whether the equations have a solution without negative values, the last one starting with an artificial variable.

    The artificial variable is the left-over of the last row, which Bland's rule drives to zero where that is possible: entering
    is the first column with which the left-over falls, leaving the first variable of the smallest ratio. So no basis comes twice.
    """
    columns = len(rows[0]) - 1
    first_slack = columns - (len(rows) - 1)
    basis = [first_slack + at for at in range(len(rows) - 1)] + [columns]
    left = rows[-1]
    while left[-1] > 0:
        entering = next((at for at in range(columns) if left[at] > 0), None)
        if entering is None:
            return False
        ratios = [(row[-1] / row[entering], basis[at], at) for at, row in enumerate(rows) if row[entering] > 0]
        leaving = min(ratios)[2]
        if leaving == len(rows) - 1:
            return True
        pivot = rows[leaving][entering]
        rows[leaving] = [value / pivot for value in rows[leaving]]
        for at, row in enumerate(rows):
            factor = row[entering]
            if at != leaving and factor:
                rows[at] = [value - factor * other for value, other in zip(row, rows[leaving], strict=True)]
        basis[leaving] = entering
        left = rows[-1]
    return True
