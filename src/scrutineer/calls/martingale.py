"""The sequential test: how strongly the stations drawn so far speak against 'this condition fails in the end'.

**Hypothesis.** H0: the total T of a condition's form over all n stations (counted and open; excluded ones take no part) is at
most need - 1. **Assumption.** The counted stations arrived in an order that is uniformly random among all n: each next one
is equally likely to be any of those left. For any other order the test says nothing (it has "proved", in the real order of a
quick count, the opposite of the result); what another order could do is the business of `sensitivity`, never of this module.

**Values.** One ballot adds at least w = condition.worst <= 0, and station i holds at most c_i ballots, so its gain
y_i = x_i - w c_i is never below zero. H0 says: the gains left after s draws sum to at most

    u_s = need - 1 - S_s - w (capacity left after s draws),

where S_s is the value counted by then. u_s < 0 is impossible under H0 (it is exactly the arithmetic bound), so e is infinite.

**Sizes.** Let g_i >= 0 be any numbers that are known for every station before it is drawn. With
rho_s = u_{s-1} / (sizes left before draw s), the increment d_s = y_s - rho_s g_s has, given the past, the mean

    (gains left - rho_s x sizes left) / (stations left) <= (u_{s-1} - u_{s-1}) / (stations left) = 0        under H0,

whatever the sizes are; good ones make d_s small. For g_i = c_i this is x_s - (tau0 - S_{s-1}) / (capacity left) c_s with
tau0 = need - 1, the ratio form; for equal capacities it is the plain form x_s - (tau0 - S_{s-1}) / (n - s + 1).

**Bets.** Since y >= 0, -d_s <= rho_s g_max. Bets lambda_s that depend on the past alone, with 0 <= lambda_s <=
1 / (2 rho_s g_max), keep every factor of e_s = product of (1 + lambda_r d_r), r <= s, at 1/2 or above, so e is a nonnegative
supermartingale that starts at 1 under H0, and by Ville's inequality P(e ever reaches 1/a) <= a, however often one looks.
A few very large stations would force small bets, so sizes are cut at CUT times their mean: those stations then
have a positive d more often, and the smaller ones pay for it in rho, which is fair by the argument above.
The bet approximates the one of greatest expected growth, mean(d) / mean(d^2) (Kelly's), from the past draws and a prior.

**Baseline.** With an earlier election's figures p_i for every station, sizes g_i = p_i - w c_i (cut to what c_i allows) predict
the gains: a station is held against what its own past says. e is then the average of this process and of the one above; an
average of such processes is one, and it loses at most a factor of 2 against the better. A baseline helps where spread is
what limits the bets (close leads in large countries); it cannot help where the bound above does (few stations).

**What is not known.** A station whose capacity is not known is taken to hold no more than the largest capacity that is
known, and then nothing counts as impossible; where no capacity is known there is no bound and hence no test: e stays 1.
A sheet beyond its station's capacity is taken as it is while its factor stays positive (half the range is held in reserve
for that); where even that is exceeded the capacities are no bounds and the test is withdrawn: e is 0 from there on.

Sources: J. Ville, Étude critique de la notion de collectif, 1939; I. Waudby-Smith, P. B. Stark and A. Ramdas, RiLACS: risk
limiting audits via confidence sequences, E-Vote-ID 2021; I. Waudby-Smith and A. Ramdas, Estimating means of bounded random
variables by betting, J. R. Stat. Soc. B 86 (2024), section 5 for sampling without replacement.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.arithmetic import check_sums
from scrutineer.calls.conditions import Measure
from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

CUT: Final = 4
"""Sizes are cut at this many times their mean."""

_PRIOR_DRAWS: Final = 10
"""How many draws the prior of the bets counts for: that d is 0 on average, with half the mean expected gain as its spread."""

_TINY: Final = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sequential test shows against 'the condition fails in the end', at the present look and at its best one.

    Valid under a random order of arrival alone. All logarithms are natural.
    """

    log_e: float
    """The largest log e of all looks so far: 0 before the first, infinite where a failure is impossible by arithmetic,
    minus infinity where the test was withdrawn."""
    now: float
    """log e at the present look."""
    stations: int
    """How many counted stations it rests on."""

    def passes(self, risk: Fraction, comparisons: int) -> bool:
        """Whether it suffices at this risk, divided evenly over so many comparisons (one for each rival).

        Raises CallError for a risk outside (0, 1) or fewer than one comparison.
        """
        if not 0 < risk < 1:
            raise CallError(f"risk {risk}: give a number above 0 and below 1")
        if comparisons < 1:
            raise CallError(f"{comparisons} comparisons: there is at least one")
        return self.log_e >= math.log(comparisons * risk.denominator) - math.log(risk.numerator)


