"""Counting by network in bounded memory."""

from scrutineer.intake.incidents.tally import LIMIT, Tally


def test_what_fits_is_counted_exactly() -> None:
    tally = Tally()
    for number in range(LIMIT):
        tally.add(number.to_bytes(3), number + 1)
    assert tally.elsewhere == 0
    assert tally.total == LIMIT * (LIMIT + 1) // 2
    assert tally.top(2) == [((LIMIT - 1).to_bytes(3), LIMIT), ((LIMIT - 2).to_bytes(3), LIMIT - 1)]


def test_equal_numbers_stand_in_the_order_of_their_names() -> None:
    tally = Tally()
    for name in (b"c", b"a", b"b"):
        tally.add(name)
    assert tally.top(2) == [(b"a", 1), (b"b", 1)]


def test_large_senders_are_seen_through_a_flood_of_small_ones() -> None:
    tally = Tally()
    for number in range(200_000):
        tally.add(number.to_bytes(3))
        if number % 20 == 0:
            tally.add(b"heron!")
    assert tally.total == 210_000
    assert len(tally.counts) <= LIMIT
    (name, count), *_ = tally.top(3)
    assert name == b"heron!"
    assert 10_000 - 2 * 210_000 / LIMIT <= count <= 10_000
