"""Two strata in a plan: cards of boxes with records are held against these, and those of other boxes are polled.

Each stratum is drawn from by itself, without replacement, in the canonical order of its own cards; of every 100 draws the plan
says how many are of boxes with records. What the strata show is combined by `risk.strata`. With scores from L to M the value of a
card with a record of score r, whose paper has s, is (M - L - r + s) / (-2 L), and that of another (s - L) / (-2 L)
(`designs.hybrid`). Which stratum a draw is of hangs on its number alone, so whenever one looks, the evidence is that of
draws which nobody chose by what they showed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits import margins
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.counts import Seen
from scrutineer.audits.designs.seen import Scores, paper_scores, record_scores
from scrutineer.audits.forecasts import Forecast, polling_forecast
from scrutineer.audits.plan import Test, share_text
from scrutineer.audits.planned.cards import USUAL_ERRORS, CardDesign, Drawn, Records, box_scores, papers_of
from scrutineer.audits.planned.model import DrawnValues, PlanInputs, TestKey
from scrutineer.audits.risk.betting import Kelly, kelly_rate
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.union_intersection import PARAMETERS, StratumValues, UnionIntersection
from scrutineer.audits.sampling.canonical import draw_cards
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.sizes import Sizes
from scrutineer.errors import AuditError

MARKS: Final = 64
"""At how many splits of the hypothesis the growth of evidence is looked at when sizes are estimated."""


@dataclass(frozen=True, eq=False)
class _Stratum:
    """One stratum of one test: the hypothesis t on its mean is that its values have a mean of at most t + shift."""

    cards: int
    shift: Fraction
    upper: Fraction

    def growth(self, mean: float, expected: Kelly) -> float:
        """By how much the logarithm of evidence against a mean is expected to grow with a draw."""
        null = min(max(mean + float(self.shift), 1e-9), float(self.upper))
        if null >= float(self.upper):
            return 0.0
        rate = kelly_rate(expected.values, expected.probabilities, null)
        gains = 1 + rate * (np.array(expected.values) - null)
        return float(np.sum(np.array(expected.probabilities) * np.log(gains)))


class Strata(CardDesign):
    """Boxes with records and boxes without. Raises AuditError where there are only such or only such."""

    def __init__(self, inputs: PlanInputs) -> None:
        super().__init__(inputs)
        if inputs.cards is None or inputs.recorded is None:
            raise AuditError(f"there are no records of cards in audit {inputs.plan.name!r}: one of two strata needs them")
        self._recorded = inputs.recorded
        self._sizes = tuple(int(inputs.manifest.cards[own].sum()) for own in (self._recorded, ~self._recorded))
        if not all(self._sizes):
            raise AuditError(
                "two strata need boxes with records of cards and boxes without: where all have records choose comparison, and "
                "where none has, polling"
            )
        self._records = Records(inputs.cards, self._holds)
        totals = inputs.totals_by_box()
        self._expected: dict[TestKey, dict[int, int]] = {}
        self._strata: dict[TestKey, tuple[_Stratum, _Stratum]] = {}
        for contest, test in inputs.plan.tests():
            assertion = test.assertion(contest)
            tally = box_scores(test, contest, totals.of(contest, inputs.manifest))
            counts = tally.counts[~self._recorded].sum(axis=0).tolist()
            self._expected[contest, test.code] = dict(zip(tally.scores.tolist(), counts, strict=True))
            total = int(margins.totals([assertion], inputs.cards.column(contest))[0])
            unit = -2 * assertion.lowest
            spread = Fraction(assertion.highest - assertion.lowest, unit)
            shift = spread - Fraction(1, 2) - Fraction(total, unit * self._sizes[0])
            self._strata[contest, test.code] = (
                _Stratum(self._sizes[0], shift, 2 * spread),
                _Stratum(self._sizes[1], Fraction(0), spread),
            )

    def draw(self, seed: str, count: int) -> Sample:
        """See `PlannedDesign.draw`."""
        if not 0 <= count <= sum(self._sizes):
            raise AuditError(f"{count} cards cannot be drawn from {sum(self._sizes)}; draw fewer, or count all of them")
        first = self._of_records(count)
        cards = np.repeat(self._recorded, self._manifest.cards)
        drawn = [
            iter(draw_cards(seed, self._manifest, size, replacement=False, among=among).tickets)
            for size, among in ((first, cards), (count - first, ~cards))
        ]
        numbers = [self._of_records(number) for number in range(count + 1)]
        return Sample(tuple(next(drawn[0 if after > before else 1]) for before, after in pairwise(numbers)))

    def _of_records(self, draws: int) -> int:
        """How many of so many draws are of boxes with records."""
        return min(self._sizes[0], max(draws * self._plan.per_hundred // 100, draws - self._sizes[1]))

    def risks(self, sample: Sample, seen: Seen) -> Mapping[TestKey, float]:
        """The p-value of every test after all draws; 1 before the first."""
        split = tuple([each for each in sample.tickets if self._has_records(each) == own] for own in (True, False))
        found = {}
        for contest, test in self._plan.tests():
            assertion, strata = test.assertion(contest), self._strata[contest, test.code]
            papers = [paper_scores(assertion, papers_of(contest, tickets, seen), styled=False) for tickets in split]
            records = record_scores(assertion, self._records.marks(contest, split[0]))
            values = (
                _values(assertion, papers[0] - records + assertion.highest - assertion.lowest),
                _values(assertion, papers[1] - assertion.lowest),
            )
            drawn = [StratumValues(own, each.cards, each.shift, each.upper) for own, each in zip(values, strata, strict=True)]
            function = UnionIntersection.of(test.parameters)
            found[contest, test.code] = function.p_value(drawn[0], drawn[1], assertion.upper) if len(sample) else 1.0
        return found

    def values(self, sample: Sample, seen: Seen, voids: list[str]) -> DrawnValues:  # noqa: ARG002
        """None: values of different strata are not tested against one hypothesis (`risks`)."""
        return {}

    def parameters(self, contest: str, test: Test) -> dict[str, str]:
        """What is expected in both strata, from the reported results and usual errors of records."""
        assertion = test.assertion(contest)
        spread, unit = assertion.highest - assertion.lowest, -2 * assertion.lowest
        errors = USUAL_ERRORS.overstatements(spread)
        polled = self.forecast(contest, test)
        expected = (
            [(spread - over) / unit for over, _ in errors],
            [Fraction(share) for _, share in errors],
            [Fraction(value) for value in polled.values.tolist()],
            [Fraction(share) for share in polled.shares.tolist()],
        )
        return {name: ",".join(map(share_text, own)) for name, own in zip(PARAMETERS, expected, strict=True)}

    def sizes(self, contest: str, test: Test, per_hundred: int, shown: float = 0.0) -> Sizes:
        """About how many more draws are enough where so many of 100 are of boxes with records. An estimate.

        `shown`: the logarithm of the evidence so far. Evidence grows by what is expected of a draw, against the split of the
        hypothesis against which it grows least.
        """
        rise = max(-log(float(self._plan.limit)) - shown, 0.0)
        first, second = self._growths(contest, test)
        share = per_hundred / 100
        growth = float(np.min(share * first + (1 - share) * second))
        population = sum(self._sizes)
        if growth <= 0 or (typical := rise / growth) > 50 * population:
            return Sizes(population, population, True)
        # The spread of a random walk whose variance is twice its drift; without replacement, n draws are worth n / (1 + n/N).
        most = typical * (1 + 1.3 * sqrt(2 / max(rise, 0.5)))
        halves, most = (ceil(size / (1 + size / population)) for size in (typical, most))
        return Sizes(halves, most, 2 * most > population)

    def best_share(self) -> int:
        """How many of 100 draws had best be of boxes with records: the fewest draws for the test that takes most."""
        return min(
            range(1, 100),
            key=lambda share: max(self.sizes(contest, test, share).p90 for contest, test in self._plan.targets()),
        )

    def _growths(self, contest: str, test: Test) -> tuple[Values, Values]:
        """By split of the hypothesis: how evidence grows with a draw of either stratum."""
        if (contest, test.code) not in self._grown:
            function, strata = UnionIntersection.of(test.parameters), self._strata[contest, test.code]
            upper, (own, other) = float(test.assertion(contest).upper), (each.cards for each in strata)
            low, high = (max(0.0, ((own + other) / 2 - upper * other) / own), min(upper, (own + other) / 2 / own))
            means = np.linspace(low, high, MARKS + 1)
            first = np.array([strata[0].growth(mean, function.records) for mean in means.tolist()])
            others = ((own + other) / 2 - own * means) / other
            second = np.array([strata[1].growth(mean, function.totals) for mean in others.tolist()])
            self._grown[contest, test.code] = (first, second)
        return self._grown[contest, test.code]

    @cached_property
    def _grown(self) -> dict[TestKey, tuple[Values, Values]]:
        return {}

    def _has_records(self, ticket: Ticket) -> bool:
        return bool(self._recorded[self._manifest.index[ticket.box]])

    def forecast(self, contest: str, test: Test) -> Forecast:
        """Of the cards without records."""
        assertion = test.assertion(contest)
        return polling_forecast(assertion, self._expected[contest, test.code], self._sizes[1], replacement=False)

    def _shown(self, contest: str, test: Test, drawn: Drawn) -> tuple[Values, Null]:  # noqa: ARG002
        raise AuditError("values of different strata have no hypothesis in common")


def _values(assertion: Assertion, amounts: Scores) -> NDArray[np.float64]:
    # A quotient of two whole numbers below 2**53 is rounded once, alike everywhere.
    return np.asarray(amounts, np.float64) / np.float64(-2 * assertion.lowest)
