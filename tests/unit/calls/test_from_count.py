"""A partial count from the count of a log: order, capacities, strata, quarantine, alliances and rankings."""

import numpy as np
import pytest

from count_helpers import Ballots, make_election
from scrutineer.calls.from_count import incoherence, partial_count, strata_below, votes_by_candidate
from scrutineer.election import Candidate, Contest, Option, UnitRow, Units
from scrutineer.election.call_settings import CallSettings

SETTINGS = CallSettings()
WARDEN = Contest("warden", "Warden", "ranked", tuple(Option(i, i.title()) for i in ("heron", "wren", "finch")))


def test_stations_arrive_in_the_order_of_the_log() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("b2", (10, 20, 30)), ballots.sheet("a1"), ballots.sheet("a3", (1, 2, 3)))
    partial = partial_count(count, 0, SETTINGS)
    assert partial.arrival.tolist() == [1, -1, 2, -1, 0, -1]
    assert partial.votes[[0, 2, 4]].tolist() == [[50, 20, 10], [1, 2, 3], [10, 20, 30]]
    assert partial.others.tolist() == [5, 0, 5, 0, 5, 0]
    assert partial.strata == ("North", "South")
    assert partial.stratum.tolist() == [0, 0, 0, 1, 1, 1]
    assert partial.open_ballots == 300


def test_a_unit_has_its_own_stations_alone() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("b2", (10, 20, 30)), ballots.sheet("a1"))
    south = partial_count(count, 0, SETTINGS, count.election.units.position("south"))
    assert south.totals == (10, 20, 30)
    assert (south.strata, south.open_ballots) == (("South",), 200)


def test_a_quarantined_station_is_open_with_the_roll_of_the_definition() -> None:
    ballots = Ballots(make_election(rolls={"a2": 250, "b1": None}))
    count = ballots.count(ballots.sheet("a2", (900, 20, 10), roll=250), ballots.sheet("b1", roll=70))
    partial = partial_count(count, 0, CallSettings(extra_ballots=3))
    row = list(count.election.units.station_index).index("a2")
    assert partial.open[row]
    assert partial.votes[row].tolist() == [0, 0, 0]
    assert partial.capacity[row] == 253
    # A counted station without a roll in the definition has the one of its sheet; an open one has none.
    assert partial.capacity[list(count.election.units.station_index).index("b1")] == (73 if partial.counted[3] else -1)


def test_options_of_one_candidate_are_added() -> None:
    allied = Contest(
        "president", "President", "plurality",
        (Option("one", "One", "heron"), Option("two", "Two"), Option("three", "Three", "heron")),
        candidates=(Candidate("heron", "Heron"),),
    )  # fmt: skip
    ballots = Ballots(make_election((allied,)))
    partial = partial_count(ballots.count(ballots.sheet("a1", (5, 7, 11))), 0, SETTINGS)
    assert partial.candidates == ("heron", "two")
    assert partial.totals == (16, 7)
    assert votes_by_candidate(allied, np.array([1, 2, 3])).tolist() == [4, 2]


def test_rankings_come_by_row() -> None:
    ballots = Ballots(make_election((WARDEN,)))
    partial = partial_count(ballots.count(ballots.ranked("b1", {(2, 0): 7, (1,): 4})), 0, SETTINGS)
    assert partial.rankings == {3: (((1,), 4), ((2, 0), 7))}


def test_more_ballots_than_voters_is_not_coherent() -> None:
    ballots = Ballots(make_election(rules={"above-roll": "off", "voters-above-roll": "off"}, rolls={"a1": 40}))
    count = ballots.count(ballots.sheet("a1", (50, 20, 10), roll=40))
    partial = partial_count(count, 0, SETTINGS)
    assert partial.counted[0]
    assert incoherence(count, 0, partial) == ("the counted stations hold 85 ballots and have 40 voters on their rolls",)
    count = ballots.count(ballots.sheet("a1", (50, 20, 10), roll=40), ballots.sheet("a2"))
    assert incoherence(count, 0, partial_count(count, 0, SETTINGS)) != ()
    count = ballots.count(ballots.sheet("a1", (50, 20, 10), roll=40), *(ballots.sheet(s, (3, 2, 1)) for s in ("a2", "a3", "b1")))
    assert incoherence(count, 0, partial_count(count, 0, SETTINGS)) == ()


@pytest.mark.parametrize(
    ("unit", "depth", "expected"),
    [
        ("land", 0, ["Land"] * 4),
        ("land", 1, ["East", "East", "East", "Land"]),
        ("land", 2, ["East 1", "East 1", "East", "Land"]),
        ("land", 9, ["East 1", "East 1", "East", "Land"]),
        ("east", 1, ["East"] * 3),
        ("east", 2, ["East 1", "East 1", "East"]),
        ("east-1", 1, ["East 1"] * 2),
        ("abroad", 1, ["Land"]),
    ],
)
def test_strata_are_units_at_a_depth_and_never_stations(unit: str, depth: int, expected: list[str]) -> None:
    units = Units(
        [
            UnitRow("land", "", "Land", "country", None),
            UnitRow("east", "land", "East", "region", None),
            UnitRow("east-1", "east", "East 1", "district", None),
            UnitRow("t1", "east-1", "T 1", "station", 10),
            UnitRow("t2", "east-1", "T 2", "station", 10),
            UnitRow("t3", "east", "T 3", "station", 10),
            UnitRow("abroad", "land", "Abroad", "station", 10),
        ]
    )
    stratum, names = strata_below(units, units.position(unit), depth)
    assert [names[number] for number in stratum] == expected


def test_strata_of_one_name_are_told_apart_by_their_ids() -> None:
    units = Units(
        [
            UnitRow("land", "", "Land", "country", None),
            *(UnitRow(region, "land", "Lakes", "region", None) for region in ("l1", "l2")),
            UnitRow("sea", "land", "Sea", "region", None),
            *(UnitRow(f"t{n}", region, "T", "station", 10) for n, region in enumerate(("l1", "l2", "sea"))),
        ]
    )
    assert strata_below(units, 0, 1)[1] == ("Lakes (l1)", "Lakes (l2)", "Sea")
