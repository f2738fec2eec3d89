"""Pads: all of an encrypted ballot that can be computed before the voter has chosen.

Identifier, ballot nonce and random numbers do not depend on the choices, so every power of g and of the keys is computed
beforehand. What is left when the voter is done are hashes and multiplications: a few milliseconds instead of a power for every
number of the ballot. The ciphertexts of the values of a field are a multiplication by K apart, and so are its commitments.

A pad is used once: with two ballots from one pad anyone could read both. It gives up its parts to the first who takes them, lives
in one process, and refuses to be copied or written anywhere.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn, Protocol

from gmpy2 import mpz

from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.hashing import HASH_SIZE
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import ManifestContest
from scrutineer.ballots.nonces import data_nonce, field_nonce, identifier_hash
from scrutineer.ballots.proofs import (
    PreparedRange,
    PreparedSeal,
    RangeCommitment,
    data_envelope,
    nonce_envelope,
    prepare_range,
    prepare_seal,
    seal,
)
from scrutineer.ballots.record import Sealed
from scrutineer.ballots.tables import DEVICE_WINDOW, FixedBase, Progress, fixed_base
from scrutineer.errors import BallotError


class ElectionTables:
    """The tables that encrypting needs: for g, K and, as it is used once or twice a ballot, a small one for K-hat."""

    def __init__(self, keys: ElectionKeys, window: int = DEVICE_WINDOW) -> None:
        self.g: Final[FixedBase] = fixed_base(keys.group, keys.group.g, window)
        self.vote: Final[FixedBase] = fixed_base(keys.group, keys.vote_key, window)
        self.data: Final[FixedBase] = fixed_base(keys.group, keys.data_key, min(window, DEVICE_WINDOW))

    def build(self, progress: Progress | None = None) -> None:
        """Compute the tables that are not there yet. `progress` is told rows done and rows in all."""
        tables = (self.g, self.vote, self.data)
        whole, before = sum(table.rows for table in tables), 0
        for table in tables:
            table.build(None if progress is None else _shifted(progress, before, whole))
            before += table.rows
        if progress is not None:
            progress(whole, whole)  # also where the tables were there


def _shifted(progress: Progress, before: int, whole: int) -> Progress:
    """Progress of a part that begins after `before` of the whole."""
    return lambda done, _: progress(before + done, whole)


Pause = Callable[[], None]
"""Called between the parts of long work, so that work in a thread can stand aside while a voter waits."""


def _no_pause() -> None:
    pass


class Settled(NamedTuple):
    """One encrypted field, committed to but not yet proved."""

    nonce: mpz
    alpha: mpz
    beta: mpz
    commitment: RangeCommitment


class ContestSource(Protocol):
    """Where encrypting gets the numbers of one contest from: a pad, or fresh ones."""

    def field(self, place: int, value: int) -> Settled:
        """The field at a place, counted from 0, encrypting a value."""

    def limit(self, value: int) -> RangeCommitment:
        """The commitment of the limit proof for a weighted sum."""

    def seal(self, data: bytes) -> Sealed:
        """The contest data, sealed."""


class BallotSource(Protocol):
    """Where encrypting gets the numbers of one ballot from."""

    @property
    def identifier(self) -> bytes:
        """id_B."""

    @property
    def identifier_hash(self) -> bytes:
        """H_I."""

    @property
    def nonce(self) -> bytes:
        """The ballot nonce."""

    @property
    def sealed(self) -> Sealed:
        """The encrypted ballot nonce."""

    def contest(self, number: int) -> ContestSource:
        """The source for a contest."""


class OpenField(NamedTuple):
    """A field without a value."""

    nonce: mpz
    alpha: mpz
    before: mpz
    """K^(xi - 1), so that the value 0 costs a multiplication like any other."""
    proof: PreparedRange


@dataclass(frozen=True, repr=False)
class OpenContest:
    """A contest without choices."""

    group: Group
    steps: tuple[mpz, ...]
    """K, K^2 ...: what turns `before` into beta, by the value."""
    fields: tuple[OpenField, ...]
    bound: PreparedRange
    data: PreparedSeal | None

    def field(self, place: int, value: int) -> Settled:
        """Encrypt a value: one multiplication, and those of its commitment."""
        field = self.fields[place]
        beta = field.before * self.steps[value] % self.group.p
        return Settled(field.nonce, field.alpha, beta, field.proof.settle(value))

    def limit(self, value: int) -> RangeCommitment:
        """Commit to the weighted sum."""
        return self.bound.settle(value)

    def seal(self, data: bytes) -> Sealed:
        """Seal the contest data."""
        if self.data is None:
            raise BallotError("this contest has no contest data")
        return self.data.seal(data)


@dataclass(frozen=True, repr=False)
class PadParts:
    """What a pad holds."""

    identifier: bytes
    identifier_hash: bytes
    nonce: bytes
    sealed: Sealed
    contests: dict[int, OpenContest]

    def contest(self, number: int) -> OpenContest:
        """The prepared contest of a number."""
        return self.contests[number]


class Pad:
    """A ballot of one style without choices, to be used once, by the process that made it."""

    def __init__(self, extended_hash: bytes, style: int, parts: PadParts) -> None:
        """For the election of that H_E and the ballot style of that number."""
        self.extended_hash: Final = extended_hash
        self.style: Final = style
        self._parts: Final = [parts]
        self._process: Final = os.getpid()

    @property
    def used(self) -> bool:
        """Whether the parts were taken."""
        return not self._parts

    def take(self) -> PadParts:
        """The parts, the first time. Raises BallotError ever after, and in any other process than the pad's own."""
        if os.getpid() != self._process:
            raise BallotError("a pad was carried into another process: make a new one there, a pad serves one ballot only")
        try:
            return self._parts.pop()  # at once, so that of two threads one gets them
        except IndexError:
            raise BallotError("this pad was used for a ballot already: make a new one, a pad serves one ballot only") from None

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise BallotError("a pad cannot be copied or written: with two ballots from one pad anyone could read both")


