"""Fair shares of the queue: who is let in while it fills, and who has to come again.

Below half of its capacity the queue takes everybody. Above, the limit of a network is as many statements under way as there
are places left for its kind (the dynamic threshold of Choudhury and Hahne, 1998): alone it may hold half of them, of many each
gets an equal part, and those that hold most are turned away first. A part of the queue is in reserve for keys that have no
statement in the log yet, so a flood signed with stolen keys meets its end before a station's first sheet does.

A key's limits hold within one network: forged statements that name a key from elsewhere take nothing from it. They count
against the network that they come from, as everything does there that turns out to be refused.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from scrutineer.http.networks import network_key
from scrutineer.http.problems import Problem

RESERVE: Final = 4  # one part in so many of the queue, for keys without a statement in the log
FRESH_KEY_LIMIT: Final = 4  # statements under way of such a key, from one network; a station may vote in several contests
KEY_PART: Final = 256  # of the places left, one key may hold one in so many
KEY_RATE, KEY_BURST = 1.0, 64.0  # statements of one key in the log, a second and at once
NETWORK_RATE, NETWORK_BURST = 1_000.0, 20_000.0  # statements let in from one network, a second and at once
DISTRUST: Final = 8  # refused statements that outweigh the accepted ones of a network, lately
DISTRUSTED_PART: Final = 16  # of its limit, what a network keeps that mostly sends what is refused
HASTY_PART: Final = 4  # of its limit, what a network keeps that is above its rate
FORGET: Final = 10.0  # seconds until past answers weigh half
MAX_NETWORKS: Final = 65_536  # networks remembered, and keys whose rate is
LONGEST_WAIT: Final = 8  # seconds, beside the first

_NEUTRAL: Final = frozenset({"duplicate", "check-failed", "store-failed", "stopping", "queue-full"})

Clock = Callable[[], float]


class _Network:
    """What is known of one network: statements under way, and how those before ended."""

    __slots__ = ("accepted", "at", "fresh", "period", "refused", "tokens", "under_way")

    def __init__(self, now: float) -> None:
        self.under_way = 0
        self.fresh = 0  # of these, by keys without a statement in the log
        self.accepted = 0
        self.refused = 0
        self.period = int(now / FORGET)
        self.tokens = NETWORK_BURST
        self.at = now

    def advance(self, now: float) -> None:
        """Let time pass."""
        self.tokens = min(NETWORK_BURST, self.tokens + (now - self.at) * NETWORK_RATE)
        self.at = now
        period = int(now / FORGET)
        if period != self.period:
            by = min(64, max(0, period - self.period))
            self.accepted >>= by
            self.refused >>= by
            self.period = period

    @property
    def distrusted(self) -> bool:
        return self.refused > DISTRUST + self.accepted


class Stay:
    """One statement under way; a `Visit`."""

    __slots__ = ("_flow", "_fresh", "_key", "_network", "_shares")

    def __init__(self, shares: "Shares", network: _Network, key: int, flow: int, fresh: bool) -> None:
        self._shares = shares
        self._network = network
        self._key = key
        self._flow = flow
        self._fresh = fresh

    def leave(self, outcome: str) -> None:
        """Give the place back, and remember how it ended."""
        shares, network = self._shares, self._network
        shares.under_way -= 1
        network.under_way -= 1
        network.fresh -= self._fresh
        left = shares.flows[self._flow] - 1
        if left:
            shares.flows[self._flow] = left
        else:
            del shares.flows[self._flow]
        if outcome == "accepted":
            network.accepted += 1
            shares.charge(self._key)
        elif outcome not in _NEUTRAL:
            network.refused += 1


class Shares:
    """The places of one queue. Keys are known by numbers; memory is bounded however many networks there are."""

    def __init__(self, capacity: int, *, clock: Clock = time.monotonic, jitter: Callable[[], float] = random.random) -> None:
        """`capacity` is the number of places; `clock` tells seconds; `jitter` (0 to 1) spreads the times to come again."""
        self.capacity = capacity
        self.under_way = 0
        self.flows: dict[int, int] = {}
        """Statements under way by key and network together."""
        self._common = capacity - capacity // RESERVE
        self._clock = clock
        self._jitter = jitter
        self._networks: dict[bytes, _Network] = {}
        self._rates: dict[int, tuple[float, float]] = {}

    def enter(self, key: int, fresh: bool, peer: str) -> Stay | Problem:
        """Take a place for a statement of a key, `fresh` if it has none in the log, or hear when to come again."""
        name = network_key(peer)
        now = self._clock()
        network = self._networks.get(name)
        if network is None:
            network = self._remember(name, now)
        else:
            network.advance(now)
        flow = key ^ hash(name)
        if self.under_way * 2 >= self.capacity and peer:
            problem = self._judge(network, key, flow, fresh)
            if problem is not None:
                return problem
        self.under_way += 1
        network.under_way += 1
        network.fresh += fresh
        network.tokens = max(0.0, network.tokens - 1)
        self.flows[flow] = self.flows.get(flow, 0) + 1
        return Stay(self, network, key, flow, fresh)

    def charge(self, key: int) -> None:
        """Count a statement of a key that came into the log."""
        now = self._clock()
        tokens, at = self._rates.pop(key, (KEY_BURST, now))
        if len(self._rates) >= MAX_NETWORKS:
            del self._rates[next(iter(self._rates))]
        self._rates[key] = (max(-KEY_BURST, min(KEY_BURST, tokens + (now - at) * KEY_RATE) - 1), now)

    def _judge(self, network: _Network, key: int, flow: int, fresh: bool) -> Problem | None:
        distrusted = network.distrusted
        if fresh and not distrusted:
            left = self.capacity - self.under_way
            if left <= 0:
                return self._again("queue-full", f"{self.capacity} statements are on their way", fresh)
            if network.fresh > left:
                return self._again("network-busy", "most of what is on its way comes from your network", fresh)
            if self.flows.get(flow, 0) >= FRESH_KEY_LIMIT:
                return self._again("key-busy", "several statements of this key are on their way", fresh)
            return None
        left = self._common - self.under_way
        if left <= 0:
            return self._again("queue-full", f"{self.under_way} statements are on their way, and the rest is in reserve", False)
        share = left
        if distrusted:
            share //= DISTRUSTED_PART
        elif network.tokens < 1:
            share //= HASTY_PART
        if network.under_way > share:
            return self._again("network-busy", "most of what is on its way comes from your network", False)
        if self.flows.get(flow, 0) >= max(1, left // KEY_PART) or not self._in_rate(key):
            return self._again("key-busy", "much of what is on its way is signed with this key", False)
        return None

    def _in_rate(self, key: int) -> bool:
        rate = self._rates.get(key)
        return rate is None or rate[0] + (self._clock() - rate[1]) * KEY_RATE >= 1

    def _remember(self, name: bytes, now: float) -> _Network:
        networks = self._networks
        while len(networks) >= max(MAX_NETWORKS, 2 * self.capacity):
            oldest = next(iter(networks))
            network = networks.pop(oldest)
            if network.under_way:
                networks[oldest] = network
        network = networks[name] = _Network(now)
        return network

    def _again(self, code: str, why: str, fresh: bool) -> Problem:
        """Come again: the later the fuller the queue, not all at once, and stations with a first sheet sooner."""
        load = min(1.0, self.under_way / self.capacity)
        spread = LONGEST_WAIT * load * self._jitter()
        return Problem(code, f"{why}: send this one again a little later", 1 + int(spread / 4 if fresh else spread))
