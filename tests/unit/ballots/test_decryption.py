"""Decryption by a quorum: totals, challenged ballots and contest data; and who spoilt it."""

from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations

import msgspec
import pytest
from gmpy2 import invert, mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from ballot_helpers import SMALL, every_contest, one_contest, seeded
from ceremony_helpers import ceremony, decrypt, lines_of
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.ceremony import GuardianError, KeyShare
from scrutineer.ballots.decryption import Quorum, Reveal, commit, data_target, total_target
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.hashing import Use, digest
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.opened_check import check_opened_data
from scrutineer.ballots.record import Ballot, OpenedBallot
from scrutineer.ballots.record_check import Source, check_record
from scrutineer.ballots.tally_request import TallyRequest, request_of, without_opened
from scrutineer.ballots.tallying import BundleCommitment, NoncePart, combine_bundle, commit_bundle, respond_bundle
from scrutineer.errors import BallotError

VOTES = {  # of two ballots of every contest; supplemental fields follow the options
    "first": {1: (1, 0, 0, 0, 0), 2: (1, 1, 0, 0, 0, 0, 0, 0, 1), 3: (3, 2), 4: (1, 0, 0, 0), 5: (0, 0, 1, 0, 0, 0)},
    "second": {1: (0, 0, 0, 1, 0), 2: (0, 1, 0, 0, 0, 0, 0, 2, 0), 3: (0, 3), 4: (1, 0, 0, 0), 5: (1, 0, 0, 0, 0, 0)},
}
TEXT = b"Great tit".ljust(128, b"\x00")


@dataclass(frozen=True)
class Voted:
    """A closed bundle of a station, and the keys it was made under."""

    record: KeyRecord
    shares: list[KeyShare]
    keys: ElectionKeys
    lines: list[bytes]
    ballots: list[Ballot]
    opened: OpenedBallot

    @property
    def request(self) -> TallyRequest:
        return request_of(self.keys, self.lines, "bundle")


@cache
def voted() -> Voted:
    """Two cast ballots with write-ins, and two challenged ones."""
    record, shares = ceremony(every_contest())
    keys = election_keys(record, SMALL)
    encryptor, writer = Encryptor(keys, random=seeded("ballots")), BundleWriter(keys, "north-1", "device 1")
    lines, ballots, openings = [writer.header()], [], []
    for number, name in enumerate(("first", "second", "first", "second")):
        choices = {contest: ContestChoice(values, TEXT if contest == 2 else b"") for contest, values in VOTES[name].items()}
        made = encryptor.encrypt(1, choices, writer.chain)
        ballot = msgspec.structs.replace(made.ballot, status="challenged" if number in (1, 2) else "cast")
        if number in (1, 2):
            openings.append(open_ballot(keys, ballot, made.nonce))
        lines.append(writer.add(ballot))
        ballots.append(ballot)
    lines.append(writer.close())
    return Voted(record, shares, keys, lines, ballots, openings[0])


def totals(lines: list[bytes], record: KeyRecord, shares: list[KeyShare]) -> list[list[int]]:
    return [[field.total for field in contest.fields] for contest in decrypt(record, shares, lines).contests]


def test_every_three_of_five_and_more_decrypt_the_same_totals() -> None:
    have = voted()
    expected = [
        [sum(pair) for pair in zip(VOTES["first"][contest], VOTES["second"][contest], strict=True)] for contest in range(1, 6)
    ]
    for size in (3, 4, 5):
        for chosen in combinations(have.shares, size):
            assert totals(have.lines, have.record, list(chosen)) == expected


