"""The nights on which calls are measured: sets of final figures, real and simulated, and the orders of reporting.

Real sets are read from the folder SCRUTINEER_DATA (default: ../shared/data); those that are not there are left out,
and said to be. Each night is a random sample of the stations of its set, drawn anew: an election of its own with its own end.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.simulate import simulate_republic
from scrutineer.simulate.draws import Ints
from scrutineer.simulate.nights import (
    FinalCount,
    Night,
    final_of_published,
    final_of_simulation,
    group_order,
    noisy_stations_first,
    random_order,
    recorded_order,
    region_blocks,
    regions_first,
    size_biased_order,
    stations_first,
)

DATA = Path(os.environ.get("SCRUTINEER_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
THIN = 6_000  # stations of a night, for sets that have more

Order = Callable[[FinalCount, np.random.Generator], Ints]


@dataclass(frozen=True)
class NightSet:
    """A final count, and how nights are made of it."""

    name: str
    final: FinalCount
    thin: int
    """Stations of each night."""
    group: Ints | None = None
    """By station, which announcement it was in: 0 the first."""
    baseline: bool = False

    def of_size(self, stations: int) -> "NightSet":
        """The same with nights of at most so many stations."""
        return replace(self, thin=min(stations, len(self.final.votes)))

    def night(self, order: str, seed: int, *, whole: bool = False) -> Night:
        """The night of an order and a seed."""
        rng = np.random.default_rng([seed, *order.encode(), *self.name.encode()])
        final = self.final
        if self.group is not None:
            # The group rides along as the time of reporting.
            final = replace(final, times=self.group)
        if not whole:
            final = final.thinned(self.thin, rng)
        if self.baseline:
            final = final.with_baseline(rng)
        return Night(final, ORDERS[order](final, rng))

    @property
    def orders(self) -> list[str]:
        """The orders that the set can report in."""
        has = {"as recorded": self.final.times is not None, "announcements": self.group is not None}
        return [name for name in ORDERS if has.get(name, True)]


def _of(place: int, order: Callable[[FinalCount, int, np.random.Generator], Ints]) -> Order:
    """An order that is good for the candidate in a place of the final ranking."""
    return lambda final, rng: order(final, final.ranking[place], rng)


def _times(final: FinalCount) -> Ints:
    if final.times is None:
        raise ValueError("this set has no recorded times")
    return final.times


def _noisy(strength: float) -> Callable[[FinalCount, int, np.random.Generator], Ints]:
    return lambda final, candidate, rng: noisy_stations_first(final, candidate, strength, rng)


ORDERS: dict[str, Order] = {
    "random": random_order,
    "small first": lambda final, rng: size_biased_order(final, rng, first="small"),
    "large first": lambda final, rng: size_biased_order(final, rng, first="large"),
    "small first, strictly": lambda final, rng: size_biased_order(final, rng, first="small", noise=0.05),
    "large first, strictly": lambda final, rng: size_biased_order(final, rng, first="large", noise=0.05),
    "region blocks": region_blocks,
    "rival's regions first": _of(1, regions_first),
    "rival's stations, 0.1": _of(1, _noisy(0.1)),
    "rival's stations, 0.2": _of(1, _noisy(0.2)),
    "rival's stations, 0.3": _of(1, _noisy(0.3)),
    "rival's stations, 0.5": _of(1, _noisy(0.5)),
    "rival's stations, 0.7": _of(1, _noisy(0.7)),
    "rival's stations, 0.9": _of(1, _noisy(0.9)),
    "rival's stations, strictly": _of(1, lambda final, candidate, _: stations_first(final, candidate)),
    "leader's regions first": _of(0, regions_first),
    "leader's stations, 0.3": _of(0, _noisy(0.3)),
    "leader's stations, 0.6": _of(0, _noisy(0.6)),
    "leader's stations, strictly": _of(0, lambda final, candidate, _: stations_first(final, candidate)),
    "third's stations, 0.6": _of(2, _noisy(0.6)),
    "as recorded": lambda final, _: recorded_order(_times(final)),
    "announcements": lambda final, rng: group_order(_times(final), rng),
}
"""The number behind a candidate's stations is the strength of the order: the correlation of share and what decides the order."""

_FILES = {
    "mexico": ("mexico-2018-quickcount/REMESAS0100020000.txt", "mexico-2018-quickcount", 1),
    "bolivia": ("bolivia-2019/computo_final.csv", "bolivia-2019-computo", 2),
    "venezuela": ("venezuela-2024/RESULTADOS_2024_CSV_V1.csv", "venezuela-2024-v1", 1),
    "poland": ("forensics/poland-2025-round1.csv", "poland-2025-round1", 1),
    "georgia": ("forensics/georgia-2013-president.csv", "georgia-2013", 1),
}
"""File, layout and the depth of the units that are the strata."""

_SIMULATED = {"avia-small": (2_000, 8), "avia-large": (8_000, 4)}
"""Stations and seed: leads of 3.0 and about 5 points."""

_REAL = ("mexico", "bolivia", "bolivia+baseline", "venezuela", "poland", "georgia")
NAMES = (*_REAL, "avia-small", "avia-large", "avia-large+baseline")


def load_set(name: str) -> NightSet | None:
    """A set by its name; None where its file is not there."""
    base, _, extra = name.partition("+")
    if base in _SIMULATED:
        final = final_of_simulation(simulate_republic(*_SIMULATED[base]))
        return NightSet(name, final, min(THIN, len(final.votes) * 9 // 10), baseline=bool(extra))
    path, layout, depth = _FILES[base]
    if not (DATA / path).exists():
        return None
    final = final_of_published(read_published(DATA / path, load_layout(layout)), depth)
    if base == "mexico":
        # The law asks for a plurality; a majority is asked besides, since early figures spoke against it.
        final = replace(final, contest=msgspec.structs.replace(final.contest, rule="majority", threshold="1/2"))
    group = None
    if base == "bolivia":
        states = [_stations(DATA / f"bolivia-2019/trep_{state}.csv") for state in ("2019-10-20T1940", "2019-10-21T1829")]
        group = np.array([next((n for n, known in enumerate(states) if s in known), 2) for s in final.stations], dtype=np.int64)
    if base == "poland":
        final = _by_voivodeship(final)
    # A tenth is left out even of small sets, so that nights of a strict order differ.
    thin = min(THIN, len(final.votes) * 9 // 10)
    return NightSet(name, final, thin, group=group, baseline=bool(extra))


def _stations(path: Path) -> set[str]:
    published = read_published(path, load_layout("bolivia-2019-trep"))
    return {sheet.station for sheet in published.sheets}


def _by_voivodeship(final: FinalCount) -> FinalCount:
    # The first two of the six digits of a county's code name its voivodeship; commissions abroad have none.
    digits = ["".join(filter(str.isdigit, name)) for name in final.strata]
    names = [text[:-4].zfill(2) if text else "abroad" for text in digits]
    strata = sorted(set(names))
    place = np.array([strata.index(name) for name in names], dtype=np.int32)
    return replace(final, stratum=place[final.stratum], strata=tuple(strata))
