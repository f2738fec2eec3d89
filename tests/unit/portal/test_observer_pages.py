import re
from collections.abc import Iterable
from functools import cache

import pytest

from observed_samples import (
    AGENT,
    HOSTILE,
    OWL,
    PRESIDENT,
    WATCH,
    Said,
    admit,
    copy,
    made_up,
    observed,
    revoke,
    rows,
    sheet,
    sign,
)
from portal_helpers import Published
from scrutineer.election import Election, UnitRow
from scrutineer.portal.observer_pages import FIRST_ROWS, observer_pages
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from site_pages import read_page, target

LISTS = ("observers/differences.html", "observers/refusals.html", "observers/accredited.html")


def rendered(given: Published, number: int = 0) -> dict[str, bytes]:
    return {file.path: b"".join(file.chunks) for file in observer_pages(Pages(View(given.record), number))}


def text_of(page: bytes) -> str:
    return re.sub(r"\s+", " ", read_page(page).text)


@cache
def site() -> dict[str, bytes]:
    return rendered(observed())


def test_the_figures_of_every_contest() -> None:
    text = text_of(site()["observers.html"])
    assert (
        "Stations of which somebody has a copy5 Every copy agrees with the sheet2 A copy differs2 Nothing to compare yet1 "
        "Sheets that others have countersigned2 Sheets that somebody refused to sign1"
    ) in text
    assert not re.search(r"fraud|false|forge|manipul|suspicious|wrong", text.casefold())


def test_every_difference_is_a_row_that_leads_to_its_station() -> None:
    for path in ("observers.html", LISTS[0]):
        page = site()[path]
        assert "Heron: the copy reads 210, the sheet 201." in text_of(page)
        assert "Wren: the copy reads 66, the sheet 60." in text_of(page)
        links = {target(path, link)[0] for link in read_page(page).links}
        assert {"stations/north/n1.html", "stations/north/n3.html"} <= links
        assert "stations/north/n0.html" not in {target(LISTS[0], link)[0] for link in read_page(site()[LISTS[0]]).links}


def test_who_refused_and_why() -> None:
    text = text_of(site()[LISTS[1]])
    assert "observer/owlI was not let in." in text
    assert HOSTILE.replace("\u202e", "\ufffd") in text
    assert b"<script>alert" not in site()[LISTS[1]]


def test_who_is_accredited_with_role_and_area_and_what_they_said() -> None:
    text = text_of(site()[LISTS[2]])
    assert "Rosa Egret, for Heron agent/heron-north Party or candidate agentNorth 2 2 0 2 0" in text
    assert "Bird Watch International observer/bird-watch Observerwhole country 5 2 2 0 0" in text
    assert "poll-worker/n0-1 Poll workerMeadow school, table 0 0 0 0 1 0" in text


def test_an_observer_who_has_said_nothing_and_one_whose_key_was_revoked_are_listed() -> None:
    def what(election: Election) -> Iterable[Said]:
        return [admit(election, WATCH, "Bird Watch"), admit(election, OWL, "Owl"), revoke(election, OWL)]

    text = text_of(rendered(made_up(rows(), (PRESIDENT,), what))[LISTS[2]])
    assert "Bird Watch observer/bird-watch Observerwhole country 0 0 0 0 0" in text
    assert "Owl observer/owl The key has been revoked." in text


def test_nobody_watching_is_said_in_words() -> None:
    files = rendered(made_up(rows(), (PRESIDENT,), lambda election: [sheet(election, "n0", (1, 2, 3))]))
    assert list(files) == ["observers.html", *LISTS]
    text = text_of(files["observers.html"])
    assert "Nobody is accredited as an observer or agent." in text
    assert "No copy differs from the sheet of its station." in text
    assert "Nobody has refused to sign a sheet." in text
    assert all("<table" not in page.decode() for page in files.values())


def test_long_lists_go_on_on_further_pages() -> None:
    places = [
        UnitRow("land", "", "Land", "country", None),
        *(UnitRow(f"n{n}", "land", f"N {n}", "table", 500) for n in range(130)),
    ]

    def what(election: Election) -> Iterable[Said]:
        yield admit(election, WATCH, "Bird Watch")
        yield admit(election, AGENT, "Rosa Egret")
        for number in range(130):
            own = sheet(election, f"n{number}", (9, 9, 9))
            yield own
            yield copy(election, WATCH, f"n{number}", (9, 9, 8))
            yield sign(election, AGENT, own, "Not read aloud.")

    files = rendered(made_up(places, (PRESIDENT,), what))
    first = files["observers.html"].decode()
    assert first.count("the copy reads 8, the sheet 9.") == FIRST_ROWS
    assert "See all 130" in first
    for kind in ("differences", "refusals"):
        pages = [files[f"observers/{kind}.html"].decode(), files[f"observers/{kind}~p2.html"].decode()]
        assert [len(re.findall(r'href="[^"]*stations/land/n\d+\.html"', page)) for page in pages] == [100, 30]


@pytest.mark.parametrize("number", range(5))
def test_pages_of_every_language_are_sound(number: int) -> None:
    for path, page in rendered(observed(), number).items():
        read_page(page)
        for table in re.findall(r"<table.*?</table>", page.decode(), re.DOTALL):
            assert "<caption>" in table, path
            assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", table)), path
        assert len(page) < 50_000