def test_what_is_decrypted_passes_every_check() -> None:
    have = voted()
    cast = have.ballots[0]
    for opened in ((), (have.opened,)):
        tally = decrypt(have.record, have.shares[1:4], have.lines, opened, data=[(cast.code, 2)])
        assert len(tally.challenged) == 2
        assert tally.challenged[0] == have.opened
        assert [each.data for each in tally.data] == [TEXT]
        assert not check_opened_data(tally.data[0], cast, have.keys, "here")
        bundle, record = b"".join(have.lines), have.record.encode()
        encoded = tally.encode()
        bundles = [Source("bundle", partial(iter, [bundle]))]
        report = check_record(record, bundles, [Source("tally", partial(iter, [encoded]))], group=SMALL)
        assert report.passed, report.failures


def test_the_standard_group() -> None:
    record, shares = ceremony(one_contest(3), 3, 2, STANDARD)
    keys = election_keys(record)
    encryptor, writer = Encryptor(keys, random=seeded("ballots")), BundleWriter(keys, "north-1", "device 1")
    lines = [writer.header()]
    for choice in ((1, 0, 0), (0, 1, 0), (1, 0, 0)):
        lines.append(writer.add(encryptor.encrypt(1, {1: ContestChoice(choice)}, writer.chain).ballot))
    lines.append(writer.close())
    assert totals(lines, record, [shares[0], shares[2]]) == [[2, 1, 0]]


def test_no_ballots_give_totals_of_nothing() -> None:
    record, shares = ceremony(one_contest(3))
    writer = BundleWriter(election_keys(record, SMALL), "north-1", "device 1")
    assert totals([writer.header(), writer.close()], record, shares[:3]) == [[0, 0, 0]]


def test_below_the_quorum_it_says_what_remains() -> None:
    have = voted()
    with pytest.raises(BallotError, match=r"with fewer nothing can be decrypted by anyone.*the paper records are counted"):
        decrypt(have.record, have.shares[:2], have.lines)
    for wrong in ([1, 2, 2], [1, 2, 6], [0, 1, 2]):
        with pytest.raises(BallotError, match="name each once, from 1 to 5"):
            Quorum(have.keys, have.record.guardians, wrong)


@pytest.mark.parametrize("available", [(1, 2, 3), (2, 4, 5), (1, 3, 4, 5), tuple(range(1, 41)), tuple(range(2, 64, 2))])
def test_partial_decryptions_combine_as_the_specification_says(available: tuple[int, ...]) -> None:
    record, _ = ceremony(one_contest(2), 1, 1)
    keys = ElectionKeys(SMALL, record.manifest, 64, 1, mpz(4), mpz(4))
    quorum = Quorum(keys, record.guardians, available)
    random, q = seeded("partials"), SMALL.q
    secrets = {own: SMALL.random_scalar(random) for own in available}
    roots = {own: SMALL.element_bytes(quorum.root(SMALL.g, secret)) for own, secret in secrets.items()}
    expected = mpz(1)
    for own in available:
        weight = mpz(1)
        for other in available:
            if other != own:
                weight = weight * other * invert(mpz(other - own), q) % q
        assert quorum.coefficients[own] == weight
        partial = SMALL.power(SMALL.g, secrets[own])
        assert quorum.partial(roots[own]) == partial
        expected = expected * SMALL.power(partial, weight) % SMALL.p
    assert quorum.combine_roots(roots) == expected
    partials = {own: SMALL.element_bytes(SMALL.power(SMALL.g, secret)) for own, secret in secrets.items()}
    assert quorum.combine_partials(partials) == expected


@pytest.mark.parametrize("present", list(combinations((1, 2, 3, 4, 5), 3)))
def test_what_is_hashed_is_the_partial_decryption_itself(present: tuple[int, ...]) -> None:
    have = voted()
    quorum = Quorum(have.keys, have.record.guardians, present)
    share, total = have.shares[present[1] - 1], have.request.totals[0].fields[0]
    target = total_target(have.keys, 1, 1, total.alpha, total.beta)
    made, shown = commit(quorum, share, target, mpz(12345))
    partial = SMALL.element_bytes(SMALL.power(target.base, share.vote))
    # Equation 88, written out.
    numbers = b"".join(number.to_bytes(4, "big") for number in (1, 1, share.index))
    hashed = numbers + total.alpha + total.beta + shown.a + shown.b + partial
    here = b"".join(number.to_bytes(4, "big") for number in (len(present), *present))
    assert made.hash == digest(have.keys.extended_hash, Use.DECRYPTION_COMMITMENT, hashed + here)


