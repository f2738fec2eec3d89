"""The verdict on whether the outcome of the counted stations can still change.

A condition of the outcome is decided

1. by arithmetic, if the worst case of everything open leaves it standing (error zero, given the rolls);
2. by statistics, if all of these hold: (a) the sequential test rejects its failure at its part of the risk, (b) it stands however
   the outstanding stations of each stratum are reweighted counted ones, with weights from 1 to gamma, strata with too few counted
   stations taking their worst case, and the order seen so far tonight differs by less than would flip it, (c) it lies outside the
   recount band, and (d) risk, gamma and strata were committed to before the first result.

(a) alone holds only for a random order of reporting and (b) alone only for large samples; each covers what the other leaves open.
The outcome is decided where every clause of it is. The risk is split over the comparisons that a rule can make, because who
leads is itself a result: a false call says that somebody leads the one who is in fact ahead, and there are so many ways.
"""

from collections.abc import Iterable
from fractions import Fraction

from scrutineer.calls.arithmetic import band
from scrutineer.calls.call import Call, ConditionCall, Reason, Sensitivity, Verdict
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.martingale import evidence
from scrutineer.calls.outcomes import Question, leads, question, tally_of
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import sensitivity
from scrutineer.count.outcome import Bound, can_change
from scrutineer.count.results import rule_of
from scrutineer.election import Contest
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import parse_share

_DECIDED: tuple[Verdict, ...] = ("arithmetic", "statistics")


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
    tally = tally_of(contest, partial)
    rule = rule_of(contest)
    asked = question(rule, tally)
    bound = can_change(rule, tally, partial.open_ballots)
    judge = _Judge(contest, partial, settings, asked, committed=committed)
    coherent = not incoherent and partial.counted_stations > 0
    clauses = tuple(tuple(judge.call(condition) for condition in clause) for clause in asked.clauses) if coherent else ()
    ahead = tuple(judge.call(condition) for condition in leads(partial.totals)) if coherent else ()
    verdict, reasons = _verdict(asked, bound, clauses, partial, incoherent)
    return Call(
        contest=contest.id,
        unit=unit,
        verdict=verdict,
        reasons=reasons,
        outcome=asked.outcome,
        candidates=partial.candidates,
        clauses=clauses,
        leads=ahead,
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
    )


class _Judge:
    """Calls conditions of one contest; each condition once, since the outcome and the leads often ask the same."""

    def __init__(
        self, contest: Contest, partial: PartialCount, settings: CallSettings, asked: Question, *, committed: bool
    ) -> None:
        self._partial = partial
        self._legal = parse_share(contest.recount, "recount") if contest.recount else None
        self._gamma = settings.order_limit()
        self._risk = settings.risk_limit()
        self._comparisons = asked.comparisons
        self._committed = committed
        self._known: dict[Condition, ConditionCall] = {}

    def call(self, condition: Condition) -> ConditionCall:
        """The verdict on one condition."""
        if condition not in self._known:
            self._known[condition] = self._call(condition)
        return self._known[condition]

    def _call(self, condition: Condition) -> ConditionCall:
        partial = self._partial
        measured = measure(condition, partial)
        open_ballots = partial.open_ballots
        slack = None if open_ballots is None else measured.slack + condition.worst * open_ballots
        recount = band(partial, condition, self._legal)
        in_band: tuple[Reason, ...] = ("recount-band",) if measured.total <= recount else ()
        verdict: Verdict = "not-decided"
        found: Sensitivity | None = None
        tested = False
        if slack is not None and slack >= 0:
            reasons = in_band
            verdict = "not-decided" if in_band else "arithmetic"
        elif measured.slack < 0:
            reasons = (*in_band, "outstanding-exceeds-lead")
        else:
            found = sensitivity(partial, measured)
            tested = evidence(partial, measured).passes(self._risk, self._comparisons)
            against = self._against(found, tested=tested)
            if against or in_band:
                reasons = (*in_band, "outstanding-exceeds-lead" if slack is not None else "inputs", *against)
            elif self._committed:
                reasons, verdict = (), "statistics"
            else:
                reasons = ("not-committed",)
        return ConditionCall(condition, verdict, reasons, measured.total, slack, found, tested, recount)

    def _against(self, found: Sensitivity, *, tested: bool) -> tuple[Reason, ...]:
        """What stands against a verdict by statistics, of points (a) and (b)."""
        against: list[Reason] = []
        if not tested:
            against.append("test-not-passed")
        if found.flips_at is not None and Fraction(found.flips_at, 100) <= self._gamma:
            against.append("order-sensitive")
            if found.uncovered:
                against.append("stratum-uncovered")
        elif found.seen is None or (found.flips_at is not None and found.seen >= found.flips_at):
            against.append("order-seen")
        return tuple(against)


def _verdict(
    asked: Question,
    bound: Bound,
    clauses: tuple[tuple[ConditionCall, ...], ...],
    partial: PartialCount,
    incoherent: tuple[str, ...],
) -> tuple[Verdict, tuple[Reason, ...]]:
    """The verdict on the whole outcome from those on its clauses, and every reason that stands against it."""
    if incoherent:
        return "not-coherent", ("inputs",)
    if not partial.counted_stations:
        return "not-decided", ("inputs",)
    if asked.outcome.tied:
        return "not-decided", ("tie",)
    best = [max(clause, key=_merit) for clause in clauses]
    if any("recount-band" in condition.reasons for condition in best):
        return "not-decided", _all_reasons(best)
    if not bound.changeable:
        return "arithmetic", ()
    if best and all(condition.verdict in _DECIDED for condition in best):
        return "statistics", ()
    return "not-decided", _all_reasons(best) or ("outstanding-exceeds-lead" if bound.slack is not None else "inputs",)


def _merit(condition: ConditionCall) -> tuple[bool, bool, int]:
    # Of the conditions of a clause, any of which suffices, the one that is decided, else the one that is furthest from failing.
    flips_at = 0 if condition.sensitivity is None else condition.sensitivity.flips_at or 1_000_000
    return condition.verdict in _DECIDED, "recount-band" not in condition.reasons, flips_at


def _all_reasons(conditions: Iterable[ConditionCall]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for condition in conditions for reason in condition.reasons))
