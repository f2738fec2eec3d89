"""A bare CSV of station results: what is read, what is refused with line and column, and what makes it incoherent."""

import pytest

from scrutineer.calls.table_file import MAX_COLUMNS
from scrutineer.calls.table_input import MAX_SHOWN, NO_STRATUM, ONE_STRATUM, TableInput, read_table
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError

TABLE = """\
station,roll,region,time,status,Heron,Wren,valid,blank,null
n1,400,North,2024-05-01T19:30:00Z,,120,80,200,3,1
n2,500,North,,outstanding,,,,,
s1,300,South,2024-05-01T20:10:00+01:00,counted,10,90,100,0,0
s2,300,South,2024-05-01T19:40:00Z,quarantined,50,50,100,0,0
s3,200,South,2024-05-01 19:05:00,excluded,,,,,
"""


def read(text: str, **given: bytes | int | None) -> TableInput:
    return read_table(text.encode(), **given)  # type: ignore[arg-type]


def refused(text: str, **given: bytes | int | None) -> str:
    with pytest.raises(CallError) as caught:
        read(text, **given)
    return str(caught.value)


def test_every_column_is_read() -> None:
    table = read(TABLE)
    partial = table.partial
    assert partial.candidates == ("Heron", "Wren")
    assert table.stations == ("n1", "n2", "s1", "s2", "s3")
    assert partial.votes.tolist() == [[120, 80], [0, 0], [10, 90], [0, 0], [0, 0]]
    assert partial.others.tolist() == [4, 0, 0, 0, 0]
    assert partial.counted.tolist() == [True, False, True, False, False]
    assert partial.open.tolist() == [False, True, False, True, False]
    assert partial.capacity.tolist() == [400, 500, 300, 300, 200]
    assert [partial.strata[stratum] for stratum in partial.stratum] == ["North", "North", "South", "South", "South"]
    # 20:10 at an offset of one hour lies before 19:30 UTC.
    assert [table.stations[row] for row in partial.in_order()] == ["s1", "n1"]
    assert table.incoherent == ()
    assert table.notes == ("The figures of 1 station that is not counted are left out.",)


@pytest.mark.parametrize("text", ["station,A\nx,1\ny,\nz,3\nw,0\n", "station,A,time\nx,1,\ny,,\nz,3,\nw,0,\n"])
def test_without_times_the_order_of_arrival_is_not_known(text: str) -> None:
    table = read(text)
    assert not table.partial.ordered
    assert sorted(table.partial.arrival.tolist()) == [-1, 0, 1, 2]
    assert table.partial.strata == (ONE_STRATUM,)
    assert any("the order in which the stations reported is not known" in note for note in table.notes)
    assert not any("stand last" in note for note in table.notes)


def test_a_time_makes_an_order() -> None:
    table = read("station,A,time\nx,1,5\ny,2,9\n")
    assert table.partial.ordered
    assert not any("order" in note for note in table.notes)
    assert read("station,A\nx,1\ny,\n").partial.ordered


def test_seconds_order_arrivals_and_equal_times_keep_the_order_of_rows() -> None:
    table = read("station,time,A\nw,30,1\nx,7.5,1\ny,7.25,1\nz,30,1\n")
    assert [table.stations[row] for row in table.partial.in_order()] == ["y", "x", "w", "z"]


def test_counted_stations_without_a_time_stand_last() -> None:
    table = read("station,time,A\nw,,1\nx,7,1\n")
    assert [table.stations[row] for row in table.partial.in_order()] == ["x", "w"]
    assert any("without a time stand last" in note for note in table.notes)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_encodings(delimiter: str, encoding: str) -> None:
    text = "station,Réunion,B\r\n1,5,6\r\n2,,\r\n".replace(",", delimiter)
    partial = read_table(text.encode(encoding)).partial
    assert partial.candidates == ("Réunion", "B")
    assert partial.totals == (5, 6)


