"""The exact check of one ballot: every check under its own number, for every kind of hostile value."""

import random

import pytest
from gmpy2 import mpz
from msgspec.structs import replace

from ballot_equations import equation_findings, honest_ballots, rehashed
from ballot_helpers import SMALL, every_contest, one_contest, one_hand, seeded
from ballot_mutations import ELEMENT_KINDS, mutated, other_element, swapped, with_selection
from scrutineer.ballots.ballot_check import check_ballot
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot, Sealed, Selection

KEYS = one_hand(every_contest()).keys
TABLES = CheckTables(KEYS, window=6)
BALLOTS = honest_ballots(KEYS, 6, seeded("checked"))
BALLOT = BALLOTS[0]
Q = int(SMALL.q)


def numbers(ballot: Ballot, keys: ElectionKeys = KEYS, tables: CheckTables = TABLES) -> set[str]:
    return {failure.check for failure in check_ballot(keys, ballot, tables)}


def with_field(ballot: Ballot, place: int, field: int, **changes: bytes) -> Ballot:
    contest = ballot.contests[place]
    changed = with_selection(contest, field, replace(contest.selections[field], **changes))
    return replace(ballot, contests=(*ballot.contests[:place], changed, *ballot.contests[place + 1 :]))


def with_contest(ballot: Ballot, place: int, **changes: object) -> Ballot:
    changed = replace(ballot.contests[place], **changes)
    return replace(ballot, contests=(*ballot.contests[:place], changed, *ballot.contests[place + 1 :]))


def test_honest_ballots_of_every_kind_show_nothing() -> None:
    assert {ballot.status for ballot in BALLOTS} == {"cast", "challenged", "spoiled", "provisional"}
    for ballot in [*BALLOTS, *honest_ballots(KEYS, 2, seeded("short"), style=2)]:
        assert check_ballot(KEYS, ballot, TABLES) == ()
        assert equation_findings(KEYS, ballot) == set()


def test_one_ballot_may_be_checked_without_tables() -> None:
    assert check_ballot(KEYS, BALLOT) == ()


def test_the_standard_group() -> None:
    keys = one_hand(one_contest(2), STANDARD).keys
    ballot = honest_ballots(keys, 1, seeded("standard"))[0]
    assert check_ballot(keys, ballot) == ()
    negative = with_field(
        ballot, 0, 1, alpha=STANDARD.element_bytes(STANDARD.p - STANDARD.element(ballot.contests[0].selections[1].alpha))
    )
    assert {failure.check for failure in check_ballot(keys, rehashed(negative))} == {"6.A", "6.D", "7.A", "7.D"}


@pytest.mark.parametrize("status", ["cast", "challenged", "spoiled", "provisional"])
def test_ballots_of_every_status_are_checked(status: str) -> None:
    wrong = with_field(replace(BALLOT, status=status), 0, 0, proof=bytes(128))
    assert "6.D" in numbers(wrong)


def test_a_finding_names_ballot_contest_and_option() -> None:
    wrong = with_field(BALLOT, 1, 1, proof=bytes(len(BALLOT.contests[1].selections[1].proof)))
    place = f"ballot {BALLOT.code.hex()[:12]}…, contest council, option owl"
    assert check_ballot(KEYS, wrong, TABLES) == (CheckFailure("6.D", place, "the proof of the field's range does not hold"),)
    supplemental = with_field(BALLOT, 1, 5, proof=bytes(len(BALLOT.contests[1].selections[5].proof)))
    assert check_ballot(KEYS, supplemental, TABLES)[0].where.endswith("contest council, field blank")


@pytest.mark.parametrize("kind", ELEMENT_KINDS)
@pytest.mark.parametrize("part", ["alpha", "beta"])
def test_hostile_values_of_a_ciphertext(kind: str, part: str) -> None:
    for place, contest in enumerate(BALLOT.contests):
        field = len(contest.selections) - 1
        value = other_element(SMALL, getattr(contest.selections[field], part), kind, random.Random(place))
        wrong = rehashed(with_field(BALLOT, place, field, **{part: value}))
        member = kind in ("one", "other member")
        # A value that is no element is 6.A and 7.A; whatever was changed, both proofs fail.
        assert numbers(wrong) == ({"6.D", "7.D"} if member else {"6.A", "6.D", "7.A", "7.D"})
        assert "8.A" in numbers(with_field(BALLOT, place, field, **{part: value}))


