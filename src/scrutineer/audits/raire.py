"""Assertions for instant run-offs (RAIRE): the set with the least greatest difficulty, found from ballots by preference.

Source: M. Blom, P. J. Stuckey, V. Teague, RAIRE: Risk-Limiting Audits for IRV Elections, arXiv 1903.08804, sections 4 and 5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from scrutineer.count.outcome import RankedTally

Difficulty: TypeAlias = Callable[[int, int, int], float]
"""How much work an assertion is: a function of the winner's votes, the loser's votes and all cards; more where the margin is less."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """That one candidate is not eliminated before another: never (`continuing` is None), or when just these are still in."""

    winner: int
    loser: int
    continuing: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class RaireResult:
    """Comparisons that together exclude every other winner, hardest first."""

    winner: int
    comparisons: tuple[Comparison, ...]
    margins: tuple[int, ...]
    """By comparison: the winner's votes less the loser's."""
    difficulty: float
    """The greatest difficulty, the least that any set of such assertions can have."""
