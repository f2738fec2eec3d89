"""What estimates work on: the counted stations by stratum and arrival, less what their size and an earlier election explain."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN

Floats = NDArray[np.float64]

_ENOUGH: Final = 10  # stations beyond one for each stratum, before a regression is fitted
_RIDGE: Final = 1e-3  # of a regressor's own sum of squares
_SIZE_RANGE: Final = 2.5  # in natural logarithms from the mean; no station counts as smaller or larger than that
_MAX_SLOPE: Final = 2.0  # of the votes on the baseline


@dataclass(frozen=True, eq=False)
class StationFrame:
    """The n counted stations sorted by stratum, then arrival; the H strata; and columns: votes by candidate, then other ballots.

    A column is modelled as y_i = c_i (r_h + g (x_i - mean) + e_i): size c_i, a rate r_h for each stratum, regressors x_i that
    are known of open stations too (the logarithm of the size; the rate in the baseline), their coefficients fitted within
    strata over the whole country (Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 6.4).
    `values` are what is left without the regressors, `fitted` what they explain.
    """

    sizes: Floats
    stratum: NDArray[np.int64]
    arrival: NDArray[np.int64]
    values: Floats
    """Shape (columns, n)."""
    fitted: Floats
    """Shape (columns, n): how the regressors explain what was counted; the baseline's part is weighted by `trust`."""
    counted: Floats
    """By column: what was counted."""
    predicted: Floats
    """By column: what the regressors predict for all that is not counted."""
    size_effect: Floats
    """By counted station: weight of its residual in the error of that prediction, through the coefficient of size."""
    stations: Floats
    """By stratum: counted stations."""
    size: Floats
    """By stratum: size of the counted stations."""
    squares: Floats
    """By stratum: sum of squared sizes of the counted stations."""
    open_stations: Floats
    open_size: Floats
    undrawn: Floats
    """By stratum: size of what was never drawn, where the stations are a sample."""
    left_squares: Floats
    """By stratum: sum of squared sizes of open and undrawn stations."""
    by_stations: bool
    baseline: bool

    @property
    def left(self) -> Floats:
        """By stratum: size of everything that is not counted."""
        own: Floats = self.open_size + self.undrawn
        return own


def station_frame(partial: PartialCount, population: NDArray[np.int64] | None, trust: float) -> StationFrame:
    """Arrange a partial count with at least one counted station. `population` holds the size of each stratum, drawn or not."""
    strata = len(partial.strata)
    sizes, by_stations = _sizes(partial.capacity, partial.counted | partial.open)
    rows = partial.in_order()
    rows = rows[np.argsort(partial.stratum[rows], kind="stable")]
    still = np.flatnonzero(partial.open)
    stratum, still_stratum = partial.stratum[rows].astype(np.int64), partial.stratum[still].astype(np.int64)
    c, left = sizes[rows], sizes[still]
    values = np.vstack([partial.votes[rows].T, partial.others[rows]]).astype(np.float64)
    stations = np.bincount(stratum, minlength=strata)
    starts = np.concatenate(([0], np.cumsum(stations)))[:-1][stations > 0]
    counted_size, open_size = _sum(stratum, c, strata), _sum(still_stratum, left, strata)
    drawn = counted_size + open_size
    undrawn = np.zeros(strata) if population is None else np.maximum(0.0, population - drawn)
    drawn_stations = stations + np.bincount(still_stratum, minlength=strata)
    mean_size = np.where(drawn_stations > 0, drawn / np.maximum(drawn_stations, 1), c.mean())

    def within(totals: Floats) -> Floats:
        """Rates of columns of totals, less their mean in the stratum."""
        mean = np.add.reduceat(totals, starts, axis=-1) / counted_size[stations > 0]
        own: Floats = totals / c - np.repeat(mean, stations[stations > 0], axis=-1)
        return own

    def remaining(total: Floats, total_left: Floats) -> Floats:
        """Sum of a regressor over what is not counted, by stratum; undrawn stations are like the drawn ones."""
        open_sum = _sum(still_stratum, total_left, strata)
        overall = float(total.sum()) / float(c.sum())
        mean = np.where(drawn > 0, (_sum(stratum, total, strata) + open_sum) / np.maximum(drawn, 1e-9), overall)
        own: Floats = open_sum + undrawn * mean
        return own

    counted = values.sum(axis=1)
    predicted, fitted, size_effect = np.zeros(len(values)), np.zeros(values.shape), np.zeros(len(c))
    if len(rows) - len(starts) > _ENOUGH:
        middle = float((c * np.log(c)).sum()) / float(c.sum())
        by_size, by_size_left = (of * np.clip(np.log(of) - middle, -_SIZE_RANGE, _SIZE_RANGE) for of in (c, left))
        earlier = None if partial.previous is None else partial.previous[rows].T.astype(np.float64)
        size_within, earlier_within = within(by_size), None if earlier is None else within(earlier)
        slopes, earlier_slopes = _regression(within(values), size_within, earlier_within, c)
        size_left = remaining(by_size, by_size_left)
        fitted = slopes[:, np.newaxis] * by_size
        predicted = slopes * size_left.sum()
        values = values - fitted
        size_effect = _size_effect(size_within, by_size, c, size_left, undrawn + open_size, stratum)
        if earlier is not None and partial.previous is not None:
            part = earlier_slopes[:, np.newaxis] * earlier
            values[:-1] -= part
            fitted[:-1] += trust * part
            later = partial.previous[still].T.astype(np.float64)
            predicted[:-1] += earlier_slopes * [remaining(*pair).sum() for pair in zip(earlier, later, strict=True)]
    return StationFrame(
        sizes=c,
        stratum=stratum,
        arrival=partial.arrival[rows],
        values=values,
        fitted=fitted,
        counted=counted,
        predicted=predicted,
        size_effect=size_effect,
        stations=stations.astype(np.float64),
        size=counted_size,
        squares=_sum(stratum, c * c, strata),
        open_stations=np.bincount(still_stratum, minlength=strata).astype(np.float64),
        open_size=open_size,
        undrawn=undrawn,
        left_squares=_sum(still_stratum, left * left, strata) + undrawn * mean_size,
        by_stations=by_stations,
        baseline=partial.previous is not None,
    )


