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
    """Shape (n, columns)."""
    fitted: Floats
    """Shape (n, columns): how the regressors explain what was counted; the baseline's part is weighted by `trust`."""
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
    columns = np.column_stack([partial.votes[rows], partial.others[rows]]).astype(np.float64)
    counted_size = _sum(stratum, c, strata)
    open_size = _sum(still_stratum, left, strata)
    drawn = counted_size + open_size
    undrawn = np.zeros(strata) if population is None else np.maximum(0.0, population - drawn)
    drawn_stations = np.bincount(stratum, minlength=strata) + np.bincount(still_stratum, minlength=strata)
    mean_size = np.where(drawn_stations > 0, drawn / np.maximum(drawn_stations, 1), c.mean())

    def within(rate: Floats) -> Floats:
        mean = np.bincount(stratum, c * rate, strata) / np.maximum(counted_size, 1e-9)
        own: Floats = rate - mean[stratum]
        return own

    def remaining(rate: Floats, rate_left: Floats) -> Floats:
        """Sum of size x regressor over what is not counted, by stratum; undrawn stations are like the drawn ones."""
        open_sum = np.bincount(still_stratum, left * rate_left, strata)
        overall = float(c @ rate) / float(c.sum())
        mean = np.where(drawn > 0, (np.bincount(stratum, c * rate, strata) + open_sum) / np.maximum(drawn, 1e-9), overall)
        own: Floats = open_sum + undrawn * mean
        return own

    middle = float(c @ np.log(c)) / float(c.sum())
    size_rate, size_left = (np.clip(np.log(of) - middle, -_SIZE_RANGE, _SIZE_RANGE) for of in (c, left))
    size_within = within(size_rate)
    enough = len(rows) - len(np.unique(stratum)) > _ENOUGH
    predicted, fitted = np.zeros(columns.shape[1]), np.zeros(columns.shape)
    values = columns.copy()
    size_open = remaining(size_rate, size_left)
    for column in range(columns.shape[1]) if enough else ():
        regressors = [size_within]
        earlier = None
        if partial.previous is not None and column < columns.shape[1] - 1:
            earlier = partial.previous[rows, column] / c
            regressors.append(within(earlier))
        slopes = _regression(regressors, within(columns[:, column] / c), c)
        part = c * size_rate * slopes[0]
        values[:, column] -= part
        fitted[:, column] = part
        predicted[column] = slopes[0] * size_open.sum()
        if partial.previous is not None and earlier is not None:
            slope = min(_MAX_SLOPE, max(0.0, float(slopes[1])))
            values[:, column] -= slope * c * earlier
            fitted[:, column] += trust * slope * c * earlier
            predicted[column] += slope * remaining(earlier, partial.previous[still, column] / left).sum()
    return StationFrame(
        sizes=c,
        stratum=stratum,
        arrival=partial.arrival[rows],
        values=values,
        fitted=fitted,
        counted=columns.sum(axis=0),
        predicted=predicted,
        size_effect=_size_effect(size_within, size_rate, c, size_open, undrawn + open_size, stratum)
        if enough
        else np.zeros(len(c)),
        stations=np.bincount(stratum, minlength=strata).astype(np.float64),
        size=counted_size,
        squares=_sum(stratum, c * c, strata),
        open_stations=np.bincount(still_stratum, minlength=strata).astype(np.float64),
        open_size=open_size,
        undrawn=undrawn,
        left_squares=np.bincount(still_stratum, left * left, strata) + undrawn * mean_size,
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


def _regression(regressors: list[Floats], response: Floats, weights: Floats) -> Floats:
    """Weighted least squares with a ridge that keeps the system regular: constant regressors get a coefficient of zero."""
    x = np.array(regressors)
    gram, moment = (x * weights) @ x.T, (x * weights) @ response
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-9))
    own: Floats = np.linalg.solve(gram / scale[:, np.newaxis] / scale + _RIDGE * np.eye(len(x)), moment / scale) / scale
    return own


def _size_effect(within: Floats, rate: Floats, c: Floats, remaining: Floats, left: Floats, stratum: NDArray[np.int64]) -> Floats:
    """How the residual of each counted station moves the prediction, through the fitted coefficient of size."""
    strata = len(left)
    counted = _sum(stratum, c, strata)
    overall = float(c @ rate) / float(c.sum())
    mean = np.where(counted > 0, np.bincount(stratum, c * rate, strata) / np.maximum(counted, 1e-9), overall)
    lever = float((remaining - left * mean).sum())
    own: Floats = within * (lever / max(float((c * within) @ within), 1e-9))
    return own
