"""What guardians do with one bundle of ballots: decrypt its totals, and open its challenged ballots.

ElectionGuard Design Specification 2.1.0, sections 3.6.5 to 3.6.7. The rounds of decryption.py, for everything of a bundle at
once: `commit_bundle`, `reveal_bundle`, `respond_bundle` by every available guardian, and `combine_bundle` by anyone.

Ballot nonces need no such rounds: whether they are right shows when the ballot opens. So that a wrong part has a name, each
guardian proves its part by itself (an extension to the specification).
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple

import gmpy2
import msgspec
from gmpy2 import mpz

from scrutineer.ballots.ceremony import Complaint, GuardianError, KeyShare, share_key
from scrutineer.ballots.decryption import (
    Commitment,
    Proof,
    Quorum,
    Reveal,
    Target,
    combine,
    commit,
    data_target,
    respond,
    total_target,
)
from scrutineer.ballots.encrypt import open_ballot
from scrutineer.ballots.group import SCALAR_SIZE, Group
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.proofs import check_seal, data_envelope, nonce_envelope, unseal
from scrutineer.ballots.record import (
    Ballot,
    ContestAggregate,
    ContestTotals,
    FieldTotal,
    OpenedBallot,
    OpenedData,
    TallyRecord,
)
from scrutineer.ballots.secret_base import generator
from scrutineer.ballots.tally_request import TallyRequest, sealed_data
from scrutineer.errors import BallotError


class NoncePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guardian's part of the decryption of a ballot nonce (equation 107), with the proof that it is made with its key."""

    partial: bytes
    """m_i."""
    proof: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
    """(c, v)."""


class BundleCommitment(NamedTuple):
    """A guardian's commitments for one bundle."""

    items: tuple[Commitment, ...]
    """One for each target, in the order of `targets`."""
    nonces: tuple[NoncePart, ...]
    """One for each challenged ballot."""


def targets(keys: ElectionKeys, request: TallyRequest) -> tuple[Target, ...]:
    """All ciphertexts of a request: the totals by contest and field, then the contest data. Raises BallotError."""
    totals = (
        total_target(keys, contest.contest, number, each.alpha, each.beta)
        for contest in request.totals
        for number, each in enumerate(contest.fields, 1)
    )
    data = (data_target(keys, ballot.identifier_hash, number, sealed_data(ballot, number)) for ballot, number in request.data)
    return (*totals, *data)


def secret_scalar(group: Group, seed: bytes, bound: bytes) -> mpz:
    """A secret number of 1 to q - 1 that only this seed and these bytes give."""
    for attempt in range(256):
        number = mpz(int.from_bytes(hmac.digest(seed, bytes((attempt,)) + bound, "sha256"), "big"))
        if 0 < number < group.q:
            return number
    raise BallotError("no secret number could be drawn: start a new round")


def nonces(quorum: Quorum, seed: bytes, wanted: Sequence[Target]) -> Iterator[mpz]:
    """The secret u of every target, derived from the secret seed of one round and from all that the round decides beforehand.

    The same round gives the same commitments again after a crash. Another ciphertext or other guardians give other numbers even
    where a seed were used twice.
    """
    numbers = b"".join(map(small, quorum.numbers))
    for target in wanted:
        yield secret_scalar(quorum.keys.group, seed, numbers + target.hash_key + target.place + target.body)


def commit_bundle(
    quorum: Quorum, share: KeyShare, seed: bytes, request: TallyRequest
) -> tuple[BundleCommitment, tuple[Reveal, ...]]:
    """The first round for a bundle; the reveals are kept back until all others have committed."""
    wanted = targets(quorum.keys, request)
    pairs = [commit(quorum, share, target, u) for target, u in zip(wanted, nonces(quorum, seed, wanted), strict=True)]
    parts = tuple(_nonce_part(quorum, share, seed, ballot) for ballot in request.challenged)
    return BundleCommitment(tuple(pair[0] for pair in pairs), parts), tuple(pair[1] for pair in pairs)


