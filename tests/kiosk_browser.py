"""A browser before a voting machine, for tests of the voter's screens."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from chromium import troubles_of
from kiosk_helpers import Station, served

PORTRAIT, PHONE, WIDE = {"width": 1080, "height": 1920}, {"width": 320, "height": 640}, {"width": 1280, "height": 800}


class KioskBrowser:
    """A browser before a voting machine."""

    def __init__(self, browser: Browser, station: Station, address: str) -> None:
        self.browser, self.station, self.address = browser, station, address
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.page = self.window()

    def window(self, **options: object) -> Page:
        """A window more."""
        context = self.browser.new_context(**({"viewport": PORTRAIT} | options))  # type: ignore[arg-type]
        self.contexts.append(context)
        page = context.new_page()
        troubles_of(page, self.problems, levels=("error",))
        page.on("request", lambda request: self._local(request.url))
        self.page = page
        page.goto(f"{self.address}/vote")
        return page

    def _local(self, address: str) -> None:
        if not address.startswith(self.address):
            self.problems.append(f"asked for {address}")

    def begin(self, style: int = 1, language: str = "English", party: str | None = None) -> None:
        """Activate a ballot, and go to its first contest."""
        self.station.machine.activate(style)
        self.at("language")
        self.page.get_by_role("button", name=language).click()
        self.at("party")
        if party:
            self.page.get_by_text(party, exact=True).click()
        self.go()
        self.at("contest")

    def at(self, screen: str) -> None:
        """Wait for a screen."""
        expect(self.page.locator("body")).to_have_class(f"voting {screen}")

    def go(self) -> None:
        """Press the main button."""
        self.page.locator(".steps .go").click()

    def press(self, action: str) -> None:
        """Press a button by what it does."""
        self.page.locator(f'button[value="{action}"]:visible').click()

    def heading(self, text: str) -> None:
        """Wait for a heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def fill(self) -> None:
        """The short ballot, to its review."""
        self.page.get_by_text("Oswin Owl").click()
        self.go()
        self.heading("Shall the pond be made larger?")
        self.page.get_by_text("Yes").click()
        self.go()
        self.at("review")


@contextlib.contextmanager
def standing(browser: Browser, folder: Path) -> Iterator[KioskBrowser]:
    """A browser before an opened machine. No script may have failed, and nothing may have been asked of others, at its end."""
    station = Station(folder, site="https://count.example")
    with served(station.kiosk) as address:
        made = KioskBrowser(browser, station, address)
        yield made
        for context in made.contexts:
            context.close()
    station.machine.stop()
    assert made.problems == []
