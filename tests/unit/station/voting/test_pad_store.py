"""Pads in a thread: there when they are needed, handed out once, and standing aside while a ballot is encrypted."""

import time
from collections.abc import Callable

import pytest

from ballot_helpers import every_contest, one_hand
from scrutineer.ballots.encrypt import Encryptor
from scrutineer.station.voting import pad_store
from scrutineer.station.voting.pad_store import PadStore

KEYS = one_hand(every_contest()).keys


def waited(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def full(store: PadStore) -> bool:
    return store.ready(1) == store.ready(2) == 2


def test_pads_are_made_again_and_handed_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pad_store, "_REST", 0.01)
    store = PadStore(Encryptor(KEYS, window=5), [1, 2])
    assert store.take(1) is None
    store.start()
    taken = []
    for _ in range(3):
        assert waited(lambda: full(store))
        taken += [store.take(1), store.take(2)]
    assert [pad.style for pad in taken if pad is not None] == [1, 2] * 3
    assert len({id(pad) for pad in taken}) == 6
    store.stop()
    assert store.ready(1) == store.ready(2) == 0
    assert store.take(1) is None


def test_none_is_made_while_a_ballot_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    store = PadStore(Encryptor(KEYS, window=5), [1, 2])
    store.start()
    assert waited(lambda: full(store))
    monkeypatch.setattr(pad_store, "_REST", 600.0)
    store.take(1)
    assert not waited(lambda: full(store), 0.5)  # making one takes a tenth of that
    store.stop()
    thread = store._thread
    assert thread is None or waited(lambda: not thread.is_alive())  # it does not sleep through the end of the day
