"""What the open stations hold, for any linear form of the totals, and how far that can be off: sampling, strata, order.

Notation. The frame gives sizes c_i, strata h and, for a form, values y_i. Of stratum h the size C_h is counted and O_h is
left; its rate is r_h = sum y / C_h; R is the rate over everything counted.

Point. What is left is O_h times the rate of its stratum. A stratum with few counted stations borrows: g_h r_h + (1 - g_h) R
with g_h = s_b^2 / (s_b^2 + v_h), v_h the variance of r_h and s_b^2 the variance between strata. From `_FULL` counted stations
on nothing is borrowed, because strata that report late differ from those that report early, and the pull towards R would
carry that difference into the estimate.

Sampling error. The counted and the left stations of a stratum as two samples of it: O_h^2 v_h + s_h^2 sum of squared sizes
left; what is borrowed has the variance s_b^2 about R besides. Both variances are estimated with `_PRIOR_DF` degrees of freedom
from a prior of relative spread, so that one counted station or one counted stratum does not look certain; quantiles are
Student's.

Order. If stations report in the order of something that goes with the votes, the left ones differ from the counted ones. Let
u be the place of a station in the order of its stratum, t the part counted, and q = Phi^-1(u). If the order sorts a normal
quantity, y is linear in q: with slope b the difference is b (phi(q_t)/(1-t) - mean q counted). Where the order is strict the
quantity need not be normal; in u itself the difference is b'/2 (a uniform quantity; t times the difference is then that of
the later and the earlier half of those counted). The allowance is `_BEYOND` times the drift so measured tonight, net of half
its standard error, with the error itself under the root; the straight form counts in proportion to how strict the order
looks. An order that goes with one candidate's votes moves other forms in ways that a slope does not show, so each form also
gets its own spread times the strength of the strongest drift seen in any candidate's votes or in turnout. What size (and, in
part, the baseline) explains of the drift is measured too, and the larger of the two counts: an order that goes with what is
known is likely to go with what is not. The same is done over the whole country for what strata borrow.

This is not a bound: nothing seen tonight excludes that the open stations are unlike all others. That is what the verdicts
by arithmetic and by sensitivity are for.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from scrutineer.calls.station_frame import Floats, StationFrame

BASELINE_TRUST: Final = 0.25
"""How much of the drift that a baseline explains counts as drift."""

_BEYOND: Final = 2.0
_NET: Final = 0.5  # standard errors by which a measured drift is reduced, since chance alone gives one
_BY_CHANCE: Final = 0.1  # how often a random order may show a strength in any column
_OWN_SLOPE: Final = 8  # counted stations from which a stratum has a slope of its own
_FULL: Final = 10.0
_FEW_DF: Final = 3.0  # with which a stratum's own variance is joined by that of all strata
_PRIOR_DF: Final = 2.0
_STATION_SPREAD: Final = 0.5  # relative, of a candidate's rate between stations, before anything is seen
_STRATUM_SPREAD: Final = 0.3  # the same between strata
_STRATUM_SPREAD_FROM_BASELINE: Final = 0.15
_TURNOUT_SPREAD: Final = 0.1
_TINY: Final = 1e-300


@dataclass(frozen=True, eq=False)
class _Drift:
    """Differences between what is left and what is counted, times the size left, by column: how the order seen extends."""

    normal: Floats
    straight: Floats
    normal_fitted: Floats
    """What the regressors explain of it."""
    straight_fitted: Floats

    def largest(self, forms: Floats, strictness: float) -> Floats:
        """The drift of forms, in absolute terms; `strictness` from 0 to 1."""
        found = []
        for normal, straight in (
            (self.normal, self.straight),
            (self.normal + self.normal_fitted, self.straight + self.straight_fitted),
        ):
            own, line = np.abs(forms @ normal), np.abs(forms @ straight)
            found.append(own + strictness * np.maximum(0.0, line - own))
        largest: Floats = np.maximum(found[0], found[1])
        return largest


class Extrapolation:
    """Estimates of what is left of a frame, for linear forms: rows of weights, one for each column of the frame.

    Whatever is linear in the votes is computed once. Arrays by stratum hold the strata with counted stations alone.
    """

    def __init__(self, frame: StationFrame) -> None:
        self.frame = frame
        present = np.flatnonzero(frame.stations > 0)
        self._present = present
        self._stations = frame.stations[present]
        self._many = self._stations.astype(np.int64)
        self._starts = np.concatenate(([0], np.cumsum(self._many)))[:-1]
        self._size = frame.size[present]
        self._shares = self._size / self._size.sum()
        self._effective = 1.0 / float((self._shares**2).sum())
        self._left = frame.left[present]
        self._uncovered = np.delete(frame.left, present)
        self._left_squares, self._squares = frame.left_squares[present], frame.squares[present]
        self._rates = self._sums(frame.values) / self._size
        self._residuals = frame.values - frame.sizes * self._spread(self._rates)
        self._rate = frame.values.sum(axis=1) / self._size.sum()
        # The residuals carry no mean, so that this needs no second pass over the stations.
        self._about = (self._residuals @ self._residuals.T, self._rates - self._rate[:, np.newaxis])
        self._places_within()
        self._places_between()
        columns = len(frame.values)
        seen = np.vstack([np.eye(columns), np.append(np.ones(columns - 1), 0.0)])
        self._sorted = self._sorted_strata(seen)
        self._strength = self._strength_between = 0.0
        self._strength, self._strength_between = self._strengths(seen)

    def forms(self, forms: Floats, level: float) -> tuple[Floats, Floats]:
        """Final values of forms, shape (forms, columns), and the half-widths of their intervals at a level."""
        frame = self.frame
        spread, variance, between, kept = self._variances(forms)
        borrowed = (1.0 - kept) @ self._left + self._uncovered.sum()
        point = (
            forms @ (frame.counted + frame.predicted)
            + (kept * (forms @ self._rates)) @ self._left
            + borrowed * (forms @ self._rate)
        )
        sampling = (
            (kept * variance) @ self._left**2
            + spread @ self._left_squares
            + ((frame.size_effect * (forms @ self._residuals)) ** 2).sum(axis=1)
        )
        of_rate = between / self._effective + variance @ self._shares**2
        strata = between * float((self._uncovered**2).sum()) + borrowed**2 * of_rate
        drift, error, scale = self._drift_within(forms, spread)
        drift_between, error_between, scale_between = self._drift_between(forms, borrowed)
        tail = 1.0 - (1.0 - level) / 2.0
        z = student(tail, len(frame.sizes) - len(self._present) + _PRIOR_DF)
        z_strata = student(tail, self._effective - 1.0 + _PRIOR_DF)
        half = (
            _BEYOND * np.maximum(0.0, drift - _NET * error)
            + _BEYOND * np.maximum(0.0, drift_between - _NET * error_between)
            + self._strength * scale
            + self._strength_between * scale_between
            + np.sqrt(z**2 * (sampling + error**2 + error_between**2) + z_strata**2 * strata)
        )
        return point, half

    def _sums(self, values: Floats) -> Floats:
        """Sums by stratum, along the last axis."""
        sums: Floats = np.add.reduceat(values, self._starts, axis=-1)
        return sums

    def _spread(self, by_stratum: Floats) -> Floats:
        """Each station's figure from that of its stratum, along the last axis."""
        spread: Floats = np.repeat(by_stratum, self._many, axis=-1)
        return spread

    def _places_within(self) -> None:
        """The place of each counted station in the order of its stratum, how far what is left lies beyond, and the drift."""
        frame, present, c = self.frame, self._present, self.frame.sizes
        drawn = self._stations + frame.open_stations[present]
        place: Floats = (np.arange(len(c)) - self._spread(self._starts) + 0.5) / self._spread(drawn)
        part = self._stations / drawn
        # Undrawn stations are like all drawn ones, of which a part is counted already.
        reach = frame.open_size[present] + frame.undrawn[present] * (1.0 - part)
        reach = np.where(part < 1.0, reach, 0.0)
        self._own = self._stations >= _OWN_SLOPE
        fitted = frame.fitted - c * self._spread(self._sums(frame.fitted) / self._size)
        found = []
        for of, beyond in ((normal_quantile(place), _mean_beyond(part)), (place, (1.0 + part) / 2.0)):
            mean = self._sums(c * of) / self._size
            centred = of - self._spread(mean)
            power, shift = self._sums(c * centred * centred), reach * (beyond - mean)
            found += [self._slopes(values, centred, power) @ shift for values in (self._residuals, fitted)]
            if len(found) == 2:
                self._power, self._shift, self._power_squares = power, shift, self._sums((c * centred) ** 2)
        self._within = _Drift(found[0], found[2], found[1], found[3])

    def _slopes(self, values: Floats, place: Floats, power: Floats) -> Floats:
        """Slopes of columns on the place, by stratum; strata with few stations share one."""
        moments = self._sums(values * place)
        total = float(power.sum())
        shared = moments.sum(axis=1) / total if total > 0 else np.zeros(len(moments))
        slopes: Floats = np.where(self._own & (power > 0), moments / np.where(power > 0, power, 1.0), shared[:, np.newaxis])
        return slopes

    def _places_between(self) -> None:
        """The same over the whole country, for each unit of size that is left and borrows."""
        frame, c = self.frame, self.frame.sizes
        drawn = float(frame.stations.sum() + frame.open_stations.sum())
        part = len(c) / drawn
        place: Floats = (frame.arrival.astype(np.float64) + 0.5) / drawn
        from_rate = frame.values - c * self._rate[:, np.newaxis]
        fitted = frame.fitted - c * (frame.fitted.sum(axis=1) / self._size.sum())[:, np.newaxis]
        found = []
        for of, beyond in ((normal_quantile(place), float(_mean_beyond(np.array([part]))[0])), (place, (1.0 + part) / 2.0)):
            mean = float((c * of).sum()) / float(c.sum())
            centred = of - mean
            power = float((c * centred * centred).sum())
            reach = (beyond - mean) / power if power > 0 and part < 1.0 else 0.0
            moments = self._sums(from_rate * centred)
            found += [reach * moments.sum(axis=1), reach * (fitted * centred).sum(axis=1)]
            if len(found) == 2:
                self._moments, self._scale = abs(reach) * moments, abs(reach) * power
        self._stratum_places = self._sums(c * place) / self._size
        self._between = _Drift(found[0], found[2], found[1], found[3])

    def _variances(self, forms: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Variances of forms: of a station's rate and of the stratum's (both by stratum), between strata; and what is kept.

        What is kept is the part of its own rate with which each stratum is predicted.
        """
        squares = self._sums((forms @ self._residuals) ** 2) / (self._squares / self._stations)
        df = self._stations - 1.0
        pooled = squares.sum(axis=1) + _PRIOR_DF * self._prior(forms, _STATION_SPREAD)
        pooled /= df.sum() + _PRIOR_DF
        spread = (squares + _FEW_DF * pooled[:, np.newaxis]) / (df + _FEW_DF)
        variance = spread * (self._squares / self._size**2)
        seen = np.zeros(len(forms))
        if (room := 1.0 - 1.0 / self._effective) > 1e-9:
            about = (forms @ self._about[1]) ** 2
            seen = np.maximum(0.0, (about @ self._shares - variance @ (self._shares * (1.0 - self._shares))) / room)
        prior = self._prior(forms, _STRATUM_SPREAD_FROM_BASELINE if self.frame.baseline else _STRATUM_SPREAD)
        between = ((self._effective - 1.0) * seen + _PRIOR_DF * prior) / (self._effective - 1.0 + _PRIOR_DF)
        own = between[:, np.newaxis] + _TINY
        kept = own / (own + variance * np.maximum(0.0, 1.0 - df / _FULL))
        return spread, variance, between, kept

    def _prior(self, forms: Floats, relative: float) -> Floats:
        """Variance of a form's rate where shares vary like a multinomial's and turnout by itself."""
        total = max(1.0, float(self.frame.counted.sum()))
        shares = self.frame.counted / total
        mean = forms @ shares
        ballots = total / float(self._size.sum())
        prior: Floats = ballots**2 * (relative**2 * (forms**2 @ shares - mean**2) + _TURNOUT_SPREAD**2 * mean**2)
        return np.maximum(prior, 0.0)

    def _drift_within(self, forms: Floats, spread: Floats) -> tuple[Floats, Floats, Floats]:
        """Of forms: the drift, its standard error, and what one standard deviation of every station would be."""
        measured = self._own & (self._power > 0)
        factor = np.where(measured, self._shift**2 * self._power_squares / np.where(measured, self._power, 1.0) ** 2, 0.0)
        error = spread @ factor
        if (power := float(self._power.sum())) > 0:
            error = error + (float(self._shift[~measured].sum()) / power) ** 2 * (spread @ self._power_squares)
        drift = self._within.largest(forms, min(1.0, self._strength))
        return drift, np.sqrt(error), np.sqrt(spread) @ np.abs(self._shift)

    def _drift_between(self, forms: Floats, borrowed: Floats) -> tuple[Floats, Floats, Floats]:
        error = np.sqrt(((forms @ self._moments) ** 2).sum(axis=1))
        inside, about = self._about
        deviations = ((forms @ inside) * forms).sum(axis=1) + ((forms @ about) ** 2) @ self._squares
        # Sizes and residuals of a stratum may go together; the cross term is left out, as it is small and of either sign.
        deviation = np.sqrt(np.maximum(deviations, 0.0) / self._squares.sum())
        drift = self._between.largest(forms, self._sorted)
        return borrowed * drift, borrowed * error, borrowed * deviation * self._scale

    def _strengths(self, seen: Floats) -> tuple[float, float]:
        """The strongest drift in any of the columns or in turnout, in standard deviations of a station, above noise."""
        if len(self.frame.sizes) < 2:
            return 1.0, 1.0
        spread, _, _, kept = self._variances(seen)
        borrowed = (1.0 - kept) @ self._left + self._uncovered.sum()
        noise = NormalDist().inv_cdf(1.0 - _BY_CHANCE / 2.0 / len(seen))
        found = []
        for drift, error, scale in (self._drift_within(seen, spread), self._drift_between(seen, borrowed)):
            above = np.maximum(0.0, drift - noise * error) / np.maximum(scale, _TINY)
            found.append(float(np.where(scale > 1e-9, above, 0.0).max()))
        return found[0], found[1]

    def _sorted_strata(self, seen: Floats) -> float:
        """From 0 to 1: how much more than by chance the strata came in the order of their rates in any column or turnout."""
        noise = 1.0 / math.sqrt(self._effective)
        if noise >= 1.0:
            return 0.0
        places = self._stratum_places - float((self._shares * self._stratum_places).sum())
        rates = seen @ self._about[1]
        power = float((self._shares * places**2).sum()) * (rates**2 @ self._shares)
        correlation = np.abs(rates @ (self._shares * places)) / np.sqrt(np.maximum(power, _TINY))
        strongest = float(np.where(power > 0, correlation, 0.0).max())
        return min(1.0, max(0.0, (strongest - noise) / (1.0 - noise)))


def normal_quantile(p: Floats) -> Floats:
    """Phi^-1 of numbers inside (0, 1), to about 0.01 (Winitzki's approximation of the error function, 2008)."""
    a = 0.147
    log = np.log(np.maximum(4.0 * p * (1.0 - p), _TINY))
    half = 2.0 / (math.pi * a) + log / 2.0
    quantile: Floats = np.sign(p - 0.5) * np.sqrt(2.0 * np.maximum(np.sqrt(half * half - log / a) - half, 0.0))
    return quantile


def _mean_beyond(part: Floats) -> Floats:
    """The mean of a standard normal quantity beyond its quantile `part`; zero where nothing is beyond."""
    inside = np.clip(part, 1e-9, 1.0 - 1e-9)
    quantile = normal_quantile(inside)
    mean: Floats = np.where(part < 1.0, np.exp(-quantile * quantile / 2.0) / math.sqrt(2.0 * math.pi) / (1.0 - inside), 0.0)
    return mean


def student(p: float, df: float) -> float:
    """Student's quantile for p above 1/2.

    Exact for 2 degrees of freedom, which stand for fewer than 3; otherwise the expansion in 1/df (Abramowitz and Stegun,
    26.7.5), within 2 % up to p = 0.995.
    """
    if df < 3.0:
        return (2.0 * p - 1.0) * math.sqrt(2.0 / (4.0 * p * (1.0 - p)))
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4.0,
        (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0,
        (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0,
    )
    return z + sum(term / df**power for power, term in enumerate(terms, start=1))
