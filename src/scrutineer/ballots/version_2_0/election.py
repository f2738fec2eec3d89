"""A whole test election under ElectionGuard 2.0.0, from new guardians to proved totals, as the files of its record.

The ballots are a lot that a seed decides, so that anyone can draw it again and compare the totals. One program knows all secrets
and forgets them: nothing in such a record says anything about a real vote.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.group import STANDARD, Group, RandomBytes
from scrutineer.ballots.manifest import Manifest, ManifestContest
from scrutineer.ballots.version_2_0 import layout
from scrutineer.ballots.version_2_0.decrypt import Decryptor20
from scrutineer.ballots.version_2_0.encrypt import Ciphertext, EncryptedBallot, Encryptor20
from scrutineer.ballots.version_2_0.hashes import Dialect, chain_link, closing_hash, confirmation_code
from scrutineer.ballots.version_2_0.keys import Keys20, make_guardians
from scrutineer.errors import BallotError

Choices = dict[int, tuple[int, ...]]
"""The values of all options, by contest number."""
Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""

MAX_BALLOTS: Final = 100_000
CHALLENGED_EACH: Final = 5
"""Every fifth ballot is challenged: verifications 12 to 14 see some, and the totals leave them out."""


@dataclass(frozen=True)
class TestElection:
    """What is to be exported."""

    __test__ = False

    manifest: Manifest
    """The contests, which `fit_manifest` makes fit 2.0.0."""
    ballots: int
    seed: str
    guardians: int = 3
    quorum: int = 2
    dialect: Dialect = Dialect.EGK
    device: str = "device-1"

    def __post_init__(self) -> None:
        if not 1 <= self.ballots <= MAX_BALLOTS:
            raise BallotError(f"a test election has 1 to {MAX_BALLOTS} ballots: {self.ballots} were asked for")
        object.__setattr__(self, "manifest", fit_manifest(self.manifest, self.dialect))


def fit_manifest(manifest: Manifest, dialect: Dialect) -> Manifest:
    """The contests as 2.0.0 knows them: options alone, and none that a ballot may give more than the whole contest.

    The reader of the egk layout takes no contest with more choices than options, whose limit is therefore lowered for it.
    """

    def fitted(contest: ManifestContest) -> ManifestContest:
        most = len(contest.options) if dialect is Dialect.EGK else contest.selection_limit
        limit = min(contest.selection_limit, most)
        return ManifestContest(contest.label, contest.options, limit, min(contest.option_limit, limit), orders=contest.orders)

    return msgspec.structs.replace(manifest, contests=tuple(map(fitted, manifest.contests)), parties=(), trimming=0)


def draw_ballot(manifest: Manifest, seed: str, number: int) -> tuple[int, Choices]:
    """The style and choices of the ballot of that number, from 1: within the limits, some of them blank or voted in part."""
    drawn = iter(hashlib.shake_256(f"{seed}/{number}".encode()).digest(1 << 15))

    def below(bound: int) -> int:
        return int.from_bytes((next(drawn), next(drawn), next(drawn)), "big") % bound

    style = 1 + below(len(manifest.styles))
    choices: Choices = {}
    for contest_number in manifest.style(style).contests:
        contest = manifest.contest(contest_number)
        values = [0] * len(contest.options)
        for _ in range(contest.selection_limit if below(8) else 0):
            option = below(len(values))
            if values[option] < contest.option_limit:
                values[option] += 1
        choices[contest_number] = tuple(values)
    return style, choices


def count_lot(election: TestElection) -> dict[int, tuple[int, ...]]:
    """The totals of the cast ballots of the lot, by contest number: what the decrypted tally has to say."""
    totals: dict[int, tuple[int, ...]] = {}
    for number in range(1, election.ballots + 1):
        if not _challenged(number):
            for contest, values in draw_ballot(election.manifest, election.seed, number)[1].items():
                before = totals.get(contest, (0,) * len(values))
                totals[contest] = tuple(old + new for old, new in zip(before, values, strict=True))
    return dict(sorted(totals.items()))


def export_election(
    election: TestElection,
    group: Group = STANDARD,
    random: RandomBytes = secrets.token_bytes,
    progress: Progress = lambda _what, _done, _total: None,
) -> Iterator[tuple[str, bytes]]:
    """The files of the record, one after the other: path within the record's folder, and bytes.

    Raises BallotError where the guardians' numbers cannot be, or where a decrypted total is not that of the lot.
    """
    document = layout.encode(layout.manifest_json(election.manifest))
    guardians, shares = make_guardians(group, election.guardians, election.quorum, random)
    keys = Keys20(group, election.manifest, document, guardians, election.quorum)
    yield layout.CONSTANTS, layout.encode(layout.constants_json(group))
    yield layout.MANIFEST, document
    yield layout.CONFIG, layout.encode(layout.config_json(keys, election.dialect.value))
    yield layout.INITIALIZED, layout.encode(layout.initialized_json(keys))
    encryptor = Encryptor20(keys, election.dialect, random)
    # The last guardians decrypt, so that Lagrange coefficients are not those of the first ones.
    decryptor = Decryptor20(keys, shares[-election.quorum :], random)
    sums, names = _Sums(group), []
    device = election.device.encode()
    code = confirmation_code(keys.extended_hash, (), device, election.dialect)
    for number in range(1, election.ballots + 1):
        style, choices = draw_ballot(election.manifest, election.seed, number)
        ballot = encryptor.encrypt(style, choices, chain_link(code, device))
        name, code = f"ballot-{number}", ballot.code
        names.append(name)
        challenged = _challenged(number)
        shown = layout.ballot_json(keys, ballot, name, election.device, challenged=challenged)
        yield layout.ballot_path(election.device, name), layout.encode(shown)
        if challenged:
            yield layout.opened_path(name), layout.encode(_opened(keys, encryptor, decryptor, ballot, name))
        else:
            sums.add(name, ballot)
        progress("Encrypting ballots", number, election.ballots)
    closing = closing_hash(keys.extended_hash, code, device, election.dialect)
    chain = layout.chain_json(keys, election.device, names, code, closing)
    yield layout.chain_path(election.device), layout.encode(chain)
    totals = sums.ciphertexts()
    yield layout.ENCRYPTED_TALLY, layout.encode(layout.encrypted_tally_json(keys, totals, sums.counts, sums.names))
    found = {}
    for done, (number, own) in enumerate(totals.items(), 1):
        bound = sums.counts[number] * election.manifest.contest(number).option_limit
        found[number] = [(ciphertext, decryptor.option(ciphertext, bound)) for ciphertext in own]
        progress("Decrypting contests", done, len(totals))
    if {number: tuple(each.value for _, each in own) for number, own in found.items()} != count_lot(election):
        raise BallotError("the decrypted totals are not those of the ballots: do not use this record")
    yield layout.TALLY, layout.encode(layout.decrypted_json(keys, "tally", found, sums.counts, {}))


@dataclass
class _Sums:
    """The products of all cast ballots."""

    group: Group
    names: list[str] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    _products: dict[int, list[tuple[mpz, mpz]]] = field(default_factory=dict)

    def add(self, name: str, ballot: EncryptedBallot) -> None:
        self.names.append(name)
        group = self.group
        for contest in ballot.contests:
            before = self._products.get(contest.number, [(mpz(1), mpz(1))] * len(contest.options))
            self._products[contest.number] = [
                (a * group.element(option.alpha) % group.p, b * group.element(option.beta) % group.p)
                for (a, b), option in zip(before, contest.options, strict=True)
            ]
            self.counts[contest.number] = self.counts.get(contest.number, 0) + 1

    def ciphertexts(self) -> dict[int, tuple[Ciphertext, ...]]:
        return {
            number: tuple(Ciphertext(self.group.element_bytes(a), self.group.element_bytes(b)) for a, b in own)
            for number, own in sorted(self._products.items())
        }


def _challenged(number: int) -> bool:
    return number % CHALLENGED_EACH == 0


def _opened(keys: Keys20, encryptor: Encryptor20, decryptor: Decryptor20, ballot: EncryptedBallot, name: str) -> layout.Json:
    contests, data = {}, {}
    for contest in ballot.contests:
        bound = keys.manifest.contest(contest.number).option_limit
        contests[contest.number] = [(option, decryptor.option(option, bound)) for option in contest.options]
        data[contest.number] = contest.data, decryptor.contest_data(encryptor.data_place(contest.number), contest.data)
    return layout.decrypted_json(keys, name, contests, dict.fromkeys(contests, 1), data)
