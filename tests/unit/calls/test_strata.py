"""The strata of a partial count."""

import numpy as np
import pytest

from partial_samples import partial_count
from scrutineer.calls.partial import MAX_VOTES
from scrutineer.calls.strata import MIN_COUNTED, Strata, sums
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError


def night(capacity: dict[int, int] | None = None, counted_in_first: int = MIN_COUNTED, extra: int = 2) -> Strata:
    """Two regions of which the second has too little counted; two stations are open in each. Rolls are 10 unless given."""
    counted = [True] * counted_in_first + [False] * 2 + [True] * 5 + [False] * extra
    stratum = [0] * (counted_in_first + 2) + [1] * (5 + extra)
    rolls = [10] * len(counted)
    for row, roll in (capacity or {}).items():
        rolls[row] = roll
    return Strata.of(partial_count([[1, 0]] * len(counted), rolls, stratum, counted))


def test_a_stratum_is_covered_from_the_fewest_counted_stations_on() -> None:
    strata = night()
    assert strata.covered.tolist() == [True, False]
    assert strata.uncovered_names == ("region 1",)
    assert strata.open_sizes.tolist() == strata.open_ballots.tolist() == [20, 20]
    assert strata.bounded
    assert night(counted_in_first=MIN_COUNTED - 1).covered.tolist() == [False, False]


def test_a_stratum_without_open_stations_is_neither() -> None:
    strata = night(extra=0)
    assert strata.covered.tolist() == [True, False]
    assert strata.uncovered_names == ()


def test_open_stations_that_hold_no_ballots_leave_nothing_open() -> None:
    strata = night({37: 0, 38: 0})
    assert strata.uncovered_names == ()
    assert strata.open_sizes.tolist() == [20, 0]
    nobody_knows = night({3: UNKNOWN, 30: 0, 31: 0})
    assert nobody_knows.open_sizes.tolist() == [0, 20]


@pytest.mark.parametrize("row", [4, 31])
def test_an_unknown_capacity_makes_the_stations_of_its_stratum_count_one_each(row: int) -> None:
    strata = night({row: UNKNOWN})
    assert strata.covered.tolist() == [True, False]
    assert strata.sizes.tolist() == [1] * MIN_COUNTED + [10] * 5
    assert strata.open_sizes.tolist() == [2, 20]
    assert strata.open_ballots.tolist() == [20 if row == 4 else UNKNOWN, 20]
    assert strata.bounded


def test_unknown_capacity_in_a_stratum_that_is_not_covered_leaves_no_bound() -> None:
    strata = night({38: UNKNOWN})
    assert strata.uncovered_names == ("region 1",)
    assert not strata.bounded


def test_counted_stations_without_any_size_cover_nothing() -> None:
    strata = night(dict.fromkeys(range(MIN_COUNTED), 0))
    assert strata.uncovered_names == ("region 0", "region 1")


def test_before_the_first_sheet() -> None:
    strata = Strata.of(partial_count([[0, 0]], [5], [0], [False]))
    assert strata.covered.tolist() == [False]
    assert strata.uncovered_names == ("region 0",)


def test_capacities_that_no_election_has() -> None:
    with pytest.raises(CallError, match="add up to more than"):
        night({0: MAX_VOTES})


def test_sums_are_exact_beyond_floating_point() -> None:
    figures = np.array([1 << 60, 1, 1, 5], dtype=np.int64)
    assert sums(np.array([1, 1, 1, 0]), figures, 3).tolist() == [5, (1 << 60) + 2, 0]
