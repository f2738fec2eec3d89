"""Whole ballots: every check of the specification by an independent reading, refusals in clear words, and opening."""

import hashlib
import hmac
from dataclasses import replace

import msgspec
import pytest
from gmpy2 import mpz

from ballot_helpers import SMALL, every_contest, one_contest, one_hand, seeded
from naive_ballots import Naive
from scrutineer.ballots import STANDARD, Ballot
from scrutineer.ballots.confirmation import chain_start, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, check_choices, open_ballot, read_choices
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import BundleLine, encode_line
from scrutineer.ballots.sidecar import make_commitments, with_points
from scrutineer.errors import BallotError

HAND = one_hand(every_contest())
KEYS = HAND.keys
CHAIN = next_chain(chain_start(KEYS, "heron 1")[1])
CHOICES = {
    1: ContestChoice((0, 1, 0, 0, 0)),
    2: ContestChoice((1, 0, 0, 1, 0, 0, 0, 1, 0), b"a write-in".ljust(128, b"\x00")),
    3: ContestChoice((3, 2)),
    4: ContestChoice((0, 0, 1, 0)),
    5: ContestChoice((0, 0, 0, 1, 0, 0)),
}


def encryptor(seed: object = "encrypt", keys: ElectionKeys = KEYS) -> Encryptor:
    return Encryptor(keys, window=6, random=seeded(seed))


@pytest.mark.parametrize("with_pad", [False, True])
def test_every_contest_passes_every_check(with_pad: bool) -> None:
    maker = encryptor()
    encrypted = maker.encrypt(1, CHOICES, CHAIN, maker.pad(1) if with_pad else None)
    assert Naive(KEYS).ballot(encrypted.ballot) == []
    assert encrypted.ballot.status == "cast"
    assert encrypted.ballot.chain == CHAIN
    assert read_choices(KEYS, encrypted.ballot, encrypted.nonce) == CHOICES


@pytest.mark.parametrize("with_pad", [False, True])
def test_who_encrypts_has_the_commitments_of_a_side_car(with_pad: bool) -> None:
    maker, tables = encryptor(), CheckTables(KEYS, 4)
    encrypted = maker.encrypt(1, CHOICES, CHAIN, maker.pad(1) if with_pad else None)
    made = make_commitments(KEYS, encrypted.ballot, tables)
    assert with_points(KEYS, encrypted.ballot, encrypted.points, tables) == made


@pytest.mark.parametrize("with_pad", [False, True])
def test_standard_group(with_pad: bool) -> None:
    keys = one_hand(every_contest(), STANDARD).keys
    maker = Encryptor(keys, window=6, random=seeded("standard"))
    chain = next_chain(chain_start(keys, "heron 1")[1])
    style, choices = (1, CHOICES) if with_pad else (2, {1: CHOICES[1], 4: CHOICES[4]})
    encrypted = maker.encrypt(style, choices, chain, maker.pad(style) if with_pad else None)
    assert Naive(keys).ballot(encrypted.ballot) == []
    line = encode_line(encrypted.ballot)
    assert msgspec.json.decode(line, type=BundleLine) == encrypted.ballot


@pytest.mark.parametrize(
    "values",
    [
        {1: (0, 0, 0, 1, 0), 2: (0, 0, 0, 0, 0, 1, 0, 0, 0), 3: (0, 0), 4: (0, 0, 0, 1), 5: (0, 0, 0, 0, 1, 0)},
        {1: (1, 0, 0, 0, 0), 2: (1, 1, 1, 0, 0, 0, 0, 0, 0), 3: (2, 3), 4: (1, 0, 0, 0), 5: (1, 0, 0, 0, 0, 0)},
        {1: (0, 0, 0, 0, 1), 2: (0, 0, 0, 0, 0, 0, 1, 0, 0), 3: (0, 3), 4: (0, 1, 0, 0), 5: (0, 0, 0, 0, 0, 1)},
        {1: (0, 0, 1, 0, 0), 2: (0, 0, 0, 0, 0, 0, 0, 0, 3), 3: (1, 0), 4: (0, 0, 0, 0), 5: (0, 0, 0, 0, 0, 0)},
        {1: (0, 0, 0, 0, 0), 2: (0, 0, 1, 0, 0, 0, 0, 2, 0), 3: (3, 0), 4: (0, 0, 1, 0), 5: (0, 1, 0, 0, 0, 0)},
    ],
)
def test_all_admissible_values(values: dict[int, tuple[int, ...]]) -> None:
    choices = {number: ContestChoice(own, bytes(128) if number == 2 else b"") for number, own in values.items()}
    maker = encryptor(values)
    for pad in (None, maker.pad(1)):
        encrypted = maker.encrypt(1, choices, CHAIN, pad)
        assert Naive(KEYS).ballot(encrypted.ballot) == []
        assert read_choices(KEYS, encrypted.ballot, encrypted.nonce) == choices


