"""Nights of the invented republic with a wrong outcome planted in the sheets, and the audits that are planned from them.

In some stations the sheets give what the true winner has to the runner-up, so that the published winner is the wrong one. The
votes that were cast are moved so far that the plant is enough: one per cent of the stations does not hold the votes for a lead of
some per cent. A true lead of one vote is the hardest, as no more is wrong then than has to be.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from count_helpers import key_of
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import BOX_DESIGNS, PlanDesign
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.count import Count
from scrutineer.election import LogIdentity
from scrutineer.simulate import Simulation, open_republic, sign_arrivals, simulate_republic
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import BoxTotals

STATIONS = 1_000
SHARES = (0.01, 0.02, 0.05)
LOG = LogIdentity("birds.example/log", ("birds.example/log+00000000+AQ==",))
HASH = bytes(32)
OTHERS = ("harbour", "speaker")

Plant = Literal["votes", "boxes"]
"""The sheets give the votes of the first to the second; or boxes full of the first's votes are told as full of the second's."""


@dataclass(frozen=True, eq=False)
class Night:
    """What the sheets say (the boxes of the republic), and what is found for president when boxes are opened."""

    sheets: Simulation
    found: NDArray[np.int32]
    wrong: tuple[int, ...] = ()
    """Stations whose sheets were planted."""
    lost: frozenset[int] = field(default_factory=frozenset)
    """Stations whose boxes nobody finds."""
    contests: tuple[str, ...] = ("president",)


@cache
def republic(choice: Literal["president", "all"]) -> Simulation:
    return simulate_republic(STATIONS, 7, contests=choice, disturbances=())


def first_two(votes: NDArray[np.int32]) -> tuple[int, int]:
    first, second = np.argsort(-votes.sum(axis=0), kind="stable")[:2].tolist()
    return first, second


@cache
def planted(share: float, plant: Plant, lead: float = 0.0, others: tuple[str, ...] = ()) -> Night:
    """The first loses to the second on the sheets. `lead`: by how much the first leads in truth, as a part of all that moves."""
    real = republic("all" if others else "president")
    cast = real.boxes[0].votes.copy()
    chosen = np.random.default_rng(round(1000 * share)).choice(STATIONS, round(share * STATIONS), replace=False)
    first, second = first_two(cast)
    if plant == "boxes":
        total = cast[chosen].sum(axis=1)
        cast[chosen] = 0
        cast[chosen, first] = total
    moving = 2 * int(cast[chosen, first].sum())
    elsewhere = np.setdiff1d(np.arange(STATIONS), chosen)
    surplus = int((cast[:, first] - cast[:, second]).sum()) - max(1, round(lead * moving))
    part = np.floor(cast[elsewhere, first] * (surplus / 2 / cast[elsewhere, first].sum())).astype(np.int32)
    part[: surplus // 2 - int(part.sum())] += 1
    cast[elsewhere, first] -= part
    cast[elsewhere, second] += part
    told = cast.copy()
    told[chosen, second] += told[chosen, first]
    told[chosen, first] = 0
    sheets = replace(real, boxes=(replace(real.boxes[0], votes=told), *real.boxes[1:]))
    return Night(sheets, cast, tuple(sorted(chosen.tolist())), contests=("president", *others))


@cache
def honest() -> Night:
    """The sheets say what was cast."""
    real = republic("president")
    return Night(real, real.boxes[0].votes)


@cache
def clerical() -> Night:
    """In a tenth of the boxes people find up to three votes more or fewer for the winner, in some twenty; two are never found."""
    night, chance = honest(), np.random.default_rng(1)
    first, second = first_two(night.found)
    found = night.found.copy()
    for station in chance.choice(STATIONS, STATIONS // 10, replace=False).tolist():
        moved = int(chance.integers(-3, 4)) if station % 10 else 20
        moved = min(moved, int(found[station, first]))
        found[station, first] -= moved
        found[station, second] = max(0, int(found[station, second]) + moved)
    return replace(night, found=found, lost=frozenset({123, 456}))


@cache
def plan_of(night: Night, design: PlanDesign) -> PlanFiles:
    """The plan from the count of the signed sheets; for designs of single cards with a manifest that has as many as these say."""
    opened = open_republic(night.sheets, key_of, LOG)
    count = Count(opened.election)
    count.apply([opened.definition, *sign_arrivals(night.sheets.sheets(opened.election.hash), key_of)])
    extra: dict[str, Any] = {}
    if design not in BOX_DESIGNS:
        units, cards = night.sheets.units, night.sheets.boxes[0].ballots
        boxes = ((units.ids[units.station_units[station]], int(cards[station])) for station in range(STATIONS))
        extra = {"manifest": Manifest.of(sorted(boxes)), "replacement": True}
    made = make_plan(count, HASH, name="boxes", design=design, contests=night.contests, **extra)
    return open_files(made.plan, made.files)


@cache
def seen_in(night: Night) -> Seen:
    """What is found in all boxes."""
    units = night.sheets.units
    counts = []
    for station in range(STATIONS):
        totals = []
        for boxes in night.sheets.boxes:
            if boxes.contest.id in night.contests:
                votes = night.found[station] if boxes.contest.id == "president" else boxes.votes[station]
                blank, null, cards = (int(column[station]) for column in (boxes.blank, boxes.null, boxes.ballots))
                given = tuple(votes.tolist())
                totals.append(BoxTotals(contest=boxes.contest.id, counts=given, blank=blank, null=null, cards=cards))
        lost = station in night.lost
        count = AuditCount(
            election=HASH,
            plan=HASH,
            box=units.ids[units.station_units[station]],
            status="missing" if lost else "counted",
            totals=() if lost else tuple(sorted(totals, key=lambda each: each.contest)),
            counted_by=("Dipper", "Wren"),
        )
        counts.append(Counted(station.to_bytes(32, "big"), count))
    return resolve(counts)