def test_challenges_and_responses_have_numbers_of_their_own() -> None:
    proof = BALLOT.contests[0].selections[0].proof
    largest = (Q + 5).to_bytes(32, "big")
    assert numbers(with_field(BALLOT, 0, 0, proof=largest + proof[32:])) == {"6.B", "6.D"}
    assert numbers(with_field(BALLOT, 0, 0, proof=proof[:-32] + largest)) == {"6.C", "6.D"}
    limit = BALLOT.contests[0].proof
    assert numbers(with_contest(BALLOT, 0, proof=largest + limit[32:])) == {"7.B", "7.D"}
    assert numbers(with_contest(BALLOT, 0, proof=limit[:-32] + largest)) == {"7.C", "7.D"}


def test_a_scalar_that_is_only_too_large_is_found() -> None:
    """A response v and v + q give the same commitments: 6.C alone tells them apart."""
    keys = one_hand(one_contest(1)).keys
    # With q so close to 2^256 no honest response is small enough to add q: the proof has to be made for it.
    forged = _with_small_response(keys, honest_ballots(keys, 1, seeded("low"))[0])
    assert numbers(forged, keys, CheckTables(keys, 4)) == {"6.C"}


def _with_small_response(keys: ElectionKeys, ballot: Ballot) -> Ballot:
    """A ballot whose first field has a proof with a response of q + 3, made with the nonce that the test may know."""
    group, random_bytes = keys.group, seeded("small response")
    nonce = group.random_scalar(random_bytes)
    alpha, beta = group.element_bytes(group.power(group.g, nonce)), group.element_bytes(group.power(keys.vote_key, nonce))
    head = small(1) + small(1) + alpha + beta
    # The branch of one is simulated: its response may be anything, also 3.
    c1, v1, u0 = group.random_scalar(random_bytes), mpz(3), group.random_scalar(random_bytes)
    first = group.power(group.g, v1) * group.power(group.element(alpha), c1) % group.p
    second = group.power(keys.vote_key, (v1 - c1) % group.q) * group.power(group.element(beta), c1) % group.p
    values = (group.power(group.g, u0), group.power(keys.vote_key, u0), first, second)
    whole = challenge(group, ballot.identifier_hash, Use.RANGE_PROOF, head, *map(group.element_bytes, values))
    c0 = (whole - c1) % group.q
    proof = b"".join(int(x).to_bytes(32, "big") for x in (c0, c1, (u0 - c0 * nonce) % group.q, v1 + group.q))
    # The contest's own proof, for the same nonce, is made by honest means.
    blinds = [group.random_scalar(random_bytes) for _ in range(2)]
    c1 = group.random_scalar(random_bytes)
    commitments = (
        group.power(group.g, blinds[0]),
        group.power(keys.vote_key, blinds[0]),
        group.power(group.g, blinds[1]),
        group.power(keys.vote_key, (blinds[1] - c1) % group.q),
    )
    whole = challenge(
        group, ballot.identifier_hash, Use.RANGE_PROOF, small(1) + alpha + beta, *map(group.element_bytes, commitments)
    )
    c0 = (whole - c1) % group.q
    responses = ((blinds[0] - c0 * nonce) % group.q, (blinds[1] - c1 * nonce) % group.q)
    limit = b"".join(int(x).to_bytes(32, "big") for x in (c0, c1, *responses))
    contest = replace(ballot.contests[0], selections=(Selection(alpha, beta, proof),), proof=limit)
    return rehashed(replace(ballot, contests=(contest,)))


@pytest.mark.parametrize("part", ["alpha", "beta", "proof"])
def test_parts_of_two_fields_exchanged(part: str) -> None:
    found = {"proof": {"6.D"}}.get(part, {"6.D", "8.A"})
    assert numbers(swapped(BALLOT, 0, part, 0)) == found


def test_proofs_of_another_ballot() -> None:
    other = BALLOTS[2].contests[0]
    assert numbers(with_contest(BALLOT, 0, proof=other.proof)) == {"7.D"}
    assert numbers(with_contest(BALLOT, 0, selections=other.selections)) == {"6.D", "7.D", "8.A"}
    # A whole contest of another ballot is right in itself, and bound to that ballot by its identifier hash.
    assert numbers(rehashed(with_contest(BALLOT, 0, selections=other.selections, proof=other.proof))) == {"6.D", "7.D"}


def test_hashes() -> None:
    assert numbers(replace(BALLOT, identifier=bytes(32))) == {"5.B"}
    assert {"5.B", "6.D", "7.D", "8.A", "8.B", "R.6"} == numbers(replace(BALLOT, identifier_hash=bytes(32)))
    assert numbers(with_contest(BALLOT, 0, hash=bytes(32))) == {"8.A", "8.B"}
    assert numbers(replace(BALLOT, code=bytes(32))) == {"8.B"}
    assert numbers(replace(BALLOT, chain=bytes(36))) == {"8.B"}


