"""Makes the plan of an audit of the outcome from the results that stand at a log size: what has to be shown, and how.

Pure: the same results give the same plan, byte for byte. What only a full count can confirm (ties, margins of one card, contests
in which nobody voted) is said here, before anyone draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np

from scrutineer.audits import margins
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.designs.batch import clean_size
from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.outcome import Requirement, required
from scrutineer.audits.plan import (
    BOX_DESIGNS,
    CARDS_FILE,
    FORMAT,
    MANIFEST_FILE,
    TOTALS_FILE,
    DrawMode,
    Plan,
    PlanDesign,
    PlannedContest,
    Test,
    planned_file,
    share_text,
)
from scrutineer.audits.plan_cards import cards_file, cards_of, placed_cards
from scrutineer.audits.plan_design import batch_design, box_forecast, forecast_of
from scrutineer.audits.plan_totals import Row, Totals
from scrutineer.audits.sizes import sample_size
from scrutineer.count import COUNTED, EXCLUDED, Count, unit_result
from scrutineer.count.columns import BLANK, CAST, NULL, VOTERS
from scrutineer.count.results import tally_of
from scrutineer.election import UNKNOWN, Contest
from scrutineer.errors import AuditError

USUAL_RISK: Final[Mapping[PlanDesign, str]] = {
    "batch-macro": "betting-fixed",
    "batch-betting": "betting-fixed",
    "polling": "alpha",
    "oneaudit": "betting-fixed",
    "comparison": "betting-fixed",
}


@dataclass(frozen=True)
class MadePlan:
    """A plan, the files that it names, and what people have to know before it is registered."""

    plan: Plan
    files: Mapping[str, bytes]
    requirements: tuple[Requirement, ...]
    """By contest of the plan."""
    notes: tuple[str, ...]


def reported_totals(count: Count, contests: Sequence[Contest], manifest: Manifest | None) -> tuple[Manifest, Totals]:
    """What was reported by station, each of which is a box; with the manifest, or without one, with what the sheets say of cards.

    A station that is excluded by a decision is left out. One that is not counted has zeros, and whatever lies in it speaks
    against the outcome. Raises AuditError for a station that is not in the manifest, for a box of the manifest that is no
    station, and where nobody says how many cards there are.
    """
    units = count.election.units
    rows: dict[tuple[str, str], Row] = {}
    most: dict[str, int] = {}
    for contest in contests:
        number = count.election.contest_index[contest.id]
        state = count.contests[number]
        if contest.rule == "ranked":
            raise AuditError(
                f"contest {contest.id!r} is ranked: totals of boxes do not say who is elected; audit single cards against records"
            )
        for station in units.stations_below(state.unit):
            status = int(state.status[station])
            if status == EXCLUDED:
                continue
            box = units.ids[units.station_units[station]]
            figures = state.figures[station].tolist()
            votes, stated = tuple(figures[: state.options]), figures[state.options :]
            roll = int(units.rolls[station]) if int(units.rolls[station]) != UNKNOWN else None
            if status == COUNTED:
                counted = tuple(max(0, each) for each in votes)
                rest = max(0, stated[BLANK]) + max(0, stated[NULL])
                cards = _cards(contest, counted, rest, stated[CAST], stated[VOTERS])
            else:
                counted, rest, cards = (0,) * state.options, 0, roll
            if manifest is not None:
                if box not in manifest.index:
                    raise AuditError(f"station {box!r} votes in contest {contest.id!r} and is not in the manifest: add its box")
                cards = int(manifest.cards[manifest.index[box]])
            elif cards is None:
                raise AuditError(f"nobody says how many cards lie in the box of station {box!r}: give a manifest that does")
            rows[box, contest.id] = (cards, rest, counted)
            most[box] = max(most.get(box, 0), cards)
    totals = Totals(rows)
    if manifest is None:
        return Manifest.of(most.items()), totals
    if strange := [box for box in manifest.boxes if box not in most]:
        raise AuditError(
            f"box {strange[0]!r} of the manifest is no station that votes in these contests: leave it out, or correct its name"
        )
    return manifest, totals


def make_plan(
    count: Count,
    root: bytes,
    *,
    name: str,
    contests: Sequence[str] = (),
    risk_limit: Fraction = Fraction(1, 20),
    design: PlanDesign = "batch-betting",
    draw: DrawMode = "canonical",
    replacement: bool = False,
    manifest: Manifest | None = None,
    cards: Cards | None = None,
    first_round: int | None = None,
) -> MadePlan:
    """The plan for the results of a count, which has been folded up to the log size whose root is given.

    `contests` are ids; all of the election where it is empty. `first_round` is how many draws to begin with; without it, as many
    as are enough in half of all cases where the results are right. Raises AuditError for a design that the figures do not allow,
    contests that the election does not have, and figures that do not add up to the published result.
    """
    if (design == "comparison") != (cards is not None) or (cards is not None and manifest is None):
        raise AuditError("comparison of single cards needs records of cards and a manifest, and no other design takes records")
    if design not in BOX_DESIGNS:
        _check_mode(draw)
    elif draw != "canonical":
        raise AuditError("boxes are drawn by error bound with the canonical draw: leave out the other way of drawing")
    chosen = _contests(count, contests)
    totals: Totals | None = None
    by_sheets = manifest is None
    if cards is None:
        manifest, totals = reported_totals(count, chosen, manifest)
        files = {MANIFEST_FILE: manifest.encode(), TOTALS_FILE: totals.encode()}
    else:
        manifest = manifest or Manifest.of(())
        cards = cards_of(cards, chosen)
        files = {MANIFEST_FILE: manifest.encode(), CARDS_FILE: cards_file(cards)}
        cards = placed_cards(cards, manifest)
    requirements, reported, notes = [], [], _notes(count, chosen, manifest)
    if by_sheets:
        notes.append(
            "No manifest was given: how many cards lie in a box is taken from its own sheet, or from the roll. A box with more "
            "cards than that is hardly ever drawn, and the risk limit does not hold for it; give a manifest that others "
            "established."
        )
    for contest in chosen:
        number = count.election.contest_index[contest.id]
        state = count.contests[number]
        tally = tally_of(state, unit_result(count, number, state.unit))
        if tally.cast > manifest.total:
            raise AuditError(
                f"contest {contest.id!r}: {tally.cast} ballots are published, and the manifest has {manifest.total} cards: what "
                "it leaves out could never be drawn; complete it first"
            )
        requirement = required(contest, tally)
        requirements.append(requirement)
        reported.append(_reported(requirement, totals, manifest) if cards is None else _recorded(requirement, cards, notes))
    risk = USUAL_RISK[design]
    by_box = design in BOX_DESIGNS
    plan = Plan(
        format=FORMAT,
        name=name,
        election=count.election.hash.hex(),
        size=count.size,
        root=root.hex(),
        risk_limit=share_text(risk_limit),
        design=design,
        draw=draw,
        replacement=by_box or replacement,
        risk=risk,
        first_round=0,
        boxes=len(manifest.boxes),
        cards=manifest.total,
        contests=tuple(
            PlannedContest(
                contest=requirement.contest,
                full_count=requirement.full_count,
                tests=tuple(Test.of(assertion, total, _USABLE[risk]) for assertion, total in tests),
            )
            for requirement, tests in zip(requirements, reported, strict=True)
        ),
        files={file: planned_file(data) for file, data in files.items()},
    )
    plan = _with_parameters(plan, manifest, totals)
    if not plan.sampled and not any(contest.full_count for contest in plan.contests):
        raise AuditError("nobody stands against the reported outcome of these contests: there is nothing that cards could show")
    if plan.sampled:
        draws, full = _first_round(plan, manifest, totals)
        if full:
            notes.append("By the reported results a sample would be as large as a full count: hold a full count.")
        plan = msgspec.structs.replace(plan, first_round=draws if first_round is None else first_round)
    return MadePlan(plan, files, tuple(requirements), tuple(notes))


_USABLE: Final[Mapping[str, dict[str, str]]] = {
    "betting-fixed": {"rate": "1"},
    "alpha": {"eta": "1"},
}
"""Parameters that hold the place of those that are worked out from the plan itself."""


def _check_mode(draw: DrawMode) -> None:
    if draw not in ("canonical", "rivest"):
        raise AuditError(f"there is no way of drawing called {draw!r}: use canonical or rivest")


def _contests(count: Count, wanted: Sequence[str]) -> list[Contest]:
    known = {contest.id: contest for contest in count.election.contests}
    for contest in wanted:
        if contest not in known:
            raise AuditError(f"there is no contest {contest!r}: use some of {', '.join(known)}")
    return [known[contest] for contest in sorted(set(wanted) or known)]


def _cards(contest: Contest, votes: tuple[int, ...], rest: int, cast: int, voters: int) -> int | None:
    """How many cards were found in a box by its own sheet; the largest figure where they differ."""
    least = (sum(votes) if contest.single_choice() else max(votes)) + rest
    if cast == UNKNOWN and voters == UNKNOWN and not contest.single_choice():
        return None
    return max(least, cast, voters)


def _recorded(requirement: Requirement, cards: Cards, notes: list[str]) -> list[tuple[Assertion, int]]:
    """The assertions and their scores by the records of cards. Raises AuditError where the records say that one is not true."""
    if requirement.full_count or not requirement.assertions:
        return []
    scores = margins.totals(requirement.assertions, cards.column(requirement.contest)).tolist()
    for assertion, score, margin in zip(requirement.assertions, scores, requirement.margins, strict=True):
        if score < assertion.need:
            raise AuditError(
                f"contest {requirement.contest!r}: by the records of cards {assertion.code} is not true; count all cards by hand"
            )
        if score != margin:
            notes.append(
                f"Contest {requirement.contest}: the records of cards add up to {score:,} in {assertion.code}, and the published "
                f"result to {margin:,}."
            )
    return list(zip(requirement.assertions, scores, strict=True))


def _reported(requirement: Requirement, totals: Totals | None, manifest: Manifest) -> list[tuple[Assertion, int]]:
    """The assertions and their reported scores, added up over boxes. Raises AuditError where that is not the published result."""
    if requirement.full_count or totals is None:
        return []
    found = totals.of(requirement.contest, manifest)
    added = []
    for assertion, margin in zip(requirement.assertions, requirement.margins, strict=True):
        scores = found.votes @ np.array(assertion.weights, np.int64) + assertion.rest * found.rest
        total = int(scores.sum())
        if total != margin:
            raise AuditError(
                f"contest {requirement.contest!r}: the boxes add up to {total} in {assertion.code}, and the published result "
                f"says {margin}; find the difference before you go on"
            )
        added.append((assertion, total))
    return added


def _notes(count: Count, contests: Sequence[Contest], manifest: Manifest) -> list[str]:
    notes = []
    for contest in contests:
        number = count.election.contest_index[contest.id]
        result = unit_result(count, number, count.contests[number].unit)
        if open_ := result.outstanding + result.quarantined:
            notes.append(
                f"Contest {contest.id}: {open_} station(s) are outstanding or in quarantine; whatever lies in their boxes speaks "
                "against the outcome until it is counted."
            )
        if result.excluded:
            notes.append(f"Contest {contest.id}: {result.excluded} station(s) are excluded by decision and are not audited.")
    if int((manifest.cards == 0).sum()):
        notes.append(f"{int((manifest.cards == 0).sum())} box(es) of the manifest hold no card.")
    return notes


def _with_parameters(plan: Plan, manifest: Manifest, totals: Totals | None) -> Plan:
    """The plan with the parameters of each test's risk function, from the reported results."""
    if not plan.sampled:
        return plan
    if totals is not None and plan.by_box:
        design = batch_design(plan, manifest, totals)
        rate = _rate(box_forecast(design)) if design.limit >= 1 else {"rate": "0"}
        given = {(contest, test.code): rate for contest, test in plan.tests()}
    elif plan.design == "polling":
        given = {(contest, test.code): _polling_parameters(contest, test, plan.cards) for contest, test in plan.tests()}
    else:
        given = {
            (contest, test.code): _rate(forecast_of(plan, contest, test, manifest, totals)) for contest, test in plan.tests()
        }
    contests = [
        msgspec.structs.replace(
            contest,
            tests=tuple(msgspec.structs.replace(test, parameters=given[contest.contest, test.code]) for test in contest.tests),
        )
        for contest in plan.contests
    ]
    return msgspec.structs.replace(plan, contests=tuple(contests))


