"""A poll worker's whole day in a real browser, beside the real program: opened, voted, cut off, enabled again, closed, signed."""

import datetime
import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from ceremony_helpers import decrypt
from cli_helpers import command
from poll_day_helpers import AGENTS, KEY, STATION, WORKERS, Reeds, end, pem, reeds
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.record import OpenedBallot
from scrutineer.statements import TallySheet, parse_statement
from scrutineer.statements.qr import QrCollector
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.day import PollDay
from scrutineer.station.voting.place import Place

PHONE = {"width": 360, "height": 740}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


class Machine:
    """The real program of a station's machine, and what people bring: key files."""

    def __init__(self, folder: Path, land: Reeds) -> None:
        self.land, self.folder, self.keys = land, folder / "station", folder / "keys"
        published = land.write(folder / "published")
        self.keys.mkdir()
        for name, key in {**WORKERS, **AGENTS}.items():
            protection = "sedge" if name == "poll-worker/tern" else ""
            (self.keys / f"{name.partition('/')[2]}.pem").write_bytes(pem(key, protection))
        (folder / "station.pem").write_bytes(pem(KEY))
        self.run("init", self.folder, "--definition", published, "--key", folder / "station.pem", "--station", STATION)
        self.run("voting-init", self.folder, "--from", published.parent)
        self._process: subprocess.Popen[str] | None = None
        self.voter = self.board = ""

    def run(self, *arguments: object) -> None:
        subprocess.run(command(("station", *arguments)), check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        """Start the program, as after a failure of power."""
        self._process = subprocess.Popen(
            command(("station", "vote", self.folder, "--port", 0, "--board-port", 0, "--with-parent")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(self.keys.parent)},
        )
        assert self._process.stdout is not None
        self.voter, self.board = (self._process.stdout.readline().split()[-1] for _ in range(2))

    def kill(self) -> None:
        """Pull the plug."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=30)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    # Held today, whichever day that is: the program goes by the clock.
    made = Machine(tmp_path, reeds(STANDARD, 2, datetime.datetime.now(datetime.UTC).date().isoformat()))
    made.start()
    yield made
    made.kill()


class Desk:
    """The poll workers' screen."""

    def __init__(self, browser: Browser, machine: Machine) -> None:
        self.machine = machine
        self.context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        # The machine that does not answer is a part of the day: what is listened to is the page's own scripts.
        self.problems: list[str] = []
        self.looked: set[str] = set()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(machine.board)

    def stage(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)
        if text in self.looked:
            return
        self.looked.add(text)
        broken = Axe().run(self.page, options=RULES)
        assert broken.violations_count == 0, broken.generate_report()
        assert self.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    def follow(self, link: str, heading: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()
        self.stage(heading)

    def two(self, first: str, second: str) -> None:
        for number, name in enumerate((first, second), 1):
            self.page.set_input_files(f"#key-{number}", self.machine.keys / f"{name}.pem")
            if name == "tern":
                self.page.fill(f"#passphrase-{number}", "sedge")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def count(self, label: str, number: int) -> None:
        row = self.page.locator(".counts div").filter(has=self.page.get_by_text(label, exact=True))
        expect(row.locator("dd")).to_have_text(str(number))


class Voter:
    """The voter's screen."""

    def __init__(self, browser: Browser, machine: Machine) -> None:
        self.page = browser.new_context().new_page()
        self.page.goto(machine.voter)

    def at(self, screen: str) -> None:
        expect(self.page.locator("body")).to_have_class(f"voting {screen}")

    def print(self, chance: random.Random) -> None:
        """Fill in the ballot and have it printed."""
        self.at("language")
        self.page.get_by_role("button", name="English").click()
        for _ in range(3):
            self.at("contest")
            title = self.page.get_by_role("heading", level=1).inner_text()
            self.page.locator("main .choice").nth(chance.randrange(2)).click()
            self.page.locator(".steps .go").click()
            expect(self.page.get_by_role("heading", level=1)).not_to_have_text(title)
            if self.page.locator("body").get_attribute("class") == "voting notice":
                notice = self.page.get_by_role("heading", level=1).inner_text()
                self.page.locator(".steps .go").click()
                expect(self.page.get_by_role("heading", level=1)).not_to_have_text(notice)
        self.at("review")
        self.page.locator(".steps .go").click()
        self.at("prepared")

    def cast(self) -> None:
        self.page.locator('button[value="cast"]:visible').click()
        self.at("receipt")


def test_a_whole_day(browser: Browser, machine: Machine, tmp_path: Path) -> None:
    chance = random.Random(6)
    desk = Desk(browser, machine)
    desk.stage("Not open yet")
    desk.follow("Open the machine…", "Open the machine")
    desk.two("finch", "finch")
    desk.press("Open the machine")
    expect(desk.page.get_by_role("alert")).to_contain_text("second poll worker")
    desk.two("finch", "tern")
    desk.press("Open the machine")
    desk.stage("Ready for the next voter")
    voter = Voter(browser, machine)
    for number in range(1, 3):
        desk.follow("Next voter…", "Next voter")
        # By keyboard alone: the button has the focus.
        desk.page.keyboard.press("Enter")
        desk.stage("A voter is filling in a ballot")
        voter.print(chance)
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("The voter’s papers are printed")
        voter.cast()
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Ready for the next voter")
        desk.count("In the box", number)
    # Nobody who stands at the voter's screen gets to the board.
    voter.page.goto(machine.board.partition("/enter")[0])
    expect(voter.page.get_by_role("heading", level=1)).to_have_text("Poll workers’ board")
    expect(voter.page.get_by_label("Code of the board")).to_be_visible()
    voter.page.goto(machine.voter)
    # Power fails while the third voter looks at the paper.
    desk.follow("Next voter…", "Next voter")
    desk.press("Activate the ballot")
    voter.print(chance)
    machine.kill()
    expect(desk.page.get_by_text("The machine does not answer")).to_be_visible()
    machine.start()
    desk.page.goto(machine.board)
    desk.stage("Suspended")
    desk.follow("Enable the machine again…", "Enable the machine again")
    desk.two("lark", "tern")
    desk.press("Enable the machine again")
    desk.stage("A voter is filling in a ballot")
    expect(desk.page.get_by_text("Its paper is void: keep it out of the box.")).to_be_visible()
    desk.count("Spoiled", 1)
    desk.count("In the box", 2)
    # The same voter votes again, and another one leaves without voting.
    voter.page.goto(machine.voter)
    voter.print(chance)
    voter.cast()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Ready for the next voter")
    desk.follow("Provisional ballot…", "Provisional ballot")
    desk.press("Activate a provisional ballot")
    desk.stage("A voter is filling in a ballot")
    desk.follow("The voter has left…", "Take back the ballot")
    desk.press("The voter has left: take the ballot back")
    desk.stage("Ready for the next voter")
    # A break, and the end.
    desk.follow("Suspend for a break…", "Suspend the machine")
    desk.press("Suspend the machine")
    desk.stage("Suspended")
    desk.follow("Enable the machine again…", "Enable the machine again")
    desk.two("finch", "lark")
    desk.press("Enable the machine again")
    desk.follow("Voting has ended: close…", "Close the machine")
    desk.two("finch", "lark")
    desk.page.fill("#station", STATION)
    desk.press("Close the machine")
    desk.stage("Closed")
    for name, verdict in (("coot", "Signs the sheets"), ("rail", "Refuses to sign")):
        desk.follow("Sign with a key…", "Sign the tally sheets with a key")
        desk.page.set_input_files("#key", machine.keys / f"{name}.pem")
        desk.page.get_by_label(verdict).check()
        if name == "rail":
            desk.page.fill("#reason", "My own count differs.")
        desk.press("Sign, or refuse")
        desk.stage("Closed")
    expect(desk.page.locator(".signed")).to_contain_text("refused: My own count differs.")
    desk.follow("Print the tally sheets…", "Print the tally sheets")
    desk.page.fill("#copies", "2")
    desk.press("Print")
    desk.stage("Closed")
    assert desk.problems == []
    machine.kill()
    check(machine, tmp_path)


def check(machine: Machine, tmp_path: Path) -> None:
    """The record, the sheets and the paper say the same."""
    land = machine.land
    station = StationFolder.load(machine.folder)
    place = Place.load(station)
    day = PollDay(place, place.open_machine(), station.outbox())
    assert day.closing is not None
    assert (day.closing.cast, day.closing.spoiled, day.closing.activated) == (3, 1, 4)
    opened = [OpenedBallot(**json.loads(line)) for line in (place.folder / "openings.jsonl").read_text().splitlines()]
    record = decrypt(land.record, land.shares, place.folder / "bundle.jsonl", opened)
    for totals, data in zip(record.contests, day.closing.sheets, strict=True):
        sheet = parse_statement(data).payload
        assert isinstance(sheet, TallySheet)
        by_label = {field.label: field.total for field in totals.fields}
        assert (sheet.cast, sheet.blank, sheet.null) == (3, by_label["*blank"], by_label["*null"])
        if sheet.rankings is None:
            assert sheet.counts == tuple(by_label[name] for name in ("wren", "owl", "heron"))
    subprocess.run(
        ["pdftoppm", "-r", "150", "-png", place.folder / "printed" / "tally-sheets.pdf", tmp_path / "sheet"], check=True
    )
    collector = QrCollector()
    for page in sorted(tmp_path.glob("sheet-*.png")):
        for found in zxingcpp.read_barcodes(Image.open(page), formats=zxingcpp.BarcodeFormat.QRCode):
            collector.add(found.text)
    assert collector.statements == list(day.closing.sheets)
    end(day)
