"""A claim as a file: read with every fault at its place, and the same as the statement that quotes it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.claim_file import MAX_CLAIM_FILE, parse_claims, write_claims
from scrutineer.calls.claims.claim_statement import from_statement, to_statement
from scrutineer.calls.claims.percent import Percent
from scrutineer.errors import CallError
from scrutineer.statements import Claim, SigningKey, parse_statement, sign_statement
from strategies.payloads import claims

GOOD = """\
[claim]
announced_by = "Aviary Electoral Commission"
announced_at = "2026-06-07 22:30"
source = "https://gazette.example/night"
contest = "president"
counted = "80 %"
stations = 1_000
roll = 21_400
turnout = "59,97 %"
base = "valid"

[[claim.figures]]
name = "Grey Heron"
option = "heron"
votes = 5_150
percent = "51.20%"

[[claim.figures]]
name = "all others"
percent = "48.8"
others = true
"""


def read(text: str) -> tuple[Announcement, ...]:
    return parse_claims(text.encode(), "claim.toml")


def refused(text: str) -> str:
    with pytest.raises(CallError) as caught:
        read(text)
    return str(caught.value)


def test_a_file_is_read_as_written() -> None:
    assert read(GOOD) == (
        Announcement(
            "Aviary Electoral Commission",
            "2026-06-07 22:30",
            "https://gazette.example/night",
            "president",
            (
                Figure("Grey Heron", 5150, Percent("51.20"), option="heron"),
                Figure("all others", None, Percent("48.8"), others=True),
            ),
            counted_percent=Percent("80"),
            stations=1000,
            roll=21400,
            turnout_percent=Percent("59.97"),
            base="valid",
        ),
    )


def test_announcements_keep_their_order() -> None:
    (one,) = read(GOOD)
    section = GOOD.replace("[claim]", "[[announcement]]").replace("claim.figures", "announcement.figures")
    again = read(f"{section}\n{section.replace('22:30', '23:30')}")
    assert [announcement.when[-5:] for announcement in again] == ["22:30", "23:30"]
    assert again[0] == one


def test_an_option_may_stand_for_its_name() -> None:
    (announcement,) = read(GOOD.replace('name = "Grey Heron"\n', ""))
    assert announcement.figures[0].name == "heron"


FAULTS: dict[str, tuple[str, str, str]] = {
    "percent as a number": ('"51.20%"', "51.20", "line 16, claim.figures[1].percent: 51.2 is a decimal number; write text"),
    "percent above 100": ('"51.20%"', '"151.20 %"', "line 16, claim.figures[1].percent: percentage '151.20' is above 100"),
    "percent in words": ('"51.20%"', '"half"', "line 16, claim.figures[1].percent: percentage 'half': write digits"),
    "votes as a text": (
        "votes = 5_150",
        'votes = "5150"',
        "line 15, claim.figures[1].votes: '5150' is text; write a whole number",
    ),
    "votes below zero": ("votes = 5_150", "votes = -1", "line 15, claim.figures[1].votes: -1 is out of range"),
    "misspelt key": ("votes = 5_150", "voes = 5_150", "line 15, claim.figures[1].voes: no such key; write 'votes'"),
    "misspelt section": ("turnout =", "turn_out =", "line 9, claim.turn_out: no such key; write 'turnout'"),
    "unknown base": ('"valid"', '"votes"', "line 10, claim.base: 'votes' is not known here; write one of cast, roll, valid"),
    "no source": ('source = "https://gazette.example/night"\n', "", "line 1, claim.source: missing; write source ="),
    "empty source": ('"https://gazette.example/night"', '" "', "line 4, claim.source: empty"),
    "no stations at all": ("1_000", "0", "line 1, claim: a contest without stations or voters"),
    "not a list of figures": ("[[claim.figures]]\nname", "[claim.figures]\nname", "line 18: not readable as TOML"),
    "figure without a name": ('name = "all others"\n', "", "line 18, claim.figures[2].name: missing"),
    "figure without numbers": ('percent = "48.8"\n', "", "line 18, claim.figures[2]: option 'all others' has neither votes nor"),
    "not TOML": ("[claim]", "[claim", "line 1: not readable as TOML"),
    "too long": ("Grey Heron", "x" * 3000, "line 13, claim.figures[1].name: 3000 characters are more than 2000"),
    "same name twice": ("all others", "Grey Heron", "line 1, claim: the option 'Grey Heron' is listed twice"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(fault: str) -> None:
    old, new, message = FAULTS[fault]
    assert old in GOOD
    text = refused(GOOD.replace(old, new, 1))
    assert text.startswith(f"claim.toml, {message}"), text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "claim.toml, line 1, claim: missing; add a section [claim]"),
        ("[claim]\n", "claim.toml, line 1, claim.announced_at: missing"),
        ("claim = 5\n", "claim.toml, line 1, claim: 5 is a whole number"),
        ("announcement = 5\n", "claim.toml, line 1, announcement: not a list of tables"),
        (f"{GOOD}[[announcement]]\n", "claim.toml, line 22, announcement: a file has one section [claim] or several"),
        (f"{GOOD}[other]\n", "claim.toml, line 22, other: no such key"),
        (
            '[claim]\nannounced_by = "a"\nannounced_at = "b"\nsource = "c"\n',
            "claim.toml, line 1, claim: missing; add a section [[claim.figures]]",
        ),
        ("[[announcement]]\n" * 51, "claim.toml, line 1, announcement: 51 announcements are more than 50"),
    ],
)
def test_a_file_without_a_claim(text: str, message: str) -> None:
    assert message in refused(text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"#" * (MAX_CLAIM_FILE + 1), b"a = [" * 3000], ids=range(4))
def test_bytes_that_are_no_file(data: bytes) -> None:
    with pytest.raises(CallError, match=r"^claim\.toml"):
        parse_claims(data, "claim.toml")


@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_damaged_files_are_refused_or_read(noise: bytes, at: int, removed: int) -> None:
    data = GOOD.encode()
    message = "claim.toml"
    try:
        parse_claims(data[:at] + noise + data[at + removed :], "claim.toml")
    except CallError as error:
        message = str(error)
    assert message.startswith("claim.toml")


@given(claims())
@settings(max_examples=150, deadline=None)
def test_file_statement_and_announcement_are_the_same(claim: Claim) -> None:
    announcement = from_statement(claim)
    assert to_statement(announcement, claim.election) == claim
    assert read(write_claims([announcement])) == (announcement,)
    assert read(write_claims([announcement, announcement])) == (announcement, announcement)


def test_a_signed_claim_gives_the_file_back() -> None:
    (announcement,) = read(GOOD)
    data = sign_statement(to_statement(announcement, bytes(32)), "observer/ibis", SigningKey(b"\x07" * 32))
    payload: Any = parse_statement(data).payload
    assert from_statement(payload) == announcement
    assert read(write_claims([from_statement(payload)])) == (announcement,)
