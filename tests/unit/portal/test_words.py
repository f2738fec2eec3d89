import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutineer.count import Standing, UnitResult
from scrutineer.count import outcome as outcomes
from scrutineer.count.results import rule_of
from scrutineer.election import Alternative, Contest, Option
from scrutineer.language import HtmlSay, language
from scrutineer.portal import words

BIRDS = tuple(Option(name.lower(), name) for name in ("Heron", "Wren", "Finch"))
SAY = HtmlSay(language("en"))
YES_NO = (Option("yes", "Yes"), Option("no", "No"))


def standing(
    contest: Contest, votes: tuple[int, ...], *, open_ballots: int | None, outstanding: int = 1, counted: int = 9
) -> Standing:
    result = UnitResult(
        votes=votes,
        blank=0,
        null=0,
        ballots=sum(votes),
        voters=None,
        stations=counted + outstanding,
        counted=counted,
        quarantined=0,
        excluded=0,
        roll=None,
        roll_counted=None,
        open_ballots=open_ballots,
        open_without_roll=outstanding if open_ballots is None else 0,
    )
    tally = outcomes.Tally(votes)
    rule = rule_of(contest)
    return Standing(contest, result, votes, outcomes.decide(rule, tally), outcomes.can_change(rule, tally, open_ballots))


