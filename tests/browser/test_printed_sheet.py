"""The printed sheet as a browser prints it: its codes give exactly the signed bytes, and the page asks for nothing."""

from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser

from chromium import untroubled
from intake_helpers import AUTHORITIES, republic, station_key
from scrutineer.election import Contest, Election, Option
from scrutineer.statements import Statement, TallySheet, parse_statement, sign_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.qr_image import look_at_picture, read_qr_image
from scrutineer.station.printed_sheet import render

pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: pip install 'scrutineer[scan]'")

A4 = {"width": 794, "height": 1123}  # pixels of 1/96 inch
LAND = republic(4)


def sheet_of(options: int) -> tuple[Statement, Election]:
    contest = Contest(
        "lists", "Lists", "dhondt", tuple(Option(f"o{n}", f"Great reed warbler {n}") for n in range(options)), seats=9
    )
    definition = msgspec.structs.replace(LAND.election.definition, contests=(contest,))
    election = open_election(sign_statement(definition, "authority/0", AUTHORITIES[0]), LAND.units, LAND.register)
    sheet = TallySheet(election.hash, "n1", "lists", tuple(5_000 + 1_733 * n for n in range(options)), blank=None, null=0)
    return parse_statement(sign_statement(sheet, "station/n1", station_key("n1"))), election


@pytest.mark.parametrize(("options", "codes"), [(3, 1), (38, 1), (512, 5)])
def test_what_is_printed_is_what_was_signed(options: int, codes: int, browser: Browser, tmp_path: Path) -> None:
    statement, election = sheet_of(options)
    asked: list[str] = []
    with untroubled(browser, viewport=A4, device_scale_factor=2) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(render(statement, election))
        page.emulate_media(media="print")
        page.screenshot(path=str(tmp_path / "sheet.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    assert asked == []
    assert read_qr_image(tmp_path / "sheet.png") == [statement.data]
    assert len(look_at_picture(tmp_path / "sheet.png").texts) == codes
