"""How much the order of reporting would have to matter for a condition to flip.

The model. Stations do not report in random order: what is still open may differ from what is counted. It is assumed that it
differs by a bounded amount: in every stratum the open stations are like the counted ones after reweighting these, where any
station may be up to gamma times as common among the open stations as any other of the same stratum, compared with how common
they are among the counted ones. So with x_i the value of a condition's form at the counted stations i of a stratum, r_i their
sizes (rolls) and R the size of what is open there, the open stations add R x sum(w_i x_i) / sum(w_i r_i) for some weights
w_i in [1, gamma]. Gamma 1 says that the order does not matter within strata; a gamma without limit allows the open stations
to be all like the one counted station that is worst for the leader. (Bounded weights of this kind are those of Rosenbaum's
sensitivity analysis, 2002, and of the marginal model of Tan, 2006; the least value by sorting is that of Aronow and Lee, 2013.)

The bound. Each stratum's weights are free of those of the others, so the least final value is the counted total plus the sum
of the strata's least predictions, which `extremes` gives exactly. A prediction is never taken below what the arithmetic
allows, the stratum's open capacity times the least that one ballot can add, nor above the most. A stratum that is open but has
fewer than MIN_COUNTED counted stations teaches nothing and takes the arithmetic bound alone; where its capacity is unknown
there is no bound. In a covered stratum where a capacity is unknown every station has the size 1.

A baseline. Where every station's value p_i at an earlier election is known, what is reweighted are the differences x_i - p_i:
the open stations add the sum of their p_i, and R x sum(w_i (x_i - p_i)) / sum(w_i r_i).

What was seen tonight. Cut the order of arrival of the counted stations in two and ask the same question of a known answer:
which gamma makes the earlier stations E of each stratum give what the later ones L of the same strata really added? The
smallest one, up or down, is the difference seen at that cut; the largest over the cuts at eighths of the counted stations is
`seen`. Strata take part where E has MIN_COUNTED stations and L has some. It describes this night so far and does not bound the
rest of it. Chance alone makes it larger than 1.00, the more so the fewer stations are counted: with a random order it comes
down to 1.00 as their number grows.

Every figure is exact: it is found by comparing integers and fractions, and does not depend on the order of the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.call import NEVER, Sensitivity
from scrutineer.calls.conditions import MAX_WEIGHT, Condition, Measure
from scrutineer.calls.cuts import Cells, CutSums
from scrutineer.calls.extremes import ONE, Extremes, SortedStations, by_ratio
from scrutineer.calls.partial import MAX_VOTES, PartialCount
from scrutineer.calls.strata import MIN_COUNTED, Strata, sums
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

PARTS: Final = 8
"""The order of arrival is cut after each of so many equal parts of the counted stations but the last."""

_FLIPS: Final = -1

MARGIN_STEPS: Final = 100_000
"""Margins are bounded on a grid of so many steps for the whole of the valid votes: a thousandth of a share point each."""


@dataclass(frozen=True, eq=False)
class Reweighting:
    """One condition's counted stations in order of their ratios: everything below is answered from one sorting.

    A bound is None where a stratum without enough counted stations has open stations of unknown capacity.
    """

    strata: Strata
    measure: Measure
    stations: SortedStations
    arrival: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    hints: dict[int, int] = field(default_factory=dict)
    """Where to begin searching: what was found last at the widest cut, and what flipped (_FLIPS). They change no result."""
    cells: Cells | None = None
    """The stations' sums by part of the order of arrival, where they are known already."""

    @classmethod
    def of(cls, strata: Strata, measure: Measure) -> "Reweighting":
        """Sort a condition's stations. Raises CallError where its baseline has more votes than any election."""
        values, sizes, stratum, arrival = measure.values[strata.rows], strata.sizes, strata.stratum, strata.arrival
        if measure.expected is not None:
            if float(np.abs(measure.expected).sum(dtype=np.float64)) > MAX_VOTES * MAX_WEIGHT:
                raise CallError("baseline: it has more votes than any election; check its figures")
            values = values - measure.expected[strata.rows]
        counts = strata.numbers
        if int(sizes.min(initial=1)) == 0:
            kept = (sizes != 0) | (values != 0)
            values, sizes, stratum, arrival = values[kept], sizes[kept], stratum[kept], arrival[kept]
            counts = np.bincount(stratum, minlength=len(strata.covered)).astype(np.int64)
        order = by_ratio(values, sizes, stratum)
        ends = np.cumsum(counts)
        stations = SortedStations.of(values[order], sizes[order])
        return cls(strata, measure, stations, arrival[order], ends - counts, ends)

    def least(self, gamma: Fraction) -> Fraction | None:
        """The least final value of the form for weights from 1 to gamma. Raises CallError where gamma is below 1."""
        _check(gamma)
        bound = self._lower()
        return None if bound is None else bound.least(gamma)

    def greatest(self, gamma: Fraction) -> Fraction | None:
        """The greatest final value of the form for weights from 1 to gamma. Raises CallError where gamma is below 1."""
        _check(gamma)
        bound = self._upper()
        return None if bound is None else -bound.least(gamma)

    def holds(self, gamma: Fraction) -> bool:
        """Whether the condition holds under every reweighting within gamma. Raises CallError where gamma is below 1."""
        _check(gamma)
        bound = self._lower()
        return bound is not None and bound.compare(gamma, self.measure.condition.need) >= 0

    def sensitivity(self) -> Sensitivity:
        """What would flip the condition, and what was seen tonight."""
        return Sensitivity(self.flips_at(), self.seen(), self.strata.uncovered_names)

    def flips_at(self) -> int | None:
        """The smallest gamma in hundredths at which the condition can fail; NEVER where it cannot. 100 without a bound."""
        bound = self._lower()
        if bound is None:
            return ONE
        found = bound.first(self.measure.condition.need, ties=False, guess=self.hints.get(_FLIPS))
        if found is not NEVER:
            self.hints[_FLIPS] = found
        return found

    def seen(self) -> int | None:
        """The largest difference between earlier and later arrivals, as a gamma in hundredths; NEVER where no gamma gives it."""
        largest, widest, ends = ONE, None, cut_after(len(self.strata.rows))
        sums = CutSums.of(self.cells or self.summed(), least=MIN_COUNTED)
        # The cut that needs the largest gamma comes first; of the others it is then proved that theirs is smaller.
        order = self.hints.keys() - {_FLIPS} or sums.order()
        explained = sums.idle
        for cut in [*order, *(cut for cut in range(PARTS - 1) if cut not in order)]:
            if explained[cut]:
                continue
            split = self._split(ends[cut])
            if split is None:
                continue
            earlier, later = split
            sign = earlier.compare(Fraction(1), later)
            if sign == 0:
                continue
            if sign < 0:
                earlier, later = earlier.mirrored(), -later
            found = earlier.first(later, ties=True, start=largest, guess=self.hints.get(cut) or sums.guess(cut))
            if found is NEVER:
                return NEVER
            if found > largest or widest is None:
                widest, explained = cut, sums.explained(found)
            largest = found
        for cut in self.hints.keys() - {_FLIPS}:
            del self.hints[cut]
        if widest is not None:
            self.hints[widest] = largest
        return largest

    def summed(self) -> Cells:
        """The stations' sums by part of the order of arrival."""
        counted = len(self.strata.rows)
        part = np.repeat(np.arange(PARTS), np.diff([0, *cut_after(counted), counted]))
        return Cells.of(self.stations, self.starts, self.ends, part[self.arrival], parts=PARTS)

    def _split(self, first: int) -> tuple[Extremes, int] | None:
        # The predictions of the stations that arrived first for what came later, and what that was.
        early = np.flatnonzero(self.arrival < first)
        ends = np.searchsorted(early, self.ends)
        starts = np.zeros_like(ends)
        starts[1:] = ends[:-1]  # Each stratum begins where the one before it ends.
        stations = SortedStations.of(self.stations.values[early], self.stations.sizes[early], self.stations.largest)
        early_sizes = stations.size_sums[ends] - stations.size_sums[starts]
        later_sizes = self.stations.size_sums[self.ends] - self.stations.size_sums[self.starts] - early_sizes
        later_values = self.stations.value_sums[self.ends] - self.stations.value_sums[self.starts]
        later_values -= stations.value_sums[ends] - stations.value_sums[starts]
        chosen = (ends - starts >= MIN_COUNTED) & (early_sizes > 0) & (later_sizes > 0)
        if not bool(chosen.any()):
            return None
        return Extremes(stations, starts[chosen], ends[chosen], later_sizes[chosen]), int(later_values[chosen].sum())

    def _lower(self) -> Extremes | None:
        worst = self.measure.condition.worst
        return self._outstanding(worst) if self.strata.bounded or not worst else None

    def _upper(self) -> Extremes | None:
        best = self.measure.condition.best
        return self._outstanding(best).mirrored() if self.strata.bounded or not best else None

    def _outstanding(self, ballot: int) -> Extremes:
        # The final value, when each ballot of the strata that are not covered adds `ballot`.
        strata, condition = self.strata, self.measure.condition
        covered = strata.covered
        ballots = strata.open_ballots[covered]
        expected = None
        if self.measure.expected is not None:
            waiting = np.flatnonzero(strata.partial.open)
            expected = sums(strata.partial.stratum[waiting], self.measure.expected[waiting], len(covered))[covered]
        uncovered = int(strata.open_ballots[strata.uncovered].sum()) * ballot if ballot else 0
        return Extremes(
            self.stations,
            self.starts[covered],
            self.ends[covered],
            strata.open_sizes[covered],
            shift=expected,
            limits=(condition.worst * ballots, condition.best * ballots, ballots != UNKNOWN),
            base=self.measure.total + uncovered,
        )


