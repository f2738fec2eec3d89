"""Everything that one encrypted ballot shows by itself: its form, its hashes and its range proofs.

ElectionGuard Design Specification 2.1.0, checks 5.B, 6.A to 6.D, 7.A to 7.D, 8.A and 8.B; R.5 is the form, which the
specification leaves to the record, and R.6 that whoever sealed the ballot nonce and the contest data knew what opens them. The
specification asks for 6 and 7 on cast ballots; here they are checked on challenged, spoiled and provisional ones as well, as
those were shown to voters under the same promise.

All findings are collected. Nothing raises on hostile values: what cannot be paired with the manifest is reported as R.5, and
everything else of the ballot is still checked.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gmpy2 import mpz

from scrutineer.ballots.confirmation import confirmation_code, contest_hash
from scrutineer.ballots.exact import CheckTables, PowerChain, range_commitments, seal_commitment
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import SCALAR_SIZE
from scrutineer.ballots.hashing import HASH_SIZE, Use, challenge, digest, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FIELD_MARK, ManifestContest
from scrutineer.ballots.proofs import Envelope, data_envelope, nonce_envelope
from scrutineer.ballots.record import CHAIN_SIZE, Ballot, BallotContest, Sealed

FORM: Final = "R.5"
SHOWN_CODE: Final = 12  # hexadecimal digits of a confirmation code in a place


class Claim(NamedTuple):
    """What one range proof says: that (alpha, beta) encrypts one of 0, 1, ... R."""

    where: str
    head: bytes
    """What is hashed before the commitments: indices, alpha and beta (equations 59 and 62)."""
    alpha: mpz
    beta: mpz
    challenges: tuple[mpz, ...]
    """c_0 ... c_R."""
    responses: tuple[mpz, ...]
    """v_0 ... v_R."""

    @property
    def limit(self) -> int:
        """R of a field, or L of a contest."""
        return len(self.challenges) - 1


class ContestClaims(NamedTuple):
    """The claims of one contest whose form is right."""

    where: str
    weights: tuple[int, ...]
    """How often each field counts in the product that the contest's claim is about (7.1 and 7.2)."""
    fields: tuple[Claim, ...]
    total: Claim


class SealClaim(NamedTuple):
    """What a proof of a sealed text says: that its sealer knew the nonce of its point (equations 38 and 69)."""

    where: str
    envelope: Envelope
    sealed: Sealed
    point: mpz
    challenge: mpz
    response: mpz


class BallotClaims(NamedTuple):
    """A ballot read against the manifest: what its form and hashes showed, and the claims that are left to check."""

    ballot: Ballot
    failures: tuple[CheckFailure, ...]
    """R.5, 5.B, 6.B, 6.C, 7.B, 7.C, 8.A and 8.B: everything that needs no powers."""
    contests: tuple[ContestClaims, ...]
    seals: tuple[SealClaim, ...]
    """The ballot nonce, and the contest data of the contests that have them."""


def check_ballot(keys: ElectionKeys, ballot: Ballot, tables: CheckTables | None = None) -> tuple[CheckFailure, ...]:
    """Check one ballot exactly, by itself; an empty answer says that nothing was found wrong.

    Give `tables` when more than a few ballots of the same keys are checked.
    """
    claims = read_claims(keys, ballot)
    return claims.failures + check_claims(keys, claims, tables or CheckTables(keys, window=4))


def place(ballot: Ballot) -> str:
    """How findings name a ballot: by the beginning of its confirmation code."""
    return f"ballot {ballot.code.hex()[:SHOWN_CODE]}…"


def read_claims(keys: ElectionKeys, ballot: Ballot) -> BallotClaims:
    """Pair a ballot with the manifest and check all that needs no powers."""
    where = place(ballot)
    failures = list(_ballot_form(keys, ballot, where))
    # 5.B: the identifier hash has been computed from the identifier.
    if ballot.identifier_hash != digest(keys.extended_hash, Use.IDENTIFIER, ballot.identifier):
        failures.append(CheckFailure("5.B", where, "the identifier hash is not the hash of the ballot's identifier"))
    contests: list[ContestClaims] = []
    seals: list[SealClaim] = []
    if _sealed(keys, ballot.nonce, 1):
        seals.append(_seal_claim(keys, where, nonce_envelope(ballot.identifier_hash), ballot.nonce))
    for part in ballot.contests:
        if not 1 <= part.contest <= len(keys.manifest.contests):
            continue
        contest = keys.manifest.contests[part.contest - 1]
        inside = f"{where}, contest {contest.label}"
        wrong = list(_contest_form(keys, contest, part, inside))
        failures += wrong
        if wrong:
            continue
        claims = _contest_claims(keys, contest, part, inside)
        failures += _ranges(keys, claims)
        # 8.A: the contest hash has been computed from the contest's ciphertexts.
        if part.hash != contest_hash(ballot.identifier_hash, part.contest, part.selections, part.data):
            failures.append(CheckFailure("8.A", inside, "the contest hash is not the hash of the contest's ciphertexts"))
        contests.append(claims)
        if part.data is not None:
            seals.append(_seal_claim(keys, inside, data_envelope(ballot.identifier_hash, part.contest), part.data))
    # 8.B: the confirmation code has been computed from the contest hashes and the chaining field.
    code = confirmation_code(ballot.identifier_hash, (part.hash for part in ballot.contests), ballot.chain)
    if ballot.code != code:
        failures.append(CheckFailure("8.B", where, "the confirmation code is not the hash of the ballot's contest hashes"))
    return BallotClaims(ballot, tuple(failures), tuple(contests), tuple(seals))


