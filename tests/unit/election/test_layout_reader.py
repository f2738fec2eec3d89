import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scrutineer.election import published_file
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import Published, read_published
from scrutineer.errors import LayoutError

HEAD = """\
title = "Aviary 2026"
publisher = "The Nest"
date = "2026-06-07"
timezone = "America/La_Paz"
[root]
id = "aviary"
name = "Aviary"
"""
WIDE = (
    HEAD
    + """
[[level]]
kind = "region"
id = "REGION"
[station]
id = ["REGION", "TABLE"]
roll = "ROLL"
[[contest]]
id = "president"
title = "President"
rule = "plurality"
null = "NULL"
valid = "VALID"
[[contest.option]]
id = "wren"
name = "Wren"
column = "WREN"
[[contest.option]]
id = "owl"
name = "Owl"
column = "OWL"
"""
)
LONG = (
    HEAD
    + """
[where]
office = "President"
[station]
id = "place"
[[contest]]
id = "president"
title = "President"
rule = "plurality"
[contest.rows]
option = "bird"
votes = ["early", "late"]
[contest.rows.figures]
"Spoilt" = "null"
[[contest.option]]
id = "wren"
name = "Wren"
[[contest.option]]
id = "owl"
name = "Tawny Owl"
value = "Owl"
"""
)
HEADER = "REGION,TABLE,ROLL,NULL,VALID,WREN,OWL\n"


def read(tmp_path: Path, layout: str, data: str | bytes, **options: Any) -> Published:
    (tmp_path / "layout.toml").write_text(layout)
    path = tmp_path / "results.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_published(path, load_layout(tmp_path / "layout.toml"), **options)


def file_section(text: str) -> str:
    return WIDE.replace("[root]", f"[file]\n{text}\n[root]")


def test_figures_are_kept_as_published(tmp_path: Path) -> None:
    data = HEADER + "N,1,100,2,50,30,20\nS,1,,3,9,4,5\n"
    published = read(tmp_path, WIDE, data)
    first, second = published.sheets
    assert (first.station, first.contest, first.counts) == ("N-1", "president", (30, 20))
    assert (first.blank, first.null, first.cast, first.voters, first.roll, first.valid) == (None, 2, None, None, 100, 50)
    assert (first.line, first.source, first.time) == (2, "results.csv, line 2", None)
    assert second.roll is None
    assert published.units.ids == ["aviary", "aviary.N", "N-1", "aviary.S", "S-1"]
    assert published.units.rolls.tolist() == [100, -1]
    (sums,) = published.sums
    assert (sums.sheets, sums.options) == (2, (34, 25))
    assert sums.figures == {"null": 5, "valid": 59, "roll": 100}
    assert sums.stated == {"null": 2, "valid": 2, "roll": 1}
    assert (published.problems, published.notes, published.outstanding) == ((), (), ())
    assert published.sha256 == hashlib.sha256(data.encode()).digest()


def test_the_draft_says_who_published_and_what(tmp_path: Path) -> None:
    published = read(tmp_path, WIDE, HEADER + "N,1,100,2,50,30,20\n")
    draft = published.draft()
    assert draft.provenance == "replayed"
    assert draft.source.startswith("The Nest; file results.csv, SHA-256 ")
    assert draft.contests == published.contests
    assert draft.units is published.units
    assert draft.register.station_key(0) is None


def test_rows_without_figures_are_outstanding_and_unknown_is_not_zero(tmp_path: Path) -> None:
    published = read(tmp_path, WIDE, HEADER + "N,1,100,,,,\nN,2,90,,7,,7\nN,3,80,0,0,0,0\n")
    assert published.outstanding == ("N-1",)
    assert [sheet.counts for sheet in published.sheets] == [(None, 7), (0, 0)]
    assert published.units.rolls.tolist() == [100, 90, 80]
    assert published.problems == ()