def bare(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def plurality(seats: int = 1) -> Contest:
    return Contest("c", "C", "plurality", BIRDS, seats=seats)


@pytest.mark.parametrize(
    ("contest", "votes", "sentence"),
    [
        (plurality(), (50, 30, 20), "Heron leads Wren by 20 votes."),
        (plurality(), (30, 31, 20), "Wren leads Heron by 1 vote."),
        (plurality(), (30, 30, 20), "Heron and Wren are level for the place."),
        (plurality(2), (50, 30, 20), "Heron and Wren are in front for 2 places; the last of them is 10 votes ahead of the next."),
        (plurality(2), (50, 30, 30), "Heron is in front. Wren and Finch are level for the last place."),
        (
            Contest("c", "C", "yes-no", YES_NO),
            (60, 40),
            "As counted, the question is adopted; 20 more votes for No would be level.",
        ),
        (
            Contest("c", "C", "yes-no", YES_NO),
            (40, 41),
            "As counted, the question is not adopted; 1 more vote for Yes would be level.",
        ),
        (Contest("c", "C", "majority", BIRDS), (60, 30, 10), "Heron leads Wren by 30 votes."),
        (
            Contest("c", "C", "majority", BIRDS),
            (45, 35, 20),
            "No candidate has passed the share that the rule asks for: Heron and Wren would go into a run-off.",
        ),
        (
            Contest("c", "C", "majority", BIRDS),
            (40, 30, 30),
            "Heron would go into a run-off; Wren and Finch are level for the other place in it.",
        ),
        (Contest("c", "C", "majority", BIRDS), (30, 30, 30), "Heron, Wren and Finch are level for the two places in a run-off."),
        (Contest("c", "C", "dhondt", BIRDS, seats=5), (60, 31, 9), "Heron holds the most seats: 3 of 5."),
        (Contest("c", "C", "dhondt", BIRDS, seats=4), (50, 50, 0), "Heron and Wren hold the most seats: 2 each of 4."),
        (
            Contest("c", "C", "dhondt", BIRDS, seats=3),
            (50, 50, 0),
            "Heron and Wren hold the most seats: 1 each of 3. Heron and Wren are level for the last seat.",
        ),
        (Contest("c", "C", "plurality", BIRDS[:1]), (5,), "Heron stands alone."),
    ],
)
def test_headlines(contest: Contest, votes: tuple[int, ...], sentence: str) -> None:
    assert bare(words.headline(SAY, standing(contest, votes, open_ballots=10))) == sentence


def test_nothing_is_said_of_who_is_ahead_before_anything_is_counted() -> None:
    now = standing(plurality(), (0, 0, 0), open_ballots=0, counted=0)
    assert words.headline(SAY, now) == "No station has been counted yet."
    assert words.change(SAY, now).state == "open"
    assert "inner" not in words.change(SAY, now).sentence


@pytest.mark.parametrize(
    ("votes", "open_ballots", "outstanding", "state", "sentence"),
    [
        (
            (50, 30, 20),
            19,
            1,
            "closed",
            (
                "No: at most 19 ballots can still come and 20 would be needed. It is beyond change by 1 ballot."
                " Winner by the rule: Heron."
            ),
        ),
        ((50, 30, 20), 20, 1, "open", "Yes: up to 20 ballots can still come from 1 station. 20 further ballots could be enough."),
        (
            (50, 30, 20),
            None,
            3,
            "unbounded",
            "This cannot be bounded, because the rolls of 3 stations are unknown. 20 further ballots could be enough.",
        ),
        ((50, 30, 20), 0, 0, "closed", "No: no station is outstanding or in quarantine. Winner by the rule: Heron."),
        ((50, 50, 20), 0, 0, "closed", "No: no station is outstanding or in quarantine."),
    ],
)
def test_whether_it_can_change(
    votes: tuple[int, ...], open_ballots: int | None, outstanding: int, state: str, sentence: str
) -> None:
    found = words.change(SAY, standing(plurality(), votes, open_ballots=open_ballots, outstanding=outstanding))
    assert found.state == state
    assert bare(found.sentence) == sentence


@given(
    st.tuples(*[st.integers(0, 50)] * 3),
    st.none() | st.integers(0, 60),
    st.sampled_from(["plurality", "approval", "majority", "dhondt", "sainte-lague", "hamilton"]),
)
def test_nobody_is_called_a_winner_while_it_can_change_and_nothing_a_trend(
    votes: tuple[int, int, int], open_ballots: int | None, rule: str
) -> None:
    contest = Contest("c", "C", rule, BIRDS)  # type: ignore[arg-type]
    if rule == "approval":
        return
    now = standing(contest, votes, open_ballots=open_ballots)
    found = words.change(SAY, now)
    text = bare(words.headline(SAY, now) + found.sentence + found.label + words.rule_sentence(SAY, contest)).lower()
    assert "trend" not in text
    assert ("winner" in text) <= (not now.bound.changeable and len(now.outcome.elected) > 0)
    assert (found.state == "closed") == (not now.bound.changeable)


@pytest.mark.parametrize(
    ("contest", "sentence"),
    [
        (
            Contest("c", "C", "majority", BIRDS),
            "Elected with more than 50% of the valid votes; otherwise the first two go into a run-off.",
        ),
        (
            Contest("c", "C", "majority", BIRDS, alternative=Alternative("40 %", "10 %"), base="cast"),
            (
                "Elected with more than 50% of the ballots cast, or with at least 40% and 10% more than the "
                "next; otherwise the first two go into a run-off."
            ),
        ),
        (Contest("c", "C", "yes-no", YES_NO, threshold="2/3"), "Adopted with more than 2/3 of the votes for yes and no."),
        (
            Contest("c", "C", "hamilton", BIRDS, seats=9, threshold="3.5 %"),
            ("9 seats, given by the method of Hamilton (largest remainders) among lists with at least 3.5% of the valid votes."),
        ),
    ],
)
def test_rules_are_stated_exactly(contest: Contest, sentence: str) -> None:
    assert words.rule_sentence(SAY, contest) == sentence


def test_names_are_escaped_wherever_they_are_said() -> None:
    contest = Contest("c", "C", "plurality", (Option("a", "<b>A</b>"), Option("b", "B&B")))
    now = standing(contest, (50, 3), open_ballots=0, outstanding=0)
    said = words.headline(SAY, now) + words.change(SAY, now).sentence
    assert "<b>" not in said
    assert "B&amp;B" in said


def test_a_replay_names_no_winner_and_says_how_far_it_reaches() -> None:
    now = standing(plurality(), (60, 40, 0), open_ballots=0)
    assert "Winner by the rule" in words.change(SAY, now).sentence
    found = words.change(SAY, now, "replayed")
    assert "inner" not in found.sentence
    assert "the stations that the published file lists" in found.sentence
    assert found.label == "Within this file"
    assert (
        "the stations that the published file lists"
        in words.change(SAY, standing(plurality(), (60, 40, 0), open_ballots=50), "replayed").sentence
    )


def test_where_statistics_decide_the_sentence_speaks_of_arithmetic_alone() -> None:
    now = standing(plurality(), (60, 40, 0), open_ballots=50, outstanding=2)
    found = words.change(SAY, now, by_statistics=True)
    assert (found.state, found.label) == ("open", "Decided by statistics")
    assert found.sentence == words.change(SAY, now).sentence.replace("Yes:", "By arithmetic alone it can:")
    unbounded = standing(plurality(), (60, 40, 0), open_ballots=None, outstanding=2)
    assert words.change(SAY, unbounded, by_statistics=True).label == "Decided by statistics"
    decided = standing(plurality(), (60, 40, 0), open_ballots=5, outstanding=2)
    assert words.change(SAY, decided, by_statistics=True) == words.change(SAY, decided)
