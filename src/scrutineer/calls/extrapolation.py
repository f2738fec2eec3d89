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
_NOISE: Final = 2.0  # standard errors below which a drift says nothing of the strength of the order
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

    def largest(self, weights: Floats, strictness: float) -> Floats:
        """The drift of forms, in absolute terms; `strictness` from 0 to 1."""
        found = []
        for normal, straight in (
            (self.normal, self.straight),
            (self.normal + self.normal_fitted, self.straight + self.straight_fitted),
        ):
            own, line = np.abs(normal @ weights), np.abs(straight @ weights)
            found.append(own + strictness * np.maximum(0.0, line - own))
        largest: Floats = np.maximum(found[0], found[1])
        return largest


class Extrapolation:
    """Estimates of what is left of a frame, for linear forms. Everything linear in the votes is computed once."""

    def __init__(self, frame: StationFrame) -> None:
        self.frame = frame
        present = np.flatnonzero(frame.stations > 0)
        self._present = present
        self._starts = np.concatenate(([0], np.cumsum(frame.stations[present]).astype(np.int64)))[:-1]
        self._size = frame.size[present]
        self._stations = frame.stations[present]
        self._of = np.repeat(np.arange(len(present)), self._stations.astype(np.int64))
        self._left = frame.left[present]
        self._uncovered = np.delete(frame.left, present)
        self._within_places()
        c = frame.sizes[:, np.newaxis]
        self._rates = self._sums(frame.values) / self._size[:, np.newaxis]
        self._residuals = frame.values - c * self._rates[self._of]
        self._rate = frame.values.sum(axis=0) / self._size.sum()
        self._from_rate = frame.values - c * self._rate
        fitted_rates = self._sums(frame.fitted) / self._size[:, np.newaxis]
        fitted = frame.fitted - c * fitted_rates[self._of]
        self._within = _Drift(
            self._slopes(self._residuals, self._q, self._shift),
            self._slopes(self._residuals, self._u, self._half),
            self._slopes(fitted, self._q, self._shift),
            self._slopes(fitted, self._u, self._half),
        )
        self._between = self._between_drift(frame.fitted - c * (frame.fitted.sum(axis=0) / self._size.sum()))
        shares = self._size / self._size.sum()
        self._effective = 1.0 / float(shares @ shares)
        columns = frame.values.shape[1]
        seen = np.column_stack([np.eye(columns), np.append(np.ones(columns - 1), 0.0)])
        self._strict_between = self._sorted_strata(seen)
        self._strength = self._strength_between = 0.0
        self._strength, self._strength_between = self._strengths(seen)

    def forms(self, weights: Floats, level: float) -> tuple[Floats, Floats]:
        """Final values of forms (weights of shape (columns, forms)) and the half-widths of their intervals at a level."""
        frame = self.frame
        spread, variance, between, share = self._variances(weights)
        borrowed = self._left @ (1.0 - share) + self._uncovered.sum()
        rates = self._rates @ weights
        overall = self._rate @ weights
        point = (frame.counted + frame.predicted) @ weights + self._left @ (share * rates) + borrowed * overall
        sampling = (
            (self._left**2) @ (share * variance)
            + frame.left_squares[self._present] @ spread
            + ((frame.size_effect[:, np.newaxis] * (self._residuals @ weights)) ** 2).sum(axis=0)
        )
        shares = self._size / self._size.sum()
        of_rate = between * float(shares @ shares) + (shares**2) @ variance
        strata = (self._uncovered @ self._uncovered) * between + borrowed**2 * of_rate
        drift, error, scale = self._drift_within(weights, spread)
        drift_between, error_between, scale_between = self._drift_between(weights, borrowed)
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
        """Sums by stratum that has counted stations."""
        sums: Floats = np.add.reduceat(values, self._starts, axis=0)
        return sums

    def _within_places(self) -> None:
        """The place of each counted station in the order of its stratum, and how far what is left lies beyond."""
        frame, present = self.frame, self._present
        drawn = self._stations + frame.open_stations[present]
        place: Floats = (np.arange(len(self._of)) - self._starts[self._of] + 0.5) / drawn[self._of]
        part = self._stations / drawn
        c = frame.sizes
        self._u, self._q = (self._centred(of) for of in (place, normal_quantile(place)))
        mean_q = self._sums(c * normal_quantile(place)) / self._size
        mean_u = self._sums(c * place) / self._size
        # Undrawn stations are like all drawn ones, of which a part is counted already.
        reach = frame.open_size[present] + frame.undrawn[present] * (1.0 - part)
        some = (part < 1.0) & (reach > 0)
        self._shift = np.where(some, reach * (_mean_beyond(part) - mean_q), 0.0)
        self._half = np.where(some, reach * ((1.0 + part) / 2.0 - mean_u), 0.0)
        self._own = self._stations >= _OWN_SLOPE
        self._q_power, self._u_power = (self._sums(c * of * of) for of in (self._q, self._u))

    def _centred(self, of: Floats) -> Floats:
        c = self.frame.sizes
        own: Floats = of - (self._sums(c * of) / self._size)[self._of]
        return own

    def _slopes(self, residuals: Floats, place: Floats, reach: Floats) -> Floats:
        """Slopes on the place times the reach, summed over strata; strata with few stations share one slope."""
        power = self._sums(self.frame.sizes * place * place)
        moments = self._sums(residuals * place[:, np.newaxis])
        slopes = moments / np.where(power > 0, power, 1.0)[:, np.newaxis] * (power > 0)[:, np.newaxis]
        total = float(power.sum())
        shared = moments.sum(axis=0) / total if total > 0 else np.zeros(residuals.shape[1])
        drift: Floats = (reach * self._own) @ slopes + float(reach[~self._own].sum()) * shared
        return drift

    def _between_drift(self, fitted: Floats) -> _Drift:
        """The same for the whole country: per unit of size left."""
        frame = self.frame
        c = frame.sizes
        drawn = float(frame.stations.sum() + frame.open_stations.sum())
        part = len(c) / drawn
        place: Floats = (frame.arrival.astype(np.float64) + 0.5) / drawn
        found = []
        for of, beyond in ((normal_quantile(place), float(_mean_beyond(np.array([part]))[0])), (place, (1.0 + part) / 2.0)):
            mean = float(c @ of) / float(c.sum())
            centred = of - mean
            power = float(c @ centred**2)
            reach = (beyond - mean) / power if power > 0 and part < 1.0 else 0.0
            found.append((centred, reach))
        (self._all_q, q_reach), (all_u, u_reach) = found
        self._all_reach = q_reach
        self._all_power = float(c @ self._all_q**2)
        self._places = self._sums(c * all_u) / self._size
        return _Drift(
            q_reach * (self._all_q @ self._from_rate),
            u_reach * (all_u @ self._from_rate),
            q_reach * (self._all_q @ fitted),
            u_reach * (all_u @ fitted),
        )

    def _variances(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Of forms: variance of a station's rate and of the stratum's rate (by stratum), variance between strata, share kept."""
        frame, n = self.frame, self._stations[:, np.newaxis]
        squares = self._sums((self._residuals @ weights) ** 2) / (frame.squares[self._present] / self._stations)[:, np.newaxis]
        df = n - 1.0
        prior_df = _PRIOR_DF
        pooled = (squares.sum(axis=0) + prior_df * self._prior(weights, _STATION_SPREAD)) / (df.sum() + prior_df)
        spread = (squares + _FEW_DF * pooled) / (df + _FEW_DF)
        variance = spread * (frame.squares[self._present] / self._size**2)[:, np.newaxis]
        shares = (self._size / self._size.sum())[:, np.newaxis]
        room = 1.0 - float((shares**2).sum())
        seen = np.zeros(weights.shape[1])
        if room > 1e-9:
            about = ((self._rates - self._rate) @ weights) ** 2
            seen = np.maximum(0.0, (shares * about - shares * (1.0 - shares) * variance).sum(axis=0) / room)
        prior = self._prior(weights, _STRATUM_SPREAD_FROM_BASELINE if frame.baseline else _STRATUM_SPREAD)
        between = ((self._effective - 1.0) * seen + prior_df * prior) / (self._effective - 1.0 + prior_df)
        unsure = variance * np.maximum(0.0, 1.0 - df / _FULL)
        share = (between + _TINY) / (between + unsure + _TINY)
        return spread, variance, between, share

    def _prior(self, weights: Floats, relative: float) -> Floats:
        """Variance of a form's rate where shares vary like a multinomial's and turnout by itself."""
        counted = self.frame.counted
        total = max(1.0, float(counted.sum()))
        shares = counted / total
        mean = shares @ weights
        ballots = total / float(self._size.sum())
        prior: Floats = ballots**2 * (relative**2 * (shares @ weights**2 - mean**2) + _TURNOUT_SPREAD**2 * mean**2)
        return np.maximum(prior, 0.0)

    def _drift_within(self, weights: Floats, spread: Floats) -> tuple[Floats, Floats, Floats]:
        """Of forms: the drift, its standard error, and what one standard deviation of every station would be."""
        squares = self._sums((self.frame.sizes * self._q) ** 2)
        measured = self._own & (self._q_power > 0)
        by_own = np.where(measured, self._shift**2 * squares / np.where(measured, self._q_power, 1.0) ** 2, 0.0)
        error = by_own @ spread
        power = float(self._q_power.sum())
        if power > 0:
            error = error + (float(self._shift[~self._own].sum()) / power) ** 2 * (squares @ spread)
        strictness = min(1.0, self._strength)
        return self._within.largest(weights, strictness), np.sqrt(error), np.abs(self._shift) @ np.sqrt(spread)

    def _drift_between(self, weights: Floats, borrowed: Floats) -> tuple[Floats, Floats, Floats]:
        moments = self._sums(self._from_rate * self._all_q[:, np.newaxis]) @ weights
        error = np.sqrt((moments**2).sum(axis=0)) * abs(self._all_reach) * borrowed
        drift = borrowed * self._between.largest(weights, self._strict_between)
        c = self.frame.sizes
        deviation = np.sqrt(((self._from_rate @ weights) ** 2).sum(axis=0) / float(c @ c))
        return drift, error, deviation * borrowed * abs(self._all_reach) * self._all_power

    def _strengths(self, seen: Floats) -> tuple[float, float]:
        """The strongest drift in any of the columns or in turnout, in standard deviations of a station, above noise."""
        if len(self.frame.sizes) < 2:
            return 1.0, 1.0
        spread, _, _, share = self._variances(seen)
        borrowed = self._left @ (1.0 - share) + self._uncovered.sum()
        found = []
        for drift, error, scale in (self._drift_within(seen, spread), self._drift_between(seen, borrowed)):
            above = np.maximum(0.0, drift - _NOISE * error) / np.maximum(scale, _TINY)
            found.append(float(np.where(scale > 1e-9, above, 0.0).max()))
        return found[0], found[1]

    def _sorted_strata(self, seen: Floats) -> float:
        """From 0 to 1: how much more than by chance the strata came in the order of their rates in any column or turnout."""
        noise = 1.0 / math.sqrt(self._effective)
        if noise >= 1.0:
            return 0.0
        shares = self._size / self._size.sum()
        places = self._places - float(shares @ self._places)
        rates = self._rates @ seen
        rates = rates - shares @ rates
        power = float(shares @ places**2) * (shares @ rates**2)
        correlation = np.abs((shares * places) @ rates) / np.sqrt(np.maximum(power, _TINY))
        strongest = float(np.where(power > 0, correlation, 0.0).max())
        return min(1.0, max(0.0, (strongest - noise) / (1.0 - noise)))


def normal_quantile(p: Floats) -> Floats:
    """Phi^-1 of numbers inside (0, 1), to about 0.003 (Winitzki's approximation of the error function, 2008)."""
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
