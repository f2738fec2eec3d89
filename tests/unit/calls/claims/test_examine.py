"""An examination: which announcements are held against which, what is said of each finding, and the report of it."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from claim_samples import EARLIER_2013, FIRST, FLORIDA, LATER_2013, SECOND
from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.answers import QUESTIONS, odds
from scrutineer.calls.claims.claim_statement import from_statement
from scrutineer.calls.claims.examine import Examination, examine
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.record import Record
from scrutineer.calls.claims.report import CAUTION, as_json, lines, table
from scrutineer.calls.partial import PartialCount
from scrutineer.errors import CallError
from scrutineer.statements import Claim
from strategies.payloads import claims

FORBIDDEN = ("fraud", "irreversible", "trend", "winner", "manipulat", "rigged", "fake", "suspicious", "stolen")


def sheets(heron: int, owl: int) -> Record:
    """One counted sheet of a country with one station."""
    partial = PartialCount(
        ("heron", "owl"),
        np.array([[heron, owl]]),
        np.array([0]),
        np.array([True]),
        np.array([False]),
        np.array([0]),
        np.array([1000]),
        np.zeros(1, dtype=np.int32),
        ("all",),
    )
    return Record("the log of the Aviary", partial, (("heron",), ("owl",)), complete=True)


def announced(heron: int, owl: int, contest: str = "president", unit: str = "") -> Announcement:
    return Announcement("Commission", "at night", "radio", contest, (Figure("heron", heron), Figure("owl", owl)), unit=unit)


def texts(examination: Examination) -> str:
    return "\n".join(line.text for line in lines(examination))


def test_announcements_are_held_against_the_one_before_of_the_same_contest_and_unit() -> None:
    sequence = [
        announced(1, 2),
        announced(1, 1, "senate"),
        announced(2, 2),
        announced(5, 5, unit="north"),
        announced(2, 2, "senate"),
        announced(3, 2),
    ]
    between = examine(sequence).between
    assert [(row.earlier, row.later) for row in between] == [(0, 2), (1, 4), (2, 5)]


def test_what_contradicts_an_earlier_announcement_is_not_judged() -> None:
    examination = examine([announced(50, 20), announced(40, 30), announced(60, 40)])
    assert [row.answer.status for row in examination.between] == ["contradiction", "fits"]
    assert examination.contradicts
    verdicts = [row.answers[2].sentence for row in examination.examined]
    assert verdicts[1] == "No verdict: the figures contradict each other or an earlier announcement."
    assert verdicts[0] != verdicts[1] != verdicts[2]


def test_a_record_for_all_or_one_for_each() -> None:
    own, other = sheets(10, 5), sheets(8, 5)
    one = examine([announced(10, 5)], own)
    assert [answer.status for answer in one.examined[0].answers if answer.question == "record"] == ["fits"]
    each = examine([announced(10, 5), announced(10, 5, "senate")], [own, other])
    assert [row.record.fits for row in each.examined if row.record is not None] == [True, False]
    assert each.contradicts
    none = examine([announced(10, 5)], [None])
    assert none.examined[0].record is None
    with pytest.raises(CallError, match="2 records for 1 announcements"):
        examine([announced(10, 5)], [own, other])


def test_settings_that_cannot_be() -> None:
    with pytest.raises(CallError, match="no announcement"):
        examine([])
    for level in (Fraction(0), Fraction(1), Fraction(3, 2)):
        with pytest.raises(CallError, match="level"):
            examine([announced(1, 2)], level=level)
    with pytest.raises(CallError, match="band"):
        examine([announced(1, 2)], band=Fraction(2))


def test_a_stricter_level_lets_less_stand_out() -> None:
    assert any(answer.question == "computed" for answer in examine([SECOND]).flagged)
    assert not any(answer.question == "computed" for answer in examine([SECOND], level=Fraction(1, 200)).flagged)


def test_a_total_that_was_announced_is_not_looked_for() -> None:
    sentence = "Exact chance for honest counts at that total: 1 in 75,882,581"
    rest = replace(FIRST.figures[2], votes=462_704)
    announced_total = replace(FIRST, figures=(*FIRST.figures[:2], rest))
    for announcement, searched in ((FIRST, True), (announced_total, False)):
        said = examine([announcement]).examined[0].answers[1].sentence
        assert sentence in said
        assert ("at any total" in said) is searched


def test_every_finding_says_what_it_shows_and_what_else_it_can_be() -> None:
    wrong = replace(SECOND, figures=(Figure("A", 6_408_845, Percent("51.95")), *SECOND.figures[1:]))
    examination = examine([FIRST, wrong], sheets_of_first())
    kinds = {answer.question for answer in examination.flagged}
    assert kinds >= {"agreement", "computed", "record"}
    for answer in examination.answers:
        assert answer.shows
        assert answer.cannot
        assert answer.settles
        assert answer.sentence.endswith((".", ")"))
        assert bool(answer.explanations) == answer.flagged
    report = texts(examination)
    for answer in examination.flagged:
        assert answer.sentence in report
        for explanation in answer.explanations:
            assert explanation in report


def sheets_of_first() -> Record:
    record = sheets(7_000_000, 100)
    return replace(record, names=(("A",), ("B",)))


def test_the_words_accuse_nobody() -> None:
    examination = examine([FIRST, SECOND, FLORIDA, EARLIER_2013, LATER_2013], sheets_of_everything())
    report = texts(examination).lower() + json.dumps(as_json(examination)).lower()
    for word in FORBIDDEN:
        assert word not in report, word
    assert CAUTION in texts(examination)


def sheets_of_everything() -> list[Record | None]:
    return [sheets_of_first(), sheets_of_first(), None, None, None]


def test_without_the_arithmetic_findings_keep_theirs() -> None:
    examination = examine([FIRST])
    short = "\n".join(line.text for line in lines(examination, arithmetic=False))
    assert "51.2% of 10,058,774 is 5,150,092" in short
    assert "turnout of 40%" not in short
    assert "turnout of 40%" in texts(examination)


def test_the_table_shows_what_was_announced_and_nothing_else() -> None:
    assert table(SECOND)[-4:] == (
        ("null", "50,785", "0.41 %"),
        ("cast (turnout)", "12,386,669", "59.97 %"),
        ("roll", "21,321,805", ""),
        ("sheets counted", "? of 30,026", "96.87 %"),
    )
    assert table(announced(1, 2)) == (("heron", "1", ""), ("owl", "2", ""))


def test_json_holds_the_exact_numbers() -> None:
    found = json.loads(json.dumps(as_json(examine([FIRST, SECOND]))))
    first = found["announcements"][0]
    assert first["computed"]["totals"] == [10_058_774, 10_058_774]
    assert first["computed"]["possible"] == 75_882_581
    assert first["computed"]["chance"] == "1/75882581"
    assert first["lead"]["lead"] == 704_114
    assert first["lead"]["verdict"] == "not-decided"
    assert first["announcement"]["figures"][2]["votes"] is None
    assert found["between"][0]["added_total"] == [2_277_110, 2_277_110]
    assert {answer["question"] for answer in first["answers"]} < set(QUESTIONS)
    assert found["contradicts"] is False


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (Fraction(1), "certain"),
        (Fraction(0), "none"),
        (Fraction(2, 3), "0.667"),
        (Fraction(2, 15), "1 in 7"),
        (Fraction(1, 2), "1 in 2"),
    ],
)
def test_chances_in_words(chance: Fraction, text: str) -> None:
    assert odds(chance) == text


@given(claims(), claims())
@settings(max_examples=150, deadline=None)
def test_whatever_can_be_announced_can_be_examined(first: Claim, second: Claim) -> None:
    sequence = [from_statement(first), replace(from_statement(second), contest=first.contest, unit=first.unit)]
    examination = examine(sequence)
    assert len(examination.between) == 1
    assert texts(examination)
    assert json.dumps(as_json(examination))
