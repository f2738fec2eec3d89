"""Fair shares of the queue: a simulation of floods, with a clock set by hand."""

import collections
import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from scrutineer.http.problems import Problem
from scrutineer.intake import shares as shares_module
from scrutineer.intake.shares import LONGEST_WAIT, Shares, Stay

CAPACITY = 1_024


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def shares_of(capacity: int = CAPACITY) -> tuple[Shares, Clock]:
    clock = Clock()
    return Shares(capacity, clock=clock, jitter=random.Random(1).random), clock


class Queue:
    """A service that works through what was let in, in order, so many at a time."""

    def __init__(self, shares: Shares, clock: Clock, speed: int, outcome: Callable[[int], str]) -> None:
        self.shares = shares
        self.clock = clock
        self.speed = speed
        self.outcome = outcome
        self.waiting: collections.deque[tuple[int, Stay]] = collections.deque()
        self.recorded: set[int] = set()
        self.refusals: collections.Counter[str] = collections.Counter()

    def offer(self, key: int, peer: str) -> bool:
        stay = self.shares.enter(abs(key), abs(key) not in self.recorded, peer)
        if isinstance(stay, Problem):
            self.refusals[stay.code] += 1
            return False
        self.waiting.append((key, stay))
        return True

    def work(self) -> list[int]:
        """A hundredth of a second passes."""
        self.clock.now += 0.01
        done = [self.waiting.popleft() for _ in range(min(self.speed, len(self.waiting)))]
        for key, stay in done:
            outcome = self.outcome(key)
            stay.leave(outcome)
            if outcome == "accepted":
                self.recorded.add(key)
        return [key for key, _ in done]


def accepted(key: int) -> str:
    return "accepted" if key > 0 else "bad-signature"  # A forger of key 7 is -7 here.


def networks(count: int) -> Iterator[str]:
    return iter([f"10.{n >> 8}.{n & 255}.1" for n in range(count)])


