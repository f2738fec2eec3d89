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

from scrutineer.calls.partial import PartialCount
from scrutineer.election import UNKNOWN

SIZE_CLASSES: Final = 4
ALLOWANCE: Final = 5
_ONE: Final = 100  # 1.00 in hundredths


def keeps_pace(seen: int | None, partial: PartialCount, gamma: Fraction) -> bool:
    """Whether a difference seen so far (in hundredths; None: beyond every gamma) stays within gamma if the drift goes on.

    seen^(1 / f) <= gamma, compared exactly as seen^100 <= gamma^p with p the whole percent of the stations that are counted.
    """
    if seen is None:
        return False
    stations = partial.counted_stations + partial.open_stations
    percent = 100 * partial.counted_stations // stations if stations else 0
    return Fraction(seen, _ONE) ** 100 <= gamma**percent


def sizes_seen(partial: PartialCount) -> int:
    """How many times as common one size class is among the open stations as another, next to the counted ones of the class.

    In hundredths, rounded up; 100 where nothing is open or no roll is known. ALLOWANCE stations are added to each class, counted
    and open, so that a handful of stations does not look like an order.
    """
    rows = np.flatnonzero((partial.counted | partial.open) & (partial.capacity != UNKNOWN))
    if not len(rows) or not bool(partial.open[rows].any()):
        return _ONE
    order = rows[np.lexsort((rows, partial.capacity[rows], partial.stratum[rows]))]
    stratum = partial.stratum[order]
    sizes = np.bincount(stratum, minlength=len(partial.strata))
    place = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[stratum]
    group = place * SIZE_CLASSES // sizes[stratum]
    still_open = np.bincount(group[partial.open[order]], minlength=SIZE_CLASSES).tolist()
    counted = np.bincount(group[partial.counted[order]], minlength=SIZE_CLASSES).tolist()
    ratios = [Fraction(o + ALLOWANCE, c + ALLOWANCE) for o, c in zip(still_open, counted, strict=True)]
    return -int(-_ONE * max(ratios) // min(ratios))
