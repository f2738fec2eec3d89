"""The site in a real browser: without JavaScript, from a folder and over HTTP, on a phone and on a wide screen."""

import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from chromium import failure, troubles_of
from portal_helpers import Published, republic
from scrutineer.portal.text import number

PHONE = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def election() -> Published:
    return republic(60, contests="all", alliances=True, part=0.8, seed=3)


@pytest.fixture(scope="module")
def site(election: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "a folder with spaces"
    election.publish(folder)
    return folder


class Watched:
    """A page that remembers everything it asked for and every complaint of the browser."""

    def __init__(self, page: Page, root: str) -> None:
        self.page = page
        self.root = root
        self.trouble = troubles_of(page)
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", lambda response: response.status < 400 or self.trouble.append(f"{response.status}: {response.url}"))

    def _request(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if not url.startswith(self.root):
            self.trouble.append(f"foreign: {url}")

    def _failed(self, request: Request) -> None:
        if said := failure(request):
            self.trouble.append(said)

    def is_styled(self) -> bool:
        return self.page.locator("body").evaluate("body => getComputedStyle(body).maxWidth") != "none"


Watch = Callable[[str, dict[str, int]], Watched]


@pytest.fixture
def watch(browser: Browser) -> Iterator[Watch]:
    contexts = []

    def new(root: str, viewport: dict[str, int]) -> Watched:
        context = browser.new_context(java_script_enabled=False, viewport=viewport)  # type: ignore[arg-type]
        contexts.append(context)
        return Watched(context.new_page(), root)

    yield new
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def translate_path(self, path: str) -> str:
            return super().translate_path(path.removeprefix("/elections/2025"))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/elections/2025/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("viewport", [PHONE, WIDE])
@pytest.mark.parametrize("where", ["folder", "http"])
def test_from_the_country_down_to_a_station(
    watch: Watch, site: Path, address: str, election: Published, viewport: dict[str, int], where: str
) -> None:
    root = site.as_uri() + "/" if where == "folder" else address
    watched = watch(root, viewport)
    page = watched.page
    page.goto(f"{root}index.html")
    assert watched.is_styled()
    assert page.locator("h1").inner_text() == election.record.election.definition.name
    assert "Can it still change?" in page.locator("section.contest").first.inner_text()
    page.get_by_role("link", name="See every place").first.click()
    units = election.record.election.units
    way = units.path(int(units.station_units[0]))
    for unit in way[1:]:
        expect(page.locator("h1")).to_have_text(units.names[way[way.index(unit) - 1]])
        page.locator("table.places").first.get_by_role("link", name=units.names[unit], exact=True).first.click()
        expect(page.locator("h1")).to_have_text(units.names[unit])
    state = election.record.count.contests[0]
    station_text = page.locator("main").inner_text()
    if state.sheet[0] >= 0:
        assert number(int(state.figures[0][0])) in page.locator("table.figures td").first.inner_text()
        page.locator("summary").first.click()
        assert page.locator("details p.b64").first.is_visible()
    else:
        assert "No sheet has arrived" in station_text
    for unit in reversed(way[:-1]):
        page.locator("nav.crumbs").get_by_role("link", name=units.names[unit], exact=True).click()
        expect(page.locator("h1")).to_have_text(units.names[unit])
    page.get_by_role("navigation", name="Site", exact=True).get_by_role("link", name="Check it").click()
    expect(page.locator("h1")).to_have_text("Check this count")
    assert watched.trouble == []


def test_the_night_says_what_a_folder_cannot_do(browser: Browser, site: Path, address: str) -> None:
    for root, why in ((site.as_uri() + "/", "opened from a folder"), (address, "One version has been published so far")):
        page = browser.new_page()
        page.goto(f"{root}night.html")
        expect(page.locator("#compare")).to_contain_text(why)
        assert "Without JavaScript" not in page.locator("#compare").inner_text()
        page.close()


def test_the_night_says_that_the_list_of_versions_could_not_be_fetched(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.route("**/snapshots/index.json", lambda route: route.abort())
    page.goto(f"{address}night.html")
    expect(page.locator("#compare")).to_contain_text("could not be fetched")
    page.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways(browser: Browser, site: Path, width: int, scheme: str) -> None:
    # Measuring asks the browser by script; the pages themselves hold none, and their policy forbids it.
    context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    station = min(site.glob("stations/*/*.html"))
    unit = min(site.glob("units/*.html"))
    pages = ["index.html", "quarantine.html", "rules.html", "check.html", "bulletins/index.html"]
    for path in [*(site / name for name in pages), station, unit]:
        page.goto(path.as_uri())
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_text_stands_out_from_its_ground(browser: Browser, site: Path) -> None:
    """WCAG 2.2 success criterion 1.4.3: a contrast of at least 4.5 for every colour of text, in both schemes."""
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto((site / "index.html").as_uri())
        read = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
        paper, raised = page.evaluate(read, "--paper"), page.evaluate(read, "--raised")
        for name in ("--ink", "--soft", "--accent"):
            for ground in (paper, raised):
                assert _contrast(page.evaluate(read, name), ground) >= 4.5, (scheme, name)
        context.close()


def _contrast(first: str, second: str) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
