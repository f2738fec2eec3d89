import re
from collections.abc import Iterable

import pytest

from full_election import full_election
from portal_helpers import OFFICER, Published, made_up
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.portal.pages import Pages
from scrutineer.portal.quarantine_pages import quarantine_pages
from scrutineer.portal.view import View
from scrutineer.statements import Decision, Payload, TallySheet
from site_pages import read_page, target

BIRDS = (Option("heron", "Heron"), Option("wren", "Wren"))
PRESIDENT = Contest("president", "President", "plurality", BIRDS)


def rows(stations: int) -> list[UnitRow]:
    return [
        UnitRow("land", "", "Land of birds", "country", None),
        *(UnitRow(f"n{i}", "land", f"Station {i}", "station", 50) for i in range(stations)),
    ]


def pages_of(given: Published, number: int = 0) -> dict[str, str]:
    found = {file.path: b"".join(file.chunks) for file in quarantine_pages(Pages(View(given.record), number))}
    for data in found.values():
        read_page(data)
    return {path: data.decode() for path, data in found.items()}


def too_many(election: Election, station: str, contest: str = "president") -> tuple[str, Payload]:
    sheet = TallySheet(election.hash, station, contest, (400, 200), blank=1, null=2, cast=603, time=1_747_600_000)
    return station_issuer(station), sheet


def test_a_sheet_in_quarantine_leads_to_its_station_and_to_its_rules() -> None:
    text = pages_of(made_up(rows(3), (PRESIDENT,), lambda e: [too_many(e, "n1")]))["quarantine.html"]
    assert 'href="stations/land/n1.html"' in text
    assert 'href="rules.html#above-roll"' in text
    assert "There are more ballots than registered voters." in text
    assert "n0" not in text


def test_excluded_stations_and_acts_without_effect_stand_there_too() -> None:
    def say(election: Election) -> Iterable[tuple[str, Payload]]:
        for station in ("n1", "nowhere"):
            yield (
                OFFICER,
                Decision(election=election.hash, station=station, contest="president", action="exclude", reason="Fire."),
            )

    text = pages_of(made_up(rows(3), (PRESIDENT,), say))["quarantine.html"]
    assert "Excluded by decision" in text
    assert "Without effect" in text
    assert re.search(r"<dt>Acts without effect</dt><dd>1</dd>", text)


def test_nothing_in_quarantine_is_said_in_words() -> None:
    text = pages_of(made_up(rows(3), (PRESIDENT,)))["quarantine.html"]
    assert "There is nothing in quarantine." in text
    assert "<table" not in text


def test_long_lists_go_on_on_further_pages() -> None:
    found = pages_of(made_up(rows(230), (PRESIDENT,), lambda e: [too_many(e, f"n{i}") for i in range(230)]))
    assert list(found) == ["quarantine.html", "quarantine~p2.html", "quarantine~p3.html"]
    stations = [own for text in found.values() for own in re.findall(r"<code>(n\d+)</code>", text)]
    assert stations == [f"n{i}" for i in range(230)]
    for path, text in found.items():
        assert set(found) <= {target(path, link)[0] for link in read_page(text.encode()).links}


@pytest.mark.parametrize("number", range(5))
def test_pages_are_sound_in_every_language(number: int) -> None:
    for path, text in pages_of(full_election()[-1], number).items():
        assert path.endswith("quarantine.html")
        assert "hills-1-2" in text


def test_hostile_names_stay_text() -> None:
    attack = '"><script>alert(1)</script>'
    units = [UnitRow("land", "", attack, "country", None), UnitRow("n1", "land", attack, "station", 50)]
    contest = Contest("president", attack, "plurality", BIRDS)
    text = pages_of(made_up(units, (contest,), lambda e: [too_many(e, "n1")], name=attack))["quarantine.html"]
    assert "<script>alert" not in text
