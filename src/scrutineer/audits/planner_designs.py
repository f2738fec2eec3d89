"""The estimate of each design; see `planner`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.forecasts import (
    NO_ERRORS,
    Forecast,
    Rates,
    batch_forecast,
    comparison_forecast,
    oneaudit_forecast,
    polling_forecast,
    two_stage_forecast,
)
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.planner_model import Design, Row, Target
from scrutineer.audits.planner_risk import suggested
from scrutineer.audits.planner_work import Site, Work
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.sizes import Sizes, next_round, sample_size
from scrutineer.errors import AuditError

PER_BOX: Final = (5, 10, 20, 50, 100, 200)
"""How many cards of a drawn box are looked at in two stages; and all of them."""
FIRM: Final = 1_000_000
"""The weight of a forecast that a single bad draw does not change."""
CLOSEST: Final = 30
"""How many assertions of a contest are looked at: those with the smallest margins."""
NEAR: Final = 0.4
"""Assertions of a contest that would take less than this part of the longest one are not simulated."""


@dataclass(frozen=True, eq=False)
class Job:
    """What every estimate needs."""

    targets: Sequence[Target]
    manifest: Manifest
    site: Site
    risk_limit: Fraction
    rates: Rates
    repetitions: int
    seed: int
    recorded: NDArray[np.bool_] | None = None
    """By box whether its cards have records; None: none has, or all have where the design needs them."""

    @property
    def limit(self) -> float:
        """The risk limit."""
        return float(self.risk_limit)

    @cached_property
    def closest(self) -> Sequence[Target]:
        """In each contest the assertions with the smallest margins for their spread of scores."""
        order = sorted(self.targets, key=lambda each: Fraction(each.total, each.assertion.highest - each.assertion.lowest))
        known: Counter[str] = Counter()
        kept = set()
        for each in order:
            known[each.assertion.contest] += 1
            if known[each.assertion.contest] <= CLOSEST:
                kept.add(id(each))
        return [each for each in self.targets if id(each) in kept]

    def pools(self, target: Target) -> tuple[NDArray[np.int64], ScoreTally]:
        """Cards and scores of the boxes whose cards are held against totals; 0 for boxes with records."""
        cards, tally = self.cards(target), _boxes(target)
        if self.recorded is None:
            return cards, tally
        return np.where(self.recorded, 0, cards), ScoreTally(tally.scores, np.where(self.recorded[:, None], 0, tally.counts))

    def cards(self, target: Target) -> NDArray[np.int64]:
        """By box how many cards belong to the target's population."""
        return self.manifest.cards if target.cards is None else target.cards

    def reported(self, target: Target) -> ReportedTotal:
        """What is reported for the target."""
        return ReportedTotal(target.assertion, int(self.cards(target).sum()), target.total)


@dataclass(frozen=True, eq=False)
class _Sized:
    """One assertion with its forecast and sizes."""

    target: Target
    forecast: Forecast
    sizes: Sizes

    @property
    def share(self) -> float:
        return self.sizes.p90 / self.forecast.cards


def comparison(job: Job) -> Row:
    """Ballot comparison."""
    forecasts = [(each, comparison_forecast(job.reported(each), job.rates)) for each in job.closest]
    return _row_of_cards(job, Design.COMPARISON, forecasts, sure=False, bad=0.0)


def oneaudit(job: Job) -> Row:
    """ONEAudit, boxes without records being pools."""
    forecasts = [(each, oneaudit_forecast(job.reported(each), *job.pools(each), job.rates)) for each in job.closest]
    return _row_of_cards(job, Design.ONEAUDIT, forecasts, sure=True, bad=0.0)


def polling(job: Job) -> Row:
    """Ballot polling."""
    forecasts = [(each, polling_forecast(each.assertion, each.tally, int(job.cards(each).sum()))) for each in job.closest]
    return _row_of_cards(job, Design.POLLING, forecasts, sure=True, bad=None)


def batch_macro(job: Job) -> Row:
    """Boxes by error bound, Kaplan-Markov."""
    design = _batches(job)
    if job.rates == NO_ERRORS:
        draws = design.size(job.risk_limit)
        sizes = Sizes(draws, draws, False)
    else:
        # The least padding stands for none, and keeps a simulated wrong box from being more than a full count.
        risk = KaplanMarkov(2.0**-30)
        sizes = sample_size(batch_forecast(design, job.rates), risk, job.limit, repetitions=job.repetitions, seed=job.seed)
    return _row_of_boxes(job, Design.BATCH_MACRO, "kaplan-markov", design, sizes, None)


def batch_betting(job: Job) -> Row:
    """Boxes by error bound, betting."""
    design = _batches(job)
    if design.limit <= 1:
        draws = design.size(job.risk_limit)
        return _row_of_boxes(job, Design.BATCH_BETTING, "", design, Sizes(draws, draws, False), None)
    expected = batch_forecast(design, job.rates)
    choice = suggested(expected, job.limit, sure=False)
    sizes = sample_size(expected, choice.function(), job.limit, repetitions=job.repetitions, seed=job.seed)
    return _row_of_boxes(job, Design.BATCH_BETTING, choice.name, design, sizes, _one_bad(job, expected, 0.0, sure=False))


