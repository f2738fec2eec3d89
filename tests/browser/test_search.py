"""The search in a real browser, over a real server: what is found, in which order, where it leads, and how little it reads."""

import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import untroubled
from portal_helpers import Published, made_up, republic
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal import SiteOptions
from scrutineer.portal.search_words import LETTERS, fold
from scrutineer.portal.view import View
from site_servers import answering, send

PHONE = {"width": 360, "height": 740}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css", "json": "application/json"}
CONTEST = Contest("mayor", "Mayor", "plurality", (Option("a", "Avocet"), Option("b", "Bittern")))
ODD_NAMES = (
    "São João d'El-Rei",
    "ŁÓDŹ, ul. Świętojańska 3/5",
    "Straße des 17. Juni",
    "İstanbul Iğdır ılıca",
    "Ærøskøbing – Œuvre",
    "Ёлкино-й «Школа №5»",
    "ΟΔΟΣ Ὀδυσσέως",
    "مَدْرَسَة الإمام رقم ١٢",
    "مدرســــة ى ی ك ک",
    "Đà Nẵng Ｆｕｌｌｗｉｄｔｈ ﬁ ½ Ⅻ",
    "ދިވެހި 𞤀𞤣𞤤𞤢𞤥 학교 學校",
    "a\u0301\u0323 A\u030a ǅ ŉ K Ω",
)


@pytest.fixture(scope="module")
def election() -> Published:
    """Places of one name, names with accents and in Arabic, tables of one name everywhere, schools with names of their own."""
    rows = [UnitRow("land", "", "Marshland", "country", None)]
    for region, name in enumerate(("Ñandú Coast", "San Juan", "Reed Hills")):
        rows.append(UnitRow(f"r{region}", "land", name, "region", None))
        for town, called in enumerate(("San Juan", "Águila de Colón", "مدرسة البجع", "Heron")):
            rows.append(UnitRow(f"r{region}.t{town}", f"r{region}", called, "town", None))
            rows += [
                UnitRow(f"r{region}.t{town}.{table:03d}", f"r{region}.t{town}", f"Table {table:03d}", "table", 300)
                for table in range(1, 41)
            ]
        rows.append(UnitRow(f"r{region}.s", f"r{region}", f"School of the wryneck {region}", "table", 300))
    rows += [UnitRow(f"o{n}", "land", name, "table", 9) for n, name in enumerate(ODD_NAMES)]
    rows.append(UnitRow("CON", "land", "The consulate", "table", 9))
    return made_up(rows, (CONTEST,)).with_options(SiteOptions(languages=("en", "ar")))


@pytest.fixture(scope="module")
def site(election: Published) -> dict[str, bytes]:
    return election.files()


@pytest.fixture(scope="module")
def address(site: dict[str, bytes]) -> Iterator[str]:
    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        data = site.get(path.partition("?")[0])
        content = TYPES.get(path.partition("?")[0].rpartition(".")[2], "application/octet-stream")
        send(handler, b"", 404) if data is None else send(handler, data, content_type=content)

    with answering(answer) as root:
        yield root


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with untroubled(browser, statuses=(503,), viewport=PHONE) as page:
        yield page


def search(page: Page, words: str) -> list[tuple[str, str]]:
    """Type a query; name and number of each hit."""
    page.locator("#q").fill(words)
    page.wait_for_function("words => document.getElementById('search').dataset.shown === words.trim()", arg=words)
    hits = page.locator(".hits li")
    return [(hit.locator(".hit").inner_text(), hit.locator("code").inner_text()) for hit in hits.all()]


@pytest.fixture
def open_page(page: Page, address: str) -> Page:
    page.goto(f"{address}/search.html")
    return page


def test_three_taps_from_the_front_page_to_a_table(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    page.locator("#q").click()
    page.locator("#q").fill("r1.t3.007")
    page.locator("form.find button").click()
    page.locator(".hits a").first.click()
    page.wait_for_url(f"{address}/stations/r1.t3/r1.t3.007.html")
    assert page.locator("h1").inner_text() == "Table 007"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("r1.t3.007", ("Table 007", "r1.t3.007")),
        ("R1 T3 007", ("Table 007", "r1.t3.007")),
        ("nandu", ("Ñandú Coast", "r0")),
        ("ÑANDÚ coast", ("Ñandú Coast", "r0")),
        ("san juan", ("San Juan", "r1")),
        ("colon reed", ("Águila de Colón", "r2.t1")),
        ("reed colon", ("Águila de Colón", "r2.t1")),
        ("de colon table 12 reed", ("Table 012", "r2.t1.012")),
        ("heron 7 nandu", ("Table 007", "r0.t3.007")),
        ("nandu table 7 heron", ("Table 007", "r0.t3.007")),
        ("heron table 7", ("Table 007", "r0.t3.007")),
        ("wryneck 2", ("School of the wryneck 2", "r2.s")),
        ("schoo", ("School of the wryneck 0", "r0.s")),
        ("البجع", ("مدرسة البجع", "r0.t2")),
        ("مدرسه", ("مدرسة البجع", "r0.t2")),
        ("sao joao", (ODD_NAMES[0], "o0")),
        ("lodz swietojanska", (ODD_NAMES[1], "o1")),
        ("strasse", (ODD_NAMES[2], "o2")),
        ("istanbul", (ODD_NAMES[3], "o3")),
        ("οδος", (ODD_NAMES[6], "o6")),
        ("الامام 12", (ODD_NAMES[7], "o7")),
        ("da nang", (ODD_NAMES[9], "o9")),
    ],
)
def test_what_is_found_first(open_page: Page, words: str, first: tuple[str, str]) -> None:
    assert search(open_page, words)[0] == first


