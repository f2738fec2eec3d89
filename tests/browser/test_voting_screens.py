"""Every screen that a voter can come to: accessible, narrow enough, in every size and every set of colours."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from kiosk_browser import PHONE, PORTRAIT, WIDE, KioskBrowser


def walk(kiosk: KioskBrowser, language: str, look: Callable[[str], None]) -> None:
    """Every screen there is, each looked at."""
    page, station = kiosk.page, kiosk.station
    look("away")
    station.machine.activate(1)
    kiosk.at("language")
    look("language")
    page.get_by_role("button", name=language).click()
    look("party")
    page.get_by_text("Feather List").click()
    kiosk.go()
    look("one choice, marked by the party")
    page.get_by_text("Oswin Owl").click()
    expect(page.locator("#both")).to_be_visible()
    look("one choice, moved")
    kiosk.go()
    page.locator("#name-1").fill("Corn Crake")
    page.locator("#name-1").click()
    expect(page.locator("#keyboard")).to_be_visible()
    look("several choices, with letters")
    page.get_by_text("Rowan Robin").click()
    expect(page.locator(".status.over")).to_be_visible()
    kiosk.go()
    look("notice of too many")
    kiosk.press("leave")
    page.locator(".point").nth(3).click()
    look("points")
    kiosk.go()
    look("notice of points left")
    kiosk.press("leave")
    look("yes or no")
    kiosk.go()
    look("notice of nothing")
    kiosk.press("leave")
    page.locator("button.choice").nth(1).click()
    expect(page.locator("button.choice").nth(1)).to_have_attribute("aria-pressed", "true")
    look("ranking")
    kiosk.go()
    look("review")
    kiosk.press("print")
    look("prepared")
    kiosk.press("ask-return")
    look("give back?")
    kiosk.press("return")
    look("given back")
    kiosk.press("print")
    kiosk.press("ask-test")
    look("test?")
    kiosk.press("test")
    look("opened")
    kiosk.press("again")
    station.clock.ahead += 130
    kiosk.at("still")
    look("still there?")
    station.clock.ahead += 100
    kiosk.at("away")
    look("cleared")
    station.machine.activate(2)
    kiosk.at("language")
    page.get_by_role("button", name=language).click()
    kiosk.go()
    kiosk.fill()
    station.kept.empty = True
    kiosk.press("print")
    look("not printed")
    station.kept.empty = False
    kiosk.press("print-again")
    kiosk.press("cast")
    look("cast")


@pytest.mark.parametrize(
    ("language", "options", "comfort"),
    [
        ("English", {"viewport": WIDE, "color_scheme": "dark"}, ()),
        ("العربية", {"viewport": PHONE}, ("size:3", "colours:light")),
        ("Français", {"viewport": PORTRAIT}, ("colours:dark",)),
    ],
    ids=["wide and dark", "Arabic at 320 pixels, very large, black on white", "French in portrait, white on black"],
)
def test_every_screen_is_accessible_and_narrow_enough(
    kiosk: KioskBrowser, language: str, options: dict[str, object], comfort: tuple[str, ...]
) -> None:
    kiosk.page.close()
    kiosk.window(**options)
    faults = []

    def look(where: str) -> None:
        for action in comfort:
            what, _, value = action.partition(":")
            if (
                kiosk.page.locator("html").get_attribute(f"data-{what}") != value
                and kiosk.page.locator("body.still").count() == 0
            ):
                kiosk.press(action)
                expect(kiosk.page.locator("html")).to_have_attribute(f"data-{what}", value)
        found = Axe().run(kiosk.page)
        if found.violations_count:
            faults.append(f"{where}: {found.generate_report()}")
        wide = kiosk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            faults.append(f"{where}: {wide} pixels too wide")

    walk(kiosk, language, look)
    assert faults == []
