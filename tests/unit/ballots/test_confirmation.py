"""Confirmation codes, chains and spoken forms, byte by byte against the specification's section 5.5."""

import hashlib
import hmac

import pytest

from ballot_helpers import one_contest, one_hand
from scrutineer.ballots.confirmation import (
    ORDINARY,
    PRE_ENCRYPTED,
    ChainUses,
    chain_end,
    chain_start,
    confirmation_code,
    contest_hash,
    device_hash,
    next_chain,
    paper_serial,
    spoken,
    tracking_words,
)
from scrutineer.ballots.record import Sealed, Selection
from scrutineer.errors import BallotError

KEYS = one_hand(one_contest()).keys
HASHED = bytes(range(32))


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


@pytest.mark.parametrize(("uses", "code", "device", "closing"), [(ORDINARY, 0x29, 0x2A, 0x2B), (PRE_ENCRYPTED, 0x42, 0x43, 0x44)])
def test_chain(uses: ChainUses, code: int, device: int, closing: int) -> None:
    extended = KEYS.extended_hash
    name = "Gerät 3, Ürümqi"
    encoded = name.encode()
    hashed_device = mac(extended, bytes((device,)) + len(encoded).to_bytes(4, "big") + encoded)
    assert device_hash(KEYS, name, uses) == hashed_device
    first, opening = chain_start(KEYS, name, uses)
    assert first == b"\x00\x00\x00\x01" + hashed_device
    assert opening == mac(extended, bytes((code,)) + first)
    assert next_chain(opening) == b"\x00\x00\x00\x01" + opening
    last = bytes(range(100, 132))
    inside = mac(extended, bytes((closing,)) + last + first)  # 69 bytes, as the table of section 5.5 has it
    assert chain_end(KEYS, last, first, uses) == (
        b"\x00\x00\x00\x01" + inside,
        mac(extended, bytes((code,)) + b"\x00\x00\x00\x01" + inside),
    )
    chain = next_chain(opening)
    hashes = [bytes((number,)) * 32 for number in range(3)]
    assert confirmation_code(HASHED, hashes, chain, uses) == mac(HASHED, bytes((code,)) + b"".join(hashes) + chain)


def test_contest_hash() -> None:
    selections = [Selection(b"a" * 64, b"b" * 64, b"proofs are not hashed"), Selection(b"c" * 64, b"d" * 64, b"")]
    data = Sealed(b"e" * 64, b"f" * 32, b"g" * 64)
    plain = b"\x28\x00\x00\x00\x05" + b"a" * 64 + b"b" * 64 + b"c" * 64 + b"d" * 64
    assert contest_hash(HASHED, 5, selections) == mac(HASHED, plain)
    assert contest_hash(HASHED, 5, selections, data) == mac(HASHED, plain + b"e" * 64 + b"f" * 32 + b"g" * 64)


def test_spoken_forms_are_the_published_ones() -> None:
    """The examples of the proposal (arXiv 0901.4016)."""
    published = {
        "127.0.0.1": "lusab-babad",
        "63.84.220.193": "gutih-tugad",
        "63.118.7.35": "gutuk-bisog",
        "140.98.193.141": "mudof-sakat",
        "64.255.6.200": "haguz-biram",
        "128.30.52.45": "mabiv-gibot",
        "147.67.119.2": "natag-lisaf",
        "212.58.253.68": "tibup-zujah",
        "216.35.68.215": "tobog-higil",
        "216.68.232.21": "todah-vobij",
        "198.81.129.136": "sinid-makam",
        "12.110.110.204": "budov-kuras",
    }
    for address, words in published.items():
        assert spoken(bytes(map(int, address.split(".")))) == words
    assert spoken(b"") == ""


def test_spoken_forms_differ_for_all_pairs_of_bytes() -> None:
    words = {spoken(number.to_bytes(2, "big")) for number in range(2**16)}
    assert len(words) == 2**16
    assert all(len(word) == 5 and word.isalpha() and word.islower() for word in words)


def test_odd_bytes_have_no_words() -> None:
    with pytest.raises(BallotError, match="two bytes each"):
        spoken(b"123")


def test_tracking_words_and_serials() -> None:
    code = bytes(range(200, 232))
    assert tracking_words(code) == spoken(code[:12])
    assert len(tracking_words(code).split("-")) == 6
    nonce = bytes(range(50, 82))
    assert paper_serial(HASHED, nonce) == spoken(mac(HASHED, b"\x60" + nonce)[:8])
    assert len(paper_serial(HASHED, nonce).split("-")) == 4
    assert paper_serial(bytes(32), nonce) != paper_serial(HASHED, nonce) != paper_serial(HASHED, bytes(32))
