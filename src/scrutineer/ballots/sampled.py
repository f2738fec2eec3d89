"""Ballots that an audit draws: trustees open their nonces, and nobody else's, so that paper and encrypted ballot can be compared.

ElectionGuard Design Specification 2.1.0, section 7, leaves this to the system around it, and warns: whoever saw a voter's code
learns from an opened ballot how that voter voted. What is shown to whom is decided in docs/decisions/ballots-and-audits.md.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec

from scrutineer.ballots.bundle import read_bundle
from scrutineer.ballots.ceremony import KeyShare
from scrutineer.ballots.confirmation import paper_serial
from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.encrypt import ContestChoice, read_choices
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.tally_request import TallyRequest
from scrutineer.ballots.tallying import NoncePart, ballot_nonces, commit_bundle
from scrutineer.errors import BallotError

MOST_DRAWN: Final = 10_000
MAX_PARTS_SIZE: Final = 32 * 1024 * 1024  # bytes

_Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class SampledParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sampled-parts", tag_field="kind"):
    """One trustee's parts of the nonces of the ballots that an audit drew."""

    format: str
    keys: _Hash
    """H_E."""
    bundle: _Hash
    """SHA-256 of the bundle."""
    trustee: Annotated[int, msgspec.Meta(ge=1, le=64)]
    codes: tuple[_Hash, ...]
    """Confirmation codes of the ballots, in the order of the bundle."""
    parts: tuple[NoncePart, ...]

    def encode(self) -> bytes:
        """The one form of this file: JSON with sorted keys and without spaces."""
        return msgspec.json.encode(self, order="sorted")


class SampledBallot(NamedTuple):
    """A ballot that an audit drew, opened."""

    number: int
    """Its place in the bundle, from 1."""
    code: bytes
    serial: str
    """What its paper record says in its corner."""
    style: int
    choices: dict[int, ContestChoice]
    """What it holds, by the number of the contest."""


def read_parts(data: bytes, name: str) -> SampledParts:
    """Read a trustee's file. Raises BallotError unless it is one in its only form."""
    try:
        parts = msgspec.json.decode(data, type=SampledParts)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BallotError(f"{name} does not hold a trustee's parts of drawn ballots: {str(error)[:200]}") from error
    if parts.encode() != data or parts.format != FORMAT or len(parts.codes) != len(parts.parts):
        raise BallotError(f"{name} is not in the form in which a trustee writes it: carry it again")
    return parts


def drawn_ballots(lines: Iterable[bytes], name: str, numbers: Sequence[int]) -> dict[int, Ballot]:
    """The ballots of a bundle at these places (from 1). Raises BallotError where one is not there, or was not cast."""
    wanted = set(numbers)
    if not wanted or len(wanted) != len(numbers) or len(wanted) > MOST_DRAWN:
        raise BallotError(f"name each ballot that the audit drew once, 1 to {MOST_DRAWN:,} of them")
    found: dict[int, Ballot] = {}
    number = 0
    for item in read_bundle(lines, name):
        if item.failure is not None:
            raise BallotError(f"{item.failure.where}: {item.failure.message}; check the bundle before any ballot is opened")
        if isinstance(item.value, Ballot):
            number += 1
            if number in wanted:
                if item.value.status != "cast":
                    raise BallotError(f"ballot {number} of {name} was {item.value.status}: an audit draws ballots that were cast")
                found[number] = item.value
    if len(found) != len(wanted):
        missing = min(wanted - found.keys())
        raise BallotError(f"{name} has no ballot {missing}: it has {number}")
    return found


def make_parts(quorum: Quorum, share: KeyShare, seed: bytes, bundle: bytes, ballots: Sequence[Ballot]) -> SampledParts:
    """One trustee's parts. `seed` is secret and fresh: 32 random bytes. Raises BallotError where a nonce's own proof fails."""
    commitment, _ = commit_bundle(quorum, share, seed, _request(bundle, ballots))
    codes = tuple(ballot.code for ballot in ballots)
    return SampledParts(FORMAT, quorum.keys.extended_hash, bundle, share.index, codes, commitment.nonces)


def open_sampled(quorum: Quorum, bundle: bytes, ballots: dict[int, Ballot], files: Sequence[SampledParts]) -> list[SampledBallot]:
    """The drawn ballots by the parts of a quorum.

    Raises GuardianError with those whose parts do not hold, BallotError for files of other ballots and for a ballot that does not
    open.
    """
    keys: ElectionKeys = quorum.keys
    codes = tuple(ballot.code for ballot in ballots.values())
    for own in files:
        if (own.keys, own.bundle, own.codes) != (keys.extended_hash, bundle, codes):
            raise BallotError(f"the parts of trustee {own.trustee} are of other ballots: all trustees open the same ones")
    parts = {own.trustee: own.parts for own in files}
    if len(parts) != len(files) or not set(quorum.numbers) <= set(parts):
        raise BallotError("give one file of each trustee who opens the drawn ballots")
    nonces = ballot_nonces(quorum, _request(bundle, tuple(ballots.values())), parts)
    return [
        SampledBallot(
            number, ballot.code, paper_serial(ballot.identifier_hash, nonce), ballot.style, read_choices(keys, ballot, nonce)
        )
        for (number, ballot), nonce in zip(ballots.items(), nonces, strict=True)
    ]


def _request(bundle: bytes, ballots: Sequence[Ballot]) -> TallyRequest:
    return TallyRequest(bundle, "", "", 0, (), tuple(ballots))
