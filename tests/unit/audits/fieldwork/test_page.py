"""The page on which counts are entered, in a real browser without a network: what it keeps, what it saves, and who can use it."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from chromium import chromium, troubles_of
from fieldwork_samples import BOXES, CARDS, LONG, MARKUP, NAMES, PRESIDENT, RIGHT_TO_LEFT, WORK
from scrutineer.audits.counts_entry import differences
from scrutineer.audits.entry_table import read_entries
from scrutineer.audits.fieldwork.page import entry_page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
WIDTHS = (320, 360, 1280)
Opener = Callable[..., contextlib.AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    for name, work in (("boxes", WORK), ("cards", CARDS)):
        (place / f"{name}.html").write_bytes(entry_page(work))
    return place


@contextlib.contextmanager
def _opened(
    browser: Browser, folder: Path, name: str, *, person: str = "Dipper", script: str = "", **options: Any
) -> Iterator[Page]:
    """A page from its file, without a network, on which nothing may go wrong and nothing be asked for."""
    context = browser.new_context(offline=True, accept_downloads=True, **options)
    try:
        page = context.new_page()
        troubles = troubles_of(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        if script:
            page.add_init_script(script)
        page.goto((folder / f"{name}.html").as_uri())
        if person:
            begin(page, person)
        yield page
        assert troubles == []
        assert {url for url in asked if not url.startswith(("blob:", "data:"))} == {page.url}
    finally:
        context.close()


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Opener:
    return partial(_opened, browser, folder)


def begin(page: Page, person: str) -> None:
    page.get_by_label("Your name").fill(person)
    page.get_by_role("button", name="Begin").click()


def choose(page: Page, box: str, card: int = 0) -> None:
    page.get_by_label("Box", exact=True).select_option(str(NAMES.index(box)))
    if card:
        page.get_by_label("Card", exact=True).select_option(str(card))


def done(page: Page) -> None:
    page.get_by_role("button", name="Done with this one").click()


def saved(page: Page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my entries").click()
    return Path(download.value.path()).read_bytes()


def count(page: Page, contest: int, *figures: str) -> None:
    for name, figure in zip(("0", "1", "2", "blank", "null", "cards"), figures, strict=True):
        page.locator(f"#f-{contest}-{name}").fill(figure)


def place_of(contest: str) -> int:
    return [each.id for each in WORK.contests()].index(contest)


def test_boxes_from_the_page_to_rows(opened: Opener) -> None:
    with opened("boxes") as page:
        page.get_by_label("I have it before me").check()
        count(page, place_of("president"), "50", "020", "", "3", "0", "")
        done(page)
        assert page.get_by_role("heading", name=MARKUP).is_visible(), "the next box follows"
        page.get_by_label("It was not found").check()
        done(page)
        data = saved(page)
    assert json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data
    rows = read_entries(data, "Dipper", "dipper.json").rows
    assert set(rows) == {("a1", 0, "president"), (MARKUP, 0, "")}
    counted, missing = rows["a1", 0, "president"], rows[MARKUP, 0, ""]
    assert (counted["votes"], counted["blank"], counted["null"], counted["cards"]) == ("50 20 -", "3", "0", "")
    assert (counted["status"], missing["status"]) == ("counted", "missing")


def test_cards_from_the_page_to_rows(opened: Opener) -> None:
    mayor, president = place_of("mayor"), place_of("president")
    with opened("cards") as page:
        choose(page, MARKUP, 17)
        page.get_by_label("I have it before me").check()
        for option, rank in enumerate(("2", "", "1")):
            page.locator(f"#f-{mayor}-{option}").fill(rank)
        page.locator(f"[name='{president}-none']").check()
        done(page)
        choose(page, "a1", 20_488)
        page.get_by_label("I have it before me").check()
        page.get_by_label(MARKUP).check()
        done(page)
        choose(page, LONG, 3)
        page.get_by_label("It cannot be read or counted").check()
        done(page)
        choose(page, RIGHT_TO_LEFT, 3)
        page.get_by_label("I have it before me").check()
        page.get_by_label("This question is not on this card").check()
        done(page)
        rows = read_entries(saved(page), "Dipper", "dipper.json").rows
    assert {key: (row["status"], row["votes"]) for key, row in rows.items()} == {
        ("a1", 20_488, "president"): ("counted", "wren"),
        (MARKUP, 17, "mayor"): ("counted", "smew tern"),
        (MARKUP, 17, "president"): ("counted", ""),
        (LONG, 3, ""): ("illegible", ""),
        (RIGHT_TO_LEFT, 3, "president"): ("not-on-card", ""),
    }


def test_what_cannot_be_is_said_where_it_stands(opened: Opener) -> None:
    with opened("boxes") as page:
        done(page)
        assert page.get_by_text("Say what became of it.").is_visible()
        page.get_by_label("I have it before me").check()
        done(page)
        assert "A field that stays empty is unknown" in page.locator(f"#e-{place_of('president')}").inner_text()
        for wrong in ("-1", "1.5", "x", "2147483648"):
            count(page, place_of("president"), "5", wrong, "", "", "", "")
            done(page)
            field = page.locator(f"#f-{place_of('president')}-1")
            assert field.get_attribute("aria-invalid") == "true"
            assert field.evaluate("field => field === document.activeElement")
            said = page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
            assert "from 0 to 2147483647" in said
        assert "Done: 0 of 4." in page.locator("#done").inner_text()
        page.get_by_role("button", name="Save my entries").click()
        assert page.get_by_text("Nothing is done yet").is_visible()
        assert "a1" in page.locator("#begun").inner_text()


def test_a_question_that_nobody_counted_is_said_and_not_left_out(opened: Opener) -> None:
    mayor, president = place_of("mayor"), place_of("president")
    with opened("boxes") as page:
        choose(page, MARKUP)
        page.get_by_label("I have it before me").check()
        count(page, president, "50", "20", "10", "3", "2", "85")
        done(page)
        assert "A field that stays empty is unknown" in page.locator(f"#e-{mayor}").inner_text()
        assert page.locator(f"#f-{mayor}-0").evaluate("field => field === document.activeElement")
        assert page.locator(f"#f-{president}-0").get_attribute("aria-invalid") is None
        page.locator(f"[name='{mayor}-uncounted']").check()
        page.locator(f"#f-{mayor}-1").fill("7")
        done(page)
        assert "keep one of them" in page.locator(f"#e-{mayor}").inner_text()
        page.locator(f"#f-{mayor}-1").fill("")
        done(page)
        assert "Done: 1 of 4." in page.locator("#done").inner_text()
        rows = read_entries(saved(page), "Dipper", "dipper.json").rows
    assert {contest: row["votes"] for (_, _, contest), row in rows.items()} == {"mayor": "- - -", "president": "50 20 10"}


def test_marks_that_no_card_can_have(opened: Opener) -> None:
    mayor, president, council = place_of("mayor"), place_of("president"), place_of("council")
    with opened("cards") as page:
        choose(page, MARKUP, 3)
        page.get_by_label("I have it before me").check()
        done(page)
        assert "Tick what is marked, or say" in page.locator(f"#e-{president}").inner_text()
        page.locator(f"[name='{president}-none']").check()
        page.locator(f"[name='{president}-0']").check()
        page.locator(f"#f-{mayor}-0").fill("2")
        done(page)
        assert "keep one of them" in page.locator(f"#e-{president}").inner_text()
        assert "1, 2, 3" in page.locator(f"#e-{mayor}").inner_text()
        choose(page, LONG, 3)
        page.get_by_label("I have it before me").check()
        for option in range(4):
            page.locator(f"[name='{council}-{option}']").check()
        done(page)
        assert "4 are marked, and at most 3" in page.locator(f"#e-{council}").inner_text().translate({0x2068: None, 0x2069: None})
        assert "Done: 0 of 12." in page.locator("#done").inner_text()


def test_entries_outlive_the_page_and_stay_with_their_person(opened: Opener) -> None:
    with opened("boxes") as page:
        page.get_by_label("I have it before me").check()
        count(page, place_of("president"), "50", "20", "10", "3", "2", "85")
        page.get_by_role("button", name="Somebody else").click()
        begin(page, "Wren")
        assert not page.get_by_label("I have it before me").is_checked()
        assert page.locator("#box option").first.inner_text() == "a1"
        page.goto(page.url)
        begin(page, "Dipper")
        assert page.locator(f"#f-{place_of('president')}-0").input_value() == "50"
        done(page)
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Delete my entries").click()
        assert "Done: 0 of 4." in page.locator("#done").inner_text()
        assert page.evaluate("Object.keys(localStorage).length") == 0


def test_a_changed_box_is_not_done_until_it_is_said_to_be(opened: Opener) -> None:
    with opened("boxes") as page:
        page.get_by_label("It was not found").check()
        done(page)
        choose(page, "a1")
        page.get_by_label("It cannot be read or counted").check()
        assert "Done: 0 of 4." in page.locator("#done").inner_text()
        page.get_by_role("button", name="Save my entries").click()
        assert page.get_by_text("Nothing is done yet").is_visible()


def test_a_browser_that_keeps_nothing_says_so_and_still_saves(opened: Opener) -> None:
    refusing = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    with opened("boxes", script=refusing) as page:
        page.get_by_label("It was not found").check()
        assert page.get_by_text("This browser keeps nothing").is_visible()
        done(page)
        assert len(read_entries(saved(page), "Dipper", "dipper.json").rows) == 1


def test_a_photograph_is_named_by_its_hash(opened: Opener, tmp_path: Path) -> None:
    picture = tmp_path / "sheet.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    with opened("boxes") as page:
        page.get_by_label("It was not found").check()
        page.get_by_label("Take or choose a photograph").set_input_files(picture)
        page.get_by_role("button", name="Remove").wait_for()
        with page.expect_download() as kept:
            page.get_by_role("link", name="Keep the picture").click()
        assert Path(kept.value.path()).read_bytes() == picture.read_bytes()
        done(page)
        row = read_entries(saved(page), "Dipper", "dipper.json").rows["a1", 0, ""]
    assert row["images"] == hashlib.sha256(picture.read_bytes()).hexdigest()


def test_without_hashes_in_the_browser_the_picture_is_named_for_later(opened: Opener, tmp_path: Path) -> None:
    picture = tmp_path / "sheet.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    with opened("boxes", script="Object.defineProperty(crypto, 'subtle', { value: undefined });") as page:
        assert page.get_by_text("This browser cannot compute a SHA-256").is_visible()
        page.get_by_label("It was not found").check()
        page.get_by_label("Take or choose a photograph").set_input_files(picture)
        page.get_by_role("button", name="Remove").wait_for()
        done(page)
        row = read_entries(saved(page), "Dipper", "dipper.json").rows["a1", 0, ""]
    assert (row["images"], row["note"]) == ("", "Photograph sheet.jpg.")


def test_two_people_who_enter_alike_agree(opened: Opener) -> None:
    tables = []
    for person, first in (("Dipper", "50"), ("Wren", "050")):
        with opened("boxes", person=person) as page:
            page.get_by_label("I have it before me").check()
            count(page, place_of("president"), first, "20", "10", "3", "2", "85")
            done(page)
            tables.append(read_entries(saved(page), person, person))
    assert differences(*tables) == ()


def test_the_keyboard_is_enough(opened: Opener) -> None:
    with opened("boxes", person="") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.get_by_label("Your name").focus()
        page.keyboard.type("Dipper")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "unit"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        for figure in ("50", "20", "10", "3", "2", "85"):
            page.keyboard.press("Tab")
            page.keyboard.type(figure)
        page.keyboard.press("Enter")
        assert "Done: 1 of 4." in page.locator("#done").inner_text()
        assert page.evaluate("document.activeElement.id") == "unit"


@pytest.mark.parametrize(("name", "scheme"), [("boxes", "light"), ("cards", "dark")])
def test_axe_finds_nothing_and_nothing_runs_over(browser: Browser, folder: Path, name: str, scheme: str) -> None:
    # axe is put into the page by the test, which the page's own policy forbids, as it should.
    options = {"bypass_csp": True, "color_scheme": scheme, "offline": True}
    context = browser.new_context(**options)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto((folder / f"{name}.html").as_uri())
        assert Axe().run(page, options=RULES).response["violations"] == []
        begin(page, "Dipper")
        for box in (LONG, MARKUP):
            choose(page, box, 0 if name == "boxes" else 17)
            page.get_by_label("I have it before me").check()
            done(page)
            assert Axe().run(page, options=RULES).response["violations"] == []
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        context.close()


def test_nothing_but_its_own_script_runs() -> None:
    page = entry_page(WORK).decode()
    policy = page.partition('Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    assert f"President {MARKUP}" == PRESIDENT.title
    assert MARKUP not in page, "names stand in the page as data alone, with their signs of HTML escaped"
    assert len(BOXES) == len(NAMES)
    assert entry_page(WORK) == entry_page(WORK)