@dataclass(frozen=True, eq=False)
class _Sizes:
    """The cut sizes of all stations, in the order in which they were drawn: what is held against the gains."""

    cut: NDArray[np.int64]
    """Of each station, by row."""
    own: NDArray[np.float64]
    """Of each drawn station."""
    earlier: NDArray[np.float64]
    """Of all that were drawn before it."""
    left: NDArray[np.float64]
    """Of all that were left before it, at least 1."""
    some_left: NDArray[np.bool_]
    drawn: int
    """Of all drawn stations together."""
    total: int
    largest: int

    @classmethod
    def of(cls, sizes: NDArray[np.int64], order: NDArray[np.int64], stations: int) -> "_Sizes":
        """Cut the sizes of all stations at a multiple of their mean."""
        mean = int(sizes.sum()) // max(1, stations) + 1
        cut = np.minimum(sizes, min(CUT * mean, int(sizes.max(initial=0))))
        drawn = cut[order]
        # What is added up is added up in integers; the bets themselves are statistics.
        before = np.cumsum(drawn)
        whole = int(before[-1]) if len(before) else 0
        before -= drawn
        total, largest = int(cut.sum()), max(1, int(cut.max(initial=0)))
        earlier, own = before.astype(np.float64), drawn.astype(np.float64)
        return cls(cut, own, earlier, np.maximum(total - earlier, 1.0), before < total, whole, total, largest)


@dataclass(frozen=True, eq=False)
class Draws:
    """The counted stations as draws without replacement, with all that does not depend on a condition: shared by many."""

    partial: PartialCount
    order: NDArray[np.int64]
    """Rows of the counted stations, in the order of arrival."""
    capacity: NDArray[np.int64]
    """Of all stations: 0 where they take no part, the largest known one where it is not known."""
    drawn_capacity: NDArray[np.int64]
    """The same, in the order of arrival."""
    stations: int
    complete: bool
    """Whether every capacity is known."""
    bounded: bool
    """Whether any is, or none is needed."""
    sizes: _Sizes
    all_capacity: int

    @classmethod
    def of(cls, partial: PartialCount) -> "Draws":
        """Put the draws of a partial count in order."""
        drawn = partial.counted | partial.open
        unknown = drawn & (partial.capacity == UNKNOWN)
        complete = not unknown.any()
        # Excluded stations take no part: their capacity is zero here.
        capacity = np.where(drawn, partial.capacity, 0)
        if not complete:
            capacity[unknown] = max(0, int(capacity.max()))
        order = partial.in_order()
        stations = int(np.count_nonzero(drawn))
        return cls(
            partial,
            order,
            capacity,
            capacity[order],
            stations,
            complete,
            complete or bool((drawn & ~unknown).any()),
            _Sizes.of(capacity, order, stations),
            int(capacity.sum()),
        )

    def evidence(self, measure: Measure) -> Evidence:
        """Test 'the condition fails in the end' on the stations counted so far. Raises CallError as `evidence` does."""
        start, steps = self.start_and_steps(measure)
        return _evidence(max(start, float(steps.max(initial=start))), float(steps[-1]) if len(steps) else start, len(steps))

    def path(self, measure: Measure) -> NDArray[np.float64]:
        """Log e after each counted station, in the order of arrival. Raises CallError as `evidence` does."""
        return self.start_and_steps(measure)[1]

    def left(self, measure: Measure) -> NDArray[np.int64]:
        """What H0 leaves to gain (u above), before the first draw and after each."""
        left = np.empty(len(self.order) + 1, dtype=np.int64)
        left[0] = measure.condition.need - 1 - measure.condition.worst * self.all_capacity
        gains = measure.values[self.order]
        gains -= measure.condition.worst * self.drawn_capacity
        np.cumsum(gains, out=left[1:])
        np.subtract(left[0], left[1:], out=left[1:])
        return left

    def predicted(self, measure: Measure) -> _Sizes:
        """The gains that a baseline predicts, as sizes. Raises CallError where the measure has none."""
        if measure.expected is None:
            raise CallError(f"condition {measure.condition.code}: it was measured without a baseline")
        low, high = measure.condition.worst * self.capacity, measure.condition.best * self.capacity
        return _Sizes.of(np.clip(measure.expected, low, high) - low, self.order, self.stations)

    def start_and_steps(self, measure: Measure) -> tuple[float, NDArray[np.float64]]:
        """Log e before the first station and after each."""
        check_sums(self.partial, measure, float(self.capacity.sum(dtype=np.float64)))
        if not self.bounded:
            return 0.0, np.zeros(len(self.order))
        left = self.left(measure)
        steps = _log_e(left, self.sizes, self.stations)[0]
        if measure.expected is not None:
            steps = _average(steps, _log_e(left, self.predicted(measure), self.stations)[0])
        start = 0.0
        if self.complete:
            if int(left.min()) < 0:
                steps[left[1:] < 0] = math.inf
            start = math.inf if left[0] < 0 else 0.0
        return start, steps


def evidence(partial: PartialCount, measure: Measure) -> Evidence:
    """Test 'the condition fails in the end' on the stations counted so far, in their order of arrival.

    Raises CallError where the measure belongs to another partial count, or capacities are too large to be true.
    Share one `Draws` among conditions.
    """
    return Draws.of(partial).evidence(measure)


