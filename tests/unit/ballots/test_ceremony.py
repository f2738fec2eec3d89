"""The key ceremony: any quorum holds the joint secret, and whoever gives something wrong is named."""

from itertools import combinations

import msgspec
import pytest
from gmpy2 import invert, mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from ballot_helpers import SMALL, one_contest, seeded
from ceremony_helpers import ceremony
from scrutineer.ballots.ceremony import Ceremony, GuardianError, GuardianSecrets, KeyShare, SealedShares, share_key, terms_of
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.hashing import Use, digest
from scrutineer.ballots.key_check import check_keys
from scrutineer.ballots.keys import GuardianKeys, parameter_hash, read_key_record
from scrutineer.ballots.shares import prove_secrets, secrets_proved
from scrutineer.errors import BallotError

MANIFEST = one_contest(3)


def joint_secret(shares: tuple[KeyShare, ...], kind: str) -> mpz:
    total = mpz(0)
    for own in shares:
        weight = mpz(1)
        for other in shares:
            if other.index != own.index:
                weight = weight * other.index * invert(mpz(other.index - own.index), SMALL.q) % SMALL.q
        total += weight * getattr(own, kind)
    return total % SMALL.q


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (3, 2), (5, 3), (4, 4)])
def test_any_quorum_holds_both_secrets_and_nobody_else(n: int, k: int) -> None:
    record, shares = ceremony(MANIFEST, n, k, seed=(n, k))
    assert not check_keys(record, SMALL)
    assert read_key_record(record.encode(), SMALL) == record
    for kind, key in (("vote", record.vote_key), ("data", record.data_key)):
        for chosen in combinations(shares, k):
            assert SMALL.element_bytes(SMALL.power(SMALL.g, joint_secret(chosen, kind))) == key
        for chosen in combinations(shares, k - 1):
            assert SMALL.element_bytes(SMALL.power(SMALL.g, joint_secret(chosen, kind))) != key


def test_the_public_key_of_a_share_follows_from_the_record() -> None:
    record, shares = ceremony(MANIFEST)
    for share in shares:
        assert share_key(SMALL, record.guardians, share.index, "vote") == SMALL.power(SMALL.g, share.vote)
        assert share_key(SMALL, record.guardians, share.index, "data") == SMALL.power(SMALL.g, share.data)


def test_the_standard_parameters_of_five_and_three() -> None:
    expected = "944286970EAFDB6F347F4EB93B30D48FA3EDCC89BFBAEA6F5AE8F29AFB05DDCE"
    assert terms_of(STANDARD, MANIFEST, 5, 3).parameter_hash.hex().upper() == expected
    assert parameter_hash(STANDARD, 5, 3).hex().upper() == expected


def test_a_ceremony_of_two_in_the_standard_group() -> None:
    record, _ = ceremony(MANIFEST, 2, 2, STANDARD)
    assert not check_keys(record)


def test_the_compared_hash_is_that_of_the_specification() -> None:
    record, _ = ceremony(MANIFEST, 3, 2)
    steps = Ceremony(SMALL, terms_of(SMALL, MANIFEST, 3, 2))
    votes = [each for keys in record.guardians for each in keys.vote]
    data = [each for keys in record.guardians for each in keys.data]
    kappas = [keys.communication for keys in record.guardians]
    parts = (record.vote_key, record.data_key, *votes, *data, *kappas)
    assert steps.record_hash(record.guardians) == digest(record.base_hash, Use.GUARDIAN_RECORD, *parts)


@pytest.mark.parametrize(("n", "k"), [(0, 0), (3, 0), (3, 4), (65, 3)])
def test_numbers_that_cannot_be(n: int, k: int) -> None:
    with pytest.raises(BallotError, match=f"{n} trustees with a quorum of {k} cannot be"):
        terms_of(SMALL, MANIFEST, n, k)


Made = tuple[Ceremony, list[GuardianSecrets], list[GuardianKeys], list[SealedShares]]


def made(n: int = 4, k: int = 3) -> Made:
    steps, random = Ceremony(SMALL, terms_of(SMALL, MANIFEST, n, k)), seeded("made")
    pairs = [steps.make_guardian(index, f"Trustee {index}", random) for index in range(1, n + 1)]
    keys = [public for _, public in pairs]
    sent = [steps.make_shares(index, secrets, keys, random) for index, (secrets, _) in enumerate(pairs, 1)]
    return steps, [secrets for secrets, _ in pairs], keys, sent


CEREMONY = made()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.sampled_from(["vote", "data", "communication", "vote_proof", "data_proof"]), st.data())
def test_any_change_of_public_keys_names_their_trustee(culprit: int, field: str, data: st.DataObject) -> None:
    steps, _, keys, _ = CEREMONY
    value = getattr(keys[culprit - 1], field)
    place = data.draw(st.integers(0, len(value) - 1)) if isinstance(value, tuple) else -1
    old = value[place] if isinstance(value, tuple) else value
    bit = data.draw(st.integers(0, 8 * len(old) - 1))
    new = (int.from_bytes(old, "big") ^ (1 << bit)).to_bytes(len(old), "big")
    changed = (*value[:place], new, *value[place + 1 :]) if isinstance(value, tuple) else new
    given_keys = list(keys)
    given_keys[culprit - 1] = msgspec.structs.replace(keys[culprit - 1], **{field: changed})
    complaints = steps.check_guardians(given_keys)
    assert {each.guardian for each in complaints} == {culprit}
    assert {each.check for each in complaints} <= {"2.A", "2.B", "2.C"}