def _rate(expected: Forecast) -> dict[str, str]:
    """The best bet for what is expected, fixed in advance (a-priori Kelly)."""
    return {"rate": share_text(Fraction(expected.kelly_bet()))}


def _polling_parameters(contest: str, test: Test, cards: int) -> dict[str, str]:
    """The reported mean, kept for as many draws as it would take, and revised after."""
    assertion = test.assertion(contest)
    mean = (1 + Fraction(test.total, cards * -assertion.lowest)) / 2
    return {"eta": share_text(min(mean, assertion.upper)), "weight": "100"}


def _first_round(plan: Plan, manifest: Manifest, totals: Totals | None) -> tuple[int, bool]:
    """How many draws are enough in half of all cases where the results are right, and whether that is a full count."""
    limit = float(plan.limit)
    if totals is not None and plan.by_box:
        design = batch_design(plan, manifest, totals)
        if design.limit < 1:
            return 0, False
        _, test = plan.tests()[0]
        size = clean_size(plan.function(test), design.null(), plan.limit, 50 * len(design.names) + 1000)
        return (len(design.names), True) if size is None else (size, False)
    sizes = [
        sample_size(forecast_of(plan, contest, test, manifest, totals), plan.function(test), limit)
        for contest, test in plan.tests()
    ]
    return max(size.p50 for size in sizes), any(size.full_count for size in sizes)