def path(partial: PartialCount, measure: Measure) -> NDArray[np.float64]:
    """The natural logarithm of e after each counted station, in the order of arrival; for pictures and measurements.

    Raises CallError as `evidence` does.
    """
    return Draws.of(partial).path(measure)


def _evidence(best: float, now: float, stations: int) -> Evidence:
    # A test that was withdrawn takes back what it showed before.
    return Evidence(now if now == -math.inf else best, now, stations)


def _average(one: Any, other: Any) -> Any:
    # Of two e, from their logarithms.
    return np.logaddexp(one, other) - math.log(2)


def _prior(room: float, sizes: _Sizes, stations: int) -> float:
    rho = max(room, 0.0) / max(float(sizes.total), 1.0)
    return _PRIOR_DRAWS * max(1.0, rho * sizes.total / stations / 2) ** 2


def _log_e(left: NDArray[np.int64], sizes: _Sizes, stations: int) -> tuple[NDArray[np.float64], float]:
    """Log e after each draw, and the sum of all d^2; from what H0 leaves to gain before each and after the last."""
    if len(left) == 1:
        return np.zeros(0), 0.0
    room = left[:-1].astype(np.float64)
    rho = np.maximum(room, 0.0)
    rho /= sizes.left
    d = room - left[1:]
    d -= sizes.own * rho
    # The squares of the past draws' d, and their sum at the present rho.
    squares = d * d
    past = np.cumsum(squares)
    all_squares = float(past[-1])
    past -= squares
    past += _prior(float(room[0]), sizes, stations)
    bets = np.subtract(room[0], room, out=room)
    np.multiply(sizes.earlier, rho, out=squares)
    bets -= squares
    bets /= past
    # rho is 0 where nothing may be left to gain under H0: no d is below zero then, and every bet is a fair one.
    np.maximum(rho, _TINY, out=rho)
    rho *= 2.0 * sizes.largest
    np.reciprocal(rho, out=rho)
    np.maximum(bets, 0.0, out=bets)
    np.minimum(bets, rho, out=bets)
    # Without sizes left there is nothing to hold the gains against; where H0 is impossible nothing is left to bet on.
    bets *= sizes.some_left
    bets *= left[:-1] >= 0
    bets *= d
    np.maximum(bets, -1.0, out=bets)
    with np.errstate(divide="ignore"):
        np.log1p(bets, out=bets)
    return np.cumsum(bets, out=bets), all_squares


class _Process:
    """One of the processes of a test, at its last draw: `_log_e` draw by draw, in the same steps of arithmetic."""

    def __init__(self, left: NDArray[np.int64], sizes: _Sizes, stations: int) -> None:
        steps, self._squares = _log_e(left, sizes, stations)
        self.log = float(steps[-1]) if len(steps) else 0.0
        self._room, self._sizes, self._drawn = float(left[0]), sizes, sizes.drawn
        self._prior = _prior(self._room, sizes, stations)

    def draw(self, row: int, before: int, after: int) -> None:
        """One more draw, with what H0 leaves to gain before and after it."""
        sizes, own = self._sizes, int(self._sizes.cut[row])
        room, earlier = float(before), float(self._drawn)
        rho = max(room, 0.0) / max(sizes.total - earlier, 1.0)
        d = room - float(after) - own * rho
        self._squares += d * d
        past = self._squares - d * d + self._prior
        bet = min(max((self._room - room - earlier * rho) / past, 0.0), 1 / (max(rho, _TINY) * (2.0 * sizes.largest)))
        bet = bet if self._drawn < sizes.total and before >= 0 else 0.0
        with np.errstate(divide="ignore"):
            self.log += float(np.log1p(max(bet * d, -1.0)))
        self._drawn += own


class RunningTest:
    """The test of one condition, kept up to date draw by draw; gives what `evidence` gives for the same draws."""

    def __init__(self, draws: Draws, measure: Measure) -> None:
        start, steps = draws.start_and_steps(measure)
        self._best = max(start, float(steps.max(initial=start)))
        self._now = float(steps[-1]) if len(steps) else start
        self._number, self._draws, self._worst = len(steps), draws, measure.condition.worst
        left = draws.left(measure)
        self._left = int(left[-1])
        self._processes: list[_Process] = []
        if draws.bounded:
            sizes = [draws.sizes] if measure.expected is None else [draws.sizes, draws.predicted(measure)]
            self._processes = [_Process(left, each, draws.stations) for each in sizes]

    def draw(self, row: int, value: int) -> None:
        """One more station has arrived, at which the condition's form has this value."""
        self._number += 1
        if not self._processes:
            self._now, self._best = 0.0, max(0.0, self._best)
            return
        after = self._left - value + self._worst * int(self._draws.capacity[row])
        for process in self._processes:
            process.draw(row, self._left, after)
        self._left = after
        logs = [process.log for process in self._processes]
        self._now = logs[0] if len(logs) == 1 else float(_average(*logs))
        if self._draws.complete and after < 0:
            self._now = math.inf
        self._best = max(self._best, self._now)

    @property
    def evidence(self) -> Evidence:
        """What the test shows now."""
        return _evidence(self._best, self._now, self._number)