def cut_after(counted: int) -> list[int]:
    """After how many of the counted stations the order of arrival is cut, cut by cut."""
    return [counted * part // PARTS for part in range(1, PARTS)]


def sensitivity(partial: PartialCount, measure: Measure) -> Sensitivity:
    """What would flip a condition, and what was seen tonight. Share one `Strata` among conditions by way of `Reweighting`."""
    return Reweighting.of(Strata.of(partial), measure).sensitivity()


def holds(partial: PartialCount, measure: Measure, gamma: Fraction) -> bool:
    """Whether a condition holds under every reweighting within gamma. Raises CallError where gamma is below 1."""
    return Reweighting.of(Strata.of(partial), measure).holds(gamma)


def least(partial: PartialCount, measure: Measure, gamma: Fraction) -> Fraction | None:
    """The least final value of a condition's form within gamma; None where it is unbounded. Raises CallError below 1."""
    return Reweighting.of(Strata.of(partial), measure).least(gamma)


def greatest(partial: PartialCount, measure: Measure, gamma: Fraction) -> Fraction | None:
    """The greatest final value of a condition's form within gamma; None where it is unbounded. Raises CallError below 1."""
    return Reweighting.of(Strata.of(partial), measure).greatest(gamma)


def margin_bounds(partial: PartialCount, leader: int, rival: int, gamma: Fraction) -> tuple[Fraction, Fraction] | None:
    """The smallest and largest final margin within gamma, in share points of the valid votes; None without bounds or votes.

    The margin is at least t where the least value of `votes of the leader - votes of the rival - t x valid votes` is at least 0.
    The answers are the outer neighbours on a grid of a thousandth of a point. Raises CallError where gamma is below 1.
    """
    strata = Strata.of(partial)
    lead = partial.votes[:, leader] - partial.votes[:, rival]
    valid = partial.votes.sum(axis=1)
    before: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    if partial.previous is not None:
        before = partial.previous[:, leader] - partial.previous[:, rival], partial.previous.sum(axis=1)

    def at(step: int) -> Reweighting:
        weights = [-step] * len(partial.candidates)
        weights[leader] += MARGIN_STEPS
        weights[rival] -= MARGIN_STEPS
        code = f"margin:{partial.candidates[leader]}:{partial.candidates[rival]}"
        form = Condition(code, leader, rival, tuple(weights), rest=0, need=0)
        expected = None if before is None else MARGIN_STEPS * before[0] - step * before[1]
        return Reweighting.of(strata, Measure(form, MARGIN_STEPS * lead - step * valid, expected))

    def below(step: int) -> bool:
        bound = at(step).greatest(gamma)
        return bound is not None and bound <= 0

    if not strata.bounded:
        return None
    lowest = _last(lambda step: at(step).holds(gamma))
    highest = -_last(lambda step: below(-step))
    if lowest > highest:
        return None  # Every margin fits, because there are no votes to take a share of.
    return Fraction(100 * lowest, MARGIN_STEPS), Fraction(100 * highest, MARGIN_STEPS)


def _last(true: Callable[[int], bool]) -> int:
    # The last step of the grid at which a statement is true that is true up to there; it is at -100 points.
    low, high = -MARGIN_STEPS, MARGIN_STEPS + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if true(middle) else (low, middle)
    return low


def _check(gamma: Fraction) -> None:
    if gamma < 1:
        raise CallError(f"gamma {gamma}: write a number of at least 1, which stands for an order that does not matter")
