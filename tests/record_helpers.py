"""Whole records of encrypted ballots for tests: keys from a ceremony, bundles, decrypted totals, and pre-encrypted ballots."""

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from ballot_helpers import SMALL, every_contest, seeded
from ceremony_helpers import ceremony, decrypt_request
from scrutineer.ballots.bundle import Aggregates, BundleWriter, encode
from scrutineer.ballots.bundle_check import BallotEngine, CheckedLines, HandedLine, one_by_one
from scrutineer.ballots.confirmation import PRE_ENCRYPTED, chain_end, chain_start, device_hash, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.group import Group
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys
from scrutineer.ballots.manifest import FORMAT, Manifest
from scrutineer.ballots.pre_encrypted import PreEncryptor
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot, PreEncryptedHeader
from scrutineer.ballots.record import Ballot, BundleClosing, OpenedBallot
from scrutineer.ballots.record_check import Report, Source, check_record
from scrutineer.ballots.tally_request import TallyRequest, request_of, without_opened

STATUSES = ("cast", "challenged", "cast", "spoiled", "provisional", "cast", "challenged")


@dataclass(frozen=True)
class Record:
    """The files of a record: the keys, and bundles with the tally records that belong to them (empty for none)."""

    keys: bytes
    bundles: tuple[bytes, ...]
    tallies: tuple[bytes, ...]

    def check(self, engine: Callable[[ElectionKeys], BallotEngine] | None = None, group: Group = SMALL) -> Report:
        """Check the whole record."""
        bundles = [Source(f"bundle-{number}", functools.partial(pieces, data)) for number, data in enumerate(self.bundles, 1)]
        tallies = [
            Source(f"tally-{number}", functools.partial(pieces, data)) for number, data in enumerate(self.tallies, 1) if data
        ]
        return check_record(self.keys, bundles, tallies, engine=engine, group=group)

    def write(self, folder: Path) -> None:
        """Write the files into a folder: ballots.json, bundle-1.jsonl ..., tally-1.json ..."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ballots.json").write_bytes(self.keys)
        for number, (bundle, tally) in enumerate(zip(self.bundles, self.tallies, strict=True), 1):
            (folder / f"bundle-{number}.jsonl").write_bytes(bundle)
            if tally:
                (folder / f"tally-{number}.json").write_bytes(tally)

    def with_bundle(self, place: int, bundle: bytes, *, bind: bool = True) -> "Record":
        """The record with another bundle, whose tally record names its hash unless it is not to be bound."""
        tallies = list(self.tallies)
        if bind and tallies[place]:
            tally = msgspec.json.decode(tallies[place])
            tally["bundle"] = msgspec.json.decode(msgspec.json.encode(hashlib.sha256(bundle).digest()))
            tallies[place] = canonical(tally)
        bundles = (*self.bundles[:place], bundle, *self.bundles[place + 1 :])
        return replace(self, bundles=bundles, tallies=tuple(tallies))


def pieces(data: bytes, size: int = 5000) -> Iterator[bytes]:
    """A file in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def canonical(value: Any) -> bytes:
    """JSON in the form of the record."""
    return msgspec.json.encode(value, order="sorted")


class RememberingEngine:
    """An engine that checks equal lines under equal keys once, as mutated records differ in single lines."""

    def __init__(self) -> None:
        self._found: dict[tuple[bytes, bytes], CheckedLines] = {}

    def __call__(self, keys: ElectionKeys) -> BallotEngine:
        exact: list[BallotEngine] = []

        def check(lines: Iterator[HandedLine]) -> Iterator[CheckedLines]:
            for handed in lines:
                place = (keys.extended_hash, handed.line)
                if place not in self._found:
                    if not exact:
                        exact.append(one_by_one(keys, 4))
                    (self._found[place],) = exact[0](iter([handed]))
                known = self._found[place]
                yield known._replace(
                    bundle=handed.bundle, failures=tuple((handed.number, failure) for _, failure in known.failures)
                )

        return check


def sample_choices(manifest: Manifest, style: int, turn: int) -> dict[int, ContestChoice]:
    """Choices that differ from turn to turn, and that add up to the limit in contests that can be exact."""
    choices = {}
    for number in manifest.style(style).contests:
        contest = manifest.contest(number)
        labels, values = contest.labels(), [0] * len(contest.labels())
        options = len(contest.options)
        if turn % 4 == 3 and "*blank" in labels:
            values[labels.index("*blank")] = 1
        elif contest.option_limit > 1:
            values[turn % options] = min(contest.option_limit, contest.selection_limit)
        else:
            used = min(options, 1 + turn % contest.selection_limit)
            for step in range(used):
                values[(turn + step) % options] = 1
            if "*undervotes" in labels:
                values[labels.index("*undervotes")] = contest.selection_limit - used
        data = f"write-in {turn}".encode().ljust(32 * contest.data_blocks, b"\0")[: 32 * contest.data_blocks]
        choices[number] = ContestChoice(tuple(values), data)
    return choices


def make_bundle(
    keys: ElectionKeys, statuses: Sequence[str] = STATUSES, device: str = "0001 a", seed: object = "bundle"
) -> tuple[bytes, list[OpenedBallot]]:
    """A bundle with ballots of these statuses, and the challenged ones opened."""
    encryptor = Encryptor(keys, 4, seeded(seed))
    writer = BundleWriter(keys, device.split()[0], device)
    lines, opened = [writer.header()], []
    for turn, status in enumerate(statuses):
        style = 1 + (turn % 3 == 2) * (len(keys.manifest.styles) > 1)
        choices = sample_choices(keys.manifest, style, turn)
        made = encryptor.encrypt(style, choices, writer.chain)
        ballot = msgspec.structs.replace(made.ballot, status=status)
        if status == "challenged":
            opened.append(open_ballot(keys, ballot, made.nonce, choices))
        lines.append(writer.add(ballot))
    lines.append(writer.close())
    return b"".join(lines), opened


