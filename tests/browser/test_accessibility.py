"""Every type of page in every language, in a real browser: axe finds nothing, nothing runs over, the keyboard is enough."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from full_election import publish_all
from scrutineer.language import LANGUAGES
from site_servers import reading

NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 900}
PAGES = (
    "index.html",
    "places.html",
    "search.html",
    "night.html",
    "data.html",
    "dictionary.html",
    "dictionary-api.html",
    "check.html",
    "bulletins/index.html",
    "bulletins/1.html",
    "quarantine.html",
    "decisions.html",
    "observers.html",
    "incidents.html",
    "claims.html",
    "audits.html",
    "rules.html",
    "checklist.html",
    "map.html",
    "calls/president.html",
    "units/avia.html",
    "units/coast-1.html",
    "stations/coast-1/coast-1-1.html",
    "stations/coast-2/coast-2-1.html",
    "stations/lakes-2/lakes-2-2.html",
    "track.html",
)
VIOLATIONS = {"resultTypes": ["violations"]}
"""Nothing is told of what holds, which is most of the time that axe takes."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], **VIOLATIONS}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, **VIOLATIONS}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("accessible") / "site"
    publish_all(folder)
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with reading(site) as root:
        yield root


@contextlib.contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    # axe is put into the page by the test, which the pages' own policy forbids, as it should.
    context = browser.new_context(bypass_csp=True, **options)  # type: ignore[arg-type]
    try:
        yield context.new_page()
    finally:
        context.close()


def prefix(language: str) -> str:
    return "" if language == LANGUAGES[0] else f"{language}/"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(site: Path, address: str, browser: Browser, language: str, scheme: str) -> None:
    found: list[str] = []
    pages = [*PAGES, *(f"night/{path.name}" for path in sorted((site / "night").glob("*.html")))]
    # In the dark only the colours differ, and they do not depend on the language.
    rules = RULES if scheme == "light" else CONTRAST
    if scheme == "dark" and language not in ("en", "ar"):
        pytest.skip("colours do not depend on the language")
    with opened(browser, viewport=WIDE, color_scheme=scheme) as page:
        for path in pages:
            page.goto(f"{address}{prefix(language)}{path}")
            results = Axe().run(page, options=rules)
            for violation in results.response["violations"]:
                where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:3]]
                found.append(f"{path}: {violation['id']} ({violation['help']}) at {where}")
    assert found == []


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_nothing_runs_over_the_edge_of_a_small_telephone(address: str, browser: Browser, language: str) -> None:
    too_wide = []
    with opened(browser, viewport=NARROW) as page:
        for path in PAGES:
            page.goto(f"{address}{prefix(language)}{path}")
            width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
            if width > NARROW["width"]:
                wide = "e => e.getBoundingClientRect().right > 321 || e.getBoundingClientRect().left < -1"
                who = page.evaluate(
                    f"[...document.querySelectorAll('main *, header *, footer *')].filter({wide}).slice(0, 4)"
                    ".map(e => e.tagName + '.' + e.className)"
                )
                too_wide.append(f"{path}: {width} pixels, {who}")
    assert too_wide == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_say_their_language_and_direction(address: str, browser: Browser, language: str) -> None:
    with opened(browser, viewport=WIDE) as page:
        page.goto(f"{address}{prefix(language)}index.html")
        html = page.locator("html")
        assert html.get_attribute("lang") == language
        assert html.get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        # The name of the election stands where reading begins.
        box = page.locator("header .name").bounding_box()
        assert box is not None
        assert (box["x"] + box["width"] / 2 > WIDE["width"] / 2) == (language == "ar")


def test_languages_lead_to_the_same_page(address: str, browser: Browser) -> None:
    with opened(browser, viewport=WIDE) as page:
        page.goto(f"{address}stations/coast-1/coast-1-1.html")
        for language, name in (("ar", "العربية"), ("es", "Español"), ("en", "English")):
            page.locator("footer .languages").get_by_text(name, exact=True).click()
            page.wait_for_url(f"{address}{prefix(language)}stations/coast-1/coast-1-1.html")


def test_the_keyboard_alone_leads_from_the_front_page_to_a_table(address: str, browser: Browser) -> None:
    with opened(browser, viewport=WIDE) as page:
        page.goto(f"{address}index.html")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("coast-1-1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=coast-1-1")
        page.locator("#results a, [data-results] a, main li a").first.wait_for()
        for _ in range(40):
            page.keyboard.press("Tab")
            if "coast-1-1.html" in str(page.evaluate("document.activeElement.href || ''")):
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/stations/coast-1/coast-1-1.html")


def test_whatever_has_the_focus_shows_it(address: str, browser: Browser) -> None:
    unseen = []
    with opened(browser, viewport=WIDE) as page:
        for path in ("index.html", "search.html", "units/avia.html", "stations/coast-1/coast-1-1.html"):
            page.goto(f"{address}{path}")
            for _ in range(30):
                page.keyboard.press("Tab")
                style = page.evaluate(
                    "(() => { const s = getComputedStyle(document.activeElement); "
                    "return [document.activeElement.outerHTML.slice(0, 80), s.outlineStyle, s.outlineWidth]; })()"
                )
                if style[0].startswith("<body"):
                    break
                if style[1] == "none" or style[2] == "0px":
                    unseen.append((path, style))
    assert unseen == []