def test_a_station_named_twice_has_two_sheets(tmp_path: Path) -> None:
    published = read(tmp_path, WIDE, HEADER + "N,1,100,0,5,3,2\nN,1,101,0,6,3,3\n")
    assert [(sheet.station, sheet.counts) for sheet in published.sheets] == [("N-1", (3, 2)), ("N-1", (3, 3))]
    assert published.units.station_count == 1
    (note,) = published.notes
    assert (note.line, note.field) == (3, "roll")
    assert "has a roll of 101 here and of 100 in an earlier row" in note.message


def test_options_that_do_not_add_up_to_the_valid_votes_are_noted(tmp_path: Path) -> None:
    (note,) = read(tmp_path, WIDE, HEADER + "N,1,100,0,5,3,3\n").notes
    assert (note.line, note.field, note.message) == (2, "valid", "states 5 valid votes, and the options add up to 6")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-1", "is negative, which no count is"),
        ("−1", "is negative"),
        ("NaN", "'NaN' is not a whole number"),
        ("2147483648", "is more than any count"),
        ("9" * 5000, "is more than any count"),
        ("1.5", "is not a whole number"),
        ("1e3", "is not a whole number"),
        ("1_000", "is not a whole number"),
        ("+5", "is not a whole number"),
        ("١٢", "is not a whole number"),
        ("²", "is not a whole number"),
        ('"1,234"', "is not a whole number"),
        ("12.0", "is not a whole number"),
        ("x", "is not a whole number"),
    ],
)
def test_what_is_no_count_is_a_problem_and_its_station_outstanding(tmp_path: Path, cell: str, message: str) -> None:
    published = read(tmp_path, WIDE, HEADER + f"N,1,100,0,5,3,{cell}\nN,2,100,0,5,3,2\n")
    (problem,) = published.problems
    assert (problem.file, problem.line, problem.field) == ("results.csv", 2, "OWL")
    assert message in problem.message
    assert published.outstanding == ("N-1",)
    assert [sheet.station for sheet in published.sheets] == ["N-2"]
    assert published.unreadable_rows == 1


def test_every_bad_cell_of_a_row_is_named(tmp_path: Path) -> None:
    published = read(tmp_path, WIDE, HEADER + "N,1,a,b,5,3,c\n")
    assert [problem.field for problem in published.problems] == ["ROLL", "NULL", "OWL"]
    assert published.unreadable_rows == 1


@pytest.mark.parametrize(
    ("section", "cell", "value"),
    [
        ('thousands = "."', "1.234", 1234),
        ('thousands = "."', "12", 12),
        ('thousands = ","', '"1,234,567"', 1234567),
        ('decimal = "."', "12.0", 12),
        ('decimal = "."', "12.", 12),
        ('thousands = "."\ndecimal = ","', '"1.234,00"', 1234),
        ("thousands = '\u202f'", "1\u202f234", 1234),
        ('missing = ["", "NA", "999"]', "NA", None),
        ('missing = ["", "NA", "999"]', "999", None),
        ('missing = ["-1"]', "-1", None),
        ("", " 12 ", 12),
        ("", "012", 12),
    ],
)
def test_numbers_as_publishers_write_them(tmp_path: Path, section: str, cell: str, value: int | None) -> None:
    published = read(tmp_path, file_section(section), HEADER + f"N,1,100,0,5,3,{cell}\n")
    assert published.problems == ()
    assert published.sheets[0].counts == (3, value)


@pytest.mark.parametrize(
    ("section", "cell"),
    [('thousands = "."', "1.23"), ('thousands = "."', "1234.567"), ('decimal = "."', "12.5"), ('missing = ["NA"]', "")],
)
def test_numbers_that_do_not_follow_the_layout(tmp_path: Path, section: str, cell: str) -> None:
    published = read(tmp_path, file_section(section), HEADER + f"N,1,100,0,5,3,{cell}\n")
    assert published.outstanding == ("N-1",)
    assert published.problems[0].field == "OWL"


def test_columns_that_are_added(tmp_path: Path) -> None:
    layout = WIDE.replace('column = "OWL"', 'column = ["OWL", "NULL"]')
    published = read(tmp_path, layout, HEADER + "N,1,100,2,5,3,4\nN,2,100,,5,3,4\nN,3,9,2147483647,5,3,1\n")
    assert [sheet.counts for sheet in published.sheets] == [(3, 6), (3, None)]
    assert published.problems[0].message == "the columns add up to 2147483648, more than any count"


