"""Every shipped layout against the file that it was written for: the sums that were published with it, to the vote."""

import functools
from collections.abc import Mapping
from fractions import Fraction

import pytest

from scrutineer.election.layout import layouts, load_layout
from scrutineer.election.layout_reader import Published, PublishedSheet, read_published
from shared_data import shared

pytestmark = pytest.mark.data

FILES = {
    "bolivia-2019-computo": "bolivia-2019/computo_final.csv",
    "bolivia-2019-trep": "bolivia-2019/trep_2019-10-21T1829.csv",
    "georgia-2013": "forensics/georgia-2013-president.csv",
    "georgia-us-2024-county": "georgia-us-2024/20241105__ga__general__county-level.csv.gz",
    "georgia-us-2024-precinct": "georgia-us-2024/20241105__ga__general__precinct-level.csv.gz",
    "indonesia-2019-kawalpemilu": "indonesia-2019-sample/tps_2019_three_provinces.csv.gz",
    "indonesia-2019-kpu": "indonesia-2019-sample/tps_2019_three_provinces.csv.gz",
    "mexico-2018-quickcount": "mexico-2018-quickcount/REMESAS0100020000.txt",
    "mexico-2018-sample": "mexico-2018-quickcount/4-ConteoRapido18MUESTRA-ELECCION-PRESIDENCIAL.csv",
    "poland-2025-round1": "forensics/poland-2025-round1.csv",
    "russia-2012": "forensics/russia-2012.csv.zip",
    "russia-2018": "forensics/russia-2018.csv.zip",
    "venezuela-2024-qr": "venezuela-2024/QR_decoded_2024_vzla_presidential.csv",
    "venezuela-2024-v1": "venezuela-2024/RESULTADOS_2024_CSV_V1.csv",
    "venezuela-2024-v2": "venezuela-2024/RESULTADOS_2024_CSV_V2.csv",
}
EARLY_TREP = "bolivia-2019/trep_2019-10-20T1940.csv"


@functools.lru_cache(maxsize=4)
def published(name: str, file: str = "") -> Published:
    """A file by its layout; every one of them is read without a problem."""
    result = read_published(shared(file or FILES[name]), load_layout(name))
    assert result.problems == ()
    assert result.unreadable_rows == 0
    assert {sheet.contest for sheet in result.sheets} <= {"president"}
    assert len(result.sheets) + len(result.outstanding) == result.units.station_count
    assert result.draft().units is result.units
    return result


def votes(name: str, file: str = "") -> dict[str, int]:
    result = published(name, file)
    return dict(zip((option.id for option in result.contests[0].options), result.sums[0].options, strict=True))


def figures(name: str, file: str = "") -> Mapping[str, int]:
    return published(name, file).sums[0].figures


def sheets(name: str, file: str = "") -> dict[str, PublishedSheet]:
    """Sheets by station; every one of these files names each station once."""
    result = published(name, file)
    by_station = {sheet.station: sheet for sheet in result.sheets}
    assert len(by_station) == len(result.sheets)
    return by_station


def centres(name: str) -> int:
    units = published(name).units
    return units.kinds.count("centre")


def test_there_is_a_file_for_every_shipped_layout() -> None:
    assert set(FILES) == set(layouts())


def test_venezuela_first_release() -> None:
    result = published("venezuela-2024-v1")
    assert (len(result.sheets), centres("venezuela-2024-v1")) == (24_532, 12_817)
    assert figures("venezuela-2024-v1") == {"roll": 17_745_239, "valid": 10_659_128, "null": 1_139}
    assert votes("venezuela-2024-v1") == {
        "EG": 7_156_462, "NM": 3_241_461, "LM": 84_446, "JABE": 19_966, "JOBR": 21_583,
        "AE": 49_603, "CF": 12_321, "DC": 10_308, "EM": 25_570, "BERA": 37_408,
    }  # fmt: skip
    assert result.notes == (), "options add up to the valid votes in every row"
    assert int(result.units.rolls.sum()) == 17_745_239


