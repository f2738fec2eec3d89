"""The partial count: what fits together, and what the same night looked like earlier."""

from typing import Any

import numpy as np
import pytest

from scrutineer.calls.partial import PartialCount
from scrutineer.errors import CallError


def columns(**changes: Any) -> dict[str, Any]:
    """Four stations: two counted (the second one first), one open, one excluded."""
    given: dict[str, Any] = {
        "candidates": ("heron", "wren"),
        "votes": np.array([[5, 3], [2, 8], [0, 0], [0, 0]]),
        "others": np.array([1, 0, 0, 0]),
        "counted": np.array([True, True, False, False]),
        "open": np.array([False, False, True, False]),
        "arrival": np.array([1, 0, -1, -1]),
        "capacity": np.array([10, 12, 20, 30]),
        "stratum": np.array([0, 0, 1, 1], dtype=np.int32),
        "strata": ("north", "south"),
    }
    return given | changes


def test_what_a_partial_count_says_of_itself() -> None:
    partial = PartialCount(**columns())
    assert partial.totals == (7, 11)
    assert (partial.counted_stations, partial.open_stations, partial.open_ballots) == (2, 1, 20)
    assert partial.in_order().tolist() == [1, 0]


def test_an_open_station_without_a_roll_leaves_the_open_ballots_unknown() -> None:
    assert PartialCount(**columns(capacity=np.array([10, 12, -1, 30]))).open_ballots is None
    assert PartialCount(**columns(capacity=np.array([-1, 12, 20, -1]))).open_ballots == 20


def test_the_first_stations_alone() -> None:
    earlier = PartialCount(**columns()).first(1)
    assert earlier.totals == (2, 8)
    assert earlier.open.tolist() == [True, False, True, False]
    assert earlier.arrival.tolist() == [-1, 0, -1, -1]
    assert earlier.open_ballots == 30
    assert earlier.first(0).counted_stations == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"votes": np.zeros((4, 3), dtype=np.int64)}, "shape"),
        ({"others": np.zeros(3, dtype=np.int64)}, "shape"),
        ({"previous": np.zeros((3, 2), dtype=np.int64)}, "shape"),
        ({"candidates": (), "votes": np.zeros((4, 0), dtype=np.int64)}, "no candidate"),
        ({"open": np.array([True, False, True, False])}, "at once"),
        ({"stratum": np.array([0, 0, 1, 2], dtype=np.int32)}, "stratum"),
        ({"votes": np.array([[5, -3], [2, 8], [0, 0], [0, 0]])}, "below zero"),
        ({"capacity": np.array([10, 12, -2, 30])}, "below zero"),
        ({"votes": np.array([[5, 3], [2, 8], [1, 0], [0, 0]])}, "not counted has votes"),
        ({"arrival": np.array([1, 1, -1, -1])}, "order of arrival"),
        ({"arrival": np.array([1, 2, -1, -1])}, "order of arrival"),
        ({"arrival": np.array([1, 0, 2, -1])}, "order of arrival"),
        ({"votes": np.array([[2**41, 3], [2, 8], [0, 0], [0, 0]])}, "no election"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CallError, match=message):
        PartialCount(**columns(**change))
