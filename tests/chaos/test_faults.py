"""One system call of commit or publish fails, in eight ways: nothing is lost, nothing is in twice, no reader sees a fork.

A sample of all places; `bench/bench_faults.py` goes through every one.
"""

import random
from collections.abc import Iterator

import pytest

from fault_runs import LIVES, Fault, Runs

CASES = 24  # of each life


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("faults"))
    yield runs
    runs.close()


@pytest.mark.parametrize("life", range(len(LIVES)))
def test_a_life_under_faults(runs: Runs, life: int) -> None:
    undisturbed = runs.run(life, Fault.NONE, 0)
    assert undisturbed.troubles == []
    assert len(undisturbed.places) == 9
    assert undisturbed.published[-1] == 9
    runs.check(undisturbed, whole=True)
    dice = random.Random(life)
    disturbed = 0
    for fault in Fault:
        for call in dice.sample(range(1, undisturbed.calls + 1), CASES // 8):
            if fault is not Fault.NONE:
                told = runs.run(life, fault, call)
                runs.check(told, whole=call % 5 == 0)
                disturbed += told != undisturbed
    # A short write is no failure, and a failed removal of a temporary file is none either; everything else is told.
    assert disturbed >= CASES * 2 // 3


def test_a_kill_is_a_kill(runs: Runs) -> None:
    told = runs.run(0, Fault.KILL_BEFORE, 1)
    assert told.calls == 0
    assert told.places == {}
