"""Invented places: a country of uneven regions, provinces, districts and centres, with names that no map has."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scrutineer.election import UNKNOWN, Units
from scrutineer.errors import UsageError
from scrutineer.simulate.draws import Draws, Floats, Ints

SMALLEST_ROLL: Final = 80
LARGEST_ROLL: Final = 1_000
MAX_STATIONS: Final = 4_000_000
KINDS: Final = ("country", "region", "province", "district", "centre", "station")
COUNTRY_ID: Final = "avia"
COUNTRY_NAME: Final = "Republic of Avia"

_DIGITS: Final = (2, 2, 3, 3, 1)  # of the numbers in an id such as 03-07-012-004-2; longer where there are more
_FIRST: Final = (
    *("Ald", "Bren", "Cor", "Dul", "Elm", "Fenn", "Gar", "Hol", "Ister", "Jun", "Kel", "Lorn"),
    *("Mar", "Nev", "Orr", "Pell", "Quor", "Rav", "Sel", "Torv", "Ulm", "Vann", "Wes", "Yar"),
)
_SECOND: Final = ("a", "en", "i", "o", "er", "ul", "ath", "im", "ond", "e", "il", "ell", "ar")
_LAST: Final = ("mere", "wick", "dale", "holm", "brook", "fell", "moor", "haven", "ridge", "marsh", "strand")
_LANDSCAPES: Final = ("Coast", "Plain", "Highlands", "Lakes", "Forest", "Valleys", "Delta", "Steppe", "Islands", "Hills")
_TREES: Final = ("Alder", "Birch", "Chestnut", "Elder", "Hazel", "Juniper", "Larch", "Linden", "Maple", "Rowan", "Willow")
_HOUSES: Final = ("School", "Library", "Town Hall", "Market Hall", "Gymnasium", "Reading Room", "Granary", "Ferry House")
_SCATTER: Final = 2_654_435_761  # a prime: multiplying with it visits every combination of syllables once


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The units, and what the simulation knows of each station besides. Stations are numbered as in the units."""

    units: Units
    region_ids: tuple[str, ...]
    region: Ints
    """Number of each station's region."""
    region_remoteness: Floats
    """From -1 (around the capital) to 1 (the far end of the country), by region."""
    remoteness: Floats
    """From 0 (city) to 1 (far from any road), by station."""

    @property
    def rolls(self) -> Ints:
        """The roll of each station."""
        return self.units.rolls