def test_ragged_rows_totals_and_repeated_headers(tmp_path: Path) -> None:
    layout = WIDE + '[[leave_out]]\ncolumn = "TABLE"\nvalues = ["TOTAL", "Sum"]\n'
    data = HEADER + "N,1,100,0,5,3,2\nN,2,100,0,5,3\n\n" + HEADER + "N,TOTAL,200,0,10,6,4\n,,,1,1,1,0\nN,3,9,0,5,3,2,\n"
    published = read(tmp_path, layout, data)
    assert [sheet.station for sheet in published.sheets] == ["N-1"]
    assert (published.rows, published.left_out, published.unreadable_rows) == (6, 2, 3)
    assert [(problem.line, problem.message) for problem in published.problems] == [
        (3, "6 cells where the header has 7; correct the line"),
        (7, "names no station; fill in its id"),
        (8, "8 cells where the header has 7; correct the line"),
    ]


def test_headers_are_found_under_other_names(tmp_path: Path) -> None:
    layout = WIDE + '[aliases]\nOWL = ["Búho", "Owl votes"]\n'
    assert read(tmp_path, layout, HEADER.replace("OWL", " Owl  votes ") + "N,1,9,0,5,3,2\n").sheets[0].counts == (3, 2)
    with pytest.raises(LayoutError, match=r"results.csv, line 1: has no column 'OWL'; write 'OWLS' in the layout"):
        read(tmp_path, layout, HEADER.replace("OWL", "OWLS") + "N,1,9,0,5,3,2\n")
    with pytest.raises(LayoutError, match="has two columns 'WREN'; the layout cannot use either"):
        read(tmp_path, layout, HEADER.replace("OWL", "OWL,WREN") + "N,1,9,0,5,3,2,1\n")


def test_a_column_that_some_files_do_not_have(tmp_path: Path) -> None:
    published = read(tmp_path, file_section('optional = "ROLL"'), HEADER.replace("ROLL,", "") + "N,1,0,5,3,2\n")
    assert published.sheets[0].roll is None
    assert published.sheets[0].counts == (3, 2)


def test_columns_cut_out_of_others(tmp_path: Path) -> None:
    layout = WIDE.replace('"TABLE"]', '"NUMBER"]') + '[[derive]]\ncolumn = "NUMBER"\nfrom = "TABLE"\npattern = \'^T0*(\\d+)$\'\n'
    published = read(tmp_path, layout, HEADER + "N,T007,9,0,5,3,2\nN,x,9,0,5,3,2\n")
    assert [sheet.station for sheet in published.sheets] == ["N-7"]
    (problem,) = published.problems
    assert (problem.line, problem.field) == (3, "TABLE")
    assert "'x' does not follow the layout's pattern" in problem.message


def test_units_of_several_levels_from_names_alone(tmp_path: Path) -> None:
    layout = WIDE.replace(
        "[station]\n",
        '[[level]]\nkind = "town"\nid = "TOWN"\nempty = "Elsewhere"\n[[level]]\nkind = "hall"\nid = "HALL"\n[station]\n',
    )
    data = "REGION,TOWN,HALL,TABLE,ROLL,NULL,VALID,WREN,OWL\n" + "".join(
        f"{place},100,0,5,3,2\n"
        for place in (
            "Ñu Åas,San José,Hall,1",
            "Ñu Åas,,Hall,2",
            "Ñu Åas,San José,,3",
            "Ю,San José,Hall,4",
            "ja 日本,San José,Hall,5",
        )
    )
    units = read(tmp_path, layout, data).units
    assert [
        [units.ids[unit] for unit in units.path(units.position(station))] for station in ("Nu-Aas-1", "Nu-Aas-2", "Nu-Aas-3")
    ] == [
        ["aviary", "aviary.Nu-Aas", "aviary.Nu-Aas.San-Jose", "aviary.Nu-Aas.San-Jose.Hall", "Nu-Aas-1"],
        ["aviary", "aviary.Nu-Aas", "aviary.Nu-Aas.Elsewhere", "aviary.Nu-Aas.Elsewhere.Hall", "Nu-Aas-2"],
        ["aviary", "aviary.Nu-Aas", "aviary.Nu-Aas.San-Jose", "Nu-Aas-3"],
    ]
    assert units.names[units.position("aviary.Nu-Aas")] == "Ñu Åas"
    assert units.ids[units.path(units.position("Yu-4"))[1]] == "aviary.Yu"


