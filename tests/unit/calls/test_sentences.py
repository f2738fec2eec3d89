"""Calls in words: what is said for each verdict and reason, and what is never said."""

import re
from dataclasses import replace
from fractions import Fraction
from html import unescape
from typing import get_args

import pytest
from markupsafe import Markup

from scrutineer.calls.call import Call, ConditionCall, Reason, Sensitivity
from scrutineer.calls.condition_words import votes_text
from scrutineer.calls.conditions import Condition
from scrutineer.calls.forms import NOT_BELOW, STRICT, above, ahead, below, lead, linear, short
from scrutineer.calls.sentences import (
    condition_sentence,
    explanations,
    sensitivity_sentence,
    sentence,
    sentences,
    verdict_name,
    weakest,
)
from scrutineer.count.outcome import Outcome, Round
from scrutineer.election import Contest, Option
from scrutineer.language import HtmlSay, PlainSay, language

NAMES = ("Heron", "Wren", "Finch")
SEAT = linear("seat:1:2", 1, 2, {1: 2, 2: -3}, candidates=3, need=STRICT)
FLIPS = Sensitivity(210, 140, ())
LEAD = ConditionCall(lead(0, 1, 3), "not-decided", ("outstanding-exceeds-lead", "order-sensitive"), 700, -1500, FLIPS, True, 20)
CALL = Call(
    contest="chair",
    unit="",
    verdict="not-decided",
    reasons=("outstanding-exceeds-lead", "order-sensitive"),
    outcome=Outcome(elected=(0,), margin=700),
    candidates=NAMES,
    clauses=((LEAD,), (replace(LEAD, condition=lead(0, 2, 3), value=5000),)),
    leads=(LEAD, replace(LEAD, condition=lead(0, 2, 3), value=5000)),
    incoherent=(),
    committed=True,
    risk="0.05",
    gamma="3",
    counted=80,
    open=20,
    stations=100,
    open_ballots=2200,
    binding="pair:0:1",
    slack=-1500,
)
DECIDED = replace(LEAD, verdict="statistics", reasons=(), sensitivity=Sensitivity(340, 140, ()))
STATISTICS = replace(CALL, verdict="statistics", reasons=(), clauses=((DECIDED,),), leads=(DECIDED,))
ARITHMETIC = replace(CALL, verdict="arithmetic", reasons=(), open_ballots=600, slack=100)
INCOHERENT = replace(
    CALL, verdict="not-coherent", reasons=("inputs",), clauses=(), leads=(), incoherent=("sums differ.", "b", "c")
)
NOTHING = replace(CALL, reasons=("inputs",), clauses=(), leads=(), counted=0, open=100)


