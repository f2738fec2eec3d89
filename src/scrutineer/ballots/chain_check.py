"""The chain of a device's ballots: how it begins, goes on and ends, and whether a bundle keeps to it.

Verification 8.C to 8.G of the ElectionGuard Design Specification 2.1.0 and, with other domain bytes, 16.D to 16.H for
pre-encrypted ballots (sections 3.4.3, 3.4.4 and 4.1.4).
"""

from typing import Final, NamedTuple

from scrutineer.ballots.failures import CheckFailure
from scrutineer.ballots.hashing import Use, digest, sized
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.pre_encrypted_record import PreEncryptedHeader
from scrutineer.ballots.record import SIMPLE_CHAINING, BundleClosing, BundleHeader

NO_CHAINING: Final = b"\x00\x00\x00\x00"


class ChainKind(NamedTuple):
    """The domain bytes of a chain, and the numbers of its checks."""

    device: Use
    code: Use
    closing: Use
    device_hash: str
    unchained: str
    link: str
    start: str
    end: str


ORDINARY: Final = ChainKind(Use.DEVICE, Use.CONFIRMATION, Use.CLOSING, "8.C", "8.D", "8.E", "8.F", "8.G")
PRE_ENCRYPTED: Final = ChainKind(
    Use.PRE_ENCRYPTED_DEVICE,
    Use.PRE_ENCRYPTED_CONFIRMATION,
    Use.PRE_ENCRYPTED_CLOSING,
    "16.D",
    "16.E",
    "16.F",
    "16.G",
    "16.H",
)


def device_hash(keys: ElectionKeys, device: str, kind: ChainKind = ORDINARY) -> bytes:
    """H_DI (equations 72 and 119)."""
    return digest(keys.extended_hash, kind.device, sized(device.encode()))


def chain_start(keys: ElectionKeys, device: str, kind: ChainKind = ORDINARY) -> tuple[bytes, bytes]:
    """B_C,0 and H_0 of a chained device (equations 74, 75 and 117)."""
    chain = SIMPLE_CHAINING + device_hash(keys, device, kind)
    return chain, digest(keys.extended_hash, kind.code, chain)


def next_chain(code: bytes) -> bytes:
    """B_C of the ballot behind one with this confirmation code (equation 76)."""
    return SIMPLE_CHAINING + code


def chain_end(keys: ElectionKeys, last: bytes, first_chain: bytes, kind: ChainKind = ORDINARY) -> tuple[bytes, bytes]:
    """The closing B_C and the closing hash (equations 77, 78, 118 and 120).

    The text of equation 120 and its length of 69 bytes have no `LOCK` between byte and hash; the byte table of section 5.5.5
    does. We follow the equation.
    """
    chain = first_chain[:4] + digest(keys.extended_hash, kind.closing, last, first_chain)
    return chain, digest(keys.extended_hash, kind.code, chain)


class ChainCheck:
    """Follows the chain of one bundle from its header to its closing."""

    def __init__(self, keys: ElectionKeys, header: BundleHeader | PreEncryptedHeader) -> None:
        """Begin with a header, whose claims `start` checks."""
        self._keys: Final = keys
        self._header: Final = header
        self.kind: Final = PRE_ENCRYPTED if isinstance(header, PreEncryptedHeader) else ORDINARY
        self._chained: Final = header.chain[:4] == SIMPLE_CHAINING
        self._last = header.opening

    def start(self) -> list[tuple[str, str]]:
        """What is wrong with the header: numbers of checks and sentences."""
        header, kind, found = self._header, self.kind, []
        own = device_hash(self._keys, header.device, kind)
        if own != header.device_hash:
            found.append((kind.device_hash, "the device's hash is not that of its description"))
        if header.chain[:4] == NO_CHAINING:
            found.append(("R.11", "the device did not chain its ballots, so that a missing one would not be seen"))
            if header.chain[4:] != header.device_hash:
                found.append((kind.unchained, "the first link does not hold the device's hash"))
        elif header.chain != SIMPLE_CHAINING + header.device_hash:
            found.append((kind.start, "the first link is not the mode of chaining and the device's hash"))
        if header.opening != digest(self._keys.extended_hash, kind.code, header.chain):
            found.append((kind.start, "the chain does not begin with the hash of its first link"))
        return found

    def ballot(self, chain: bytes, code: bytes) -> tuple[str, str] | None:
        """What is wrong with the next ballot's place in the chain, if anything."""
        last, self._last = self._last, code
        if not self._chained and self._header.chain[:4] == NO_CHAINING:
            if chain != self._header.chain:
                return self.kind.unchained, "the ballot does not name the hash of its device"
        elif chain != next_chain(last):
            return self.kind.link, "the ballot does not name the confirmation code before it: one is missing, added or moved"
        return None

    def end(self, closing: BundleClosing) -> list[tuple[str, str]]:
        """What is wrong with the end of the chain."""
        chain, last = chain_end(self._keys, self._last, self._header.chain, self.kind)
        if (closing.chain, closing.closing) != (chain, last):
            return [
                (
                    self.kind.end,
                    "the closing hash is not that of the last confirmation code: a ballot at the end is missing or added",
                )
            ]
        return []


def as_failures(found: list[tuple[str, str]], where: str) -> list[CheckFailure]:
    """Findings with the place where they were made."""
    return [CheckFailure(check, where, message) for check, message in found]
