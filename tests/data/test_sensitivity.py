"""Two preliminary states of Bolivia's count of 2019, by the final count's sheets: what the order of reporting could change."""

import csv
import functools
from fractions import Fraction

import pytest

from partial_samples import lead, partial_count
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import holds, margin_bounds, sensitivity
from shared_data import shared

pytestmark = pytest.mark.data

OPTIONS = ["MAS - IPSP", "CC", "FPV", "MTS", "UCS", "21F", "PDC", "MNR", "PAN-BOL"]
FIRST, SECOND = "trep_2019-10-20T1940.csv", "trep_2019-10-21T1829.csv"


def table(file: str) -> list[dict[str, str]]:
    with shared(f"bolivia-2019/{file}").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@functools.lru_cache(maxsize=2)
def state(file: str) -> PartialCount:
    """Final sheets of the tables that the preliminary state has; departments and foreign regions are the strata."""
    counted = {row["Número Mesa"] for row in table(file)}
    final = table("computo_final.csv")
    regions = {name: number for number, name in enumerate(sorted({row["Departamento"] for row in final}))}
    return partial_count(
        [[int(row[option]) for option in OPTIONS] for row in final],
        [int(row["Inscritos"]) for row in final],
        [regions[row["Departamento"]] for row in final],
        [row["Número Mesa"] in counted for row in final],
    )


def ten_points(partial: PartialCount) -> Condition:
    weights = [-1] * len(partial.candidates)
    weights[0], weights[1] = 9, -11
    return Condition("ahead", 0, 1, tuple(weights), rest=0, need=0)


def test_the_first_state() -> None:
    partial = state(FIRST)
    assert (partial.counted_stations, lead(partial).total, partial.open_ballots) == (28_975, 406_438, 1_178_136)
    assert len(sensitivity(partial, lead(partial)).uncovered) == 13


@pytest.mark.parametrize(
    ("gamma", "low", "high"),
    [
        ("1", 8.210, 8.491),
        ("1.25", 7.576, 9.121),
        ("1.5", 7.057, 9.632),
        ("2", 6.243, 10.426),
        ("3", 5.115, 11.513),
        ("5", 3.753, 12.821),
        ("8", 2.586, 13.958),
    ],
)
def test_margins_of_the_first_state(gamma: str, low: float, high: float) -> None:
    # Thirteen small foreign strata take the arithmetic bound here, which costs two hundredths of a point on either side.
    bounds = margin_bounds(state(FIRST), 0, 1, Fraction(gamma))
    assert bounds is not None
    assert low - 0.03 < bounds[0] <= low
    assert high <= bounds[1] < high + 0.03


def test_the_lead_stands_within_gamma_8_and_ten_points_do_not() -> None:
    partial = state(FIRST)
    assert holds(partial, lead(partial), Fraction(8))
    assert sensitivity(partial, lead(partial)).flips_at == 2748
    short = Condition("short", 1, 0, tuple(-weight for weight in ten_points(partial).weights), rest=0, need=1)
    for gamma in (2, 3):
        assert not holds(partial, measure(ten_points(partial), partial), Fraction(gamma))
        assert not holds(partial, measure(short, partial), Fraction(gamma))
    assert sensitivity(partial, measure(short, partial)).flips_at == 171


def test_ten_points_are_not_decided_in_the_second_state_at_any_gamma() -> None:
    partial = state(SECOND)
    assert (lead(partial).total, partial.open_ballots) == (594_394, 350_388)
    assert sensitivity(partial, lead(partial)).flips_at is None
    assert sensitivity(partial, measure(ten_points(partial), partial)).flips_at == 100
