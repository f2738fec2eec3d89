"""The voter's screens in a real browser, over a real voting machine: every way through them, by touch, keys and switches."""

from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from kiosk_browser import KioskBrowser

RING = """(() => {
  const at = document.activeElement;
  if (at.matches("label.choice > input")) return getComputedStyle(at.closest("label")).outlineStyle;
  return getComputedStyle(at.matches(".point input") ? at.nextElementSibling : at).outlineStyle;
})()"""
"""The kind of the ring around what has the keyboard."""


def test_a_ballot_is_cast_and_its_code_can_be_read_from_the_screen(kiosk: KioskBrowser, tmp_path: Path) -> None:
    kiosk.begin(2)
    kiosk.fill()
    kiosk.go()
    kiosk.at("prepared")
    prepared = kiosk.station.machine.prepared
    assert prepared is not None
    kiosk.page.locator(".qr").screenshot(path=str(tmp_path / "qr.png"))
    [code] = zxingcpp.read_barcodes(Image.open(tmp_path / "qr.png"))
    assert code.text == prepared.words
    kiosk.press("cast")
    kiosk.heading("Your ballot is cast")
    assert kiosk.station.machine.counters.cast == 1
    kiosk.go()
    kiosk.at("away")
    assert kiosk.page.url == f"{kiosk.address}/vote"


