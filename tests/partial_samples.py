"""Partial counts for tests: small countries drawn from a seed, station by station."""

from collections.abc import Sequence

import numpy as np

from scrutineer.calls.conditions import Condition, Measure
from scrutineer.calls.partial import PartialCount


def partial_count(
    votes: Sequence[Sequence[int]],
    capacity: Sequence[int],
    stratum: Sequence[int],
    counted: Sequence[bool],
    *,
    out: Sequence[int] = (),
    arrival: Sequence[int] | None = None,
    previous: Sequence[Sequence[int]] | None = None,
) -> PartialCount:
    """A partial count of these stations; those that are not counted are open unless they are `out`.

    Votes of stations that are not counted are left away, so that the whole truth may be given. Stations arrive in the order
    of their rows, or in the order that `arrival` gives the counted ones.
    """
    is_counted = np.array(counted, dtype=np.bool_)
    of = np.array(votes, dtype=np.int64).reshape(len(is_counted), -1)
    is_open = ~is_counted
    is_open[list(out)] = False
    order = np.full(len(is_counted), -1, dtype=np.int64)
    order[is_counted] = np.arange(is_counted.sum()) if arrival is None else arrival
    birds = ("avocet", "bittern", "curlew", "dunlin", "egret", "fulmar", "gannet", "hoopoe", "ibis", "jacana")
    return PartialCount(
        birds[: of.shape[1]],
        np.where(is_counted[:, np.newaxis], of, 0),
        np.zeros(len(is_counted), dtype=np.int64),
        is_counted,
        is_open,
        order,
        np.array(capacity, dtype=np.int64),
        np.array(stratum, dtype=np.int32),
        tuple(f"region {number}" for number in range(int(max(stratum, default=0)) + 1)),
        previous=None if previous is None else np.array(previous, dtype=np.int64),
    )


def lead(partial: PartialCount, favours: int = 0, against: int = 1) -> Measure:
    """One candidate leads another one."""
    weights = [0] * len(partial.candidates)
    weights[favours], weights[against] = 1, -1
    form = Condition("lead", favours, against, tuple(weights), rest=0, need=1)
    return Measure(form, form.values(partial), form.expected(partial))