def test_verdict_names() -> None:
    assert verdict_name(STATISTICS) == "Decided by statistics (at risk 5%, gamma 3)"
    assert verdict_name(replace(STATISTICS, risk="1/40", gamma="5/2")) == "Decided by statistics (at risk 2.5%, gamma 2.5)"
    assert [verdict_name(call) for call in (ARITHMETIC, INCOHERENT, CALL)] == [
        "Decided by arithmetic",
        "Not coherent",
        "Not decided",
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            CALL,
            "Not decided: Heron leads Wren by 700 votes with 80 of 100 stations counted, and up to 2,200 ballots "
            "can still come, which "
            "is enough to change the outcome; it would flip only if, in every region at once, stations that "
            "favour Wren were, compared "
            "with the rest, at least 2.1 times as common among the outstanding ones as among the counted ones "
            "(or more than that in "
            "some); the largest such difference seen so far, in either direction, is 1.4.",
            id="not decided",
        ),
        pytest.param(
            STATISTICS,
            "Decided by statistics (at risk 5%, gamma 3): Heron is elected; it would flip only if, in every "
            "region at once, stations "
            "that favour Wren were, compared with the rest, at least 3.4 times as common among the outstanding "
            "ones as among the counted "
            "ones (or more than that in some); the largest such difference seen so far, in either direction, is 1.4.",
            id="statistics",
        ),
        pytest.param(
            ARITHMETIC,
            "Decided by arithmetic: Heron is elected; it would take at least 700 further ballots to change that, "
            "and at most 600 can "
            "still come.",
            id="arithmetic",
        ),
        pytest.param(
            replace(ARITHMETIC, open=0, open_ballots=0),
            "Decided by arithmetic: Heron is elected; no station is open any more.",
            id="all counted",
        ),
        pytest.param(
            replace(ARITHMETIC, open_ballots=None, slack=None),
            "Decided by arithmetic: Heron is elected; no number of further ballots can change that.",
            id="unchangeable",
        ),
        pytest.param(
            INCOHERENT,
            "Not coherent: the figures cannot all be true (sums differ, and 2 further findings), so no call is made.",
            id="not coherent",
        ),
        pytest.param(NOTHING, "Not decided: no station is counted yet.", id="nothing counted"),
        pytest.param(
            replace(ARITHMETIC, outcome=Outcome(runoff=(0, 1)), open=0),
            "Decided by arithmetic: Heron and Wren go into a run-off; no station is open any more.",
            id="run-off",
        ),
        pytest.param(
            replace(ARITHMETIC, outcome=Outcome(elected=(0, 2), seats=(4, 0, 1)), open=0),
            "Decided by arithmetic: the seats are Heron 4 and Finch 1; no station is open any more.",
            id="seats",
        ),
        pytest.param(
            replace(ARITHMETIC, outcome=Outcome(elected=(0, 2)), open=0),
            "Decided by arithmetic: Heron and Finch are elected; no station is open any more.",
            id="several places",
        ),
        pytest.param(
            replace(ARITHMETIC, unit="north", open=0),
            "Decided by arithmetic: in north, Heron comes first; no station is open any more.",
            id="nobody is elected by a part",
        ),
        pytest.param(
            replace(CALL, reasons=("tie",), outcome=Outcome(tied=(0, 1), open_seats=1), clauses=(), leads=()),
            "Not decided: Heron and Wren are level for the place; nobody is ahead with 80 of 100 stations counted.",
            id="tie",
        ),
        pytest.param(
            replace(CALL, reasons=("tie",), outcome=Outcome(elected=(2,), tied=(0, 1), open_seats=1), clauses=(), leads=()),
            "Not decided: Heron and Wren are level for the last place; nobody is ahead with 80 of 100 stations counted.",
            id="tie for the last of several places",
        ),
        pytest.param(
            replace(
                CALL, reasons=("tie",), outcome=Outcome(seats=(0, 0, 0), tied=(0, 1, 2), open_seats=2), clauses=(), leads=()
            ),
            "Not decided: Heron, Wren and Finch are level for 2 seats; nobody is ahead with 80 of 100 stations counted.",
            id="tie for seats",
        ),
        pytest.param(
            replace(CALL, reasons=("recount-band",), clauses=((replace(LEAD, condition=SEAT, value=40, band=60),),)),
            "Not decided: Heron leads Wren by 700 votes with 80 of 100 stations counted; it hangs on whether Wren takes its last "
            "seat before Finch takes another one, which is so close that a recount may change the outcome.",
            id="recount band of another condition than the lead",
        ),
        pytest.param(
            replace(
                CALL,
                outcome=Outcome(elected=(1,), rounds=(Round((30, 31, 2), 0),)),
                clauses=((replace(LEAD, condition=lead(1, 0, 3), value=90, sensitivity=None),),),
                leads=(),
                reasons=("outstanding-exceeds-lead",),
            ),
            "Not decided: Wren survives the instant run-off so far with 80 of 100 stations counted, and up to 2,200 ballots can "
            "still come, which is enough to change the outcome; it hangs on whether Wren has more votes than Heron.",
            id="instant run-off",
        ),
        pytest.param(
            replace(CALL, reasons=("recount-band",)),
            "Not decided: Heron leads Wren by 700 votes with 80 of 100 stations counted, so close that a recount "
            "may change the outcome.",
            id="recount band",
        ),
    ],
)  # fmt: skip
def test_sentences(call: Call, expected: str) -> None:
    assert sentence(call) == expected