def test_the_keyboard_alone_is_enough(kiosk: KioskBrowser) -> None:
    page = kiosk.page

    def reach(text: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            named = page.evaluate(
                "(() => { const e = document.activeElement; return (e.closest('label') || e).textContent.trim() + '|' + "
                "(e.getAttribute('aria-label') || '') + '|' + (e.id || ''); })()"
            )
            if text in named:
                assert page.evaluate(RING) in ("solid", "auto"), f"no ring around {text}"
                return
        raise AssertionError(f"{text} cannot be reached by the Tab key")

    kiosk.station.machine.activate(1)
    kiosk.at("language")
    reach("English")
    page.keyboard.press("Enter")
    kiosk.at("party")
    reach("No party")
    page.keyboard.press("ArrowDown")
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.heading("Warden of the garden")
    reach("Hermine Heron")
    page.keyboard.press("Space")
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.heading("Council of the birds")
    reach("name-1")
    page.keyboard.type("Corn Crake")
    # Enter in a line keeps the name and goes nowhere.
    page.keyboard.press("Enter")
    expect(page.locator("#name-1")).to_have_value("Corn Crake")
    kiosk.heading("Council of the birds")
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.heading("How good is each tree for nests?")
    reach("0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.at("notice")
    reach("Leave it so")
    page.keyboard.press("Enter")
    kiosk.heading("Shall the pond be made larger?")
    reach("No")
    page.keyboard.press("Space")
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.heading("Who sings at sunrise?")
    reach("Oswin Owl")
    page.keyboard.press("Enter")
    expect(page.locator("button.choice").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("button.choice").nth(1)).to_be_focused()
    reach("Next")
    page.keyboard.press("Enter")
    kiosk.at("review")
    said = " ".join(page.locator("main").inner_text().split())
    for part in (
        "Feather List",
        "Hermine Heron marked by you",
        "Corn Crake written in",
        "The elm 2 points",
        "■ No",
        "1. Oswin Owl",
    ):
        assert part in said, part
    reach("Print my ballot")
    page.keyboard.press("Enter")
    kiosk.at("prepared")
    reach("cast my ballot")
    page.keyboard.press("Enter")
    kiosk.heading("Your ballot is cast")
    assert kiosk.station.machine.counters.cast == 1


def test_a_test_in_arabic_and_then_a_vote(kiosk: KioskBrowser) -> None:
    kiosk.begin(2, "العربية")
    assert kiosk.page.locator("html").get_attribute("dir") == "rtl"
    kiosk.fill()
    kiosk.press("print")
    kiosk.press("ask-test")
    kiosk.press("test")
    kiosk.at("opened")
    marked = kiosk.page.locator("tr.yes th")
    assert marked.all_inner_texts() == ["Oswin Owl", "Yes"]
    # The mark stands where lines begin, which is on the right.
    kiosk.press("again")
    kiosk.at("party")
    box = kiosk.page.locator(".box").first.bounding_box()
    text = kiosk.page.locator(".choice .text").first.bounding_box()
    assert box is not None
    assert text is not None
    assert box["x"] > text["x"]
    kiosk.go()
    kiosk.fill()
    kiosk.press("print")
    kiosk.press("cast")
    kiosk.at("receipt")
    counters = kiosk.station.machine.counters
    assert (counters.cast, counters.challenged) == (1, 1)


def test_a_mark_moves_unless_both_are_wanted(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    page = kiosk.page
    page.get_by_text("Winifred Wren").click()
    expect(page.locator("#status")).to_have_text("You have marked one.")
    page.get_by_text("Oswin Owl").click()
    expect(page.locator("#status")).to_have_text("You have marked one. Your mark moved to the new choice.")
    assert page.locator("input:checked").count() == 1
    page.locator("#both").click()
    expect(page.locator("#status")).to_have_text("You have marked 1 too many.")
    assert page.locator("input:checked").count() == 2
    kiosk.go()
    kiosk.heading("You marked 1 too many")
    kiosk.press("leave")
    kiosk.go()
    kiosk.press("leave")
    kiosk.at("review")
    assert "Not counted" in page.locator(".card.null").inner_text()


def test_names_can_be_written_without_a_keyboard(kiosk: KioskBrowser) -> None:
    kiosk.begin(1)
    kiosk.go()
    kiosk.press("leave")
    kiosk.heading("Council of the birds")
    page = kiosk.page
    page.locator("#name-1").click()
    keys = page.locator("#keyboard")
    expect(keys).to_be_visible()
    for letter in ("O", "W", "L", "S"):
        keys.get_by_role("button", name=letter, exact=True).click()
    keys.get_by_role("button", name="Delete").click()
    keys.get_by_role("button", name="Space").click()
    keys.get_by_role("button", name="B", exact=True).click()
    expect(page.locator("#name-1")).to_have_value("OWL B")
    expect(page.locator("#status")).to_have_text("You have marked 1 of 3.")
    keys.get_by_role("button", name="Done").click()
    expect(keys).to_be_hidden()


def test_two_switches_are_enough(kiosk: KioskBrowser) -> None:
    page = kiosk.page
    kiosk.press("scan:two")
    expect(page.locator("body")).to_have_attribute("data-scan", "two")
    kiosk.station.machine.activate(2)
    kiosk.at("language")

    def switch(text: str) -> None:
        """Move on until the frame is around something, and choose it."""
        for _ in range(40):
            if text in page.locator(".scanned").inner_text():
                page.keyboard.press("Enter")
                return
            page.keyboard.press("Space")
        raise AssertionError(f"the frame does not come to {text}")

    switch("English")
    kiosk.at("party")
    switch("Next")
    kiosk.heading("Warden of the garden")
    switch("Hermine Heron")
    expect(page.locator("#status")).to_have_text("You have marked one.")
    switch("Next")
    kiosk.heading("Shall the pond be made larger?")
    switch("No")
    switch("Next")
    kiosk.at("review")
    switch("Print my ballot")
    kiosk.at("prepared")
    switch("cast my ballot")
    kiosk.at("receipt")
    assert kiosk.station.machine.counters.cast == 1


def test_one_switch_is_enough(kiosk: KioskBrowser) -> None:
    page = kiosk.page
    page.clock.install()
    page.goto(f"{kiosk.address}/vote")
    kiosk.begin(2)
    kiosk.press("scan:auto")
    expect(page.locator("body")).to_have_attribute("data-scan", "auto")
    # From here on time passes only where the test lets it, so that no stop is passed unseen.
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 60)
    seen = []
    for _ in range(20):
        seen.append(page.locator(".scanned").inner_text())
        if "Oswin Owl" in seen[-1]:
            page.keyboard.press("Space")
            break
        page.clock.run_for(2_500)
    expect(page.locator("input:checked")).to_have_value("2")
    assert len(set(seen)) == len(seen)


def test_letters_are_reached_by_rows(kiosk: KioskBrowser) -> None:
    kiosk.press("scan:two")
    expect(kiosk.page.locator("body")).to_have_attribute("data-scan", "two")
    kiosk.begin(1)
    page = kiosk.page
    kiosk.go()
    kiosk.press("leave")
    kiosk.heading("Council of the birds")
    page.locator(".scanned").wait_for()
    for _ in range(40):
        if page.locator("#name-1").evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Space")
    page.keyboard.press("Space")
    expect(page.locator("#keyboard div.scanned")).to_have_text("ABCDEFGHIJ")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#name-1")).to_have_value("B")


def test_the_screen_is_read_aloud_when_that_is_wanted(kiosk: KioskBrowser) -> None:
    kiosk.page.close()
    page = kiosk.window()
    page.add_init_script(
        "window.said = []; Object.defineProperty(window, 'speechSynthesis', {value: {cancel() {}, "
        "speak(one) { window.said.push(one.lang + ': ' + one.text); }}});"
    )
    page.goto(f"{kiosk.address}/vote")
    kiosk.begin(2)
    assert page.evaluate("window.said") == []
    kiosk.press("speech:on")
    expect(page.locator("body")).to_have_attribute("data-speech", "on")
    page.wait_for_function("window.said[0] === 'en: Warden of the garden. Choose one.'")
    page.get_by_label("Oswin Owl").focus()
    page.wait_for_function("window.said.at(-1) === 'en: Oswin Owl'")
    page.get_by_text("Oswin Owl").click()
    expect(page.locator("#status")).to_have_text("You have marked one.")
    page.wait_for_function("window.said.at(-1) === 'en: You have marked one.'")


def test_the_way_back_leads_nowhere(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    kiosk.fill()
    page = kiosk.page
    kiosk.press("print")
    kiosk.at("prepared")
    page.go_back()
    if page.url == "about:blank":
        page.go_forward()
    kiosk.at("prepared")
    kiosk.press("cast")
    kiosk.at("receipt")
    kiosk.go()
    kiosk.at("away")
    page.go_back()
    assert "Oswin" not in page.content()
    assert kiosk.station.machine.counters.cast == 1
    assert page.evaluate("window.localStorage.length + window.sessionStorage.length + document.cookie.length") == 0


def test_a_button_pressed_twice_counts_once(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    kiosk.fill()
    kiosk.page.evaluate(
        "() => { const b = document.querySelector('button[value=print]'); b.click(); b.click(); setTimeout(() => b.click(), 1); }"
    )
    kiosk.at("prepared")
    kiosk.page.locator('button[value="cast"]').dblclick()
    kiosk.at("receipt")
    assert len(kiosk.station.kept.papers) == 1
    assert kiosk.station.machine.counters.cast == 1


def test_a_second_window_follows(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    first = kiosk.page
    second = kiosk.window()
    kiosk.heading("Warden of the garden")
    second.get_by_text("Oswin Owl").click()
    kiosk.go()
    kiosk.heading("Shall the pond be made larger?")
    # The first window looks by itself whether the screen has changed.
    expect(first.get_by_role("heading", level=1)).to_have_text("Shall the pond be made larger?")


def test_marks_outlast_a_question_whether_anyone_is_there(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    page = kiosk.page
    page.get_by_text("Oswin Owl").click()
    expect(page.locator("#status")).to_have_text("You have marked one.")
    kiosk.station.clock.ahead += 125
    kiosk.at("still")
    assert "Oswin" not in page.content()
    before = int(page.locator(".figure").inner_text())
    expect(page.locator(".figure")).not_to_have_text(str(before))
    page.keyboard.press("Enter")
    kiosk.at("contest")
    expect(page.get_by_label("Oswin Owl")).to_be_checked()


def test_everything_works_without_scripts(kiosk: KioskBrowser) -> None:
    kiosk.page.close()
    page = kiosk.window(java_script_enabled=False)
    assert page.locator(".scripted:visible").count() == 0
    kiosk.station.machine.activate(1)
    # The page loads itself again until a ballot is there.
    kiosk.at("language")
    page.get_by_role("button", name="English").click()
    kiosk.go()
    page.get_by_text("Winifred Wren").click()
    page.get_by_text("Oswin Owl").click()
    kiosk.go()
    kiosk.heading("You marked 1 too many")
    kiosk.press("back")
    page.get_by_text("Oswin Owl").click()
    kiosk.press("size:2")
    expect(page.get_by_label("Winifred Wren")).to_be_checked()
    kiosk.go()
    page.locator("#name-1").fill("Corn Crake")
    page.get_by_text("Rowan Robin").click()
    kiosk.go()
    kiosk.press("leave")
    page.locator(".point").nth(3).click()
    page.locator(".point").nth(6).click()
    kiosk.go()
    page.get_by_text("Yes").click()
    kiosk.go()
    page.locator("button.choice").nth(1).click()
    page.locator("button.choice").nth(0).click()
    kiosk.go()
    kiosk.at("review")
    kiosk.press("print")
    kiosk.press("cast")
    kiosk.at("receipt")
    assert kiosk.station.machine.counters.cast == 1


def test_marks_do_not_stay_on_the_screen_of_a_program_that_has_ended(kiosk: KioskBrowser) -> None:
    kiosk.begin(2)
    mark = kiosk.page.get_by_text("Winifred Wren")
    mark.click()
    # The browser cannot reach the program, as if it had ended.
    kiosk.page.context.set_offline(True)
    expect(kiosk.page.locator("#gone")).to_be_visible()
    expect(mark).to_be_hidden()
    kiosk.page.context.set_offline(False)
    expect(mark).to_be_visible()
    expect(kiosk.page.locator("#gone")).to_be_hidden()
    # The browser says of each look that it went nowhere.
    kiosk.problems[:] = [said for said in kiosk.problems if "ERR_INTERNET_DISCONNECTED" not in said]