def test_different_places_never_share_an_id(tmp_path: Path) -> None:
    data = HEADER + "a b,1,9,0,5,3,2\na-b,1,9,0,5,3,2\n日本,1,9,0,5,3,2\n中国,1,9,0,5,3,2\n" + "x" * 90 + ",1,9,0,5,3,2\n"
    published = read(tmp_path, WIDE, data)
    assert len({sheet.station for sheet in published.sheets}) == 5
    assert published.sheets[0].station == "a-b-1"
    assert published.units.station_count == 5
    assert [s.station for s in read(tmp_path, WIDE, data).sheets] == [s.station for s in published.sheets]


def test_a_station_that_two_rows_put_in_different_places(tmp_path: Path) -> None:
    published = read(tmp_path, WIDE.replace('["REGION", "TABLE"]', '"TABLE"'), HEADER + "N,1,9,0,5,3,2\nS,1,9,0,5,3,2\n")
    assert len(published.sheets) == 2
    assert "puts station '1' in 'aviary.S', an earlier row in 'aviary.N'" in published.notes[0].message


def test_no_roll_and_a_roll_of_zero(tmp_path: Path) -> None:
    data = HEADER + "N,1,0,0,5,3,2\nN,2,9,0,5,3,2\n"
    stated = read(tmp_path, WIDE, data)
    assert ([sheet.roll for sheet in stated.sheets], stated.units.rolls.tolist()) == ([0, 9], [-1, 9])
    without = read(tmp_path, WIDE.replace('roll = "ROLL"', 'roll = "ROLL"\nno_roll = "0"'), data)
    assert ([sheet.roll for sheet in without.sheets], without.units.rolls.tolist()) == ([None, 9], [-1, 9])


@pytest.mark.parametrize(
    ("time_format", "cell", "seconds"),
    [
        ("epoch", "1560000000", 1560000000),
        ("epoch-ms", "1560000000999", 1560000000),
        ("%Y-%m-%d %H:%M", "2026-06-07 20:15", 1780877700),
        ("%Y-%m-%dT%H:%M%z", "2026-06-07T20:15+0000", 1780863300),
        ("epoch", "", None),
    ],
)
def test_times(tmp_path: Path, time_format: str, cell: str, seconds: int | None) -> None:
    layout = WIDE.replace('roll = "ROLL"', f'time = "ROLL"\ntime_format = "{time_format}"')
    published = read(tmp_path, layout, HEADER + f"N,1,{cell},0,5,3,2\n")
    assert published.sheets[0].time == seconds
    assert published.notes == ()


@pytest.mark.parametrize("cell", ["soon", "-1", "9" * 30])
def test_a_time_that_is_none_is_noted_and_left_out(tmp_path: Path, cell: str) -> None:
    published = read(tmp_path, WIDE.replace('roll = "ROLL"', 'time = "ROLL"'), HEADER + f"N,1,{cell},0,5,3,2\n")
    assert published.sheets[0].time is None
    assert (published.notes[0].field, published.notes[0].line) == ("ROLL", 2)


def test_sources(tmp_path: Path) -> None:
    layout = WIDE.replace('roll = "ROLL"', 'source = "https://example.org/{ROLL}"')
    published = read(tmp_path, layout, HEADER + f"N,1,a.jpg,0,5,3,2\nN,2,{'b' * 300},0,5,3,2\n")
    assert [sheet.source for sheet in published.sheets] == ["https://example.org/a.jpg", "results.csv, line 3"]


ROWS = "office,place,bird,early,late\n"


