"""The front page while the count goes on: it brings itself up to date, and disturbs nobody who reads it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import untroubled
from portal_helpers import TIME_MS, Published, republic
from scrutineer.portal import SiteOptions
from site_servers import answering, send

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "css": "text/css", "json": "application/json"}
EVERY = 30_000  # milliseconds between two questions of the page

Files = dict[str, bytes]


def files_of(part: float) -> tuple[Published, Files]:
    election = republic(60, part=part, seed=5).with_options(SiteOptions("units", languages=("en", "ar")))
    return election, election.files()


@pytest.fixture(scope="module")
def earlier() -> tuple[Published, Files]:
    return files_of(0.5)


@pytest.fixture(scope="module")
def later() -> tuple[Published, Files]:
    return files_of(0.9)


class Server:
    """A site that can be replaced, and that can fail."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.fails = False
        self.asked: list[str] = []

    def answer(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        bare = path.partition("?")[0]
        if not bare.startswith("assets/"):  # a browser fetches the picture of a page when it likes
            self.asked.append(bare)
        content = TYPES.get(bare.rpartition(".")[2], "application/octet-stream")
        if self.fails or bare not in self.files:
            send(handler, b"", 503)
        else:
            send(handler, self.files[bare], content_type=content)


@pytest.fixture
def server(earlier: tuple[Published, Files]) -> Server:
    return Server(earlier[1])


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    with answering(server.answer) as root:
        yield root


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    # Named as an argument, the server outlives the page.
    with untroubled(browser, statuses=(503,), viewport={"width": 400, "height": 600}) as page:
        page.clock.install(time=(TIME_MS + 180_000) / 1000)
        page.add_init_script(PAUSES)
        yield page


PAUSES = f"""const later = window.setTimeout;
window.setTimeout = (act, pause, ...more) => {{
  if (pause >= {EVERY}) document.documentElement.dataset.asked = 1 + Number(document.documentElement.dataset.asked ?? -1);
  return later(act, pause, ...more);
}};"""
"""Counts in the page how often it has asked: after each answer, or none, it sets the time at which it asks again."""


def ask(page: Page, pause: int = EVERY) -> None:
    """Let so much time pass, and wait until the page has asked, and has done what the answer led to."""
    asked = int(page.locator("html").get_attribute("data-asked") or 0)
    page.clock.run_for(pause)
    expect(page.locator("html")).to_have_attribute("data-asked", str(asked + 1))


def size(page: Page) -> int:
    return int(page.locator("#updated").get_attribute("data-size") or 0)


def test_a_page_follows_the_count(
    page: Page, server: Server, address: str, earlier: tuple[Published, Files], later: tuple[Published, Files]
) -> None:
    page.goto(f"{address}/index.html")
    assert size(page) == earlier[0].record.head.size
    lead = page.locator("p.lead").first.inner_text()
    ask(page)
    expect(page.locator("#announced")).to_have_text("")
    server.files = later[1]
    ask(page)
    entries = later[0].record.head.size
    expect(page.locator("#announced")).to_have_text(f"Updated: the log now has {entries} entries.")
    assert size(page) == entries
    assert page.locator("p.lead").first.inner_text() != lead
    # What it has become is the page that a new reader gets, but for what scripts have written.
    brought = page.locator("main").evaluate(NORMAL)
    page.goto(f"{address}/index.html")
    assert page.locator("main").evaluate(NORMAL) == brought


NORMAL = """main => {
  const copy = main.cloneNode(true);
  for (const kept of copy.querySelectorAll('[data-keep]')) kept.textContent = '';
  return copy.innerHTML;
}"""


def test_nobody_is_disturbed(page: Page, server: Server, address: str, later: tuple[Published, Files]) -> None:
    page.goto(f"{address}/index.html")
    page.locator("main details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    opened = page.locator("main details[open]").count()
    page.locator("#q").fill("heron 7")
    page.locator("#q").evaluate("input => input.setSelectionRange(2, 4)")
    page.evaluate("window.scrollTo(0, 300)")
    there = page.evaluate("scrollY")
    before = page.locator("#q").element_handle()
    server.files = later[1]
    page.clock.run_for(EVERY)
    expect(page.locator("#announced")).to_contain_text("Updated")
    assert page.locator("#q").evaluate("(input, before) => input === before && document.activeElement === input", before)
    assert page.locator("#q").input_value() == "heron 7"
    assert page.locator("#q").evaluate("input => [input.selectionStart, input.selectionEnd]") == [2, 4]
    assert page.locator("main details[open]").count() == opened
    assert abs(page.evaluate("scrollY") - there) <= 60


def test_focus_on_a_link_stays(page: Page, server: Server, address: str, later: tuple[Published, Files]) -> None:
    page.goto(f"{address}/index.html")
    page.get_by_role("link", name="See every place").first.focus()
    server.files = later[1]
    page.clock.run_for(EVERY)
    expect(page.locator("#announced")).to_contain_text("Updated")
    assert page.evaluate("document.activeElement.textContent") == "See every place"


def test_it_asks_for_little(page: Page, server: Server, address: str) -> None:
    page.goto(f"{address}/index.html")
    server.asked.clear()
    for _ in range(4):
        ask(page)
    assert server.asked == ["site.json"] * 4


def test_a_page_that_nobody_looks_at_asks_nothing(page: Page, server: Server, address: str) -> None:
    page.goto(f"{address}/index.html")
    seen = "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true }); "
    seen += "document.dispatchEvent(new Event('visibilitychange')); }"
    server.asked.clear()
    page.evaluate(seen, "hidden")
    page.clock.run_for(10 * EVERY)
    assert server.asked == []
    with page.expect_response("**/site.json"):
        page.evaluate(seen, "visible")


def test_where_the_site_does_not_answer_it_asks_less_often_and_says_so(
    page: Page, server: Server, address: str, later: tuple[Published, Files]
) -> None:
    page.goto(f"{address}/index.html")
    server.fails = True
    server.asked.clear()
    for pause in (1, 2, 4):
        ask(page, pause * EVERY)
    page.clock.run_for(EVERY)
    assert len(server.asked) == 3
    expect(page.locator("#age")).to_contain_text("has not answered since")
    server.fails, server.files = False, later[1]
    page.clock.run_for(8 * EVERY)
    expect(page.locator("#announced")).to_contain_text("Updated")
    expect(page.locator("#age")).to_contain_text("Newest figures")


def test_a_stale_page_from_a_cache_is_not_taken_for_the_new_one(
    page: Page, server: Server, address: str, earlier: tuple[Published, Files], later: tuple[Published, Files]
) -> None:
    page.goto(f"{address}/index.html")
    server.files = later[1] | {"index.html": earlier[1]["index.html"]}
    ask(page)
    assert size(page) == earlier[0].record.head.size
    expect(page.locator("#announced")).to_have_text("")
    server.files = later[1]
    page.clock.run_for(EVERY)
    expect(page.locator("#announced")).to_contain_text("Updated")


def test_it_says_how_old_the_figures_are(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    expect(page.locator("#age")).to_have_text("Newest figures: 3 minutes ago.")
    page.clock.run_for(60_000)
    expect(page.locator("#age")).to_have_text("Newest figures: 4 minutes ago.")
    page.goto(f"{address}/ar/index.html")
    expect(page.locator("#age")).to_contain_text("قبل")
    assert page.locator("#announced").get_attribute("aria-live") == "polite"


def test_from_a_folder_it_keeps_quiet(page: Page, earlier: tuple[Published, Files], tmp_path: Path) -> None:
    for path, data in earlier[1].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    asked: list[str] = []
    page.goto((tmp_path / "index.html").as_uri())
    page.on("request", lambda request: "/assets/" in request.url or asked.append(request.url))
    page.clock.run_for(3 * EVERY)
    assert asked == []
