"""The verdict on whether the outcome of the counted stations can still change.

A condition of the outcome is decided

1. by arithmetic, if the worst case of everything open leaves it standing (error zero, given the rolls);
2. by statistics, if all of these hold: (a) the sequential test rejects its failure at its part of the risk, (b) it stands however
   the outstanding stations of each stratum are reweighted counted ones, with weights from 1 to gamma, strata with too few counted
   stations taking their worst case, and what is known of tonight's order neither refutes gamma (pace.py) nor reaches what would
   flip it, (c) it lies outside the recount band, and (d) risk, gamma and strata were committed to before the first result.

(a) alone holds only for a random order of reporting and (b) alone only for large samples; each covers what the other leaves open.
The outcome is decided where every clause of it is. The risk is split over the comparisons that a rule can make, because who
leads is itself a result: a false call says that somebody leads the one who is in fact ahead, and there are so many ways.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from scrutineer.calls.arithmetic import band, band_share
from scrutineer.calls.call import NEVER, Call, ConditionCall, Reason, Sensitivity, Verdict
from scrutineer.calls.conditions import Condition
from scrutineer.calls.examination import Examination
from scrutineer.calls.forms import Clause, WeightError
from scrutineer.calls.outcomes import Question, leads, question, tally_of, unstated
from scrutineer.calls.pace import keeps_pace
from scrutineer.calls.partial import PartialCount
from scrutineer.count.outcome import Bound, RankedTally, Tally, can_change
from scrutineer.count.results import rule_of
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import parse_share

_DECIDED: tuple[Verdict, ...] = ("arithmetic", "statistics")


EXAMINED: Final = 64
"""Conditions that are examined by statistics, tightest first, once one of them is not decided: list rules have very many."""


def make_call(
    contest: Contest,
    partial: PartialCount,
    settings: CallSettings,
    *,
    committed: bool,
    unit: str = "",
    incoherent: tuple[str, ...] = (),
) -> Call:
    """The call on one contest in one unit. `incoherent` says what in the figures cannot be; then no call is made.

    `committed` says whether the settings stood in the log before the first result. Raises CallError for unusable figures.
    """
    return call_of_tally(
        contest,
        partial,
        tally_of(contest, partial),
        settings,
        lambda: Examination(partial),
        committed=committed,
        unit=unit,
        incoherent=incoherent,
    )


def call_of_tally(
    contest: Contest,
    partial: PartialCount,
    tally: Tally | RankedTally,
    settings: CallSettings,
    examination: Callable[[], Examination],
    *,
    committed: bool,
    unit: str = "",
    incoherent: tuple[str, ...] = (),
) -> Call:
    """`make_call` for who has the tally of the partial count already, and its own way to the statistical figures."""
    rule = rule_of(contest)
    try:
        asked = question(rule, tally)
    except WeightError:
        asked = unstated(rule, tally)  # Arithmetic answers whatever the shares are.
    bound = can_change(rule, tally, partial.open_ballots)
    judge = _Judge(contest, partial, tally, settings, asked, examination(), committed=committed)
    coherent = not incoherent and partial.counted_stations > 0
    clauses = judge.clauses(asked.clauses) if coherent else ()
    # Who has the most first preferences says nothing about who survives an instant run-off.
    ahead = leads(partial.totals) if coherent and contest.rule != "ranked" else ()
    called = judge.clauses(tuple((condition,) for condition in ahead))
    close = not asked.stated and bound.margin is not None and bound.margin <= judge.recounted * tally.cast
    verdict, reasons = _verdict(asked, bound, clauses, partial, incoherent, close=close)
    return Call(
        contest=contest.id,
        unit=unit,
        verdict=verdict,
        reasons=reasons,
        outcome=asked.outcome,
        candidates=partial.candidates,
        clauses=clauses,
        leads=tuple(clause[0] for clause in called),
        incoherent=incoherent,
        committed=committed,
        risk=settings.risk,
        gamma=settings.gamma,
        counted=partial.counted_stations,
        open=partial.open_stations,
        stations=partial.counted_stations + partial.open_stations,
        open_ballots=partial.open_ballots,
        binding=bound.binding,
        slack=bound.slack,
        baseline=partial.previous is not None,
        ordered=partial.ordered,
        sizes_seen=judge.sizes_seen,
    )


class _Judge:
    """Calls conditions of one contest; each condition once, since the outcome and the leads often ask the same."""

    def __init__(
        self,
        contest: Contest,
        partial: PartialCount,
        tally: Tally | RankedTally,
        settings: CallSettings,
        asked: Question,
        examination: Examination,
        *,
        committed: bool,
    ) -> None:
        self._partial = partial
        self._tally = tally
        self._open_ballots = partial.open_ballots
        self._legal = parse_share(contest.recount, "recount") if contest.recount else None
        self._gamma = settings.order_limit()
        self._risk = settings.risk_limit()
        self.recounted = band_share(self._legal)
        # For a final result that is an exact tie: every call on it is false (Question.comparisons).
        self._comparisons = 2 * asked.comparisons if isinstance(tally, RankedTally) else asked.comparisons + 1
        self._committed = committed
        self._known: dict[Condition, ConditionCall] = {}
        self._examination = examination
        self.sizes_seen = examination.sizes_seen

    def clauses(self, asked: tuple[Clause, ...]) -> tuple[tuple[ConditionCall, ...], ...]:
        """The verdicts on conditions: by arithmetic on all of them, then by statistics where that leaves a clause open."""
        for condition in (condition for clause in asked for condition in clause):
            if condition not in self._known:
                self._known[condition] = self._by_arithmetic(condition)
        waiting = [clause for clause in asked if not any(self._known[condition].verdict in _DECIDED for condition in clause)]
        waiting.sort(key=lambda clause: max(self._known[condition].ballots_left for condition in clause))
        undecided = False
        for number, clause in enumerate(waiting):
            if undecided and number >= EXAMINED:
                break
            for condition in clause:
                if self._known[condition].sensitivity is None and self._known[condition].value >= condition.need:
                    self._known[condition] = self._by_statistics(self._known[condition])
            undecided = undecided or not any(self._known[condition].verdict in _DECIDED for condition in clause)
        return tuple(tuple(self._known[condition] for condition in clause) for clause in asked)

    def _by_arithmetic(self, condition: Condition) -> ConditionCall:
        value = condition.value(self._tally)
        slack = None
        if self._open_ballots is not None or condition.worst == 0:
            slack = value - condition.need + condition.worst * (self._open_ballots or 0)
        recount = band(self._partial, condition, self._legal)
        in_band: tuple[Reason, ...] = ("recount-band",) if value <= recount else ()
        if slack is not None and slack >= 0:
            verdict: Verdict = "not-decided" if in_band else "arithmetic"
            return ConditionCall(condition, verdict, in_band, value, slack, None, tested=False, band=recount)
        too_much: Reason = "inputs" if slack is None else "outstanding-exceeds-lead"
        return ConditionCall(condition, "not-decided", (*in_band, too_much), value, slack, None, tested=False, band=recount)

    def _by_statistics(self, known: ConditionCall) -> ConditionCall:
        if known.slack is not None and known.slack >= 0:
            return known
        found, evidence = self._examination.of(known.condition)
        tested = evidence.passes(self._risk, self._comparisons)
        reasons = (*known.reasons, *self._against(found, tested=tested))
        verdict: Verdict = "not-decided"
        if len(reasons) == 1:  # What is open exceeds the lead, and nothing else stands against it.
            reasons, verdict = ((), "statistics") if self._committed else (("not-committed",), "not-decided")
        return replace(known, verdict=verdict, reasons=reasons, sensitivity=found, tested=tested)

    def _against(self, found: Sensitivity, *, tested: bool) -> tuple[Reason, ...]:
        """What stands against a verdict by statistics, of points (a) and (b)."""
        against: list[Reason] = []
        if not tested:
            against.append("test-not-passed")
        if found.flips_at is not None and Fraction(found.flips_at, 100) <= self._gamma:
            against.append("order-sensitive")
            if found.uncovered:
                against.append("stratum-uncovered")
        elif not keeps_pace(found.seen, self._partial, self._gamma) or _reached(found.seen, found.flips_at):
            against.append("order-seen")
        if Fraction(self.sizes_seen, 100) > self._gamma:
            against.append("sizes-seen")
        return tuple(against)


def _verdict(
    asked: Question,
    bound: Bound,
    clauses: tuple[tuple[ConditionCall, ...], ...],
    partial: PartialCount,
    incoherent: tuple[str, ...],
    *,
    close: bool,
) -> tuple[Verdict, tuple[Reason, ...]]:
    """The verdict on the whole outcome from those on its clauses, and every reason that stands against it.

    `close` says of an outcome without conditions that so few ballots change it as a recount may move.
    """
    if incoherent:
        return "not-coherent", ("inputs",)
    if not partial.counted_stations:
        return "not-decided", ("inputs",)
    if asked.outcome.tied:
        return "not-decided", ("tie",)
    best = [max(clause, key=_merit) for clause in clauses]
    if any("recount-band" in condition.reasons for condition in best):
        return "not-decided", _all_reasons(best)
    too_much: Reason = "inputs" if bound.slack is None else "outstanding-exceeds-lead"
    if close:
        return "not-decided", ("recount-band", too_much) if bound.changeable else ("recount-band",)
    if not bound.changeable:
        return "arithmetic", ()
    if best and all(condition.verdict in _DECIDED for condition in best):
        return "statistics", ()
    return "not-decided", _all_reasons(best) or (too_much,)


def _reached(seen: int | None, flips_at: int | None) -> bool:
    """Whether the order seen tonight differs by as much as would flip the condition."""
    return seen is None or (flips_at is not None and seen >= flips_at)


def _merit(condition: ConditionCall) -> tuple[bool, bool, bool, int]:
    # Of the conditions of a clause, any of which suffices, the one that is decided, else the one that is furthest from failing.
    found = condition.sensitivity
    never = found is not None and found.flips_at is NEVER
    flips_at = 0 if found is None or found.flips_at is None else found.flips_at
    return condition.verdict in _DECIDED, "recount-band" not in condition.reasons, never, flips_at


def _all_reasons(conditions: Iterable[ConditionCall]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for condition in conditions for reason in condition.reasons))
