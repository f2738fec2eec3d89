"""Pre-encrypted ballots: short codes, what a voter may choose, and what is found in the ones that are cast or opened."""

import itertools

import msgspec
import pytest

from ballot_helpers import OneHand, every_contest, one_contest, one_hand, seeded
from record_helpers import vectors_of
from scrutineer.ballots.confirmation import PRE_ENCRYPTED, chain_start, next_chain
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.pre_encrypted import PreEncrypted, PreEncryptor, short_code, vector_fields
from scrutineer.ballots.pre_encrypted_check import check_pre_encrypted
from scrutineer.errors import BallotError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def hand(trimming: int = 2) -> OneHand:
    return one_hand(msgspec.structs.replace(every_contest(), trimming=trimming))


HAND = hand()


@pytest.fixture(scope="module")
def blank() -> PreEncrypted:
    press = PreEncryptor(HAND.keys, 4, seeded("press"))
    return press.make(1, next_chain(chain_start(HAND.keys, "press", PRE_ENCRYPTED)[1]))


def press() -> PreEncryptor:
    return PreEncryptor(HAND.keys, 4, seeded("again"))


@pytest.mark.parametrize(
    ("trimming", "first", "last"),
    [
        (1, "00", "FF"),
        (2, "0100", "01FF"),
        (3, "A0", "Z5"),
        (4, "0A", "9V"),
        (5, "0", "255"),
        (6, "1", "256"),
        (7, "100", "355"),
        (8, "101", "356"),
    ],
)
def test_short_codes_begin_and_end_as_in_section_4_6(trimming: int, first: str, last: str) -> None:
    hashes = [bytes(30) + b"\1" + bytes([value]) for value in range(256)]
    codes = [short_code(trimming, one) for one in hashes]
    assert (codes[0], codes[-1]) == (first, last)
    assert len(set(codes)) == 256
    assert max(map(len, codes)) <= 4


def test_letters_and_digits_count_up_in_the_order_of_the_specification() -> None:
    hashes = [bytes([value]) for value in range(256)]
    assert [short_code(3, one) for one in hashes] == [a + b for a, b in itertools.product(LETTERS, "0123456789")][:256]
    assert [short_code(4, one) for one in hashes] == [a + b for a, b in itertools.product("0123456789", LETTERS)][:256]


@pytest.mark.parametrize("trimming", [0, 9])
def test_there_is_no_other_short_code(trimming: int) -> None:
    with pytest.raises(BallotError, match="1 to 8"):
        short_code(trimming, bytes(32))


def test_a_manifest_without_trimming_has_no_such_ballots() -> None:
    with pytest.raises(BallotError, match="no hash-trimming function"):
        PreEncryptor(one_hand(one_contest()).keys)


def test_vectors_of_plain_contests_are_those_of_the_specification() -> None:
    assert vector_fields(ManifestContest("pond", ("yes", "no"))) == (1, 2, 0)
    assert vector_fields(ManifestContest("council", ("wren", "owl", "heron"), 2)) == (1, 2, 3, 0, 0)


def test_fields_that_may_be_given_more_have_more_vectors() -> None:
    assert vector_fields(ManifestContest("scores", ("elm", "oak"), 3, 2)) == (1, 1, 2, 2, 0, 0, 0)
    contest = ManifestContest("council", ("wren",), 3, 1, ("blank", "undervotes"))
    assert vector_fields(contest) == (1, 2, 3, 3, 0, 0, 0)


def test_short_codes_of_a_contest_differ(blank: PreEncrypted) -> None:
    for codes in blank.short_codes.values():
        assert len(set(codes)) == len(codes)


def test_a_cast_ballot_shows_as_many_vectors_whatever_was_chosen(blank: PreEncrypted) -> None:
    nothing = press().cast(blank, dict.fromkeys(blank.hashes, ()))
    something = press().cast(blank, vectors_of(HAND.keys.manifest, 1, 1))
    for ballot in (nothing, something):
        assert not check_pre_encrypted(HAND.keys, ballot)
        limits = [HAND.keys.manifest.contest(own.contest).selection_limit for own in ballot.contests]
        assert [len(own.chosen) for own in ballot.contests] == limits
        assert all([one.hash for one in own.chosen] == sorted(one.hash for one in own.chosen) for own in ballot.contests)
    assert nothing.code == something.code == blank.code


def test_the_codes_on_the_record_are_those_on_the_paper(blank: PreEncrypted) -> None:
    chosen = vectors_of(HAND.keys.manifest, 1, 2)
    ballot = press().cast(blank, chosen)
    for own in ballot.contests:
        printed = {blank.short_codes[own.contest][vector - 1] for vector in chosen[own.contest]}
        assert printed <= {one.code for one in own.chosen}


def test_an_unused_ballot_opens(blank: PreEncrypted) -> None:
    assert not check_pre_encrypted(HAND.keys, press().open(blank))


@pytest.mark.parametrize("choice", [(1, 2), (1, 1), (0,), (99,)])
def test_choices_that_nobody_has(blank: PreEncrypted, choice: tuple[int, ...]) -> None:
    choices: dict[int, tuple[int, ...]] = {**dict.fromkeys(blank.hashes, ()), 1: choice}
    with pytest.raises(BallotError, match="selections, each once"):
        press().cast(blank, choices)


def test_choices_are_needed_for_all_contests(blank: PreEncrypted) -> None:
    with pytest.raises(BallotError, match="exactly the contests"):
        press().cast(blank, {1: (1,)})


def test_choices_beyond_the_weighted_limit(blank: PreEncrypted) -> None:
    # A blank contest counts as much as all choices together: nobody can vote beside it.
    blank_vector = vector_fields(HAND.keys.manifest.contest(2)).index(6) + 1
    with pytest.raises(BallotError, match="allows 3 in all"):
        press().cast(blank, {**dict.fromkeys(blank.hashes, ()), 2: (1, blank_vector)})


def test_a_contest_with_one_short_code_twice_is_found(blank: PreEncrypted) -> None:
    ballot = press().open(blank)
    first = ballot.contests[0]
    twin = bytes([first.hashes[0][0] ^ 1]) + first.hashes[0][1:]
    doubled = msgspec.structs.replace(first, hashes=tuple(sorted((*first.hashes[:-1], twin))))
    found = check_pre_encrypted(HAND.keys, msgspec.structs.replace(ballot, contests=(doubled, *ballot.contests[1:])))
    assert any("one short code" in failure.message for failure in found)


def test_a_manifest_without_such_ballots_refuses_them(blank: PreEncrypted) -> None:
    ballot = press().open(blank)
    found = check_pre_encrypted(hand(0).keys, ballot)
    assert "R.5" in {failure.check for failure in found}