def test_one_row_for_each_option(tmp_path: Path) -> None:
    data = ROWS + (
        "President,p1,Wren,1,2\nSheriff,p1,Wren,9,9\nPresident,p1,Owl,3,4\nPresident,p2,Owl,5,6\nPresident,p1,Spoilt,1,0\nPresident,p3,Owl,,\n"
    )
    published = read(tmp_path, LONG, data)
    assert [(sheet.station, sheet.counts, sheet.null, sheet.line) for sheet in published.sheets] == [
        ("p1", (3, 7), 1, 2),
        ("p2", (None, 11), None, 5),
    ]
    assert published.outstanding == ("p3",)
    assert published.left_out == 1
    assert [option.name for option in published.contests[0].options] == ["Wren", "Tawny Owl"]


def test_rows_that_the_publisher_leaves_out_are_zero_only_where_the_layout_says_so(tmp_path: Path) -> None:
    published = read(
        tmp_path, LONG.replace('votes = ["early"', 'absent_is_zero = true\nvotes = ["early"'), ROWS + "President,p2,Owl,5,6\n"
    )
    assert published.sheets[0].counts == (0, 11)


def test_an_option_named_twice_begins_a_second_sheet(tmp_path: Path) -> None:
    published = read(tmp_path, LONG, ROWS + "President,p,Wren,1,1\nPresident,p,Owl,2,2\nPresident,p,Wren,3,3\n")
    assert [(sheet.station, sheet.counts) for sheet in published.sheets] == [("p", (2, 4)), ("p", (6, None))]


def test_an_option_that_the_layout_does_not_know_holds_its_station_back(tmp_path: Path) -> None:
    published = read(
        tmp_path, LONG, ROWS + "President,p,Wren,1,1\nPresident,p,Heron,2,2\nPresident,q,Owl,1,x\nPresident,q,Wren,1,1\n"
    )
    assert published.sheets == ()
    assert published.outstanding == ("p", "q")
    assert [(problem.line, problem.field) for problem in published.problems] == [(3, "bird"), (4, "late")]


def test_another_contest_of_the_file(tmp_path: Path) -> None:
    data = ROWS + "President,p,Wren,1,1\nRiver Warden,p,Ruddy Duck,2,2\nRiver Warden,q,Coot,3,3\nRiver Warden,q,Ruddy Duck,1,1\n"
    published = read(tmp_path, LONG, data, where={"office": "River Warden"})
    (contest,) = published.contests
    assert (contest.id, contest.title) == ("River-Warden", "River Warden")
    assert [(option.id, option.name) for option in contest.options] == [("Ruddy-Duck", "Ruddy Duck"), ("Coot", "Coot")]
    assert [(sheet.contest, sheet.counts) for sheet in published.sheets] == [
        ("River-Warden", (4, None)),
        ("River-Warden", (2, 6)),
    ]