def test_the_layout_of_the_second_release_reads_the_first_one_too() -> None:
    first = FILES["venezuela-2024-v1"]
    assert votes("venezuela-2024-v2", first) == votes("venezuela-2024-v1")
    assert figures("venezuela-2024-v2", first) == figures("venezuela-2024-v1")


def test_venezuela_second_release() -> None:
    result = published("venezuela-2024-v2")
    assert (len(result.sheets), centres("venezuela-2024-v2")) == (25_073, 13_110)
    assert figures("venezuela-2024-v2") == {"valid": 10_887_262, "null": 1_213}
    assert votes("venezuela-2024-v2") == {
        "EG": 7_303_480, "NM": 3_316_142, "LM": 86_225, "JABE": 20_404, "JOBR": 22_097,
        "AE": 51_011, "CF": 12_632, "DC": 10_584, "EM": 26_067, "BERA": 38_620,
    }  # fmt: skip
    assert result.notes == ()
    first, second = sheets("venezuela-2024-v1"), sheets("venezuela-2024-v2")
    assert len(first.keys() - second.keys()) == 2
    assert len(second.keys() - first.keys()) == 543
    assert all((first[s].counts, first[s].null) == (second[s].counts, second[s].null) for s in first.keys() & second.keys())


def test_venezuela_qr_codes() -> None:
    codes, second = sheets("venezuela-2024-qr"), sheets("venezuela-2024-v2")
    assert len(codes) == 21_952
    common = codes.keys() & second.keys()
    assert len(common) == 21_937
    options = [option.id for option in published("venezuela-2024-qr").contests[0].options]
    assert options[:2] == ["EG", "NM"]
    assert sum(codes[station].counts[:2] != second[station].counts[:2] for station in common) == 4
    assert figures("venezuela-2024-qr") == {"voters": 41_885_981}


@pytest.mark.parametrize(
    ("name", "file", "count", "roll", "first", "second", "valid", "lead"),
    [
        ("bolivia-2019-trep", EARLY_TREP, 28_975, 6_137_228, 1_950_000, 2_355_644, 5_152_979, "7.87"),
        ("bolivia-2019-trep", "", 32_806, 6_964_976, 2_145_237, 2_738_136, 5_841_452, "10.15"),
        ("bolivia-2019-computo", "", 34_555, 7_315_364, 2_240_920, 2_889_359, 6_137_671, "10.57"),
    ],
)
def test_bolivia(name: str, file: str, count: int, roll: int, first: int, second: int, valid: int, lead: str) -> None:
    result = published(name, file)
    assert len(result.sheets) == count
    assert figures(name, file)["roll"] == int(result.units.rolls.sum()) == roll
    totals = votes(name, file)
    assert (totals["CC"], totals["MAS-IPSP"]) == (first, second)
    assert sum(totals.values()) == valid
    # The lead as it was announced: the difference of two rounded percentages.
    share = [round(Fraction(100 * count, valid), 2) for count in (first, second)]
    assert share[1] - share[0] == Fraction(lead)
    contest = result.contests[0]
    assert contest.alternative is not None
    assert (contest.rule, contest.base, contest.alternative.share, contest.alternative.lead) == (
        "majority",
        "valid",
        "40 %",
        "10 %",
    )


def test_bolivia_tables_that_differ_from_the_final_count() -> None:
    final = sheets("bolivia-2019-computo")

    def differing(earlier: dict[str, PublishedSheet]) -> int:
        assert earlier.keys() <= final.keys()
        return sum(
            (sheet.counts, sheet.blank, sheet.null) != (final[s].counts, final[s].blank, final[s].null)
            for s, sheet in earlier.items()
        )

    assert differing(sheets("bolivia-2019-trep", EARLY_TREP)) == 549
    assert differing(sheets("bolivia-2019-trep")) == 706


