"""SUITE: one contest in two strata, cards compared in one and ballots polled in the other, by Fisher's combination.

K. Ottoboni, P. B. Stark, M. Lindeman and N. McBurnett, Risk-limiting audits by stratified union-intersection tests of elections,
E-Vote-ID 2018 (arXiv 1809.04235). If the outcome is wrong, the reported margin of V votes is overstated by at least V in all: by
some q in the compared stratum and by at least V - q in the polled one. For each q both strata give a p-value, and Fisher's
function combines them; the p-value of the audit is the greatest over q.

**The greatest is bounded, not only searched for.** The logarithms of both p-values are concave in q (one is a sum of logarithms
of linear functions, the other such a sum maximised over the votes that q leaves open), and Fisher's function rises with their
sum. So a few values of q enclose the greatest, and the chords through them bound it from above; the bound is returned.

**When to look.** Each stratum's p-value holds at every moment, but their combination holds for sizes fixed in advance alone. For
an audit that grows as it goes, use `union_intersection`, which multiplies evidence.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scrutineer.audits.risk.evidence import running_product
from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError

GAMMA: Final = 1.03905
"""The error inflation of SuperSimple audits in use (Colorado's, Arlo's)."""
_CLOSE: Final = 1e-5  # how much greater the bound of the product of the p-values may be than the greatest found, as a share of it
_MOST_HALVINGS: Final = 30
_VOTE_HALVINGS: Final = 30  # of the range of votes that is left open: the likelihood is flat there, so the error is squared
_TERMS: Final = 14  # of the series of the logarithm, whose argument is at most 0.0295: the rest is below 1e-22
_LN_2: Final = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class ComparedStratum:
    """Cards drawn with replacement and compared with their records, for one pair of options."""

    cards: int
    margin: int
    """Votes of the winner less those of the loser, as reported in this stratum."""
    drawn: int
    one_over: int = 0
    """Cards on which the record favoured the winner by one vote too many; the others likewise."""
    two_over: int = 0
    one_under: int = 0
    two_under: int = 0
    gamma: float = GAMMA

    def __post_init__(self) -> None:
        counts = (self.one_over, self.two_over, self.one_under, self.two_under)
        if self.cards < 1 or abs(self.margin) > self.cards or min(counts) < 0 or sum(counts) > self.drawn or not self.gamma > 1:
            raise AuditError("the counts of a compared stratum contradict each other, or its error inflation is not above 1")

    def p_value(self, overstatement: float) -> float:
        """For the hypothesis that the margin is overstated by at least so many votes (Kaplan–Markov, section 2.3)."""
        return self.scaled(overstatement).number

    def scaled(self, overstatement: float) -> "Scaled":
        """The same, however small."""
        if overstatement > self.margin + self.cards:
            return _NONE  # more than if every card had been a vote for the loser
        if not self.drawn:
            return _ONE
        factor = 1.0 - overstatement / (2.0 * self.gamma * self.cards)
        double = 2.0 * self.gamma
        terms = [np.full(self.drawn, 1.0 / factor)]
        terms += [np.full(self.one_over, (double - 1.0) / double), np.full(self.two_over, (double - 2.0) / double)]
        terms += [np.full(self.one_under, (double + 1.0) / double), np.full(self.two_under, (double + 2.0) / double)]
        return _one_over(np.concatenate(terms))


@dataclass(frozen=True, slots=True)
class PolledStratum:
    """Ballots drawn without replacement and read, for one pair of options."""

    cards: int
    winner: int
    """Votes for the winner as reported in this stratum; loser likewise. The other ballots have a vote for neither, or both."""
    loser: int
    drawn: int
    winner_drawn: int
    loser_drawn: int

    def __post_init__(self) -> None:
        counts = (self.winner, self.loser, self.winner_drawn, self.loser_drawn)
        if min(*counts, self._others_drawn) < 0 or self.winner + self.loser > self.cards or self.drawn > self.cards:
            raise AuditError("the counts of a polled stratum contradict each other")

    @property
    def margin(self) -> int:
        """Votes of the winner less those of the loser, as reported in this stratum."""
        return self.winner - self.loser

    @property
    def _others_drawn(self) -> int:
        return self.drawn - self.winner_drawn - self.loser_drawn

    def p_value(self, overstatement: float) -> float:
        """For the hypothesis that the margin is overstated by exactly so many votes.

        One over the likelihood ratio of the reported votes against the likeliest votes with that margin (section 2.4).
        """
        return self._fit(overstatement)[0].number

    def p_value_at_least(self, overstatement: float) -> float:
        """For the hypothesis that the margin is overstated by at least so many votes: never rising with them."""
        return self.scaled_at_least(overstatement).number

    def scaled_at_least(self, overstatement: float) -> "Scaled":
        """The same, however small."""
        p_value, falling = self._fit(overstatement)
        return p_value if falling else _ONE

    def _fit(self, overstatement: float) -> tuple["Scaled", bool]:
        """The p-value, and whether a greater overstatement has none that is greater."""
        margin = self.margin - overstatement
        drawn = (self.winner_drawn, self.loser_drawn, self._others_drawn)
        reported = (self.winner, self.loser, self.cards - self.winner - self.loser)
        if any(seen > said for seen, said in zip(drawn, reported, strict=True)):
            return _ONE, True
        most = (self.cards - drawn[2] + margin) / 2.0
        least = max(float(drawn[0]), drawn[1] + margin)
        if least > most:
            return _NONE, drawn[0] > most
        earlier = [np.arange(seen, dtype=np.float64) for seen in drawn]

        def slopes(winner: float) -> list[float]:
            counts = (winner, winner - margin, self.cards - 2.0 * winner + margin)
            return [_total(1.0 / (count - taken)) for count, taken in zip(counts, earlier, strict=True)]

        winner, of = most, slopes(most)
        if of[0] + of[1] < 2.0 * of[2]:
            low, high = least, most
            for _ in range(_VOTE_HALVINGS):
                middle = (low + high) / 2.0
                of = slopes(middle)
                low, high = (middle, high) if of[0] + of[1] > 2.0 * of[2] else (low, middle)
            winner = low
            of = slopes(winner)
        counts = (winner, winner - margin, self.cards - 2.0 * winner + margin)
        known = zip(reported, counts, earlier, strict=True)
        ratios = np.concatenate([(said - taken) / (count - taken) for said, count, taken in known])
        p_value = _one_over(ratios) if len(ratios) else _ONE
        return p_value, _rises_with_margin(of, winner > least, winner < most, least == drawn[1] + margin)


@dataclass(frozen=True, slots=True)
class Bound:
    """What bounding the worst split found."""

    p_value: float
    """An upper bound of the p-value; the p-value to use."""
    least: float
    """A lower bound: the greatest combination that was met."""
    split: float
    """The overstatement in the compared stratum, in votes, at which it was met."""


def fisher(p_values: Sequence[float]) -> float:
    """Fisher's combination of independent p-values: the chance that their product is this small or smaller."""
    product = 1.0
    for p_value in p_values:
        product *= p_value
    if product <= 0:
        return 0.0
    if product >= 1:
        return 1.0
    surprise = -_ln(product)
    term = total = 1.0
    for number in range(1, len(p_values)):
        term = term * surprise / number
        total += term
    return min(product * total, 1.0)


