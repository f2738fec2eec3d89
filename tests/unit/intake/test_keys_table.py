"""The compact table of keys holds exactly the register."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_helpers import AGENT, AUTHORITIES, republic, station_key
from scrutineer.election import Issuer, Register
from scrutineer.intake.keys_table import KeysTable, key_number
from scrutineer.statements import SigningKey

LAND = republic(40)


def test_knows_every_key_by_its_issuer_and_no_other() -> None:
    table = KeysTable.of(LAND.election.register)
    places = set()
    for station in LAND.stations:
        place = table.find(key_number(f"station/{station}".encode(), station_key(station).kid))
        assert place >= 0
        places.add(place)
    for name, key in (("agent/heron", AGENT), *((f"authority/{n}", key) for n, key in enumerate(AUTHORITIES))):
        place = table.find(key_number(name.encode(), key.kid))
        assert 0 <= place < table.places
        places.add(place)
    assert len(places) == len(LAND.stations) + 4
    assert table.find(key_number(b"station/n2", station_key("n1").kid)) == -1
    assert table.find(key_number(b"station/n1", SigningKey(b"x" * 32).kid)) == -1
    assert table.knows(b"station/n1")
    assert table.knows(b"agent/heron")
    assert not table.knows(b"station/n99")
    assert not table.knows(b"station/n1 ")


def test_stations_without_a_key_and_second_keys() -> None:
    second, old = SigningKey(b"2" * 32), SigningKey(b"3" * 32, "ml-dsa-44")
    register = Register(
        {"a": 0, "b": 1},
        bytes(32) + SigningKey(b"1" * 32).public_key,
        [
            Issuer("station/b", "station", second.public_key),
            Issuer("station/b", "station", old.public_key, "ml-dsa-44"),
        ],
    )
    heard: list[tuple[int, int]] = []
    table = KeysTable.of(register, lambda done, total: heard.append((done, total)))
    assert heard == [(2, 2)]
    assert not table.knows(b"station/a")
    assert table.knows(b"station/b")
    for key in (SigningKey(b"1" * 32), second, old):
        assert table.find(key_number(b"station/b", key.kid)) >= 0
        assert table.find(key_number(b"station/a", key.kid)) == -1


def test_an_empty_register() -> None:
    table = KeysTable.of(Register({}, b"", ()))
    assert table.find(1) == -1
    assert table.find(2**64 - 1) == -1


@given(st.sets(st.integers(1, 2**64 - 1), max_size=300), st.sets(st.integers(1, 2**64 - 1), max_size=50))
def test_finds_what_it_was_given(numbers: set[int], others: set[int]) -> None:
    table = KeysTable(np.array(sorted(numbers), np.uint64))
    places = {table.find(number) for number in numbers}
    assert len(places) == len(numbers)
    assert -1 not in places
    for other in others - numbers:
        assert table.find(other) == -1


@pytest.mark.parametrize("near", [0, 2**63, 2**64 - 500])
def test_numbers_that_crowd_together(near: int) -> None:
    """The worst that chance could do: everyone wants the same place, also at the table's end."""
    numbers = [max(1, near + n) for n in range(400)]
    random.Random(1).shuffle(numbers)
    table = KeysTable(np.array(numbers, np.uint64))
    assert len({table.find(number) for number in numbers}) == len(set(numbers))
    assert table.find(near + 450) == -1


def test_a_country_fits_in_thirty_megabytes() -> None:
    count = 1_050_000
    numbers = np.random.default_rng(1).integers(1, 2**64 - 1, 2 * count, np.uint64)  # keys, and their issuers' names
    table = KeysTable(numbers)
    assert table.nbytes + table.places <= 30_000_000
    assert all(table.find(int(number)) >= 0 for number in numbers[:1_000])
