"""The 13 test vectors of electionguard-kotlin-multiplatform, an independent implementation of ElectionGuard 2.0.

They were made in 2023 while version 2.0 was being written. Group, version, proofs, totals and seals are those of the final text;
but all of them except that of chaining hash labels where the final text has numbers, numbers in 2 bytes where it has 4, and all
commitments into the extended base hash. What is hashed so is written out here as `draft_...`; the arithmetic is the program's.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from gmpy2 import mpz

from ballot_helpers import one_contest
from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.group import STANDARD, RandomBytes
from scrutineer.ballots.hashing import challenge, digest, key_stream, xor
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.proofs import commit_range, prove_knowledge, weighted_product
from scrutineer.ballots.shares import evaluate
from scrutineer.ballots.tables import fixed_base
from scrutineer.ballots.version_2_0.contest_data import DataPlace, SealedData, open_data
from scrutineer.ballots.version_2_0.encrypt import Ciphertext, option_nonce, prove
from scrutineer.ballots.version_2_0.hashes import (
    Dialect,
    Use20,
    chain_link,
    confirmation_code,
    contest_hash,
    parameter_hash,
)

DATA = Path(__file__).parent / "data" / "electionguard-2.0"
Json = dict[str, Any]
G = fixed_base(STANDARD, STANDARD.g).power


def vector(name: str) -> Json:
    found: Json = json.loads((DATA / f"{name}.json").read_text())
    return found


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def number(value: str) -> mpz:
    return mpz(int(value, 16))


def feed(*values: str) -> RandomBytes:
    """A source that gives out just these nonces."""
    left = iter(values)
    return lambda size: raw(next(left)).rjust(size, b"\x00")


def pair(given: Json) -> Ciphertext:
    return Ciphertext(raw(given["pad"]), raw(given["data"]))


def two(value: int) -> bytes:
    """A small number as the draft hashed it."""
    return value.to_bytes(2, "big")


def draft_nonce(extended: bytes, nonce: bytes, *labels: str) -> mpz:
    """The nonce of an option, or of contest data, from the labels that the draft hashed."""
    return challenge(STANDARD, extended, Use20.NONCE, nonce, *(label.encode() for label in labels))


def encrypted(key: mpz, nonce: mpz, value: int) -> Ciphertext:
    return Ciphertext(STANDARD.element_bytes(G(nonce)), STANDARD.element_bytes(fixed_base(STANDARD, key).power(nonce + value)))


def product(ciphertexts: Iterable[Ciphertext]) -> Ciphertext:
    columns = [list(map(STANDARD.element, column)) for column in zip(*ciphertexts, strict=True)]
    return Ciphertext(*(STANDARD.element_bytes(weighted_product(STANDARD, column, (1,) * len(column))) for column in columns))


def decrypt(key: mpz, trustees: list[Json], ciphertext: Ciphertext, *, flagged: bool = False) -> mpz:
    """T of a ciphertext, from the shares of some: the vectors of tallies flag as missing those who do decrypt."""
    chosen = [each for each in trustees if each["missing"] == flagged]
    shares = [KeyShare(each["xCoordinate"], number(each["keyShare"]), mpz(0)) for each in chosen]
    quorum = Quorum(ElectionKeys(STANDARD, one_contest(1), len(trustees), len(shares), key, key), (), [s.index for s in shares])
    base = STANDARD.element(ciphertext.alpha)
    decrypted = quorum.combine_partials({s.index: STANDARD.element_bytes(STANDARD.power(base, s.vote)) for s in shares})
    return STANDARD.element(ciphertext.beta) * STANDARD.power(decrypted, mpz(-1)) % STANDARD.p


def proof_holds(extended: bytes, key: mpz, base: mpz, body: bytes, decrypted: mpz, proof: Json, use: Use20) -> bool:
    c, v = number(proof["challenge"]), number(proof["response"])
    a = STANDARD.power(STANDARD.g, v) * STANDARD.power(key, c) % STANDARD.p
    b = STANDARD.power(base, v) * STANDARD.power(decrypted, c) % STANDARD.p
    parts = (STANDARD.element_bytes(key), body, *map(STANDARD.element_bytes, (a, b, decrypted)))
    return bool(challenge(STANDARD, extended, use, *parts) == c)


def sealed(given: Json) -> SealedData:
    return SealedData(raw(given["c0"]), raw(given["c1"]), raw(given["c2"]))


def test_parameters() -> None:
    given = vector("Parameters")["parameter_base_hash"]
    assert [number(given["primes"][name]) for name in ("large_prime", "small_prime", "generator")] == [
        STANDARD.p,
        STANDARD.q,
        STANDARD.g,
    ]
    assert parameter_hash(STANDARD, given["protocolVersion"]) == raw(given["expected"])

    # The draft hashed date and place of the election too, which the final text leaves to the manifest.
    given = vector("Parameters")["election_base_hash"]
    texts = given["date"].encode() + given["jurisdiction_info"].encode()
    parts = two(given["numberOfGuardians"]), two(given["quorum"]), texts, raw(given["manifest_hash"])
    assert digest(raw(given["parameterBaseHash"]), Use20.BASE, *parts) == raw(given["expected"])


def test_key_ceremony() -> None:
    given = vector("KeyCeremony")
    joint, commitments = mpz(1), []
    parameters = parameter_hash(STANDARD, "v2.0")
    for guardian in given["guardians"]:
        rows = zip(guardian["polynomial_coefficients"], guardian["proof_nonces"], guardian["expected_proofs"], strict=True)
        for place, (secret, nonce, expected) in enumerate(rows):
            element = STANDARD.element_bytes(G(number(secret)))
            assert element == raw(expected["public_key"])
            numbers = two(guardian["coordinate"]) + two(place)

            def draft_challenge(commitment: bytes, numbers: bytes = numbers, element: bytes = element) -> mpz:
                return challenge(STANDARD, parameters, Use20.GUARDIAN_PROOF, numbers, element, commitment)

            made = prove_knowledge(STANDARD, G, number(secret), draft_challenge, feed(nonce))
            assert made == raw(expected["challenge"]) + raw(expected["response"])
            commitments.append(element)
        joint = joint * number(guardian["expected_proofs"][0]["public_key"]) % STANDARD.p
    assert joint == number(given["expected_joint_public_key"])
    extended = digest(raw(given["election_base_hash"]), Use20.EXTENDED_BASE, STANDARD.element_bytes(joint), *commitments)
    assert extended == raw(given["expected_extended_base_hash"])


def test_share_encryption() -> None:
    given = vector("ShareEncryption")
    coefficients = {each["name"]: list(map(number, each["polynomial_coefficients"])) for each in given["guardians"]}
    place = {each["name"]: each["coordinate"] for each in given["guardians"]}
    nonces = {each["name"]: each["share_nonces"] for each in given["expected_guardian_shares"]}
    parameters = parameter_hash(STANDARD, "v2.0")
    for guardian in given["expected_guardian_shares"]:
        own = place[guardian["name"]]
        for share in guardian["expected_shares"]:
            sender, receiver = share["polynomialOwner"], share["secretShareFor"]
            value = evaluate(STANDARD, coefficients[sender], place[receiver])
            assert value == number(share["yCoordinate"])
            nonce, key = number(nonces[sender][receiver]), G(coefficients[receiver][0])
            point = STANDARD.element_bytes(G(nonce))
            numbers = two(place[sender]) + two(place[receiver])
            parts = (numbers, STANDARD.element_bytes(key), point, STANDARD.element_bytes(STANDARD.power(key, nonce)))
            secret = hmac.digest(parameters, b"\x11" + b"".join(parts), "sha256")
            stream = key_stream(secret, b"share_enc_keys", b"share_encrypt" + numbers, 2, wide=False)
            hidden = xor(STANDARD.scalar_bytes(value), stream[32:])
            code = hmac.digest(stream[:32], point + hidden, "sha256")
            assert (point, hidden, code) == sealed(share["encryptedCoordinate"])
        whole = sum((evaluate(STANDARD, each, own) for each in coefficients.values()), mpz(0)) % STANDARD.q
        assert whole == number(guardian["expected_my_share_of_secret"])


def test_ballot_encryption() -> None:
    given = vector("BallotEncryption")
    key, extended = number(given["joint_public_key"]), raw(given["extended_base_hash"])
    key_bytes, power = STANDARD.element_bytes(key), fixed_base(STANDARD, key).power

    def checked(ciphertext: Ciphertext, nonce: mpz, value: int, expected: list[Json]) -> None:
        drawn = feed(*(each[name] for each in expected for name in ("u_nonce", "c_nonce")))
        commitment = commit_range(STANDARD, G, power, value, len(expected) - 1, drawn)
        made = prove(STANDARD, extended, key_bytes, ciphertext, nonce, commitment)
        parts = [each[name] for name in ("expected_challenge", "expected_response") for each in expected]
        assert made == b"".join(map(raw, parts))

    for plain, ballot in zip(given["ballots"], given["expected_encrypted_ballots"], strict=True):
        for own, contest in zip(plain["contests"], ballot["contests"], strict=True):
            nonces, ciphertexts = [], []
            values = [each["vote"] for each in own["selections"]]
            for value, option in zip(values, contest["selections"], strict=True):
                nonce = draft_nonce(extended, raw(ballot["ballotNonce"]), contest["contestId"], option["selectionId"])
                assert nonce == number(option["expected_selection_nonce"])
                ciphertext = encrypted(key, nonce, value)
                assert ciphertext == pair(option["expected_encrypted_vote"])
                checked(ciphertext, nonce, value, option["expected_proof"]["proofs"])
                nonces.append(nonce)
                ciphertexts.append(ciphertext)
            total = sum(nonces, mpz(0)) % STANDARD.q
            checked(product(ciphertexts), total, sum(values), contest["expected_proof"]["proofs"])


@pytest.mark.parametrize("name", ["ConfirmationCode", "BallotChaining"])
def test_confirmation_codes(name: str) -> None:
    given = vector(name)
    key, extended = number(given["joint_public_key"]), raw(given["extended_base_hash"])
    final = name == "BallotChaining"
    codes, auxiliaries = [], []
    for plain, ballot in zip(given["ballots"], given["expected_encrypted_ballots"], strict=True):
        hashes = []
        for own, contest in zip(plain["contests"], ballot["contests"], strict=True):
            place, label, nonce = own["sequence_order"], own["contest_id"], raw(ballot["ballotNonce"])
            parts: list[bytes] = []
            for each in own["selections"]:
                if final:
                    drawn = option_nonce(STANDARD, extended, nonce, place, each["sequence_order"])
                else:
                    drawn = draft_nonce(extended, nonce, label, each["selection_id"])
                parts += encrypted(key, drawn, each["vote"])
            if final:
                hashes.append(contest_hash(extended, STANDARD.element_bytes(key), place, parts))
            else:
                hashes.append(digest(extended, Use20.CONTEST, label.encode(), STANDARD.element_bytes(key), *parts))
            assert hashes[-1] == raw(contest["expected_contestHash"])
        code = confirmation_code(extended, hashes, raw(ballot["codeBaux"]), Dialect.EGK)
        assert code == raw(ballot["expected_confirmationCode"])
        codes.append(code)
        auxiliaries.append(raw(ballot["codeBaux"]))
    if final:
        device = bytes(value % 256 for value in given["configBaux0"])
        links = [chain_link(code, device) for code in codes[:-1]]
        assert auxiliaries[1:] == links
        assert len(links) == 11


def test_ballot_aggregation() -> None:
    given = vector("BallotAggregation")
    for place, contest in enumerate(given["expected_encrypted_tally"]["contests"]):
        for option, expected in enumerate(contest["selections"]):
            ballots = given["encrypted_ballots"]
            made = product(pair(each["contests"][place]["selections"][option]["encrypted_vote"]) for each in ballots)
            assert made == pair(expected["encrypted_vote"])


@pytest.mark.parametrize("name", ["TallyDecryption", "TallyPartialDecryption"])
def test_tally_decryption(name: str) -> None:
    given = vector(name)
    key = number(given["joint_public_key"])
    logarithms = SmallLogarithms(STANDARD, key)
    for contest, expected in zip(
        given["encrypted_tally"]["contests"], given["expected_decrypted_tally"]["contests"], strict=True
    ):
        for option, value in zip(contest["selections"], expected["selections"], strict=True):
            power = decrypt(key, given["trustees"], pair(option["encrypted_vote"]), flagged=True)
            assert logarithms.find(power, 100) == value["expected_decrypted_vote"]


def test_decrypt_ballot() -> None:
    given = vector("DecryptBallot")
    key, extended = number(given["joint_public_key"]), raw(given["extended_base_hash"])
    for contest in given["expected_decrypted_ballot"]["contests"]:
        for option in contest["selections"]:
            ciphertext = pair(option["encrypted_vote"])
            power = decrypt(key, given["trustees"], ciphertext)
            assert power == number(option["b_over_m"]) == STANDARD.power(key, mpz(option["tally"]))
            decrypted = STANDARD.element(ciphertext.beta) * STANDARD.power(power, mpz(-1)) % STANDARD.p
            base, body, proof = STANDARD.element(ciphertext.alpha), b"".join(ciphertext), option["proof"]
            assert proof_holds(extended, key, base, body, decrypted, proof, Use20.DECRYPTION_PROOF)
        data = contest["decrypted_contest_data"]
        hidden, beta = sealed(data["encrypted_contest_data"]), number(data["beta"])
        one = Ciphertext(hidden.point, STANDARD.element_bytes(mpz(1)))
        assert STANDARD.power(decrypt(key, given["trustees"], one), mpz(-1)) == beta
        place = DataPlace(extended, STANDARD.element_bytes(key), 0, contest["contest_id"], Dialect.EGK)
        assert open_data(place, hidden, STANDARD.element_bytes(beta))
        base, body = STANDARD.element(hidden.point), place.proof_body(hidden)
        assert proof_holds(extended, key, base, body, beta, data["proof"], Use20.DATA_DECRYPTION_PROOF)


def test_decrypt_with_nonce() -> None:
    given = vector("DecryptWithNonce")
    key, extended, nonce = number(given["joint_public_key"]), raw(given["extended_base_hash"]), raw(given["primary_nonce"])
    for contest, plain in zip(given["encrypted_ballot"]["contests"], given["expected_decrypted_ballot"]["contests"], strict=True):
        for option, value in zip(contest["selections"], plain["selections"], strict=True):
            own = draft_nonce(extended, nonce, contest["contest_id"], option["selection_id"])
            assert encrypted(key, own, value["vote"]) == pair(option["encrypted_vote"])
        hidden = sealed(contest["encrypted_contest_data"])
        place = DataPlace(extended, STANDARD.element_bytes(key), contest["sequence_order"], contest["contest_id"], Dialect.EGK)
        own = draft_nonce(extended, nonce, contest["contest_id"], "contest_data")
        assert STANDARD.element_bytes(G(own)) == hidden.point
        assert open_data(place, hidden, STANDARD.element_bytes(STANDARD.power(key, own)))


def hashed(extended: bytes, use: int, *parts: bytes) -> bytes:
    return hmac.digest(extended, bytes([use]) + b"".join(parts), "sha256")


def pre_encrypted(given: Json, nonce: bytes, contest: Mapping[str, Any]) -> tuple[list[list[Ciphertext]], list[bytes], bytes]:
    """All vectors of a contest with those of null votes, their hashes, and the contest's hash (equations 91 to 96)."""
    key, extended, label = number(given["joint_public_key"]), raw(given["extended_base_hash"]), contest["object_id"]
    key_bytes = STANDARD.element_bytes(key)
    options = [each["object_id"] for each in contest["ballot_selections"]]
    vectors = []
    for row in (*options, *(f"null{each}" for each in range(1, contest["votes_allowed"] + 1))):
        drawn = [hashed(extended, 0x43, nonce, *(each.encode() for each in (label, row, option))) for option in options]
        nonces = [mpz(int.from_bytes(each, "big")) % STANDARD.q for each in drawn]
        vectors.append([encrypted(key, own, int(option == row)) for own, option in zip(nonces, options, strict=True)])
    hashes = [hashed(extended, 0x40, key_bytes, *(part for each in row for part in each)) for row in vectors]
    return vectors, hashes, hashed(extended, 0x41, label.encode(), key_bytes, *sorted(hashes))


