"""Designs that draw single cards: polling, ONEAudit, and comparison of cards with their records."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.cards.model import ABSENT, UNKNOWN, Cards
from scrutineer.audits.counts import Seen
from scrutineer.audits.designs.comparison import ReportedTotal, comparison_values
from scrutineer.audits.designs.oneaudit import OWN_RECORD, Pools, ScoreTally, oneaudit_values
from scrutineer.audits.designs.polling import polling_null, polling_values
from scrutineer.audits.designs.seen import Absence, Scores, paper_scores, record_scores
from scrutineer.audits.designs.seen import Seen as SeenMarks
from scrutineer.audits.forecasts import NO_ERRORS, Forecast, Rates, comparison_forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.plan import Test
from scrutineer.audits.plan_totals import ContestTotals
from scrutineer.audits.planned.model import DrawnValues, PlanInputs, TestKey
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.sampling.canonical import draw_cards
from scrutineer.audits.sampling.consistent import consistent_sample
from scrutineer.audits.sampling.nested import counting, draw_nested
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError

USUAL_ERRORS: Final = Rates(one_over=0.0005, two_over=0.00005)
"""Shares of cards whose paper differs from its record that plans of comparison expect: one card in 2,000 overstates by one vote,
and one in 20,000 by as much as one card can."""


class Drawn(NamedTuple):
    """Drawn cards, in the order in which they count, and the scores of their papers in one test."""

    tickets: Sequence[Ticket]
    papers: Scores


class CardDesign(ABC):
    """Single cards of the manifest; every card that can hold a contest is as likely as any other to count for it.

    With nested draws these are the cards of the boxes that hold the contest, else all cards. Raises AuditError for totals that
    name no box for a contest.
    """

    def __init__(self, inputs: PlanInputs) -> None:
        self._plan, self._manifest = inputs.plan, inputs.manifest
        self._nested = inputs.plan.draw == "nested"
        self._holds: dict[str, NDArray[np.bool_]] = {}
        for contest in inputs.plan.contests:
            holds = np.ones(len(inputs.manifest.boxes), np.bool_)
            if self._nested:
                holds = inputs.totals_by_box().of(contest.contest, inputs.manifest).holds
            self._holds[contest.contest] = holds

    @property
    def settled(self) -> frozenset[TestKey]:
        """See `PlannedDesign.settled`: no bound on single cards settles anything."""
        return frozenset()

    def population(self, contest: str) -> int:
        """How many cards can hold a contest."""
        return int(self._manifest.cards[self._holds[contest]].sum())

    def draw(self, seed: str, count: int) -> Sample:
        """See `PlannedDesign.draw`."""
        plan, manifest = self._plan, self._manifest
        if self._nested:
            return draw_nested(seed, manifest, self._weights, count)
        if plan.draw == "canonical":
            return draw_cards(seed, manifest, count, replacement=plan.replacement)
        if not plan.replacement and count > manifest.total:
            raise AuditError(f"{count} cards cannot be drawn from {manifest.total}; draw fewer, or count all of them")
        places = {
            f"{box},{position}": (box, position)
            for box, cards in zip(manifest.boxes, manifest.cards.tolist(), strict=True)
            for position in range(1, cards + 1)
        }
        drawn = consistent_sample(places, seed, count, replacement=plan.replacement, digits=64)
        return Sample(tuple(Ticket(each.number, *places[each.id], each.generation) for each in drawn))

    def values(self, sample: Sample, seen: Seen, voids: list[str]) -> DrawnValues:
        """See `PlannedDesign.values`."""
        if self._nested:
            self._note_strays(sample, seen, voids)
        found: DrawnValues = {}
        counting = {contest.contest: self._counting(contest.contest, sample) for contest in self._plan.contests if contest.tests}
        for contest, test in self._plan.tests():
            tickets = counting[contest]
            scores = paper_scores(test.assertion(contest), papers_of(contest, tickets, seen), styled=False)
            found[contest, test.code] = self._shown(contest, test, Drawn(tickets, scores))
        return found

    def draws_for(self, contest: str, units: int) -> int:
        """See `PlannedDesign.draws_for`."""
        if not self._nested:
            return units
        weights, population = self._weights.tolist(), self.population(contest)
        rate = Fraction(units, population * int(self._weights[self._holds[contest]].min()))
        cards = self._manifest.cards.tolist()
        return ceil(sum((min(rate * weight, Fraction(1)) * own for weight, own in zip(weights, cards, strict=True)), Fraction(0)))

    @cached_property
    def _weights(self) -> NDArray[np.int64]:
        """By box: the greatest weight of the contests that it holds."""
        weights = np.zeros(len(self._manifest.boxes), np.int64)
        for contest in self._plan.contests:
            np.maximum(weights, self._holds[contest.contest] * contest.weight, out=weights)
        return weights

    def _counting(self, contest: str, sample: Sample) -> Sequence[Ticket]:
        """The tickets that count for a contest, in the order in which they do."""
        return counting(sample, self._manifest, self._weights, self._holds[contest]) if self._nested else sample.tickets

    def _note_strays(self, sample: Sample, seen: Seen, voids: list[str]) -> None:
        """Note cards with a contest that their box does not hold by the plan: others like it could never have been drawn."""
        for box, position in sample.units():
            card = seen.cards.get((box, position))
            for contest in card.marks if card is not None else ():
                holds = self._holds.get(contest)
                if holds is not None and not holds[self._manifest.index[box]]:
                    voids.append(
                        f"card {position} of box {box} holds contest {contest}, and by the plan no card of this box does"
                    )

    @abstractmethod
    def forecast(self, contest: str, test: Test) -> Forecast:
        """See `PlannedDesign.forecast`."""

    @abstractmethod
    def _shown(self, contest: str, test: Test, drawn: "Drawn") -> tuple[Values, Null]:
        """The values of drawn cards, and the hypothesis."""

    def _reported(self, contest: str, test: Test) -> ReportedTotal:
        return ReportedTotal(test.assertion(contest), self.population(contest), test.total)


class Polling(CardDesign):
    """What drawn papers show, and nothing of what was reported about them; totals only for the forecast."""

    def __init__(self, inputs: PlanInputs) -> None:
        super().__init__(inputs)
        self._tallies = _tallies(inputs)

    def forecast(self, contest: str, test: Test) -> Forecast:
        """See `PlannedDesign.forecast`."""
        tally = self._tallies[contest, test.code]
        counts = dict(zip(tally.scores.tolist(), tally.counts.sum(axis=0).tolist(), strict=True))
        return polling_forecast(test.assertion(contest), counts, self.population(contest), replacement=self._plan.replacement)

    def _shown(self, contest: str, test: Test, drawn: "Drawn") -> tuple[Values, Null]:
        assertion = test.assertion(contest)
        population = None if self._plan.replacement else self.population(contest)
        return polling_values(assertion, drawn.papers), polling_null(assertion, population)


class OneAudit(CardDesign):
    """Each drawn card is held against its own record in boxes that have records, in others against the totals of its box.

    Raises AuditError for totals that the cards of a box cannot bear.
    """

    def __init__(self, inputs: PlanInputs) -> None:
        super().__init__(inputs)
        cards = inputs.manifest.cards
        pooled = np.ones(len(cards), np.bool_) if inputs.recorded is None else ~inputs.recorded
        self._pooled = {contest: holds & pooled & (cards > 0) for contest, holds in self._holds.items()}
        self._tallies = _tallies(inputs)
        self._pools = {
            key: Pools(cards[self._pooled[key[0]]], tally.totals[self._pooled[key[0]]]) for key, tally in self._tallies.items()
        }
        self._records = None if inputs.cards is None else Records(inputs.cards, self._holds)
        for contest, test in inputs.plan.tests():
            # A box with more votes than its cards can bear has values below 0: no risk limit holds with these, drawn or not.
            self._pools[contest, test.code].check(self._reported(contest, test))

    def forecast(self, contest: str, test: Test) -> Forecast:
        """See `PlannedDesign.forecast`."""
        reported, tally = self._reported(contest, test), self._tallies[contest, test.code]
        own, rates = self._pooled[contest], NO_ERRORS if self._records is None else USUAL_ERRORS
        counts = ScoreTally(tally.scores, tally.counts[own])
        return oneaudit_forecast(reported, self._manifest.cards[own], counts, rates, replacement=self._plan.replacement)

    def _shown(self, contest: str, test: Test, drawn: Drawn) -> tuple[Values, Null]:
        reported, pooled = self._reported(contest, test), self._pooled[contest]
        numbers = np.where(pooled, np.cumsum(pooled, dtype=np.int64) - 1, OWN_RECORD)
        pool = numbers[np.array([self._manifest.index[ticket.box] for ticket in drawn.tickets], np.int64)]
        records = np.zeros(len(drawn.papers), np.int64)
        if self._records is not None:
            records = record_scores(reported.assertion, self._records.marks(contest, drawn.tickets))
        values = oneaudit_values(reported, self._pools[contest, test.code], pool, records, drawn.papers)
        return values, reported.null(replacement=self._plan.replacement)


class Comparison(CardDesign):
    """Each drawn card is held against its own record."""

    def __init__(self, inputs: PlanInputs) -> None:
        super().__init__(inputs)
        if inputs.cards is None:
            raise AuditError(f"there are no records of cards in audit {inputs.plan.name!r}: a comparison of cards needs them")
        self._records = Records(inputs.cards, self._holds)

    def forecast(self, contest: str, test: Test) -> Forecast:
        """See `PlannedDesign.forecast`."""
        return comparison_forecast(self._reported(contest, test), USUAL_ERRORS, replacement=self._plan.replacement)

    def _shown(self, contest: str, test: Test, drawn: Drawn) -> tuple[Values, Null]:
        reported = self._reported(contest, test)
        records = record_scores(reported.assertion, self._records.marks(contest, drawn.tickets))
        return comparison_values(reported, records, drawn.papers), reported.null(replacement=self._plan.replacement)


class Records:
    """Records of cards by the places in which the cards lie.

    `holds`: by contest which boxes of the manifest hold it. Raises AuditError for a record of a contest in a box that does not:
    such a card could never be drawn for it.
    """

    def __init__(self, cards: Cards, holds: Mapping[str, NDArray[np.bool_]]) -> None:
        self._cards = cards
        for contest, holders in holds.items():
            astray = np.flatnonzero((cards.column(contest).pattern >= 0) & ~holders[cards.batch])
            if len(astray):
                raise AuditError(
                    f"a card of box {cards.batches[cards.batch[astray[0]]]!r} has contest {contest!r} in its record, and by the "
                    "totals no card of this box does: find out what lies where before you go on"
                )

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Box and position of every record as one number, ascending, and the rows of the records in this order."""
        key = (self._cards.batch.astype(np.int64) << 31) + self._cards.position
        order = np.argsort(key, kind="stable")
        return key[order], order

    def marks(self, contest: str, tickets: Sequence[Ticket]) -> list[SeenMarks]:
        """What the records say of drawn cards in one contest; missing where there is no record."""
        keys, order = self._places
        batches = {box: number for number, box in enumerate(self._cards.batches)}
        wanted = np.array([(batches.get(each.box, -1) << 31) + each.position for each in tickets], np.int64)
        at = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        column = self._cards.column(contest)
        found: list[SeenMarks] = []
        for place, key in zip(at.tolist(), wanted.tolist(), strict=True):
            if not len(keys) or int(keys[place]) != key:
                raise AuditError("a card was drawn that the manifest does not have")
            pattern = int(column.pattern[order[place]])
            found.append(
                Absence.NO_CONTEST if pattern == ABSENT else Absence.MISSING if pattern == UNKNOWN else column.patterns[pattern]
            )
        return found


def box_scores(test: Test, contest: str, found: ContestTotals) -> ScoreTally:
    """By box how many cards are reported to have which score. Raises AuditError as `ScoreTally.of_votes` does."""
    return ScoreTally.of_votes(test.assertion(contest), found.votes, found.cards, found.rest)


def _tallies(inputs: PlanInputs) -> dict[TestKey, ScoreTally]:
    """By test: how many cards of each box are reported to have which score."""
    totals, tallies = inputs.totals_by_box(), {}
    for contest in inputs.plan.contests:
        if contest.tests:
            found = totals.of(contest.contest, inputs.manifest)
            for test in contest.tests:
                tallies[contest.contest, test.code] = box_scores(test, contest.contest, found)
    return tallies


def papers_of(contest: str, tickets: Sequence[Ticket], seen: Seen) -> list[SeenMarks]:
    """What was seen of drawn cards in one contest; missing where no count says it."""
    marks: list[SeenMarks] = []
    for ticket in tickets:
        card = seen.cards.get((ticket.box, ticket.position))
        counted = card is not None and card.status == "counted"
        marks.append(card.marks.get(contest, Absence.NO_CONTEST) if card is not None and counted else Absence.MISSING)
    return marks