def test_ciphertexts_decrypt_by_the_secret_key() -> None:
    ballot = encryptor().encrypt(1, CHOICES, CHAIN).ballot
    for contest in ballot.contests:
        for selection, value in zip(contest.selections, CHOICES[contest.contest].values, strict=True):
            shared = SMALL.power_secret(SMALL.element(selection.alpha), HAND.vote_secret)
            assert SMALL.element(selection.beta) == shared * SMALL.power(KEYS.vote_key, mpz(value)) % SMALL.p


def test_nonces_are_those_of_equation_33() -> None:
    encrypted = encryptor().encrypt(2, {1: CHOICES[1], 4: CHOICES[4]}, CHAIN)
    for contest in encrypted.ballot.contests:
        for field, selection in enumerate(contest.selections, 1):
            message = b"\x21" + contest.contest.to_bytes(4, "big") + field.to_bytes(4, "big") + encrypted.nonce
            digest = hmac.new(encrypted.ballot.identifier_hash, message, hashlib.sha256).digest()
            nonce = int.from_bytes(digest, "big") % int(SMALL.q)
            assert int.from_bytes(selection.alpha, "big") == pow(int(SMALL.g), nonce, int(SMALL.p))


def test_two_ballots_share_nothing() -> None:
    """The same choices twice, and with pads: no number occurs in both, and no number twice in one."""
    maker = Encryptor(KEYS, window=6)
    ballots = [maker.encrypt(1, CHOICES, CHAIN, pad).ballot for pad in (None, None, maker.pad(1), maker.pad(1))]
    numbers: list[bytes] = []
    for ballot in ballots:
        numbers += [ballot.identifier, ballot.identifier_hash, ballot.code, ballot.nonce.point, ballot.nonce.data]
        for contest in ballot.contests:
            numbers += [contest.hash]
            proofs = [contest.proof] + [selection.proof for selection in contest.selections]
            numbers += [proof[at : at + 32] for proof in proofs for at in range(0, len(proof), 32)]
            numbers += [part for selection in contest.selections for part in (selection.alpha, selection.beta)]
    assert len(set(numbers)) == len(numbers)


def test_all_randomness_is_what_was_passed_in() -> None:
    first, second = (encryptor("same").encrypt(1, CHOICES, CHAIN) for _ in range(2))
    assert first == second
    padded = [maker.encrypt(1, CHOICES, CHAIN, maker.pad(1)) for maker in (encryptor("same"), encryptor("same"))]
    assert padded[0] == padded[1]


def test_the_secret_is_not_shown() -> None:
    encrypted = encryptor().encrypt(1, CHOICES, CHAIN)
    assert repr(encrypted.nonce) not in repr(encrypted)
    assert encrypted.nonce not in encode_line(encrypted.ballot)


