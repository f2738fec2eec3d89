"""What an audit would cost by other designs, from the same results as a plan: said before the plan is registered."""

from collections import Counter

from scrutineer.audits.margins import pattern_cards, pattern_scores
from scrutineer.audits.plan import Plan, Test
from scrutineer.audits.planned.cards import box_scores
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.planner import Records, Row, Target, trade_off
from scrutineer.errors import AuditError


def other_designs(files: PlanFiles, *, repetitions: int = 100) -> tuple[Row, ...]:
    """Every design that the figures allow, the cheapest first. Estimates, which decide nothing.

    Empty where nothing is sampled, and where the figures by box do not say how single cards are marked.
    """
    plan, manifest, totals = files.plan, files.manifest, files.totals
    targets = []
    try:
        for contest, test in plan.targets():
            assertion = test.assertion(contest)
            if totals is None:
                targets.append(Target(assertion, test.total, overall=_by_score(files, contest, test)))
                continue
            found = totals.of(contest, manifest)
            targets.append(Target(assertion, test.total, boxes=box_scores(test, contest, found)))
        return trade_off(targets, manifest, _records(plan), risk_limit=plan.limit, repetitions=repetitions) if targets else ()
    except AuditError:
        return ()


def _by_score(files: PlanFiles, contest: str, test: Test) -> dict[int, int]:
    """By score how many cards are recorded to have it."""
    found: Counter[int] = Counter()
    if files.cards is not None:
        column = files.cards.column(contest)
        for score, cards in zip(
            pattern_scores([test.assertion(contest)], column)[0].tolist(), pattern_cards(column), strict=True
        ):
            found[score] += int(cards)
    return dict(found)


def _records(plan: Plan) -> Records:
    return Records.CARDS if plan.design == "comparison" else Records.BATCHES