@pytest.mark.parametrize("clients", [1, 64])
def test_below_half_nobody_is_limited(clients: int) -> None:
    shares, _ = shares_of()
    stays = [shares.enter(n % clients, False, "192.0.2.1") for n in range(CAPACITY // 2)]
    assert not any(isinstance(stay, Problem) for stay in stays)


@pytest.mark.parametrize("spread", [1, 1_000], ids=["one network", "a thousand networks"])
def test_stolen_keys_keep_nobody_out(spread: int) -> None:
    """A thousand stolen keys sign different sheets as fast as can be; every other station gets its one sheet in."""
    shares, clock = shares_of()
    queue = Queue(shares, clock, 80, accepted)  # 8,000 a second
    stolen = list(range(1, 1_001))
    homes = list(networks(spread))
    queue.recorded.update(stolen)
    honest = collections.deque(range(10_001, 13_001))
    rounds = 0
    while honest:
        rounds += 1
        assert rounds < 1_000, f"{len(honest)} stations are still waiting after ten seconds"
        for key in stolen:
            queue.offer(key, homes[key % spread])
        # Honest stations come a few at a time, from the very network of some thieves, and come again where they were refused.
        for _ in range(min(40, len(honest))):
            key = honest.popleft()
            if not queue.offer(key, homes[key % spread]):
                honest.append(key)
        queue.work()
    while queue.waiting:
        queue.work()
    assert queue.recorded >= set(range(10_001, 13_001))
    assert queue.refusals["queue-full"] + queue.refusals["network-busy"] + queue.refusals["key-busy"] > 1_000


def test_forged_statements_lock_no_station_out() -> None:
    """Somebody sends forged sheets with the names of all stations' keys; the stations themselves still come in."""
    shares, clock = shares_of()
    queue = Queue(shares, clock, 20, accepted)
    stations = list(range(1, 501))
    waiting = collections.deque(stations)
    for _ in range(2_000):
        for key in stations:
            queue.offer(-key, "203.0.113.9")
        for _ in range(min(5, len(waiting))):
            key = waiting.popleft()
            if not queue.offer(key, f"198.51.{key & 255}.1"):
                waiting.append(key)
        queue.work()
        if queue.recorded >= set(stations):
            break
    assert queue.recorded == set(stations)
    # The forger has earned distrust: above half of the queue he gets next to nothing, and not of the reserve.
    assert sum(key < 0 for key, _ in queue.waiting) <= CAPACITY // 2


def test_whole_country_behind_one_address() -> None:
    """Five thousand stations behind one address translator use the whole speed of the service."""
    shares, clock = shares_of(8_192)
    queue = Queue(shares, clock, 80, accepted)
    waiting = collections.deque(range(1, 5_001))
    rounds = 0
    while len(queue.recorded) < 5_000:
        rounds += 1
        for _ in range(len(waiting)):
            key = waiting.popleft()
            if not queue.offer(key, "192.0.2.1"):
                waiting.append(key)
        queue.work()
    assert rounds <= 5_000 // 80 + 2


def test_a_bulk_importer_is_never_limited() -> None:
    shares, clock = shares_of(8_192)
    queue = Queue(shares, clock, 80, accepted)
    sent = 0
    for _ in range(500):
        while len(queue.waiting) < 64 * 8:
            assert queue.offer(sent % 50_000, "192.0.2.1")
            sent += 1
        queue.work()


def test_the_network_that_holds_most_is_shed_first() -> None:
    shares, _ = shares_of()
    while not isinstance(shares.enter(random.getrandbits(40), False, "192.0.2.1"), Problem):
        pass
    greedy = shares.under_way
    assert greedy >= CAPACITY // 2
    others = [shares.enter(random.getrandbits(40), False, peer) for peer in networks(100)]
    assert not any(isinstance(stay, Problem) for stay in others)
    refused = shares.enter(random.getrandbits(40), False, "192.0.2.99")
    assert isinstance(refused, Problem)
    assert refused.code == "network-busy"


def test_a_key_that_signs_without_end_is_held_back_while_it_is_full() -> None:
    shares, clock = shares_of()
    for number in range(CAPACITY // 2):
        shares.enter(1_000_000 + number, True, f"10.0.{number % 250}.1")
    for _ in range(200):
        shares.charge(7)
    refused = shares.enter(7, False, "192.0.2.1")
    assert isinstance(refused, Problem)
    assert refused.code == "key-busy"
    clock.now += 200
    assert not isinstance(shares.enter(7, False, "192.0.2.1"), Problem)


def test_a_full_queue_takes_nobody_and_says_when_to_come_again() -> None:
    shares, _ = shares_of(64)
    waits = collections.defaultdict(set)
    for number in range(5_000):
        result = shares.enter(number, number % 2 == 0, f"10.{number >> 8}.{number & 255}.1")
        if isinstance(result, Problem):
            assert result.retry_after is not None
            waits[number % 2 == 0].add(result.retry_after)
    assert shares.under_way == 64
    assert max(waits[False]) <= 1 + LONGEST_WAIT
    assert len(waits[False]) > 3
    assert max(waits[True]) < max(waits[False])


def test_a_network_of_forgers_gets_little_above_half_and_no_reserve() -> None:
    shares, _ = shares_of()
    for _ in range(100):
        stay = shares.enter(1, True, "192.0.2.1")
        assert not isinstance(stay, Problem)
        stay.leave("bad-signature")
    for number in range(600):
        shares.enter(1_000 + number, True, f"10.{number >> 8}.{number & 255}.1")

    def room(peer: str) -> int:
        stays = [shares.enter(random.getrandbits(40), True, peer) for _ in range(CAPACITY)]
        taken = [stay for stay in stays if not isinstance(stay, Problem)]
        for stay in taken:
            stay.leave("duplicate")
        return len(taken)

    assert 0 < 4 * room("192.0.2.1") < room("198.51.100.1")


def test_distrust_is_forgotten() -> None:
    shares, clock = shares_of(64)
    for _ in range(100):
        stay = shares.enter(1, True, "192.0.2.1")
        assert not isinstance(stay, Problem)
        stay.leave("bad-signature")
    for number in range(40):
        shares.enter(100 + number, True, f"10.0.{number}.1")
    while not isinstance(shares.enter(5, True, "192.0.2.1"), Problem):
        pass
    clock.now += 200
    assert not isinstance(shares.enter(6, True, "192.0.2.1"), Problem)


def test_memory_is_bounded_whoever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_module, "MAX_NETWORKS", 1_000)
    shares, _ = shares_of(64)
    stays = [shares.enter(number, False, "192.0.2.1") for number in range(30)]

    def flood(start: int, count: int) -> None:
        for number in range(start, start + count):
            stay = shares.enter(number, True, f"2001:{number >> 16:x}:{number & 0xFFFF:x}::1")
            assert not isinstance(stay, Problem)
            stay.leave("accepted" if number % 2 else "bad-signature")

    flood(0x20000, 5_000)
    tracemalloc.start()
    flood(0x80000, 5_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1_000_000
    # Who has statements under way is not forgotten.
    for stay in stays:
        assert not isinstance(stay, Problem)
        stay.leave("accepted")
    assert shares.under_way == 0
    assert shares.flows == {}
