"""Whether a bundle keeps to the chain of its device: how it begins, goes on and ends.

Verification 8.C to 8.G of the ElectionGuard Design Specification 2.1.0 and, with other domain bytes, 16.D to 16.H for
pre-encrypted ballots (sections 3.4.3, 3.4.4 and 4.1.4).
"""

from typing import Final, NamedTuple

from scrutineer.ballots.confirmation import ORDINARY, PRE_ENCRYPTED, ChainUses, chain_end, device_hash, next_chain
from scrutineer.ballots.hashing import digest
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.pre_encrypted_record import PreEncryptedHeader
from scrutineer.ballots.record import SIMPLE_CHAINING, BundleClosing, BundleHeader

NO_CHAINING: Final = b"\x00\x00\x00\x00"


class ChainKind(NamedTuple):
    """The bytes of use of a chain, and the numbers of its checks."""

    uses: ChainUses
    device_hash: str
    unchained: str
    link: str
    start: str
    end: str


OF_BALLOTS: Final = ChainKind(ORDINARY, "8.C", "8.D", "8.E", "8.F", "8.G")
OF_PRE_ENCRYPTED: Final = ChainKind(PRE_ENCRYPTED, "16.D", "16.E", "16.F", "16.G", "16.H")


class ChainCheck:
    """Follows the chain of one bundle from its header to its closing."""

    def __init__(self, keys: ElectionKeys, header: BundleHeader | PreEncryptedHeader) -> None:
        """Begin with a header, whose claims `start` checks."""
        self._keys: Final = keys
        self._header: Final = header
        self.kind: Final = OF_PRE_ENCRYPTED if isinstance(header, PreEncryptedHeader) else OF_BALLOTS
        self.chained: Final = header.chain[:4] != NO_CHAINING
        """Whether the header does not say that the device has no chain."""
        self._last = header.opening

    def start(self) -> list[tuple[str, str]]:
        """What is wrong with the header: numbers of checks and sentences."""
        header, kind, found = self._header, self.kind, []
        own = device_hash(self._keys, header.device, kind.uses)
        if own != header.device_hash:
            found.append((kind.device_hash, "the device's hash is not that of its description"))
        if not self.chained:
            found.append(("R.11", "the device did not chain its ballots, so that a missing one would not be seen"))
            if header.chain[4:] != header.device_hash:
                found.append((kind.unchained, "the first link does not hold the device's hash"))
        elif header.chain != SIMPLE_CHAINING + header.device_hash:
            found.append((kind.start, "the first link is not the mode of chaining and the device's hash"))
        if header.opening != digest(self._keys.extended_hash, kind.uses.confirmation, header.chain):
            found.append((kind.start, "the chain does not begin with the hash of its first link"))
        return found

    def ballot(self, chain: bytes, code: bytes) -> tuple[str, str] | None:
        """What is wrong with the next ballot's place in the chain, if anything."""
        last, self._last = self._last, code
        if not self.chained:
            if chain != self._header.chain:
                return self.kind.unchained, "the ballot does not name the hash of its device"
        elif chain != next_chain(last):
            return self.kind.link, "the ballot does not name the confirmation code before it: one is missing, added or moved"
        return None

    def end(self, closing: BundleClosing) -> list[tuple[str, str]]:
        """What is wrong with the end of the chain."""
        chain, last = chain_end(self._keys, self._last, self._header.chain, self.kind.uses)
        if (closing.chain, closing.closing) != (chain, last):
            return [
                (
                    self.kind.end,
                    "the closing hash is not that of the last confirmation code: a ballot at the end is missing or added",
                )
            ]
        return []
