"""A wrong outcome that sheets hide by admitting too few cards, and plans by box that were given no manifest.

A sheet that admits one card of a full box makes its box one that could hardly be overstated, if the sheet were believed: it is
not drawn, and nobody looks. A plan takes the roll instead, and confirms such an outcome no more often than its risk limit says,
whenever somebody stops. The true result is a tie here, the wrong outcome that is hardest to see.
"""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Final

import numpy as np
import pytest

from count_helpers import PRESIDENT, ROLL, STATIONS, Ballots, make_election
from scrutineer.audits.counts import Counted, Seen, resolve
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import BOX_DESIGNS, PlanDesign
from scrutineer.audits.plan_make import make_plan
from scrutineer.audits.planned.boxes import BoxDesign
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.status import drawn_values, measure
from scrutineer.count import Count
from scrutineer.election import Contest
from scrutineer.statements import AuditCount
from scrutineer.statements.audit import BoxTotals

AUDITS: Final = 20_000
RISK_LIMIT: Final = 0.05
ALLOWED: Final = RISK_LIMIT + 3 * sqrt(RISK_LIMIT * (1 - RISK_LIMIT) / AUDITS)
DRAWS: Final = 150
"""Of one audit, after each of which somebody may stop: several times what a right outcome needs."""
COUNCIL: Final = Contest("council", "Council", "plurality", PRESIDENT.options, seats=2, max_choices=2)

Votes = tuple[int, int, int]


@dataclass(frozen=True)
class Box:
    """What the sheet of a station says, None where none was sent; and what lies in its box: no blank card and no null one."""

    told: Votes | None
    true: Votes

    @property
    def cards(self) -> int:
        """How many cards lie in it."""
        return sum(self.true)


FAIR: Final = Box((54, 34, 5), (54, 34, 5))
PLANTS: Final[dict[str, tuple[Box, ...]]] = {
    "one card of a full box": (Box((1, 0, 0), (0, 100, 0)), *[FAIR] * 5),
    "one card of each of two": (Box((1, 0, 0), (5, 45, 0)), Box((1, 0, 0), (5, 45, 0)), *[Box((50, 30, 0), (50, 30, 0))] * 4),
    "some of the cards of all": tuple(Box((40, 20, 5), (45, 45, 5)) for _ in STATIONS),
    "no sheet": (Box(None, (0, 100, 0)), *[FAIR] * 5),
    "as many as are told, and others": (
        Box((60, 0, 0), (10, 50, 0)),
        Box((1, 0, 0), (0, 60, 0)),
        *[Box((45, 20, 5), (45, 20, 5))] * 4,
    ),
}
"""By what is done: the boxes, whose cards add up to no lead of the first over the second."""


def told_by(boxes: tuple[Box, ...], contests: tuple[Contest, ...]) -> Count:
    """The count of what the sheets say."""
    country = make_election(contests)
    ballots, count = Ballots(country), Count(country)
    for station, box in zip(STATIONS, boxes, strict=True):
        for contest in contests:
            if box.told is not None:
                count.apply([ballots.sheet(station, box.told, contest=contest.id, blank=0, null=0)])
    return count


def plan_of(
    boxes: tuple[Box, ...], design: PlanDesign, manifest: Manifest | None = None, contests: tuple[Contest, ...] = (PRESIDENT,)
) -> PlanFiles:
    made = make_plan(told_by(boxes, contests), bytes(32), name="boxes", design=design, manifest=manifest)
    return open_files(made.plan, made.files)


def found_in(boxes: tuple[Box, ...], contests: tuple[Contest, ...] = (PRESIDENT,)) -> Seen:
    """What people find who open the boxes."""
    counts = []
    for station, box in zip(STATIONS, boxes, strict=True):
        totals = tuple(
            BoxTotals(contest=contest.id, counts=box.true, blank=0, null=0, cards=box.cards)
            for contest in sorted(contests, key=lambda each: each.id)
        )
        count = AuditCount(election=bytes(32), plan=bytes(32), box=station, totals=totals, counted_by=("Dipper", "Wren"))
        counts.append(Counted(station.encode().ljust(32), count))
    return resolve(counts)


