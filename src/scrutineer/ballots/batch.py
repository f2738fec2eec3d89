"""Range proofs of many ballots at once, with a side-car of their commitments: five times faster than one by one.

For every ballot the side-car's commitments are hashed as the specification says; a ballot whose hashes are not the sums of its
challenges is no case for the batch and is checked exactly. What is left are equations in the group,

    a_j = g^v_j alpha^c_j,    b_j = K^(v_j - j c_j) beta^c_j,    a = g^v C_0^c    (6.1, 6.2, 7.3, 7.4; R.6),

and that alpha, beta and C_0 lie in the subgroup of order q (6.A and 7.A). All of them are checked together by one product.

Why that is sound, with an error of at most 2^-128 for each of the two products, whatever the ballots and the side-car hold:

1. p - 1 = 2 q r' with r' prime (`can_batch` checks it, and refuses another group), so every number modulo p is a product of
   three parts, in the subgroups of order 2, q and r'. As p = 3 mod 4, the number -1, of order 2, is no square, and a number has
   no part of order 2 exactly if its Jacobi symbol is 1. All alpha, beta, C_0, a_j, b_j and a are checked for that one by one.
   Without it a flipped sign would pass every second batch, as Boyd and Pavlovski showed (Attacking and repairing batch
   verification schemes, ASIACRYPT 2000, LNCS 1976, pages 58-71).
2. Membership: for coefficients s_i drawn uniformly from 128 bits after everything else is fixed, (product of x_i^s_i)^q must be
   1. If one x_i^q is not 1, it has order r', a prime of far more than 128 bits, so that for any choice of the other coefficients
   at most one value of s_i makes the product 1: the small exponents test of Bellare, Garay and Rabin (Fast batch verification
   for modular exponentiation and digital signatures, EUROCRYPT 1998, LNCS 1403, pages 236-250), here in the subgroup of r'.
3. Equations: the quotient of the two sides of each is raised to its own coefficient of 128 bits, and the product must be 1. By 1
   no quotient has a part of order 2. A part of order q or r' that is not 1 is found as in 2, as both are primes above 2^128.
   Exponents of alpha, beta and C_0 may be reduced modulo q because by 2 these lie in the subgroup.

Coefficients are drawn anew for each product, and again when a failed batch is divided. A batch that fails is divided in halves
until few ballots are left, and those are checked exactly: what is reported are always the findings of the exact check.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import gmpy2
from gmpy2 import mpz

from scrutineer.ballots.ballot_check import (
    BallotClaims,
    Claim,
    ContestClaims,
    SealClaim,
    check_claims,
    commitments_fit,
    seal_fits,
)
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.sidecar import commitments_size
from scrutineer.errors import BallotError

COEFFICIENT_SIZE: Final = 16  # bytes: an error of at most 2^-128
SMALLEST_BATCH: Final = 4
"""Fewer ballots are checked exactly."""
_MAX_WINDOW: Final = 11  # bits: buckets take up to 41 MB in the standard group
_PRIMALITY_ROUNDS: Final = 26
"""Of gmpy2: the test of Baillie, Pomerance, Selfridge and Wagstaff, and two more of Miller and Rabin."""


@lru_cache(maxsize=8)
def can_batch(group: Group) -> bool:
    """Whether batches are sound in a group: p = 3 mod 4, p and q prime, and (p - 1) / 2q a prime of more than 128 bits."""
    rest, remainder = gmpy2.f_divmod(group.p - 1, 2 * group.q)
    return bool(
        remainder == 0
        and group.p % 4 == 3
        and min(rest, group.q).bit_length() > 8 * COEFFICIENT_SIZE
        and rest != group.q
        and all(gmpy2.is_prime(number, _PRIMALITY_ROUNDS) for number in (group.p, group.q, rest))
    )


class _Product:
    """A product of powers of many different values, by buckets (Pippenger; Bernstein and others, PKC 2012, section 3)."""

    def __init__(self, modulus: mpz, window: int, bits: int) -> None:
        self._modulus, self._window = modulus, window
        self._rows: Final = [[mpz(1)] * (1 << window) for _ in range(-(-bits // window))]

    def multiply(self, value: mpz, exponent: int) -> None:
        """Take in value^exponent."""
        modulus, window = self._modulus, self._window
        mask = (1 << window) - 1
        for row in self._rows:
            digit = exponent & mask
            if digit:
                row[digit] = row[digit] * value % modulus
            exponent >>= window
            if not exponent:
                return

    def result(self) -> mpz:
        """The product."""
        modulus, result = self._modulus, mpz(1)
        for row in reversed(self._rows):
            result = gmpy2.powmod(result, 1 << self._window, modulus)
            running, total = mpz(1), mpz(1)
            for bucket in reversed(row[1:]):
                running = running * bucket % modulus
                total = total * running % modulus
            result = result * total % modulus
        return result


class Batch:
    """The equations of many ballots, taken in one by one; memory does not grow with their number."""

    def __init__(self, keys: ElectionKeys, random: RandomBytes, expected: int) -> None:
        """`expected` ballots are expected, which sets the size of the buckets.

        Raises BallotError for a group in which batches are not sound.
        """
        if not can_batch(keys.group):
            raise BallotError(
                "ballots of this group cannot be checked in batches: (p - 1) / 2q has to be prime; check them exactly"
            )
        self._keys, self._random = keys, random
        window = _window(keys, expected)
        self._equations = _Product(keys.group.p, window, 256)
        self._members = _Product(keys.group.p, window, 8 * COEFFICIENT_SIZE)
        self._generator, self._vote_key = 0, 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, claims: BallotClaims, commitments: bytes) -> bool:
        """Take in a ballot, or answer no and take in nothing: then it has to be checked exactly.

        It is taken in when everything about it that needs no powers is right, its commitments fit the hashes, and all values are
        squares below p.
        """
        elements = _read_commitments(self._keys, claims, commitments)
        if elements is None:
            return False
        coefficients = _coefficients(self._random, len(elements))
        pairs = iter(zip(elements, coefficients, strict=True))
        for contest in claims.contests:
            self._add_contest(contest, pairs)
        for seal in claims.seals:
            self._add_seal(seal, *next(pairs))
        self._count += 1
        return True

    def holds(self) -> bool:
        """Whether the proofs of all ballots taken in hold, and all their values lie in the group."""
        group = self._keys.group
        right = group.power(group.g, mpz(self._generator % group.q))
        right = right * group.power(self._keys.vote_key, mpz(self._vote_key % group.q)) % group.p
        return bool(self._equations.result() == right and group.power(self._members.result(), group.q) == 1)

    def _add_contest(self, contest: ContestClaims, pairs: Iterator[tuple[mpz, int]]) -> None:
        exponents = [self._add_claim(claim, pairs) for claim in contest.fields]
        first_total, second_total = self._add_claim(contest.total, pairs)
        members = iter(_coefficients(self._random, 2 * len(contest.fields)))
        # The contest's claim is about a product of its fields, so that its share goes to the exponents of those.
        for claim, weight, (first, second) in zip(contest.fields, contest.weights, exponents, strict=True):
            self._add_member(claim.alpha, first + weight * first_total, next(members))
            self._add_member(claim.beta, second + weight * second_total, next(members))

    def _add_claim(self, claim: Claim, pairs: Iterator[tuple[mpz, int]]) -> tuple[mpz, mpz]:
        """Take in commitments and responses; the answer is what alpha and beta are raised to on the right-hand sides."""
        equations, first_sum, second_sum = self._equations, mpz(0), mpz(0)
        for value, (challenge, response) in enumerate(zip(claim.challenges, claim.responses, strict=True)):
            (first, first_coefficient), (second, second_coefficient) = next(pairs), next(pairs)
            equations.multiply(first, first_coefficient)
            equations.multiply(second, second_coefficient)
            self._generator += first_coefficient * response
            self._vote_key += second_coefficient * (response - value * challenge)
            first_sum += first_coefficient * challenge
            second_sum += second_coefficient * challenge
        return first_sum, second_sum

    def _add_seal(self, seal: SealClaim, commitment: mpz, coefficient: int) -> None:
        self._equations.multiply(commitment, coefficient)
        self._generator += coefficient * seal.response
        self._add_member(seal.point, coefficient * seal.challenge, *_coefficients(self._random, 1))

    def _add_member(self, value: mpz, exponent: mpz, coefficient: int) -> None:
        self._equations.multiply(value, int(-exponent % self._keys.group.q))
        self._members.multiply(value, coefficient)


def check_ballots(
    keys: ElectionKeys,
    ballots: Sequence[Callable[[], tuple[BallotClaims, bytes | None]]],
    tables: CheckTables,
    random: RandomBytes,
) -> list[tuple[CheckFailure, ...]]:
    """Check many ballots with what a side-car has of them; the answer has the findings of each, in the same order.

    Ballots are given as functions that read one with its commitments, so that no more than one has to be held at a time: a
    batch that fails reads its ballots again. Findings are those of `check_ballot`, but the coefficients of a batch are random: a
    bad ballot passes one with a probability of at most 2^-127.
    """
    findings: list[tuple[CheckFailure, ...]] = [()] * len(ballots)

    def exactly(place: int, claims: BallotClaims) -> None:
        findings[place] = claims.failures + check_claims(keys, claims, tables)

    waiting: list[Sequence[int]] = [range(len(ballots))]
    while waiting:
        places = waiting.pop()
        if len(places) < SMALLEST_BATCH or not can_batch(keys.group):
            for place in places:
                exactly(place, ballots[place]()[0])
            continue
        batch = Batch(keys, random, len(places))
        taken: list[int] = []
        for place in places:
            claims, commitments = ballots[place]()
            if commitments is not None and batch.add(claims, commitments):
                taken.append(place)
            else:
                exactly(place, claims)
        if taken and not batch.holds():
            half = len(taken) // 2
            waiting += [taken[half:], taken[:half]]
    return findings


def _read_commitments(keys: ElectionKeys, claims: BallotClaims, commitments: bytes) -> list[mpz] | None:
    """The commitments as numbers, if they fit the ballot's hashes and all numbers are squares below p; else None."""
    group, size = keys.group, keys.group.element_size
    if claims.failures or len(commitments) != commitments_size(keys, claims):
        return None
    values: list[mpz] = []
    position = 0
    for contest in claims.contests:
        for claim in (*contest.fields, contest.total):
            end = position + 2 * len(claim.challenges) * size
            if not commitments_fit(keys, claims.ballot.identifier_hash, claim, commitments[position:end]):
                return None
            position = end
        for claim in contest.fields:
            values += (claim.alpha, claim.beta)
    for seal in claims.seals:
        end = position + size
        if not (group.is_scalar(seal.challenge) and group.is_scalar(seal.response)):
            return None
        if not seal_fits(keys, seal, commitments[position:end]):
            return None
        position = end
        values.append(seal.point)
    elements = [group.element(commitments[start : start + size]) for start in range(0, len(commitments), size)]
    if all(0 < value < group.p and gmpy2.jacobi(value, group.p) == 1 for value in values + elements):
        return elements
    return None


def _coefficients(random: RandomBytes, count: int) -> list[int]:
    """So many uniform integers of 128 bits."""
    data = random(COEFFICIENT_SIZE * count)
    return [int.from_bytes(data[start : start + COEFFICIENT_SIZE], "big") for start in range(0, len(data), COEFFICIENT_SIZE)]


def _window(keys: ElectionKeys, ballots: int) -> int:
    """The width of a digit, in bits, with which so many ballots take the fewest multiplications."""
    manifest = keys.manifest
    short = long = 0
    for number in max((style.contests for style in manifest.styles), key=len):
        contest = manifest.contests[number - 1]
        short += 2 * (sum(contest.limits()) + len(contest.limits()) + contest.selection_limit + 1)
        long += 2 * len(contest.limits()) + 1

    def multiplications(window: int) -> int:
        few, many = -(-8 * COEFFICIENT_SIZE // window), -(-256 // window)
        return ballots * (short * few + long * (few + many)) + 2 * (few + many) * (1 << window)

    return min(range(2, _MAX_WINDOW + 1), key=multiplications)
