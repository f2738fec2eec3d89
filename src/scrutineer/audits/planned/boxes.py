"""Tally-sheet comparison in a plan: whole boxes are drawn, and what is counted in them is held against their reported totals.

Tests of targeted contests decide how likely every box is to be drawn; tests of the others are measured over the same draws
(`designs.alongside`).
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import inf, nextafter
from typing import Final

import numpy as np

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.counts import Seen
from scrutineer.audits.designs.alongside import Alongside
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.forecasts import Forecast, forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Plan, Test
from scrutineer.audits.plan_totals import Totals
from scrutineer.audits.planned.model import DrawnValues, PlanInputs, TestKey
from scrutineer.audits.risk.model import Values
from scrutineer.audits.sampling.canonical import draw_boxes
from scrutineer.audits.sampling.sample import Sample
from scrutineer.errors import AuditError
from scrutineer.statements.audit import BoxTotals

WORST_BOXES: Final = 10
"""A box that is overstated as far as it can be is expected in one of so many times U draws (see `BoxDesign.forecast`)."""


class BoxDesign:
    """Boxes drawn by error bound with replacement. Raises AuditError for totals that no sample could confirm."""

    def __init__(self, inputs: PlanInputs) -> None:
        self._plan, self._manifest = plan, manifest = inputs.plan, inputs.manifest
        self._tests: dict[TestKey, Test] = {(contest, test.code): test for contest, test in plan.tests()}
        totals = inputs.totals_by_box()
        self._rows = totals.rows
        self._reported = _reported(plan, manifest, totals)
        self._targets: tuple[TestKey, ...] = tuple((contest, test.code) for contest, test in plan.targets())
        self.batch = BatchDesign(manifest.boxes, tuple(self._reported[key] for key in self._targets))

    @cached_property
    def _alongside(self) -> Mapping[TestKey, Alongside]:
        """Tests of contests that are not targeted, over the draws made for those that are."""
        return {key: Alongside(one, self.batch.bounds) for key, one in self._reported.items() if key not in self._targets}

    @cached_property
    def settled(self) -> frozenset[TestKey]:
        """See `PlannedDesign.settled`."""
        sure = self._targets if self.batch.limit < 1 else ()
        return frozenset((*sure, *(key for key, one in self._alongside.items() if one.certain)))

    def draw(self, seed: str, count: int) -> Sample:
        """See `PlannedDesign.draw`."""
        return draw_boxes(seed, self.batch.bounds, self._manifest.boxes, count)

    def values(self, sample: Sample, seen: Seen, voids: list[str]) -> DrawnValues:
        """See `PlannedDesign.values`."""
        scores = self._scores(sample, seen, voids)
        own = {box: tuple(by_test[key] for key in self._targets) for box, by_test in scores.items()}
        found: DrawnValues = {}
        if self.batch.limit < 1:
            pass  # What is settled has no hypothesis that draws could be held against.
        elif self._plan.design == "batch-macro":
            values = self.batch.values(sample, own)
            found = {key: (values, self.batch.null()) for key in self._targets}
        else:
            overstated = {box: self.batch.overstatements(box, amounts) for box, amounts in own.items()}
            for number, key in enumerate(self._targets):
                taints = {box: self._taint(box, number, amounts[number]) for box, amounts in overstated.items()}
                found[key] = (_by_draw(sample, {box: 1 - taint for box, taint in taints.items()}), self.batch.null())
        for key, alongside in self._alongside.items():
            if alongside.shows:
                shares = {box: 1 - self._share(key, box, by_test[key]) for box, by_test in scores.items()}
                found[key] = (_by_draw(sample, shares), alongside.null())
        return found

    def _taint(self, box: str, number: int, amount: int) -> Fraction:
        """The overstatement of one targeted test alone, as a share of the bound by which the box is drawn; at least 0."""
        amounts = [amount if at == number else 0 for at in range(len(self._targets))]
        return max(Fraction(0), self.batch.taint(box, amounts))

    def _share(self, key: TestKey, box: str, score: int | None) -> Fraction:
        place = self._manifest.index[box]
        return self._alongside[key].share(place, self._reported[key].overstatement(place, box, score))

    def forecast(self, contest: str, test: Test) -> Forecast:
        """Clean boxes, and in one of 10 U draws one that is overstated as far as can be.

        Under the hypothesis it would be one in U. With the bet that is best for this, one such box costs a factor of 10 in
        evidence and not all of it, and clean boxes add a tenth less than they would without this caution.
        """
        alongside = self._alongside.get((contest, test.code))
        limit = self.batch.limit if alongside is None else alongside.limit
        null = self.batch.null() if alongside is None else alongside.null()
        worst = float(Fraction(1, WORST_BOXES) / max(limit, Fraction(1)))
        # With replacement nearly every box that matters has been drawn after so many draws: no more are ever worth while.
        return forecast({1.0: 1 - worst, 0.0: worst}, null, 10 * len(self.batch.names))

    def draws_for(self, contest: str, units: int) -> int:  # noqa: ARG002
        """See `PlannedDesign.draws_for`: every draw counts for every contest."""
        return units

    def _scores(self, sample: Sample, seen: Seen, voids: list[str]) -> Mapping[str, Mapping[TestKey, int | None]]:
        """By drawn box and test: the score of what was counted; None where it is as bad as it can be."""
        scores: dict[str, dict[TestKey, int | None]] = {}
        for box in sample.boxes():
            if box not in self._manifest.index:
                raise AuditError(f"box {box} is not in the design; names are those of the manifest, letter by letter")
            one = seen.boxes.get(box)
            if one is None or one.count.status != "counted":
                scores[box] = dict.fromkeys(self._reported)
            else:
                counted = {each.contest: each for each in one.count.totals}
                scores[box] = {key: self._score(box, key, counted.get(key[0]), voids) for key in self._reported}
        return scores

    def _score(self, box: str, key: TestKey, one: BoxTotals | None, voids: list[str]) -> int | None:
        """The score of one test in a box that was counted; None where it cannot be told."""
        contest, reported = key[0], self._reported[key]
        most = int(reported.cards[self._manifest.index[box]])
        if not most:
            if one is not None and (any(one.counts) or one.blank or one.null or one.cards):
                _note(voids, f"box {box} holds cards of contest {contest}, and the plan says that it holds none")
            return 0
        to_find = self._rows[box, contest][0]
        found = None if one is None else _one_score(reported.assertion, self._tests[key], one, to_find, most)
        if found is not None and found[1] > most:
            _note(voids, f"box {box} holds {found[1]} cards of contest {contest}, and the plan allows for {most}")
            return None
        return None if found is None else found[0]


def _reported(plan: Plan, manifest: Manifest, totals: Totals) -> dict[TestKey, Reported]:
    """By test: what was reported of it, by box."""
    reported = {}
    for contest in plan.contests:
        if contest.tests:
            found = totals.of(contest.contest, manifest)
            for test in contest.tests:
                one = Reported.of_votes(test.assertion(contest.contest), found.votes, found.most, found.rest)
                reported[contest.contest, test.code] = one
    return reported


def _by_draw(sample: Sample, by_box: Mapping[str, Fraction]) -> Values:
    """The values of the draws, none of them rounded up."""
    values = {box: _below(value) for box, value in by_box.items()}
    return np.array([values[ticket.box] for ticket in sample.tickets], np.float64)


def _one_score(assertion: Assertion, test: Test, one: BoxTotals, to_find: int, most: int) -> tuple[int, int] | None:
    """The score of a box and how many cards were seen; a card that had to be found and was not counts as the worst.

    Between what had to be found and the most that the box can have nothing is missing: these voters may have stayed at home.
    """
    votes = []
    for count, weight in zip(one.counts, test.weights, strict=False):
        if count is None and weight:
            return None
        votes.append(count or 0)
    if len(votes) != len(test.weights) or (test.rest and (one.blank is None or one.null is None)):
        return None
    rest = (one.blank or 0) + (one.null or 0)
    marked = sum(votes) + rest if test.most == 1 else max(votes) + rest
    seen = max(marked, one.cards or 0)
    if test.most > 1 and one.cards is None:
        return None
    if max(votes) > seen - rest:
        return None
    # Of one mark for each card: cards that are neither votes nor blank nor null say nothing, and are as bad as they can be.
    unsaid = seen - marked if test.most == 1 and one.blank is not None and one.null is not None else 0
    score = assertion.votes_score(tuple(votes), rest) + assertion.lowest * (max(0, to_find - seen) + unsaid)
    return (score if seen > most else max(score, most * assertion.lowest)), seen


def _note(voids: list[str], void: str) -> None:
    if void not in voids:
        voids.append(void)


def _below(number: Fraction) -> float:
    """The greatest floating-point number that is not above it."""
    near = float(number)
    return near if Fraction(near) <= number else nextafter(near, -inf)