def respond_bundle(
    quorum: Quorum,
    share: KeyShare,
    seed: bytes,
    request: TallyRequest,
    commitments: Mapping[int, BundleCommitment],
    reveals: Mapping[int, Sequence[Reveal]],
) -> tuple[bytes, ...]:
    """The third round: v_i for every target. Raises GuardianError where others revealed what they had not committed to.

    Never call it twice with different commitments or reveals and one seed: two responses would give the share away.
    """
    wanted = targets(quorum.keys, request)
    check_sizes(quorum, request, commitments, reveals, {})
    return tuple(
        respond(
            quorum,
            share,
            target,
            u,
            {own: commitments[own].items[place] for own in quorum.numbers},
            {own: reveals[own][place] for own in quorum.numbers},
        )
        for place, (target, u) in enumerate(zip(wanted, nonces(quorum, seed, wanted), strict=True))
    )


def combine_bundle(
    quorum: Quorum,
    request: TallyRequest,
    commitments: Mapping[int, BundleCommitment],
    reveals: Mapping[int, Sequence[Reveal]],
    responses: Mapping[int, Sequence[bytes]],
    logarithms: SmallLogarithms,
    opened: Sequence[OpenedBallot] = (),
) -> TallyRecord:
    """The tally record of a bundle. `opened` are challenged ballots that the device opened itself, already checked.

    Raises GuardianError with those who gave something wrong, and BallotError where a total is larger than the ballots cast allow
    or a challenged ballot does not open.
    """
    keys, group = quorum.keys, quorum.keys.group
    check_sizes(quorum, request, commitments, reveals, responses)
    proofs = [
        combine(
            quorum,
            target,
            {own: commitments[own].items[place] for own in quorum.numbers},
            {own: reveals[own][place] for own in quorum.numbers},
            {own: responses[own][place] for own in quorum.numbers},
        )
        for place, target in enumerate(targets(keys, request))
    ]
    rest = iter(proofs)
    contests = tuple(_contest_totals(keys, request, contest, rest, logarithms) for contest in request.totals)
    data = tuple(_opened_data(group, ballot, number, proof) for (ballot, number), proof in zip(request.data, rest, strict=True))
    ballots = open_challenged(quorum, request, {own: each.nonces for own, each in commitments.items()})
    return TallyRecord(FORMAT, keys.extended_hash, request.bundle, contests, (*opened, *ballots), data)


def check_sizes(
    quorum: Quorum,
    request: TallyRequest,
    commitments: Mapping[int, BundleCommitment],
    reveals: Mapping[int, Sequence[Reveal]],
    responses: Mapping[int, Sequence[bytes]],
) -> None:
    """Raise GuardianError where somebody gave more or fewer values than there are ciphertexts. Responses may be still to come."""
    wanted = sum(len(contest.fields) for contest in request.totals) + len(request.data)
    found = []
    for own in quorum.numbers:
        counts = {len(commitments[own].items), len(reveals[own])} | ({len(responses[own])} if responses else set())
        if counts != {wanted} or len(commitments[own].nonces) != len(request.challenged):
            found.append(Complaint(own, "88", f"it did not give one value for each of {wanted} ciphertexts"))
    if found:
        raise GuardianError(found)


def _contest_totals(
    keys: ElectionKeys, request: TallyRequest, contest: ContestAggregate, proofs: Iterator[Proof], logarithms: SmallLogarithms
) -> ContestTotals:
    group, form, fields = keys.group, keys.manifest.contest(contest.contest), []
    for label, limit, total, proof in zip(form.labels(), form.limits(), contest.fields, proofs, strict=False):
        # T = B / M (equation 82).
        value = group.element(total.beta) * gmpy2.invert(proof.decrypted, group.p) % group.p
        count = logarithms.find(value, request.cast * limit)
        if count is None:
            raise BallotError(
                f"station {request.station}, contest {form.label}, {label}: the total is larger than {request.cast} ballots "
                "allow; this bundle did not pass its verification"
            )
        fields.append(FieldTotal(label, count, group.element_bytes(value), proof.encode(group)))
    return ContestTotals(form.label, tuple(fields))


