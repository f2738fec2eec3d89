"""What the count says of a unit and of a contest: totals, progress, who holds the places, and whether that can still change."""

from dataclasses import dataclass
from fractions import Fraction

from scrutineer.count import outcome as outcomes
from scrutineer.count.contest import (
    T_BALLOTS,
    T_BLANK,
    T_BLANK_KNOWN,
    T_COUNTED,
    T_EXCLUDED,
    T_NULL,
    T_NULL_KNOWN,
    T_OPEN_ROLL,
    T_OPEN_UNKNOWN,
    T_QUARANTINED,
    T_ROLL,
    T_ROLL_COUNTED,
    T_ROLL_COUNTED_KNOWN,
    T_ROLL_KNOWN,
    T_VOTERS,
    T_VOTERS_KNOWN,
    ContestCount,
)
from scrutineer.count.fold import Count
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES, parse_share
from scrutineer.statements import ContestResult


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Totals of one contest in one unit, over its counted stations. None means unknown, which is not zero."""

    votes: tuple[int, ...]
    """Votes per ballot option."""
    blank: int | None
    null: int | None
    ballots: int
    voters: int | None
    stations: int
    counted: int
    quarantined: int
    excluded: int
    roll: int | None
    """Registered voters of all stations; None where a station's roll is unknown."""
    roll_counted: int | None
    """Registered voters of the counted stations; None where one is unknown."""
    open_ballots: int | None
    """At most so many ballots can still come from outstanding and quarantined stations; None where a roll is unknown."""
    open_without_roll: int
    """Outstanding and quarantined stations whose roll is unknown."""

    @property
    def outstanding(self) -> int:
        """Stations whose sheet has not arrived."""
        return self.stations - self.counted - self.quarantined - self.excluded

    @property
    def valid(self) -> int:
        """Sum of the options."""
        return sum(self.votes)


@dataclass(frozen=True, slots=True)
class Standing:
    """One contest as it stands: its result over its whole unit, the outcome, and the bound on change."""

    contest: Contest
    result: UnitResult
    candidate_votes: tuple[int, ...]
    """Votes per candidate, in the order of `contest.standing()`."""
    outcome: outcomes.Outcome
    bound: outcomes.Bound


def unit_result(count: Count, contest: int, unit: int) -> UnitResult:
    """Totals of a contest (by position) in a unit or station (by position)."""
    state = count.contests[contest]
    totals: list[int] = state.totals(unit).tolist()
    k = state.options
    within = _stations_within(count, state, unit)
    t = totals[k:]
    return UnitResult(
        votes=tuple(totals[:k]),
        blank=t[T_BLANK] if t[T_BLANK_KNOWN] else None,
        null=t[T_NULL] if t[T_NULL_KNOWN] else None,
        ballots=t[T_BALLOTS],
        voters=t[T_VOTERS] if t[T_VOTERS_KNOWN] else None,
        stations=within,
        counted=t[T_COUNTED],
        quarantined=t[T_QUARANTINED],
        excluded=t[T_EXCLUDED],
        roll=t[T_ROLL] if t[T_ROLL_KNOWN] == within else None,
        roll_counted=t[T_ROLL_COUNTED] if t[T_ROLL_COUNTED_KNOWN] == t[T_COUNTED] else None,
        open_ballots=t[T_OPEN_ROLL] if not t[T_OPEN_UNKNOWN] else None,
        open_without_roll=t[T_OPEN_UNKNOWN],
    )


def _stations_within(count: Count, state: ContestCount, unit: int) -> int:
    below, of_contest = count.election.units.stations_below(unit), count.election.units.stations_below(state.unit)
    return max(0, min(below.stop, of_contest.stop) - max(below.start, of_contest.start))


def standing(count: Count, contest: int) -> Standing:
    """Who holds the places of a contest on the counted sheets, and whether what is open could change that."""
    state = count.contests[contest]
    result = unit_result(count, contest, state.unit)
    tally = tally_of(state, result)
    rule = rule_of(state.contest)
    votes = tally.votes if isinstance(tally, outcomes.Tally) else _first_preferences(tally)
    return Standing(
        state.contest, result, votes, outcomes.decide(rule, tally), outcomes.can_change(rule, tally, result.open_ballots)
    )


