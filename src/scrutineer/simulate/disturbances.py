"""What goes wrong in the invented republic, at stations that are known: few enough not to decide the election."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args

from scrutineer.errors import UsageError
from scrutineer.simulate.draws import Draws

DisturbanceKind = Literal[
    "slip",
    "above-roll",
    "duplicate",
    "conflict",
    "before-opening",
    "missing",
    "full-turnout",
    "all-zero",
    "revoked-key",
]
DISTURBANCES: Final[tuple[DisturbanceKind, ...]] = get_args(DisturbanceKind)

CLEARABLE: Final = frozenset({"slip", "conflict"})
"""Kinds of which the authority clears the first half, rounded up, near the end."""
HARMLESS: Final = frozenset({"duplicate", "full-turnout"})
"""Kinds that are noted and change no total."""
WHOLE_STATION: Final = frozenset({"before-opening", "missing", "revoked-key"})
"""Kinds that concern a station's sheets of every contest; the others concern the sheet for president."""

RULE_OF_KIND: Final[dict[DisturbanceKind, str]] = {
    "slip": "sum",
    "above-roll": "above-roll",
    "duplicate": "duplicate",
    "conflict": "conflict",
    "before-opening": "before-opening",
    "full-turnout": "full-turnout",
    "all-zero": "all-zero",
    "revoked-key": "revoked-key",
}
"""The rule of the count that notices each kind. Missing sheets are outstanding."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that goes wrong at one station."""

    kind: DisturbanceKind
    station: int
    """Station number."""
    station_id: str
    cleared: bool
    """Whether the authority decides on it before the end, so that the true figures count."""

    def holds_back(self, president: bool) -> bool:
        """Whether the station stays out of the totals of the contest for president, or of any other contest."""
        if self.kind in HARMLESS or self.cleared:
            return False
        return president or self.kind in WHOLE_STATION


def choose_disturbances(
    station_ids: list[str], seed: int, kinds: Collection[DisturbanceKind] = DISTURBANCES
) -> tuple[Disturbance, ...]:
    """About 0.3 % of the stations, each with one disturbance, the kinds in equal parts.

    In a small country it is one station of each kind, but never more than one station in ten. Raises UsageError for a kind
    that does not exist.
    """
    for kind in kinds:
        if kind not in DISTURBANCES:
            raise UsageError(f"there is no disturbance {kind!r}: use {', '.join(DISTURBANCES)}")
    chosen = [kind for kind in DISTURBANCES if kind in kinds]
    if not chosen:
        return ()
    size = len(station_ids)
    total = max(size * 3 // 1_000, min(len(chosen), size // 10))
    stations = Draws(seed, "disturbances").order(size)[:total].tolist()
    disturbances = []
    for number, station in enumerate(stations):
        kind = chosen[number % len(chosen)]
        of_kind = (total - 1 - number % len(chosen)) // len(chosen) + 1
        cleared = kind in CLEARABLE and number // len(chosen) < (of_kind + 1) // 2
        disturbances.append(Disturbance(kind, station, station_ids[station], cleared))
    return tuple(disturbances)
