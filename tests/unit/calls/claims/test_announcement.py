"""What an announcement refuses to be, and what it keeps."""

from fractions import Fraction

import pytest

from scrutineer.calls.claims.announcement import MAX_FIGURES, MAX_TEXT, MAX_TOTAL, Announcement, Figure
from scrutineer.calls.claims.percent import Percent
from scrutineer.errors import CallError

HERON = Figure("Heron", 10, Percent("50"))


def announce(*figures, **more):
    return Announcement("council", "tonight", "radio", "president", figures or (HERON,), **more)


def test_digits_are_kept():
    assert Percent("51.20") != Percent("51.2")
    assert Percent("51.20").share == Percent("51.2").share == Fraction(64, 125)
    assert (Percent("51.20").decimals, Percent("51.20").units, Percent("51.20").whole) == (2, 5120, 10_000)
    assert (Percent("100").decimals, Percent("100").units, Percent("100").whole) == (0, 100, 100)
    assert str(Percent("4.6")) == "4.6 %"


@pytest.mark.parametrize(
    "text", ["", "51,2", "-1", "1e2", "51.", ".5", "1.1234567", "100.1", "101", "५१", "51.2 ", "51.2\n", 51.2, None]
)
def test_what_is_no_percentage_is_refused(text):
    with pytest.raises(CallError, match="percentage"):
        Percent(text)


@pytest.mark.parametrize("votes", [-1, MAX_TOTAL + 1, 1.5, True, "10", pytest.param(10**5000, id="huge")])
def test_counts_that_cannot_be_are_refused(votes):
    with pytest.raises(CallError):
        Figure("Heron", votes)
    with pytest.raises(CallError):
        announce(roll=votes)


def test_a_figure_needs_a_name_and_something_to_say():
    with pytest.raises(CallError, match="neither votes nor a percentage"):
        Figure("Heron")
    with pytest.raises(CallError, match="is empty"):
        Figure(" ", 1)
    with pytest.raises(CallError, match="must be a Percent"):
        Figure("Heron", 1, "51.2")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Announcement("council", "", "", "", ()), "no figure"),
        (lambda: Announcement("", "", "", "", (HERON,)), "who is empty"),
        (lambda: Announcement("x" * (MAX_TEXT + 1), "", "", "", (HERON,)), "shorten"),
        (lambda: announce(HERON, HERON), "listed twice"),
        (lambda: announce(Figure("a", 1, others=True), Figure("b", 1, others=True)), "two figures"),
        (lambda: announce(*(Figure(str(index), 1) for index in range(MAX_FIGURES + 1))), "more than the 100"),
        (lambda: announce(base="all"), "base"),
        (lambda: announce(rounding="up"), "rounding"),
        (lambda: announce(roll=0), "without stations or voters"),
        (lambda: announce(stations=0), "without stations or voters"),
        (lambda: announce(turnout_percent="50"), "must be a Percent"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message):
    with pytest.raises(CallError, match=message):
        make()


def test_figures_that_contradict_each_other_can_be_expressed():
    found = announce(HERON, valid=5, cast=4, roll=3, stations=2, stations_counted=3)
    assert found.valid == 5


def test_share_counted_prefers_the_numbers_of_sheets():
    assert announce(counted_percent=Percent("80")).counted_share == Fraction(4, 5)
    assert announce(counted_percent=Percent("80"), stations=30, stations_counted=23).counted_share == Fraction(23, 30)
    assert announce().counted_share is None


def test_others_are_apart_from_named_options():
    rest = Figure("all others", percent=Percent("4.6"), others=True)
    found = announce(HERON, rest)
    assert found.others is rest
    assert found.named == (HERON,)