def suite(compared: ComparedStratum, polled: PolledStratum) -> Bound:
    """The p-value of a hybrid audit. Raises AuditError where no margin was reported for the winner."""
    margin = compared.margin + polled.margin
    if margin <= 0:
        raise AuditError("the winner leads by no vote over both strata: there is no outcome to confirm")
    # Below `low` the polled stratum would have fewer votes for the winner, or the compared one more cards, than it is known to.
    least_polled = 2 * polled.winner_drawn + (polled.drawn - polled.winner_drawn - polled.loser_drawn) - polled.cards
    low = float(max(compared.margin - compared.cards, least_polled - polled.margin + margin))
    high = float(min(compared.margin + compared.cards, polled.cards - polled.margin + margin))
    if low > high:
        return Bound(0.0, 0.0, low)

    def at(overstatement: float) -> _Split:
        pair = compared.scaled(overstatement), polled.scaled_at_least(margin - overstatement)
        return _Split(overstatement, pair[0].log + pair[1].log, pair[0].number * pair[1].number)

    splits = [at(low + (high - low) * step / 16) for step in range(17)] if low < high else [at(low)]
    excess = 0.0
    for _ in range(_MOST_HALVINGS):
        best = max(range(len(splits)), key=lambda place: splits[place].log)
        excess = _excess(splits[max(best - 2, 0) : best + 3], splits[best])
        if excess <= _CLOSE or splits[best].log >= 0:
            break
        near = splits[max(best - 1, 0) : best + 2]
        middles = [at((one.at + other.at) / 2.0) for one, other in itertools.pairwise(near)]
        splits = sorted([*splits, *middles], key=lambda split: split.at)
    top = max(splits, key=lambda split: split.log)
    return Bound(fisher((min(top.product / (1.0 - excess), 1.0), 1.0)) if excess < 1 else 1.0, fisher((top.product, 1.0)), top.at)


