"""The printed sheet: the codes hold the signed bytes, figures say the same, unknown is a dash, names stay in place."""

import re
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

from intake_helpers import AUTHORITIES, Republic, republic, station_key
from scrutineer.election import Contest, Election, Option
from scrutineer.errors import StatementError
from scrutineer.statements import Statement, TallySheet, parse_statement, sign_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.qr import qr_svg, qr_svgs
from scrutineer.station.printed_sheet import SIGNERS, grouped_hash, render

REPUBLIC = republic(6)
HOSTILE = '</bdi><script>alert("1")</script>\u202e&'


def redefined(contest: Contest, of: Republic = REPUBLIC) -> Election:
    definition = msgspec.structs.replace(of.election.definition, contests=(contest,))
    return open_election(sign_statement(definition, "authority/0", AUTHORITIES[0]), of.units, of.register)


def large(options: int, name: str = "Great reed warbler") -> tuple[Statement, Election]:
    """A sheet with many options."""
    contest = Contest("lists", "Lists", "dhondt", tuple(Option(f"o{n}", f"{name} {n}") for n in range(options)), seats=9)
    election = redefined(contest)
    sheet = TallySheet(election.hash, "n1", "lists", tuple(5_000 + 1_733 * n for n in range(options)), blank=None, null=0)
    return parse_statement(sign_statement(sheet, "station/n1", station_key("n1"))), election


class Text(HTMLParser):
    """The text of a page, without its style, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def page(**changes: object) -> str:
    return render(parse_statement(REPUBLIC.sheet(**changes)), REPUBLIC.election)


def test_the_page_says_what_the_sheet_says() -> None:
    statement = parse_statement(REPUBLIC.sheet(counts=(1_430, 0, None), blank=None, roll=12_345, source="Form 7"))
    html = render(statement, REPUBLIC.election)
    assert re.findall(r'class="name"><bdi>(.*?)</bdi></span><span class="votes">(.*?)</span>', html) == [
        ("Heron", "1\u202f430"),
        ("Kestrel", "0"),
        ("Wren", "–"),
    ]
    figures = dict(re.findall(r"<div><dt>([^<]*)</dt><dd>([^<]*)</dd></div>", html))
    assert figures["Blank ballots"] == "–"
    assert figures["Registered voters"] == "12\u202f345"
    text = Text(html).text
    for words in ("Wetland", "Station 1", "n1", "Region n", "President", "2025-01-01", "Commission", "Simulated", "Form 7"):
        assert words in text
    assert text.count("Agent") == SIGNERS.count("Agent")
    assert "".join(grouped_hash(statement.hash)) == statement.hash.hex()
    assert all(f"<span>{group}</span>" in html for group in grouped_hash(statement.hash))
    assert "is not zero" in text
    assert qr_svg(statement.data) in html


def test_a_sheet_that_states_everything_needs_no_note() -> None:
    assert "is not zero" not in page()


def test_a_large_sheet_has_several_codes() -> None:
    statement, election = large(300)
    codes = qr_svgs(statement.data)
    html = render(statement, election)
    assert len(codes) > 1
    assert [html.count(code) for code in codes] == [1] * len(codes)
    assert [f"Part {n} of {len(codes)}" in html for n in range(1, len(codes) + 1)] == [True] * len(codes)
    assert len(re.findall(r'<li><span class="n">', html)) == 300


def test_ballots_of_a_ranked_contest_are_shown_by_order() -> None:
    html = page(contest="speaker", counts=(), rankings=(((0, 2), 7), ((1,), 5)))
    assert "1. <bdi>Heron</bdi>; 2. <bdi>Wren</bdi>" in html
    assert re.findall(r'class="votes">(.*?)<', html) == ["7", "5"]


def test_names_stay_in_their_place() -> None:
    definition = REPUBLIC.election.definition
    contest = Contest(
        "lists", HOSTILE[:-2] + "&", "plurality", (Option("a", '<img src=x onerror="1">'), Option("b", "' onload='"))
    )
    election = redefined(contest)
    sheet = TallySheet(election.hash, "n1", "lists", (1, 2), source="</dd><svg onload=1>\u202e")
    html = render(parse_statement(sign_statement(sheet, "station/n1", station_key("n1"))), election)
    assert definition.name in html
    tags = Text(html).tags
    assert set(tags) & {"script", "img", "link", "iframe", "a"} == set()
    assert tags.count("svg") == 1
    assert "\u202e" not in html
    assert "onerror" not in re.sub(r">[^<]*<", "><", html)
    assert unescape("&lt;img") in Text(html).text
    assert "default-src 'none'" in html
    assert "http" not in re.sub(r'xmlns="[^"]*"|http-equiv', "", html)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (REPUBLIC.definition, "only tally sheets"),
        (REPUBLIC.sheet(election=bytes(32)), "another election"),
        (REPUBLIC.sheet(station="nowhere"), "station or contest"),
        (REPUBLIC.sheet(contest="nothing"), "station or contest"),
        (REPUBLIC.sheet(counts=(1, 2)), "does not have the options"),
        (REPUBLIC.sheet(counts=(1, 2, 3), rankings=(((0,), 1),)), "does not have the options"),
        (REPUBLIC.sheet(contest="speaker", counts=(), rankings=(((7,), 1),)), "does not have the options"),
    ],
)
def test_what_cannot_be_printed_is_refused(statement: bytes, reason: str) -> None:
    with pytest.raises(StatementError, match=reason):
        render(parse_statement(statement), REPUBLIC.election)


@pytest.mark.parametrize("time", [0, 2**40 - 1, 253_402_300_799, None])
def test_every_time_can_be_printed(time: int | None) -> None:
    assert ("by the station’s clock" in page(time=time)) == (time is not None)
