"""What is said in each language: messages with values, numbers, shares, times; as plain text and as HTML."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from catalogue_helpers import speaking
from scrutineer.errors import UsageError
from scrutineer.language import ENGLISH, LANGUAGES, HtmlSay, PlainSay, Say, has_date, language, msg

PLAIN = {code: PlainSay(language(code)) for code in LANGUAGES}
HTML = HtmlSay(language("en"))
LATER = msg("{leader} is ahead.")


def test_values_are_put_in_and_whole_numbers_are_written_as_numbers() -> None:
    assert ENGLISH("{leader} leads by {votes}.", leader="Heron", votes=1_204) == "Heron leads by 1,204."
    assert ENGLISH.later(LATER, leader="Wren") == "Wren is ahead."
    assert ENGLISH("{known}", known=True) == "True"
    assert ENGLISH("Nothing to put in.") == "Nothing to put in."


def test_braces_that_are_meant_are_doubled_with_and_without_values() -> None:
    assert ENGLISH("{{x}}") == "{x}"
    assert ENGLISH("{{x}} is {y}", y=1) == "{x} is 1"


def test_a_message_that_depends_on_a_number() -> None:
    assert [ENGLISH.several("{n} vote", "{n} votes", n) for n in (0, 1, 2, 1_000)] == [
        "0 votes",
        "1 vote",
        "2 votes",
        "1,000 votes",
    ]
    assert HTML.several("{who} is level", "{who} are level", 2, who="A & B") == Markup("A &amp; B are level")


def test_arabic_has_six_forms() -> None:
    forms = "\n".join(f'msgstr[{place}] "{{n}} form-{place}"' for place in range(6))
    say = PlainSay(speaking("ar", f'msgid "{{n}} vote"\nmsgid_plural "{{n}} votes"\n{forms}\n'))
    numbers = {0: 0, 1: 1, 2: 2, 3: 3, 10: 3, 11: 4, 99: 4, 100: 5, 102: 5, 103: 3, 111: 4, 1_000: 5, 1_000_003: 3}
    assert {n: int(say.several("{n} vote", "{n} votes", n)[-1]) for n in numbers} == numbers


@pytest.mark.parametrize(("code", "one"), [("es", {1}), ("pt", {1}), ("fr", {0, 1})])
def test_when_a_number_counts_as_one(code: str, one: set[int]) -> None:
    say = PlainSay(speaking(code, 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "one"\nmsgstr[1] "many"\n'))
    assert {n for n in range(200) if say.several("a", "b", n) == "one"} == one


def test_what_has_no_translation_is_said_in_english() -> None:
    say = PlainSay(speaking("es", 'msgid "a"\nmsgstr ""\n'))
    assert [say("a"), say("not there {n}", n=1_000)] == ["a", "not there 1.000"]


# --- HTML ---------------------------------------------------------------------------------------------------------------


def test_everything_but_html_is_escaped() -> None:
    assert HTML("{first} < {second}", first="<b>", second=Markup("<i>x</i>")) == Markup("&lt;b&gt; &lt; <i>x</i>")
    assert HTML.name('<Heron> & "Wren"') == Markup("<bdi>&lt;Heron&gt; &amp; &#34;Wren&#34;</bdi>")
    assert HTML.listed(["<a>", Markup("<b>b</b>")]) == Markup("&lt;a&gt; and <b>b</b>")
    assert HTML.joined(["<a>", "", Markup("<b>b</b>")], " < ") == Markup("&lt;a&gt; &lt; <b>b</b>")
    assert all(isinstance(said, Markup) for said in (HTML("a"), HTML.later("a"), HTML.several("a", "b", 1), HTML.name("a")))


def test_names_cannot_turn_the_text_around_them() -> None:
    assert HTML.name("a\u202eb\x00c\nd") == Markup("<bdi>a\ufffdb\ufffdc\nd</bdi>")
    assert ENGLISH.name("a b") == "a b"


def test_sentences_begin_with_a_capital_letter_but_tags_stay() -> None:
    assert ENGLISH.capital("it would flip") == "It would flip"
    assert HTML.capital(HTML("it & {who}", who=HTML.name("wren"))) == Markup("It &amp; <bdi>wren</bdi>")
    assert HTML.capital(HTML.name("wren")) == Markup("<bdi>wren</bdi>")


@given(st.text(), st.text())
def test_html_says_what_plain_text_says(first: str, second: str) -> None:
    said = HTML("{first} leads {second} by {n}.", first=first, second=second, n=1_000)
    assert said.unescape() == ENGLISH("{first} leads {second} by {n}.", first=first, second=second, n=1_000)
    assert "<" not in said


# --- rows of words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "listed"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b, c and d")]
)
def test_words_in_a_row(words: list[str], listed: str) -> None:
    assert ENGLISH.listed(words) == listed
    assert HTML.listed(words) == listed


# --- figures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "number", "percent", "points", "decimal"),
    [
        ("en", "1,234,567", "35.69%", "−0.35", "12,345.67"),
        ("es", "1.234.567", "35,69\u00a0%", "−0,35", "12.345,67"),
        ("fr", "1\u202f234\u202f567", "35,69\u00a0%", "−0,35", "12\u202f345,67"),
        ("pt", "1.234.567", "35,69%", "−0,35", "12.345,67"),
        # Marks keep signs and figures in their order where the text runs from right to left.
        ("ar", "1,234,567", "35.69\u200e%\u200e", "\u200e−0.35", "12,345.67"),
    ],
)
def test_figures_as_each_language_writes_them(code: str, number: str, percent: str, points: str, decimal: str) -> None:
    say = PLAIN[code]
    assert say.number(1_234_567) == number
    assert say.percent(3_569, 10_000) == percent
    assert say.points(-35) == points
    assert say.decimal(Fraction(1_234_567, 100)) == decimal


def test_english_figures() -> None:
    assert [ENGLISH.number(value) for value in (0, 999, 1_000, -1, -1_000)] == ["0", "999", "1,000", "−1", "−1,000"]
    # Halves are rounded up; a whole that is zero has no shares.
    assert [ENGLISH.percent(*given) for given in ((1, 3), (1, 8), (1, 20_000), (2, 1), (0, 0))] == [
        "33.33%", "12.50%", "0.01%", "200.00%", "–",
    ]  # fmt: skip
    assert [ENGLISH.decimal(Fraction(value)) for value in ("3", "5/2", "-1/20", "1/3", "1999/1000", "-1/1000")] == [
        "3", "2.5", "−0.05", "0.33", "2", "0",
    ]  # fmt: skip
    assert [ENGLISH.share(Fraction(value)) for value in ("2/5", "1/400", "1/3")] == ["40%", "0.25%", "33.33%"]
    assert [ENGLISH.points(value) for value in (700, -35, 0, 123_456)] == ["+7.00", "−0.35", "0.00", "+1,234.56"]


def read_number(say: Say, text: str) -> Fraction:
    """A number as a reader of the language reads it."""
    symbols = say.language.symbols
    sign = -1 if text.startswith(symbols.minus) else 1
    bare = text.removeprefix(symbols.minus).removeprefix(symbols.plus).replace(symbols.group, "").replace(symbols.decimal, ".")
    return sign * Fraction(bare)


@given(st.sampled_from(LANGUAGES), st.integers())
def test_whole_numbers_are_read_back(code: str, value: int) -> None:
    say = PLAIN[code]
    written = say.number(value)
    assert read_number(say, written) == value
    groups = written.removeprefix(say.language.symbols.minus).split(say.language.symbols.group)
    assert all(len(group) == 3 for group in groups[1:])
    assert 1 <= len(groups[0]) <= 3


@given(st.sampled_from(LANGUAGES), st.fractions(), st.integers(1, 6))
def test_decimals_are_read_back_as_near_as_their_places_say(code: str, value: Fraction, places: int) -> None:
    say = PLAIN[code]
    written = say.decimal(value, places)
    assert abs(read_number(say, written) - value) <= Fraction(1, 2 * 10**places)
    # The mark of the decimals is there only with a figure behind it that is not zero.
    head, mark, tail = written.partition(say.language.symbols.decimal)
    assert head
    assert bool(mark) == bool(tail)
    assert not tail.endswith("0")


@given(st.sampled_from(LANGUAGES), st.integers(-1_000_000, 1_000_000))
def test_points_are_read_back(code: str, value: int) -> None:
    written = PLAIN[code].points(value)
    assert read_number(PLAIN[code], written) == Fraction(value, 100)
    assert written.startswith((PLAIN[code].language.symbols.plus, PLAIN[code].language.symbols.minus)) == (value != 0)


@given(st.sampled_from(LANGUAGES), st.integers(0, 10**12), st.integers(1, 10**12))
def test_shares_are_read_back(code: str, part: int, whole: int) -> None:
    say = PLAIN[code]
    before, after = say.language.symbols.percent
    written = say.percent(part, whole)
    read = read_number(say, written.removeprefix(before).removesuffix(after))
    assert abs(read - Fraction(100 * part, whole)) <= Fraction(1, 200)


# --- times --------------------------------------------------------------------------------------------------------------

AT = 1_750_000_000  # 2025-06-15 15:06:40 UTC


@pytest.mark.parametrize(
    ("code", "time", "day"),
    [
        ("en", "Jun 15, 2025 15:06:40 UTC", "March 4, 2026"),
        ("es", "15 jun 2025 15:06:40 UTC", "4 de marzo de 2026"),
        ("fr", "15 juin 2025 15:06:40 UTC", "4 mars 2026"),
        ("pt", "15 de jun. de 2025 15:06:40 UTC", "4 de março de 2026"),
        ("ar", "15 يونيو 2025 15:06:40 UTC", "4 مارس 2026"),
    ],
)
def test_times_as_each_language_writes_them(code: str, time: str, day: str) -> None:
    assert PLAIN[code].time(AT) == time
    assert PLAIN[code].date("2026-03-04") == day
    assert PLAIN[code].clock(AT) == "15:06"


@pytest.mark.parametrize(
    ("zone", "offset", "clock"),
    [
        ("Asia/Kathmandu", "UTC+5:45", "20:51"),
        ("America/St_Johns", "UTC−2:30", "12:36"),
        ("Africa/Nairobi", "UTC+3", "18:06"),
        ("UTC", "UTC", "15:06"),
    ],
)
def test_times_name_the_zone_that_they_are_told_in(zone: str, offset: str, clock: str) -> None:
    say = PlainSay(language("en"), ZoneInfo(zone))
    assert say.time(AT).endswith(f" {offset}")
    assert say.clock(AT) == clock


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 2**63])
def test_a_time_that_no_calendar_has_is_said_as_a_number(seconds: int) -> None:
    assert ENGLISH.time(seconds) == f"{ENGLISH.number(seconds)} seconds after 1970 (UTC)"
    assert ENGLISH.day(seconds) == ENGLISH.time(seconds)
    assert ENGLISH.clock(seconds) == "–"
    assert not has_date(seconds)


@given(st.sampled_from(LANGUAGES), st.integers(0, 253_402_214_399), st.integers(-14 * 60, 14 * 60))
def test_every_time_can_be_told(code: str, seconds: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert has_date(seconds)
    at = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    said = PlainSay(language(code), zone).time(seconds)
    assert f"{at:%H:%M:%S}" in said
    assert str(at.day) in said
    assert str(at.year) in said


@given(st.sampled_from(LANGUAGES), st.dates(min_value=date(1970, 1, 1)))
def test_every_day_can_be_written(code: str, day: date) -> None:
    written = PLAIN[code].date(day.isoformat())
    assert str(day.year) in written
    assert str(day.day) in written


# --- languages ----------------------------------------------------------------------------------------------------------


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of en, es, fr, pt, ar"):
        language("xx")


def test_languages_know_their_names_and_directions() -> None:
    assert [language(code).name for code in LANGUAGES] == ["English", "Español", "Français", "Português", "العربية"]
    assert [code for code in LANGUAGES if language(code).direction == "rtl"] == ["ar"]