Rounds = tuple[dict[int, BundleCommitment], dict[int, tuple[Reveal, ...]], dict[int, tuple[bytes, ...]]]


@cache
def rounds() -> tuple[Quorum, TallyRequest, Rounds]:
    """One good decryption by trustees 1, 3 and 5, with contest data and ballot nonces."""
    have = voted()
    request = request_of(have.keys, have.lines, "bundle", [(have.ballots[0].code, 2)])
    quorum = Quorum(have.keys, have.record.guardians, (1, 3, 5))
    chosen = [have.shares[0], have.shares[2], have.shares[4]]
    first = {share.index: commit_bundle(quorum, share, bytes((share.index,)) * 32, request) for share in chosen}
    commitments, reveals = ({index: each[place] for index, each in first.items()} for place in (0, 1))
    responses = {
        share.index: respond_bundle(quorum, share, bytes((share.index,)) * 32, request, commitments, reveals)  # type: ignore[arg-type]
        for share in chosen
    }
    return quorum, request, (commitments, reveals, responses)  # type: ignore[return-value]


def combined(change: Rounds) -> object:
    quorum, request, _ = rounds()
    return combine_bundle(quorum, request, *change, SmallLogarithms(SMALL, quorum.keys.vote_key))


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ (1 << bit % (8 * len(data)))).to_bytes(len(data), "big")


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([1, 3, 5]),
    st.sampled_from(["root", "hash", "a", "b", "response", "nonce partial", "nonce proof"]),
    st.integers(0, 10**6),
    st.integers(0, 511),
)
def test_any_changed_message_is_caught_and_its_trustee_named(culprit: int, what: str, place: int, bit: int) -> None:
    _, _, (commitments, reveals, responses) = rounds()
    commitments, reveals, responses = dict(commitments), dict(reveals), dict(responses)
    items, parts = list(commitments[culprit].items), list(commitments[culprit].nonces)
    place %= len(parts) if what.startswith("nonce") else len(items)
    if what in ("root", "hash"):
        items[place] = items[place]._replace(**{what: flipped(getattr(items[place], what), bit)})
    elif what.startswith("nonce"):
        field = what.split()[1]
        parts[place] = msgspec.structs.replace(parts[place], **{field: flipped(getattr(parts[place], field), bit)})
    elif what == "response":
        own = list(responses[culprit])
        own[place] = flipped(own[place], bit)
        responses[culprit] = tuple(own)
    else:
        shown = list(reveals[culprit])
        shown[place] = shown[place]._replace(**{what: flipped(getattr(shown[place], what), bit)})
        reveals[culprit] = tuple(shown)
    commitments[culprit] = BundleCommitment(tuple(items), tuple(parts))
    with pytest.raises(GuardianError) as caught:
        combined((commitments, reveals, responses))
    assert {each.guardian for each in caught.value.complaints} == {culprit}


def dishonest(share: KeyShare) -> Rounds:
    """A decryption in which trustee 3 goes through all rounds properly with another secret than its own."""
    quorum, request, _ = rounds()
    have = voted()
    chosen = [have.shares[0], share, have.shares[4]]
    seeds = {each.index: bytes((each.index,)) * 32 for each in chosen}
    first = {each.index: commit_bundle(quorum, each, seeds[each.index], request) for each in chosen}
    commitments, reveals = {i: each[0] for i, each in first.items()}, {i: each[1] for i, each in first.items()}
    responses = {each.index: respond_bundle(quorum, each, seeds[each.index], request, commitments, reveals) for each in chosen}
    return commitments, reveals, responses


