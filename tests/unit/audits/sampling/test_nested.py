"""The nested draw: each contest at its own rate, and of every contest the first cards of a random order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling.canonical import draw_cards
from scrutineer.audits.sampling.nested import MAX_WEIGHT, counting, draw_nested, drawable
from scrutineer.errors import AuditError

SEED = "20271503141592653589"
BOXES = Manifest.of((("dunlin", 30), ("heron", 50), ("kite", 20), ("teal", 40)))


def weights(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_with_the_same_weight_everywhere_it_is_the_canonical_draw() -> None:
    drawn = draw_nested(SEED, BOXES, weights(1, 1, 1, 1), 60)
    assert drawn == draw_cards(SEED, BOXES, 60, replacement=False)


def test_cards_come_by_number_over_weight() -> None:
    by_box = dict(zip(BOXES.boxes, (3, 1, 0, 7), strict=True))
    everything = draw_cards(SEED, BOXES, BOXES.total, replacement=False).tickets
    keys = {each: (int(each.number, 16) // by_box[each.box], int(each.number, 16)) for each in everything if by_box[each.box]}
    drawn = draw_nested(SEED, BOXES, weights(3, 1, 0, 7), 70)
    assert list(drawn.tickets) == sorted(keys, key=keys.__getitem__)[:70]
    assert drawable(BOXES, weights(3, 1, 0, 7)) == 120


@given(
    st.lists(st.sampled_from([1, 2, 3, 1000, MAX_WEIGHT]), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4).filter(any),
    st.integers(0, 140),
    st.integers(0, 10**6),
)
def test_what_counts_is_the_beginning_of_the_order_of_all_cards_of_the_contest(
    rates: list[int], holding: list[bool], count: int, number: int
) -> None:
    holds = np.array(holding)
    seed = f"{number:020d}"
    drawn = draw_nested(seed, BOXES, weights(*rates), count)
    held = {box for box, own in zip(BOXES.boxes, holding, strict=True) if own}
    order = [each for each in draw_cards(seed, BOXES, BOXES.total, replacement=False).tickets if each.box in held]
    found = list(counting(drawn, BOXES, weights(*rates), holds))
    assert found == order[: len(found)]
    if count == BOXES.total:
        assert found == order
    more = draw_nested(seed, BOXES, weights(*rates), min(count + 10, BOXES.total))
    assert more.tickets[:count] == drawn.tickets
    assert list(counting(more, BOXES, weights(*rates), holds))[: len(found)] == found


def test_with_one_weight_all_that_is_drawn_of_a_contest_counts() -> None:
    holds = np.array([True, False, True, True])
    drawn = draw_nested(SEED, BOXES, weights(5, 5, 5, 5), 50)
    assert len(counting(drawn, BOXES, weights(5, 5, 5, 5), holds)) == sum(each.box != "heron" for each in drawn.tickets)


def test_a_contest_with_cards_that_are_never_drawn_gets_none_that_count() -> None:
    drawn = draw_nested(SEED, BOXES, weights(1, 0, 1, 1), 50)
    assert not counting(drawn, BOXES, weights(1, 0, 1, 1), np.array([True, True, False, False]))
    assert counting(drawn, BOXES, weights(1, 0, 1, 1), np.array([True, False, False, False]))


def test_twice_the_weight_gives_twice_the_cards() -> None:
    alike = Manifest.of((("kite", 500), ("teal", 500)))
    counts = [
        sum(each.box == "kite" for each in draw_nested(f"{seed:020d}", alike, weights(2, 1), 90).tickets) for seed in range(400)
    ]
    # 60 are expected; of 400 draws the mean is within 0.9 of it but for one in 10,000.
    assert np.mean(counts) == pytest.approx(60, abs=0.9)


@pytest.mark.parametrize("wrong", [weights(1, 1, 1), weights(1, 1, 1, -1), weights(1, 1, 1, MAX_WEIGHT + 1)])
def test_weights_that_are_none(wrong: np.ndarray) -> None:
    with pytest.raises(AuditError, match="has a weight from 0"):
        draw_nested(SEED, BOXES, wrong, 1)


def test_more_cards_than_can_be_drawn() -> None:
    with pytest.raises(AuditError, match="121 cards cannot be drawn from 120"):
        draw_nested(SEED, BOXES, weights(1, 1, 0, 1), 121)
    assert not draw_nested(SEED, BOXES, weights(0, 0, 0, 0), 0).tickets
