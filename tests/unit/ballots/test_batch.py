"""Batches: they find what the exact check finds, whatever a ballot or its side-car holds."""

import random
from collections.abc import Sequence
from functools import partial

import pytest
from gmpy2 import mpz
from msgspec.structs import replace

from ballot_equations import honest_ballots, rehashed
from ballot_helpers import SMALL, every_contest, one_contest, one_hand, seeded
from ballot_mutations import ELEMENT_KINDS, mutated, other_element, with_selection
from scrutineer.ballots.ballot_check import BallotClaims, check_ballot, read_claims
from scrutineer.ballots.batch import Batch, can_batch, check_ballots
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.hashing import Use, challenge
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.sidecar import make_commitments
from scrutineer.errors import BallotError

KEYS = one_hand(every_contest()).keys
TABLES = CheckTables(KEYS, window=6)
BALLOTS = [*honest_ballots(KEYS, 5, seeded("long")), *honest_ballots(KEYS, 7, seeded("short"), style=2)]
SIDES = [make_commitments(KEYS, ballot, TABLES) for ballot in BALLOTS]
SIZE = SMALL.element_size


def checked(
    ballots: Sequence[Ballot], sides: Sequence[bytes | None], seed: object = 0, keys: ElectionKeys = KEYS
) -> list[tuple[CheckFailure, ...]]:
    def read(place: int) -> tuple[BallotClaims, bytes | None]:
        return read_claims(keys, ballots[place]), sides[place]

    tables = TABLES if keys is KEYS else CheckTables(keys, 4)
    return check_ballots(keys, [partial(read, place) for place in range(len(ballots))], tables, seeded(("batch", seed)))


def taken(ballots: Sequence[Ballot], sides: Sequence[bytes], seed: object = 0) -> Batch:
    """A batch that has taken in all of the ballots."""
    batch = Batch(KEYS, seeded(("taken", seed)), len(ballots))
    for ballot, side in zip(ballots, sides, strict=True):
        assert batch.add(read_claims(KEYS, ballot), side)
    return batch


def test_honest_ballots() -> None:
    assert taken(BALLOTS, SIDES).holds()
    assert len(taken(BALLOTS, SIDES)) == len(BALLOTS)
    assert checked(BALLOTS, SIDES) == [()] * len(BALLOTS)
    assert checked([], []) == []


def test_the_standard_group() -> None:
    keys = one_hand(one_contest(2), STANDARD).keys
    ballots = honest_ballots(keys, 4, seeded("standard"))
    tables = CheckTables(keys, 4)
    sides = [make_commitments(keys, ballot, tables) for ballot in ballots]
    batch = Batch(keys, seeded("standard batch"), 4)
    assert all(batch.add(read_claims(keys, ballot), side) for ballot, side in zip(ballots, sides, strict=True))
    assert batch.holds()


def test_groups_in_which_a_batch_would_not_be_sound_are_refused() -> None:
    assert can_batch(SMALL)
    assert can_batch(STANDARD)
    # p = 2 q r + 1 with r no prime, and p that is no prime.
    assert not can_batch(Group(23, 11, 4))
    assert not can_batch(Group(int(SMALL.p) + 4 * int(SMALL.q), int(SMALL.q), 4))
    keys = one_hand(one_contest(1)).keys
    other = ElectionKeys(Group(23, 11, 4), keys.manifest, 1, 1, mpz(4), mpz(4))
    with pytest.raises(BallotError, match="check them exactly"):
        Batch(other, seeded(0), 1)


def test_any_element_in_any_position() -> None:
    """Sign flips and values outside of the group, with everything that is hashed following them."""
    ballot, side = BALLOTS[5], SIDES[5]
    rest, others = [BALLOTS[0], *BALLOTS[6:]], [SIDES[0], *SIDES[6:]]
    choice = random.Random(1)
    for place, contest in enumerate(ballot.contests):
        for field, selection in enumerate(contest.selections):
            for part in ("alpha", "beta"):
                kind = choice.choice(ELEMENT_KINDS)
                for value in (
                    SMALL.element_bytes(SMALL.p - SMALL.element(getattr(selection, part))),
                    other_element(SMALL, getattr(selection, part), kind, choice),
                ):
                    changed = with_selection(contest, field, replace(selection, **{part: value}))
                    contests = (*ballot.contests[:place], changed, *ballot.contests[place + 1 :])
                    wrong = rehashed(replace(ballot, contests=contests))
                    exact = check_ballot(KEYS, wrong, TABLES)
                    assert exact
                    # With the commitments of the honest ballot, and with those that the wrong one has.
                    for sides in ([side, *others], [make_commitments(KEYS, wrong, TABLES), *others]):
                        assert checked([wrong, *rest], sides) == [exact, *[()] * len(rest)]


def forge(ballot: Ballot, side: bytes, place: int, value: bytes) -> tuple[Ballot, bytes]:
    """A ballot of one contest whose hashes fit commitments of which one is exchanged: its challenges follow, its powers do not.

    Whoever makes both ballot and side-car can do this; only the product of the batch can tell.
    """
    forged = side[: place * SIZE] + value + side[(place + 1) * SIZE :]
    claims = read_claims(KEYS, ballot)
    position, contests = 0, []
    for contest, own in zip(claims.contests, ballot.contests, strict=True):
        selections, proof = [], b""
        for number, claim in enumerate((*contest.fields, contest.total)):
            end = position + 2 * len(claim.challenges) * SIZE
            whole = challenge(SMALL, ballot.identifier_hash, Use.RANGE_PROOF, claim.head, forged[position:end])
            first = (whole - sum(claim.challenges[1:])) % SMALL.q
            scalars = (first, *claim.challenges[1:], *claim.responses)
            proof = b"".join(map(SMALL.scalar_bytes, scalars))
            position = end
            if number < len(own.selections):
                selections.append(replace(own.selections[number], proof=proof))
        contests.append(replace(own, selections=tuple(selections), proof=proof))
    return replace(ballot, contests=tuple(contests)), forged