def test_a_trustee_with_another_secret_is_named() -> None:
    own = voted().shares[2]
    with pytest.raises(GuardianError) as caught:
        combined(dishonest(KeyShare(3, own.vote + 1, own.data)))
    assert [(each.guardian, each.check) for each in caught.value.complaints] == [(3, "94")]
    with pytest.raises(GuardianError) as caught:
        combined(dishonest(KeyShare(3, own.vote, own.data + 1)))
    assert [(each.guardian, each.check) for each in caught.value.complaints] == [(3, "94")]


def test_a_partial_decryption_of_something_else_is_named() -> None:
    quorum, request, (commitments, reveals, _) = rounds()
    have = voted()
    first, *others = commitments[3].items
    other = SMALL.element_bytes(SMALL.power(SMALL.element(first.root), mpz(2)))
    target = total_target(have.keys, 1, 1, request.totals[0].fields[0].alpha, request.totals[0].fields[0].beta)
    changed = first._replace(root=other, hash=quorum.commitment_hash(target, 3, reveals[3][0], other))
    commitments = commitments | {3: commitments[3]._replace(items=(changed, *others))}
    chosen = [have.shares[0], have.shares[2], have.shares[4]]
    responses = {
        share.index: respond_bundle(quorum, share, bytes((share.index,)) * 32, request, commitments, reveals) for share in chosen
    }
    with pytest.raises(GuardianError, match=r"trustee 3: its partial decryption is not made with its key \(check 95\)"):
        combined((commitments, reveals, responses))


def test_a_wrong_part_of_a_nonce_is_named_by_its_own_proof() -> None:
    _, _, (commitments, reveals, responses) = rounds()
    mine, theirs = commitments[1], commitments[5]
    swapped = mine._replace(nonces=(theirs.nonces[0], mine.nonces[1]))
    with pytest.raises(GuardianError, match=r"trustee 1: its part of ballot .* \(check 107\)"):
        combined((commitments | {1: swapped}, reveals, responses))
    short = mine._replace(nonces=(NoncePart(b"", bytes(64)), mine.nonces[1]))
    with pytest.raises(GuardianError, match="trustee 1"):
        combined((commitments | {1: short}, reveals, responses))


def test_more_or_fewer_values_than_ciphertexts_are_named() -> None:
    _, _, (commitments, reveals, responses) = rounds()
    for changed in (
        (commitments | {5: commitments[5]._replace(items=commitments[5].items[1:])}, reveals, responses),
        (commitments | {5: commitments[5]._replace(nonces=())}, reveals, responses),
        (commitments, reveals | {5: reveals[5][1:]}, responses),
        (commitments, reveals, responses | {5: (*responses[5], bytes(32))}),
    ):
        with pytest.raises(GuardianError, match=r"trustee 5: it did not give one value for each"):
            combined(changed)


def test_nobody_responds_to_what_was_not_committed_to() -> None:
    quorum, request, (commitments, reveals, _) = rounds()
    changed = reveals | {5: (Reveal(reveals[5][0].b, reveals[5][0].a), *reveals[5][1:])}
    with pytest.raises(GuardianError, match=r"trustee 5: what it revealed is not what it had committed to \(check 88\)"):
        respond_bundle(quorum, voted().shares[0], bytes((1,)) * 32, request, commitments, changed)


def test_the_secret_numbers_of_a_round_depend_on_all_that_it_decides() -> None:
    have = voted()
    seen = set()
    for seed in (b"\x01" * 32, b"\x02" * 32):
        for present in ((1, 2, 3), (1, 2, 4)):
            quorum = Quorum(have.keys, have.record.guardians, present)
            _, reveals = commit_bundle(quorum, have.shares[0], seed, have.request)
            again = commit_bundle(quorum, have.shares[0], seed, have.request)[1]
            assert reveals == again
            seen |= {reveal.a for reveal in reveals}
    assert len(seen) == 4 * sum(len(contest.fields) for contest in have.request.totals)


