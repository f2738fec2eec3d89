"""The voter's screens over a real voting machine: what leads where."""

import re

from kiosk_voter import Voter


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
