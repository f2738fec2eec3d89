"""Random numbers: pinned values, ranges, moments."""

import numpy as np
import pytest

from scrutineer.simulate.draws import Draws


def test_the_stream_is_pinned() -> None:
    draws = Draws(1, "test")
    assert [hex(word) for word in draws.words(2).tolist()] == ["0x43888ea44dd8edbd", "0x5b8541d01aefd1ba"]
    assert draws.below(1_000, 5).tolist() == [165, 887, 901, 956, 38]
    assert draws.bell(2).tolist() == [-1.0806882152390518, -1.7738721357401486]
    assert draws.order(6).tolist() == [1, 3, 2, 5, 4, 0]
    assert draws.share(np.array([700, 80, 0]), np.array([0.3, 0.5, 0.5]), 0.01).tolist() == [187, 37, 0]


def test_purposes_do_not_disturb_each_other() -> None:
    assert Draws(1, "a").words(4).tolist() != Draws(1, "b").words(4).tolist()
    assert Draws(1, "a").words(4).tolist() == Draws(1, "a").words(4).tolist()


def test_between_reaches_both_ends() -> None:
    assert set(Draws(1, "ends").between(3, 5, 200).tolist()) == {3, 4, 5}


def test_order_holds_every_number_once() -> None:
    assert sorted(Draws(2, "order").order(500).tolist()) == list(range(500))


def test_bell_has_the_moments_it_says() -> None:
    numbers = Draws(3, "bell").bell(400_000)
    assert abs(float(numbers.mean())) < 0.01
    assert abs(float(numbers.std()) - 1.0) < 0.01
    assert float(np.abs(numbers).max()) <= 3.5


@pytest.mark.parametrize("spread", [0.0, 0.01])
def test_share_has_the_moments_of_the_beta_binomial(spread: float) -> None:
    total = np.full(200_000, 500)
    drawn = Draws(4, "share").share(total, np.full(200_000, 0.3), spread)
    assert abs(float(drawn.mean()) - 150.0) < 0.5
    expected = 500 * 0.3 * 0.7 * (1 + spread * 499)
    assert abs(float(drawn.var()) / expected - 1.0) < 0.02


@pytest.mark.parametrize("part", [0.0, 1.0])
def test_share_of_nothing_and_of_all(part: float) -> None:
    total = np.array([0, 1, 500])
    assert Draws(5, "ends").share(total, np.full(3, part), 0.5).tolist() == (total * int(part)).tolist()


def test_divide_gives_away_everything() -> None:
    total = Draws(6, "total").below(1_000, 5_000)
    vectors = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    rows = Draws(6, "divide").divide(total, vectors, np.arange(5_000) % 2, 0.01)
    assert np.array_equal(rows.sum(axis=1), total)
    assert int(rows.min()) >= 0
    assert not rows[1::2, :2].any()
    shares = rows[::2].sum(axis=0) / int(rows[::2].sum())
    assert np.abs(shares - vectors[0]).max() < 0.01