def two_stage(job: Job) -> Row:
    """Boxes by number of cards, and as many cards of each as cost least."""
    best: Row | None = None
    for per_box in (*PER_BOX, None):
        if per_box is not None and per_box >= int(job.manifest.cards.max(initial=0)):
            continue
        sized = _sized(
            job,
            [
                (each, two_stage_forecast(job.reported(each), job.manifest.cards, _boxes(each), per_box, job.rates))
                for each in job.closest
            ],
            sure=True,
        )
        deciding = max(sized, key=lambda each: each.sizes.p90)
        chances = job.manifest.cards / max(1, job.manifest.total)
        halves, most = (
            job.site.of_boxes(draws, chances, per_box) for draws in (max(each.sizes.p50 for each in sized), deciding.sizes.p90)
        )
        if best is not None and (deciding.sizes.full_count or most.cost >= best.p90.cost):
            continue
        bad = _one_bad(job, deciding.forecast, 0.0, sure=True)
        work = None if bad is None else job.site.of_boxes(bad.p90, chances, per_box)
        best = Row(
            Design.TWO_STAGE, _name(deciding), halves, most, work, deciding.sizes.full_count, per_box, deciding.target.what
        )
    if best is None:
        raise AuditError("the manifest lists no card")
    return best


def _row_of_cards(
    job: Job, design: Design, forecasts: Sequence[tuple[Target, Forecast]], *, sure: bool, bad: float | None
) -> Row:
    sized = _sized(job, forecasts, sure=sure)
    deciding = max(sized, key=lambda each: each.share)

    def work(sizes: Sequence[tuple[_Sized, int]]) -> Work:
        contests: dict[str, tuple[int, NDArray[np.int64]]] = {}
        for each, size in sizes:
            known = contests.get(each.target.assertion.contest, (0, job.manifest.cards))
            if size > known[0]:
                contests[each.target.assertion.contest] = (size, job.cards(each.target))
        return job.site.of_cards(list(contests.values()))

    one_bad = None if bad is None else _one_bad(job, deciding.forecast, bad, sure=sure)
    return Row(
        design,
        _name(deciding),
        work([(each, each.sizes.p50) for each in sized]),
        work([(each, each.sizes.p90) for each in sized]),
        None if one_bad is None else work([(each, one_bad.p90 if each is deciding else each.sizes.p90) for each in sized]),
        any(each.sizes.full_count and each.target.cards is None for each in sized),
        None,
        deciding.target.what,
    )


def _row_of_boxes(job: Job, design: Design, risk: str, boxes: BatchDesign, sizes: Sizes, bad: Sizes | None) -> Row:
    chances = boxes.bounds / max(1, int(boxes.bounds.sum()))
    closest = min(job.targets, key=lambda each: Fraction(each.spare, -each.assertion.lowest * job.reported(each).cards))
    return Row(
        design,
        risk,
        job.site.of_boxes(sizes.p50, chances, None),
        job.site.of_boxes(sizes.p90, chances, None),
        None if bad is None else job.site.of_boxes(bad.p90, chances, None),
        sizes.full_count,
        None,
        closest.what,
    )


def _sized(job: Job, forecasts: Sequence[tuple[Target, Forecast]], *, sure: bool) -> list[_Sized]:
    """Sizes of the assertions that can matter: in each contest those that are not far from the longest."""
    typical = [expected.typical_size(job.limit) for _, expected in forecasts]
    longest: dict[str, float] = {}
    for (target, _), size in zip(forecasts, typical, strict=True):
        contest = target.assertion.contest
        longest[contest] = max(longest.get(contest, 0.0), size if size is not None else np.inf)
    made = []
    for number, ((target, expected), size) in enumerate(zip(forecasts, typical, strict=True)):
        if size is None:
            made.append(_Sized(target, expected, Sizes(expected.cards, expected.cards, True)))
        elif size >= NEAR * longest[target.assertion.contest]:
            risk = suggested(expected, job.limit, sure=sure).function()
            sizes = sample_size(expected, risk, job.limit, repetitions=job.repetitions, seed=job.seed + number)
            made.append(_Sized(target, expected, sizes))
    return made


def _one_bad(job: Job, expected: Forecast, bad: float, *, sure: bool) -> Sizes | None:
    """Sizes if the first draw has this value; None for a full count."""
    if expected.typical_size(job.limit) is None:
        return None
    sizes = next_round(
        expected,
        np.array([bad]),
        suggested(expected, job.limit, sure=sure).function(),
        job.limit,
        weight=FIRM,
        repetitions=job.repetitions,
        seed=job.seed,
    )
    return None if sizes.full_count else sizes


def _name(sized: _Sized) -> str:
    return "" if sized.forecast.kelly_bet() == 0 else "betting-diversified"


def _boxes(target: Target) -> ScoreTally:
    if target.boxes is None:
        raise AuditError(f"{target.what}: no scores were reported by box")
    return target.boxes


def _batches(job: Job) -> BatchDesign:
    reported = tuple(Reported(each.assertion, _boxes(each).totals, job.cards(each)) for each in job.targets)
    return BatchDesign(job.manifest.boxes, reported)
