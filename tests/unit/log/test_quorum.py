"""Who has cosigned a checkpoint, who is missing, and what must never count."""

import dataclasses

import pytest

from log_helpers import ORIGIN
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.errors import NoteError
from scrutineer.log.cosignature import Cosigner, Ed25519Cosigner, MlDsa44Signer
from scrutineer.log.note import ED25519_COSIGNATURE, Note, SignatureLine, VerifierKey, format_note, parse_note
from scrutineer.log.quorum import MAX_AHEAD, Quorum, check_quorum, find_cosigners
from scrutineer.statements import SigningKey
from witness_helpers import LOG, TIME, History, signers

NAMES = ("crane.example/w", "owl.example/w", "wren.example/w")
KEYS = {name: signers(name, 10 * number + 7) for number, name in enumerate(NAMES)}
CHECKPOINT = History().checkpoint(8)
TEXT = parse_note(CHECKPOINT).text


def policy(quorum: int = 2) -> WitnessPolicy:
    witnesses = (NamedWitness(tuple(str(key.verifier.key) for key in keys)) for keys in KEYS.values())
    return WitnessPolicy(quorum, tuple(witnesses))


QUORUM = Quorum.from_policy(policy(), LOG.verifier)


def line(key: Cosigner, time: int = TIME, text: bytes = TEXT) -> SignatureLine:
    return SignatureLine(key.name, key.key_id, key.sign(text, time))


def note(*lines: SignatureLine) -> bytes:
    return format_note(Note(TEXT, parse_note(CHECKPOINT).signatures + lines))


def by(*names: str, time: int = TIME) -> list[SignatureLine]:
    return [line(key, time) for name in names for key in KEYS[name]]


def test_a_quorum_is_found_and_its_names_are_said() -> None:
    found = check_quorum(note(*by(NAMES[2], NAMES[0])), QUORUM, TIME)
    assert (found.cosigned, found.missing, found.time) == ((NAMES[0], NAMES[2]), (NAMES[1],), TIME)
    assert found.complete
    assert found.sentence == f"2 of 3 witnesses have cosigned: {NAMES[0]}, {NAMES[2]}"
    assert check_quorum(note(*by(*NAMES)), QUORUM).missing == ()


def test_too_few_are_said_with_the_missing() -> None:
    for given in ((), NAMES[:1]):
        with pytest.raises(NoteError, match=f"2 are needed, and missing are .*{NAMES[1]}, {NAMES[2]}"):
            check_quorum(note(*by(*given)), QUORUM)
    assert not find_cosigners(CHECKPOINT, QUORUM).complete


@pytest.mark.parametrize("key", [0, 1])
def test_a_witness_counts_only_with_all_its_keys(key: int) -> None:
    found = find_cosigners(note(*by(NAMES[0]), line(KEYS[NAMES[1]][key])), QUORUM)
    assert found.cosigned == NAMES[:1]


def test_one_witness_counts_once_however_often_it_signs() -> None:
    assert find_cosigners(note(*by(NAMES[0], NAMES[0])), QUORUM).cosigned == NAMES[:1]


def test_strangers_are_passed_over_and_do_not_count() -> None:
    stranger = signers("stork.example/w", 90)
    # The name of a witness with a key that is not his, and the other way round.
    borrowed = [
        Ed25519Cosigner(NAMES[1], SigningKey(bytes([99]) * 32)),
        Ed25519Cosigner("ibis.example/w", SigningKey(bytes([17]) * 32)),
    ]
    junk = SignatureLine("junk", b"1234", b"5")
    found = find_cosigners(note(*by(NAMES[0]), *map(line, stranger), *map(line, borrowed), junk), QUORUM)
    assert found.cosigned == NAMES[:1]


@pytest.mark.parametrize("key", [0, 1])
def test_a_line_by_a_known_key_that_does_not_hold_spoils_the_note(key: int) -> None:
    good = line(KEYS[NAMES[2]][key])
    other = line(KEYS[NAMES[2]][key], text=parse_note(History().checkpoint(9)).text)
    turned = dataclasses.replace(good, signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1]))
    later = dataclasses.replace(good, signature=(TIME + 1).to_bytes(8, "big") + good.signature[8:])
    for bad in (other, turned, later, dataclasses.replace(good, signature=good.signature[:20])):
        with pytest.raises(NoteError):
            find_cosigners(note(*by(*NAMES[:2]), bad), QUORUM)


def test_times_far_ahead_and_no_time_at_all() -> None:
    ahead = note(*by(*NAMES[:2], time=TIME + MAX_AHEAD + 1))
    with pytest.raises(NoteError, match="one of the two clocks is wrong"):
        check_quorum(ahead, QUORUM, TIME)
    assert check_quorum(ahead, QUORUM, TIME + 1).complete
    assert check_quorum(ahead, QUORUM).complete
    with pytest.raises(NoteError, match="no time"):
        check_quorum(note(*by(*NAMES, time=0)), QUORUM)


def test_keys_that_would_count_twice_are_refused() -> None:
    key = SigningKey(bytes([7]) * 32)
    twice = [NamedWitness((str(Ed25519Cosigner(name, key).verifier.key),)) for name in NAMES[:2]]
    with pytest.raises(NoteError, match="twice"):
        Quorum.from_policy(WitnessPolicy(2, tuple(twice)))
    own = NamedWitness((str(MlDsa44Signer("owl", SigningKey(bytes([8]) * 32, "ml-dsa-44")).verifier.key),))
    assert Quorum.from_policy(WitnessPolicy(1, (own,)), LOG.verifier).names == ("owl",)
    for vkey in (
        VerifierKey("owl", ED25519_COSIGNATURE, LOG.verifier.ed25519_public_key),
        VerifierKey(ORIGIN, ED25519_COSIGNATURE, bytes(32)),
    ):
        with pytest.raises(NoteError, match="its own witness"):
            Quorum.from_policy(WitnessPolicy(1, (NamedWitness((str(vkey),)),)), LOG.verifier)
    for wrong in (LOG.verifier.vkeys[0], "owl+00000000+AAAA"):
        with pytest.raises(NoteError):
            Quorum.from_policy(WitnessPolicy(1, (NamedWitness((wrong,)),)))