def draw_pad(keys: ElectionKeys, tables: ElectionTables, style: int, random: RandomBytes, pause: Pause | None = None) -> Pad:
    """Make a pad for a ballot style. `pause` is called before every part, a few milliseconds apart.

    Raises BallotError for a style that the manifest does not have, and whatever `pause` raises.
    """
    pause = pause or _no_pause
    pause()
    numbers = keys.manifest.style(style).contests
    identifier, nonce = random(HASH_SIZE), random(HASH_SIZE)
    hashed = identifier_hash(keys, identifier)
    sealed = seal_nonce(keys, tables, hashed, nonce, random)
    contests = {
        number: _draw_contest(keys, tables, number, keys.manifest.contest(number), hashed, nonce, random, pause)
        for number in numbers
    }
    return Pad(keys.extended_hash, style, PadParts(identifier, hashed, nonce, sealed, contests))


def seal_nonce(keys: ElectionKeys, tables: ElectionTables, hashed_identifier: bytes, nonce: bytes, random: RandomBytes) -> Sealed:
    """The encrypted ballot nonce (section 3.3.4)."""
    group = keys.group
    envelope = nonce_envelope(hashed_identifier)
    return seal(group, tables.g.power, tables.data.power, envelope, nonce, group.random_scalar(random), random)


def _draw_contest(
    keys: ElectionKeys,
    tables: ElectionTables,
    number: int,
    contest: ManifestContest,
    hashed: bytes,
    nonce: bytes,
    random: RandomBytes,
    pause: Pause,
) -> OpenContest:
    group, g, key = keys.group, tables.g.power, tables.vote.power
    fields = []
    for field, limit in enumerate(contest.limits(), 1):
        pause()
        own = field_nonce(group, hashed, number, field, nonce)
        fields.append(OpenField(own, g(own), key(own - 1), prepare_range(group, g, key, limit, random)))
    steps = [keys.vote_key]
    for _ in range(max(contest.limits())):
        steps.append(steps[-1] * keys.vote_key % group.p)
    data = None
    if contest.data_blocks:
        size, envelope = contest.data_blocks * HASH_SIZE, data_envelope(hashed, number)
        own = data_nonce(group, hashed, number, nonce)
        data = prepare_seal(group, g, tables.data.power, envelope, size, own, random)
    pause()
    bound = prepare_range(group, g, key, contest.selection_limit, random)
    return OpenContest(group, tuple(steps), tuple(fields), bound, data)
