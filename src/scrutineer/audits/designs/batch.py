"""Tally-sheet comparison: the unit is a box with its reported tally, and what is compared are scores of whole boxes.

**The question as one number.** An assertion a has reported scores s_ap by box p, and true ones t_ap. The reported scores add up
to `need` or more; they would have to be overstated by at least M_a = sum of s_ap - need + 1 for the assertion to be false. With
e_ap = s_ap - t_ap, the overstatement of box p is e_p = max over a of e_ap / M_a: the maximum across-contest relative
overstatement (MACRO). Where any assertion of any contest is false, the e_p add up to at least 1 (P. B. Stark, Efficient
Post-Election Audits of Multiple Contests: 2009 California Tests, CELS 2009, section 3; SSRN 1443314).

**Bounds.** A box in which at most n cards lie cannot have a score below n · lowest; so e_ap is at most s_ap - n · lowest, and
e_p at most u_p, the largest of these over M_a. The u_p add up to U. A box with u_p = 0 has e_p of 0 or less for every assertion:
leaving it out makes the sum of the others' e_p no smaller, so it is irrelevant, and it is never drawn.

**How many cards.** All of this holds for boxes that hold at most n cards, whatever was reported of them, and for no others. So n
must not be what is audited: were it the number of cards that a sheet admits, a sheet of one card would make a box of three
hundred one that is hardly ever drawn, and its overstatement, many times its u_p, would not be seen. n is what a manifest says, or
the roll. How many cards R were reported occurs nowhere above: a box that is found with more than R cards, and not more than n, is
as good as any other. To one that is found with c < R the R - c missing cards are added as the worst: t_ap + (R - c) · lowest is
no more than t_ap, so e_p becomes no smaller, and as R is at most n it stays within u_p. Voters who stayed at home are not
missing: between R and n there is nothing to punish, and a box that is as reported has a taint of 0. What they cost is sample:
each adds |lowest| / M_a to U, and the draws needed grow with U.

**Whole numbers.** Both are kept in units of 1 / scale, rounded up: that makes overstatements larger only, so every statement
above still holds. As long as the numbers fit into 62 bits, and always with one assertion, scale is the least common multiple of
the M_a, and nothing is rounded; else it is the largest power of 1000 up to 10^15 with which they fit.

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
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from functools import cached_property
from math import inf, lcm, nextafter
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.risk.model import Null, RiskFunction, Values
from scrutineer.audits.sampling.sample import Sample
from scrutineer.errors import AuditError

BoxScores: TypeAlias = tuple[int | None, ...]
"""What was counted in a box: the score by assertion, in the order of the design's; None where it could not be counted."""

_ROOM: Final = 2**62
_SCALES: Final = (10**15, 10**12, 10**9, 10**6)
_EXACT: Final = Context(prec=60)
_LEAST_MEAN: Final = Fraction(1, 2**50)
"""Stands for a mean of 0, which a hypothesis cannot have: only boxes that are all overstated to their bounds would have it."""


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

    def __post_init__(self) -> None:
        least, most = self.assertion.lowest, self.assertion.highest
        if self.scores.ndim != 1 or self.scores.shape != self.cards.shape or len(self.scores) == 0:
            raise AuditError(f"{self._what}: give one score and one number of cards for each box, and at least one box")
        if self.unseen < 0 or bool((self.cards < 0).any()):
            raise AuditError(f"{self._what}: a number of cards is 0 or more")
        greatest = max(abs(int(self.scores.max())), abs(int(self.scores.min())), int(self.cards.max()) * max(most, -least))
        if greatest * len(self.scores) >= _ROOM:
            raise AuditError(f"{self._what}: scores of {greatest} in {len(self.scores)} boxes are more than any election has")
        if self.margin <= 0:
            raise AuditError(
                f"{self._what}: the reported scores and the cards that lie in no box do not make it true; count all cards by hand"
            )

    @classmethod
    def of_votes(
        cls,
        assertion: Assertion,
        votes: NDArray[np.int64],
        cards: NDArray[np.int64],
        rest: NDArray[np.int64] | None = None,
        unseen: int = 0,
    ) -> "Reported":
        """The scores of votes by box (rows) and option (columns), and of the cards on which no mark counts by box.

        Raises AuditError for a ranked contest, whose totals do not say it, and for another number of options.
        """
        if assertion.continuing is not None or votes.ndim != 2 or votes.shape[1] != len(assertion.weights):
            raise AuditError(
                f"assertion {assertion.code} of contest {assertion.contest}: votes of {len(assertion.weights)} options of an "
                "unranked contest are needed, by box"
            )
        scores = votes @ np.array(assertion.weights, np.int64)
        return cls(assertion, scores if rest is None else scores + assertion.rest * rest, cards, unseen)

    @cached_property
    def margin(self) -> int:
        """By how much the reported scores would have to be overstated for the assertion to be false."""
        return int(self.scores.sum()) + 1 - self.assertion.need + self.unseen * self.assertion.lowest

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """By box: how much its score can be overstated at most; at least 0."""
        bounds: NDArray[np.int64] = np.maximum(self.scores - self.cards * self.assertion.lowest, 0)
        return bounds

    def overstatement(self, box: int, name: str, counted: int | None) -> int:
        """Of a box that was counted, or could not be. Raises AuditError for a score that so many cards cannot have."""
        if counted is None:
            return int(self.bounds[box])
        cards = int(self.cards[box])
        if not cards * self.assertion.lowest <= counted <= cards * self.assertion.highest:
            raise AuditError(
                f"box {name}: with at most {cards} cards of contest {self.assertion.contest} its score cannot be {counted}; "
                "count again, and if it stays so make a new plan with the right number of cards"
            )
        return int(self.scores[box]) - counted

    @property
    def _what(self) -> str:
        return f"assertion {self.assertion.code} of contest {self.assertion.contest}"


