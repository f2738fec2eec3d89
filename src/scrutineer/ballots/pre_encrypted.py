"""Pre-encrypted ballots: made before anyone has chosen, cast by short codes, or opened unused.

ElectionGuard Design Specification 2.1.0, section 4. A contest has one selection vector for each unit that a verifiable field
may be given (its limit), in the order of the manifest, then as many null vectors as the selection limit L. Vectors are numbered
from 1 in that order, which is the j of equation 121. A voter's choice is always exactly L vectors, so that a record does not show
whether somebody chose fewer options. Where a contest counts blank or unused votes, the choice includes vectors of those fields.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.confirmation import PRE_ENCRYPTED, confirmation_code
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.hashing import HASH_SIZE, Use, challenge, digest, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.nonces import identifier_hash
from scrutineer.ballots.pre_encrypted_record import (
    ChosenVector,
    OpenedVector,
    PreEncryptedBallot,
    PreEncryptedContest,
    PreEncryptedStatus,
)
from scrutineer.ballots.proofs import commit_range, nonce_envelope, prove_range, seal, weighted_product
from scrutineer.ballots.record import Sealed, Selection
from scrutineer.ballots.tables import DEVICE_WINDOW, fixed_base
from scrutineer.errors import BallotError

MAX_TRIES: Final = 10_000
"""So many ballots are drawn until no contest has a short code twice."""

Ciphertext = tuple[mpz, mpz]


def vector_fields(contest: ManifestContest) -> tuple[int, ...]:
    """For each selection vector of a contest, the number of the field that it stands for; 0 for null vectors."""
    numbers = [number for number, limit in enumerate(contest.limits(), 1) for _ in range(limit)]
    return (*numbers, *[0] * contest.selection_limit)


def short_code(trimming: int, selection_hash: bytes) -> str:
    """The short code of a selection hash by one of the hash-trimming functions of section 4.6, numbered from 1.

    Raises BallotError for another number.
    """
    last = selection_hash[-1]
    match trimming:
        case 1:
            return f"{last:02X}"
        case 2:
            return selection_hash[-2:].hex().upper()
        case 3:
            return f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[last // 10]}{last % 10}"
        case 4:
            return f"{last // 26}{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[last % 26]}"
        case 5:
            return str(last)
        case 6:
            return str(last + 1)
        case 7:
            return str(last + 100)
        case 8:
            return str(last + 101)
    raise BallotError("the manifest names no hash-trimming function from 1 to 8: it has no pre-encrypted ballots")


def vector_nonce(keys: ElectionKeys, hashed: bytes, contest: int, vector: int, place: int, nonce: bytes) -> mpz:
    """xi_i,j,k (equation 121)."""
    parts = (small(contest), small(vector), small(place), nonce)
    return challenge(keys.group, hashed, Use.PRE_ENCRYPTED_NONCE, *parts)


def selection_hash(hashed: bytes, ciphertexts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Psi of a vector (equations 113 and 114)."""
    return digest(hashed, Use.SELECTION, *(part for pair in ciphertexts for part in pair))


def pre_encrypted_contest_hash(hashed: bytes, contest: int, hashes: Iterable[bytes]) -> bytes:
    """Chi of a contest from its selection hashes, which are sorted here (equation 115)."""
    return digest(hashed, Use.PRE_ENCRYPTED_CONTEST, small(contest), *sorted(hashes))


@dataclass(frozen=True)
class PreEncrypted:
    """A pre-encrypted ballot before anybody has used it: what is printed, and the secret that everything follows from."""

    identifier: bytes
    style: int
    sealed: Sealed
    chain: bytes
    code: bytes
    hashes: Mapping[int, tuple[bytes, ...]]
    """By contest, psi of each vector in the order of the vectors: this order must not be published."""
    short_codes: Mapping[int, tuple[str, ...]]
    """By contest, the short code of each vector."""
    nonce: bytes = field(repr=False)