def check_claims(keys: ElectionKeys, claims: BallotClaims, tables: CheckTables) -> tuple[CheckFailure, ...]:
    """6.A, 6.D, 7.A, 7.D and R.6, exactly."""
    failures: list[CheckFailure] = []
    key = claims.ballot.identifier_hash
    for contest in claims.contests:
        outside = 0
        for claim in contest.fields:
            alpha, beta = PowerChain(keys.group, claim.alpha), PowerChain(keys.group, claim.beta)
            if not (alpha.is_element() and beta.is_element()):
                outside += 1
                failures.append(not_element(claim.where))
            if not commitments_fit(keys, key, claim, claim_commitments(keys, tables, claim, alpha, beta)):
                failures.append(CheckFailure("6.D", claim.where, "the proof of the field's range does not hold"))
        if outside:
            failures.append(total_of_others(contest.where, outside))
        total = contest.total
        alpha, beta = PowerChain(keys.group, total.alpha), PowerChain(keys.group, total.beta)
        if not commitments_fit(keys, key, total, claim_commitments(keys, tables, total, alpha, beta)):
            failures.append(CheckFailure("7.D", total.where, "the proof of the contest's selection limit does not hold"))
    failures += [
        CheckFailure("R.6", seal.where, "the proof of whoever sealed the nonce or the data does not hold")
        for seal in claims.seals
        if not _seal_holds(keys, tables, seal)
    ]
    return tuple(failures)


def not_element(where: str) -> CheckFailure:
    """6.A."""
    return CheckFailure("6.A", where, "a value of the ciphertext is not in the group")


def total_of_others(where: str, count: int) -> CheckFailure:
    """7.A."""
    return CheckFailure("7.A", where, f"the contest's product has {count} ciphertext(s) with a value that is not in the group")


def claim_commitments(keys: ElectionKeys, tables: CheckTables, claim: Claim, alpha: PowerChain, beta: PowerChain) -> bytes:
    """a_0, b_0, ... a_R, b_R of a claim, recomputed from the chains of its alpha and beta (6.1, 6.2, 7.3 and 7.4)."""
    return range_commitments(keys.group, tables, alpha, beta, claim.challenges, claim.responses)


def commitments_fit(keys: ElectionKeys, identifier_hash: bytes, claim: Claim, commitments: bytes) -> bool:
    """6.D and 7.D: the hash of the commitments is the sum of the challenges."""
    hashed = challenge(keys.group, identifier_hash, Use.RANGE_PROOF, claim.head, commitments)
    return bool(hashed == sum(claim.challenges) % keys.group.q)


def seal_fits(keys: ElectionKeys, seal: SealClaim, commitment: bytes) -> bool:
    """R.6: the hash of the commitment is the challenge."""
    return bool(seal.envelope.challenge(keys.group, commitment, seal.sealed.point, seal.sealed.data) == seal.challenge)


def _seal_holds(keys: ElectionKeys, tables: CheckTables, seal: SealClaim) -> bool:
    point = PowerChain(keys.group, seal.point)
    if not (point.is_element() and keys.group.is_scalar(seal.challenge) and keys.group.is_scalar(seal.response)):
        return False
    return seal_fits(keys, seal, seal_commitment(keys.group, tables, point, seal.challenge, seal.response))


def field_place(contest: str, label: str) -> str:
    """How findings name a field of a contest."""
    return f"{contest}, field {label[1:]}" if label.startswith(FIELD_MARK) else f"{contest}, option {label}"


def _ballot_form(keys: ElectionKeys, ballot: Ballot, where: str) -> Iterator[CheckFailure]:
    """R.5 of the ballot as a whole."""
    manifest = keys.manifest
    hashes = (ballot.identifier, ballot.identifier_hash, ballot.code, *(part.hash for part in ballot.contests))
    if any(len(value) != HASH_SIZE for value in hashes) or len(ballot.chain) != CHAIN_SIZE:
        yield CheckFailure(FORM, where, f"a hash has not {HASH_SIZE} bytes, or the chaining field not {CHAIN_SIZE}")
    if not 1 <= ballot.style <= len(manifest.styles):
        yield CheckFailure(FORM, where, f"the manifest has no ballot style {ballot.style}: it has {len(manifest.styles)}")
    else:
        style = manifest.styles[ballot.style - 1]
        if tuple(part.contest for part in ballot.contests) != style.contests:
            yield CheckFailure(FORM, where, f"its contests are not those of ballot style {style.label} in their order")
    if not _sealed(keys, ballot.nonce, 1):
        yield CheckFailure(FORM, where, "the encrypted ballot nonce has not its three parts in their lengths")


