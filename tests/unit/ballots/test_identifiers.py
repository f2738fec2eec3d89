"""Repeated identifiers are found among any number of ballots, in memory that does not grow with them."""

import random

import pytest

from scrutineer.ballots.identifiers import Identifiers, Repeated
from scrutineer.errors import BallotError


class Shelf:
    """A spill in memory that can be told to lose something."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}

    def append(self, part: int, data: bytes) -> None:
        self.parts[part] = self.parts.get(part, b"") + data

    def read(self, part: int) -> bytes:
        return self.parts.get(part, b"")


def filled(identifiers: Identifiers, count: int = 3000) -> list[bytes]:
    """Different identifiers of bundle 1, from line 1."""
    draw = random.Random(5)
    made = [draw.randbytes(32) for _ in range(count)]
    for line, one in enumerate(made, 1):
        identifiers.add(one, 1, line)
    return made


@pytest.mark.parametrize("limit", [1, 7, 1000, 2999, 3000, 3001, 10_000])
def test_every_repeated_identifier_is_found(limit: int) -> None:
    identifiers = Identifiers(Shelf(), limit)
    made = filled(identifiers, 300 if limit == 1 else 3000)
    identifiers.add(made[5], 2, 9)
    identifiers.add(made[0], 3, 1)
    assert sorted(identifiers.repeated()) == sorted([Repeated(made[5], 2, 9, 1, 6), Repeated(made[0], 3, 1, 1, 1)])


def test_different_identifiers_are_not_repeated() -> None:
    for spill in (None, Shelf()):
        identifiers = Identifiers(spill, 5000 if spill is None else 100)
        filled(identifiers)
        assert not list(identifiers.repeated())
        assert identifiers.count == 3000
    assert not list(Identifiers().repeated())


def test_identifiers_that_differ_in_one_byte_are_different() -> None:
    identifiers = Identifiers()
    for place in range(32):
        identifiers.add(bytes(place) + b"\1" + bytes(31 - place), 0, place)
    identifiers.add(bytes(32), 0, 99)
    assert not list(identifiers.repeated())


def test_one_identifier_many_times_takes_no_room() -> None:
    shelf = Shelf()
    identifiers = Identifiers(shelf, 100)
    for line in range(1, 5000):
        identifiers.add(b"\7" * 32, 0, line)
    assert list(identifiers.repeated())
    assert sum(map(len, shelf.parts.values())) < 100 * 40


def test_more_than_fit_without_a_spill_are_refused() -> None:
    identifiers = Identifiers(limit=10)
    with pytest.raises(BallotError, match="more than 10 ballots"):
        filled(identifiers, 11)


def test_a_spill_that_loses_something_is_noticed() -> None:
    shelf = Shelf()
    identifiers = Identifiers(shelf, 100)
    filled(identifiers)
    part = next(iter(shelf.parts))
    shelf.parts[part] = shelf.parts[part][40:]
    with pytest.raises(BallotError, match="came back changed"):
        list(identifiers.repeated())
