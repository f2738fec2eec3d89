"""The page that servers show where a site has no file."""

import re
from functools import cache

from portal_helpers import Published, made_up
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.language import LANGUAGES
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import MISSING_PAGE
from site_pages import read_page, target

CONTEST = Contest("council", "Council", "plurality", (Option("1", "Heron"), Option("2", "Wren")))
ROWS = [UnitRow("land", "", "Land", "country", None), UnitRow("n1", "land", "N 1", "station", 500)]


@cache
def site() -> Published:
    return made_up(ROWS, (CONTEST,)).with_options(SiteOptions(languages=tuple(LANGUAGES)))


def test_it_is_there_once_and_says_it_in_every_language() -> None:
    files = site().files()
    assert [path for path in files if path.endswith(MISSING_PAGE)] == [MISSING_PAGE]
    text = files[MISSING_PAGE].decode()
    first, *others = LANGUAGES
    assert f'<html lang="{first}"' in text
    assert re.findall(r'<section lang="(\w+)" dir="(\w+)">', text) == [
        (code, "rtl" if code == "ar" else "ltr") for code in others
    ]
    for code in others:
        assert f'<a href="/{code}/search.html">' in text


def test_its_links_hold_wherever_it_is_shown_and_those_of_other_pages_are_as_ever() -> None:
    files = site().files()
    page = read_page(files[MISSING_PAGE])
    assert {target(MISSING_PAGE, link)[0] for link in page.links} <= files.keys()
    assert "/search.html" in page.links
    assert 'action="/search.html"' in files[MISSING_PAGE].decode()
    # Menus of pages in one folder are made once; that of this page is no other's.
    assert not re.search(r'(?:href|src|action)="/', files["index.html"].decode())
