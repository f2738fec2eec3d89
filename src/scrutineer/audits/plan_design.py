"""From a plan and its files to the design that draws and measures: what making, following and checking a plan have in common."""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import Pools, ScoreTally
from scrutineer.audits.forecasts import Forecast, Rates, comparison_forecast, forecast, oneaudit_forecast, polling_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Plan, Test
from scrutineer.audits.plan_totals import ContestTotals, Totals
from scrutineer.errors import AuditError

WORST_BOXES: Final = 10
"""A box that is overstated as far as it can be is expected in one of so many times U draws (see `box_forecast`)."""

_ROOM: Final = 2**62
USUAL_ERRORS: Final = Rates(one_over=0.0005, two_over=0.00005)
"""Shares of cards whose paper differs from its record, for plans of comparison."""


def batch_design(plan: Plan, manifest: Manifest, totals: Totals) -> BatchDesign:
    """The comparison of whole boxes. Raises AuditError for files that do not fit the plan."""
    by_contest = {contest.contest: totals.of(contest.contest, manifest) for contest in plan.sampled}
    reported = []
    for contest, test in plan.tests():
        found, assertion = by_contest[contest], test.assertion(contest)
        one = Reported.of_votes(assertion, found.votes, found.cards, found.rest)
        _check_total(contest, test, int(one.scores.sum()))
        reported.append(one)
    return BatchDesign(manifest.boxes, tuple(reported))


def check_totals(plan: Plan, manifest: Manifest, totals: Totals) -> None:
    """Raise AuditError unless the totals by box add up to what the plan says was reported of every test.

    The values of ONEAudit are right for these sums alone: with a larger one in the plan, a wrong outcome would be confirmed.
    """
    for contest in plan.sampled:
        found = totals.of(contest.contest, manifest)
        for test in contest.tests:
            if len(test.weights) != found.votes.shape[1]:
                raise AuditError(
                    f"contest {contest.contest!r}, {test.code}: {len(test.weights)} weights for {found.votes.shape[1]} options"
                )
            scores = found.votes @ np.array(test.weights, np.int64) + test.rest * found.rest
            _check_total(contest.contest, test, int(scores.sum()))
            if plan.design == "oneaudit":
                # A box with more votes than its cards can bear has values below 0: no risk limit holds with these, drawn or not.
                pools(test, contest.contest, manifest, totals).check(reported_total(plan, contest.contest, test))


def check_weights(plan: Plan, cards: int) -> None:
    """Raise AuditError for weights with which the scores of so many cards could leave the numbers that are computed with.

    A sum that has run over would make an assertion with large margins of one with small ones, and both say the same of a card.
    """
    for contest, test in plan.tests():
        greatest = max(map(abs, (test.rest, *test.weights)), default=0)
        if greatest * min(test.most, len(test.weights)) * max(1, cards) >= _ROOM:
            raise AuditError(
                f"contest {contest!r}, {test.code}: its weights are larger than any assertion about {cards} cards needs"
            )


def _check_total(contest: str, test: Test, total: int) -> None:
    if total != test.total:
        raise AuditError(
            f"contest {contest!r}, {test.code}: the totals by box add up to {total}, and the plan says {test.total}: "
            "they do not belong together"
        )


def reported_total(plan: Plan, contest: str, test: Test) -> ReportedTotal:
    """What was reported of one assertion, over all cards of the manifest."""
    return ReportedTotal(test.assertion(contest), plan.cards, test.total)


def box_scores(test: Test, contest: str, found: ContestTotals) -> ScoreTally:
    """By box how many cards are reported to have which score. Raises AuditError where one card may mark several options."""
    if test.most > 1 or test.continuing is not None:
        raise AuditError(
            f"contest {contest!r}: where one card may mark several options, totals do not say how single cards are marked: "
            "audit whole boxes, or compare single cards with records"
        )
    by_score: dict[int, NDArray[np.int64]] = {}
    for weight, votes in [*zip(test.weights, found.votes.T, strict=True), (test.rest, found.rest)]:
        if weight:
            by_score[weight] = by_score.get(weight, np.zeros(len(found.rest), np.int64)) + votes
    scores = sorted(by_score)
    return ScoreTally(np.array(scores, np.int64), np.column_stack([by_score[score] for score in scores]))


def pools(test: Test, contest: str, manifest: Manifest, totals: Totals) -> Pools:
    """Boxes that hold cards, as pools; `pool_numbers` says which is which."""
    filled = manifest.cards > 0
    scores = box_scores(test, contest, totals.of(contest, manifest)).totals
    return Pools(manifest.cards[filled], scores[filled])


def pool_numbers(manifest: Manifest) -> NDArray[np.int64]:
    """By box of the manifest: the number of its pool; boxes without a card have that of the one before."""
    return np.cumsum(manifest.cards > 0, dtype=np.int64) - 1


def box_forecast(design: BatchDesign) -> Forecast:
    """What draws of boxes are expected to show: clean boxes, and in one of 10 U draws one that is overstated as far as can be.

    Under the hypothesis it would be one in U. With the bet that is best for this, one such box costs a factor of 10 in evidence
    and not all of it, and clean boxes add a tenth less than they would without this caution.
    """
    worst = float(Fraction(1, WORST_BOXES) / max(design.limit, Fraction(1)))
    # With replacement nearly every box that matters has been drawn after so many draws: no more are ever worth while.
    return forecast({1.0: 1 - worst, 0.0: worst}, design.null(), 10 * len(design.names))


def forecast_of(plan: Plan, contest: str, test: Test, manifest: Manifest, totals: Totals | None) -> Forecast:
    """What draws of single cards are expected to show of one test, where the reported results are right.

    For comparison, one card in 2,000 is expected to overstate by one vote, and one in 20,000 by as much as one card can.
    """
    if totals is None:
        return comparison_forecast(reported_total(plan, contest, test), USUAL_ERRORS, replacement=plan.replacement)
    found = totals.of(contest, manifest)
    tally = box_scores(test, contest, found)
    if plan.design == "polling":
        counts = dict(zip(tally.scores.tolist(), tally.counts.sum(axis=0).tolist(), strict=True))
        return polling_forecast(test.assertion(contest), counts, plan.cards, replacement=plan.replacement)
    return oneaudit_forecast(reported_total(plan, contest, test), manifest.cards, tally, replacement=plan.replacement)
