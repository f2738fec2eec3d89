"""The parts of a 2.0.0 election: hashes as section 5.5 lists their bytes, contest data, and what is refused."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from ballot_helpers import SMALL, one_contest, seeded
from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.hashing import small
from scrutineer.ballots.version_2_0 import layout
from scrutineer.ballots.version_2_0.contest_data import DataPlace, open_data, seal_data
from scrutineer.ballots.version_2_0.decrypt import Decryptor20
from scrutineer.ballots.version_2_0.encrypt import EncryptedBallot, Encryptor20
from scrutineer.ballots.version_2_0.hashes import Dialect, closing_hash, confirmation_code
from scrutineer.ballots.version_2_0.keys import Keys20, make_guardians
from scrutineer.errors import BallotError

KEY = bytes(range(32))
MANIFEST = one_contest(3, 2)


def made() -> tuple[Keys20, list[KeyShare]]:
    guardians, shares = make_guardians(SMALL, 3, 2, seeded("parts"))
    return Keys20(SMALL, MANIFEST, layout.encode(layout.manifest_json(MANIFEST)), guardians, 2), shares


def encrypted(*values: int) -> tuple[Keys20, list[KeyShare], EncryptedBallot]:
    keys, shares = made()
    return keys, shares, Encryptor20(keys, Dialect.EGK, seeded("ballot")).encrypt(1, {1: values}, b"")


def sha(message: bytes) -> bytes:
    return hmac.new(KEY, message, hashlib.sha256).digest()


def test_confirmation_codes_are_hashed_with_lengths_or_without() -> None:
    chi = bytes(32)
    assert confirmation_code(KEY, [chi], b"ab", Dialect.SPECIFICATION) == sha(b"\x24" + chi + b"\0\0\0\2ab")
    assert confirmation_code(KEY, [chi], b"ab", Dialect.EGK) == sha(b"\x24" + chi + b"ab")
    closing = b"\x24" + chi + b"\0\0\0\2ab\0\0\0\5CLOSE"
    assert closing_hash(KEY, chi, b"ab", Dialect.SPECIFICATION) == sha(closing)
    assert len(closing) == 46 + 2, "the length that section 5.5.3 tells"
    assert closing_hash(KEY, chi, b"ab", Dialect.EGK) == sha(b"\x24" + chi + b"abCLOSE")


def test_keys_of_contest_data_are_those_of_the_text() -> None:
    place = DataPlace(KEY, b"K", 3, "warden", Dialect.SPECIFICATION)
    secret = sha(b"\x22K" + b"point" + b"shared")
    end = b"data_enc_keys\0contest_data" + small(3) + small(3 * 256)
    blocks = [hmac.new(secret, small(number) + end, hashlib.sha256).digest() for number in range(3)]
    assert place.keys(b"point", b"shared", 64) == (blocks[0], blocks[1] + blocks[2])


@pytest.mark.parametrize("dialect", Dialect)
def test_contest_data_come_back(dialect: Dialect) -> None:
    place = DataPlace(KEY, b"K", 3, "warden", dialect)
    sealed = seal_data(place, b"wren".ljust(64), b"point", b"shared")
    assert open_data(place, sealed, b"shared") == b"wren".ljust(64)
    with pytest.raises(BallotError, match="authentication code"):
        open_data(place, sealed._replace(hidden=bytes(64)), b"shared")
    with pytest.raises(BallotError, match="authentication code"):
        open_data(place._replace(label="council", contest=4), sealed, b"shared")
    with pytest.raises(BallotError, match="multiple of 32"):
        seal_data(place, b"wren", b"point", b"shared")


def test_any_quorum_decrypts() -> None:
    keys, shares, ballot = encrypted(1, 0, 1)
    for chosen in (shares[:2], shares[1:], shares[::2], shares):
        decryptor = Decryptor20(keys, chosen, seeded(len(chosen)))
        assert [decryptor.option(each, 1).value for each in ballot.contests[0].options] == [1, 0, 1]


def test_fewer_than_the_quorum_do_not() -> None:
    keys, shares, _ = encrypted(0, 0, 0)
    with pytest.raises(BallotError, match="2 are needed"):
        Decryptor20(keys, shares[:1])


def test_a_wrong_share_is_found_out() -> None:
    keys, shares, ballot = encrypted(1, 0, 1)
    decryptor = Decryptor20(keys, [shares[0], replace(shares[1], vote=shares[1].vote + 1)])
    with pytest.raises(BallotError, match="trustee 2"):
        decryptor.option(ballot.contests[0].options[0], 1)


def test_a_number_above_the_bound_is_refused() -> None:
    keys, shares, ballot = encrypted(1, 0, 1)
    with pytest.raises(BallotError, match="no number of 0 to 0"):
        Decryptor20(keys, shares[1:]).option(ballot.contests[0].options[0], 0)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({1: (1, 0)}, "3 options"),
        ({1: (1, 1, 1)}, "exceed its limits"),
        ({1: (2, 0, 0)}, "exceed its limits"),
        ({1: (-1, 0, 0)}, "exceed its limits"),
        ({}, "give choices for each"),
        ({1: (0, 0, 0), 2: (0,)}, "give choices for each"),
    ],
)
def test_choices_outside_the_limits_are_not_encrypted(choices: dict[int, tuple[int, ...]], message: str) -> None:
    keys, _ = made()
    with pytest.raises(BallotError, match=message):
        Encryptor20(keys, Dialect.EGK, seeded(1)).encrypt(1, choices, b"")
