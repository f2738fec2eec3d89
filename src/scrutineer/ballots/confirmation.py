"""Confirmation codes, the chain that joins a device's ballots, and how codes are said and printed.

ElectionGuard Design Specification 2.1.0, section 3.4, and 4.1.3 and 4.1.4 for pre-encrypted ballots, whose chain differs in the
bytes of use alone (`PRE_ENCRYPTED`). We use simple chaining: every code takes in the code before it, so that no ballot can be
added, taken out or moved without changing all later codes and the closing hash on the printed tally sheet.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from scrutineer.ballots.hashing import Use, digest, sized, small
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import SIMPLE_CHAINING, Sealed, Selection
from scrutineer.errors import BallotError

TRACKING_SIZE: Final = 12  # bytes of a confirmation code that a voter is given in words
SERIAL_SIZE: Final = 8  # bytes of the serial on the paper record


class ChainUses(NamedTuple):
    """What sets the chains of two kinds of ballots apart."""

    confirmation: Use
    device: Use
    closing: Use


ORDINARY: Final = ChainUses(Use.CONFIRMATION, Use.DEVICE, Use.CLOSING)
PRE_ENCRYPTED: Final = ChainUses(Use.PRE_ENCRYPTED_CONFIRMATION, Use.PRE_ENCRYPTED_DEVICE, Use.PRE_ENCRYPTED_CLOSING)


def contest_hash(hashed_identifier: bytes, contest: int, selections: Sequence[Selection], data: Sealed | None = None) -> bytes:
    """chi: what the confirmation code takes in of one contest (equation 70)."""
    parts = [small(contest)]
    for selection in selections:
        parts += [selection.alpha, selection.beta]
    if data is not None:
        parts += [data.point, data.data, data.proof]
    return digest(hashed_identifier, Use.CONTEST, *parts)


def confirmation_code(
    hashed_identifier: bytes, contest_hashes: Iterable[bytes], chain: bytes, uses: ChainUses = ORDINARY
) -> bytes:
    """H_C: the code that the voter takes along (equation 71); contests in the order of the manifest."""
    return digest(hashed_identifier, uses.confirmation, *contest_hashes, chain)


def device_hash(keys: ElectionKeys, device: str, uses: ChainUses = ORDINARY) -> bytes:
    """H_DI of a device's description (equation 72)."""
    return digest(keys.extended_hash, uses.device, sized(device.encode()))


def chain_start(keys: ElectionKeys, device: str, uses: ChainUses = ORDINARY) -> tuple[bytes, bytes]:
    """The first chaining field B_C,0 and the code H_0 that stands before the first ballot (equations 74 and 75)."""
    chain = SIMPLE_CHAINING + device_hash(keys, device, uses)
    return chain, digest(keys.extended_hash, uses.confirmation, chain)


def next_chain(code: bytes) -> bytes:
    """The chaining field of the ballot that follows the one with this code, or H_0 (equation 76)."""
    return SIMPLE_CHAINING + code


def chain_end(keys: ElectionKeys, last_code: bytes, first_chain: bytes, uses: ChainUses = ORDINARY) -> tuple[bytes, bytes]:
    """The closing chaining field and the closing hash (equations 77 and 78). The last code is H_0 where there was no ballot."""
    chain = SIMPLE_CHAINING + digest(keys.extended_hash, uses.closing, last_code, first_chain)
    return chain, digest(keys.extended_hash, uses.confirmation, chain)


_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"


def spoken(data: bytes) -> str:
    """Bytes as words that can be said over the telephone: one of five letters for each two bytes (proquints, arXiv 0901.4016).

    Raises BallotError for an odd number of bytes.
    """
    if len(data) % 2:
        raise BallotError(f"words are made of two bytes each: {len(data)} bytes were given")
    words = []
    for place in range(0, len(data), 2):
        number = int.from_bytes(data[place : place + 2], "big")
        words.append(
            _CONSONANTS[number >> 12]
            + _VOWELS[number >> 10 & 3]
            + _CONSONANTS[number >> 6 & 15]
            + _VOWELS[number >> 4 & 3]
            + _CONSONANTS[number & 15]
        )
    return "-".join(words)


def tracking_words(code: bytes) -> str:
    """The first 96 bits of a confirmation code as six words, under which a voter finds the ballot in the published record."""
    return spoken(code[:TRACKING_SIZE])


def paper_serial(hashed_identifier: bytes, nonce: bytes) -> str:
    """The serial on a ballot's paper record, as four words.

    It is a hash of the ballot nonce, so that nobody can join paper to encrypted ballot but who knows the nonce: the trustees
    together, for the ballots that an audit draws.
    """
    return spoken(digest(hashed_identifier, Use.PAPER_SERIAL, nonce)[:SERIAL_SIZE])
