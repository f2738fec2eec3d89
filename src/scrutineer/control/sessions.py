"""Sessions of officers who have entered, and the limit on failed attempts. In memory: a restart asks everybody to enter again."""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

IDLE: Final = 30 * 60  # seconds without anything that a person did
LONGEST: Final = 12 * 3_600  # seconds
MAX_SESSIONS: Final = 256
FAILURES: Final = 10
"""Failed attempts from one address within WINDOW, after which it is turned away."""
WINDOW: Final = 300  # seconds
MAX_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class Session:
    """One officer in one browser. `token` guards against requests that other sites make: pages carry it."""

    officer: str
    token: str
    began: int
    seen: int
    streams: int = 0
    """Event streams that are open."""


class Sessions:
    """The sessions by the hash of their cookie, so that nothing in memory or in a dump of it lets anybody in."""

    def __init__(self, clock: Callable[[], int], randomness: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._randomness = randomness
        self._sessions: dict[bytes, Session] = {}
        # Requests are answered in several threads: without it, one that lets somebody in could bring back whom another ended.
        self._lock = threading.Lock()

    def begin(self, officer: str) -> str:
        """Let an officer in, and return the cookie. The session that was used longest ago makes room where there are too many."""
        now = self._clock()
        cookie = self._randomness(32).hex()
        with self._lock:
            self._sessions = {name: session for name, session in self._sessions.items() if self._holds(session, now)}
            if len(self._sessions) >= MAX_SESSIONS:
                del self._sessions[min(self._sessions, key=lambda name: self._sessions[name].seen)]
            self._sessions[_hash(cookie)] = Session(officer, self._randomness(24).hex(), now, now)
        return cookie

    def find(self, cookie: str, *, touch: bool) -> Session | None:
        """The session of a cookie, None where there is none any more. `touch` where a person did something."""
        now = self._clock()
        with self._lock:
            session = self._sessions.get(_hash(cookie))
            if session is None or not self._holds(session, now):
                self._sessions.pop(_hash(cookie), None)
                return None
            if touch:
                session.seen = now
            return session

    def end(self, cookie: str) -> None:
        """Let the session end now."""
        with self._lock:
            self._sessions.pop(_hash(cookie), None)

    def end_all(self, officer: str) -> None:
        """End every session of an officer."""
        with self._lock:
            self._sessions = {name: session for name, session in self._sessions.items() if session.officer != officer}

    @staticmethod
    def _holds(session: Session, now: int) -> bool:
        return now - session.seen < IDLE and now - session.began < LONGEST


def is_token(session: Session, given: str) -> bool:
    """Whether a request bears the session's token."""
    return secrets.compare_digest(session.token.encode(), given.encode())


class Failures:
    """Counts failed attempts by address. Who succeeds is not slowed down, however often others fail elsewhere."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, int]] = {}
        """Since when, and how many."""
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Seconds that an address is turned away for; 0 where it is not."""
        since, count = self._counts.get(address, (0, 0))
        left = since + WINDOW - self._clock()
        return left if count >= FAILURES and left > 0 else 0

    def note(self, address: str) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            if len(self._counts) >= MAX_ADDRESSES:
                self._counts = {known: entry for known, entry in self._counts.items() if now - entry[0] < WINDOW}
            if len(self._counts) >= MAX_ADDRESSES:
                self._counts.clear()
            since, count = self._counts.get(address, (now, 0))
            self._counts[address] = (now, 1) if now - since >= WINDOW else (since, count + 1)


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
