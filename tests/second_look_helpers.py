"""What the tests of the second verifier share: its package on the path, and records of encrypted ballots of every kind."""

import functools
import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ballot_helpers import SMALL, every_contest, seeded
from ceremony_helpers import ceremony, decrypt, decrypt_request
from scrutineer.ballots.bundle import Aggregates, BundleWriter
from scrutineer.ballots.confirmation import PRE_ENCRYPTED, chain_end, chain_start, device_hash, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.pre_encrypted import PreEncryptor, vector_fields
from scrutineer.ballots.pre_encrypted_record import PreEncryptedHeader
from scrutineer.ballots.record import BundleClosing
from scrutineer.ballots.tally_request import TallyRequest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "verifier" / "src"
if str(SOURCE) not in sys.path:
    sys.path.insert(0, str(SOURCE))

from second_look import ballots  # noqa: E402 - the package is not installed here
from second_look.report import Report  # noqa: E402

SMALL_GROUP = ballots.Group(int(SMALL.p), int(SMALL.q), int(SMALL.g))


@dataclass(frozen=True)
class Record:
    """A record of encrypted ballots: the keys' file, and bundles by name with their tally records."""

    keys: bytes
    bundles: dict[str, tuple[bytes, bytes | None]] = field(default_factory=dict)


def look(record: Record) -> Report:
    """The second verifier's findings about a record in the small group."""
    return ballots.check(record.keys, record.bundles, group=SMALL_GROUP)


def _choices(style: Iterable[int], turn: int) -> dict[int, ContestChoice]:
    """Votes of one voter in each of `every_contest`."""
    own = {
        1: ContestChoice(((1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1))[turn % 4]),
        2: ContestChoice(
            ((1, 1, 0, 0, 0, 0, 0, 1, 0), (0, 1, 1, 0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 1, 0, 0, 0))[turn % 3],
            (b"Siskin" if turn % 3 == 1 else b"").ljust(128, b"\0"),
        ),
        3: ContestChoice(((3, 2), (0, 1), (2, 2))[turn % 3]),
        4: ContestChoice(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0))[turn % 3]),
        5: ContestChoice(((1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 1, 0))[turn % 3]),
    }
    return {number: own[number] for number in style}


@functools.cache
def good_record() -> Record:
    """Ballots of every kind and status, a bundle of pre-encrypted ballots, and all that trustees open."""
    manifest = msgspec.structs.replace(every_contest(), trimming=2)
    record, shares = ceremony(manifest, 3, 2)
    keys = election_keys(record, SMALL)
    ordinary = _ordinary(keys, "pond", "machine of the pond")
    codes = [msgspec.json.decode(line)["code"] for line in ordinary.splitlines()[1:3]]
    data = [(msgspec.json.decode(f'"{codes[1]}"', type=bytes), 2)]
    early = _pre_encrypted(keys, "pond", "printer of the pond")
    closing = msgspec.json.decode(early.splitlines()[-1], type=BundleClosing)
    request = TallyRequest(hashlib.sha256(early).digest(), "pond", "printer of the pond", closing.cast, closing.totals)
    return Record(
        record.encode(),
        {
            "pond": (ordinary, decrypt(record, shares[:2], ordinary, data=data).encode()),
            "pond printed": (early, decrypt_request(keys, record, shares[1:], request).encode()),
        },
    )


def _ordinary(keys: ElectionKeys, station: str, device: str) -> bytes:
    writer, encryptor = BundleWriter(keys, station, device), Encryptor(keys, 4, seeded(device))
    lines = [writer.header()]
    statuses = ("cast", "cast", "challenged", "spoiled", "provisional", "cast")
    for turn, status in enumerate(statuses):
        style = 2 if turn == 5 else 1
        ballot = encryptor.encrypt(style, _choices(keys.manifest.style(style).contests, turn), writer.chain).ballot
        lines.append(writer.add(msgspec.structs.replace(ballot, status=status)))
    return b"".join([*lines, writer.close()])


def _pre_encrypted(keys: ElectionKeys, station: str, device: str) -> bytes:
    printer = PreEncryptor(keys, 4, seeded(device))
    first, opening = chain_start(keys, device, PRE_ENCRYPTED)
    own = device_hash(keys, device, PRE_ENCRYPTED)
    lines: list[msgspec.Struct] = [PreEncryptedHeader(FORMAT, keys.extended_hash, station, device, own, first, opening)]
    aggregates, code = Aggregates(keys), opening
    for turn in range(3):
        made = printer.make(2 if turn == 2 else 1, next_chain(code))
        code = made.code
        if turn == 1:
            lines.append(printer.open(made))
            continue
        wanted = {number: [1] for number in made.hashes}
        if 2 in wanted:  # of the council two options, and of the unused votes one
            fields = vector_fields(keys.manifest.contest(2))
            wanted[2] = [1, 2, fields.index(8) + 1]
        cast = printer.cast(made, wanted)
        for contest in cast.contests:
            aggregates.add(contest.contest, [(part.alpha, part.beta) for part in contest.selections])
        lines.append(cast)
    chain, closing = chain_end(keys, code, first, PRE_ENCRYPTED)
    totals = tuple(aggregates.of(contest) for contest in range(1, len(keys.manifest.contests) + 1))
    lines.append(BundleClosing(2, 1, 0, 0, totals, chain, closing))
    return b"".join(msgspec.json.encode(line, order="sorted") + b"\n" for line in lines)


def key_record(record: Record) -> KeyRecord:
    """The keys' file as a value."""
    return msgspec.json.decode(record.keys, type=KeyRecord)