def test_keys_outside_the_group_have_the_number_of_their_check() -> None:
    steps, _, keys, _ = CEREMONY
    first = keys[0]
    for value in (SMALL.p - SMALL.element(first.vote[1]), mpz(0), SMALL.p + 1, SMALL.p - 1, mpz(2)):
        if value >= 1 << (8 * SMALL.element_size):
            continue
        changed = msgspec.structs.replace(first, vote=(first.vote[0], SMALL.element_bytes(value), first.vote[2]))
        assert [each.check for each in steps.check_guardian(changed)] == ["2.A"]


def test_a_negative_key_whose_proof_passes_by_luck_is_found() -> None:
    # With an even challenge the proof of a key's negative is the proof of the key itself, except that the hash differs: whoever
    # makes the proof over the negative can try until its challenge is even.
    steps = Ceremony(SMALL, terms_of(SMALL, MANIFEST, 1, 1))
    for attempt in range(20):
        secrets, keys = steps.make_guardian(1, "Ana", seeded(attempt))
        negative = SMALL.element_bytes(SMALL.p - SMALL.element(keys.vote[0]))
        elements = (negative, keys.communication)
        proof = prove_secrets(
            SMALL, steps.terms.parameter_hash, "vote", 1, (*secrets.vote, secrets.communication), elements, seeded(("p", attempt))
        )
        if secrets_proved(SMALL, steps.terms.parameter_hash, "vote", 1, elements, proof):
            break
    else:
        pytest.fail("no challenge was even in 20 tries")
    cheating = msgspec.structs.replace(keys, vote=(negative,), vote_proof=proof)
    assert [(each.guardian, each.check) for each in steps.check_guardian(cheating)] == [(1, "2.A")]


def test_keys_for_another_quorum_or_number() -> None:
    steps, _, keys, _ = CEREMONY
    assert steps.check_guardian(msgspec.structs.replace(keys[0], vote=keys[0].vote[:2]))[0].check == "2.A"
    assert steps.check_guardian(msgspec.structs.replace(keys[0], index=5))[0].guardian == 5
    assert steps.check_guardian(msgspec.structs.replace(keys[0], vote_proof=b"short"))[0].check == "2.B"
    with pytest.raises(BallotError, match="the public keys of all 4 trustees are needed, each once: missing 2"):
        steps.check_guardians([keys[0], keys[2], keys[3]])
    with pytest.raises(BallotError, match="each once: given 1, 2, 3, 4, 4"):
        steps.check_guardians([*keys, keys[3]])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from(["point", "data", "proof"]), st.data())
def test_any_change_of_shares_names_their_sender(receiver: int, culprit: int, field: str, data: st.DataObject) -> None:
    if receiver == culprit:
        culprit = culprit % 4 + 1
    steps, secrets, keys, sent = CEREMONY
    place = receiver - 1 if receiver < culprit else receiver - 2
    sealed = sent[culprit - 1].shares[place]
    old = getattr(sealed, field)
    bit = data.draw(st.integers(0, 8 * len(old) - 1))
    new = (int.from_bytes(old, "big") ^ (1 << bit)).to_bytes(len(old), "big")
    shares = list(sent[culprit - 1].shares)
    shares[place] = msgspec.structs.replace(sealed, **{field: new})
    received = list(sent)
    received[culprit - 1] = msgspec.structs.replace(sent[culprit - 1], shares=tuple(shares))
    with pytest.raises(GuardianError) as caught:
        steps.receive_shares(receiver, secrets[receiver - 1], keys, received)
    assert [each.guardian for each in caught.value.complaints] == [culprit]


@pytest.mark.parametrize(("kind", "check"), [("vote", "28"), ("data", "29")])
def test_a_share_of_another_polynomial_names_its_sender(kind: str, check: str) -> None:
    steps, secrets, keys, sent = made()
    bent = secrets[2]._replace(**{kind: (getattr(secrets[2], kind)[0] + 1, *getattr(secrets[2], kind)[1:])})
    sent[2] = steps.make_shares(3, bent, keys, seeded("bent"))
    with pytest.raises(GuardianError, match=rf"trustee 3: its share of the {kind} key .* \(check {check}\)") as caught:
        steps.receive_shares(1, secrets[0], keys, sent)
    assert [(each.guardian, each.check) for each in caught.value.complaints] == [(3, check)]


def test_shares_that_are_missing_too_few_or_for_other_keys() -> None:
    steps, secrets, keys, sent = made()
    with pytest.raises(BallotError, match="the shares of trustee 2, 4 are missing"):
        steps.receive_shares(1, secrets[0], keys, [sent[2]])
    sent[1] = msgspec.structs.replace(sent[1], shares=sent[1].shares[:1])
    sent[3] = msgspec.structs.replace(sent[3], keys=bytes(32))
    with pytest.raises(GuardianError) as caught:
        steps.receive_shares(1, secrets[0], keys, sent)
    assert [(each.guardian, each.check) for each in caught.value.complaints] == [(2, "19"), (4, "27")]


def test_keys_of_another_manifest_are_not_joined() -> None:
    steps, _, keys, _ = CEREMONY
    with pytest.raises(BallotError, match="for another manifest"):
        steps.join_keys(one_contest(4), keys)
