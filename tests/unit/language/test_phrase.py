"""Sentences that are made once and said in any language."""

import copy
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from catalogue_helpers import speaking
from scrutineer.language import ENGLISH, HtmlSay, Phrase, PlainSay, Quantity, Row, language

SPANISH = PlainSay(
    speaking(
        "es",
        'msgid "{leader} leads by {votes}"\nmsgstr "con {votes} aventaja {leader}"\n\n'
        'msgid "{n} vote"\nmsgid_plural "{n} votes"\nmsgstr[0] "{n} voto"\nmsgstr[1] "{n} votos"\n\n'
        'msgid "{first} and {second}"\nmsgstr "{first} y {second}"\n',
    )
)
LEAD = Phrase("{leader} leads by {votes}", leader="Heron", votes=Phrase.several("{n} vote", "{n} votes", 1_204))


def test_a_phrase_is_its_english_text_and_can_be_said_in_other_languages() -> None:
    assert LEAD == "Heron leads by 1,204 votes"
    assert isinstance(LEAD, str)
    assert LEAD.said(SPANISH) == "con 1.204 votos aventaja Heron"
    assert LEAD.said(ENGLISH) == LEAD


def test_names_in_a_phrase_are_other_peoples_words() -> None:
    phrase = Phrase("{who} & {n}", who="<b>", n=1_000)
    assert phrase.said(HtmlSay(language("fr"))) == Markup("<bdi>&lt;b&gt;</bdi> &amp; 1\u202f000")


@pytest.mark.parametrize(
    ("quantity", "english", "spanish"),
    [
        (Quantity(Fraction(5, 2)), "2", "2"),
        (Quantity(1_234.5, 1), "1,234.5", "1.234,5"),
        (Quantity(-1_204, sign=True), "−1,204", "−1.204"),
        (Quantity(0, sign=True), "+0", "+0"),
        (Quantity(Fraction(1, 3), 2, share=True), "33.33%", "33,33\u00a0%"),
        (Quantity(Fraction(1, 2), 6, share=True, exact=True), "50%", "50\u00a0%"),
        (Quantity(Fraction(1, 4), 1, exact=True), "0.3", "0,3"),
    ],
)
def test_quantities_are_written_as_the_language_does(quantity: Quantity, english: str, spanish: str) -> None:
    assert quantity.said(ENGLISH) == english
    assert quantity.said(SPANISH) == spanish


def test_rows() -> None:
    parts = ("a", Phrase("b"), "", 1_000)
    assert Phrase("{row}", row=Row.of(parts)) == "a, b, 1,000"
    assert Phrase("{row}", row=Row.of(parts, "clauses")) == "a; b; 1,000"
    assert Phrase("{row}", row=Row.of(parts, "sentences")) == "a b 1,000"
    assert Phrase("{row}", row=Row.of(parts, "list")).said(SPANISH) == "a, b y 1.000"
    assert [Phrase("{row}", row=Row.of((), kind)) for kind in ("words", "clauses", "sentences", "list")] == [""] * 4


def test_phrases_can_be_copied_and_sent_to_another_process() -> None:
    braces = Phrase("{who} {{x}}", who="{y}")
    for phrase in (LEAD, braces):
        for again in (copy.copy(phrase), copy.deepcopy(phrase), pickle.loads(pickle.dumps(phrase))):
            assert again == phrase
            assert again.said(SPANISH) == phrase.said(SPANISH)


@given(st.text(), st.integers())
def test_what_a_phrase_says_in_english_is_its_text(who: str, n: int) -> None:
    phrase = Phrase("{who}: {n}", who=who, n=n)
    assert phrase == phrase.said(ENGLISH) == f"{who}: {ENGLISH.number(n)}"