def test_unknown_rolls_uncommitted_settings_and_what_is_at_stake_are_said() -> None:
    unbounded = sentence(replace(CALL, open_ballots=None, slack=None, reasons=("inputs",)))
    assert "nothing bounds what 20 open stations can still add, because rolls are missing" in unbounded
    assert "were not committed before the first result" in sentence(replace(CALL, committed=False))
    assert "not committed" not in sentence(replace(ARITHMETIC, committed=False))
    half = replace(LEAD, condition=above(0, Fraction(1, 2), candidates=3, need=STRICT), value=90)
    text = sentence(replace(CALL, clauses=((half,),)))
    assert "Heron leads Wren by 700 votes" in text
    assert "it hangs on whether Heron has more than 50% of the valid votes" in text
    assert "stations less favourable to Heron" in text
    tested = replace(CALL, reasons=("outstanding-exceeds-lead", "test-not-passed"))
    assert sentence(tested).endswith("the sequential test has not passed yet.")


def test_candidates_are_called_by_the_names_of_the_contest_and_questions_are_not_elected() -> None:
    chair = Contest("chair", "Chair", "plurality", tuple(Option(name, f"{name} of the Marsh") for name in NAMES))
    assert "Heron of the Marsh is elected" in sentence(ARITHMETIC, chair)
    assert all("Wren of the Marsh" in text for text in explanations(CALL, chair)[1:])
    question = Contest("bridge", "Bridge", "yes-no", (Option("yes", "Yes"), Option("no", "No")))
    adopted = replace(ARITHMETIC, candidates=("yes", "no"), clauses=(), leads=())
    assert "the question has the votes it needs" in sentence(adopted, question)
    rejected = replace(adopted, outcome=Outcome(elected=(1,)))
    assert "the question does not have the votes it needs" in sentence(rejected, question)


def test_the_weakest_condition_is_the_one_that_flips_first() -> None:
    certain = replace(LEAD, verdict="arithmetic", reasons=(), sensitivity=None, value=9)
    unmoved = replace(DECIDED, sensitivity=Sensitivity(None, 100, ()), value=10)
    nearer = replace(DECIDED, sensitivity=Sensitivity(330, 100, ()), value=11)
    assert weakest(replace(CALL, clauses=((certain,), (unmoved,), (DECIDED,), (nearer,)))) is nearer
    assert weakest(replace(CALL, clauses=((certain,), (unmoved,)))) is unmoved
    assert weakest(replace(CALL, clauses=((LEAD, nearer), (DECIDED,)))) is nearer
    assert weakest(replace(CALL, clauses=((certain,), (LEAD,)))) is LEAD
    assert weakest(NOTHING) is None


FORMS = [
    (lead(0, 1, 3), "Heron has more votes than Wren"),
    (replace(lead(0, 1, 3), need=0), "Heron has at least as many votes as Wren"),
    (replace(lead(0, 1, 3), need=5), "Heron has at least 5 votes more than Wren"),
    (above(2, Fraction(1, 2), candidates=3, need=STRICT), "Finch has more than 50% of the valid votes"),
    (above(0, Fraction(2, 5), candidates=3, need=NOT_BELOW, base="cast"), "Heron has at least 40% of the ballots cast"),
    (above(0, Fraction(1, 3), candidates=3, need=STRICT), "Heron has more than 33.33% of the valid votes"),
    (above(0, Fraction(1, 2), candidates=1, need=STRICT, base="cast"), "Heron has more than 50% of the ballots cast"),
    (below(0, Fraction(1, 20), candidates=3, need=STRICT, favours=1), "Heron has less than 5% of the valid votes"),
    (below(1, Fraction(1, 2), candidates=3, need=NOT_BELOW, favours=0), "Wren has at most 50% of the valid votes"),
    (ahead(0, 1, Fraction(1, 10), candidates=3, base="valid"), "Heron is at least 10% of the valid votes ahead of Wren"),
    (ahead(0, 1, Fraction(1, 10), candidates=2, base="cast"), "Heron is at least 10% of the ballots cast ahead of Wren"),
    (short(0, 1, Fraction(1, 10), candidates=3, base="valid"), "Heron is less than 10% of the valid votes ahead of Wren"),
    (ahead(0, None, Fraction(1, 10), candidates=1, base="cast"),
     "Heron is at least 10% of the ballots cast ahead of all others"),
    (linear("short:0:1", 1, 0, {0: -1, 1: 1}, candidates=3, need=NOT_BELOW), "Heron does not lead Wren"),
    (linear("seat:0:1", 0, 1, {0: Fraction(1, 3), 1: Fraction(-1, 2)}, candidates=3, need=STRICT),
     "Heron takes its last seat before Wren takes another one"),
    (Condition("elimination:0:1", 0, 1, (1, -1, 0), 0, 1), "Wren leaves the instant run-off before Heron"),
    (Condition("margin:x:y", 0, 1, (9, -11, -1), 0, 4), "the weighted sum of votes margin:x:y is at least 4"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "expected"), FORMS, ids=[text for _, text in FORMS])
