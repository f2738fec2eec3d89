"""Range proofs and sealing, byte by byte against the specification's equations."""

import hashlib
import hmac

import pytest
from gmpy2 import mpz

from ballot_helpers import SMALL, one_contest, one_hand, seeded
from naive_ballots import Naive
from scrutineer.ballots import proofs
from scrutineer.ballots.proofs import (
    Envelope,
    check_seal,
    commit_range,
    data_envelope,
    nonce_envelope,
    prepare_range,
    prepare_seal,
    prove_range,
    seal,
    share_envelope,
    unseal,
    weighted_product,
)
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.tables import FixedBase
from scrutineer.errors import BallotError

HAND = one_hand(one_contest())
NAIVE = Naive(HAND.keys)
G, K, DATA = (FixedBase(SMALL, base, 6).power for base in (SMALL.g, HAND.keys.vote_key, HAND.keys.data_key))
HASHED = bytes(range(32))
PLACE = b"\x00\x00\x00\x02\x00\x00\x00\x07"


def ciphertext(nonce: mpz, value: int) -> tuple[mpz, mpz]:
    return SMALL.power(SMALL.g, nonce), SMALL.power(HAND.keys.vote_key, nonce + value)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(("value", "limit"), [(0, 1), (1, 1), (0, 2), (2, 2), (3, 5), (0, 9), (9, 9)])
def test_range_proofs_hold(prepared: bool, value: int, limit: int) -> None:
    random, nonce = seeded((value, limit)), mpz(123456789**7) % SMALL.q
    alpha, beta = ciphertext(nonce, value)
    if prepared:
        commitment = prepare_range(SMALL, G, K, limit, random).settle(value)
    else:
        commitment = commit_range(SMALL, G, K, value, limit, random)
    proof = prove_range(SMALL, HASHED, PLACE, SMALL.element_bytes(alpha), SMALL.element_bytes(beta), nonce, commitment)
    assert len(proof) == 64 * (limit + 1)
    assert NAIVE.range_proof(HASHED, PLACE, int(alpha), int(beta), proof, limit) == ""
    assert NAIVE.range_proof(HASHED, PLACE[:-1] + b"\x08", int(alpha), int(beta), proof, limit) == "D"
    assert NAIVE.range_proof(bytes(32), PLACE, int(alpha), int(beta), proof, limit) == "D"
    assert NAIVE.range_proof(HASHED, PLACE, int(beta), int(alpha), proof, limit) == "D"


@pytest.mark.parametrize("limit", [1, 4])
def test_a_prepared_commitment_is_the_one_of_equation_58(limit: int) -> None:
    prepared = prepare_range(SMALL, G, K, limit, seeded(limit))
    p, q, size = int(SMALL.p), int(SMALL.q), SMALL.element_size
    for value in range(limit + 1):
        settled = prepared.settle(value)
        expected = b""
        for j, (u, c) in enumerate(zip(prepared.randoms, prepared.challenges, strict=True)):
            t = (int(u) + (value - j) * int(c)) % q
            expected += pow(int(SMALL.g), int(u), p).to_bytes(size, "big")
            expected += pow(int(HAND.keys.vote_key), t, p).to_bytes(size, "big")
        assert settled.points == expected


def test_a_proof_for_another_value_is_none() -> None:
    """An honest prover that is wrong about its own value proves nothing."""
    nonce, random = mpz(7**60), seeded("wrong")
    alpha, beta = ciphertext(nonce, 1)
    commitment = commit_range(SMALL, G, K, 0, 1, random)
    proof = prove_range(SMALL, HASHED, PLACE, SMALL.element_bytes(alpha), SMALL.element_bytes(beta), nonce, commitment)
    assert NAIVE.range_proof(HASHED, PLACE, int(alpha), int(beta), proof, 1) == "D"


