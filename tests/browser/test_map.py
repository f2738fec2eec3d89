"""The maps in a real browser: the zoomable one draws and asks nobody else, and where it cannot the tables stand in for it."""

import contextlib
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Request, expect

from chromium import chromium_engine, failure, launched, troubles_of
from portal_helpers import republic
from scrutineer.portal import SiteOptions
from site_servers import reading

# Software draws where there is no graphics card.
DRAWING = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("maps") / "site"
    republic(250, part=0.7, contests="all").publish(folder)
    with reading(folder) as root:
        yield root


@pytest.fixture(scope="module")
def deep_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A country with more units than the upper levels hold."""
    folder = tmp_path_factory.mktemp("deep") / "site"
    republic(1_500, part=0.9).with_options(SiteOptions(languages=("en",))).publish(folder)
    with reading(folder) as root:
        yield root


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with chromium_engine() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, *DRAWING) as opened:
        yield opened


class Visit:
    """A page, with what it asked for and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.troubles = troubles_of(page)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if said := failure(request):
            self.troubles.append(said)


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: object) -> Iterator[Visit]:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    try:
        visit = Visit(context.new_page())
        visit.page.goto(url)
        yield visit
    finally:
        context.close()


def drawn(page: Page) -> None:
    if not page.evaluate("!!document.createElement('canvas').getContext('webgl2')"):
        pytest.skip("this browser has no WebGL, not even by software")
    page.wait_for_selector("#map[data-drawn=yes]", timeout=40_000)


def shades(page: Page) -> int:
    """How many different colours the map shows."""
    picture = page.locator("#map canvas").screenshot()
    return page.evaluate(
        """async (bytes) => {
          const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          const pen = canvas.getContext("2d");
          pen.drawImage(bitmap, 0, 0);
          return new Set(new Uint32Array(pen.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)).size;
        }""",
        list(picture),
    )


@pytest.mark.parametrize(("language", "scheme"), [("", "light"), ("ar/", "dark")])
def test_the_map_is_drawn_without_errors_and_asks_nobody_else(address: str, browser: Browser, language: str, scheme: str) -> None:
    with visiting(browser, f"{address}{language}map.html", color_scheme=scheme) as visit:
        drawn(visit.page)
        assert visit.troubles == []
        assert [url for url in visit.asked if not url.startswith((address, "blob:", "data:"))] == []
        assert visit.page.locator("#map-trouble").is_hidden()
        assert shades(visit.page) > 3


def test_the_keyboard_alone_finds_a_place_and_opens_it(address: str, browser: Browser) -> None:
    with visiting(browser, f"{address}map.html") as visit:
        page = visit.page
        drawn(page)
        canvas = page.locator("#map canvas")
        canvas.focus()
        page.keyboard.press("Enter")
        card = page.locator(".map-place")
        expect(card).to_be_visible()
        name = card.locator("h2").inner_text()
        assert " / " in card.locator("[data-is=counted]").inner_text()
        expect(card.get_by_role("link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(name)
        assert "/units/" in page.url


def test_another_contest_and_how_much_is_counted_can_be_chosen(address: str, browser: Browser) -> None:
    with visiting(browser, f"{address}map.html") as visit:
        page = visit.page
        drawn(page)
        before = page.locator("#map-candidates").inner_text()
        page.locator("select[name=contest]").select_option(index=1)
        expect(page.locator("#map-candidates")).not_to_have_text(before, use_inner_text=True)
        page.get_by_label("How much is counted").check()
        expect(page.locator("[data-shown=counted]")).to_be_visible()
        expect(page.locator("[data-shown=front]")).to_be_hidden()
        assert visit.troubles == []


def test_zooming_in_shows_the_next_level(address: str, browser: Browser) -> None:
    with visiting(browser, f"{address}map.html") as visit:
        page = visit.page
        drawn(page)
        canvas = page.locator("#map canvas")
        canvas.focus()
        page.keyboard.press("Enter")
        first = page.locator(".map-place h2").inner_text()
        page.keyboard.press("Escape")
        found = first
        # Each step is drawn in its time, during which the place in the middle is still the one before.
        for _ in range(40):
            canvas.focus()
            page.keyboard.press("+")
            page.wait_for_timeout(250)
            canvas.focus()
            page.keyboard.press("Enter")
            found = page.locator(".map-place h2").inner_text()
            if found != first:
                break
            page.keyboard.press("Escape")
        assert found != first


def test_without_javascript_the_page_leads_to_the_tables(address: str, browser: Browser) -> None:
    with visiting(browser, f"{address}map.html", java_script_enabled=False) as visit:
        expect(visit.page.locator("#map-trouble")).to_be_visible()
        visit.page.get_by_role("link", name="Places as a table").click()
        expect(visit.page.locator("table.places").first).to_be_visible()


def test_without_webgl_the_page_says_so(address: str, playwright: Playwright) -> None:
    plain = ("--disable-gpu", "--disable-3d-apis")
    with launched(playwright, *plain) as browser, visiting(browser, f"{address}map.html") as visit:
        visit.page.wait_for_selector("#map[data-drawn=no]", state="attached")
        expect(visit.page.locator("#map-trouble")).to_be_visible()
        expect(visit.page.locator("#map")).to_be_hidden()


def test_axe_finds_nothing_on_the_drawn_map(address: str, browser: Browser) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}map.html")
    drawn(page)
    page.locator("#map canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".map-place")).to_be_visible()
    violations = [(found["id"], found["nodes"][0]["target"]) for found in Axe().run(page).response["violations"]]
    context.close()
    assert violations == []


def test_a_small_map_leads_to_its_places_by_pointer_and_is_no_stop_for_the_keyboard(address: str, browser: Browser) -> None:
    with visiting(browser, f"{address}places.html") as visit:
        page = visit.page
        assert page.locator(".maps a:not([tabindex='-1'])").count() == 0
        place = page.locator(".maps a").first
        title = place.locator("title").text_content() or ""
        place.locator("use").click(force=True)
        expect(page.locator("h1")).to_have_text(title.partition(":")[0])
        assert visit.troubles == []


def test_a_deeper_place_is_put_beside_the_whole(deep_address: str, browser: Browser) -> None:
    with visiting(browser, f"{deep_address}places.html") as visit:
        page = visit.page
        while page.locator("section.compared[data-file]").count() == 0:
            assert "/stations/" not in page.url, "every unit of this country is one of the upper ones"
            with page.expect_navigation():
                page.locator("table.places tbody a").first.click()
        section = page.locator("section.compared[data-file]").first
        expect(section).to_be_visible()
        rows = section.locator("tbody tr")
        votes = page.locator("section.contest").first.locator("table.votes tbody tr")
        assert rows.count() == votes.count() + 1
        assert rows.first.locator("td").first.inner_text() == votes.first.locator("td").nth(1).inner_text()
        assert visit.troubles == []
