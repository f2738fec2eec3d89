"""Whether a linear statement follows from others, whatever the votes are: exactly, by a simplex in fractions.

A statement is that the sum of weight x votes is more than zero, or at least zero; votes are never negative. By the transposition
theorems of Farkas and Motzkin a statement c follows from statements a_1, a_2 … that can all be true together exactly if some
mu c - sum lambda_k a_k has no negative weight, with mu > 0 and all lambda_k >= 0, where a strict c needs a lambda_k > 0 of a
strict one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_CELLS: Final = 40_000
"""Weights of all statements up to which combinations of several are tried; beyond that, single statements alone."""
MAX_PIVOTS: Final = 2_000
"""Steps of the simplex for all claims together, after which single statements alone are tried."""

Tableau = NDArray[Any]
"""Python integers, over one common denominator."""


@dataclass(frozen=True, slots=True)
class Statement:
    """That the weighted sum of votes is more than zero (`strict`), or at least zero."""

    weights: tuple[int, ...]
    strict: bool


class Implications:
    """What follows from statements that can all be true together."""

    def __init__(self, known: Sequence[Statement]) -> None:
        self._known = tuple(known)
        self._scaled = {(_scaled(each.weights), each.strict) for each in known}
        self._weights = np.array([each.weights for each in known], dtype=object)
        self._signs = np.sign(self._weights.astype(object)).astype(np.int8) if known else np.zeros((0, 0), np.int8)
        self._pivots = MAX_PIVOTS

    def follows(self, claim: Statement) -> bool:
        """Whether a claim follows, whatever the votes are.

        Beyond MAX_CELLS or MAX_PIVOTS False may also mean that it follows from several statements together alone.
        """
        if not claim.strict and min(claim.weights) >= 0:
            return True
        own = _scaled(claim.weights)
        if (own, True) in self._scaled or (not claim.strict and (own, False) in self._scaled):
            return True
        if not self._known:
            return False
        return self._from_one(claim) or self._from_several(claim)

    def _from_one(self, claim: Statement) -> bool:
        # Where a statement adds, the claim must add too; where the claim takes away, the statement must too.
        own = np.sign(np.array(claim.weights, dtype=object)).astype(np.int8)
        possible = ((self._signs <= 0) | (own > 0)).all(axis=1) & ((own >= 0) | (self._signs < 0)).all(axis=1)
        return any(_follows_from_one(claim, self._known[at]) for at in np.flatnonzero(possible).tolist())

    def _from_several(self, claim: Statement) -> bool:
        if self._weights.size > MAX_CELLS or self._pivots <= 0:
            return False
        found, pivots = _feasible(_tableau(claim, self._known), self._pivots)
        self._pivots -= pivots
        return found


def _scaled(weights: tuple[int, ...]) -> tuple[int, ...]:
    common = gcd(*weights) or 1
    return tuple(weight // common for weight in weights)


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


def _tableau(claim: Statement, known: Sequence[Statement]) -> Tableau:
    """Equations in (mu, lambda, slack | right side): one for each weight, and last one that sets the scale.

    For a strict claim the lambdas of strict statements add up to 1; mu is then not 0, as these statements can all be true. For
    another claim mu is 1.
    """
    size = len(claim.weights)
    rows = []
    for at in range(size):
        slack = [int(other == at) for other in range(size)]
        rows.append([-claim.weights[at], *(each.weights[at] for each in known), *slack, 0])
    rows.append([int(not claim.strict), *(int(claim.strict and each.strict) for each in known), *(0 for _ in range(size)), 1])
    return np.array(rows, dtype=object)


def _feasible(rows: Tableau, most: int) -> tuple[bool, int]:
    """Whether the equations have a solution without negative values, and how many steps it took to know; False after `most`.

    The last equation starts with an artificial variable, its left-over, which Bland's rule drives to zero where that is possible:
    entering is the first column with which the left-over falls, leaving the first variable of the smallest ratio. So no basis
    comes twice. Division by the pivot before leaves whole numbers (J. Edmonds, 1967).
    """
    last, columns = len(rows) - 1, rows.shape[1] - 1
    basis = [columns - last + at for at in range(last)] + [columns]
    denominator = 1
    for step in range(most):
        entering = next((at for at in range(columns) if rows[last, at] > 0), None)
        if entering is None:
            return False, step
        ratios = [(Fraction(row[-1], row[entering]), basis[at], at) for at, row in enumerate(rows) if row[entering] > 0]
        leaving = min(ratios)[2]
        if leaving == last or not rows[last, -1]:
            return True, step
        pivot_row, pivot = rows[leaving], rows[leaving, entering]
        moved = (rows * pivot - np.outer(rows[:, entering], pivot_row)) // denominator
        moved[leaving] = pivot_row
        rows, denominator, basis[leaving] = moved, pivot, entering
    return False, most
