"""The rules of every kind of contest: what a voter marked, and the values that are encrypted for it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ballot_helpers import every_contest, one_hand, seeded
from scrutineer.ballots.ballot_check import check_ballot
from scrutineer.ballots.confirmation import chain_start
from scrutineer.ballots.encrypt import Encryptor
from scrutineer.ballots.manifest import BLOCK_SIZE, FORMAT, Manifest, ManifestContest, Party, Style
from scrutineer.errors import BallotError
from scrutineer.station.voting.choices import (
    Choices,
    Marks,
    Notice,
    ballot_choices,
    check_marks,
    chosen,
    contest_choice,
    contest_kind,
    expand,
    no_marks,
    notices,
    order_of,
    parties,
    spoils,
    with_marks,
    with_party,
)
from scrutineer.station.voting.contest_data import (
    ContestData,
    candidates,
    lines,
    longest_name,
    pack,
    tidy_name,
    unpack,
)
from scrutineer.station.voting.readable import ContestNames, readable

MANIFEST = every_contest()
WARDEN, COUNCIL, SCORES, POND, SONG = (MANIFEST.contest(number) for number in range(1, 6))
APPROVAL = ManifestContest("garden", ("wren", "owl", "heron"), 3, 1, ("blank", "null", "undervotes"))
POINTS = ManifestContest("points", ("wren", "owl"), 4, 3, ("blank", "null", "undervotes", "write-ins"), 2)
NAMED = ManifestContest("keeper", ("wren", "owl"), 1, 1, ("blank", "null", "write-ins"), 1)
BARE = ManifestContest("bare", ("wren", "owl"), 1)
CONTESTS = (WARDEN, COUNCIL, SCORES, POND, SONG, APPROVAL, POINTS, NAMED, BARE)
EVERY = Manifest("aviary", "Aviary", "2026-06-07", CONTESTS, (Style("all", tuple(range(1, 10))),), FORMAT)
KEYS = one_hand(EVERY).keys
ENCRYPTOR = Encryptor(KEYS, window=2, random=seeded("choices"))
CHAIN = chain_start(KEYS, "press")[0]


@st.composite
def marks_of(draw: st.DrawFn, contest: ManifestContest) -> Marks:
    """Whatever a voter can mark in a contest, too much included."""
    count = len(candidates(contest))
    if contest.orders:
        ranked = draw(st.lists(st.sampled_from(range(count)), unique=True))
        values = tuple(ranked.index(one) + 1 if one in ranked else 0 for one in range(count))
    else:
        values = tuple(draw(st.lists(st.integers(0, contest.option_limit), min_size=count, max_size=count)))
    name = st.text(min_size=1, max_size=40).map(tidy_name).filter(lambda text: 0 < len(text.encode()) <= longest_name(contest))
    names = tuple(draw(st.lists(name, max_size=lines(contest)))) if lines(contest) else ()
    return Marks(values, names, insisted=True)


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.label)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_with_all_fields_the_weighted_sum_is_the_limit(contest: ManifestContest, data: st.DataObject) -> None:
    choice = contest_choice(contest, data.draw(marks_of(contest)))
    assert len(choice.values) == len(contest.labels())
    assert all(0 <= value <= limit for value, limit in zip(choice.values, contest.limits(), strict=True))
    weighted = sum(value * weight for value, weight in zip(choice.values, contest.weights(), strict=True))
    whole = {"blank", "null"} <= set(contest.fields) and (contest.selection_limit == 1 or "undervotes" in contest.fields)
    assert weighted == contest.selection_limit if whole else weighted <= contest.selection_limit
    assert len(choice.data) == BLOCK_SIZE * contest.data_blocks


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.label)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_contest_data_says_what_was_written_and_spoilt(contest: ManifestContest, data: st.DataObject) -> None:
    marks = data.draw(marks_of(contest))
    read = unpack(contest, contest_choice(contest, marks).data)
    assert read.names == (marks.names if contest.data_blocks else ())
    if contest.data_blocks:
        assert read.marks == (marks.values if spoils(contest, marks) else ())


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_ballot_that_can_be_marked_encrypts_and_passes_the_checks(data: st.DataObject) -> None:
    by_hand = {number: data.draw(marks_of(contest)) for number, contest in enumerate(CONTESTS, 1)}
    made = ENCRYPTOR.encrypt(1, ballot_choices(EVERY, 1, Choices(by_hand=by_hand)), CHAIN)
    assert check_ballot(KEYS, made.ballot) == ()


def test_kinds() -> None:
    assert [contest_kind(contest) for contest in CONTESTS] == [
        "one",
        "several",
        "points",
        "one",
        "ranked",
        "approval",
        "points",
        "one",
        "one",
    ]


def test_one_choice() -> None:
    assert contest_choice(WARDEN, Marks((0, 1, 0))).values == (0, 1, 0, 0, 0)
    assert contest_choice(WARDEN, no_marks(WARDEN)).values == (0, 0, 0, 1, 0)
    assert contest_choice(WARDEN, Marks((1, 1, 0), insisted=True)).values == (0, 0, 0, 0, 1)
    assert contest_choice(BARE, Marks((1, 1), insisted=True)).values == (0, 0)


def test_several_choices_with_written_in_names() -> None:
    made = contest_choice(COUNCIL, Marks((1, 0, 0, 0, 0), ("Corn Crake",)))
    assert made.values == (1, 0, 0, 0, 0, 0, 0, 1, 1)
    assert made.data == b"\x01\x01\x0aCorn Crake" + bytes(128 - 13)
    assert contest_choice(COUNCIL, no_marks(COUNCIL)).data == bytes(128)
    spoilt = contest_choice(COUNCIL, Marks((1, 0, 1, 1, 0), ("Ruff",), insisted=True))
    assert spoilt.values == (0, 0, 0, 0, 0, 0, 1, 0, 0)
    assert spoilt.data == b"\x02\x0d\x01\x04Ruff" + bytes(128 - 8)
    assert unpack(COUNCIL, spoilt.data) == ContestData((1, 0, 1, 1, 0), ("Ruff",))


def test_rankings() -> None:
    assert candidates(SONG) == ("wren", "owl")
    assert order_of(SONG, Marks((2, 1))) == "owl>wren"
    assert contest_choice(SONG, Marks((2, 1))).values == (0, 0, 0, 1, 0, 0)
    assert contest_choice(SONG, Marks((0, 1))).values == (0, 1, 0, 0, 0, 0)
    whole = ManifestContest("whole", ("wren>owl", "owl>wren"), 1, 1, ("blank", "null"), 1, orders=True)
    assert notices(whole, Marks((1, 0))) == (Notice("unfinished"),)
    assert contest_choice(whole, Marks((1, 0), insisted=True)).values == (0, 0, 0, 1)
    assert unpack(whole, contest_choice(whole, Marks((1, 0), insisted=True)).data).marks == (1, 0)
    for wrong in ((1, 1), (2, 0), (0, 3)):
        with pytest.raises(BallotError, match="gap between places"):
            check_marks(SONG, Marks(wrong))


def test_notices() -> None:
    assert notices(WARDEN, Marks((0, 1, 0))) == ()
    assert notices(WARDEN, no_marks(WARDEN)) == (Notice("blank", 1),)
    assert notices(WARDEN, Marks((1, 1, 1))) == (Notice("overvote", 2),)
    assert notices(COUNCIL, Marks((1, 0, 0, 0, 0), ("Ruff",))) == (Notice("undervote", 1),)
    assert notices(APPROVAL, Marks((1, 0, 0))) == ()
    assert notices(SCORES, Marks((3, 0))) == (Notice("undervote", 2),)
    assert notices(SCORES, Marks((3, 3))) == (Notice("overvote", 1),)


def test_too_many_choices_are_encrypted_only_on_the_voters_word() -> None:
    choices = Choices(by_hand={1: Marks((1, 1, 0))})
    with pytest.raises(BallotError, match="cannot be counted as it is marked"):
        ballot_choices(MANIFEST, 1, choices)
    insisted = with_marks(MANIFEST, 1, choices, 1, Marks((1, 1, 0), insisted=True))
    assert ballot_choices(MANIFEST, 1, insisted)[1].values == (0, 0, 0, 0, 1)


def test_marks_of_another_contest_are_refused() -> None:
    for wrong in (Marks((1,)), Marks((2, 0, 0)), Marks((0, 0, 0), ("Ruff",))):
        with pytest.raises(BallotError, match="the marks in contest warden"):
            contest_choice(WARDEN, wrong)
    with pytest.raises(BallotError, match="not on ballot style 2"):
        with_marks(MANIFEST, 2, Choices(), 2, no_marks(COUNCIL))
    for values, names in (((-1,), ()), ((256,), ()), ((0,), (" Ruff",)), ((0,), ("",))):
        with pytest.raises(BallotError):
            Marks(values, names)


def test_a_party_stands_for_its_options_until_a_contest_is_marked_by_hand() -> None:
    assert parties(MANIFEST, 1) == parties(MANIFEST, 2) == (1,)
    assert parties(EVERY, 1) == ()
    chosen_party = with_party(MANIFEST, 1, Choices(), 1)
    marks = expand(MANIFEST, 1, chosen_party)
    assert (marks[1].values, marks[2].values, marks[4].values) == ((1, 0, 0), (1, 1, 0, 0, 0), (0, 0))
    changed = with_marks(MANIFEST, 1, chosen_party, 1, Marks((0, 0, 1)))
    assert expand(MANIFEST, 1, changed)[1].values == (0, 0, 1)
    assert expand(MANIFEST, 1, changed)[2].values == (1, 1, 0, 0, 0)
    # Blank by hand stays blank, and another party changes nothing that was marked by hand.
    blank = with_marks(MANIFEST, 1, changed, 2, no_marks(COUNCIL))
    assert expand(MANIFEST, 1, blank)[2] == no_marks(COUNCIL)
    assert expand(MANIFEST, 1, with_party(MANIFEST, 1, blank, 0))[1].values == (0, 0, 1)
    assert with_marks(MANIFEST, 1, changed, 1, Marks((1, 0, 0))) == chosen_party
    # What was expanded is what anyone would have marked by hand.
    assert ballot_choices(MANIFEST, 1, chosen_party) == ballot_choices(MANIFEST, 1, Choices(by_hand=marks))


def test_a_party_stands_for_nothing_where_it_has_more_options_than_choices() -> None:
    many = replace_parties(Party("flock", "Flock", ((1, 1), (1, 2), (3, 1), (3, 2), (5, 4))))
    marks = expand(many, 1, Choices(1))
    assert marks[1] == no_marks(WARDEN)
    assert marks[3].values == (2, 2)
    assert order_of(SONG, marks[5]) == "owl>wren"
    with pytest.raises(BallotError, match="no party 2"):
        expand(many, 1, Choices(2))
    with pytest.raises(BallotError, match="stands for nothing"):
        with_party(many, 1, Choices(), 2)


def replace_parties(party: Party) -> Manifest:
    whole = every_contest()
    return Manifest(whole.election, whole.name, whole.date, whole.contests, whole.styles, FORMAT, (party,))


def test_written_in_names_fit_the_blocks() -> None:
    assert (longest_name(COUNCIL), lines(COUNCIL)) == (40, 3)
    assert (longest_name(NAMED), lines(NAMED)) == (28, 1)
    assert (longest_name(WARDEN), lines(WARDEN)) == (0, 0)
    longest = Marks((1, 1, 1, 1, 1), ("x" * 40,) * 3, insisted=True)
    assert unpack(COUNCIL, contest_choice(COUNCIL, longest).data) == ContestData(longest.values, longest.names)
    with pytest.raises(BallotError):
        contest_choice(COUNCIL, Marks((0,) * 5, ("x" * 41,)))
    no_room = ManifestContest("tight", tuple(f"bird-{n}" for n in range(400)), 1, 1, ("blank", "null", "write-ins"), 1)
    assert lines(no_room) == 0
    assert contest_choice(no_room, Marks((1, 1) + (0,) * 398, insisted=True)).data == bytes(32)


def test_names_are_tidy() -> None:
    assert tidy_name("  Corn\t\n Crake\u202e \x00 ") == "Corn Crake"
    assert tidy_name("Cafe\u0301") == "Caf\u00e9"
    assert tidy_name("\u200f") == ""


@given(st.binary(max_size=140))
@settings(deadline=None)
def test_foreign_contest_data_is_refused_or_is_in_its_only_form(data: bytes) -> None:
    padded = data.ljust(128, b"\0")[:128]
    for given_data in (data, padded):
        try:
            read = unpack(COUNCIL, given_data)
        except BallotError:
            continue
        assert pack(COUNCIL, read) == given_data


def test_a_ballot_in_words() -> None:
    names = {"warden": ContestNames("Warden of the garden", {"wren": "Winifred Wren"})}
    by_hand = {
        2: Marks((1, 0, 0, 0, 0), ("Ruff",)),
        3: Marks((3, 1)),
        4: Marks((1, 1), insisted=True),
        5: Marks((2, 1)),
    }
    words = readable(MANIFEST, 1, Choices(1, by_hand), names)
    assert [(one.title, one.state, one.left, one.by_party) for one in words] == [
        ("Warden of the garden", "chosen", 0, True),
        ("council", "chosen", 1, False),
        ("scores", "chosen", 1, False),
        ("pond", "null", 0, False),
        ("song", "chosen", 0, False),
    ]
    assert words[0].choices[0].name == "Winifred Wren"
    assert [(choice.name, choice.written_in) for choice in words[1].choices] == [("wren", False), ("Ruff", True)]
    assert [(choice.name, choice.points) for choice in words[2].choices] == [("elm", 3), ("oak", 1)]
    assert words[3].too_many == 1
    assert [(choice.name, choice.place) for choice in words[4].choices] == [("owl", 1), ("wren", 2)]


def test_values_are_frozen() -> None:
    assert replace(Marks((0,)), insisted=True) != Marks((0,))
    assert chosen(SONG, Marks((1, 2))) == 1