class PreEncryptor:
    """Makes pre-encrypted ballots, and records how they were used (the encrypting and the recording tool of section 4)."""

    def __init__(self, keys: ElectionKeys, window: int = DEVICE_WINDOW, random: RandomBytes = secrets.token_bytes) -> None:
        """Raises BallotError where the manifest does not say how short codes are made."""
        short_code(keys.manifest.trimming, bytes(HASH_SIZE))
        self.keys: Final = keys
        self._random: Final = random
        group = keys.group
        self._g, self._vote, self._data = (
            fixed_base(group, base, window).power for base in (group.g, keys.vote_key, keys.data_key)
        )

    def make(self, style: int, chain: bytes) -> PreEncrypted:
        """The next ballot of a chain. It is drawn again until no contest has a short code twice (section 4.2.2)."""
        manifest = self.keys.manifest
        for _ in range(MAX_TRIES):
            identifier, nonce = self._random(HASH_SIZE), self._random(HASH_SIZE)
            hashed = identifier_hash(self.keys, identifier)
            hashes, codes = {}, {}
            for number in manifest.style(style).contests:
                hashes[number] = tuple(self._hashes(hashed, number, nonce))
                codes[number] = tuple(short_code(manifest.trimming, one) for one in hashes[number])
                if len(set(codes[number])) != len(codes[number]):
                    break
            else:
                group = self.keys.group
                own = group.random_scalar(self._random)
                sealed = seal(group, self._g, self._data, nonce_envelope(hashed), nonce, own, self._random)
                contests = [pre_encrypted_contest_hash(hashed, number, hashes[number]) for number in sorted(hashes)]
                code = confirmation_code(hashed, contests, chain, PRE_ENCRYPTED)
                return PreEncrypted(identifier, style, sealed, chain, code, hashes, codes, nonce)
        raise BallotError("no ballot was found whose short codes differ: choose the hash-trimming function 2, which has 65,536")

    def cast(self, ballot: PreEncrypted, choices: Mapping[int, Sequence[int]]) -> PreEncryptedBallot:
        """The record of a ballot that a voter returned: by contest, the numbers of the chosen vectors from 1.

        Null vectors are added up to the selection limit. Raises BallotError for vectors that are not there, chosen twice, or too
        many.
        """
        if set(choices) != set(ballot.hashes):
            raise BallotError("choices are needed for exactly the contests of the ballot")
        contests = []
        for number in sorted(ballot.hashes):
            chosen = self._chosen(number, choices[number])
            # In the order of their hashes, as nothing may tell which vector stands for which option.
            hashes = ballot.hashes[number]
            contests.append(
                self._cast_contest(ballot, number, [vector for _, vector in sorted((hashes[v - 1], v) for v in chosen)])
            )
        return self._record(ballot, contests, "cast")

    def _chosen(self, number: int, choice: Sequence[int]) -> list[int]:
        contest = self.keys.manifest.contest(number)
        fields = vector_fields(contest)
        nulls = [vector for vector, own in enumerate(fields, 1) if own == 0 and vector not in choice]
        chosen = [*choice, *nulls[: max(0, contest.selection_limit - len(choice))]]
        right = len(chosen) == len(set(chosen)) == contest.selection_limit
        if not right or not all(1 <= vector <= len(fields) for vector in chosen):
            raise BallotError(f"contest {contest.label} allows {contest.selection_limit} selections, each once")
        return chosen

    def open(self, ballot: PreEncrypted) -> PreEncryptedBallot:
        """The record of a ballot that was not used: everything on it, with the nonces that show it."""
        contests = []
        group, manifest = self.keys.group, self.keys.manifest
        hashed = identifier_hash(self.keys, ballot.identifier)
        for number in sorted(ballot.hashes):
            contest = manifest.contest(number)
            labels = contest.labels()
            vectors = tuple(
                OpenedVector(
                    labels[own - 1] if own else "",
                    ballot.short_codes[number][vector - 1],
                    ballot.hashes[number][vector - 1],
                    tuple(
                        group.scalar_bytes(vector_nonce(self.keys, hashed, number, vector, place, ballot.nonce))
                        for place in range(1, len(labels) + 1)
                    ),
                )
                for vector, own in enumerate(vector_fields(contest), 1)
            )
            contests.append(self._contest(ballot, number, label=contest.label, opened=vectors))
        return self._record(ballot, contests, "uncast")

    def _record(
        self, ballot: PreEncrypted, contests: Sequence[PreEncryptedContest], status: PreEncryptedStatus
    ) -> PreEncryptedBallot:
        hashed = identifier_hash(self.keys, ballot.identifier)
        return PreEncryptedBallot(
            ballot.identifier, hashed, ballot.style, tuple(contests), ballot.sealed, ballot.chain, ballot.code, status
        )

    def _contest(
        self,
        ballot: PreEncrypted,
        number: int,
        *,
        chosen: tuple[ChosenVector, ...] = (),
        selections: tuple[Selection, ...] = (),
        proof: bytes = b"",
        label: str = "",
        opened: tuple[OpenedVector, ...] = (),
    ) -> PreEncryptedContest:
        hashes = tuple(sorted(ballot.hashes[number]))
        own = pre_encrypted_contest_hash(identifier_hash(self.keys, ballot.identifier), number, hashes)
        return PreEncryptedContest(number, hashes, own, chosen, selections, proof, label, opened)

    def _vector(self, hashed: bytes, number: int, vector: int, own: int, nonce: bytes) -> tuple[list[mpz], list[Ciphertext]]:
        """Nonces and ciphertexts of one vector, which holds 1 in the field `own` and 0 elsewhere."""
        fields = len(self.keys.manifest.contest(number).labels())
        nonces = [vector_nonce(self.keys, hashed, number, vector, place, nonce) for place in range(1, fields + 1)]
        return nonces, [(self._g(one), self._vote(one + (place == own))) for place, one in enumerate(nonces, 1)]

    def _hashes(self, hashed: bytes, number: int, nonce: bytes) -> Iterable[bytes]:
        write = self.keys.group.element_bytes
        for vector, own in enumerate(vector_fields(self.keys.manifest.contest(number)), 1):
            _, ciphertexts = self._vector(hashed, number, vector, own, nonce)
            yield selection_hash(hashed, [(write(alpha), write(beta)) for alpha, beta in ciphertexts])

    def _cast_contest(self, ballot: PreEncrypted, number: int, chosen: Sequence[int]) -> PreEncryptedContest:
        group, contest = self.keys.group, self.keys.manifest.contest(number)
        hashed, fields = identifier_hash(self.keys, ballot.identifier), vector_fields(contest)
        count = len(contest.labels())
        nonces, values, products = [mpz(0)] * count, [0] * count, [(mpz(1), mpz(1))] * count
        vectors = []
        for vector in chosen:
            own = fields[vector - 1]
            given, ciphertexts = self._vector(hashed, number, vector, own, ballot.nonce)
            selections = []
            for place, (one, (alpha, beta)) in enumerate(zip(given, ciphertexts, strict=True)):
                value = int(place + 1 == own)
                nonces[place] = (nonces[place] + one) % group.q
                values[place] += value
                products[place] = (products[place][0] * alpha % group.p, products[place][1] * beta % group.p)
                selections.append(self._selection(hashed, number, place, (alpha, beta), one, value, 1))
            code = ballot.short_codes[number][vector - 1]
            vectors.append(ChosenVector(code, ballot.hashes[number][vector - 1], tuple(selections)))
        limits, weights = contest.limits(), contest.weights()
        whole = sum(weight * value for weight, value in zip(weights, values, strict=True))
        if whole > contest.selection_limit:
            raise BallotError(f"contest {contest.label} allows {contest.selection_limit} in all: {whole} were chosen")
        total = tuple(
            self._selection(hashed, number, place, products[place], nonces[place], values[place], limits[place])
            for place in range(count)
        )
        proof = prove_range(
            group,
            hashed,
            small(number),
            group.element_bytes(weighted_product(group, [alpha for alpha, _ in products], weights)),
            group.element_bytes(weighted_product(group, [beta for _, beta in products], weights)),
            sum(weight * one for weight, one in zip(weights, nonces, strict=True)) % group.q,
            commit_range(group, self._g, self._vote, whole, contest.selection_limit, self._random),
        )
        return self._contest(ballot, number, chosen=tuple(vectors), selections=total, proof=proof)

    def _selection(
        self, hashed: bytes, number: int, place: int, pair: Ciphertext, nonce: mpz, value: int, limit: int
    ) -> Selection:
        group = self.keys.group
        alpha, beta = (group.element_bytes(element) for element in pair)
        commitment = commit_range(group, self._g, self._vote, value, limit, self._random)
        return Selection(
            alpha, beta, prove_range(group, hashed, small(number) + small(place + 1), alpha, beta, nonce, commitment)
        )