def test_mexico_sample() -> None:
    result = published("mexico-2018-quickcount")
    assert len(result.sheets) == 6_307
    totals = votes("mexico-2018-quickcount")
    assert totals == {"RAC": 516_739, "JAMK": 360_034, "AMLO": 1_207_530, "JHRC": 127_800, "CNR": 4_061}
    assert figures("mexico-2018-quickcount")["cast"] == 2_275_143
    assert sum(totals.values()) + figures("mexico-2018-quickcount")["null"] == 2_275_143
    assert result.notes == (), "as many rows as the first line of the file says"
    # 1 July 2018 in Mexico City.
    assert all(sheet.time is not None and 1_530_421_200 <= sheet.time < 1_530_507_600 for sheet in result.sheets)
    drawn = published("mexico-2018-sample")
    assert (drawn.sheets, len(drawn.outstanding)) == ((), 7_787)
    assert {sheet.station for sheet in result.sheets} <= drawn.units.station_index.keys()


def test_indonesia() -> None:
    official = published("indonesia-2019-kpu")
    assert official.units.station_count == 21_227
    assert len(official.sheets) == 21_205
    assert votes("indonesia-2019-kpu") == {"1": 3_258_339, "2": 1_018_341}
    assert len(official.notes) == 395
    assert sum((s.valid or 0) + (s.null or 0) != s.cast for s in official.sheets) == 1_483
    entered, read = sheets("indonesia-2019-kpu"), sheets("indonesia-2019-kawalpemilu")
    common = entered.keys() & read.keys()
    assert len(common) == 21_142
    assert sum(entered[station].counts != read[station].counts for station in common) == 114


@pytest.mark.parametrize(
    ("name", "count", "roll", "leader", "leading"),
    [("russia-2012", 95_415, 109_860_331, "putin", 45_602_075), ("russia-2018", 97_699, 109_008_428, "putin", 56_430_712)],
)
def test_russia(name: str, count: int, roll: int, leader: str, leading: int) -> None:
    result = published(name)
    assert len(result.sheets) == count
    assert figures(name)["roll"] == roll
    totals = votes(name)
    assert max(totals, key=totals.__getitem__) == leader
    assert totals[leader] == leading
    assert result.notes == ()


def test_georgia_2013() -> None:
    result = published("georgia-2013")
    assert len(result.sheets) == 3_707
    assert result.sums[0].stated["roll"] == 3_655
    totals = votes("georgia-2013")
    assert totals["41"] == max(totals.values()) == 1_012_569
    assert f"{float(Fraction(100 * totals['41'], sum(totals.values()))):.2f}" == "62.12"


def test_georgia_usa_by_precinct_and_by_county() -> None:
    counties, precincts = votes("georgia-us-2024-county"), votes("georgia-us-2024-precinct")
    assert len(published("georgia-us-2024-county").sheets) == 159
    assert len(published("georgia-us-2024-precinct").sheets) == 2_701
    assert (counties["Harris"], counties["Trump"]) == (2_548_017, 2_663_117)
    assert (precincts["Harris"], precincts["Trump"]) == (2_548_006, 2_663_110)
    house = read_published(
        shared(FILES["georgia-us-2024-county"]),
        load_layout("georgia-us-2024-county"),
        where={"office": "U.S. House", "district": "1"},
    )
    assert house.contests[0].title == "U.S. House 1"
    assert len(house.sheets) == house.units.station_count > 0
    assert sum(house.sums[0].options) > 0


def test_poland() -> None:
    result = published("poland-2025-round1")
    assert len(result.sheets) == 32_143
    assert figures("poland-2025-round1") == {"roll": 29_251_991, "cast": 19_691_986, "valid": 19_603_446}
    totals = votes("poland-2025-round1")
    assert sum(totals.values()) == 19_603_446
    assert (totals["Trzaskowski"], totals["Nawrocki"]) == (6_147_743, 5_790_762)
    assert result.notes == ()
