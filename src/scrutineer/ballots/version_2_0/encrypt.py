"""Encrypting a ballot under ElectionGuard 2.0.0, with the group arithmetic and range proofs of every ballot.

Design Specification 2.0.0, sections 3.3 and 3.4. 2.0.0 knows options alone: no supplemental fields, and no weights.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.hashing import HASH_SIZE, challenge, small
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.proofs import RangeCommitment, commit_range, respond_range, weighted_product
from scrutineer.ballots.tables import DEVICE_WINDOW, fixed_base
from scrutineer.ballots.version_2_0.contest_data import DataPlace, SealedData, seal_data
from scrutineer.ballots.version_2_0.hashes import Dialect, Use20, confirmation_code, contest_hash
from scrutineer.ballots.version_2_0.keys import Keys20
from scrutineer.errors import BallotError

DATA_SIZE: Final = 2 * HASH_SIZE
"""Bytes of contest data: all are as long, so that their length tells nothing."""


class Ciphertext(NamedTuple):
    """(alpha, beta)."""

    alpha: bytes
    beta: bytes


@dataclass(frozen=True)
class EncryptedContest:
    """One contest of a ballot: a ciphertext and range proof for each option, and the proof for their sum."""

    number: int
    options: tuple[Ciphertext, ...]
    proofs: tuple[bytes, ...]
    """c_0 ... c_R, v_0 ... v_R for each option."""
    limit_proof: bytes
    data: SealedData
    hash: bytes


@dataclass(frozen=True)
class EncryptedBallot:
    """A ballot as it is published."""

    style: int
    contests: tuple[EncryptedContest, ...]
    auxiliary: bytes
    """B_aux."""
    code: bytes
    """H(B), the confirmation code."""


class Encryptor20:
    """Encrypts ballots for one 2.0.0 election."""

    def __init__(self, keys: Keys20, dialect: Dialect, random: RandomBytes = secrets.token_bytes, window: int = DEVICE_WINDOW):
        self.keys: Final = keys
        self._dialect: Final = dialect
        self._random: Final = random
        self._g: Final = fixed_base(keys.group, keys.group.g, window).power
        self._key: Final = fixed_base(keys.group, keys.vote_key, window).power

    def encrypt(self, style: int, choices: Mapping[int, Sequence[int]], auxiliary: bytes) -> EncryptedBallot:
        """Encrypt one value for each option of each contest of a style. Raises BallotError for choices it does not admit."""
        listed = self.keys.manifest.style(style).contests
        if set(choices) != set(listed):
            raise BallotError(f"ballot style {style} has the contests {listed}: give choices for each of them")
        nonce = self._random(HASH_SIZE)
        contests = tuple(self._contest(number, tuple(choices[number]), nonce) for number in listed)
        code = confirmation_code(self.keys.extended_hash, (each.hash for each in contests), auxiliary, self._dialect)
        return EncryptedBallot(style, contests, auxiliary, code)

    def _contest(self, number: int, values: tuple[int, ...], ballot_nonce: bytes) -> EncryptedContest:
        keys, contest = self.keys, self.keys.manifest.contest(number)
        group = keys.group
        _check(contest, values)
        options, proofs, nonces, elements = [], [], [], []
        for option, value in enumerate(values, 1):
            nonce = option_nonce(group, keys.extended_hash, ballot_nonce, number, option)
            alpha, beta = self._g(nonce), self._key(nonce + value)
            commitment = commit_range(group, self._g, self._key, value, contest.option_limit, self._random)
            ciphertext = Ciphertext(group.element_bytes(alpha), group.element_bytes(beta))
            options.append(ciphertext)
            proofs.append(prove(group, keys.extended_hash, keys.key_bytes, ciphertext, nonce, commitment))
            nonces.append(nonce)
            elements.append((alpha, beta))
        ones = (1,) * len(values)
        whole = Ciphertext(*(group.element_bytes(weighted_product(group, each, ones)) for each in zip(*elements, strict=True)))
        commitment = commit_range(group, self._g, self._key, sum(values), contest.selection_limit, self._random)
        limit_proof = prove(group, keys.extended_hash, keys.key_bytes, whole, sum(nonces, mpz(0)) % group.q, commitment)
        place = self.data_place(number)
        hidden = place.nonce(group, ballot_nonce)
        sealed = seal_data(
            place, data_text(contest, values), group.element_bytes(self._g(hidden)), group.element_bytes(self._key(hidden))
        )
        hashed = contest_hash(keys.extended_hash, keys.key_bytes, number, [part for each in options for part in each])
        return EncryptedContest(number, tuple(options), tuple(proofs), limit_proof, sealed, hashed)

    def data_place(self, contest: int) -> DataPlace:
        """Where the data of a contest are bound to."""
        label = self.keys.manifest.contest(contest).label
        return DataPlace(self.keys.extended_hash, self.keys.key_bytes, contest, label, self._dialect)


def option_nonce(group: Group, extended: bytes, ballot_nonce: bytes, contest: int, option: int) -> mpz:
    """xi_i,j (equation 25)."""
    return challenge(group, extended, Use20.NONCE, ballot_nonce, small(contest), small(option))


def prove(group: Group, extended: bytes, key: bytes, ciphertext: Ciphertext, nonce: mpz, commitment: RangeCommitment) -> bytes:
    """A range proof c_0 ... c_R, v_0 ... v_R (equations 45 to 48, and 56 for the sum of a contest)."""
    return respond_range(
        group, commitment, nonce, challenge(group, extended, Use20.RANGE_PROOF, key, *ciphertext, commitment.points)
    )


def data_status(contest: ManifestContest, values: Sequence[int]) -> str:
    """How a contest was voted, in the words of the implementation whose layout is written."""
    used = sum(values)
    return "normal" if used == contest.selection_limit else "under_vote" if used else "null_vote"


def data_text(contest: ManifestContest, values: Sequence[int]) -> bytes:
    """The contest data of a ballot without write-ins, filled up with spaces."""
    text = msgspec.json.encode({"over_votes": [], "write_ins": [], "status": data_status(contest, values)})
    return text.ljust(DATA_SIZE)


def _check(contest: ManifestContest, values: tuple[int, ...]) -> None:
    if len(values) != len(contest.options):
        raise BallotError(f"contest {contest.label} has {len(contest.options)} options: {len(values)} values were given")
    if not all(0 <= value <= contest.option_limit for value in values) or sum(values) > contest.selection_limit:
        raise BallotError(f"the choices in contest {contest.label} exceed its limits: nothing was encrypted")