def _opened_data(group: Group, ballot: Ballot, number: int, proof: Proof) -> OpenedData:
    sealed = sealed_data(ballot, number)
    data = unseal(group, data_envelope(ballot.identifier_hash, number), sealed, proof.decrypted)
    return OpenedData(ballot.code, number, data, group.element_bytes(proof.decrypted), proof.encode(group))


def _nonce_part(quorum: Quorum, share: KeyShare, seed: bytes, ballot: Ballot) -> NoncePart:
    """m_i (equation 107) with a Chaum-Pedersen proof that it is made with the share whose public key everyone can compute."""
    group, sealed = quorum.keys.group, ballot.nonce
    if not check_seal(group, nonce_envelope(ballot.identifier_hash), sealed):
        raise BallotError(f"ballot {ballot.code.hex()[:8]}…: the proof of its nonce does not hold; it must not be decrypted")
    base = group.element(sealed.point)
    partial = group.element_bytes(group.power_secret(base, share.data))
    bound = ballot.identifier_hash + sealed.point + sealed.data + partial
    u = secret_scalar(group, seed, b"nonce" + bound)
    shown = (group.element_bytes(generator(group).power(u)), group.element_bytes(group.power_secret(base, u)))
    c = _part_challenge(group, ballot, share.index, partial, *shown)
    return NoncePart(partial, group.scalar_bytes(c) + group.scalar_bytes((u - c * share.data) % group.q))


def _part_challenge(group: Group, ballot: Ballot, index: int, partial: bytes, a: bytes, b: bytes) -> mpz:
    sealed = ballot.nonce
    parts = (small(index), sealed.point, sealed.data, sealed.proof, partial, a, b)
    return challenge(group, ballot.identifier_hash, Use.NONCE_PART, *parts)


def _part_holds(quorum: Quorum, ballot: Ballot, index: int, part: NoncePart) -> bool:
    group = quorum.keys.group
    if len(part.partial) != group.element_size or len(part.proof) != 2 * SCALAR_SIZE:
        return False
    base, partial = group.element(ballot.nonce.point), group.element(part.partial)
    c, v = group.scalar(part.proof[:SCALAR_SIZE]), group.scalar(part.proof[SCALAR_SIZE:])
    if not (group.is_scalar(c) and group.is_scalar(v) and group.is_element(partial)):
        return False
    public = share_key(group, quorum.guardians, index, "data")
    a = group.power(group.g, v) * group.power(public, c) % group.p
    b = group.powers(((base, v), (partial, c)))
    shown = (group.element_bytes(a), group.element_bytes(b))
    return bool(c == _part_challenge(group, ballot, index, part.partial, *shown))


def ballot_nonces(quorum: Quorum, request: TallyRequest, parts: Mapping[int, Sequence[NoncePart]]) -> tuple[bytes, ...]:
    """The ballot nonces of the ballots that a request names to be opened (equation 108).

    Raises GuardianError where a guardian's part does not hold.
    """
    found = []
    for place, ballot in enumerate(request.challenged):
        complaints = [
            Complaint(own, "107", f"its part of ballot {ballot.code.hex()[:8]}… is not made with its key")
            for own in quorum.numbers
            if not _part_holds(quorum, ballot, own, parts[own][place])
        ]
        if complaints:
            raise GuardianError(complaints)
        shared = quorum.combine_partials({own: parts[own][place].partial for own in quorum.numbers})
        found.append(unseal(quorum.keys.group, nonce_envelope(ballot.identifier_hash), ballot.nonce, shared))
    return tuple(found)


def open_challenged(quorum: Quorum, request: TallyRequest, parts: Mapping[int, Sequence[NoncePart]]) -> tuple[OpenedBallot, ...]:
    """Open the challenged ballots of a request (equations 108 and 109).

    Raises GuardianError where a guardian's part does not hold, and BallotError where a ballot does not open although all do: then
    the device sealed another nonce.
    """
    nonces = ballot_nonces(quorum, request, parts)
    return tuple(open_ballot(quorum.keys, ballot, nonce) for ballot, nonce in zip(request.challenged, nonces, strict=True))