def test_any_commitment_in_any_position() -> None:
    """A commitment with its sign flipped, outside of the group, or another one: the hash fits it, and the equation fails."""
    ballot, side = BALLOTS[5], SIDES[5]
    rest, others = BALLOTS[6:9], SIDES[6:9]
    for place in range(len(side) // SIZE - 1):
        own = SMALL.element(side[place * SIZE : (place + 1) * SIZE])
        for value in (SMALL.p - own, own * SMALL.g % SMALL.p, own * SMALL.power(mpz(3), 2 * SMALL.q) % SMALL.p):
            forged, commitments = forge(ballot, side, place, SMALL.element_bytes(value))
            exact = check_ballot(KEYS, forged, TABLES)
            assert {failure.check for failure in exact} <= {"6.D", "7.D"}
            assert exact
            batch = Batch(KEYS, seeded(place), 4)
            if value == SMALL.p - own:
                assert not batch.add(read_claims(KEYS, forged), commitments)
            else:
                assert batch.add(read_claims(KEYS, forged), commitments)
                assert not batch.holds()
            assert checked([*rest, forged], [*others, commitments]) == [(), (), (), exact]


def test_two_wrong_equations_do_not_cancel() -> None:
    """Commitments g and 1/g too large in two ballots: their plain product is right, and no random product of them."""
    factor = SMALL.g
    pairs = []
    for place, change in ((5, factor), (6, SMALL.power(factor, SMALL.q - 1))):
        own = SMALL.element(SIDES[place][:SIZE])
        pairs.append(forge(BALLOTS[place], SIDES[place], 0, SMALL.element_bytes(own * change % SMALL.p)))
    for seed in range(20):
        assert not taken([ballot for ballot, _ in pairs], [side for _, side in pairs], seed).holds()
    # And two values with flipped signs, or of the same order outside of the group.
    flipped = []
    for place in (7, 8):
        own = SMALL.element(SIDES[place][:SIZE])
        flipped.append(forge(BALLOTS[place], SIDES[place], 0, SMALL.element_bytes(SMALL.p - own)))
    assert all(checked([*[one for one, _ in flipped], *BALLOTS[9:]], [*[side for _, side in flipped], *SIDES[9:]])[:2])


def test_a_wrong_side_car_accuses_nobody() -> None:
    wrong: list[bytes | None] = [
        None,
        b"",
        bytes(len(SIDES[2])),
        b"\xff" * len(SIDES[3]),
        SIDES[3],
        SIDES[5][:-1],
        SIDES[6] + bytes(SIZE),
        SIDES[7][SIZE:] + SIDES[7][:SIZE],
        SMALL.element_bytes(SMALL.p - SMALL.element(SIDES[8][:SIZE])) + SIDES[8][SIZE:],
        *SIDES[9:],
    ]
    assert checked(BALLOTS, wrong) == [()] * len(BALLOTS)


def test_a_commitment_is_no_number_above_p() -> None:
    """p + a is no commitment, though it is the same number modulo p: only one form is hashed."""
    room = (mpz(1) << (8 * SIZE)) - SMALL.p
    small_one = next(
        (number, place)
        for number, side in enumerate(SIDES)
        for place in range(len(side) // SIZE)
        if SMALL.element(side[place * SIZE : (place + 1) * SIZE]) < room
    )
    number, place = small_one
    own = SMALL.element(SIDES[number][place * SIZE : (place + 1) * SIZE])
    side = SIDES[number][: place * SIZE] + SMALL.element_bytes(own + SMALL.p) + SIDES[number][(place + 1) * SIZE :]
    assert not Batch(KEYS, seeded(0), 1).add(read_claims(KEYS, BALLOTS[number]), side)


def test_a_batch_says_bad_exactly_when_the_exact_check_does() -> None:
    """Hundreds of changed ballots, several in a batch, with the side-car of the honest ballots or their own."""
    short = list(range(5, len(BALLOTS)))
    for seed in range(60):
        choice = random.Random(seed)
        ballots, sides = [], []
        for place in choice.sample(short, 6) + ([seed % 5] if seed % 6 == 0 else []):
            ballot, side = BALLOTS[place], SIDES[place]
            if choice.random() < 0.6:
                _, ballot = mutated(SMALL, ballot, 1000 * seed + place)
                if choice.random() < 0.5:
                    side = make_commitments(KEYS, ballot, TABLES)
            ballots.append(ballot)
            sides.append(side)
        exact = [check_ballot(KEYS, ballot, TABLES) for ballot in ballots]
        assert checked(ballots, sides, seed) == exact
        assert any(exact)


def test_the_randomness_that_is_passed_in_is_used() -> None:
    drawn = []

    def count(size: int) -> bytes:
        drawn.append(size)
        return b"\x01" * size

    batch = Batch(KEYS, count, 1)
    assert batch.add(read_claims(KEYS, BALLOTS[5]), SIDES[5])
    values = 2 * sum(len(contest.selections) for contest in BALLOTS[5].contests) + 1
    assert sum(drawn) == 16 * (len(SIDES[5]) // SIZE + values)
