"""Totals of one contest for every unit, computed at once or kept up to date sheet by sheet."""

import numpy as np
import pytest

from count_helpers import OFFICERS, PRESIDENT, STATIONS, Ballots, make_election, status_of
from scrutineer.count import Count, UnitResult, unit_result
from scrutineer.election import Contest, UnitRow, Units
from scrutineer.statements import Figures


def results(count: Count, contest: int = 0) -> dict[str, UnitResult]:
    units = count.election.units
    return {units.ids[unit]: unit_result(count, contest, unit) for unit in range(units.unit_count)}


def fresh(ballots: Ballots, entries: list[bytes]) -> dict[str, UnitResult]:
    return results(ballots.count(*entries))


def test_totals_of_every_unit_are_the_sums_of_their_counted_stations() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(*(ballots.sheet(station, (10 + n, n, 1)) for n, station in enumerate(STATIONS)))
    found = results(count)
    assert found["country"].votes == (75, 15, 6)
    assert found["north"].votes == (33, 3, 3)
    assert found["south"].votes == (42, 12, 3)
    assert found["b3"].votes == (15, 5, 1)
    assert found["country"].ballots == 75 + 15 + 6 + 6 * 5
    assert found["country"].roll == 600


def test_quarantined_and_excluded_stations_stand_beside_the_totals() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("a1"), ballots.sheet("a2", cast=84), ballots.sheet("a3"), ballots.exclude("a3"))
    north, country = results(count)["north"], results(count)["country"]
    assert (north.stations, north.counted, north.quarantined, north.excluded, north.outstanding) == (3, 1, 1, 1, 0)
    assert country.outstanding == 3
    assert north.votes == (50, 20, 10)
    assert north.open_ballots == 100, "what is excluded is not open"
    assert country.open_ballots == 400
    assert (country.roll, country.roll_counted) == (600, 100)


@pytest.mark.parametrize("prepared", [False, True])
def test_single_entries_update_the_totals_as_a_fresh_count_has_them(prepared: bool) -> None:
    ballots = Ballots(make_election(thresholds={"decision": 2}, opening_required=True))
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    decision, correction = ballots.accept(second, "a1"), ballots.correct(first, "a1", Figures(counts=(1, 2, 3)))
    exclusion = ballots.exclude("a2")
    entries = [
        *(ballots.opening(station) for station in ("a1", "a2")),
        first,
        second,
        decision,
        ballots.endorse(decision),
        ballots.sheet("b1"),
        ballots.opening("b1"),
        ballots.sheet("a2"),
        exclusion,
        ballots.endorse(exclusion, OFFICERS[2]),
        correction,
        ballots.endorse(correction),
        ballots.sheet("a1", (7, 7, 7)),
    ]
    count = Count(ballots.election)
    if prepared:
        count.prepare()
    for size, entry in enumerate(entries, start=1):
        count.apply([entry])
        assert results(count) == fresh(ballots, entries[:size]), size
    assert status_of(count, "a1") == "quarantined"


def test_unknown_is_not_zero() -> None:
    ballots = Ballots(make_election())
    none = ballots.count(ballots.sheet("a1", blank=None, null=None, cast=None, voters=None))
    country = results(none)["country"]
    assert (country.blank, country.null, country.voters, country.ballots) == (None, None, None, 80)
    some = ballots.count(ballots.sheet("a1", blank=None, voters=None), ballots.sheet("a2", null=None))
    country = results(some)["country"]
    assert (country.blank, country.null, country.voters) == (3, 2, 83)
    zero = ballots.count(ballots.sheet("a1", blank=0, null=0))
    assert (results(zero)["country"].blank, results(zero)["country"].null) == (0, 0)
    assert results(zero)["a2"].blank is None


def test_an_accepted_sheet_with_an_unknown_option_adds_what_is_known() -> None:
    ballots = Ballots(make_election())
    sheet = ballots.sheet("a1", (50, None, 10), cast=85)
    count = ballots.count(sheet, ballots.accept(sheet, "a1"))
    assert results(count)["country"].votes == (50, 0, 10)
    assert results(count)["country"].ballots == 85


def test_rolls_that_only_sheets_state() -> None:
    rolls = dict.fromkeys(STATIONS)
    ballots = Ballots(make_election(rolls=rolls))
    count = ballots.count(ballots.sheet("a1", roll=90), ballots.sheet("a2", roll=95))
    found = results(count)
    assert (found["north"].roll, found["north"].roll_counted, found["north"].open_ballots) == (None, 185, None)
    assert (found["a1"].roll, found["a1"].roll_counted, found["a1"].open_ballots) == (90, 90, 0)
    assert (found["south"].roll, found["south"].roll_counted, found["south"].open_ballots) == (None, 0, None)
    count.apply([ballots.sheet("a3", roll=None)])
    assert (results(count)["north"].roll, results(count)["north"].roll_counted) == (None, None)


def test_a_quarantined_sheet_bounds_nothing_with_a_roll_of_its_own() -> None:
    ballots = Ballots(make_election(rolls={"a1": None}))
    count = ballots.count(ballots.sheet("a1", cast=84, roll=90), ballots.sheet("a2", cast=84, roll=5))
    north = results(count)["north"]
    assert north.open_ballots is None
    assert results(count)["a2"].open_ballots == 100


def test_a_contest_of_one_region_leaves_the_other_out() -> None:
    mayor = Contest("mayor", "Mayor", "plurality", PRESIDENT.options, unit="north")
    ballots = Ballots(make_election([PRESIDENT, mayor]))
    count = ballots.count(ballots.sheet("a1", contest="mayor"), ballots.sheet("b1"))
    found = results(count, 1)
    assert (found["country"].stations, found["north"].stations, found["south"].stations, found["b1"].stations) == (3, 3, 0, 0)
    assert (found["country"].roll, found["south"].roll) == (300, 0)
    assert (found["country"].open_ballots, found["south"].open_ballots) == (200, 0)
    assert found["country"].votes == found["north"].votes == (50, 20, 10)


def test_a_contest_of_one_station() -> None:
    mayor = Contest("mayor", "Mayor", "plurality", PRESIDENT.options, unit="a2")
    ballots = Ballots(make_election([mayor]))
    count = ballots.count(ballots.sheet("a2", contest="mayor"), ballots.sheet("a1", contest="mayor"))
    assert results(count)["country"].stations == 1
    assert results(count)["a2"].votes == (50, 20, 10)
    assert [stray.station for stray in count.strays] == ["a1"]


def test_a_country_that_is_one_station() -> None:
    units = Units([UnitRow("a1", "", "Country", "country", 100)])
    election = make_election()
    election.units = units
    count = Count(election)
    count.apply([Ballots(election).sheet("a1")])
    count.prepare()
    assert unit_result(count, 0, 0).votes == (50, 20, 10)


def test_many_sheets_at_once_and_one_by_one_are_the_same() -> None:
    # More stations in one stretch than the totals are kept up to date for.
    ballots = Ballots(make_election())
    entries = [ballots.sheet(STATIONS[n % 6], (n, 1, 1), time=n) for n in range(100)]
    at_once, one_by_one = ballots.count(*entries), ballots.count()
    one_by_one.prepare()
    for entry in entries:
        one_by_one.apply([entry])
    assert results(at_once) == results(one_by_one)
    for name in ("status", "sheet", "hashes", "figures", "time", "flags"):
        assert np.array_equal(getattr(at_once.contests[0], name), getattr(one_by_one.contests[0], name)), name
    known = at_once.contests[0].several
    assert {station: [r.index for r in records] for station, records in known.items()} == {
        station: list(range(station, 100, 6)) for station in range(6)
    }