def test_conditions(condition: Condition, expected: str) -> None:
    assert condition_sentence(condition, NAMES) == expected


@pytest.mark.parametrize(
    ("sensitivity", "expected"),
    [
        pytest.param(
            FLIPS, ["It would flip only if, in every region at once", "favour Wren", "2.1 times", "is 1.4."], id="plain"
        ),
        pytest.param(Sensitivity(205, 100, ()), ["2.05 times", "no such difference has been seen so far."], id="nothing seen"),
        pytest.param(Sensitivity(205, None, ()), ["already differed", "more than any such difference explains."], id="more seen"),
        pytest.param(Sensitivity(None, 170, ()), ["No such difference", "would flip it", "is 1.7."], id="nothing flips"),
        pytest.param(
            Sensitivity(100, 170, ()), ["even if the outstanding stations were like the counted ones."], id="flips as is"
        ),
        pytest.param(
            Sensitivity(100, 170, ("North",)),
            ["like the counted ones wherever enough of those are counted, counting for Wren every ballot from North (a region"],
            id="flips with one uncovered",
        ),
        pytest.param(
            Sensitivity(220, 170, ("North",)),
            ["counting for Wren every ballot from North (a region with too few counted stations)"],
            id="one uncovered",
        ),
        pytest.param(
            Sensitivity(None, 170, ("A", "B", "C", "D", "E", "F")),
            ["No such difference", "every ballot from A, B, C, D and 2 more (regions with too few"],
            id="many uncovered",
        ),
    ],
)
def test_sensitivity(sensitivity: Sensitivity, expected: list[str]) -> None:
    text = sensitivity_sentence(sensitivity, LEAD.condition, NAMES).replace(" of the same region", "")
    for part in expected:
        assert part in text


def test_nothing_was_seen_where_the_order_is_not_known() -> None:
    unordered = replace(CALL, ordered=False, clauses=((replace(LEAD, sensitivity=Sensitivity(210, 100, ())),),))
    for text in (sentence(unordered), explanations(unordered)[1]):
        assert "in which order the stations reported is not known" in text
        assert "seen so far" not in text


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("call", [CALL, NOTHING, INCOHERENT, STATISTICS, replace(CALL, open_ballots=None, slack=None)])
def test_every_reason_is_explained_with_what_would_change_it(call: Call, reason: Reason) -> None:
    (text,) = explanations(replace(call, reasons=(reason,)))
    assert text[0].isupper()
    assert text.endswith(".")
    assert any(word in text for word in ("change", "once", "can", "needs")), text


@pytest.mark.parametrize(
    ("reason", "parts"),
    [
        ("outstanding-exceeds-lead", ["2,200 ballots", "700 of them", "fewer than 700"]),
        ("order-sensitive", ["2.1 times", "above gamma 3"]),
        ("order-seen", ["by 1.4", "goes on so", "gamma 3"]),
        ("sizes-seen", ["up to 1 times", "gamma 3"]),
        ("stratum-uncovered", ["Fewer than 30 stations"]),
        ("test-not-passed", ["risk of 5%", "that Heron has more votes than Wren"]),
        ("recount-band", ["lead of 700 votes", "band of 20"]),
        ("not-committed", ["before the first result"]),
        ("tie", ["The candidates are level"]),
        ("inputs", ["roll of an open station is missing"]),
    ],
)
def test_explanations_carry_their_figures(reason: Reason, parts: list[str]) -> None:
    (text,) = explanations(replace(CALL, reasons=(reason,)))
    for part in parts:
        assert part in text


def test_what_was_seen_of_another_condition_says_of_which() -> None:
    seen = replace(LEAD, reasons=("order-seen",), sensitivity=Sensitivity(None, 200, ()), condition=lead(0, 2, 3))
    (text,) = explanations(replace(CALL, reasons=("order-seen",), clauses=((LEAD,), (seen,))))
    assert text.startswith("On whether Heron has more votes than Finch, later stations")
    (own,) = explanations(replace(CALL, reasons=("order-seen",), clauses=((replace(LEAD, reasons=("order-seen",)),),)))
    assert own.startswith("Later stations")


