"""What a following process waits for: parcels, what is put in again, what is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver: the extra postgresql")

import contextlib

from scrutineer.errors import StoreError
from scrutineer.intake.group.inbox import Refusal, pack, unpack
from scrutineer.intake.group.waiting import AT_A_TIME, PARCEL, RESEND, Waiting
from scrutineer.intake.sequencer import Done


def waiting_for(count: int, done: Done = lambda _: None, now: float = 0.0) -> Waiting:
    waiting = Waiting()
    for number in range(count):
        waiting.add(b"leaf %d" % number, b"data %d" % number, done, now)
    return waiting


def test_a_parcel_is_put_in_again_under_its_number_until_all_is_answered() -> None:
    waiting = waiting_for(3)
    ((number, body),) = waiting.parcels(10.0)
    assert unpack(body) == [b"data 0", b"data 1", b"data 2"]
    assert waiting.parcels(10.0 + RESEND / 2) == []
    waiting.add(b"leaf 3", b"data 3", lambda _: None, 10.0)
    ((later, body),) = waiting.parcels(10.0)
    assert (later != number, unpack(body)) == (True, [b"data 3"])
    waiting.remove(b"leaf 1")
    assert [(n, unpack(body)) for n, body in waiting.parcels(10.0 + RESEND)] == [
        (number, [b"data 0", b"data 2"]),
        (later, [b"data 3"]),
    ]
    waiting.resend()
    assert [n for n, _ in waiting.parcels(10.0 + RESEND)] == [number, later]
    for leaf in (b"leaf 0", b"leaf 2", b"leaf 3"):
        waiting.remove(leaf)
    assert waiting.parcels(100.0) == []
    assert len(waiting) == 0


def test_many_go_a_few_parcels_at_a_time() -> None:
    waiting = waiting_for(PARCEL * (AT_A_TIME + 1) + 1)
    first, second, third = waiting.parcels(0.0), waiting.parcels(0.0), waiting.parcels(0.0)
    assert [len(unpack(body)) for _, body in first] == [PARCEL] * AT_A_TIME
    assert [len(unpack(body)) for _, body in second] == [PARCEL, 1]
    assert third == []


def test_everyone_who_wants_to_know_is_told_once() -> None:
    told: list[str] = []
    waiting = Waiting()
    for name in "abc":
        waiting.add(b"leaf", b"data", lambda _, name=name: told.append(name), 0.0)  # type: ignore[misc]
    assert len(waiting) == 1
    for done in waiting.remove(b"leaf"):
        done(StoreError(""))
    assert told == ["a", "b", "c"]
    assert waiting.remove(b"leaf") == []


def test_what_waits_too_long_is_given_up() -> None:
    waiting = waiting_for(2, now=1.0)
    waiting.add(b"young", b"data", lambda _: None, 5.0)
    assert len(waiting.late(5.0)) == 2
    assert b"young" in waiting
    assert [data for data, _ in waiting.clear()] == [b"data"]
    assert waiting.parcels(100.0) == []


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=30))
def test_a_parcel_is_read_as_it_was_packed(statements: list[bytes]) -> None:
    assert unpack(pack(statements)) == statements


@given(st.binary(max_size=40))
def test_any_bytes_are_a_parcel_or_refused(body: bytes) -> None:
    with contextlib.suppress(StoreError):
        assert pack(unpack(body)) == body


@given(st.text(max_size=40))
def test_any_call_is_a_refusal_or_nothing(call: str) -> None:
    found = Refusal.from_call(call)
    assert found is None or isinstance(found.leaf, bytes)


def test_a_refusal_travels_whole() -> None:
    refusal = Refusal(b"x" * 32, "unknown-key", "the key “é” is unknown")
    assert Refusal.from_call(refusal.to_call()) == refusal
    assert len(Refusal(b"x" * 32, "c", "\U0001f426" * 10_000).to_call().encode()) < 8_000