def test_another_contest_of_a_file_that_has_one(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no other contest can be chosen"):
        read(tmp_path, WIDE, HEADER + "N,1,9,0,5,3,2\n", where={"REGION": "N"})
    with pytest.raises(LayoutError, match="no row names a station"):
        read(tmp_path, LONG, ROWS + "President,p,Wren,1,1\n", where={"office": "Nobody"})


def test_two_contests_in_one_row(tmp_path: Path) -> None:
    second = '[[contest]]\nid = "senate"\ntitle = "Senate"\nrule = "plurality"\n'
    second += '[[contest.option]]\nid = "x"\nname = "X"\ncolumn = "NULL"\n'
    published = read(tmp_path, WIDE + second, HEADER + "N,1,9,0,5,3,2\nN,2,9,,5,3,2\n")
    assert [(sheet.station, sheet.contest) for sheet in published.sheets] == [
        ("N-1", "president"),
        ("N-1", "senate"),
        ("N-2", "president"),
    ]
    assert published.outstanding == ("N-2",)


def test_options_without_columns_make_every_station_outstanding(tmp_path: Path) -> None:
    layout = "\n".join(line for line in WIDE.splitlines() if not line.startswith(("column", "null", "valid")))
    published = read(tmp_path, layout, HEADER + "N,1,9,0,5,3,2\n")
    assert (published.sheets, published.outstanding) == ((), ("N-1",))
    assert published.sums[0].options == (0, 0)


def packed(name: str, data: bytes, *more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        for other in more:
            archive.writestr(other, b"x")
    return buffer.getvalue()


def test_packed_files(tmp_path: Path) -> None:
    data = (HEADER + "N,1,9,0,5,3,2\n").encode()
    assert read(tmp_path, WIDE, gzip.compress(data)).sheets[0].counts == (3, 2)
    assert read(tmp_path, WIDE, packed("r.csv", data)).sheets[0].counts == (3, 2)
    assert read(tmp_path, file_section('member = "r.csv"'), packed("r.csv", data, "notes.txt")).sheets[0].counts == (3, 2)
    with pytest.raises(LayoutError, match="holds 2 files; name one of them"):
        read(tmp_path, WIDE, packed("r.csv", data, "notes.txt"))
    with pytest.raises(LayoutError, match=r"holds no file 's\.csv'; write 'r.csv' as the layout's member"):
        read(tmp_path, file_section('member = "s.csv"'), packed("r.csv", data))
    for broken in (gzip.compress(data)[:-12], packed("r.csv", data)[:-30], b"PK\x03\x04", b"\x1f\x8b\x08"):
        with pytest.raises(LayoutError, match=r"results\.csv: cannot be unpacked"):
            read(tmp_path, WIDE, broken)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_file, "MAX_FILE_SIZE", 2_000)
    with pytest.raises(LayoutError, match="unpacks to more than"):
        read(tmp_path, WIDE, gzip.compress(b"x" * 100_000))


def test_encodings(tmp_path: Path) -> None:
    data = HEADER + "Ñ,1,9,0,5,3,2\n"
    for section, encoded in (
        ("", data.encode("utf-8-sig")),
        ('encoding = "latin-1"', data.encode("latin-1")),
        ('encoding = ["utf-8", "cp1252"]', data.encode("cp1252")),
        ('encoding = "utf-16"', data.encode("utf-16")),
    ):
        published = read(tmp_path, file_section(section), encoded)
        assert published.units.names[1] == "Ñ"
    with pytest.raises(LayoutError, match=r"results.csv, line 2: not utf-8; correct the layout's encoding"):
        read(tmp_path, WIDE, data.encode("latin-1"))


def test_other_delimiters_lines_above_the_header_and_the_number_of_rows(tmp_path: Path) -> None:
    layout = file_section('delimiter = "|"\nquote = "\'"\nskip_lines = 1\nrow_count_line = true')
    data = "Results\n2\n" + HEADER.replace(",", "|") + "'N|W'|1|9|0|5|3|2\n"
    published = read(tmp_path, layout, data)
    assert (published.sheets[0].station, published.sheets[0].line) == ("N-W-1", 4)
    assert [(note.line, note.message) for note in published.notes] == [(2, "states 2 rows, and 1 follow")]
    with pytest.raises(LayoutError, match="line 2: 'two' is not the number of rows"):
        read(tmp_path, layout, data.replace("\n2\n", "\ntwo\n"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the file is empty"),
        (HEADER, "no row names a station by this layout (0 rows)"),
        (HEADER + "N,1\n", "no row names a station by this layout (1 rows); the first problem: results.csv, line 2"),
        (HEADER + '"N,1,9,0,5,3,2\n', "not readable as CSV"),
    ],
)
def test_files_that_a_layout_cannot_read(tmp_path: Path, data: str, message: str) -> None:
    with pytest.raises(LayoutError) as caught:
        read(tmp_path, WIDE, data)
    assert message in str(caught.value)


def test_missing_files(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_text(WIDE)
    with pytest.raises(LayoutError, match="there is no such file"):
        read_published(tmp_path / "none.csv", load_layout(tmp_path / "layout.toml"))


def test_progress_ends_at_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    read(tmp_path, WIDE, HEADER + "".join(f"N,{n},9,0,5,3,2\n" for n in range(5_001)), progress=lambda *at: seen.append(at))
    assert len(seen) == 2
    assert all(done <= all_lines for done, all_lines in seen)
    assert seen[-1][0] == seen[-1][1]
