"""The ways by which statements travel over a network: in which order they are tried, and when one is tried again. Pure rules.

No pause depends on the time of day. Pauses are measured by a steady clock that no one sets; with it is kept which start of the
machine it counts from, so that a pause that was begun by another program still holds, and one from before a restart is over.
However the clocks behave, nobody waits longer than the pause itself, which is bounded.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from scrutineer.election.transmission import WAYS, Transmission

FIRST_PAUSE: Final = 1.0  # seconds after the first failure; doubled with each further one
LONGEST_PAUSE: Final = 300.0  # seconds; a million stations that have lost their centre then come to 3,300 attempts a second
LONGEST_ASKED: Final = 600.0  # seconds of a Retry-After that are honoured: no answer silences a station for a whole night
FALSE_PAUSE: Final = 3_600.0  # seconds after a false receipt
MAX_SAID: Final = 300  # characters of what a way said that are kept

Kind = Literal["intake", "relay"]
Outcome = Literal["done", "held", "busy", "unreachable", "nonsense", "false"]
"""How an attempt ended. `done`: everything was answered. `held`: a relay stores some of it. `busy`: told to come again later.
`nonsense`: something answers there that is no intake service. `false`: it gave a receipt that proves nothing."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """A moment by the steady clock."""

    boot: str
    """Which start of the machine `seconds` counts from; empty where the system does not say."""
    seconds: float


class Way(NamedTuple):
    """Where statements are sent."""

    kind: Kind
    url: str

    def __str__(self) -> str:
        return f"{'intake service' if self.kind == 'intake' else 'relay'} {self.url}"


class Attempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last attempt with a way, and the pause that follows it."""

    outcome: Outcome
    said: str
    """What it answered or why it did not, for people."""
    tried: int
    """Seconds since 1970 by this machine's clock; only shown."""
    failures: int = 0
    """Attempts in a row, this one included, after which something was left to do there."""
    pause: float = 0.0
    """Seconds from `since` until it may be tried again."""
    boot: str = ""
    since: float = 0.0
    """The moment of the attempt by the steady clock."""
    number: int = 0
    """The statement with which it ended before everything was answered; 0 where it did not."""

    def remaining(self, now: Moment) -> float:
        """Seconds until the way may be tried again; 0 when it may be now."""
        if now.boot != self.boot:
            return 0.0
        return min(self.pause, max(0.0, self.since + self.pause - now.seconds))


class Attempts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is remembered of all ways, by address."""

    last: dict[str, Attempt] = {}
    worked: str = ""
    """The intake service that gave the last receipt: the first to be tried next time."""

    @classmethod
    def decode(cls, data: bytes | None) -> "Attempts":
        """Read what `encode` wrote; nothing is remembered where that is not readable, for it costs an attempt at most."""
        try:
            return msgspec.json.decode(data or b"{}", type=cls)
        except msgspec.MsgspecError:
            return cls()

    def encode(self) -> bytes:
        """As bytes to keep."""
        return msgspec.json.encode(self)

    def after(self, way: Way, attempt: Attempt, *, worked: bool) -> "Attempts":
        """With one more attempt, which brought receipts (`worked`) or none."""
        return Attempts({**self.last, way.url: attempt}, way.url if worked and way.kind == "intake" else self.worked)

    def only(self, ways: Sequence[Way]) -> "Attempts":
        """Of these ways alone."""
        return Attempts({way.url: self.last[way.url] for way in ways if way.url in self.last}, self.worked)

    def impatient(self) -> "Attempts":
        """Without the pauses that nobody but this machine wanted; those that a service asked for stay."""
        last = {
            url: attempt if attempt.outcome in ("busy", "false") else msgspec.structs.replace(attempt, pause=0.0)
            for url, attempt in self.last.items()
        }
        return Attempts(last, self.worked)

    def remaining(self, way: Way, now: Moment) -> float:
        """Seconds until this way may be tried again; 0 when it may be now."""
        last = self.last.get(way.url)
        return last.remaining(now) if last is not None else 0.0

    def order(self, ways: Sequence[Way]) -> list[Way]:
        """The order in which to try: as given, but of the intake services first the one that worked, and liars last of all."""

        def rank(position: int) -> tuple[bool, int, bool, int]:
            way = ways[position]
            last = self.last.get(way.url)
            first_of_kind = next(number for number, other in enumerate(ways) if other.kind == way.kind)
            return last is not None and last.outcome == "false", first_of_kind, way.url != self.worked, position

        return [ways[position] for position in sorted(range(len(ways)), key=rank)]


def known_ways(transmission: Transmission | None, endpoints: Sequence[str] = (), relays: Sequence[str] = ()) -> list[Way]:
    """The ways of an election in its order, nearer ones (`endpoints`, `relays`) before those that are for everyone.

    A kind that the election does not name is used where a nearer one of it is given, and comes last.
    """
    named = transmission.ways if transmission is not None else WAYS
    given: dict[Kind, tuple[str, ...]] = {"intake": tuple(endpoints), "relay": tuple(relays)}
    for_all: dict[Kind, tuple[str, ...]] = {"intake": (), "relay": ()}
    if transmission is not None:
        for_all = {"intake": transmission.endpoints, "relay": transmission.relays}
    kinds: list[Kind] = [name for name in named if name in ("intake", "relay")]
    ways = [Way(kind, url) for kind in kinds for url in dict.fromkeys((*given[kind], *for_all[kind]))]
    return ways + [Way(kind, url) for kind in given if kind not in kinds for url in dict.fromkeys(given[kind])]


def pause_after(outcome: Outcome, failures: int, asked: float | None, chance: float) -> float:
    """Seconds to wait after an attempt. `failures` is how many in a row left something to do; `chance` is from 0 to 1.

    The pause doubles with each failure and is spread, so that stations that were cut off together do not come back together.
    What a service asked for (`asked`, seconds) is never undercut, up to `LONGEST_ASKED`.
    """
    if outcome == "done":
        return 0.0
    if outcome == "false":
        return FALSE_PAUSE * (1 + 0.25 * chance)
    backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(failures, 1) - 1, 30)) * (0.5 + 0.5 * chance)
    return max(backoff, min(asked or 0.0, LONGEST_ASKED) * (1 + 0.25 * chance))


def steady_now() -> Moment:
    """The steady clock: seconds since the machine started, asleep or awake, whatever the time of day is set to."""
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        boot = ""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return Moment(boot, time.monotonic() if clock is None else time.clock_gettime(clock))
