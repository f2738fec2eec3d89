"""The baseline: read and written in one order, read in any, and every fault found with its line."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from scrutineer.election import Contest, Option, UnitRow, Units
from scrutineer.election.baseline import (
    MAX_CONTEST_VOTES,
    MAX_VOTES,
    Baseline,
    baseline_findings,
    read_baseline,
    write_baseline,
)
from scrutineer.election.finding import MAX_FINDINGS, Finding
from scrutineer.errors import DefinitionError

UNITS = Units(
    [
        UnitRow("land", "", "Land", "country", None),
        UnitRow("north", "land", "North", "region", None),
        UnitRow("n1", "north", "One", "station", 700),
        UnitRow("n2", "north", "Two", "station", None),
        UnitRow("s1", "land", "Three", "station", 40),
    ]
)
PRESIDENT = Contest("president", "President", "plurality", (Option("wren", "Wren"), Option("owl", "Owl")))
COUNCIL = Contest("council", "Council", "dhondt", (Option("waders", "Waders"),), seats=3, unit="north")
CONTESTS = (PRESIDENT, COUNCIL)
PLAIN = """\
station,contest,option,votes
n1,president,wren,120
n1,president,owl,0
n2,president,wren,7
n2,president,owl,99999999
s1,president,wren,100000000
s1,president,owl,10
n1,council,waders,5
n2,council,waders,0
"""


def figures(baseline: Baseline) -> list[list[list[int]] | None]:
    return [None if votes is None else votes.tolist() for votes in baseline]


def votes_of(*rows: list[int]) -> NDArray[np.int32]:
    return np.array(rows, dtype=np.int32)


READ = [[[120, 0], [7, 99_999_999], [100_000_000, 10]], [[5], [0]]]


def test_a_table_is_read_by_contest_station_and_option() -> None:
    baseline = read_baseline(PLAIN.encode(), CONTESTS, UNITS)
    assert figures(baseline) == READ
    assert write_baseline(baseline, CONTESTS, UNITS).decode() == PLAIN
    assert baseline[0] is not None
    with pytest.raises(ValueError, match="read-only"):
        baseline[0][0, 0] = 1


def test_a_contest_may_be_left_out() -> None:
    lines = PLAIN.splitlines(keepends=True)
    for kept, expected in ((lines[:7], [READ[0], None]), ([lines[0], *lines[7:]], [None, READ[1]])):
        data = "".join(kept).encode()
        baseline = read_baseline(data, CONTESTS, UNITS)
        assert figures(baseline) == expected
        assert write_baseline(baseline, CONTESTS, UNITS) == data


def test_rows_may_come_in_any_order_and_spelling() -> None:
    header, *rows = PLAIN.splitlines()
    for seed in range(20):
        random.Random(seed).shuffle(rows)
        assert figures(read_baseline("\n".join([header, *rows, ""]).encode(), CONTESTS, UNITS)) == READ
    turned = "\n".join([header, *PLAIN.splitlines()[7:], *PLAIN.splitlines()[1:7]])  # the council first, and no last line end
    for text in (turned, PLAIN.replace("\n", "\r\n"), "\ufeff" + PLAIN, PLAIN.replace("wren", '"wren"'), PLAIN + "\n"):
        baseline = read_baseline(text.encode(), CONTESTS, UNITS)
        assert figures(baseline) == READ
        assert write_baseline(baseline, CONTESTS, UNITS).decode() == PLAIN


def test_a_large_table_is_read_a_stretch_at_a_time() -> None:
    options = tuple(Option(f"bird-{n}", f"Bird {n}") for n in range(7))
    contests = (Contest("president", "P", "plurality", options), Contest("mayor", "M", "plurality", options[:3], unit="r1"))
    rows = [UnitRow("land", "", "Land", "country", None), *(UnitRow(f"r{n}", "land", "R", "region", None) for n in range(2))]
    rows += [UnitRow(f"{region}.{n}", region, "S", "station", 500) for region in ("r0", "r1") for n in range(15_000)]
    units = Units(rows)
    draws = np.random.default_rng(7)
    magnitudes = [10 ** draws.integers(0, 6, (30_000, 7)), 10 ** draws.integers(0, 6, (15_000, 3))]
    baseline = tuple((draws.random(size.shape) * size).astype(np.int32) for size in magnitudes)
    data = write_baseline(baseline, contests, units)
    assert len(data) > 1 << 22  # more than one stretch
    again = read_baseline(data, contests, units)
    assert all(np.array_equal(own, other) for own, other in zip(baseline, again, strict=True) if other is not None)
    lines = data.decode().splitlines()
    other_order = "\n".join([lines[0], *reversed(lines[1:])]).encode()
    assert write_baseline(read_baseline(other_order, contests, units), contests, units) == data
    # A fault anywhere is found, however the table is read.
    spot = data.index(b",", data.rindex(b"bird-2", 0, len(data) // 2)) + 1
    line = data.count(b"\n", 0, spot) + 1
    (finding,) = baseline_findings(data[:spot] + b"x" + data[spot:], contests, units)
    assert (finding.line, finding.field) == (line, "votes")


BAD = {
    "empty": ("", 1, "", "there is no header"),
    "header alone": ("station,contest,option,votes\n", 1, "", "there are no rows; list the votes of an earlier election, or"),
    "other header": (PLAIN.replace("votes", "count", 1), 1, "", "the columns are station,contest,option,count"),
    "ragged": (PLAIN.replace("owl,0\n", "owl,0,1\n"), 3, "", "5 cells where the header has 4"),
    "quotes": (PLAIN.replace("wren,120", '"wren"x,120'), 2, "", "not readable as CSV"),
    "unknown station": (
        PLAIN.replace("n2,president,wren", "n9,president,wren"),
        4,
        "station",
        "there is no station 'n9' in units",
    ),
    "region": (PLAIN.replace("n2,president,wren", "north,president,wren"), 4, "station", "'north' has units below it"),
    "elsewhere": (
        PLAIN + "s1,council,waders,4\n",
        10,
        "station",
        "'s1' does not vote in contest 'council', which is that of unit",
    ),
    "unknown contest": (PLAIN.replace("n1,president,owl", "n1,presidnt,owl"), 3, "contest", "'presidnt'; write 'president'"),
    "unknown option": (PLAIN.replace("n1,president,owl", "n1,president,oul"), 3, "option", "no option 'oul'; write 'owl'"),
    "option of another contest": (PLAIN.replace("council,waders,5", "council,wren,5"), 8, "option", "no option 'wren'"),
    "repeated": (PLAIN + "n2,president,owl,3\n", 10, "station", "'n2' has votes for option 'owl' already on line 5"),
    "no votes": (PLAIN.replace("120", ""), 2, "votes", "empty; write 0 where there was no vote"),
    "negative": (PLAIN.replace("120", "-1"), 2, "votes", "'-1' is not a whole number"),
    "fraction": (PLAIN.replace("120", "1.5"), 2, "votes", "'1.5' is not a whole number"),
    "other digits": (PLAIN.replace("120", "٧"), 2, "votes", "'٧' is not a whole number"),
    "space": (PLAIN.replace("120", " 120"), 2, "votes", "' 120' is not a whole number"),
    "leading zero": (PLAIN.replace("120", "0120"), 2, "votes", "'0120' begins with a zero; write 120"),
    "zeros": (PLAIN.replace("120", "00"), 2, "votes", "'00' begins with a zero; write 0"),
    "too many": (
        PLAIN.replace("120", "100000001"),
        2,
        "votes",
        "100000001 cannot be the votes of a station",
    ),
    "far too many": (PLAIN.replace("120", "9" * 5000), 2, "votes", "99999999999999999999 cannot be the votes"),
    "row missing": (PLAIN.replace("n2,president,owl,99999999\n", ""), 4, "option", "station 'n2' has no row for option 'owl'"),
    "last row missing": (PLAIN.replace("s1,president,owl,10\n", ""), 6, "option", "station 's1' has no row for option 'owl'"),
    "station missing": (PLAIN.replace("n2,council,waders,0\n", ""), 0, "station", "station 'n2' of contest 'council' is missing"),
    "option missing": (
        "\n".join(line for line in PLAIN.splitlines() if "owl" not in line),
        0,
        "option",
        "no station has a row for option 'owl' of contest 'president'; add one at each, with 0 where it did not stand",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_fault_is_found_with_its_line(name: str) -> None:
    text, line, field, message = BAD[name]
    findings = baseline_findings(text.encode(), CONTESTS, UNITS)
    assert [(f.file, f.line, f.field) for f in findings] == [("baseline.csv", line, field)], findings
    assert message in findings[0].message
    with pytest.raises(DefinitionError, match=r"baseline\.csv") as raised:
        read_baseline(text.encode(), CONTESTS, UNITS)
    assert str(raised.value) == str(findings[0])


def test_all_faults_are_found_at_once_up_to_a_limit() -> None:
    text = PLAIN.replace("120", "many").replace("n2,president,wren", "n3,president,wren")
    assert [finding.line for finding in baseline_findings(text.encode(), CONTESTS, UNITS)] == [2, 4]
    many = PLAIN + "x,president,wren,1\n" * 5_000
    assert len(baseline_findings(many.encode(), CONTESTS, UNITS)) == MAX_FINDINGS


def test_other_encodings_are_named_by_their_line() -> None:
    data = PLAIN.replace("n2,council", "ñ2,council").encode("latin-1")
    assert baseline_findings(data, CONTESTS, UNITS) == [Finding("baseline.csv", 9, "", "not UTF-8; save the file as UTF-8")]


def test_more_votes_than_any_election_has() -> None:
    units = Units(
        [UnitRow("land", "", "Land", "country", None), *(UnitRow(f"s{n}", "land", "S", "station", 1) for n in range(60))]
    )
    most = np.full((60, 2), MAX_VOTES, dtype=np.int32)
    assert int(most.sum(dtype=np.int64)) > MAX_CONTEST_VOTES
    text = "station,contest,option,votes\n" + "".join(
        f"s{n},president,{option},{MAX_VOTES}\n" for n in range(60) for option in ("wren", "owl")
    )
    (finding,) = baseline_findings(text.encode(), (PRESIDENT,), units)
    assert "12000000000 votes, more than the 10000000000 that any election has" in str(finding)
    with pytest.raises(DefinitionError, match="any election has"):
        write_baseline((most,), (PRESIDENT,), units)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ((), "is of 0 contests, and the election has 2"),
        ((votes_of([1, 2]), None), r"shape \(1, 2\): its stations and options need \(3, 2\)"),
        ((votes_of([1, 2], [3, 4], [5, -6]), None), "0 to 100000000"),
        ((None, votes_of([1], [MAX_VOTES + 1])), "0 to 100000000"),
    ],
)
def test_only_what_fits_is_written(baseline: Baseline, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        write_baseline(baseline, CONTESTS, UNITS)