def make_pre_encrypted(
    keys: ElectionKeys, statuses: Sequence[str] = ("cast", "uncast", "cast"), device: str = "press", seed: object = "press"
) -> bytes:
    """A bundle of pre-encrypted ballots."""
    press = PreEncryptor(keys, 4, seeded(seed))
    chain, opening = chain_start(keys, device, PRE_ENCRYPTED)
    header = PreEncryptedHeader(
        FORMAT, keys.extended_hash, "aviary", device, device_hash(keys, device, PRE_ENCRYPTED), chain, opening
    )
    aggregates, ballots, code = Aggregates(keys), [], opening
    for turn, status in enumerate(statuses):
        style = 2 if turn % 2 and len(keys.manifest.styles) > 1 else 1
        blank = press.make(style, next_chain(code))
        ballot = press.cast(blank, vectors_of(keys.manifest, style, turn)) if status == "cast" else press.open(blank)
        if status == "cast":
            for contest in ballot.contests:
                aggregates.add(contest.contest, [(one.alpha, one.beta) for one in contest.selections])
        ballots.append(ballot)
        code = ballot.code
    return close_pre_encrypted(keys, header, ballots, aggregates)


def close_pre_encrypted(
    keys: ElectionKeys, header: PreEncryptedHeader, ballots: Sequence[PreEncryptedBallot], aggregates: Aggregates
) -> bytes:
    """The lines of a bundle of pre-encrypted ballots with its closing."""
    last = ballots[-1].code if ballots else header.opening
    chain, closing = chain_end(keys, last, header.chain, PRE_ENCRYPTED)
    cast = sum(ballot.status == "cast" for ballot in ballots)
    totals = tuple(aggregates.of(number) for number in range(1, len(keys.manifest.contests) + 1))
    end = BundleClosing(cast, len(ballots) - cast, 0, 0, totals, chain, closing)
    return b"".join(encode(line) + b"\n" for line in (header, *ballots, end))


def vectors_of(manifest: Manifest, style: int, turn: int) -> dict[int, list[int]]:
    """Vectors for choices like those of `sample_choices`: for each unit of a field, one of its vectors."""
    chosen = {}
    for number, choice in sample_choices(manifest, style, turn).items():
        vectors, first = [], 1
        for limit, value in zip(manifest.contest(number).limits(), choice.values, strict=True):
            vectors += range(first, first + value)
            first += limit
        chosen[number] = vectors
    return chosen


def pre_encrypted_request(bundle: bytes) -> TallyRequest:
    """What is to be decrypted of a bundle of pre-encrypted ballots: its totals."""
    closing = msgspec.json.decode(bundle.splitlines()[-1], type=BundleClosing)
    digest = hashlib.sha256(bundle).digest()
    return TallyRequest(bundle=digest, station="aviary", device="press", cast=closing.cast, totals=closing.totals)


def make_record(
    manifest: Manifest, group: Group = SMALL, statuses: Sequence[str] = STATUSES, *, press: bool = True, data: bool = True
) -> Record:
    """A record with one station, decrypted by two of three trustees, and pre-encrypted ballots if the manifest has them."""
    record, shares = ceremony(manifest, 3, 2, group)
    keys = election_keys(record, group)
    bundle, opened = make_bundle(keys, statuses)
    bundles, tallies = [bundle], []
    wanted = list(data_of(bundle))[:2] if data else []
    request = without_opened(keys, request_of(keys, bundle.splitlines(keepends=True), "bundle", wanted), opened)
    tallies.append(decrypt_request(keys, record, shares[:2], request, opened).encode())
    if press and manifest.trimming:
        bundles.append(make_pre_encrypted(keys))
        tallies.append(decrypt_request(keys, record, shares[1:], pre_encrypted_request(bundles[1])).encode())
    return Record(record.encode(), tuple(bundles), tuple(tallies))


def decrypted(bundle: bytes) -> bytes:
    """The tally record of another bundle under the keys of `sample_record`, without openings."""
    record, shares = ceremony(msgspec.structs.replace(every_contest(), trimming=2), 3, 2)
    keys = election_keys(record, SMALL)
    request = request_of(keys, bundle.splitlines(keepends=True), "bundle")
    return decrypt_request(keys, record, shares[:2], request).encode()


def data_of(bundle: bytes) -> Iterable[tuple[bytes, int]]:
    """Confirmation codes and contests of the cast ballots that have contest data."""
    for line in bundle.splitlines()[1:-1]:
        ballot = msgspec.json.decode(line, type=Ballot)
        if ballot.status == "cast":
            yield from ((ballot.code, contest.contest) for contest in ballot.contests if contest.data is not None)


@functools.cache
def sample_record() -> Record:
    """A record with everything: every kind of contest, every status, openings, contest data, and pre-encrypted ballots."""
    return make_record(msgspec.structs.replace(every_contest(), trimming=2))


def keys_of(record: Record) -> tuple[KeyRecord, ElectionKeys]:
    """The keys of a record in the group of tests."""
    keys = msgspec.json.decode(record.keys, type=KeyRecord)
    return keys, election_keys(keys, SMALL)