@dataclass(frozen=True, eq=False)
class BatchDesign:
    """Boxes with what was reported of them for all assertions that one sample is to show.

    Raises AuditError for names that stand twice, assertions over another number of boxes, and margins too small for any sample.
    """

    names: tuple[str, ...]
    reported: tuple[Reported, ...]
    credit: Fraction = Fraction(0)
    """How much an understatement counts at most, as a share of the bound."""

    def __post_init__(self) -> None:
        if not self.reported or any(len(each.scores) != len(self.names) for each in self.reported):
            raise AuditError(
                f"the design has {len(self.names)} boxes; give at least one assertion, with scores for each of these"
            )
        if len(self._places) != len(self.names):
            raise AuditError("the name of a box stands twice in the design: each box has one line")
        if self.credit < 0:
            raise AuditError("understatements count 0 or more")
        if self.scale < 1:
            raise AuditError("a reported margin is so small that no sample can confirm it; count all cards by hand")

    @cached_property
    def scale(self) -> int:
        """How many units make an overstatement of 1, which would make an assertion false."""
        if self._room(exact := lcm(*(each.margin for each in self.reported))):
            return exact
        return next((scale for scale in _SCALES if self._room(scale)), 0)

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """By box: u_p in units of 1 / scale, rounded up; what `sampling.canonical.draw_boxes` takes."""
        greatest = np.zeros(len(self.names), np.int64)
        for each in self.reported:
            np.maximum(greatest, _scaled(each.bounds, each.margin, self.scale), out=greatest)
        greatest.setflags(write=False)
        return greatest

    @cached_property
    def limit(self) -> Fraction:
        """U: all bounds together. Below 1 every assertion is true whatever the boxes hold."""
        return Fraction(int(self.bounds.sum()), self.scale)

    def irrelevant(self) -> tuple[str, ...]:
        """Boxes that cannot matter: their bound is 0."""
        return tuple(self.names[place] for place in np.flatnonzero(self.bounds == 0).tolist())

    def relevant(self) -> tuple[str, ...]:
        """Boxes that can matter: what `sampling.canonical.draw_boxes_uniformly` takes."""
        return tuple(self.names[place] for place in np.flatnonzero(self.bounds).tolist())

    def null(self) -> Null:
        """What is tested by draws of `draw_boxes`. Raises AuditError where no sample is needed."""
        return self._null(self.limit, None)

    def uniform_null(self) -> Null:
        """What is tested by draws of `draw_boxes_uniformly` from the relevant boxes. Raises AuditError as `null` does."""
        boxes = int(np.count_nonzero(self.bounds))
        return self._null(Fraction(boxes * int(self.bounds.max()), self.scale), boxes)

    def taints(self, sample: Sample, counted: Mapping[str, BoxScores]) -> tuple[Fraction, ...]:
        """By draw: the overstatement as a share of the bound, at least -credit; 1 for a box that is not among the counted ones.

        Raises AuditError for a box of the sample that the design does not have or that is irrelevant, for a count with another
        number of scores, and for a score that so many cards cannot have.
        """
        known: dict[str, Fraction] = {}
        for ticket in sample.tickets:
            if ticket.box not in known:
                scores = counted.get(ticket.box, (None,) * len(self.reported))
                known[ticket.box] = max(self.taint(ticket.box, self.overstatements(ticket.box, scores)), -self.credit)
        return tuple(known[ticket.box] for ticket in sample.tickets)

    def overstatements(self, name: str, counted: BoxScores) -> tuple[int, ...]:
        """By assertion: how much the score of a box was overstated. Raises AuditError as `taints` does."""
        place = self._place(name)
        if len(counted) != len(self.reported):
            raise AuditError(
                f"box {name}: {len(counted)} scores were counted, and the design has {len(self.reported)} assertions"
            )
        return tuple(each.overstatement(place, name, score) for each, score in zip(self.reported, counted, strict=True))

    def taint(self, name: str, overstatements: Sequence[int]) -> Fraction:
        """The share of a box's bound that overstatements by assertion amount to.

        Raises AuditError for one beyond the bound, and for a box that the design does not have or that is irrelevant.
        """
        place = self._place(name)
        if (bound := int(self.bounds[place])) == 0:
            raise AuditError(f"box {name} cannot matter, and no sample holds it")
        for each, amount in zip(self.reported, overstatements, strict=True):
            if amount > int(each.bounds[place]):
                raise AuditError(
                    f"box {name}: an overstatement of {amount} is more than the {each.bounds[place]} that its cards allow"
                )
        units = max(-(-amount * self.scale // each.margin) for each, amount in zip(self.reported, overstatements, strict=True))
        return Fraction(units, bound)

    def values(self, sample: Sample, counted: Mapping[str, BoxScores]) -> Values:
        """By draw of `draw_boxes`: 1 - taint. Raises AuditError as `taints` does."""
        return np.array([_below(1 - taint) for taint in self.taints(sample, counted)], np.float64)

    def uniform_values(self, sample: Sample, counted: Mapping[str, BoxScores]) -> Values:
        """By draw of `draw_boxes_uniformly`: 1 - overstatement over the largest bound. Raises AuditError as `taints` does."""
        largest = int(self.bounds.max())
        shares = (Fraction(int(self.bounds[self._place(ticket.box)]), largest) for ticket in sample.tickets)
        taints = self.taints(sample, counted)
        return np.array([_below(1 - taint * share) for taint, share in zip(taints, shares, strict=True)], np.float64)

    def size(self, risk_limit: Fraction) -> int:
        """The least number of draws of `draw_boxes` that reaches the risk limit by Kaplan-Markov where no box is overstated.

        That is the least n with (1 - 1/U)^n at most the risk limit. Raises AuditError for a risk limit outside (0, 1).
        """
        if not 0 < risk_limit < 1:
            raise AuditError(f"a risk limit lies between 0 and 1; {risk_limit} does not")
        if self.limit <= 1:
            return 1 if self.limit == 1 else 0
        factor = 1 - 1 / self.limit
        draws = _EXACT.divide(_log(risk_limit), _log(factor))
        least = int(draws.to_integral_value(ROUND_CEILING))
        # Logarithms of 60 digits leave open only whether a whole number is reached exactly.
        if least > 1 and least - 1 + Decimal("1e-40") > draws and factor ** (least - 1) <= risk_limit:
            return least - 1
        return least

    def _null(self, limit: Fraction, population: int | None) -> Null:
        if self.limit < 1:
            raise AuditError("all boxes together cannot be overstated by so much that an assertion is false; no sample is needed")
        return Null(_above(max(1 - 1 / limit, _LEAST_MEAN)), _above(1 + self.credit), population)

    def _room(self, scale: int) -> bool:
        """Whether no sum in units of 1 / scale exceeds 62 bits."""
        total = sum(int(each.bounds.sum()) * scale // each.margin + len(self.names) for each in self.reported)
        return total < _ROOM and all(each.margin < _ROOM // 1000 for each in self.reported)

    def _place(self, name: str) -> int:
        if (place := self._places.get(name)) is None:
            raise AuditError(f"box {name} is not in the design; names are those of the manifest, letter by letter")
        return place

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


def clean_size(function: RiskFunction, null: Null, risk_limit: Fraction, most: int) -> int | None:
    """How many draws reach the risk limit where every drawn box is as reported; None where `most` draws do not."""
    most = most if null.population is None else min(most, null.population)
    draws = min(64, most)
    while True:
        reached = np.flatnonzero(function.p_values(np.ones(draws), null) <= _below(risk_limit))
        if len(reached):
            return int(reached[0]) + 1
        if draws == most:
            return None
        draws = min(4 * draws, most)


def kaplan_markov(limit: Fraction, taints: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The P-value by all draws so far, after each of them, exactly.

    It is the product of (1 - 1/U) / (1 - taint), and at most 1; a taint of 1 makes it 1 for good. (The least so far is a P-value
    as well.) Source: Stark 2009, section 4.
    """
    product: Fraction | None = Fraction(1)
    made = []
    for taint in taints:
        product = None if product is None or taint == 1 else product * (1 - 1 / limit) / (1 - taint)
        made.append(Fraction(1) if product is None else min(Fraction(1), product))
    return tuple(made)


def _scaled(amounts: NDArray[np.int64], margin: int, scale: int) -> NDArray[np.int64]:
    """Amounts of 0 or more times scale over margin, rounded up; exact, by long division where scale is a power of 1000."""
    if scale % margin == 0:
        return amounts * (scale // margin)
    whole, rest = np.divmod(amounts, margin)
    while scale > 1:
        more, rest = np.divmod(rest * 1000, margin)
        whole = whole * 1000 + more
        scale //= 1000
    return whole + (rest > 0)


def _log(number: Fraction) -> Decimal:
    return _EXACT.subtract(_EXACT.ln(Decimal(number.numerator)), _EXACT.ln(Decimal(number.denominator)))


def _above(number: Fraction) -> float:
    """The least floating-point number that is not below it."""
    return near if Fraction(near := float(number)) >= number else nextafter(near, inf)


def _below(number: Fraction) -> float:
    """The greatest floating-point number that is not above it."""
    return near if Fraction(near := float(number)) <= number else nextafter(near, -inf)
