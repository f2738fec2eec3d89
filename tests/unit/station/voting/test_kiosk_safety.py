"""The voter's screens against everybody else: what is refused, what stays nowhere, what adds up whatever is pressed."""

import random
import re
from pathlib import Path

import pytest

from kiosk_helpers import NAMES, Station, served
from kiosk_voter import Voter
from scrutineer.errors import BallotError
from scrutineer.station.voting.kiosk import KioskSettings
from scrutineer.station.voting.printer import FolderPrinter
from voting_helpers import WORKERS


def everything(folder: Path) -> bytes:
    """All bytes and names below a folder."""
    return b"".join(str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in sorted(folder.rglob("*")))


def test_a_name_is_never_markup(voter: Voter) -> None:
    voter.begin(1)
    voter.press("next", mark=["1"])
    voter.press("keep", name_1="<b>&\"'</b>\u202e")
    assert '<b>&"' not in voter.page
    assert "&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;" in voter.page


def test_actions_of_other_screens_do_nothing(voter: Voter) -> None:
    voter.begin()
    for action in (
        "print",
        "cast",
        "test",
        "return",
        "again",
        "finish",
        "leave",
        "change:1",
        "language:xx",
        "size:9",
        "\x00",
        "",
    ):
        voter.press(action)
        assert voter.title == "Warden of the garden", action
        assert voter.station.machine.state == "active"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_other_peoples_pages_cannot_vote(voter: Voter, headers: dict[str, str], status: int) -> None:
    voter.begin()
    answer = voter.client.post("/vote", data={"step": voter.step, "action": "next", "mark": "1"}, headers=headers)
    assert answer.status_code == status
    voter.load()
    assert voter.title == "Warden of the garden"


def test_hostile_forms_are_refused(voter: Voter) -> None:
    voter.begin()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body, status in ((b"x" * 70_000, 413), (b"step=%ff", 400), (b"\xff", 400), (b"a=&" * 2_000, 400)):
        assert voter.client.post("/vote", content=body, headers=kind).status_code == status
    voter.press("next", mark=["99", "-1", "x", "1" * 400], points_1="9" * 30)
    assert voter.title == "You marked nothing here"


def test_pages_hold_no_foreign_address_and_no_inline_code(voter: Voter) -> None:
    pages = [voter.page]
    voter.begin()
    pages.append(voter.page)
    for action, marks in (("next", ["1"]), ("next", ["1"]), ("print", []), ("ask-test", []), ("test", [])):
        pages.append(voter.press(action, mark=marks))
    for page in pages:
        assert "http" not in page.replace('http-equiv="refresh"', "").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", page)
    policy = voter.client.get("/vote").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for path in set(re.findall(r'(?:href|src)="([^"]+)"', pages[0])):
        assert voter.client.get(path).status_code == 200, path
    assert voter.client.get("/vote/assets/none.css").status_code == 404
    assert voter.client.get("/").headers["location"] == "/vote"


def test_no_plaintext_ballot_stays_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    folder.mkdir()
    printer = FolderPrinter(folder / "print")
    station = Station(folder / "machine", printer)
    with served(station.kiosk) as address:
        voter = Voter(station, address)
        for ending in (("cast", "finish"), ("ask-test", "test", "again"), ("ask-return", "return")):
            if voter.screen == "away":
                voter.begin(1)
            else:
                voter.press("next", party="0")
            voter.press("next", mark=["2"])
            voter.press("next", mark=["1", "2"], name_1="Corn Crake")
            assert b"Corn Crake" not in everything(folder)
            while voter.screen != "review":
                voter.press("leave" if voter.screen == "notice" else "next")
            voter.press("print")
            assert printer.file.exists()
            assert [path.name for path in printer.file.parent.iterdir()] == ["papers.pdf"]
            for action in ending:
                voter.press(action)
            assert not printer.file.exists()
            left = everything(folder)
            assert b"%PDF" not in left
            if ending[0] != "ask-test":
                assert b"Corn Crake" not in left
            if ending[0] == "ask-return":
                break
    station.machine.stop()


def test_what_a_broken_machine_left_behind_is_removed_at_the_start(tmp_path: Path) -> None:
    printer = FolderPrinter(tmp_path / "print")
    printer.print(b"%PDF of a ballot")
    station = Station(tmp_path / "machine", printer)
    assert not printer.file.exists()
    station.machine.stop()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_pressed_ballots_add_up(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    station = Station(tmp_path / "machine")
    kiosk, machine = station.kiosk, station.machine
    forward = {
        "language": "language:fr",
        "party": "next",
        "contest": "next",
        "notice": "leave",
        "review": "print",
        "prepared": "cast",
        "confirm-test": "test",
        "confirm-return": "return",
        "opened": "again",
        "receipt": "finish",
    }
    others = (
        *("back", "print", "print-again", "cast", "ask-test", "ask-return", "keep", "clear", "rank:1", "rank:2", "change:1"),
        *("change:3", "change:party", "party", "language:ar", "size:2", "speech:on", "here", "none", "finish", "again", "test"),
    )
    for _ in range(600):
        if machine.state == "ready" and chance.random() < 0.7:
            machine.activate(chance.choice((1, 2)), provisional=chance.random() < 0.2)
        elif machine.activation and chance.random() < (0.3 if kiosk.look().hidden else 0.01):
            machine.cancel()
        station.kept.empty = chance.random() < 0.1
        station.clock.ahead += 70 if chance.random() < 0.05 else 0
        shown = kiosk.look()
        onward = forward[shown.sitting.screen] if shown.sitting else "none"
        marks = [str(number) for number in range(1, 6) if chance.random() < 0.4]
        form = {
            "step": [shown.step if chance.random() < 0.95 else "0" * 32],
            "action": [onward if chance.random() < 0.7 else chance.choice(others)],
            "mark": marks,
            "party": [chance.choice(("0", "1", ""))],
            "points-1": [chance.choice("0123")],
            "points-2": [chance.choice("0123")],
            "name-1": [chance.choice(("", "", "Corn Crake"))],
        }
        kiosk.answer(form)
        shown = kiosk.look()
        if shown.sitting is not None and not shown.hidden:
            printed = shown.sitting.screen in ("prepared", "confirm-test", "confirm-return")
            assert shown.sitting.screen == "receipt" or machine.state == ("prepared" if printed else "active")
    counters = machine.counters
    waiting = int(machine.activation is not None)
    assert counters.cast + counters.provisional + counters.cancelled + waiting == counters.activated
    assert counters.cast > 5
    assert counters.challenged > 0
    if waiting:
        machine.cancel()
    machine.close(*WORKERS[:2])
    counters = machine.counters
    made = counters.cast + counters.provisional + counters.challenged + counters.spoiled
    assert made == len(list(machine.ballots()))
    machine.stop()


def test_settings_that_cannot_be_used_are_refused() -> None:
    for wrong in ({"languages": ("xx",)}, {"languages": ()}, {"paper_language": "xx"}, {"grace": 5.0}, {"patience": 0.0}):
        with pytest.raises(BallotError):
            KioskSettings(names=NAMES, station="Old Granary", **wrong)  # type: ignore[arg-type]
