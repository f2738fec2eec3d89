"""The generator against NumPy's own, which Arlo draws by."""

import random

import numpy as np
import pytest

from scrutineer.audits.sampling.pcg64 import Pcg64
from scrutineer.errors import AuditError

EDGES = [0, 1, 2**32 - 1, 2**32, 2**64, 2**96 + 5, 2**128 - 1, 2**128, 2**160 + 1, 2**256 - 1, 2**512 + 3]


@pytest.mark.parametrize("seed", EDGES)
def test_words_and_fractions_are_those_of_numpy(seed):
    ours, theirs = Pcg64(seed), np.random.PCG64(seed)
    assert [ours.next64() for _ in range(50)] == theirs.random_raw(50).tolist()
    ours, generator = Pcg64(seed), np.random.default_rng(seed)
    assert [ours.fraction() for _ in range(50)] == generator.random(50).tolist()


def test_seeds_of_all_lengths():
    chance = random.Random(20260101)
    for _ in range(500):
        seed = chance.getrandbits(chance.randrange(1, 520))
        assert Pcg64(seed).fraction() == np.random.default_rng(seed).random(), seed


def test_numbers_are_pinned():
    # numpy.random.PCG64(12345678901234567890).random_raw(3): printed alike by NumPy 1.26.4, which Arlo uses, and 2.4.6
    generator = Pcg64(12345678901234567890)
    assert [generator.next64() for _ in range(3)] == [77935276331132168, 12033622772062331548, 11213416055601313548]


def test_a_seed_below_zero_is_refused():
    with pytest.raises(AuditError, match="0 or more"):
        Pcg64(-1)