def _rises_with_margin(of: list[float], above_least: bool, below_most: bool, least_is_all_losers: bool) -> bool:
    """Whether the greatest likelihood rises with the margin: the sign of its derivative, also where the votes are at an end.

    A margin of one more moves the other ballots' number up by one for the same votes for the winner, and by none where these
    rise by half a vote; `of` has the slopes of the likelihood in the votes for winner and loser and in the other ballots.
    """
    with_others, with_winner = of[2] - of[1], (of[0] - of[1]) / 2.0
    if not above_least and not below_most:
        return max(with_others, with_winner) >= 0
    if above_least:
        return with_winner >= 0
    return of[0] >= of[2] if least_is_all_losers else with_others >= 0


@dataclass(frozen=True, slots=True)
class _Split:
    """The p-values that one split of the overstatement gives: the logarithm of their product, and the product."""

    at: float
    log: float
    product: float


def _excess(near: Sequence[_Split], best: _Split) -> float:
    """A bound of 1 - best / greatest: a concave function lies below its chords prolonged, and 1 - exp(-d) is at most d."""
    points = [(split.at, split.log - best.log) for split in near if split.log > -math.inf]
    greatest = 0.0
    for start, end in itertools.pairwise(near):
        if best.at not in (start.at, end.at):
            continue
        chords = [pair for pair in itertools.pairwise(points) if pair[1][0] <= start.at or pair[0][0] >= end.at]
        corners = [start.at, end.at] + [where for pair in itertools.combinations(chords, 2) for where in _crossing(*pair)]
        inside = [where for where in corners if start.at <= where <= end.at]
        greatest = max(greatest, *(min((_height(chord, where) for chord in chords), default=1.0) for where in inside))
    return greatest


_Line = tuple[tuple[float, float], tuple[float, float]]


def _slope(line: _Line) -> float:
    return (line[1][1] - line[0][1]) / (line[1][0] - line[0][0])


def _height(line: _Line, where: float) -> float:
    return line[0][1] + _slope(line) * (where - line[0][0])


def _crossing(one: _Line, other: _Line) -> tuple[float, ...]:
    apart = _slope(one) - _slope(other)
    return ((_height(other, 0.0) - _height(one, 0.0)) / apart,) if apart else ()


@dataclass(frozen=True, slots=True)
class Scaled:
    """A p-value as a fraction and an exponent of two, so that its logarithm is known where it is too small for a float64."""

    fraction: float
    exponent: int

    @property
    def number(self) -> float:
        """As it is; 0 below 2^-1100."""
        return math.ldexp(self.fraction, max(self.exponent, -1100))

    @property
    def log(self) -> float:
        """Its natural logarithm."""
        return _ln(self.fraction) + self.exponent * _LN_2 if self.fraction else -math.inf


_ONE: Final = Scaled(1.0, 0)
_NONE: Final = Scaled(0.0, 0)


def _one_over(factors: Values) -> Scaled:
    """One over the product of a row, at most 1; not the least so far, because counts have no order."""
    evidence = running_product(factors[None, :])
    scaled = Scaled(1.0 / float(evidence.fraction[0, -1]), -int(evidence.exponent[0, -1]))
    return scaled if scaled.exponent < 0 and scaled.fraction * 2.0 ** max(scaled.exponent, -1000) < 1 else _ONE


def _total(numbers: Values) -> float:
    return float(np.add.accumulate(numbers)[-1]) if len(numbers) else 0.0


def _ln(number: float) -> float:
    """The natural logarithm by its series, with single IEEE operations: the platform's own may differ in the last bit."""
    fraction, power = np.frexp(number)
    mantissa, exponent = float(fraction), int(power)
    if mantissa < 0.7071067811865476:
        mantissa, exponent = 2.0 * mantissa, exponent - 1
    part = (mantissa - 1.0) / (mantissa + 1.0)
    square, term, total = part * part, part, 0.0
    for number_of_term in range(_TERMS):
        total += term / (2 * number_of_term + 1)
        term *= square
    return 2.0 * total + exponent * _LN_2