def test_pre_encryption() -> None:
    given = vector("PreEncryption")
    ballot, extended = given["preencrypted_ballot"], raw(given["extended_base_hash"])
    whole = []
    for contest, expected in zip(given["manifest"]["contests"], ballot["contests"], strict=True):
        vectors, hashes, contest_hashed = pre_encrypted(given, raw(given["primary_nonce"]), contest)
        assert hashes == [raw(each["expected_selectionHash"]) for each in expected["selections"]]
        assert vectors == [list(map(pair, each["expected_selectionVector"])) for each in expected["selections"]]
        assert [each.hex()[:5].upper() for each in hashes] == [each["shortCode"] for each in expected["selections"]]
        assert contest_hashed == raw(expected["expected_preencryptionHash"])
        whole.append(contest_hashed)
    assert hashed(extended, 0x42, *whole) == raw(ballot["expected_confirmationCode"])


def test_pre_encryption_recorded() -> None:
    given = vector("PreEncryptionRecorded")
    ballot, extended = given["expected_recorded_ballot"], raw(given["extended_base_hash"])
    whole = []
    for contest, expected in zip(given["manifest"]["contests"], ballot["contests"], strict=True):
        vectors, hashes, contest_hashed = pre_encrypted(given, raw(given["primary_nonce"]), contest)
        recorded = expected["pre_encryption"]
        assert sorted(hashes) == [raw(each) for each in recorded["all_selection_hashes"]]
        codes = {each.hex()[:5].upper(): row for each, row in zip(hashes, vectors, strict=True)}
        chosen = [codes[code] for code in given["selected_codes"][contest["object_id"]]]
        assert all(list(map(pair, each["encryptions"])) == codes[each["short_code"]] for each in recorded["selected_vectors"])
        assert len(recorded["selected_vectors"]) == contest["votes_allowed"] == len(chosen)
        combined = [product(column) for column in zip(*chosen, strict=True)]
        assert combined == [pair(each["encrypted_vote"]) for each in expected["selections"]]
        assert contest_hashed == raw(recorded["preencryption_hash"])
        whole.append(contest_hashed)
    assert hashed(extended, 0x42, *whole) == raw(ballot["confirmation_code"])


def test_all_thirteen_are_here() -> None:
    assert len(list(DATA.glob("*.json"))) == 13