REFUSED: dict[str, tuple[dict[int, ContestChoice | None], str]] = {
    "missing contest": ({2: None}, "has the contests 1, 2, 3, 4, 5: 1, 3, 4, 5 were given"),
    "another contest": ({6: ContestChoice((0,))}, "1, 2, 3, 4, 5, 6 were given"),
    "too few values": ({3: ContestChoice((1,))}, "contest scores has 2 fields: 1 values"),
    "too many values": ({3: ContestChoice((1, 1, 1))}, "contest scores has 2 fields: 3 values"),
    "value above its limit": ({3: ContestChoice((4, 0))}, "contest scores, field elm: the value is 0 to 3, and 4"),
    "value below 0": ({3: ContestChoice((-1, 0))}, "field elm: the value is 0 to 3, and -1"),
    "sum above the limit": ({3: ContestChoice((3, 3))}, "contest scores allows 5 in all: 6 were given"),
    "two choices of one": ({1: ContestChoice((1, 1, 0, 0, 0))}, "contest warden allows 1 in all: 2"),
    "blank and a choice": (
        {2: ContestChoice((1, 0, 0, 0, 0, 1, 0, 0, 0), bytes(128))},
        "contest council allows 3 in all: 4 were given",
    ),
    "field above its limit": (
        {2: ContestChoice((0, 0, 0, 0, 0, 0, 0, 3, 0), bytes(128))},
        r"contest council, field \*undervotes: the value is 0 to 2, and 3",
    ),
    "no data": ({2: ContestChoice(CHOICES[2].values)}, "128 bytes of contest data: 0 were given"),
    "short data": ({2: ContestChoice(CHOICES[2].values, bytes(96))}, "128 bytes of contest data: 96"),
    "data where none belong": ({1: ContestChoice(CHOICES[1].values, bytes(32))}, "0 bytes of contest data: 32"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_encrypted_is_refused(name: str) -> None:
    changes, words = REFUSED[name]
    choices = {number: choice for number, choice in (CHOICES | changes).items() if choice is not None}
    maker = encryptor()
    pad = maker.pad(1)
    with pytest.raises(BallotError, match=words):
        maker.encrypt(1, choices, CHAIN, pad)
    with pytest.raises(BallotError, match=words):
        check_choices(KEYS, 1, choices)
    assert not pad.used  # a refusal costs no pad


def test_unknown_styles_and_other_chains_are_refused() -> None:
    maker = encryptor()
    for style in (0, 3):
        with pytest.raises(BallotError, match="no ballot style"):
            maker.encrypt(style, CHOICES, CHAIN)
        with pytest.raises(BallotError, match="no ballot style"):
            maker.pad(style)
    for chain in (b"", CHAIN[:-1], bytes(4) + CHAIN[4:]):
        with pytest.raises(BallotError, match="chaining field"):
            maker.encrypt(1, CHOICES, chain)


def test_opening_shows_values_and_nonces() -> None:
    encrypted = encryptor().encrypt(1, CHOICES, CHAIN)
    opened = open_ballot(KEYS, encrypted.ballot, encrypted.nonce, CHOICES)
    assert opened == open_ballot(KEYS, encrypted.ballot, encrypted.nonce)
    assert opened.code == encrypted.ballot.code
    assert [contest.label for contest in opened.contests] == ["warden", "council", "scores", "pond", "song"]
    assert [field.label for field in opened.contests[1].fields][5:] == ["*blank", "*null", "*undervotes", "*write-ins"]
    for contest, sealed in zip(opened.contests, encrypted.ballot.contests, strict=True):
        for field, selection in zip(contest.fields, sealed.selections, strict=True):
            nonce = SMALL.scalar(field.nonce)
            assert SMALL.element(selection.alpha) == SMALL.power(SMALL.g, nonce)
            assert SMALL.element(selection.beta) == SMALL.power(KEYS.vote_key, nonce + field.value)
    council = opened.contests[1]
    assert council.data == CHOICES[2].data
    assert encrypted.ballot.contests[1].data is not None
    assert SMALL.element(encrypted.ballot.contests[1].data.point) == SMALL.power(SMALL.g, SMALL.scalar(council.data_nonce))
    assert opened.contests[0].data == opened.contests[0].data_nonce == b""


def spoiled(ballot: Ballot, **changes: object) -> Ballot:
    contest = msgspec.structs.replace(ballot.contests[2], **changes)
    return msgspec.structs.replace(ballot, contests=(*ballot.contests[:2], contest, *ballot.contests[3:]))


def test_what_cannot_be_opened_is_refused() -> None:
    maker = encryptor()
    encrypted, other = maker.encrypt(1, CHOICES, CHAIN), maker.encrypt(1, CHOICES, CHAIN)
    ballot = encrypted.ballot
    with pytest.raises(BallotError, match="does not open it"):
        open_ballot(KEYS, ballot, other.nonce)
    with pytest.raises(BallotError, match="does not open it"):
        open_ballot(KEYS, msgspec.structs.replace(ballot, identifier=other.ballot.identifier), encrypted.nonce)
    with pytest.raises(BallotError, match="does not hold what the voter chose"):
        open_ballot(KEYS, ballot, encrypted.nonce, {**CHOICES, 3: replace(CHOICES[3], values=(2, 3))})
    with pytest.raises(BallotError, match="has not all the fields of contest scores"):
        open_ballot(KEYS, spoiled(ballot, selections=ballot.contests[2].selections[:1]), encrypted.nonce)
    first, second = ballot.contests[2].selections
    beta = SMALL.element(first.beta) * SMALL.power(KEYS.vote_key, mpz(1)) % SMALL.p  # 3 becomes 4
    changed = msgspec.structs.replace(first, beta=SMALL.element_bytes(beta))
    with pytest.raises(BallotError, match="is not a value of 0 to 3"):
        open_ballot(KEYS, spoiled(ballot, selections=(changed, second)), encrypted.nonce)


def test_tables_tell_how_far_they_are() -> None:
    told: list[tuple[int, int]] = []
    keys = one_hand(one_contest(), seed="progress").keys
    Encryptor(keys, window=5).build(lambda done, whole: told.append((done, whole)))
    assert told[-1] == (3 * 52, 3 * 52)
    assert told == sorted(told)
