"""One browser for the tests of a module, and a voting machine in it for each test of the voter's screens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from chromium import chromium
from kiosk_browser import KioskBrowser, standing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def kiosk(browser: Browser, tmp_path: Path) -> Iterator[KioskBrowser]:
    with standing(browser, tmp_path / "machine") as made:
        yield made
