"""A call with everything that stands beside it, for people and for programs: needs, history, estimates, sensitivity."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scrutineer.calls.arithmetic import Need, Needs, Prospect, Since, needs, since, would_become
from scrutineer.calls.call import Call, ConditionCall
from scrutineer.calls.condition_words import in_votes
from scrutineer.calls.conditions import measure
from scrutineer.calls.estimate import Estimate, Interval, estimate
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sentences import condition_sentence, explanations, names_of, sentence, verdict_name, weakest
from scrutineer.calls.stated import named
from scrutineer.election import Contest


@dataclass(frozen=True, eq=False)
class CallReport:
    """One call and what explains it. `hanging` is the condition on which the verdict hangs; None where there is none."""

    contest: Contest
    call: Call
    partial: PartialCount
    hanging: ConditionCall | None
    since: Since | None
    """When the hanging condition became certain by arithmetic; None also where the order of arrival is not known."""
    prospect: Prospect | None
    """When it would, if its value stayed as it is."""
    needs: Needs | None
    """What would have to come, in total and by stratum, for it to fail; None where nothing is open, or ballots are ranked."""
    estimate: Estimate | None


def call_report(contest: Contest, partial: PartialCount, call: Call) -> CallReport:
    """Everything that stands beside a call. Raises CallError for figures that cannot be used."""
    hanging = weakest(call) or min(call.leads, key=lambda lead: lead.value, default=None)
    if hanging is None:
        return CallReport(contest, call, partial, None, None, None, None, estimate(partial) if not call.incoherent else None)
    measured = measure(hanging.condition, partial)
    return CallReport(
        contest,
        call,
        partial,
        hanging,
        since(partial, measured) if partial.ordered else None,
        would_become(partial, measured),
        needs(partial, measured) if partial.open_stations and contest.rule != "ranked" else None,
        estimate(partial),
    )


def report_json(report: CallReport) -> dict[str, Any]:
    """The report for programs: exact figures as integers and fractions as text ('1/3'), estimates as numbers; null is unknown."""
    call, names = report.call, names_of(report.call, report.contest)
    return {
        "contest": call.contest,
        "unit": call.unit or None,
        "verdict": call.verdict,
        "verdict_name": verdict_name(call),
        "reasons": list(call.reasons),
        "sentence": sentence(call, report.contest),
        "explanations": list(explanations(call, report.contest)),
        "incoherent": list(call.incoherent),
        "committed": call.committed and not call.supposed,
        "supposed_committed": call.supposed,
        "risk": call.risk,
        "gamma": call.gamma,
        "counted_stations": call.counted,
        "open_stations": call.open,
        "open_ballots": call.open_ballots,
        "sizes_seen": _gamma(call.sizes_seen),
        "votes": dict(zip(call.candidates, report.partial.totals, strict=True)),
        "outcome": {
            "elected": [call.candidates[index] for index in call.outcome.elected],
            "runoff": [call.candidates[index] for index in call.outcome.runoff],
            "tied": [call.candidates[index] for index in call.outcome.tied],
            "seats": dict(zip(call.candidates, call.outcome.seats, strict=True)) if call.outcome.seats else None,
        },
        "arithmetic": {"binding": call.binding, "slack": call.slack},
        "clauses": [[_condition(condition, call, names) for condition in clause] for clause in call.clauses],
        "leads": [_condition(condition, call, names) for condition in call.leads],
        "hanging": None if report.hanging is None else _hanging(report, report.hanging),
        "estimate": None if report.estimate is None else _estimate(report.estimate, call.candidates),
    }


def _condition(condition: ConditionCall, call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    found = condition.sensitivity
    return {
        "code": named(condition.condition.code, call.candidates),
        "text": condition_sentence(condition.condition, names),
        "verdict": condition.verdict,
        "reasons": list(condition.reasons),
        "value": condition.value,
        "votes": str(in_votes(condition.condition, condition.value, call.candidates)),
        "need": condition.condition.need,
        "slack": condition.slack,
        "recount_band": condition.band,
        "tested": None if found is None else condition.tested,
        "flips_at": None if found is None else _gamma(found.flips_at),
        "never_flips": found is not None and found.flips_at is None,
        "seen": None if found is None else _gamma(found.seen),
        "uncovered": [] if found is None else list(found.uncovered),
    }


def _hanging(report: CallReport, hanging: ConditionCall) -> dict[str, Any]:
    history, prospect = report.since, report.prospect
    return {
        "code": named(hanging.condition.code, report.call.candidates),
        "certain_since": None
        if history is None
        else {"stations": history.stations, "capacity": history.capacity, "slack": history.slack},
        "certain_when": None
        if prospect is None
        else {"open_ballots_at_most": prospect.open_limit, "ballots_to_count": prospect.to_count},
        "needs": None
        if report.needs is None
        else {
            "gap": report.needs.gap,
            "overall": _need(report.needs.overall),
            "strata": [_need(need) for need in report.needs.strata],
        },
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "stratum": need.stratum or None,
        "counted_stations": need.counted_stations,
        "open_stations": need.open_stations,
        "open_ballots": need.open_capacity,
        "value": need.value,
        "votes_if_turnout_as_counted": need.votes_if,
        "rival_share_counted": _fraction(need.share_counted),
        "rival_share_needed": _fraction(need.share_needed),
        "odds_ratio": _fraction(need.odds_ratio),
    }


def _estimate(found: Estimate, candidates: tuple[str, ...]) -> dict[str, Any]:
    return {
        "level": str(found.level),
        "base": found.base,
        "by_stations": found.by_stations,
        "baseline": found.baseline,
        "votes": {candidate: _interval(own) for candidate, own in zip(candidates, found.votes, strict=True)},
        "shares": {candidate: _interval(own) for candidate, own in zip(candidates, found.shares, strict=True)},
        "total": _interval(found.total),
    }


def _interval(interval: Interval) -> dict[str, float]:
    return {"low": interval.low, "point": interval.point, "high": interval.high}


def _gamma(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / 100


def _fraction(value: Fraction | None) -> str | None:
    return None if value is None else str(value)