def _sum(stratum: NDArray[np.int64], of: Floats, strata: int) -> Floats:
    own: Floats = np.bincount(stratum, of, strata).astype(np.float64)
    return own


def _sizes(capacity: NDArray[np.int64], used: NDArray[np.bool_]) -> tuple[Floats, bool]:
    """Sizes of at least 1; the mean known one where a capacity is unknown, or 1 where all are; whether any was unknown."""
    known = used & (capacity != UNKNOWN)
    stand_in = max(1.0, float(capacity[known].mean())) if bool(known.any()) else 1.0
    sizes: Floats = np.where(capacity == UNKNOWN, stand_in, np.maximum(capacity, 1)).astype(np.float64)
    return sizes, bool((used & (capacity == UNKNOWN)).any())


def _regression(rates: Floats, size: Floats, earlier: Floats | None, weights: Floats) -> tuple[Floats, Floats]:
    """Least squares, weighted, of the rate of each column on size and on its own rate in the baseline (the last has none).

    A ridge keeps the two equations regular: a regressor that is constant gets a coefficient of zero.
    """
    weighted = weights * size
    size_power = float((weighted * size).sum()) * (1.0 + _RIDGE) + 1e-9
    size_moment = (rates * weighted).sum(axis=1)
    slopes = size_moment / size_power
    if earlier is None:
        return slopes, np.zeros(len(rates) - 1)
    own = weights * earlier
    power = (own * earlier).sum(axis=1) * (1.0 + _RIDGE) + 1e-9
    moment = (own * rates[:-1]).sum(axis=1)
    cross = (own * size).sum(axis=1)
    earlier_slopes = (moment - cross * slopes[:-1]) / np.maximum(power - cross**2 / size_power, 1e-9)
    earlier_slopes = np.clip(earlier_slopes, 0.0, _MAX_SLOPE)
    slopes[:-1] -= cross * earlier_slopes / size_power
    return slopes, earlier_slopes


def _size_effect(
    within: Floats, by_size: Floats, c: Floats, remaining: Floats, left: Floats, stratum: NDArray[np.int64]
) -> Floats:
    """How the residual of each counted station moves the prediction, through the fitted coefficient of size."""
    strata = len(left)
    counted = _sum(stratum, c, strata)
    overall = float(by_size.sum()) / float(c.sum())
    mean = np.where(counted > 0, _sum(stratum, by_size, strata) / np.maximum(counted, 1e-9), overall)
    lever = float((remaining - left * mean).sum())
    own: Floats = within * (lever / max(float((c * within * within).sum()), 1e-9))
    return own
