"""The QR codes that the page of a station draws, read back from a picture of the screen: the signed bytes, the printed text."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from chromium import untroubled
from scrutineer.design import asset
from scrutineer.portal.check_words import WORDS
from scrutineer.statements import statement_hash
from scrutineer.statements.qr import MAX_PARTS, MAX_SINGLE_SIZE, PART_SIZE, QrCollector, qr_codes, qr_texts

zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: pip install 'scrutineer[scan]'")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install 'scrutineer[scan]'")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with untroubled(browser, viewport={"width": 700, "height": 900}, device_scale_factor=2) as page:
        yield page


def write_page(folder: Path, data: bytes, place: str) -> Path:
    """A page like that of a station, as a folder without a server."""
    for name in ("style.css", "qr.js"):
        (folder / name).write_bytes(asset("scrutineer.design", name).data)
    words = ",".join(f'"{key}": "{text}"' for key, text in WORDS.items() if key.startswith("qr."))
    (folder / "words.js").write_text(f"const CHECK_WORDS = {{{words}}};")
    encoded = b64encode(data).decode()
    path = folder / "page.html"
    path.write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="stylesheet" href="style.css">'
        '<script src="qr.js" defer></script></head><body>'
        f'<div data-hash="{statement_hash(data).hex()}" data-statement="{encoded}">{place.replace("BASE64", encoded)}</div>'
        '<script src="words.js" defer></script></body></html>'
    )
    return path


def codes_on(page: Page, folder: Path) -> list[str]:
    """The texts of all codes on the page, as the screen shows them."""
    texts = []
    for number, svg in enumerate(page.locator(".qr svg").all()):
        svg.screenshot(path=str(folder / f"code{number}.png"))
        (found,) = zxingcpp.read_barcodes(Image.open(folder / f"code{number}.png"), formats=zxingcpp.BarcodeFormat.QRCode)
        texts.append(found.text)
    return texts


def made_of(size: int) -> bytes:
    return bytes((n * n * 31 + n * 7 + size) % 256 for n in range(size))


SIZES = [1, 2, 18, 60, 139, 250, 333, 480, 601, 700, 850, MAX_SINGLE_SIZE - 1, MAX_SINGLE_SIZE]
PARTED = [MAX_SINGLE_SIZE + 1, 2 * PART_SIZE + 1, 3_333]


@pytest.mark.parametrize("size", [*SIZES, *PARTED])
def test_the_codes_hold_what_the_printed_ones_hold(page: Page, tmp_path: Path, size: int) -> None:
    data = made_of(size)
    page.goto(write_page(tmp_path, data, '<div class="qr" data-qr="BASE64"></div>').as_uri())
    page.get_by_role("button", name="Show as a QR code").click()
    texts = codes_on(page, tmp_path)
    assert texts == qr_texts(data)
    collector = QrCollector()
    for text in texts:
        collector.add(text)
    assert collector.statements == [data]


def test_a_code_is_as_small_as_the_printed_one(page: Page, tmp_path: Path) -> None:
    for size in SIZES:
        data = made_of(size)
        page.goto(write_page(tmp_path, data, '<div class="qr" data-qr></div>').as_uri())
        page.get_by_role("button").click()
        (printed,) = qr_codes(data)
        modules = printed.symbol_size(border=4)[0]
        assert page.locator(".qr svg").get_attribute("viewBox") == f"0 0 {modules} {modules}"


def test_inside_details_it_is_drawn_when_they_are_opened(page: Page, tmp_path: Path) -> None:
    data = made_of(300)
    place = '<details><summary>Code</summary><div class="qr" data-qr></div></details>'
    page.goto(write_page(tmp_path, data, place).as_uri())
    assert page.locator(".qr svg").count() == 0
    page.locator("summary").click()
    assert codes_on(page, tmp_path) == qr_texts(data)
    assert page.locator(".qr svg").get_attribute("aria-label") == "QR code with the signed sheet"


def test_it_is_read_on_a_dark_page_too(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(color_scheme="dark", device_scale_factor=2)
    data = made_of(500)
    page.goto(write_page(tmp_path, data, '<div class="qr" data-qr></div>').as_uri())
    page.get_by_role("button").click()
    assert codes_on(page, tmp_path) == qr_texts(data)
    page.close()


def test_a_statement_too_large_for_codes_says_so(page: Page, tmp_path: Path) -> None:
    page.goto(write_page(tmp_path, made_of(MAX_PARTS * PART_SIZE + 1), '<div class="qr" data-qr></div>').as_uri())
    page.get_by_role("button").click()
    assert "too large for QR codes" in page.locator(".qr").inner_text()
