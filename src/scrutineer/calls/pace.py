"""Whether what is known tonight refutes the sensitivity that was committed to.

A verdict by statistics supposes that the open stations of a stratum are the counted ones reweighted within gamma. Two things
that are known while the count goes on can show that this is not so tonight.

**The pace of the drift.** `Sensitivity.seen` is the largest difference between later and earlier ones of the counted stations,
as a gamma. Let a share f of the stations be counted, and cut the counted ones anywhere in their order of arrival: the middles of
the two parts lie f / 2 of the whole night apart, and those of all counted and all open stations half of it. An order that goes on
as it did therefore makes the open ones differ by seen^(1 / f), and the committed gamma is refuted where that is larger.

**The sizes.** The rolls of the open stations are known. Where the stations of each stratum are cut into four classes of equal
number by size, the open ones of one class may not be more than gamma times as common, next to the counted ones of that class, as
those of another: if large stations report late, what is open is not like what is counted, whatever the votes seen so far say.
"""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN

SIZE_CLASSES: Final = 4
ALLOWANCE: Final = 5
LONGEST_VIEW: Final = 66  # percent of the stations
_ONE: Final = 100  # 1.00 in hundredths
_LONGEST: Final = 1 << 62


def keeps_pace(seen: int | None, partial: PartialCount, gamma: Fraction) -> bool:
    """Whether a difference seen so far (in hundredths; None: beyond every gamma) stays within gamma if the drift goes on.

    seen^(1 / f) <= gamma, compared exactly as seen^100 <= gamma^p with p the whole percent of the stations that are counted; p is
    LONGEST_VIEW at most, because what comes last may differ by more than what was seen, however much is counted.
    """
    if seen is None:
        return False
    stations = partial.counted_stations + partial.open_stations
    percent = 100 * partial.counted_stations // stations if stations else 0
    return Fraction(seen, _ONE) ** 100 <= gamma ** min(percent, LONGEST_VIEW)


def sizes_seen(partial: PartialCount) -> int:
    """How many times as common one size class is among the open stations as another, next to the counted ones of the class.

    In hundredths, rounded up; 100 where nothing is counted, nothing open, or no roll known. ALLOWANCE stations are added to each
    class, so that a handful of stations does not look like an order.
    """
    rows, group = size_classes(partial)
    among = np.bincount(2 * group + partial.open[rows], minlength=2 * SIZE_CLASSES).tolist()
    return uneven(among[::2], among[1::2])


def size_classes(partial: PartialCount) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the counted and the open stations whose roll is known, and the class of each."""
    rows = np.flatnonzero((partial.counted | partial.open) & (partial.capacity != UNKNOWN))
    if not len(rows):
        return rows, rows
    order = rows[_by_size(partial.stratum[rows], partial.capacity[rows])]
    return order, _classes(partial.stratum[order], partial.capacity[order])


def uneven(counted: list[int], still_open: list[int]) -> int:
    """What `sizes_seen` says, from the numbers of counted and of open stations in each class."""
    all_counted, all_open = sum(counted), sum(still_open)
    fewer = min(all_counted, all_open)
    if not fewer:
        return _ONE
    # The allowance is of the smaller number and divided as all stations are: it takes no side, and an empty class is even.
    ratios = [
        Fraction(o * fewer + ALLOWANCE * all_open, c * fewer + ALLOWANCE * all_counted)
        for o, c in zip(still_open, counted, strict=True)
    ]
    return -int(-_ONE * max(ratios) // min(ratios))


def _by_size(stratum: NDArray[np.int32], capacity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort stations by stratum, in it by capacity, and those that are alike by their place in the given order."""
    stations, largest = len(stratum), int(capacity.max()) + 1
    if (int(stratum.max()) + 1) * largest * stations >= _LONGEST:
        return np.lexsort((capacity, stratum))
    # One whole number says all three, and numbers are sorted many times faster than positions.
    key: NDArray[np.int64] = stratum.astype(np.int64)
    key *= largest
    key += capacity
    key *= stations
    key += np.arange(stations)
    key.sort()
    key %= stations
    return key


def _classes(stratum: NDArray[np.int32], capacity: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of every station, of columns in order of stratum and size: about equal numbers of a stratum in each class.

    Stations of one size are in one class, that of the middle one of them: rows stand in some order, and that must not matter.
    """
    sizes = np.bincount(stratum)
    begins = np.cumsum(sizes) - sizes
    new = np.ones(len(stratum), dtype=np.bool_)
    new[1:] = (capacity[1:] != capacity[:-1]) | (stratum[1:] != stratum[:-1])
    first = np.flatnonzero(new)
    alike = np.diff(np.append(first, len(stratum)))
    of = stratum[first]
    middle = 2 * (first - begins[of]) + alike - 1
    return np.repeat(middle * SIZE_CLASSES // (2 * sizes[of]), alike)
