"""Minerva: ballot polling that looks at its sample once a round, and needs fewer ballots for it.

F. Zagórski, G. McClearn, S. Morin, N. McBurnett and P. L. Vora, Minerva: an efficient risk-limiting ballot polling audit,
USENIX Security 2021 (arXiv 2008.02315).

**Not valid at every moment.** Evidence here is a ratio of chances at the end of a round, given that no earlier round ended the
audit. It limits the risk for rounds whose sizes were fixed before the seed and that are all counted to their end. Whoever looks
within a round, or chooses the size of a round by what was seen, has no risk limit. All other risk functions here may be looked
at after every draw; so Minerva has no `p_values` of draws, cannot be named in a plan, and serves to check other people's audits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scrutineer.audits.risk.evidence import running_product
from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError

_NEGLIGIBLE: Final = 2.0**-200  # chances below this one of the greatest are left out
_MOST_BALLOTS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Minerva:
    """The test of one pair of options: their ballots alone are counted. Raises AuditError for parameters out of range."""

    share: float
    """The winner's reported share of the votes for the two options."""
    risk_limit: float

    def __post_init__(self) -> None:
        if not 0.5 < self.share < 1:
            raise AuditError(f"a winner's share of {self.share} of the votes for two options is not between 1/2 and 1")
        if not 0 < self.risk_limit < 1:
            raise AuditError(f"a risk limit of {self.risk_limit} is not between 0 and 1")

    def p_values(self, rounds: Sequence[tuple[int, int]]) -> tuple[float, ...]:
        """The p-value at the end of each round, from the votes for winner and loser that the round itself drew.

        The audit is over at the first that is at most the risk limit. Raises AuditError for counts below 0 or beyond reason.
        """
        tied, reported = _start(), _start()
        found: list[float] = []
        winners = 0
        for winner, loser in rounds:
            if winner < 0 or loser < 0 or winner + loser > _MOST_BALLOTS:
                raise AuditError(f"a round with {winner} and {loser} votes cannot be tested")
            winners += winner
            tied = tied.after(winner + loser, 0.5)
            reported = reported.after(winner + loser, self.share)
            ratios = _ratios(tied, reported)
            found.append(ratios.at(winners))
            enough = ratios.least_at_most(self.risk_limit)
            tied, reported = tied.below(enough), reported.below(enough)
        return tuple(found)

    def enough(self, rounds: Sequence[int]) -> tuple[int, ...]:
        """For rounds of so many votes for the two options each: how many for the winner so far end the audit, by round.

        More than were drawn where nothing does. Raises AuditError for counts below 0 or beyond reason.
        """
        tied, reported = _start(), _start()
        found: list[int] = []
        for votes in rounds:
            if not 0 <= votes <= _MOST_BALLOTS:
                raise AuditError(f"a round with {votes} votes cannot be tested")
            tied, reported = tied.after(votes, 0.5), reported.after(votes, self.share)
            found.append(_ratios(tied, reported).least_at_most(self.risk_limit))
            tied, reported = tied.below(found[-1]), reported.below(found[-1])
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Chances:
    """The chance of each number of votes for the winner so far, from `first` up, the audit not being over."""

    first: int
    of: Values

    def after(self, votes: int, share: float) -> "_Chances":
        """After that many more votes, each for the winner with chance `share`."""
        new = _binomial(votes, share)
        shorter, longer = sorted((self.of, new.of), key=len)
        total = np.zeros(len(shorter) + len(longer) - 1)
        for place, chance in enumerate(shorter.tolist()):
            total[place : place + len(longer)] += chance * longer
        return _Chances(self.first + new.first, total)

    def below(self, number: int) -> "_Chances":
        """Without the outcomes of `number` or more, which have ended the audit."""
        return _Chances(self.first, self.of[: max(number - self.first, 1)] * (number > self.first))


@dataclass(frozen=True, slots=True)
class _Ratios:
    """For each number from `first` up, the ratio of the chances of as many or more: tied over reported. It falls."""

    first: int
    of: Values

    def at(self, number: int) -> float:
        place = min(max(number - self.first, 0), len(self.of) - 1)
        return min(float(self.of[place]), 1.0)

    def least_at_most(self, limit: float) -> int:
        """The least number whose ratio is at most `limit`; one past the last where none is."""
        reached = self.of <= limit
        return self.first + (int(reached.argmax()) if reached.any() else len(self.of))


def _start() -> _Chances:
    return _Chances(0, np.ones(1))


def _ratios(tied: _Chances, reported: _Chances) -> _Ratios:
    first = min(tied.first, reported.first)
    last = max(tied.first + len(tied.of), reported.first + len(reported.of))
    over = _tails(_placed(tied, first, last))
    under = _tails(_placed(reported, first, last))
    ratios = np.divide(over, under, out=np.full(len(over), np.inf), where=under > 0)
    return _Ratios(first, np.minimum.accumulate(ratios))


def _placed(chances: _Chances, first: int, last: int) -> Values:
    placed = np.zeros(last - first)
    placed[chances.first - first : chances.first - first + len(chances.of)] = chances.of
    return placed


def _tails(chances: Values) -> Values:
    return np.add.accumulate(chances[::-1])[::-1]


def _binomial(votes: int, share: float) -> _Chances:
    """Binomial chances, by the ratios of neighbours and their sum; single IEEE operations in a fixed order."""
    if not votes:
        return _start()
    number = np.arange(votes, dtype=np.float64)
    ratios = (votes - number) / (number + 1.0) * (share / (1.0 - share))
    products = running_product(np.concatenate(([1.0], ratios))[None, :])
    fraction, exponent = products.fraction[0], products.exponent[0]
    with np.errstate(under="ignore"):
        chances = np.ldexp(fraction, np.maximum(exponent - exponent.max(), -1100))
    kept = np.flatnonzero(chances > _NEGLIGIBLE)
    chances = chances[kept[0] : kept[-1] + 1]
    return _Chances(int(kept[0]), chances / np.add.accumulate(chances)[-1])