def test_quoted_cells() -> None:
    table = read('"station","Heron, the Tall"\n"a, b",1\n')
    assert table.stations == ("a, b",)
    assert table.partial.candidates == ("Heron, the Tall",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["is empty"], id="nothing"),
        pytest.param("place,A\n1,2\n", ["line 1", "no column 'station'", "place, A"], id="no station"),
        pytest.param("station,roll\n1,2\n", ["no option", "one column with votes"], id="no option"),
        pytest.param("station,A,A\n1,2,3\n", ["line 1", "two columns are called 'A'"], id="option twice"),
        pytest.param("station,A,Roll,roll\n1,2,3,4\n", ["upper and in lower case"], id="known column twice"),
        pytest.param("station,A,region,stratum\n1,2,3,4\n", ["'region' and 'stratum'"], id="two strata"),
        pytest.param("station,,A\n1,2,3\n", ["line 1", "column 2 has no usable name"], id="column without name"),
        pytest.param("station,A\n1,51.2\n", ["line 2", "'A'", "percentage", "number of votes"], id="percentage"),
        pytest.param("station,A\n1,51 %\n", ["line 2", "'A'", "percentage"], id="percent sign"),
        pytest.param("station;A\n1;44,2\n", ["line 2", "'A'", "percentage"], id="decimal comma"),
        pytest.param("station,A\n1,120.5\n", ["line 2", "'A'", "not a whole number"], id="fraction"),
        pytest.param("station,A\n1,1.204\n", ["line 2", "'A'", "without signs for thousands"], id="thousands"),
        pytest.param("station,A\n0,1\n1,-4\n", ["line 3", "'A'", "negative"], id="negative"),
        pytest.param("station,A,name\n1,4,Hill\n", ["line 2", "'name'", "take the column out"], id="a column of words"),
        pytest.param("station,A\n1,99999999999\n", ["line 2", "more than any count"], id="too many votes"),
        pytest.param("station,A,B\n1,4\n", ["line 2", "has 2 cells, the header has 3"], id="short row"),
        pytest.param("station,A,B\n1,4,\n", ["line 2", "'B'", "is empty at a counted station"], id="half a result"),
        pytest.param("station,status,A\n1,counted,\n", ["line 2", "'A'", "is empty at a counted station"], id="counted, empty"),
        pytest.param("station,status,A\n1,countd,4\n", ["line 2", "'status'", "write 'counted'"], id="unknown status"),
        pytest.param("station,time,A\n1,late,4\n", ["line 2", "'time'", "2024-05-01T19:30:00Z"], id="no time"),
        pytest.param("station,time,A\n1,12,4\n2,2024-05-01,4\n", ["line 3", "'time'", "use one of them"], id="two clocks"),
        pytest.param("station,A\n ,4\n", ["line 2", "'station'", "names no station"], id="no name"),
        pytest.param('station,A\n"x,4\n', ["line 2", "not readable as CSV"], id="open quote"),
        pytest.param("station," + ",".join(map(str, range(600))) + "\n", ["600 columns", "options"], id="too many options"),
        pytest.param("station," * MAX_COLUMNS + "A\n", ["2001 columns"], id="too many columns"),
    ],
)
def test_refused(text: str, expected: list[str]) -> None:
    message = refused(text)
    assert message.startswith("the table")
    for part in expected:
        assert part in message


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(CallError, match="line 2: not UTF-8; save the file as CSV in UTF-8"):
        read_table(b"station,A\n\xff,1\n")


def test_an_error_names_the_first_faults_and_how_many_more() -> None:
    message = refused("station,A\n" + "".join(f"{n},-1\n" for n in range(50)))
    assert "line 2" in message
    assert "line 4" in message
    assert "and 47 more" in message


def test_extra_ballots_below_zero_are_refused() -> None:
    assert "give 0 or more" in refused(TABLE, extra_ballots=-1)


