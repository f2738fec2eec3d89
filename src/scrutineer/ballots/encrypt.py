"""Encrypting a ballot with its proofs, and opening a challenged one.

ElectionGuard Design Specification 2.1.0, sections 3.3 and 3.6.7. A ballot comes from fresh random numbers, or from a pad that was
drawn before the voter had chosen (pads.py); the outcome is the same, and cannot be told apart.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gmpy2 import mpz

from scrutineer.ballots.confirmation import confirmation_code, contest_hash
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.hashing import HASH_SIZE, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.nonces import data_nonce, field_nonce, identifier_hash
from scrutineer.ballots.pads import (
    BallotSource,
    ContestSource,
    ElectionTables,
    Pad,
    Pause,
    Settled,
    draw_pad,
    seal_nonce,
)
from scrutineer.ballots.proofs import RangeCommitment, commit_range, data_envelope, prove_range, seal, unseal, weighted_product
from scrutineer.ballots.record import (
    CHAIN_SIZE,
    SIMPLE_CHAINING,
    Ballot,
    BallotContest,
    OpenedBallot,
    OpenedContest,
    OpenedField,
    Sealed,
    Selection,
)
from scrutineer.ballots.tables import DEVICE_WINDOW, Progress, fixed_base
from scrutineer.errors import BallotError


@dataclass(frozen=True)
class ContestChoice:
    """What is encrypted of one contest."""

    values: tuple[int, ...]
    """One for each verifiable field, in the order of the manifest: options, then supplemental fields."""
    data: bytes = b""
    """Contest data, padded by the caller to 32 bytes for each of the contest's `data_blocks`."""


@dataclass(frozen=True)
class Encrypted:
    """An encrypted ballot and the secret that opens it."""

    ballot: Ballot
    nonce: bytes = field(repr=False)
    """xi_B, the ballot nonce: 32 bytes. It must be forgotten when the ballot is cast."""
    points: bytes = field(default=b"", repr=False)
    """The commitments of the range proofs, for `sidecar.with_points`. They say nothing that the ballot does not: anyone can
    compute them from it."""


class Encryptor:
    """Encrypts ballots for one election."""

    def __init__(self, keys: ElectionKeys, window: int = DEVICE_WINDOW, random: RandomBytes = secrets.token_bytes) -> None:
        """With tables of that window (tables.py), which are built by `build` or with the first ballot."""
        self.keys: Final = keys
        self.tables: Final = ElectionTables(keys, window)
        self._random: Final = random

    def build(self, progress: Progress | None = None) -> None:
        """Build the tables now: 0.2 s with window 8, 1 s with 12, 10 s with 16. `progress` is told rows done and rows in all."""
        self.tables.build(progress)

    def pad(self, style: int, pause: Pause | None = None) -> Pad:
        """A pad for a ballot of a style, to be made while nobody waits; `pause` is called every few milliseconds.

        Raises BallotError for an unknown style.
        """
        return draw_pad(self.keys, self.tables, style, self._random, pause)

    def encrypt(self, style: int, choices: Mapping[int, ContestChoice], chain: bytes, pad: Pad | None = None) -> Encrypted:
        """Encrypt the choices of one voter, by contest number, as the next ballot of a chain; its status is `cast`.

        Raises BallotError for choices that the manifest does not admit, and for a pad that was used or is for other ballots.
        """
        check_choices(self.keys, style, choices)
        if len(chain) != CHAIN_SIZE or not chain.startswith(SIMPLE_CHAINING):
            raise BallotError(f"a chaining field has {CHAIN_SIZE} bytes and begins with the mode of simple chaining")
        source: BallotSource
        if pad is None:
            source = _Fresh(self.keys, self.tables, self._random)
        elif (pad.extended_hash, pad.style) != (self.keys.extended_hash, style):
            raise BallotError("this pad is for another election or ballot style: take one that was made for this ballot")
        else:
            source = pad.take()
        hashed = source.identifier_hash
        points: list[bytes] = []
        contests = tuple(
            self._contest(number, choices[number], source.contest(number), hashed, points) for number in sorted(choices)
        )
        code = confirmation_code(hashed, [contest.hash for contest in contests], chain)
        ballot = Ballot(source.identifier, hashed, style, contests, source.sealed, chain, code, "cast")
        return Encrypted(ballot, source.nonce, b"".join(points))

    def _contest(
        self, number: int, choice: ContestChoice, source: ContestSource, hashed: bytes, points: list[bytes]
    ) -> BallotContest:
        group, contest = self.keys.group, self.keys.manifest.contest(number)
        place, weights = small(number), contest.weights()
        selections, settled = [], []
        for index, value in enumerate(choice.values):
            one = source.field(index, value)
            alpha, beta = group.element_bytes(one.alpha), group.element_bytes(one.beta)
            proof = prove_range(group, hashed, place + small(index + 1), alpha, beta, one.nonce, one.commitment)
            selections.append(Selection(alpha, beta, proof))
            settled.append(one)
            points.append(one.commitment.points)
        alpha_bar = weighted_product(group, [one.alpha for one in settled], weights)
        beta_bar = weighted_product(group, [one.beta for one in settled], weights)
        limit = source.limit(weighted_sum(contest, choice))
        points.append(limit.points)
        proof = prove_range(
            group,
            hashed,
            place,
            group.element_bytes(alpha_bar),
            group.element_bytes(beta_bar),
            sum(weight * one.nonce for weight, one in zip(weights, settled, strict=True)) % group.q,
            limit,
        )
        data = source.seal(choice.data) if contest.data_blocks else None
        return BallotContest(number, tuple(selections), proof, contest_hash(hashed, number, selections, data), data)


