"""Evidence as numbers that neither overflow nor vanish: a fraction and an exponent of two for every draw.

Running products and weighted averages are made draw by draw from left to right with single IEEE 754 operations. Scaling by a
power of two changes no rounding, so how often a product is scaled back is free, and the bits are those of the plain loop.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.risk.model import Values

_BITS: Final = 960  # of the exponents that a float64 has, what a product may use up before it is scaled back
_MIXED_BITS: Final = 200  # the same, for products that are added up: half of what two of them may move apart
_PLAIN: Final = 30  # factors within 2^-30 … 2^30 are multiplied as they are; others are taken apart first


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence after each draw (last axis), `fraction` x 2^`exponent`: the fraction is in [1/2, 1), or 0, or inf."""

    fraction: Values
    exponent: NDArray[np.int64]

    def log2(self) -> Values:
        """The logarithm to base 2: -inf for none, inf where the hypothesis is impossible."""
        with np.errstate(divide="ignore"):
            return np.log2(self.fraction) + self.exponent

    def p_values(self) -> Values:
        """One over the greatest evidence so far, at most 1; numbers below 2^-1074 are shown as 0."""
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            inverse = np.ldexp(1.0 / self.fraction, -self.exponent)
        return np.minimum.accumulate(np.minimum(inverse, 1.0), axis=-1)

    def settled(self, impossible: NDArray[np.bool_] | None, certain: NDArray[np.bool_] | None) -> "Evidence":
        """The same, but infinite where the hypothesis is impossible, and none where it is certainly true."""
        fraction = self.fraction
        if certain is not None:
            fraction = np.where(certain, 0.0, fraction)
        if impossible is not None:
            fraction = np.where(impossible, np.inf, fraction)
        return self if fraction is self.fraction else Evidence(fraction, self.exponent)


def running_product(factors: Values) -> Evidence:
    """The product of the first t factors for every t, along the last axis of a table of positive numbers (it is not changed)."""
    rows, draws = factors.shape
    fraction, exponent = np.empty((rows, draws)), np.zeros((rows, draws), np.int64)
    if not factors.size:
        return Evidence(fraction, exponent)
    powers: NDArray[np.int64] = np.zeros((1, 1), np.int64)
    mantissas = factors
    bits = _bits(factors)
    if bits > _PLAIN:
        mantissas, powers_of_factors = np.frexp(factors)
        powers = np.add.accumulate(powers_of_factors.astype(np.int64), axis=1)
        bits = 1
    step = _BITS // bits
    carried, carried_power = np.ones((rows, 1)), np.zeros((rows, 1), np.int64)
    for start in range(0, draws, step):
        part = slice(start, start + step)
        products = mantissas[:, part].copy()
        products[:, :1] *= carried
        np.multiply.accumulate(products, axis=1, out=products)
        fraction[:, part], power = np.frexp(products)
        exponent[:, part] = power + carried_power
        carried, carried_power = fraction[:, part][:, -1:], exponent[:, part][:, -1:]
    return Evidence(fraction, exponent + powers)


def mixed_product(factors: Values, weights: Sequence[float]) -> Evidence:
    """The sum of weight x running product over the first axis of parts x rows x draws, as `average` has it, bit for bit.

    The parts of a stretch are added up as they are, each brought to the scale of the greatest at its start. A stretch is so short
    that a part too small for that could not have touched the last bit of the sum at its end.
    """
    bits = _bits(factors) if factors.size else 1
    if bits > _PLAIN:
        return average(zip(weights, map(running_product, factors), strict=True))
    parts, rows, draws = factors.shape
    fraction, exponent = np.empty((rows, draws)), np.empty((rows, draws), np.int64)
    shares = np.asarray(weights, dtype=np.float64).reshape(parts, 1, 1)
    carried, power = np.ones((parts, rows, 1)), np.zeros((parts, rows, 1), np.int64)
    step = _MIXED_BITS // bits
    for start in range(0, draws, step):
        part = slice(start, start + step)
        products = factors[:, :, part].copy()
        products[:, :, :1] *= carried
        np.multiply.accumulate(products, axis=2, out=products)
        carried, more = np.frexp(products[:, :, -1:])
        top = power.max(axis=0)
        with np.errstate(under="ignore"):
            products *= np.ldexp(shares, np.maximum(power - top, -1000))
            total = np.add.accumulate(products, axis=0, out=products)[-1]
        fraction[:, part], scale = np.frexp(total)
        exponent[:, part] = scale + top
        power = power + more
    return Evidence(fraction, exponent)


def _bits(factors: Values) -> int:
    """By how many bits one of these factors can move a product up or down, at most, and at least 1."""
    (_, least), (_, most) = np.frexp(factors.min()), np.frexp(factors.max())
    return max(1 - int(least), int(most), 1)


def average(parts: Iterable[tuple[float, Evidence]]) -> Evidence:
    """The sum of weight x evidence, in the order given. With weights that sum to 1 it is an average, again a supermartingale."""
    whole: Evidence | None = None
    for weight, evidence in parts:
        fraction, power = np.frexp(weight * evidence.fraction)
        exponent = np.where(fraction > 0, evidence.exponent + power, np.int64(-(2**40)))
        if whole is None:
            whole = Evidence(fraction, exponent)
            continue
        top = np.maximum(whole.exponent, exponent)
        with np.errstate(under="ignore"):
            total = np.ldexp(whole.fraction, np.maximum(whole.exponent - top, -1100)) + np.ldexp(
                fraction, np.maximum(exponent - top, -1100)
            )
        fraction, power = np.frexp(total)
        whole = Evidence(fraction, top + power)
    if whole is None:
        raise ValueError("an average needs a part")
    return whole
