"""A station with a kiosk, and a voter before it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk_helpers import Station, served
from kiosk_voter import Voter


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "machine")
    yield made
    made.machine.stop()


@pytest.fixture
def voter(station: Station) -> Iterator[Voter]:
    with served(station.kiosk) as address:
        yield Voter(station, address)