@pytest.mark.parametrize(
    ("condition", "value", "votes"),
    [
        (lead(0, 1, 3), 700, "700"),
        # 886 votes of 1543: 40 % are 617.2, and 10 points are 154.3 of a lead of 229.
        (above(0, Fraction(2, 5), candidates=2, need=NOT_BELOW), 5 * 886 - 2 * 1543, "268.8"),
        (below(0, Fraction(2, 5), candidates=2, need=NOT_BELOW, favours=1), 2 * 1543 - 5 * 886, "−268.8"),
        (ahead(0, 1, Fraction(1, 10), candidates=2, base="valid"), 10 * 229 - 1543, "74.7"),
        (short(0, 1, Fraction(1, 10), candidates=2, base="valid"), 1543 - 10 * 229, "−74.7"),
        (linear("seat:0:1", 0, 1, {0: Fraction(1, 3), 1: Fraction(-1, 2)}, candidates=2, need=STRICT), 2 * 90 - 3 * 50, "15"),
    ],
)
def test_values_of_conditions_in_votes(condition: Condition, value: int, votes: str) -> None:
    assert votes_text(condition, value, NAMES[: len(condition.weights)]) == votes


def test_some_words_are_never_said() -> None:
    reasons: tuple[Reason, ...] = get_args(Reason)
    for call in (CALL, STATISTICS, ARITHMETIC, INCOHERENT, NOTHING):
        said = " ".join((sentence(call), *explanations(replace(call, reasons=reasons)))).lower()
        assert not [word for word in ("trend", "irreversible", "fraud", "winner") if word in said]
        if call.verdict in ("not-decided", "not-coherent"):
            assert "elected" not in said


def test_a_baseline_is_named_where_the_verdict_rests_on_it() -> None:
    assert "earlier election" in sentence(replace(CALL, baseline=True))
    assert "earlier election" in sentence(replace(STATISTICS, baseline=True))
    assert "earlier election" not in sentence(CALL) + sentence(STATISTICS) + sentence(replace(NOTHING, baseline=True))


class Hushed(PlainSay):
    """Says dots instead of letters, so that words which nobody said stand out."""

    def _ready(self, said: str) -> str:
        return re.sub(r"\{\w+\}|[^\W\d]", lambda found: found[0] if found[0][0] == "{" else "·", said)


@pytest.mark.parametrize("call", [CALL, STATISTICS, ARITHMETIC, INCOHERENT, NOTHING, replace(CALL, baseline=True, unit="north")])
def test_every_word_can_be_said_in_another_language(call: Call) -> None:
    say = Hushed(language("es"))
    call = replace(call, incoherent=("9.",) if call.incoherent else ())
    every = replace(call, reasons=get_args(Reason))
    for text in (sentence(call, say=say), *sentences(call, say=say), *explanations(every, say=say), verdict_name(call, say=say)):
        assert set(re.findall(r"[^\W\d]+", text)) <= {*NAMES, "north"}


def test_a_call_in_html_keeps_names_apart_and_escapes_them() -> None:
    names = ("<b>Heron</b>", "Wren & Co", "Finch")
    call = replace(CALL, candidates=names)
    said = sentence(call, say=HtmlSay(language("en")))
    assert "<bdi>&lt;b&gt;Heron&lt;/b&gt;</bdi> leads <bdi>Wren &amp; Co</bdi> by 700 votes" in said
    assert unescape(re.sub("</?bdi>", "", said)) == sentence(call)
    for text in (said, *explanations(call, say=HtmlSay(language("fr")))):
        assert isinstance(text, Markup)
        assert set(re.findall("<[^>]*>", text)) <= {"<bdi>", "</bdi>"}


def test_two_sentences_say_what_one_says() -> None:
    for call in (CALL, STATISTICS, ARITHMETIC):
        first, rest = sentences(call)
        assert f"{first[:-1]}; {rest[0].lower()}{rest[1:]}" == sentence(call)
    assert sentences(NOTHING) == (sentence(NOTHING), "")
