"""The pages of calls: a file of its own for each contest, and the names of its own candidates."""

import re
from functools import cache

from portal_helpers import OFFICER, Published, key_of, made_up, published, tables_of
from scrutineer.calls import bulletin_calls
from scrutineer.count import make_bulletin
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.election.call_settings import CallSettings
from scrutineer.portal import SiteOptions
from scrutineer.portal.view import View
from scrutineer.statements import Payload, TallySheet, sign_statement

CONTESTS = tuple(
    Contest(contest, title, "plurality", (Option("1", names[0]), Option("2", names[1])))
    for contest, title, names in (
        ("council", "Council", ("Heron", "Wren")),
        ("council-narrow", "Narrow council", ("Finch", "Robin")),
        ("Council", "Other council", ("Plover", "Dunlin")),
        ("con", "Convent", ("Egret", "Ibis")),
    )
)
ROWS = [UnitRow("land", "", "Land", "country", None), *(UnitRow(f"n{n}", "land", f"N {n}", "station", 500) for n in range(3))]


def sheets(election: Election) -> list[tuple[str, Payload]]:
    return [
        (
            station_issuer("n1"),
            TallySheet(
                election.hash, "n1", contest.id, (90, 80), blank=0, null=0, cast=170, voters=170, roll=500, time=1_747_600_000
            ),
        )
        for contest in CONTESTS
    ]


@cache
def site() -> Published:
    first = made_up(ROWS, CONTESTS, sheets, calls=CallSettings())
    record = first.record
    bulletin = make_bulletin(record.count, record.head.root, number=1, time=1_750_000_000, calls=bulletin_calls(record.count))
    log = [*first.log, sign_statement(bulletin, OFFICER, key_of(OFFICER))]
    return published(record.election, tables_of(record), log, signer=first.signer)


def test_every_contest_has_its_own_page_and_pictures() -> None:
    files = site().files()  # Refuses two files of one name itself.
    calls = [path.lower() for path in files if path.startswith("calls/")]
    assert len(set(calls)) == len(calls) == 3 * len(CONTESTS)
    assert not [path for path in calls if path.split("/")[1].split(".")[0] == "con"]
    front = files["index.html"].decode()
    assert all(f'"{path}"' in front for path in files if path.startswith("calls/") and path.endswith((".html", ".svg")))


def test_the_page_of_a_call_has_the_sentence_in_two_parts_and_conditions_in_votes() -> None:
    shares = Contest(
        "bridge", "Shall it be built?", "yes-no", (Option("yes", "Yes"), Option("no", "No")), threshold="3/5", recount="0.1 %"
    )

    def say(election: Election) -> list[tuple[str, Payload]]:
        sheet = TallySheet(election.hash, "n1", "bridge", (90, 30), blank=0, null=0, cast=120, voters=120, roll=500, time=1)
        return [(station_issuer("n1"), sheet)]

    files = made_up(ROWS, (shares,), say, calls=CallSettings()).files()
    (page,) = (data.decode() for path, data in files.items() if path.startswith("calls/") and path.endswith(".html"))
    page = page.replace("<bdi>", "").replace("</bdi>", "")
    assert "<h1>Shall it be built? Can it still change?</h1>" in page
    lead, _, rest = page.partition('<p class="lead">')[2].partition("</p>\n")
    assert lead.startswith("Not decided: ")
    assert lead.endswith(".")
    assert rest.startswith("<p>It ")
    # 90 of 120 votes are 18 above three fifths.
    assert "has more than 60" in page
    assert "<td>18</td>" in page


def test_a_bulletin_names_the_candidates_of_the_contest_that_it_speaks_of() -> None:
    files = site().files()
    (page,) = (data.decode() for path, data in files.items() if path.startswith("bulletins/") and "index" not in path)
    plain = page.replace("<bdi>", "").replace("</bdi>", "")
    for contest in CONTESTS:
        first, second = (option.name for option in contest.options)
        assert f"{first} has more votes than {second}" in plain


def test_every_language_has_its_own_pages_and_pictures_of_calls() -> None:
    files = site().with_options(SiteOptions(languages=("en", "ar"))).files()
    first = sorted(path for path in files if path.startswith("calls/"))
    assert sorted(path for path in files if path.startswith("ar/calls/")) == [f"ar/{path}" for path in first]
    for path in first:
        if path.endswith(".svg"):
            assert b'direction="rtl"' in files[f"ar/{path}"]
            assert b'direction="rtl"' not in files[path]
        else:
            page = files[f"ar/{path}"].decode()
            wide, narrow = path.replace(".html", ".svg"), path.replace(".html", "~narrow.svg")
            assert f'"../../ar/{wide}"' in page
            assert f'"../../ar/{narrow}"' in page


def test_what_cannot_be_is_said_on_the_page_in_its_language() -> None:
    def say(election: Election) -> list[tuple[str, Payload]]:
        sheet = TallySheet(election.hash, "n1", "council", (600, 3), blank=0, null=0, cast=603, voters=603, roll=500, time=1)
        return [(station_issuer("n1"), sheet)]

    found = made_up(
        ROWS, CONTESTS[:1], say, calls=CallSettings(), rules={"above-roll": "warning", "voters-above-roll": "warning"}
    )
    files = found.with_options(SiteOptions(languages=("en", "es"))).files()
    assert "hold 603 ballots and have 500 voters on their rolls" in files["calls/council.html"].decode()
    call = View(found.record).called[0]
    assert call is not None
    assert call.beyond == (603, 500)
    assert call.track is None


def test_whatever_page_names_gamma_says_what_it_is() -> None:
    named = {
        path: text
        for path, data in site().files().items()
        if path.endswith(".html") and re.search(r"\bgamma\b|Γ", text := data.decode(), re.IGNORECASE)
    }
    assert {"index.html", "bulletins/1.html"} <= named.keys()
    assert any(path.startswith("calls/") for path in named)
    # The explanation alone names both the word and the letter, in every language.
    assert "Gamma (Γ) says how many times as common" in named["index.html"]
    assert [path for path, text in named.items() if "(Γ)" not in text] == []
