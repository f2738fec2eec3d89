"""The tables byte for byte."""

import hashlib

import pyarrow.csv

from count_helpers import NOON, PRESIDENT, STATIONS, Ballots, make_election
from scrutineer.count import results_hash, results_table, stations_table
from scrutineer.election import Contest, Register, UnitRow, Units


def test_results_table() -> None:
    ballots = Ballots(make_election(rolls={"b3": None}))
    count = ballots.count(ballots.sheet("a1"), ballots.sheet("a2", blank=None, voters=None), ballots.sheet("b1", cast=1))
    assert results_table(count, 0).decode() == (
        "unit,parent,kind,name,stations,counted,quarantined,excluded,outstanding,roll,ballots,blank,null,voters,"
        "votes:heron,votes:wren,votes:finch\n"
        "country,,country,Country,6,2,1,0,3,,167,3,4,85,100,40,20\n"
        "north,country,region,North,3,2,0,0,1,300,167,3,4,85,100,40,20\n"
        "south,country,region,South,3,0,1,0,2,,0,,,,0,0,0\n"
    )


def test_stations_table() -> None:
    ballots = Ballots(make_election(rolls={"b3": None}))
    count = ballots.count(
        ballots.sheet("a1"),
        ballots.sheet("a2", blank=None, voters=None, roll=None),
        ballots.sheet("b1", cast=1, roll=99),
        ballots.sheet("a1", time=NOON + 60),
        ballots.exclude("b2"),
    )
    assert b"".join(stations_table(count, 0)).decode() == (
        "station,parent,name,status,entry,rules,roll,stated_roll,voters,cast,blank,null,votes:heron,votes:wren,votes:finch\n"
        "a1,north,Station a1,counted,0,duplicate,100,100,85,85,3,2,50,20,10\n"
        "a2,north,Station a2,counted,1,,100,,,82,,2,50,20,10\n"
        "a3,north,Station a3,outstanding,,,100,,,,,,,,\n"
        "b1,south,Station b1,quarantined,2,sum roll-differs,100,99,1,1,3,2,50,20,10\n"
        "b2,south,Station b2,excluded,,,100,,,,,,,,\n"
        "b3,south,Station b3,outstanding,,,,,,,,,,,\n"
    )


def test_the_stations_of_a_regional_contest_alone_are_listed() -> None:
    mayor = Contest("mayor", "Mayor", "plurality", PRESIDENT.options, unit="south")
    ballots = Ballots(make_election([mayor]))
    table = b"".join(stations_table(ballots.count(), 0)).decode().splitlines()
    assert [line.partition(",")[0] for line in table] == ["station", "b1", "b2", "b3"]


def test_names_are_quoted_so_that_others_read_them() -> None:
    name = 'Café "Reiher", Hall 2'
    units = Units([UnitRow("country", "", "Country", "country", None), UnitRow("s", "country", name, "station", 5)])
    election = make_election()
    election.units = units
    election.register = Register(units.station_index, bytes(32), ())
    table = b"".join(stations_table(Ballots(election).count(), 0))
    assert pyarrow.csv.read_csv(pyarrow.py_buffer(table)).column("name").to_pylist() == [name]


def test_the_hash_binds_the_results_of_every_contest() -> None:
    speaker = Contest("speaker", "Speaker", "plurality", PRESIDENT.options)
    ballots = Ballots(make_election([PRESIDENT, speaker]))
    sheets = [ballots.sheet(station) for station in STATIONS]
    count = ballots.count(*sheets)
    assert results_hash(count) == hashlib.sha256(results_table(count, 0) + results_table(count, 1)).digest()
    other = ballots.count(*sheets, ballots.sheet("a1", contest="speaker"))
    assert results_hash(other) != results_hash(count)
    assert results_table(other, 0) == results_table(count, 0)
