"""Mexico's quick count of 2018, sheet by sheet as it came in: the intervals hold where the order of reporting misleads."""

from fractions import Fraction

import numpy as np
import pytest

from scrutineer.calls.estimate import Estimate, Population, estimate
from scrutineer.election import UNKNOWN
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.simulate.nights import Night, final_of_arrays, final_of_published, recorded_order
from shared_data import shared

pytestmark = pytest.mark.data

FINAL = {"RAC": 0.2228, "JAMK": 0.1641, "AMLO": 0.5319}
"""Shares of the votes cast, as the Instituto Nacional Electoral published them."""
POLLING_PLACES = 156_840
SPECIAL = 750  # ballots at a polling place for voters on their way, which has no roll
FIRST_LOOK = 1_530_421_200 + 39 * 1_800  # 19:30 on 1 July 2018 in Mexico City
LOOKS = 9


@pytest.fixture(scope="module")
def looks() -> list[Estimate]:
    """Three shares at once, at each half hour: sheets that never came are open, polling places never drawn are the country's."""
    sample = "mexico-2018-quickcount/4-ConteoRapido18MUESTRA-ELECCION-PRESIDENCIAL.csv"
    units = read_published(shared(sample), load_layout("mexico-2018-sample")).units
    stream = read_published(shared("mexico-2018-quickcount/REMESAS0100020000.txt"), load_layout("mexico-2018-quickcount"))
    came = final_of_published(stream, 2)
    assert came.times is not None
    districts = [units.path(int(unit))[2] for unit in units.station_units]
    stratum = np.unique(districts, return_inverse=True)[1]
    n = units.station_count
    assert (n, int(stratum.max()) + 1) == (7_787, 300)
    rows = np.array([units.station_index[station] for station in came.stations])
    votes, others, times = np.zeros((n, len(came.candidates)), dtype=np.int64), np.zeros(n, dtype=np.int64), np.full(n, UNKNOWN)
    votes[rows], others[rows], times[rows] = came.votes, came.others, came.times
    capacity = np.maximum(np.where(units.rolls == UNKNOWN, SPECIAL, units.rolls), votes.sum(axis=1) + others)
    night = Night(final_of_arrays(votes, others=others, capacity=capacity, stratum=stratum), recorded_order(times))
    country = Population((np.bincount(stratum, capacity) * POLLING_PLACES / n).astype(np.int64))
    found = []
    for look in range(LOOKS):
        counted = int(((times != UNKNOWN) & (times <= FIRST_LOOK + 1_800 * look)).sum())
        one = estimate(night.partial(counted), Fraction(95, 100), simultaneous=len(FINAL), base="cast", population=country)
        assert one is not None
        found.append(one)
    assert came.candidates[:3] == tuple(FINAL)
    return found


def test_three_shares_at_once_are_covered_at_eight_of_nine_looks(looks: list[Estimate]) -> None:
    ends = list(FINAL.values())
    covered = [all(share.covers(end) for share, end in zip(look.shares[:3], ends, strict=True)) for look in looks]
    assert sum(covered) >= 8


def test_the_intervals_become_narrow(looks: list[Estimate]) -> None:
    assert max(share.width for share in looks[-1].shares) < 0.02
    assert max(share.width for share in looks[3].shares) < 0.12
