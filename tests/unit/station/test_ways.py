"""Ways: their order, and pauses that no clock can stretch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutineer.election.transmission import Transmission
from scrutineer.station.ways import (
    FALSE_PAUSE,
    LONGEST_ASKED,
    LONGEST_PAUSE,
    Attempt,
    Attempts,
    Moment,
    Way,
    known_ways,
    pause_after,
    steady_now,
)

A, B, R = Way("intake", "http://a"), Way("intake", "http://b"), Way("relay", "http://r")
NEAR, NEAR_RELAY = Way("intake", "http://near"), Way("relay", "http://near-relay")


def test_the_elections_order_with_nearer_ways_first() -> None:
    named = Transmission(("http://a", "http://b"), ("http://r",))
    assert known_ways(named) == [A, B, R]
    assert known_ways(named, ["http://near", "http://b"], ["http://near-relay"]) == [NEAR, B, A, NEAR_RELAY, R]
    relays_first = Transmission(("http://a", "http://b"), ("http://r",), ("paper", "relay", "intake"))
    assert known_ways(relays_first, ["http://near"]) == [R, NEAR, A, B]
    assert known_ways(Transmission(("http://a",), ways=("intake", "bundle")), relays=["http://r"]) == [A, R]
    assert known_ways(None, ["http://a"]) == [A]
    assert known_ways(None) == []


def test_the_one_that_worked_comes_first_and_liars_last() -> None:
    ways = [A, B, R]
    attempts = Attempts()
    assert attempts.order(ways) == ways
    attempts = attempts.after(B, Attempt("done", "", 0), worked=True)
    assert attempts.order(ways) == [B, A, R]
    assert attempts.after(R, Attempt("done", "", 0), worked=True).order(ways) == [B, A, R]
    assert attempts.after(B, Attempt("false", "", 0), worked=False).order(ways) == [A, R, B]
    assert attempts.order([R, A, B]) == [R, B, A]
    assert Attempts.decode(attempts.encode()) == attempts
    assert attempts.only([A]).last == {}


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]", b'{"last": {"http://a": {"outcome": "lost"}}}', b"\xff"])
def test_a_memory_that_is_not_readable_is_no_memory(data: bytes | None) -> None:
    assert Attempts.decode(data) == Attempts()


def test_pauses_double_and_are_spread() -> None:
    shortest = [pause_after("unreachable", failures, None, 0.0) for failures in range(1, 12)]
    longest = [pause_after("unreachable", failures, None, 1.0) for failures in range(1, 12)]
    assert longest == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_PAUSE, LONGEST_PAUSE]
    assert shortest == [pause / 2 for pause in longest]
    assert pause_after("done", 0, None, 1.0) == 0
    assert pause_after("false", 1, None, 0.0) == FALSE_PAUSE


@given(st.sampled_from(["held", "busy", "unreachable", "nonsense"]), st.integers(0, 10**9), st.floats(0, 1e9), st.floats(0, 1))
def test_what_was_asked_is_never_undercut_and_never_without_end(outcome: str, failures: int, asked: float, chance: float) -> None:
    pause = pause_after(outcome, failures, asked, chance)  # type: ignore[arg-type]
    assert min(asked, LONGEST_ASKED) <= pause <= max(LONGEST_PAUSE, 1.25 * LONGEST_ASKED)
    assert pause >= 0.5


@given(st.floats(0, 1e6), st.floats(0, 1e9), st.floats(-1e12, 1e12), st.sampled_from(["", "x", "y"]))
def test_nobody_waits_longer_than_the_pause_whatever_the_clocks_say(pause: float, since: float, now: float, boot: str) -> None:
    attempt = Attempt("unreachable", "", 0, 1, pause, "x", since)
    remaining = attempt.remaining(Moment(boot, now))
    assert 0 <= remaining <= pause
    assert boot == "x" or remaining == 0
    if boot == "x" and now >= since + pause:
        assert remaining == 0


def test_impatience_keeps_what_a_service_asked_for() -> None:
    waiting = {"http://a": Attempt("unreachable", "", 0, 3, 50.0), "http://b": Attempt("busy", "", 0, 3, 50.0)}
    attempts = Attempts(waiting, "http://a").impatient()
    now = Moment("", 0.0)
    assert [attempts.remaining(way, now) for way in (A, B)] == [0.0, 50.0]
    assert attempts.last["http://a"].failures == 3
    assert attempts.worked == "http://a"


def test_the_steady_clock() -> None:
    first, second = steady_now(), steady_now()
    assert first.boot == second.boot
    assert first.seconds <= second.seconds