def test_totals_outside_the_group_and_bad_contest_data_are_not_touched() -> None:
    have = voted()
    field = have.request.totals[0].fields[0]
    negative = SMALL.element_bytes(SMALL.p - SMALL.element(field.alpha))
    for alpha in (negative, bytes(64), SMALL.element_bytes(SMALL.p)):
        with pytest.raises(BallotError, match=r"no element of the group \(check 9.A\)"):
            total_target(have.keys, 1, 1, alpha, field.beta)
    sealed = have.ballots[0].contests[1].data
    assert sealed is not None
    with pytest.raises(BallotError, match="must not be decrypted"):
        data_target(have.keys, have.ballots[0].identifier_hash, 2, msgspec.structs.replace(sealed, data=sealed.data[::-1]))
    with pytest.raises(BallotError, match="has no contest data in contest 1"):
        decrypt(have.record, have.shares[:3], have.lines, data=[(have.ballots[0].code, 1)])


def test_bundles_that_cannot_be_read_are_refused() -> None:
    have = voted()
    with pytest.raises(BallotError, match=r"no closing.*fetch the bundle again"):
        request_of(have.keys, have.lines[:-1], "bundle")
    other, _ = ceremony(every_contest(), seed="other")
    with pytest.raises(BallotError, match="bundle of another election"):
        request_of(election_keys(other, SMALL), have.lines, "bundle")
    for name in (b'"station":"../north"', b'"station":"north-1 "'):
        header = have.lines[0].replace(b'"station":"north-1"', name)
        with pytest.raises(BallotError, match=r"bundle: station .* cannot be used as an identifier"):
            request_of(have.keys, [header, *have.lines[1:]], "bundle")
    header = have.lines[0].replace(b'"device 1"', b'"device\\n1"')
    with pytest.raises(BallotError, match=r"bundle: .*device"):
        request_of(have.keys, [header, *have.lines[1:]], "bundle")


def test_an_opening_has_to_fit_its_ballot() -> None:
    have = voted()
    assert [ballot.code for ballot in without_opened(have.keys, have.request, [have.opened]).challenged] == [have.ballots[2].code]
    with pytest.raises(BallotError, match="opened twice"):
        without_opened(have.keys, have.request, [have.opened, have.opened])
    stranger = msgspec.structs.replace(have.opened, code=have.ballots[0].code)
    with pytest.raises(BallotError, match="no challenged ballot of this bundle"):
        without_opened(have.keys, have.request, [stranger])
    with pytest.raises(BallotError, match=r"\(check 13.[AB]\); leave this opening out"):
        without_opened(have.keys, have.request, [msgspec.structs.replace(have.opened, code=have.ballots[2].code)])


@pytest.mark.parametrize("group", [SMALL, STANDARD], ids=["small", "standard"])
def test_small_logarithms(group: Group) -> None:
    base = group.power(group.g, mpz(12345))
    logarithms = SmallLogarithms(group, base)
    for number, bound in ((0, 0), (0, 5), (5, 5), (1, 1), (999, 1000), (70_001, 100_000), (3, 100_000), (100_000, 100_000)):
        assert logarithms.find(group.power(base, mpz(number)), bound) == number
    for number, bound in ((6, 5), (1, 0), (100_001, 100_000), (-1, 1000)):
        assert logarithms.find(group.power(base, mpz(number)), bound) is None


def test_a_total_beyond_the_ballots_cast_is_refused() -> None:
    quorum, request, parts = rounds()
    with pytest.raises(BallotError, match="station north-1, contest warden, wren: the total is larger than 0 ballots allow"):
        combine_bundle(quorum, request._replace(cast=0), *parts, SmallLogarithms(SMALL, quorum.keys.vote_key))


def test_lines_with_and_without_line_feeds_are_the_same_bundle() -> None:
    have = voted()
    assert lines_of([line.rstrip(b"\n") for line in have.lines]) == lines_of(b"".join(have.lines)) == have.lines
