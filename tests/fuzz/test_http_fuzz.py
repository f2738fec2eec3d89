"""A few thousand mutated streams of requests; fuzz_http.py runs as many as one likes."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("fuzz_http", Path(__file__).with_name("fuzz_http.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fuzz_http = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz_http)


def test_every_stream_is_answered_or_ended() -> None:
    statuses = fuzz_http.fuzz(2_000, seed=20_270_314)
    assert {100, 200, 400, 408, 413, 415, 431} <= set(statuses)


@pytest.mark.parametrize("seed", range(len(fuzz_http.SEEDS)))
def test_the_examples_are_answered(seed: int) -> None:
    import random

    assert fuzz_http.run_one(random.Random(1), fuzz_http.SEEDS[seed]) or seed == 1