def test_weighted_product() -> None:
    elements = [SMALL.power(SMALL.g, mpz(number)) for number in (3, 5, 7)]
    assert weighted_product(SMALL, elements, [1, 4, 2]) == SMALL.power(SMALL.g, mpz(3 + 20 + 14))
    assert weighted_product(SMALL, [], []) == 1


ENVELOPES: dict[str, tuple[Envelope, bytes, bytes, bytes, bytes]] = {
    # name: envelope; message of the key hash before alpha and beta; of the challenge; key stream's label and context; its length
    "nonce": (nonce_envelope(HASHED), b"\x22", b"\x23", b"ballot_nonce\x00ballot_nonce_encrypt", b"\x01\x00"),
    "data": (
        data_envelope(HASHED, 3),
        b"\x26\x00\x00\x00\x03",
        b"\x27\x00\x00\x00\x03",
        b"data_enc_keys\x00contest_data\x00\x00\x00\x03",
        b"\x00\x00\x02\x00",
    ),
    "share": (
        share_envelope(HASHED, 2, 5, SMALL.element_bytes(HAND.keys.data_key)),
        b"\x11\x00\x00\x00\x02\x00\x00\x00\x05" + SMALL.element_bytes(HAND.keys.data_key),
        b"\x12\x00\x00\x00\x02\x00\x00\x00\x05",
        b"share_enc_keys\x00share_encrypt\x00\x00\x00\x02\x00\x00\x00\x05",
        b"\x02\x00",
    ),
}


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