def invent_places(stations: int, voters: int, seed: int) -> Places:
    """A country with so many stations and exactly so many voters; its rolls lie between 80 and 1,000.

    Raises UsageError where the voters cannot be divided so, and for fewer than one or too many stations.
    """
    if not 1 <= stations <= MAX_STATIONS:
        raise UsageError(f"{stations} stations cannot be simulated: ask for 1 to {MAX_STATIONS}")
    if not SMALLEST_ROLL * stations <= voters <= LARGEST_ROLL * stations:
        raise UsageError(
            f"{voters} voters do not fit {stations} stations: ask for {SMALLEST_ROLL * stations} to {LARGEST_ROLL * stations}, "
            f"since every station has {SMALLEST_ROLL} to {LARGEST_ROLL}"
        )
    draws = Draws(seed, "places")
    # A very large country has larger units, not only more of them.
    large = stations > 200_000
    centre = _groups(draws, stations, 1, 25 if large else 9)
    district = _groups(draws, int(centre[-1]) + 1, 4, 40 if large else 18)
    province = _groups(draws, int(district[-1]) + 1, 3, 40 if large else 15)
    provinces = int(province[-1]) + 1
    region = _groups(draws, provinces, max(1, provinces // 20), max(3, provinces // 6))
    regions = int(region[-1]) + 1

    steps = np.arange(regions) / max(1, regions - 1)
    region_remoteness: Floats = (2.0 * steps - 1.0)[draws.order(regions)] if regions > 1 else np.zeros(1)
    district_remoteness = draws.below(1_001, len(province)) / 1_000.0
    of_district = district[centre]
    of_region = region[province[of_district]]
    remoteness = 0.25 * (region_remoteness[of_region] + 1.0) + 0.5 * district_remoteness[of_district]
    rolls = _rolls(draws, remoteness, voters)
    units, region_ids = _units((region, province, district, centre), rolls)
    return Places(units, region_ids, of_region, region_remoteness, remoteness)


def _groups(draws: Draws, members: int, low: int, high: int) -> Ints:
    """Number of the group of each member: runs of `low` to `high` members, small ones more often, the last one shorter."""
    starts: list[int] = []
    at = 0
    while at < members:
        sizes = low + (draws.below(1_000, 64) * draws.below(1_000, 64) * (high - low + 1) // 1_000_000 if high > low else 0)
        for size in np.broadcast_to(sizes, 64).tolist():
            starts.append(at)
            at += size
            if at >= members:
                break
    marks = np.zeros(members, dtype=np.int64)
    marks[starts[1:]] = 1
    return np.cumsum(marks)


def _rolls(draws: Draws, remoteness: Floats, voters: int) -> Ints:
    lowest = SMALLEST_ROLL + np.floor((1.0 - remoteness) * 500.0).astype(np.int64)
    rolls = lowest + draws.below(1_001, len(remoteness)) * (LARGEST_ROLL - lowest) // 1_000
    while missing := voters - int(rolls.sum()):
        room = LARGEST_ROLL - rolls if missing > 0 else rolls - SMALLEST_ROLL
        movable = np.flatnonzero(room > 0)
        if abs(missing) < len(movable):
            movable = movable[: abs(missing)]
        step = np.minimum(room[movable], abs(missing) // len(movable))
        rolls[movable] += step if missing > 0 else -step
    return rolls


def _units(parents: tuple[Ints, ...], rolls: Ints) -> tuple[Units, tuple[str, ...]]:
    """Units in pre-order from the group numbers of each level: provinces by region, …, stations by centre."""
    # numbers[level][i]: the number of a unit within the unit above it, counted from 1; the regions come first.
    numbers = [np.arange(int(parents[0][-1]) + 1) + 1]
    numbers += [np.arange(len(above)) - np.searchsorted(above, above) + 1 for above in parents]
    level_numbers = [column.tolist() for column in numbers]
    above_of = [[-1] * len(numbers[0]), *(above.tolist() for above in parents)]
    ids, above_ids, names, kinds, unit_rolls = [COUNTRY_ID], [""], [COUNTRY_NAME], [KINDS[0]], [UNKNOWN]
    current = [-1] * len(above_of)
    current_ids = [COUNTRY_ID] + [""] * len(above_of)
    region_ids: list[str] = []
    last = len(above_of) - 1
    for station, roll in enumerate(rolls.tolist()):
        chain = [station]
        for level in range(last, 0, -1):
            if current[level - 1] == (above := above_of[level][chain[-1]]):
                break
            chain.append(above)
        for member, level in zip(reversed(chain), range(last + 1 - len(chain), last + 1), strict=True):
            number = level_numbers[level][member]
            text = str(number).zfill(_DIGITS[level])
            unit_id = text if level == 0 else f"{current_ids[level]}-{text}"
            current[level] = member
            ids.append(unit_id)
            above_ids.append(current_ids[level])
            current_ids[level + 1] = unit_id
            names.append(_name(level, member, number))
            kinds.append(KINDS[level + 1])
            unit_rolls.append(roll if level == last else UNKNOWN)
            if level == 0:
                region_ids.append(unit_id)
    return Units.from_columns(ids, above_ids, names, kinds, np.array(unit_rolls, dtype=np.int64)), tuple(region_ids)


def _name(level: int, member: int, number: int) -> str:
    if level == 4:
        return f"Station {number}"
    key = (member + 1) * _SCATTER * (level + 1)
    if level == 3:
        return f"{_TREES[key % len(_TREES)]} {_HOUSES[key // len(_TREES) % len(_HOUSES)]}"
    key %= len(_FIRST) * len(_SECOND) * len(_LAST)
    first, key = _FIRST[key % len(_FIRST)], key // len(_FIRST)
    second, key = _SECOND[key % len(_SECOND)], key // len(_SECOND)
    if level == 0:
        return f"{first}{second} {_LANDSCAPES[member % len(_LANDSCAPES)]}"
    return f"{first}{second}{_LAST[key % len(_LAST)]}"
