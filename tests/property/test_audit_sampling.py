"""What any draw has to be: a function of the committed bytes alone, the start of every larger draw, and fair."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling.canonical import card_numbers, draw_boxes, draw_boxes_uniformly, draw_cards
from scrutineer.audits.sampling.ppeb import draw_by_weights

UNTIMED = settings(deadline=None)
SEEDS = st.text("0123456789", min_size=20, max_size=40)
NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=["Cc", "Cf", "Zs"]), min_size=1, max_size=9
)
SIZES = st.dictionaries(NAMES, st.integers(0, 12), min_size=1, max_size=12).filter(lambda sizes: sum(sizes.values()) > 0)


def be8(number: int) -> bytes:
    return number.to_bytes(8, "big")


def text(value: str) -> bytes:
    return be8(len(value.encode())) + value.encode()


def plain_uniform(purpose: str, seed: str, context: bytes, sizes: list[tuple[str, int]], draw: int) -> tuple[str, int]:
    """Box and rest of one draw, as the description says it."""
    total = sum(size for _, size in sizes)
    attempt = 0
    while True:
        number = int.from_bytes(sha256(text(purpose) + text(seed) + context + be8(draw) + be8(attempt)).digest(), "big")
        if number < total * (2**256 // total):
            break
        attempt += 1
    rest = number % total
    for name, size in sizes:
        if rest < size:
            return name, rest
        rest -= size
    raise AssertionError("a rest below the total lies in some box")


@UNTIMED
@given(SIZES, SEEDS, st.integers(0, 30), st.randoms(use_true_random=False))
def test_boxes_are_drawn_alike_in_any_order_of_rows(sizes, seed, count, chance):
    rows = list(sizes.items())
    chance.shuffle(rows)
    sample = draw_boxes(seed, np.array([size for _, size in rows]), [name for name, _ in rows], count)
    ordered = sorted(sizes.items(), key=lambda row: row[0].encode())
    expected = [plain_uniform("scrutineer audit: boxes", seed, b"", ordered, draw)[0] for draw in range(1, count + 1)]
    assert [ticket.box for ticket in sample.tickets] == expected
    assert all(sizes[ticket.box] > 0 for ticket in sample.tickets), "a box without a bound is never drawn"
    for at, ticket in enumerate(sample.tickets, 1):
        assert ticket.time == expected[:at].count(ticket.box)


@UNTIMED
@given(SIZES, SEEDS, st.randoms(use_true_random=False))
def test_cards_are_drawn_alike_in_any_order_of_rows(sizes, seed, chance):
    rows = list(sizes.items())
    chance.shuffle(rows)
    manifest = Manifest.of(rows)
    numbered = []
    for name, cards in sizes.items():
        key = sha256(text("scrutineer audit: cards of a box") + text(seed) + manifest.hash + text(name)).digest()
        numbered += [(sha256(key + be8(place)).hexdigest(), name, place) for place in range(1, cards + 1)]
    sample = draw_cards(seed, manifest, manifest.total, replacement=False)
    assert [(ticket.number, ticket.box, ticket.position) for ticket in sample.tickets] == sorted(numbered)
    ordered = sorted(sizes.items(), key=lambda row: row[0].encode())
    drawn = [plain_uniform("scrutineer audit: cards", seed, manifest.hash, ordered, draw) for draw in range(1, 21)]
    again = draw_cards(seed, manifest, 20, replacement=True)
    assert [(ticket.box, ticket.position - 1) for ticket in again.tickets] == drawn


@UNTIMED
@given(SIZES, SEEDS, st.data())
def test_a_larger_sample_begins_with_the_smaller_one(sizes, seed, data):
    manifest = Manifest.of(sizes.items())
    small = data.draw(st.integers(0, manifest.total))
    large = data.draw(st.integers(small, manifest.total))
    bounds = np.array(list(sizes.values()))
    for draw in (
        lambda count: draw_cards(seed, manifest, count, replacement=False),
        lambda count: draw_cards(seed, manifest, count, replacement=True),
        lambda count: draw_boxes(seed, bounds, list(sizes), count),
        lambda count: draw_boxes_uniformly(seed, list(sizes), min(count, len(sizes))),
    ):
        first, both = draw(small), draw(large)
        assert both.tickets[: len(first)] == first.tickets


@UNTIMED
@given(SIZES, SEEDS, st.data())
def test_a_sample_of_some_cards_is_what_of_them_is_in_a_sample_of_all(sizes, seed, data):
    manifest = Manifest.of(sizes.items())
    among = np.array(data.draw(st.lists(st.booleans(), min_size=manifest.total, max_size=manifest.total)), bool)
    among[data.draw(st.integers(0, manifest.total - 1))] = True
    count = data.draw(st.integers(0, int(among.sum())))
    places, positions = manifest.boxes_of(np.flatnonzero(among) + 1)
    held = {(manifest.boxes[place], position) for place, position in zip(places.tolist(), positions.tolist(), strict=True)}
    every = draw_cards(seed, manifest, manifest.total, replacement=False)
    kept = [ticket for ticket in every.tickets if (ticket.box, ticket.position) in held]
    assert list(draw_cards(seed, manifest, count, replacement=False, among=among).tickets) == kept[:count]
    for ticket in draw_cards(seed, manifest, 20, replacement=True, among=among).tickets:
        assert (ticket.box, ticket.position) in held


# Chi-square is about normal for so many degrees of freedom; a fair draw is beyond four standard deviations once in 15,000 times.
def assert_fair(observed: np.ndarray, expected: np.ndarray) -> None:
    freedom = len(observed) - 1
    statistic = float(((observed - expected) ** 2 / expected).sum())
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom), f"chi-square {statistic:.1f} of {freedom}"


BOUNDS = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55, 89] * 5)
NAMED = [f"box {number:02}" for number in range(50)]


@pytest.mark.parametrize("seed", ["20260101202601012026", "31415926535897932384", "27182818284590452353"])
def test_every_unit_is_drawn_as_often_as_it_should(seed):
    draws = 40_000
    boxes = [int(ticket.box[4:]) for ticket in draw_boxes(seed, BOUNDS, NAMED, draws).tickets]
    assert_fair(np.bincount(boxes, minlength=50), draws * BOUNDS / BOUNDS.sum())

    manifest = Manifest.of(zip(NAMED, BOUNDS.tolist(), strict=True))
    cards = draw_cards(seed, manifest, draws, replacement=True)
    flat = np.array([manifest.ends[int(each.box[4:])] - each.position for each in cards.tickets])
    assert_fair(np.bincount(flat, minlength=manifest.total), np.full(manifest.total, draws / manifest.total))

    weights = (BOUNDS / BOUNDS.sum()).tolist()
    assert_fair(np.bincount(draw_by_weights(seed, weights, draws), minlength=50), draws * BOUNDS / BOUNDS.sum())


@pytest.mark.parametrize("seed", ["20260101202601012026", "31415926535897932384"])
def test_ticket_numbers_are_spread_evenly(seed):
    numbers = card_numbers(seed, Manifest.of((f"box {number:03}", 400) for number in range(500)))
    assert_fair(np.bincount((numbers >> np.uint64(54)).astype(int), minlength=1024), np.full(1024, len(numbers) / 1024))
    # The least of the numbers lie in all parts of the manifest.
    least = np.argsort(numbers)[:20_000]
    assert_fair(np.bincount(least // 2000, minlength=100), np.full(100, 200.0))


def test_of_two_boxes_alike_each_is_drawn_first_half_of_the_time():
    first = [draw_boxes_uniformly(f"{number:020}", ["a", "b", "c", "d"], 1).tickets[0].box for number in range(8000)]
    assert_fair(np.array([first.count(name) for name in "abcd"]), np.full(4, 2000.0))
