"""WebAuthn challenges that need no memory: each carries its expiry, a proof that this room made it, and what it is for.

A challenge is 72 bytes: nonce (16), expiry (8, POSIX seconds), tag (16), and the SHA-256 of LABEL, purpose, nonce and expiry
(32). The last part can be computed by anybody who knows the purpose; so the assertion that an officer gave for an act proves,
to whoever reads the journal, that it was given for exactly these bytes.
"""

import hashlib
import hmac
import threading
from collections.abc import Callable
from typing import Final

from scrutineer.errors import ControlError
from scrutineer.language import msg

LIFETIME: Final = 180  # seconds
LABEL: Final = b"scrutineer control challenge v1\n"
_NONCE: Final = 16
_EXPIRY: Final = 8
_TAG: Final = 16
SIZE: Final = _NONCE + _EXPIRY + _TAG + 32


def purpose_hash(purpose: bytes, challenge: bytes) -> bytes:
    """What the last 32 bytes of a challenge for this purpose are."""
    return hashlib.sha256(LABEL + purpose + b"\n" + challenge[: _NONCE + _EXPIRY]).digest()


class Challenges:
    """Makes and takes back challenges. Each is taken once: those that were are remembered until they expire."""

    def __init__(self, clock: Callable[[], int], randomness: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._randomness = randomness
        self._key = randomness(32)
        self._taken: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def issue(self, purpose: bytes) -> bytes:
        """A challenge for one purpose."""
        start = self._randomness(_NONCE) + (self._clock() + LIFETIME).to_bytes(_EXPIRY, "big")
        return start + self._tag(start, purpose) + purpose_hash(purpose, start)

    def take(self, challenge: bytes, purpose: bytes) -> None:
        """Accept a challenge that came back. Raises ControlError unless it was issued here for this, lately, and is new."""
        now = self._clock()
        start, tag = challenge[: _NONCE + _EXPIRY], challenge[_NONCE + _EXPIRY : -32]
        if len(challenge) != SIZE or not hmac.compare_digest(tag, self._tag(start, purpose)):
            raise ControlError(msg("the passkey answered another question than the one that was asked: try again"))
        if int.from_bytes(start[_NONCE:], "big") <= now:
            raise ControlError(msg("that took too long: try again"))
        with self._lock:
            self._taken = {known: expiry for known, expiry in self._taken.items() if expiry > now}
            if challenge in self._taken:
                raise ControlError(msg("this answer was used already: try again"))
            self._taken[challenge] = int.from_bytes(start[_NONCE:], "big")

    def _tag(self, start: bytes, purpose: bytes) -> bytes:
        return hmac.digest(self._key, start + purpose, "sha256")[:_TAG]