class _Fresh:
    """A ballot's numbers, drawn when they are needed."""

    def __init__(self, keys: ElectionKeys, tables: ElectionTables, random: RandomBytes) -> None:
        self._keys, self._tables, self._random = keys, tables, random
        self.identifier, self.nonce = random(HASH_SIZE), random(HASH_SIZE)
        self.identifier_hash = identifier_hash(keys, self.identifier)
        self.sealed = seal_nonce(keys, tables, self.identifier_hash, self.nonce, random)

    def contest(self, number: int) -> "_FreshContest":
        return _FreshContest(self._keys, self._tables, self._random, self.identifier_hash, number, self.nonce)


@dataclass(frozen=True, repr=False)
class _FreshContest:
    keys: ElectionKeys
    tables: ElectionTables
    random: RandomBytes
    hashed: bytes
    number: int
    nonce: bytes

    def field(self, place: int, value: int) -> Settled:
        group, g, key = self.keys.group, self.tables.g.power, self.tables.vote.power
        nonce = field_nonce(group, self.hashed, self.number, place + 1, self.nonce)
        limit = self.keys.manifest.contest(self.number).limits()[place]
        return Settled(nonce, g(nonce), key(nonce + value), commit_range(group, g, key, value, limit, self.random))

    def limit(self, value: int) -> RangeCommitment:
        limit = self.keys.manifest.contest(self.number).selection_limit
        return commit_range(self.keys.group, self.tables.g.power, self.tables.vote.power, value, limit, self.random)

    def seal(self, data: bytes) -> Sealed:
        group = self.keys.group
        nonce = data_nonce(group, self.hashed, self.number, self.nonce)
        envelope = data_envelope(self.hashed, self.number)
        return seal(group, self.tables.g.power, self.tables.data.power, envelope, data, nonce, self.random)


def weighted_sum(contest: ManifestContest, choice: ContestChoice) -> int:
    """What a choice counts against the selection limit."""
    return sum(weight * value for weight, value in zip(contest.weights(), choice.values, strict=True))


def check_choices(keys: ElectionKeys, style: int, choices: Mapping[int, ContestChoice]) -> None:
    """Raise BallotError unless the choices can be encrypted as a ballot of that style."""
    expected = keys.manifest.style(style)
    if set(choices) != set(expected.contests):
        wanted = ", ".join(map(str, expected.contests))
        given = ", ".join(map(str, sorted(choices))) or "none"
        raise BallotError(f"a ballot of style {expected.label} has the contests {wanted}: {given} were given")
    for number in expected.contests:
        _check_choice(keys.manifest.contest(number), choices[number])


