"""Encrypted ballots of a simulated station: a key ceremony in one hand, voters whose choices give a known sheet, and the tally.

For demonstrations and tests alone: where ballots matter, each trustee holds one key on a machine of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from scrutineer.ballots.bundle import BundleWriter, split_lines
from scrutineer.ballots.ceremony import Ceremony, KeyShare, terms_of
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.from_election import WRITE_INS
from scrutineer.ballots.group import STANDARD, Group, RandomBytes
from scrutineer.ballots.keys import ElectionKeys, KeyRecord, election_keys
from scrutineer.ballots.logarithms import SmallLogarithms
from scrutineer.ballots.manifest import ORDER_MARK, Manifest, ManifestContest
from scrutineer.ballots.record import OpenedBallot, Status, TallyRecord
from scrutineer.ballots.tally_request import request_of, without_opened
from scrutineer.ballots.tallying import combine_bundle, commit_bundle, respond_bundle
from scrutineer.errors import BallotError
from scrutineer.statements import TallySheet
from scrutineer.station.voting.contest_data import ContestData, pack

_WRITTEN: Final = "J. Jay"
"""Whom voters write in."""

Choices = Mapping[int, ContestChoice]
"""What one voter chose, by contest number."""


@dataclass(frozen=True, repr=False)
class Trustees:
    """All trustees of an election in one hand."""

    record: KeyRecord
    keys: ElectionKeys
    shares: tuple[KeyShare, ...]


def hold_ceremony(
    manifest: Manifest, names: Sequence[str], quorum: int, random: RandomBytes, group: Group = STANDARD
) -> Trustees:
    """The key ceremony of as many trustees as there are names."""
    ceremony = Ceremony(group, terms_of(group, manifest, len(names), quorum))
    made = [ceremony.make_guardian(number, name, random) for number, name in enumerate(names, 1)]
    guardians = tuple(keys for _, keys in made)
    sent = [ceremony.make_shares(number, secrets, guardians, random) for number, (secrets, _) in enumerate(made, 1)]
    shares = tuple(ceremony.receive_shares(number, secrets, guardians, sent) for number, (secrets, _) in enumerate(made, 1))
    record = ceremony.join_keys(manifest, guardians)
    return Trustees(record, election_keys(record, group), shares)


def deal(contest: ManifestContest, sheet: TallySheet, labels: Sequence[str]) -> list[ContestChoice]:
    """Choices of one contest whose totals are those of a sheet, one for each ballot that was cast.

    `labels` are those of the options' totals, in the order of the definition (`total_labels`). Raises BallotError for a sheet
    that no ballots can give.
    """
    blank, null = sheet.blank or 0, sheet.null or 0
    if sheet.rankings is not None:
        orders = {ORDER_MARK.join(labels[option] for option in order): ballots for order, ballots in sheet.rankings}
        marked = [{order} for order, ballots in orders.items() for _ in range(ballots)]
    else:
        valid = (sheet.cast or 0) - blank - null
        marks = [label for label, count in zip(labels, sheet.counts, strict=True) for _ in range(count or 0)]
        if not valid <= len(marks) <= valid * contest.selection_limit or any((count or 0) > valid for count in sheet.counts):
            raise BallotError(f"no {valid} valid ballots of contest {contest.label} give the counts of this sheet")
        # Dealt in turn, so that equal marks, which stand together, fall on different ballots.
        marked = [set(marks[first::valid]) for first in range(valid)]
    whole = [_choice(contest, own, {}) for own in marked]
    return whole + [_choice(contest, set(), {"blank": 1})] * blank + [_choice(contest, set(), {"null": 1})] * null


def _choice(contest: ManifestContest, marked: set[str], given: Mapping[str, int]) -> ContestChoice:
    unused = 0 if given else contest.selection_limit - len(marked)
    written = WRITE_INS in marked
    own = {"undervotes": unused, "write-ins": int(written)} | dict(given)
    return ContestChoice(
        tuple(int(label in marked) for label in contest.options) + tuple(own.get(field, 0) for field in contest.fields),
        pack(contest, ContestData(names=(_WRITTEN,) if written else ())),
    )


@dataclass(frozen=True)
class Voted:
    """A station's closed bundle."""

    bundle: bytes
    opened: tuple[OpenedBallot, ...]
    """Its challenged ballots, as the device opened them."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bundle: the `records` of the station's sheets."""
        return sha256(self.bundle).digest()


def vote(
    keys: ElectionKeys, station: str, device: str, style: int, ballots: Iterable[tuple[Choices, Status]], random: RandomBytes
) -> Voted:
    """Encrypt ballots in the order given."""
    encryptor, writer = Encryptor(keys, random=random), BundleWriter(keys, station, device, (style,))
    lines, opened = [writer.header()], []
    for choices, status in ballots:
        made = encryptor.encrypt(style, choices, writer.chain)
        ballot = msgspec.structs.replace(made.ballot, status=status)
        if status == "challenged":
            opened.append(open_ballot(keys, ballot, made.nonce, choices))
        lines.append(writer.add(ballot))
    return Voted(b"".join((*lines, writer.close())), tuple(opened))


def decrypt(trustees: Trustees, present: Sequence[int], voted: Voted, random: RandomBytes) -> TallyRecord:
    """The tally record of a bundle by the trustees who are present, by number."""
    keys = trustees.keys
    quorum = Quorum(keys, trustees.record.guardians, present)
    request = without_opened(keys, request_of(keys, split_lines([voted.bundle]), "bundle"), voted.opened)
    shares, seeds = {number: trustees.shares[number - 1] for number in present}, {number: random(32) for number in present}
    first = {number: commit_bundle(quorum, shares[number], seeds[number], request) for number in present}
    commitments = {number: commitment for number, (commitment, _) in first.items()}
    reveals = {number: revealed for number, (_, revealed) in first.items()}
    responses = {
        number: respond_bundle(quorum, shares[number], seeds[number], request, commitments, reveals) for number in present
    }
    logarithms = SmallLogarithms(keys.group, keys.vote_key)
    return combine_bundle(quorum, request, commitments, reveals, responses, logarithms, voted.opened)