def test_more_ballots_than_the_roll_are_incoherent_unless_the_law_allows_them() -> None:
    text = "station,roll,A,B,null\nx,100,60,40,2\n"
    (finding,) = read(text).incoherent
    assert "the table, line 2: station 'x' has 102 ballots, more than its roll of 100" in finding
    assert read(text, extra_ballots=2).incoherent == ()
    (finding,) = read(text, extra_ballots=1).incoherent
    assert "roll of 100 and 1 ballot beyond it" in finding


def test_a_sum_that_differs_from_valid_is_incoherent() -> None:
    (finding,) = read("station,A,B,valid\nx,60,40,100\ny,60,40,101\nz,1,1,\n").incoherent
    assert "line 3: station 'y' states 101 valid votes, its options add up to 100" in finding


def test_a_station_listed_twice_is_incoherent_and_read_once() -> None:
    table = read("station,A\nx,60\ny,1\nx,70\n")
    assert table.partial.totals == (61,)
    (finding,) = table.incoherent
    assert "line 4: station 'x' is already in line 2" in finding


def test_long_lists_of_findings_are_cut_with_their_number() -> None:
    table = read("station,A,valid\n" + "".join(f"s{n},5,6\n" for n in range(MAX_SHOWN + 7)))
    assert len(table.incoherent) == MAX_SHOWN + 1
    assert table.incoherent[-1].endswith("and 7 more lines of this kind")


def test_missing_rolls_make_the_answer_partial() -> None:
    table = read("station,roll,A\nx,100,60\ny,,\nz,,4\n")
    assert table.partial.capacity.tolist() == [100, UNKNOWN, UNKNOWN]
    assert table.partial.open_ballots is None
    assert table.incoherent == ()
    assert table.notes[0].startswith("The answer is partial: 1 open station has no roll (y)")
    assert "1 counted station without a roll could not be checked" in table.notes[1]


def test_stations_without_a_region_form_one_stratum() -> None:
    table = read("station,stratum,A\nx,,60\ny,East,\nz,,1\n")
    assert table.partial.strata == (NO_STRATUM, "East")
    assert any(NO_STRATUM in note for note in table.notes)


def test_options_that_add_up_to_100_everywhere_are_noted() -> None:
    table = read("station,A,B\n" + "".join(f"s{n},{n},{100 - n}\n" for n in range(6)))
    assert any("percentages" in note for note in table.notes)


def test_a_table_of_outstanding_stations_alone() -> None:
    partial = read("station,roll,A,B\nx,10,,\ny,20,,\n").partial
    assert partial.counted_stations == 0
    assert partial.open_ballots == 30
    assert read("station,A\n").partial.open_stations == 0


def test_a_baseline_is_joined_by_station_and_option() -> None:
    partial = read(TABLE, baseline=b"Wren,station,turnout,Heron\n1,s3,50%,2\n3,n1,,4\n5,n2,,6\n7,s1,,8\n9,s2,,10\n").partial
    assert partial.previous is not None
    assert partial.previous.tolist() == [[4, 3], [6, 5], [8, 7], [10, 9], [2, 1]]


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        pytest.param("station,Heron\nn1,1\n", ["no column 'Wren'", "with 0 where it did not stand"], id="option missing"),
        pytest.param("Heron,Wren\n1,1\n", ["no column 'station'"], id="station missing"),
        pytest.param(
            "station,Heron,Wren\nn1,1,1\nn2,1,1\ns9,1,1\n",
            ["lacks 3 stations (s1, s2 and s3)", "1 other (s9)", "give the same stations in both"],
            id="other stations",
        ),
        pytest.param("station,Heron,Wren\nn1,1,\n", ["line 2", "write 0"], id="empty figure"),
        pytest.param("station,Heron,Wren\nn1,1,1\nn1,1,1\n", ["line 3", "listed twice"], id="twice"),
        pytest.param("station,Heron,Wren\nn1,1,3.5\n", ["line 2", "'Wren'", "percentage"], id="percentage"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(baseline: str, expected: list[str]) -> None:
    message = refused(TABLE, baseline=baseline.encode())
    assert message.startswith("the baseline")
    for part in expected:
        assert part in message
