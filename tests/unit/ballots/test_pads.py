"""Pads: the same ballots as without, no power left to compute, and never two ballots from one."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from ballot_helpers import every_contest, one_contest, one_hand, seeded
from naive_ballots import Naive
from scrutineer.ballots.confirmation import chain_start, next_chain
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.pads import ElectionTables, Pad, PadParts
from scrutineer.ballots.tables import FixedBase
from scrutineer.errors import BallotError

KEYS = one_hand(one_contest(4, 2)).keys
CHAIN = next_chain(chain_start(KEYS, "heron 1")[1])
CHOICES = {1: ContestChoice((0, 1, 1, 0))}


def test_no_power_is_computed_when_the_voter_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Encryptor(KEYS, window=5)
    pad = maker.pad(1)
    asked: list[object] = []
    monkeypatch.setattr(FixedBase, "power", lambda self, exponent: asked.append(exponent))
    encrypted = maker.encrypt(1, CHOICES, CHAIN, pad)
    assert asked == []
    assert Naive(KEYS).ballot(encrypted.ballot) == []


def test_a_pad_serves_one_ballot() -> None:
    maker = Encryptor(KEYS, window=5)
    pad = maker.pad(1)
    states = [pad.used]
    maker.encrypt(1, CHOICES, CHAIN, pad)
    assert [*states, pad.used] == [False, True]
    with pytest.raises(BallotError, match="used for a ballot already"):
        maker.encrypt(1, CHOICES, CHAIN, pad)


def test_of_many_threads_one_gets_it() -> None:
    maker = Encryptor(KEYS, window=5)

    def attempt(pad: Pad) -> PadParts | None:
        try:
            return pad.take()
        except BallotError:
            return None

    with ThreadPoolExecutor(8) as pool:
        for pad in [maker.pad(1) for _ in range(30)]:
            taken = [parts for parts in pool.map(attempt, [pad] * 8) if parts is not None]
            assert len(taken) == 1


def test_a_pad_cannot_be_copied_or_written() -> None:
    pad = Encryptor(KEYS, window=5).pad(1)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(BallotError, match="cannot be copied or written"):
            attempt(pad)
    assert not pad.used


def test_nothing_secret_is_shown() -> None:
    pad = Encryptor(KEYS, window=5, random=seeded("shown")).pad(1)
    parts = pad.take()
    shown = repr(pad) + repr(parts) + repr(parts.contests[1]) + repr(parts.contests[1].bound)
    for secret in (repr(parts.nonce), str(parts.contests[1].fields[0].nonce), str(parts.contests[1].bound.randoms[0])):
        assert secret not in shown


def other_process(pad: Pad, answers: Any) -> None:
    try:
        pad.take()
        answers.put("taken")
    except BallotError as error:
        answers.put(str(error))


def test_a_pad_lives_in_one_process() -> None:
    """After a fork both processes hold the pad: only its maker may use it."""
    pad = Encryptor(KEYS, window=5).pad(1)
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    process = fork.Process(target=other_process, args=(pad, answers))
    process.start()
    assert "carried into another process" in answers.get()
    process.join()
    assert pad.take()


def test_a_pad_is_for_one_election_and_style() -> None:
    keys = one_hand(every_contest()).keys
    maker, other = Encryptor(keys, window=5), Encryptor(KEYS, window=5)
    short = {1: ContestChoice((1, 0, 0, 0, 0)), 4: ContestChoice((1, 0, 0, 0))}
    for pad in (maker.pad(1), other.pad(1)):
        with pytest.raises(BallotError, match="another election or ballot style"):
            maker.encrypt(2, short, CHAIN, pad)
        assert not pad.used
    with pytest.raises(BallotError, match="another election"):
        other.encrypt(1, CHOICES, CHAIN, maker.pad(1))


def test_every_value_of_every_field() -> None:
    """One pad for each way to mark a contest of two options with up to two votes each and three in all."""
    manifest = one_contest(2, 3)
    contest = msgspec.structs.replace(manifest.contests[0], option_limit=2)
    keys = one_hand(msgspec.structs.replace(manifest, contests=(contest,))).keys
    maker, naive = Encryptor(keys, window=5), Naive(keys)
    chain = next_chain(chain_start(keys, "heron 1")[1])
    for first in range(3):
        for second in range(3):
            if first + second <= 3:
                encrypted = maker.encrypt(1, {1: ContestChoice((first, second))}, chain, maker.pad(1))
                assert naive.ballot(encrypted.ballot) == []


def test_prepared_contests_without_data_refuse_them() -> None:
    parts = Encryptor(KEYS, window=5).pad(1).take()
    with pytest.raises(BallotError, match="no contest data"):
        parts.contest(1).seal(bytes(32))


def test_drawing_stands_aside() -> None:
    """Work in a thread is asked before each of its parts: the ballot nonce, every field, and the sum."""
    asked: list[int] = []
    Encryptor(KEYS, window=5).pad(1, lambda: asked.append(1))
    assert len(asked) == 1 + 4 + 1


@pytest.mark.parametrize(("window", "data"), [(5, 5), (8, 8), (12, 8), (16, 8)])
def test_the_key_of_ballot_data_has_a_small_table(window: int, data: int) -> None:
    tables = ElectionTables(KEYS, window)
    assert (tables.g.window, tables.vote.window, tables.data.window) == (window, window, data)
