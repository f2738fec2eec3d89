"""The announcements in docs/cases: nothing stands out in honest roundings, and the worked cases say what they say."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from claim_samples import EARLIER_2013, FIRST, LATER_2013, SECOND
from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.claim_file import parse_claims, write_claims
from scrutineer.calls.claims.examine import Examination, examine

CASES = Path(__file__).resolve().parents[4] / "docs" / "cases"
HONEST = (
    "brazil-2022-round-2",
    "chile-2021-round-1",
    "chile-2021-round-2",
    "france-2022-round-2",
    "georgia-2013",
    "indonesia-2019",
    "mexico-2018",
    "poland-2025-round-1",
    "poland-2025-round-2",
    "scotland-2014-referendum",
    "united-kingdom-2016-referendum",
)
OTHERS = (
    "florida-2000",
    "france-2022-round-1",
    "venezuela-2013",
    "venezuela-2024-announcement-1",
    "venezuela-2024-announcement-2",
)


def case(name: str) -> tuple[Announcement, ...]:
    return parse_claims((CASES / f"{name}.toml").read_bytes(), name)


def examined(*names: str, band: Fraction = Fraction(0)) -> Examination:
    return examine([announcement for name in names for announcement in case(name)], band=band)


def answers(examination: Examination, number: int = 0) -> dict[str, tuple[str, str]]:
    return {answer.question: (answer.status, answer.sentence) for answer in examination.examined[number].answers}


def test_every_case_is_tested_and_listed() -> None:
    names = {path.stem for path in CASES.glob("*.toml")}
    assert names == {*HONEST, *OTHERS}
    assert len(HONEST) >= 10
    listed = set(re.findall(r"\]\(([^)]+)\.toml\)", (CASES / "README.md").read_text(encoding="utf-8")))
    assert listed == names


@pytest.mark.parametrize("name", HONEST)
def test_nothing_stands_out_in_an_honest_announcement(name: str) -> None:
    examination = examined(name)
    assert examination.flagged == ()
    assert not examination.contradicts
    found = answers(examination)
    assert found["agreement"][0] == found["computed"][0] == "fits"


@pytest.mark.parametrize("name", [*HONEST, *OTHERS])
def test_every_case_names_its_source_and_can_be_written_again(name: str) -> None:
    announcements = case(name)
    assert all(len(announcement.source) > 20 for announcement in announcements)
    assert parse_claims(write_claims(announcements).encode(), name) == announcements


def test_the_cases_hold_the_figures_of_the_worked_announcements() -> None:
    def figures(announcement: Announcement) -> list[tuple[int | None, str, bool]]:
        return [(figure.votes, str(figure.percent), figure.others) for figure in announcement.figures]

    fields = ("valid", "null", "cast", "roll", "stations", "counted_percent", "turnout_percent", "percent_of_null")
    names = ("venezuela-2024-announcement-1", "venezuela-2024-announcement-2", "venezuela-2013")
    written = [announcement for name in names for announcement in case(name)]
    for own, sample in zip(written, (FIRST, SECOND, EARLIER_2013, LATER_2013), strict=True):
        assert figures(own) == figures(sample)
        assert [getattr(own, field) for field in fields] == [getattr(sample, field) for field in fields]


def test_first_announcement_of_2024() -> None:
    found = answers(examined("venezuela-2024-announcement-1"))
    assert found["agreement"][0] == "fits"
    assert found["computed"][0] == "stands-out"
    assert "its percentage times one total, 10,058,774, rounded" in found["computed"][1]
    assert "Exact chance for honest counts at that total: 1 in 75,882,581" in found["computed"][1]
    assert found["still-open"][0] == "not-decided"
    assert "by 704,114" in found["still-open"][1]
    assert "61.7% of it, if it holds 2,514,694 votes like the rest, 2.12 times as favourable" in found["still-open"][1]


def test_second_announcement_of_2024_follows_from_the_first() -> None:
    examination = examined("venezuela-2024-announcement-1", "venezuela-2024-announcement-2")
    assert not examination.contradicts
    (between,) = examination.between
    assert (between.answer.status, between.answer.sentence) == ("fits", "Yes, by adding sheets.")
    assert "added for Nicolás Maduro: 1,258,752 (55.278%)" in between.answer.arithmetic
    found = answers(examination, 1)
    assert found["agreement"][0] == "fits"
    # The split into valid and null is a coincidence of 1 in 1,238, judged over the twelve published percentages.
    status, sentence = found["computed"]
    assert status == "stands-out"
    assert sentence.startswith("Some counts are exactly a rounded percentage of a total: valid, null.")
    assert sentence.endswith("Chance for honest counts, over all tests of this announcement: 1 in 103.")
    assert found["still-open"][0] == "decided"


def test_the_pair_of_2013_is_not_reachable_at_equal_sheets() -> None:
    (between,) = examined("venezuela-2013").between
    assert between.answer.status == "stands-out"
    assert between.answer.sentence.startswith("Not if all sheets hold about as many votes: Nicolás Maduro: from 50.66%")
    assert "7,510 added" in between.answer.sentence
    assert "the share counted may be of sheets transmitted" in between.answer.explanations[0]
    assert any("7,559,349 after a number that was not announced" in line for line in between.answer.arithmetic)
    assert not any("10,000,000,000" in line for line in between.answer.arithmetic)


@pytest.mark.parametrize(("band", "votes"), [(Fraction(0), "5,963"), (Fraction(1, 200), "29,815")])
def test_florida_is_within_the_recount_band(band: Fraction, votes: str) -> None:
    examination = examined("florida-2000", band=band)
    assert examination.flagged == ()
    status, sentence = answers(examination)["still-open"]
    assert status == "not-decided"
    assert sentence == f"Not decided: the lead of 537 votes (0.0090%) lies within the recount band of {votes} votes."


def test_two_slips_in_an_undisputed_result() -> None:
    examination = examined("france-2022-round-1")
    assert examination.contradicts
    found = answers(examination)
    assert "Anne Hidalgo has 616,478, which is 1.75%, announced 1.74%" in found["agreement"][1]
    assert "Philippe Poutou has 268,904, which is 0.77%, announced 0.76%." in found["agreement"][1]
    assert found["still-open"][0] == "unknown"