def _check_choice(contest: ManifestContest, choice: ContestChoice) -> None:
    labels, limits = contest.labels(), contest.limits()
    if len(choice.values) != len(limits):
        raise BallotError(f"contest {contest.label} has {len(limits)} fields: {len(choice.values)} values were given")
    for label, value, limit in zip(labels, choice.values, limits, strict=True):
        if not 0 <= value <= limit:
            raise BallotError(f"contest {contest.label}, field {label}: the value is 0 to {limit}, and {value} was given")
    total, limit = weighted_sum(contest, choice), contest.selection_limit
    if total > limit:
        raise BallotError(f"contest {contest.label} allows {limit} in all: {total} were given; warn the voter before encrypting")
    if len(choice.data) != contest.data_blocks * HASH_SIZE:
        raise BallotError(
            f"contest {contest.label} has {contest.data_blocks * HASH_SIZE} bytes of contest data: {len(choice.data)} were given"
        )


def read_choices(keys: ElectionKeys, ballot: Ballot, nonce: bytes) -> dict[int, ContestChoice]:
    """What a ballot holds, read with its ballot nonce.

    Raises BallotError where the nonce is not this ballot's, or a field holds no value that the manifest admits.
    """
    group, hashed = keys.group, identifier_hash(keys, ballot.identifier)
    g, key, data_key = (fixed_base(group, base).power for base in (group.g, keys.vote_key, keys.data_key))
    choices = {}
    for contest in ballot.contests:
        form, values = keys.manifest.contest(contest.contest), []
        if len(contest.selections) != len(form.limits()):
            raise BallotError(f"ballot {ballot.code.hex()[:8]}… has not all the fields of contest {form.label}: it is not whole")
        for place, (selection, limit) in enumerate(zip(contest.selections, form.limits(), strict=True), 1):
            own = field_nonce(group, hashed, contest.contest, place, nonce)
            where = f"ballot {ballot.code.hex()[:8]}…, contest {form.label}, field {form.labels()[place - 1]}"
            if group.element_bytes(g(own)) != selection.alpha:
                raise BallotError(f"{where}: this ballot nonce does not open it; it belongs to another ballot")
            value = _value(keys, group.element(selection.beta), key(own), limit)
            if value is None:
                raise BallotError(f"{where}: what is encrypted is not a value of 0 to {limit}")
            values.append(value)
        data = b""
        if contest.data is not None:
            own = data_nonce(group, hashed, contest.contest, nonce)
            data = unseal(group, data_envelope(hashed, contest.contest), contest.data, data_key(own))
        choices[contest.contest] = ContestChoice(tuple(values), data)
    return choices


def _value(keys: ElectionKeys, beta: mpz, zero: mpz, limit: int) -> int | None:
    """The value of a field whose encryption of 0 has `zero` for its beta."""
    for value in range(limit + 1):
        if zero == beta:
            return value
        zero = zero * keys.vote_key % keys.group.p
    return None


def open_ballot(
    keys: ElectionKeys, ballot: Ballot, nonce: bytes, choices: Mapping[int, ContestChoice] | None = None
) -> OpenedBallot:
    """Open a challenged ballot: its values, and the nonces by which everyone can check them (section 3.6.7).

    The values are read from the ballot itself. Raises BallotError where they are not the choices that the voter made, or the
    nonce is not this ballot's: such a machine must be taken out of service, and the ballot not be cast.
    """
    found = read_choices(keys, ballot, nonce)
    if choices is not None and found != dict(choices):
        raise BallotError(
            f"ballot {ballot.code.hex()[:8]}… does not hold what the voter chose: take this machine out of service and report it"
        )
    group, hashed = keys.group, identifier_hash(keys, ballot.identifier)
    contests = []
    for number, choice in found.items():
        contest = keys.manifest.contest(number)
        fields = tuple(
            OpenedField(label, value, group.scalar_bytes(field_nonce(group, hashed, number, place, nonce)))
            for place, (label, value) in enumerate(zip(contest.labels(), choice.values, strict=True), 1)
        )
        secret = group.scalar_bytes(data_nonce(group, hashed, number, nonce)) if choice.data else b""
        contests.append(OpenedContest(contest.label, fields, choice.data, secret))
    return OpenedBallot(ballot.code, tuple(contests))