def _contest_form(keys: ElectionKeys, contest: ManifestContest, part: BallotContest, where: str) -> Iterator[CheckFailure]:
    """R.5 of one contest."""
    size, labels, limits = keys.group.element_size, contest.labels(), contest.limits()
    if len(part.selections) != len(labels):
        yield CheckFailure(FORM, where, f"it has {len(part.selections)} encrypted fields: the manifest has {len(labels)}")
    for label, limit, selection in zip(labels, limits, part.selections, strict=False):
        if len(selection.alpha) != size or len(selection.beta) != size:
            yield CheckFailure(FORM, field_place(where, label), f"a value of the ciphertext has not {size} bytes")
        if len(selection.proof) != _proof_size(limit):
            yield CheckFailure(FORM, field_place(where, label), f"its proof has not {_proof_size(limit)} bytes")
    if len(part.proof) != _proof_size(contest.selection_limit):
        yield CheckFailure(FORM, where, f"the proof of its limit has not {_proof_size(contest.selection_limit)} bytes")
    if (part.data is None) != (contest.data_blocks == 0):
        yield CheckFailure(FORM, where, "it has contest data and should have none, or has none and should")
    elif part.data is not None and not _sealed(keys, part.data, contest.data_blocks):
        yield CheckFailure(FORM, where, "the encrypted contest data have not their three parts in their lengths")


def _proof_size(limit: int) -> int:
    return 2 * (limit + 1) * SCALAR_SIZE


def _sealed(keys: ElectionKeys, sealed: Sealed, blocks: int) -> bool:
    lengths = (len(sealed.point), len(sealed.data), len(sealed.proof))
    return lengths == (keys.group.element_size, blocks * HASH_SIZE, 2 * SCALAR_SIZE)


def _seal_claim(keys: ElectionKeys, where: str, envelope: Envelope, sealed: Sealed) -> SealClaim:
    numbers = keys.group.scalar(sealed.proof[:SCALAR_SIZE]), keys.group.scalar(sealed.proof[SCALAR_SIZE:])
    return SealClaim(where, envelope, sealed, keys.group.element(sealed.point), *numbers)


def _contest_claims(keys: ElectionKeys, contest: ManifestContest, part: BallotContest, where: str) -> ContestClaims:
    """The claims of a contest whose form is right, with the product that its limit is about (7.1 and 7.2)."""
    group = keys.group
    index = small(part.contest)
    fields: list[Claim] = []
    total_alpha, total_beta = mpz(1), mpz(1)
    for number, (label, weight, selection) in enumerate(
        zip(contest.labels(), contest.weights(), part.selections, strict=True), start=1
    ):
        alpha, beta = group.element(selection.alpha), group.element(selection.beta)
        head = b"".join((index, small(number), selection.alpha, selection.beta))
        fields.append(Claim(field_place(where, label), head, alpha, beta, *_scalars(selection.proof)))
        total_alpha = total_alpha * group.power(alpha, mpz(weight)) % group.p
        total_beta = total_beta * group.power(beta, mpz(weight)) % group.p
    head = b"".join((index, group.element_bytes(total_alpha), group.element_bytes(total_beta)))
    total = Claim(where, head, total_alpha, total_beta, *_scalars(part.proof))
    return ContestClaims(where, contest.weights(), tuple(fields), total)


def _scalars(proof: bytes) -> tuple[tuple[mpz, ...], tuple[mpz, ...]]:
    """Challenges and responses of a proof."""
    values = tuple(mpz(int.from_bytes(proof[start : start + SCALAR_SIZE], "big")) for start in range(0, len(proof), SCALAR_SIZE))
    return values[: len(values) // 2], values[len(values) // 2 :]


def _ranges(keys: ElectionKeys, claims: ContestClaims) -> Iterator[CheckFailure]:
    """6.B, 6.C, 7.B and 7.C: challenges and responses are scalars."""
    for number, claim in ((6, claim) for claim in claims.fields):
        yield from _scalar_failures(keys, number, claim)
    yield from _scalar_failures(keys, 7, claims.total)


def _scalar_failures(keys: ElectionKeys, number: int, claim: Claim) -> Iterator[CheckFailure]:
    named: Sequence[tuple[str, str, tuple[mpz, ...]]] = (("B", "challenge", claim.challenges), ("C", "response", claim.responses))
    for letter, name, values in named:
        if not all(map(keys.group.is_scalar, values)):
            yield CheckFailure(f"{number}.{letter}", claim.where, f"a {name} of its proof is not below the group's order")