def confirmed(files: PlanFiles, seen: Seen, seed: int) -> float:
    """The share of audits in which every contest is at its limit after some draw."""
    assert isinstance(files.design, BoxDesign)
    batch = files.design.batch
    relevant = Sample(tuple(Ticket("", box, 0) for box in batch.relevant()))
    ends = np.cumsum(batch.bounds[batch.bounds > 0])
    drawn = np.random.default_rng([seed, 2009]).integers(0, ends[-1], (AUDITS, DRAWS))
    places = np.searchsorted(ends, drawn, side="right")
    voids: list[str] = []
    found = drawn_values(files, relevant, seen, voids)
    assert voids == []
    latest = np.zeros(AUDITS, np.int64)
    for contest, test in files.plan.tests():
        values, null = found[contest, test.code]
        for start in range(0, AUDITS, 2_000):
            some = slice(start, start + 2_000)
            latest[some] = np.maximum(
                latest[some], files.plan.function(test).stopping_times(values[places[some]], null, RISK_LIMIT)
            )
    return float((latest <= DRAWS).mean())


@cache
def lead(boxes: tuple[Box, ...], *, true: bool) -> int:
    """Of the first over the second."""
    votes = [box.true if true else box.told or (0, 0, 0) for box in boxes]
    return sum(first - second for first, second, _ in votes)


@pytest.mark.parametrize("design", BOX_DESIGNS)
@pytest.mark.parametrize("plant", PLANTS)
def test_a_wrong_outcome_is_confirmed_no_more_often_than_promised(plant: str, design: PlanDesign) -> None:
    boxes = PLANTS[plant]
    assert lead(boxes, true=False) > 0 >= lead(boxes, true=True)
    assert all(box.cards <= ROLL for box in boxes)
    assert confirmed(plan_of(boxes, design), found_in(boxes), seed=len(plant)) <= ALLOWED


@pytest.mark.parametrize("design", BOX_DESIGNS)
def test_with_several_contests_as_well(design: PlanDesign) -> None:
    boxes, contests = PLANTS["one card of a full box"], (PRESIDENT, COUNCIL)
    files = plan_of(boxes, design, contests=contests)
    assert confirmed(files, found_in(boxes, contests), seed=3) <= ALLOWED


@pytest.mark.parametrize("design", BOX_DESIGNS)
def test_a_right_outcome_is_confirmed_where_a_third_stayed_at_home(design: PlanDesign) -> None:
    """Voters who did not vote are no missing cards."""
    boxes = tuple(Box((45, 15, 7), (45, 15, 7)) for _ in STATIONS)
    assert confirmed(plan_of(boxes, design), found_in(boxes), seed=5) == 1


def test_why_the_sheets_are_not_believed() -> None:
    """With a manifest that says what the sheets do, such an outcome is confirmed nearly always, or the plan is void."""
    boxes = PLANTS["one card of a full box"]
    sheets = Manifest.of((station, sum(box.told or ())) for station, box in zip(STATIONS, boxes, strict=True))
    files = plan_of(boxes, "batch-betting", sheets)
    assert isinstance(files.design, BoxDesign)
    bounds = files.design.batch.bounds
    assert bounds[0] * 200 < bounds.sum()
    fair = Sample(tuple(Ticket("", station, 0) for station in STATIONS[1:] * 8))
    assert measure(files, fair, found_in(boxes)).confirmed
    drawn = Sample((*fair.tickets, Ticket("", STATIONS[0], 0)))
    assert measure(files, drawn, found_in(boxes)).voids == (
        "box a1 holds 100 cards of contest president, and the plan allows for 1",
    )


@pytest.mark.parametrize("design", BOX_DESIGNS)
def test_cards_taken_out_of_a_box_are_missed_where_a_manifest_has_them(design: PlanDesign) -> None:
    """The sheet of the first box admits one card, and when it is opened one card lies there: the manifest knows of a hundred."""
    boxes = PLANTS["one card of a full box"]
    listed = Manifest.of((station, box.cards) for station, box in zip(STATIONS, boxes, strict=True))
    emptied = (Box((1, 0, 0), (1, 0, 0)), *boxes[1:])
    assert confirmed(plan_of(boxes, design, listed), found_in(emptied), seed=7) <= ALLOWED
    # The roll cannot know whether somebody took them or nobody came: this is what a manifest is for.
    assert confirmed(plan_of(boxes, design), found_in(emptied), seed=7) == 1
