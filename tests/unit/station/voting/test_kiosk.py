"""The voter's screens over a real voting machine: what leads where, what is refused, and what is forgotten."""

import random
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from kiosk_helpers import NAMES, Station, served
from scrutineer.errors import BallotError, StoreError
from scrutineer.station.voting.kiosk import KioskSettings
from scrutineer.station.voting.printer import FolderPrinter
from scrutineer.station.voting.screens import Comfort, comfort_after
from voting_helpers import WORKERS


class Voter:
    """A browser without scripts: it shows a page, and sends the form on it."""

    def __init__(self, station: Station, address: str) -> None:
        self.station, self.address = station, address
        self.client = httpx.Client(base_url=address, trust_env=False)
        self.page = ""
        self.load()

    def load(self) -> str:
        """The page of now."""
        answer = self.client.get("/vote")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        self.page = answer.text
        return self.page

    @property
    def step(self) -> str:
        """The step of the page."""
        found = re.search(r'name="step" value="([0-9a-f]{32})"', self.page)
        assert found is not None
        return found[1]

    @property
    def screen(self) -> str:
        """Which screen the page is."""
        found = re.search(r'<body class="voting ([a-z]+)"', self.page)
        assert found is not None
        return found[1]

    @property
    def title(self) -> str:
        """The heading of the page, without tags."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page, re.DOTALL)
        assert found is not None
        return unescape(re.sub(r"<[^>]+>", "", found[1]))

    def press(self, action: str, **fields: object) -> str:
        """Press a button of the page, and see where that leads."""
        values: dict[str, object] = {"step": self.step, "action": action}
        values |= {name.replace("_", "-"): value for name, value in fields.items()}
        answer = self.client.post("/vote", data=values)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/vote"
        return self.load()

    def begin(self, style: int = 2) -> None:
        """Until the first contest of the short ballot."""
        self.station.machine.activate(style)
        self.load()
        assert self.screen == "language"
        self.press("language:en")
        self.press("next", party="0")

    def fill(self) -> None:
        """The short ballot: warden and pond."""
        self.begin()
        self.press("next", mark=["2"])
        self.press("next", mark=["1"])
        assert self.screen == "review"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "machine")
    yield made
    made.machine.stop()


@pytest.fixture
def voter(station: Station) -> Iterator[Voter]:
    with served(station.kiosk) as address:
        yield Voter(station, address)


def everything(folder: Path) -> bytes:
    """All bytes and names below a folder."""
    return b"".join(str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in sorted(folder.rglob("*")))


def test_without_an_activation_nobody_votes(voter: Voter) -> None:
    assert voter.title == "Please ask a poll worker"
    for action in ("language:en", "next", "print", "cast", "test", "here", "again", ""):
        voter.press(action)
        assert voter.screen == "away"
    assert voter.station.machine.state == "ready"


def test_a_ballot_from_the_first_screen_to_the_last(voter: Voter) -> None:
    voter.fill()
    assert "Oswin Owl" in voter.page
    voter.press("print")
    assert voter.screen == "prepared"
    prepared = voter.station.machine.prepared
    assert prepared is not None
    assert all(word in voter.page for word in (*prepared.words.split("-"), *prepared.serial.split("-")))
    assert len(voter.station.kept.papers) == 1
    voter.press("cast")
    assert voter.title == "Your ballot is cast"
    assert "Oswin Owl" not in voter.page
    assert voter.station.machine.counters.cast == 1
    voter.press("finish")
    assert voter.screen == "away"
    # A ballot more needs an activation more.
    voter.press("language:en")
    assert voter.screen == "away"


def test_a_test_opens_the_ballot_and_the_voter_votes_again(voter: Voter) -> None:
    voter.fill()
    voter.press("print")
    prepared = voter.station.machine.prepared
    assert prepared is not None
    voter.press("ask-test")
    assert voter.title == "Test this machine?"
    voter.press("back")
    voter.press("ask-test")
    voter.press("test")
    assert voter.screen == "opened"
    assert all(word in voter.page for word in prepared.words.split("-"))
    rows = re.findall(r"<tr(?: class=\"(yes)\")?><th scope=\"row\"><bdi>([^<]+)</bdi></th><td>(\d)</td>", voter.page)
    assert rows == [
        ("", "Winifred Wren", "0"),
        ("yes", "Oswin Owl", "1"),
        ("", "Hermine Heron", "0"),
        ("yes", "Yes", "1"),
        ("", "No", "0"),
    ]
    assert len(voter.station.kept.papers) == 2
    voter.press("again")
    assert voter.title == "Vote for one party everywhere?"
    voter.press("next", party="0")
    assert "checked" not in voter.page
    voter.press("next", mark=["1"])
    voter.press("next", mark=["1"])
    voter.press("print")
    voter.press("cast")
    counters = voter.station.machine.counters
    assert (counters.cast, counters.challenged) == (1, 1)


def test_a_ballot_given_back_can_be_changed(voter: Voter) -> None:
    voter.fill()
    voter.press("print")
    voter.press("ask-return")
    voter.press("return")
    assert voter.screen == "review"
    assert "was given back" in voter.page
    voter.press("change:1")
    assert re.search(r'value="2" checked', voter.page)
    voter.press("next", mark=["3"])
    assert voter.screen == "review"
    assert "was given back" not in voter.page
    voter.press("print")
    voter.press("cast")
    counters = voter.station.machine.counters
    assert (counters.cast, counters.spoiled) == (1, 1)


def test_too_many_marks_are_pointed_out_and_kept_only_on_the_voters_word(voter: Voter) -> None:
    voter.begin()
    voter.press("next", mark=["1", "2"])
    assert voter.title == "You marked 1 too many"
    voter.press("back")
    assert voter.page.count(" checked") == 2
    voter.press("next", mark=["1", "2"])
    voter.press("leave")
    assert voter.title == "Shall the pond be made larger?"
    voter.press("back")
    voter.press("next", mark=["1", "2"])
    assert voter.title == "Shall the pond be made larger?", "the voter was told already"
    voter.press("next", mark=["1"])
    assert "Not counted" in voter.page
    voter.press("print")
    voter.press("ask-test")
    voter.press("test")
    assert '<th scope="row">Not counted</th><td>1</td>' in voter.page


def test_too_many_marks_cannot_reach_the_printer_unseen(voter: Voter) -> None:
    voter.fill()
    voter.press("change:1")
    voter.press("back", mark=["1", "2"])
    assert voter.screen == "review"
    voter.press("print")
    assert voter.title == "You marked 1 too many"
    assert voter.station.machine.state == "active"
    voter.press("leave")
    voter.press("print")
    assert voter.screen == "prepared"


def test_a_blank_contest_is_pointed_out_once(voter: Voter) -> None:
    voter.begin()
    voter.press("next")
    assert voter.title == "You marked nothing here"
    voter.press("leave")
    voter.press("back")
    voter.press("next")
    assert voter.title == "Shall the pond be made larger?"
    voter.press("back")
    voter.press("next", mark=["1"])
    voter.press("back")
    voter.press("next")
    assert voter.title == "You marked nothing here", "it was marked in between"


def test_a_ranking_grows_and_shrinks_by_pressing_names(voter: Voter) -> None:
    voter.begin(1)
    for _ in range(8):
        voter.press("leave" if voter.screen == "notice" else "next")
    assert voter.title == "Who sings at sunrise?"
    voter.press("rank:2")
    voter.press("rank:1")
    assert re.findall(r'<span class="box place">(\d?)</span>', voter.page) == ["2", "1"]
    voter.press("rank:2")
    assert re.findall(r'<span class="box place">(\d?)</span>', voter.page) == ["1", ""]
    for wrong in ("rank:0", "rank:3", "rank:x", "rank:", "rank:-1"):
        voter.press(wrong)
        assert re.findall(r'<span class="box place">(\d?)</span>', voter.page) == ["1", ""]
    voter.press("clear")
    assert re.findall(r'<span class="box place">(\d?)</span>', voter.page) == ["", ""]


def test_a_party_marks_contests_until_they_are_changed(voter: Voter) -> None:
    voter.station.machine.activate(1)
    voter.load()
    voter.press("language:en")
    voter.press("next", party="1")
    assert "Marked for you by your choice of <bdi>Feather List</bdi>" in voter.page
    assert re.search(r'name="mark" value="1" checked', voter.page)
    voter.press("next", mark=["2"])
    voter.press("back", mark=["1", "2"])
    assert "Mark as <bdi>Feather List</bdi> again" in voter.page
    assert re.search(r'name="mark" value="2" checked', voter.page)
    voter.press("party", mark=["2"])
    assert re.search(r'name="mark" value="1" checked', voter.page)


def test_a_name_too_long_is_shortened_before_the_voters_eyes(voter: Voter) -> None:
    voter.begin(1)
    voter.press("next", mark=["1"])
    voter.press("next", mark=["1"], name_1="ش" * 30)
    assert voter.title == "Council of the birds"
    assert "was shortened" in voter.page
    assert f'value="{"ش" * 20}"' in voter.page
    voter.press("next", mark=["1"], name_1="ش" * 20)
    assert voter.title == "You can choose 1 more"


def test_a_name_is_never_markup(voter: Voter) -> None:
    voter.begin(1)
    voter.press("next", mark=["1"])
    voter.press("keep", name_1="<b>&\"'</b>\u202e")
    assert '<b>&"' not in voter.page
    assert "&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;" in voter.page


def test_a_page_of_before_changes_nothing(voter: Voter) -> None:
    voter.fill()
    old = voter.page
    voter.press("print")
    for action in ("print", "back", "change:1", "next"):
        voter.page = old
        voter.press(action)
        assert voter.screen == "prepared"
    assert len(voter.station.kept.papers) == 1
    prepared = voter.page
    voter.press("cast")
    for action in ("cast", "ask-test", "test", "ask-return"):
        voter.page = prepared
        voter.press(action)
        assert voter.screen == "receipt"
    counters = voter.station.machine.counters
    assert (counters.cast, counters.challenged, counters.spoiled) == (1, 0, 0)


def test_a_second_window_sees_the_same_screen_and_cannot_vote_twice(voter: Voter) -> None:
    voter.fill()
    other = Voter(voter.station, voter.address)
    assert other.screen == "review"
    other.press("print")
    voter.press("print")
    assert voter.screen == other.screen == "prepared"
    assert len(voter.station.kept.papers) == 1


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


def test_comfort_keeps_the_marks_and_ends_with_the_voter(voter: Voter) -> None:
    voter.begin()
    voter.press("size:3", mark=["2"])
    voter.press("colours:dark", mark=["2"])
    voter.press("scan:auto", mark=["2"])
    assert 'data-size="3" data-colours="dark"' in voter.page
    assert 'data-scan="auto"' in voter.page
    assert re.search(r'value="2" checked', voter.page)
    voter.press("next", mark=["2"])
    voter.press("next", mark=["1"])
    voter.press("print")
    voter.press("size:2")
    assert voter.screen == "prepared"
    voter.press("cast")
    voter.press("finish")
    assert 'data-size="1" data-colours="normal"' in voter.page
    assert comfort_after(Comfort(), "scan:three", ("en",)) is None


def test_a_voter_in_another_language_gets_the_screens_and_papers_in_it(voter: Voter) -> None:
    voter.station.machine.activate(2)
    voter.load()
    voter.press("language:ar")
    assert '<html lang="ar" dir="rtl"' in voter.page
    voter.press("next", party="0")
    voter.press("next", mark=["1"])
    voter.press("next", mark=["1"])
    voter.press("print")
    assert b"%PDF" in voter.station.kept.papers[0][:8]


def test_without_paper_nothing_is_cast(voter: Voter) -> None:
    voter.fill()
    voter.station.kept.empty = True
    voter.press("print")
    assert "The printer did not print" in voter.page
    assert re.search(r'value="cast" disabled', voter.page)
    voter.press("cast")
    assert voter.screen == "prepared"
    assert voter.station.machine.state == "prepared"
    voter.station.kept.empty = False
    voter.press("print-again")
    assert "The printer did not print" not in voter.page
    voter.press("cast")
    assert voter.screen == "receipt"


def test_a_voter_who_left_is_asked_for_and_then_forgotten(voter: Voter) -> None:
    voter.begin()
    voter.press("keep", mark=["2"])
    voter.station.clock.ahead += 121
    assert "Are you still there?" in voter.load()
    assert "Oswin" not in voter.page
    voter.press("here")
    assert re.search(r'value="2" checked', voter.page)
    voter.station.clock.ahead += 121
    voter.load()
    voter.station.clock.ahead += 60
    assert "cleared because nobody answered" in voter.load()
    assert voter.station.machine.state == "ready"
    assert voter.station.machine.counters.cancelled == 1
    voter.station.machine.activate(2)
    voter.load()
    assert voter.screen == "language"
    assert "cleared because" not in voter.page


def test_a_printed_ballot_whose_voter_left_waits_unseen_for_the_poll_workers(voter: Voter) -> None:
    voter.fill()
    voter.press("print")
    voter.station.clock.ahead += 181
    voter.load()
    assert voter.title == "A printed ballot waits here"
    assert "Oswin" not in voter.page
    for action in ("cast", "here", "test"):
        voter.press(action)
        assert voter.title == "A printed ballot waits here"
    assert voter.station.machine.state == "prepared"
    voter.station.machine.cancel()
    voter.load()
    assert voter.title == "Please ask a poll worker"


def test_the_last_screen_clears_itself(voter: Voter) -> None:
    voter.fill()
    voter.press("print")
    voter.press("cast")
    voter.station.clock.ahead += 59
    voter.load()
    assert voter.screen == "receipt"
    voter.station.clock.ahead += 2
    voter.load()
    assert voter.screen == "away"


def test_poll_workers_take_an_activation_back(voter: Voter) -> None:
    voter.begin()
    voter.station.machine.cancel()
    voter.station.machine.activate(2)
    voter.load()
    assert voter.screen == "language", "the next voter sees nothing of the last"


def test_signs_of_life_count_and_a_look_at_the_page_does_not(voter: Voter) -> None:
    voter.begin()
    voter.station.clock.ahead += 100
    assert voter.client.post("/vote/here", data={"step": voter.step}).status_code == 204
    voter.station.clock.ahead += 100
    voter.load()
    assert voter.screen == "contest"
    assert voter.client.post("/vote/here", data={"step": "0" * 32}).status_code == 204
    voter.station.clock.ahead += 30
    voter.load()
    assert voter.screen == "still"


def test_scripts_are_told_what_is_marked_and_whether_the_screen_changed(voter: Voter) -> None:
    voter.begin()
    before = voter.client.get("/vote/state").json()
    json = {"accept": "application/json"}
    answer = voter.client.post("/vote", data={"step": voter.step, "action": "keep", "mark": ["1", "3"]}, headers=json)
    assert answer.json() == {"status": "You have marked 1 too many.", "over": True}
    assert voter.client.get("/vote/state").json()["revision"] == before["revision"]
    voter.press("next", mark=["1"])
    assert voter.client.get("/vote/state").json()["revision"] != before["revision"]


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


def test_nobody_votes_while_a_printed_ballot_cannot_be_removed(voter: Voter, monkeypatch: pytest.MonkeyPatch) -> None:
    voter.fill()
    voter.press("print")

    def stuck() -> None:
        raise BallotError("papers.pdf: the paper of a ballot cannot be removed")

    with monkeypatch.context() as patched:
        patched.setattr(voter.station.kept, "clear", stuck)
        voter.press("cast")
        assert voter.title == "Your ballot is cast"
        voter.press("finish")
        assert voter.title == "This machine has stopped"
        voter.station.machine.activate(2)
        voter.load()
        assert voter.title == "This machine has stopped"
    voter.load()
    assert voter.screen == "language"


def test_the_party_can_be_changed_from_the_whole_ballot(voter: Voter) -> None:
    voter.fill()
    voter.press("change:party")
    assert voter.title == "Vote for one party everywhere?"
    voter.press("back", party="0")
    assert voter.screen == "review"
    voter.press("change:party")
    voter.press("next", party="1")
    assert "marked by you" in voter.page
    for nonsense in ("2", "-1", "x", "9" * 9):
        voter.press("change:party")
        voter.press("next", party=nonsense)
    assert "Feather List" in voter.page


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


def test_a_machine_that_stops_says_so(voter: Voter, monkeypatch: pytest.MonkeyPatch) -> None:
    voter.fill()

    def stop(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(voter.station.machine, "prepare", stop)
    voter.press("print")
    assert voter.screen == "review"
    assert "That did not work" in voter.page
    monkeypatch.undo()
    voter.press("print")
    assert voter.screen == "prepared"
    assert "That did not work" not in voter.page


def test_settings_that_cannot_be_used_are_refused() -> None:
    for wrong in ({"languages": ("xx",)}, {"languages": ()}, {"paper_language": "xx"}, {"grace": 5.0}, {"patience": 0.0}):
        with pytest.raises(BallotError):
            KioskSettings(names=NAMES, station="Old Granary", **wrong)  # type: ignore[arg-type]


def test_a_provisional_ballot_is_called_so_everywhere(voter: Voter) -> None:
    voter.station.machine.activate(2, provisional=True)
    voter.load()
    voter.press("language:en")
    voter.press("next", party="0")
    voter.press("next", mark=["1"])
    voter.press("next", mark=["1"])
    voter.press("print")
    assert "Provisional ballot" in voter.page
    voter.press("cast")
    assert voter.title == "Your provisional ballot is handed in"
