"""The voter's screens when something ends: a voter leaves, paper or machine give out, poll workers step in."""

import re

import pytest

from kiosk_voter import Voter
from scrutineer.errors import BallotError, StoreError
from scrutineer.station.voting.screens import Comfort, comfort_after


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
