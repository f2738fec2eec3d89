"""What is found where announced figures do not agree with each other."""

from dataclasses import replace

import pytest

from scrutineer.calls.claims.agreement import agreement, base_fit
from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.rounding import Span

HONEST = Announcement(
    "council",
    "tonight",
    "radio",
    "president",
    (
        Figure("Heron", 5_120, Percent("51.2")),
        Figure("Egret", 4_420, Percent("44.2")),
        Figure("all others", 460, Percent("4.6"), others=True),
    ),
    valid=10_000,
    null=150,
    blank=50,
    cast=10_200,
    percent_of_null=Percent("1.47"),
    turnout_percent=Percent("68.0"),
    roll=15_000,
    stations=40,
    stations_counted=40,
    counted_percent=Percent("100"),
)


def contradictions(**changes):
    return [finding.code for finding in agreement(replace(HONEST, **changes)).findings if finding.fits is False]


def test_honest_figures_agree():
    found = agreement(HONEST)
    assert found.coherent
    assert found.best == base_fit(HONEST, "valid", "half-up")
    assert {finding.code for finding in found.findings} == {
        "sum-of-options",
        "sum-of-parts",
        "sum-of-percentages",
        "votes-against-percentages",
        "parts-against-percentages",
        "cast-against-roll",
        "turnout",
        "counted-share",
    }
    assert all(finding.fits and finding.text for finding in found.findings)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"valid": 10_001}, ["sum-of-options", "sum-of-parts", "votes-against-percentages"]),
        ({"null": 151}, ["sum-of-parts", "parts-against-percentages"]),
        ({"cast": 10_199}, ["sum-of-parts"]),
        ({"percent_of_null": Percent("1.50")}, ["parts-against-percentages"]),
        ({"roll": 10_100}, ["cast-against-roll", "turnout"]),
        ({"turnout_percent": Percent("67.0")}, ["turnout"]),
        ({"stations_counted": 41}, ["stations"]),
        ({"stations_counted": 39}, ["counted-share"]),
        ({"valid": None, "cast": 9_000, "null": None, "blank": None, "percent_of_null": None, "turnout_percent": None},
         ["part-exceeds-total"]),
    ],
)  # fmt: skip
def test_each_slip_is_found_and_named(changes, codes):
    assert contradictions(**changes) == codes


def test_a_wrong_percentage_leaves_no_total():
    changed = zip(HONEST.figures, ("52.1", "43.3", "4.6"), strict=True)
    figures = tuple(replace(figure, percent=Percent(text)) for figure, text in changed)
    assert contradictions(figures=figures) == ["votes-against-percentages"]
    found = agreement(replace(HONEST, figures=figures))
    assert found.best is None
    finding = next(finding for finding in found.findings if finding.fits is False)
    assert "no total fits" in finding.text
    assert finding.explanations


def test_percentages_above_one_hundred():
    figures = (Figure("Heron", percent=Percent("61.2")), Figure("Egret", percent=Percent("44.2")))
    found = agreement(Announcement("council", "", "", "", figures))
    assert [finding.code for finding in found.findings if finding.fits is False] == ["sum-of-percentages"]
    assert "105.4%" in found.findings[0].text


def test_percentages_slightly_above_one_hundred_can_be_rounded():
    figures = tuple(Figure(name, percent=Percent("16.67")) for name in ("a", "b", "c", "d", "e", "f"))
    assert agreement(Announcement("council", "", "", "", figures)).coherent
    assert not agreement(Announcement("council", "", "", "", figures, rounding="truncation")).coherent


def test_bases_are_told_apart():
    figures = (Figure("Heron", 400, Percent("40.0")), Figure("Egret", 300, Percent("30.0")))
    found = agreement(Announcement("council", "", "", "", figures, valid=700, null=300, cast=1_000, roll=2_000))
    assert {fit.base for fit in found.fits if fit.fits} == {"cast"}
    stated = agreement(Announcement("council", "", "", "", figures, valid=700, cast=1_000, base="valid"))
    assert not stated.coherent
    of_roll = agreement(Announcement("council", "", "", "", figures, valid=700, null=100, cast=800, roll=1_000))
    assert {fit.base for fit in of_roll.fits if fit.fits} == {"roll"}


def test_what_is_left_over_bounds_the_total():
    figures = (HONEST.figures[0], HONEST.figures[1], Figure("all others", percent=Percent("4.6"), others=True))
    found = base_fit(Announcement("council", "", "", "", figures), "valid", "half-up")
    assert found.rest.name == "all others"
    assert 10_000 in found.totals
    assert found.totals == found.each[0].totals & found.each[1].totals & found.rest.totals
    assert found.totals != found.each[0].totals & found.each[1].totals


def test_several_options_without_votes_must_find_room():
    figures = (
        Figure("Heron", 5_120, Percent("51.2")),
        Figure("Egret", percent=Percent("44.2")),
        Figure("all others", percent=Percent("4.6"), others=True),
    )
    fits = base_fit(Announcement("council", "", "", "", figures, valid=10_000), "valid", "half-up")
    assert fits.totals == Span(10_000, 10_000)
    short = (*figures[:2], replace(figures[2], percent=Percent("4.4")))
    assert not base_fit(Announcement("council", "", "", "", short, valid=10_000), "valid", "half-up").fits


def test_turnout_of_counted_stations_is_not_held_against_the_whole_roll():
    half = replace(HONEST, roll=30_000, counted_percent=Percent("50"), stations=None, stations_counted=None)
    finding = next(finding for finding in agreement(half).findings if finding.code == "turnout")
    assert finding.fits is True
    assert "roll of the counted sheets" in finding.text
    unknown = replace(half, counted_percent=None)
    assert next(finding for finding in agreement(unknown).findings if finding.code == "turnout").fits is None


def test_no_votes_at_all():
    none = Announcement("council", "", "", "", (Figure("Heron", 0, Percent("0.0")),), valid=0)
    assert agreement(none).coherent