def test_a_hit_says_where_it_lies(open_page: Page) -> None:
    search(open_page, "r2.t0.001")
    assert open_page.locator(".hits li").first.inner_text().split("\n")[-1] == "Reed Hills › San Juan · table r2.t0.001"


def test_every_place_is_found_by_its_number_and_every_hit_leads_to_its_page(
    open_page: Page, election: Published, site: dict[str, bytes]
) -> None:
    units = election.record.election.units
    view = View(election.record)
    for unit in [*units.index.values(), *units.station_units.tolist()[::30], len(units.ids) - 1]:
        found = search(open_page, units.ids[unit])
        assert found[0][1] == units.ids[unit]
        assert open_page.locator(".hits a").first.get_attribute("href") == view.page_of(unit)
    assert {view.page_of(unit) for unit in range(len(units.ids))} <= set(site)


def test_many_hits_are_announced_and_cut(open_page: Page) -> None:
    status = open_page.locator("[role=status]")
    assert len(search(open_page, "table")) == 20
    assert status.inner_text() == "Shown: 20. There may be more; another word narrows them down."
    assert len(search(open_page, "wryneck")) == 3
    assert status.inner_text() == "Found: 3"
    assert search(open_page, "pelican") == []
    assert status.inner_text().startswith("Nothing here has such a number or name.")
    assert search(open_page, "  ") == []
    assert status.inner_text() == ""
    assert search(open_page, "<b>&") == []


def test_the_address_keeps_the_query(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=nandu+coast")
    expect(page.locator(".hits a").first).to_have_text("Ñandú Coast")
    assert page.locator("#q").input_value() == "nandu coast"
    search(page, "heron")
    assert page.url.endswith("?q=heron")


def test_hits_are_links_that_keys_reach(open_page: Page) -> None:
    search(open_page, "wryneck")
    open_page.locator("#q").focus()
    for _ in range(2):  # the button, then the first hit
        open_page.keyboard.press("Tab")
    with open_page.expect_navigation():
        open_page.keyboard.press("Enter")
    assert open_page.locator("h1").inner_text() == "School of the wryneck 0"


def test_in_arabic_hits_lead_to_arabic_pages(page: Page, address: str) -> None:
    page.goto(f"{address}/ar/search.html")
    assert page.locator("html").get_attribute("dir") == "rtl"
    search(page, "heron 7")
    assert page.locator(".hits a").first.get_attribute("href") == "stations/r0.t3/r0.t3.007.html"
    page.locator(".hits a").first.click()
    page.wait_for_url(f"{address}/ar/stations/r0.t3/r0.t3.007.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_query_reads_few_files_and_none_twice(browser: Browser) -> None:
    """Over thousands of stations: each query at most the directory and eight files."""
    site = republic(3_000, part=0.01).with_options(SiteOptions(languages=("en",), pages="units")).files()
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, path: str) -> None:
        asked.append(path)
        content = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        send(handler, site[path], content_type=content) if path in site else send(handler, b"", 404)

    with answering(answer) as root:
        page = browser.new_page()
        page.goto(f"{root}/search.html")
        for words in ("01-01-001-001-1", "coast", "gymnasium 3", "hall linden", "s"):
            asked.clear()
            found = search(page, words)
            assert found
            files = [path for path in asked if path.startswith("search/")]
            assert len(set(files)) == len(files) <= 9
            assert sum(len(site[path]) for path in files) <= 150_000
        assert search(page, "01-01-001-001-1")[0][1] == "01-01-001-001-1"
        assert page.locator(".hits a").first.get_attribute("href") == "units/01-01-001-001.html"
        page.close()


def test_from_a_folder_and_without_javascript_there_are_the_places(
    browser: Browser, site: dict[str, bytes], tmp_path: Path
) -> None:
    for path, data in site.items():
        if path.startswith(("assets/", "search")):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{(tmp_path / 'search.html').as_uri()}?q=heron")
        text = page.locator("main").inner_text()
        assert ("opened from a folder" if scripts else "needs JavaScript") in text
        assert page.get_by_role("link", name="Ñandú Coast").get_attribute("href") == "units/r0.html"
        assert page.get_by_role("link", name="Heron").count() == 3
        context.close()


def test_when_files_cannot_be_had_it_says_so_and_tries_again(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html")
    page.route("**/search/**", lambda route: route.fulfill(status=503))
    page.locator("#q").fill("heron")
    expect(page.locator("[role=status]")).to_contain_text("could not be fetched")
    page.unroute("**/search/**")
    assert search(page, "heron 7")


def test_both_sides_compare_names_alike(browser: Browser) -> None:
    """Every character that this Python knows, and names as people write them."""
    known = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]
    texts = [*ODD_NAMES, "left\u200eright \u202emarks", *known]
    page = browser.new_page()
    source = (Path(__file__).parents[2] / "src/scrutineer/design/assets/search.js").read_text()
    function = source[source.index("  function fold(") : source.index("  // The files of a list")]
    theirs = page.evaluate(
        f"([texts, letters]) => {{ {function}; return texts.map((text) => fold(text, letters)); }}", [texts, LETTERS]
    )
    page.close()
    # A newer Unicode knows more letters, never fewer.
    differing = [(text, ours, other) for text, ours, other in zip(texts, map(fold, texts), theirs, strict=True) if ours != other]
    assert differing == []