def rule_of(contest: Contest) -> outcomes.Rule:
    """The deciding rule of a contest, from its definition."""
    share = parse_share(contest.threshold, "threshold") if contest.threshold else None
    match contest.rule:
        case "plurality":
            return outcomes.Plurality(contest.seats, contest.max_choices)
        case "approval":
            return outcomes.Approval(contest.seats)
        case "yes-no":
            return outcomes.YesNo(share or Fraction(1, 2))
        case "majority":
            other = contest.alternative
            alternative = None if other is None else (parse_share(other.share, "share"), parse_share(other.lead, "lead"))
            return outcomes.Majority(share or Fraction(1, 2), alternative, contest.base)
        case "ranked":
            return outcomes.InstantRunoff()
        case "dhondt":
            return outcomes.DHondt(contest.seats, share)
        case "sainte-lague":
            return outcomes.SainteLague(contest.seats, share)
        case "hamilton":
            return outcomes.Hamilton(contest.seats, share)


def tally_of(state: ContestCount, result: UnitResult) -> outcomes.Tally | outcomes.RankedTally:
    """What the rule of a contest decides on: its result by candidate. A figure that no sheet states adds nothing."""
    contest = state.contest
    blank, null = result.blank or 0, result.null or 0
    if contest.rule == "ranked":
        return outcomes.RankedTally(len(contest.standing()), merged_rankings(state), blank, null)
    votes = [0] * len(contest.standing())
    for option, candidate in enumerate(contest.candidate_of_option()):
        votes[candidate] += result.votes[option]
    if contest.single_choice():
        return outcomes.Tally(tuple(votes), blank, null)
    # Sheets that leave blank or null votes out make the number of valid ballots uncertain; it lies within these limits.
    least = max(*votes, -(-sum(votes) // contest.max_choices) if contest.rule == "plurality" else 0)
    valid = max(least, min(result.ballots - blank - null, sum(votes)))
    return outcomes.Tally(tuple(votes), blank, null, valid)


def merged_rankings(state: ContestCount) -> outcomes.Rankings:
    """The rankings of all counted stations of a ranked contest, by candidate, equal orders summed.

    Where options belong to one candidate, a ballot ranks the candidate where it first ranks one of them.
    """
    candidates = state.contest.candidate_of_option()
    merged: dict[tuple[int, ...], int] = {}
    for station, rankings in state.rankings.items():
        if state.is_counted(station):
            add_rankings(merged, rankings, candidates)
    return tuple(sorted(merged.items()))


def add_rankings(merged: dict[tuple[int, ...], int], rankings: outcomes.Rankings, candidates: tuple[int, ...]) -> None:
    """Add rankings of options to rankings of candidates, where a candidate stands in the place of the first of its options."""
    for options, ballots in rankings:
        order = tuple(dict.fromkeys(candidates[option] for option in options))
        merged[order] = merged.get(order, 0) + ballots


def _first_preferences(tally: outcomes.RankedTally) -> tuple[int, ...]:
    votes = [0] * tally.options
    for order, ballots in tally.rankings:
        votes[order[0]] += ballots
    return tuple(votes)


def contest_result(count: Count, contest: int) -> ContestResult:
    """A contest as a bulletin or certificate states it."""
    now = standing(count, contest)
    names = [candidate.id for candidate in now.contest.standing()]
    elected = _elected(now, names)
    result, outcome = now.result, now.outcome
    return ContestResult(
        contest=now.contest.id,
        votes=result.votes,
        blank=result.blank,
        null=result.null,
        ballots=result.ballots,
        stations=result.stations,
        counted=result.counted,
        quarantined=result.quarantined,
        excluded=result.excluded,
        outstanding=result.outstanding,
        open_ballots=result.open_ballots,
        elected=elected,
        runoff=tuple(names[index] for index in outcome.runoff),
        tied=tuple(names[index] for index in outcome.tied),
        margin=outcome.margin,
        changeable=now.bound.changeable,
    )


def _elected(now: Standing, names: list[str]) -> tuple[str, ...]:
    if now.contest.rule in LIST_RULES:
        return tuple(name for name, seats in zip(names, now.outcome.seats, strict=True) for _ in range(seats))
    return tuple(names[index] for index in sorted(now.outcome.elected))