@pytest.mark.parametrize("name", ENVELOPES)
def test_sealing_is_that_of_the_specification(name: str) -> None:
    envelope, key_message, proof_message, purpose, length = ENVELOPES[name]
    data = b"thirty-two bytes of a sealed one" * (1 if name == "nonce" else 2)
    nonce, random = mpz(11**70) % SMALL.q, seeded(name)
    sealed = seal(SMALL, G, DATA, envelope, data, nonce, random)
    p, size = int(SMALL.p), SMALL.element_size
    alpha = pow(int(SMALL.g), int(nonce), p).to_bytes(size, "big")
    beta = pow(int(HAND.keys.data_key), int(nonce), p).to_bytes(size, "big")
    key = mac(HASHED, key_message + alpha + beta)
    stream = b""
    for counter in range(1, len(data) // 32 + 1):
        stream += mac(key, counter.to_bytes(4 if name == "data" else 1, "big") + purpose + length)
    assert sealed.point == alpha
    assert sealed.data == bytes(left ^ right for left, right in zip(data, stream, strict=True))
    c, v = int.from_bytes(sealed.proof[:32], "big"), int.from_bytes(sealed.proof[32:], "big")
    commitment = (pow(int(SMALL.g), v, p) * pow(int.from_bytes(alpha, "big"), c, p) % p).to_bytes(size, "big")
    assert c == int.from_bytes(mac(HASHED, proof_message + commitment + alpha + sealed.data), "big") % int(SMALL.q)

    assert check_seal(SMALL, envelope, sealed)
    by_secret = SMALL.power_secret(SMALL.element(sealed.point), HAND.data_secret)
    assert unseal(SMALL, envelope, sealed, by_secret) == data
    assert unseal(SMALL, envelope, sealed, DATA(nonce)) == data
    assert unseal(SMALL, envelope, sealed, DATA(nonce + 1)) != data


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def test_a_changed_seal_does_not_hold() -> None:
    envelope = nonce_envelope(HASHED)
    sealed = seal(SMALL, G, DATA, envelope, bytes(32), mpz(5**80), seeded("changed"))
    assert check_seal(SMALL, envelope, sealed)
    point, q = SMALL.element(sealed.point), int(SMALL.q)
    c, v = int.from_bytes(sealed.proof[:32], "big"), int.from_bytes(sealed.proof[32:], "big")
    others = {
        "other data": Sealed(sealed.point, flipped(sealed.data, 31), sealed.proof),
        "other challenge": Sealed(sealed.point, sealed.data, flipped(sealed.proof, 3)),
        "other response": Sealed(sealed.point, sealed.data, flipped(sealed.proof, 60)),
        "short proof": Sealed(sealed.point, sealed.data, sealed.proof[:-1]),
        "no proof": Sealed(sealed.point, sealed.data, b""),
        "sign of the point": Sealed(SMALL.element_bytes(SMALL.p - point), sealed.data, sealed.proof),
        "short point": Sealed(sealed.point[1:], sealed.data, sealed.proof),
        "point of zero": Sealed(bytes(len(sealed.point)), sealed.data, sealed.proof),
        "point above p": Sealed(b"\xff" * len(sealed.point), sealed.data, sealed.proof),
    }
    if v + q < 2**256:
        others["response not below q"] = Sealed(sealed.point, sealed.data, sealed.proof[:32] + (v + q).to_bytes(32, "big"))
    if c + q < 2**256:
        others["challenge not below q"] = Sealed(sealed.point, sealed.data, (c + q).to_bytes(32, "big") + sealed.proof[32:])
    for name, other in others.items():
        assert not check_seal(SMALL, envelope, other), name
    assert not check_seal(SMALL, nonce_envelope(bytes(32)), sealed)
    assert not check_seal(SMALL, data_envelope(HASHED, 1), sealed)


def test_a_scalar_of_q_or_more_is_refused() -> None:
    """c and c + q are the same modulo q: a second form of one proof must not pass (checks 6.B and 6.C say the same)."""
    secret, q = mpz(3**90), int(SMALL.q)
    point = SMALL.power(SMALL.g, secret)

    def small_challenge(commitment: bytes) -> mpz:
        return mpz(17)

    proof = proofs.prove_knowledge(SMALL, G, secret, small_challenge, seeded("schnorr"))
    assert proofs.check_knowledge(SMALL, point, proof, small_challenge)
    assert not proofs.check_knowledge(SMALL, point, (17 + q).to_bytes(32, "big") + proof[32:], small_challenge)
    zero_response = proof[:32] + q.to_bytes(32, "big")
    assert not proofs.check_knowledge(SMALL, point, zero_response, small_challenge)


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_sizes_that_cannot_be_sealed(size: int) -> None:
    with pytest.raises(BallotError, match="multiple of 32 bytes"):
        seal(SMALL, G, DATA, nonce_envelope(HASHED), bytes(size), mpz(5), seeded(0))
    with pytest.raises(BallotError, match="multiple of 32 bytes"):
        unseal(SMALL, nonce_envelope(HASHED), Sealed(b"", bytes(size), b""), mpz(5))


def test_a_prepared_seal_takes_its_size_alone() -> None:
    prepared = prepare_seal(SMALL, G, DATA, data_envelope(HASHED, 1), 64, mpz(5), seeded(0))
    with pytest.raises(BallotError, match="64 bytes: 32 were given"):
        prepared.seal(bytes(32))


def test_a_sealed_point_outside_the_subgroup_is_refused() -> None:
    """-alpha with an even challenge fits the proof: a secret key must not touch it (it would show whether the key is odd)."""
    envelope, nonce, random = nonce_envelope(HASHED), mpz(5**80), seeded("minus")
    point, data = SMALL.element_bytes(SMALL.p - G(nonce)), bytes(32)
    c = mpz(1)
    while c % 2:
        u = SMALL.random_scalar(random)
        c = envelope.challenge(SMALL, SMALL.element_bytes(G(u)), point, data)
    proof = SMALL.scalar_bytes(c) + SMALL.scalar_bytes((u - c * nonce) % SMALL.q)
    assert proofs.check_knowledge(
        SMALL, SMALL.element(point), proof, lambda commitment: envelope.challenge(SMALL, commitment, point, data)
    )
    assert not check_seal(SMALL, envelope, Sealed(point, data, proof))