def test_who_sealed_nonce_and_data_knew_what_opens_them() -> None:
    nonce = BALLOT.nonce
    assert numbers(replace(BALLOT, nonce=BALLOTS[1].nonce)) == {"R.6"}
    assert numbers(replace(BALLOT, nonce=replace(nonce, point=SMALL.element_bytes(SMALL.p - SMALL.element(nonce.point))))) == {
        "R.6"
    }
    assert numbers(replace(BALLOT, nonce=replace(nonce, proof=nonce.proof[:32] + (Q + 1).to_bytes(32, "big")))) == {"R.6"}
    data = BALLOT.contests[1].data
    assert data is not None
    changed = rehashed(with_contest(BALLOT, 1, data=replace(data, data=bytes(len(data.data)))))
    assert [(failure.check, "contest council" in failure.where) for failure in check_ballot(KEYS, changed, TABLES)] == [
        ("R.6", True)
    ]


EMPTY = Sealed(b"", b"", b"")


@pytest.mark.parametrize(
    "wrong",
    [
        replace(BALLOT, style=0),
        replace(BALLOT, style=3),
        replace(BALLOT, style=2),
        replace(BALLOT, contests=()),
        replace(BALLOT, contests=BALLOT.contests[::-1]),
        replace(BALLOT, contests=BALLOT.contests[:-1]),
        replace(BALLOT, contests=BALLOT.contests + BALLOT.contests[:1]),
        with_contest(BALLOT, 4, contest=6),
        with_contest(BALLOT, 0, contest=2**31 - 1),
        with_contest(BALLOT, 0, selections=()),
        with_contest(BALLOT, 0, selections=BALLOT.contests[0].selections[:-1]),
        with_contest(BALLOT, 0, selections=BALLOT.contests[0].selections * 2),
        with_contest(BALLOT, 0, proof=b""),
        with_contest(BALLOT, 0, proof=BALLOT.contests[0].proof[:-1]),
        with_contest(BALLOT, 0, proof=BALLOT.contests[0].proof + bytes(64)),
        with_contest(BALLOT, 0, hash=b""),
        with_contest(BALLOT, 0, data=BALLOT.nonce),
        with_contest(BALLOT, 1, data=None),
        with_contest(BALLOT, 1, data=EMPTY),
        with_contest(BALLOT, 1, data=BALLOT.nonce),
        with_field(BALLOT, 0, 0, alpha=b""),
        with_field(BALLOT, 0, 0, beta=bytes(63)),
        with_field(BALLOT, 0, 0, alpha=bytes(65)),
        with_field(BALLOT, 0, 0, proof=b"\x00"),
        with_field(BALLOT, 1, 8, proof=bytes(128)),
        replace(BALLOT, nonce=EMPTY),
        replace(BALLOT, nonce=replace(BALLOT.nonce, data=bytes(64))),
        replace(BALLOT, identifier=b""),
        replace(BALLOT, identifier_hash=b""),
        replace(BALLOT, chain=b""),
        replace(BALLOT, code=b""),
    ],
)
def test_a_ballot_that_is_not_of_its_form(wrong: Ballot) -> None:
    assert "R.5" in numbers(wrong)


def test_what_has_its_form_is_checked_beside_what_has_not() -> None:
    wrong = with_contest(with_field(BALLOT, 1, 0, proof=b""), 0, proof=bytes(128))
    found = [(failure.check, failure.where.split(", ")[1]) for failure in check_ballot(KEYS, wrong, TABLES)]
    assert found == [("R.5", "contest council"), ("7.D", "contest warden")]


def test_the_exact_check_finds_what_the_equations_find() -> None:
    """Hundreds of ballots with one thing changed."""
    labels = {contest.label: (number, contest.labels()) for number, contest in enumerate(KEYS.manifest.contests, start=1)}
    seen: set[str] = set()
    short = honest_ballots(KEYS, 5, seeded("short"), style=2)
    for seed in range(200):
        # Most of them have the two short contests only: the plain way takes its time.
        ballots = short if seed % 5 else BALLOTS
        _, wrong = mutated(SMALL, ballots[seed % len(ballots)], seed)
        found = set()
        for failure in check_ballot(KEYS, wrong, TABLES):
            _, _, inside = failure.where.partition(", contest ")
            contest, _, field = inside.partition(", ")
            number, fields = labels.get(contest, (0, ()))
            label = field.removeprefix("option ").replace("field ", "*")
            found.add((failure.check, number, 1 + fields.index(label) if field else 0))
        assert found == equation_findings(KEYS, wrong)
        seen |= {check for check, _, _ in found}
    assert seen == {"5.B", "6.A", "6.B", "6.C", "6.D", "7.A", "7.B", "7.C", "7.D", "8.A", "8.B", "R.6"}
