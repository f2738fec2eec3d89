"""Computes the P-values of Arlo's audits again, with the arithmetic that Arlo computes them with.

Source: votingworks/arlo (8d86156), server/audit_math: macro.py, bravo.py, minerva.py, providence.py, supersimple.py, suite.py.
Where these use decimal numbers of 28 digits, so do these rules; Arlo prints ten digits, and `printed` does it as Arlo does.
"""

import decimal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import comb
from typing import Final

from scrutineer.audits.replay.arlo_model import ReportedContest
from scrutineer.audits.risk.minerva import Minerva
from scrutineer.audits.risk.suite import GAMMA, ComparedStratum, PolledStratum, suite
from scrutineer.audits.sampling.ppeb import ArloBatch, ArloContest, BatchKey, arlo_bounds, arlo_limit, arlo_margins
from scrutineer.errors import AuditError

_28: Final = decimal.Context(prec=28, rounding=decimal.ROUND_HALF_EVEN)
_GAMMA: Final = Decimal(GAMMA)
_LEAST_PRINTED: Final = 10**-10
MOST_EXACT: Final = 20_000
"""Ballots of a round of Providence, whose chances are added exactly."""


def printed(p_value: float) -> str:
    """A P-value as Arlo's report prints it."""
    if p_value == 0:
        return "0"
    if p_value < _LEAST_PRINTED:
        return "<0.0000000001"
    digits = f"{round(p_value, 10):1.10f}".rstrip("0")
    return digits + "0" if digits.endswith(".") else digits


def macro(
    contest: ArloContest,
    batches: Sequence[ArloBatch],
    tickets: Sequence[tuple[str, BatchKey]],
    counted: Mapping[BatchKey, tuple[int, ...]],
    together: Mapping[BatchKey, tuple[BatchKey, ...]],
    stop: Decimal | None = None,
) -> float:
    """Kaplan-Markov of a batch comparison: from all draws so far, each with its ticket number.

    `counted` has the votes by choice of each batch that was drawn and counted; where batches were counted `together`, it has
    those of all of them for each. With `stop`, the product ends where it is that small, in the order of ticket numbers, as Arlo
    had it before October 2024. Raises AuditError for a batch that is unknown, or that was drawn and not counted.
    """
    if len(counted) == len(batches):
        return 0.0
    known = {batch.key: batch for batch in batches}
    try:
        margins, bounds = arlo_margins(contest, batches), arlo_bounds(contest, batches)
    except AuditError:
        return 1.0
    limit = arlo_limit(bounds)
    bound_of = dict(zip(known, bounds, strict=True))
    product = Decimal(1)
    with decimal.localcontext(_28):
        factor = 1 - 1 / limit
        for _, key in sorted(tickets):
            if key not in known or key not in counted:
                raise AuditError(f"batch {key[1]!r} of {key[0]} was drawn, and its count or its reported votes are not there")
            taint = _overstatement(margins, [known[each] for each in together.get(key, (key,))], counted[key]) / bound_of[key]
            if taint == 1:
                return 1.0
            product *= factor / (1 - taint)
            if stop is not None and product <= stop:
                break
    return min(float(product), 1.0)


def _overstatement(
    margins: Sequence[tuple[tuple[int, ...], int]], reported: Sequence[ArloBatch], counted: tuple[int, ...]
) -> Decimal:
    votes = [sum(column) for column in zip(*(batch.votes for batch in reported if batch.votes is not None), strict=True)]
    worst = Decimal(0)
    for weights, margin in margins:
        error = sum(weight * (said - found) for weight, said, found in zip(weights, votes, counted, strict=True))
        worst = max(worst, Decimal(error) / Decimal(margin))
    return worst


def pairs(contest: ReportedContest) -> Iterator[tuple[int, int]]:
    """Places of each winner with each loser, the choices of most votes having won."""
    ranked = sorted(range(len(contest.votes)), key=lambda place: -contest.votes[place])
    for winner in ranked[: contest.winners]:
        for loser in ranked[contest.winners :]:
            yield winner, loser


def with_not_found(contest: ReportedContest, rounds: Sequence[tuple[tuple[int, ...], int]]) -> tuple[tuple[int, ...], ...]:
    """Votes by round and choice, where each ballot that could not be found is a vote for every loser."""
    losers = {loser for _, loser in pairs(contest)}
    return tuple(
        tuple(votes + (not_found if place in losers else 0) for place, votes in enumerate(found)) for found, not_found in rounds
    )


def bravo(contest: ReportedContest, rounds: Sequence[tuple[int, ...]]) -> float:
    """BRAVO by the votes of all rounds so far, the worst pair of winner and loser."""
    found = [sum(column) for column in zip(*rounds, strict=True)]
    if sum(found) >= contest.ballots:
        return 0.0
    valid, worst = sum(contest.votes), 0.0
    with decimal.localcontext(_28):
        for winner, loser in pairs(contest):
            share_winner, share_loser = contest.votes[winner] / valid, contest.votes[loser] / valid
            share = share_winner / (share_winner + share_loser)
            ratio = Decimal(1)
            if found[winner]:
                ratio *= Decimal(share / 0.5) ** found[winner]
            if found[loser]:
                ratio *= Decimal((1 - share) / 0.5) ** found[loser]
            worst = max(worst, min(float(1 / ratio), 1.0) if ratio > 0 else 1.0)
    return worst


def minerva(contest: ReportedContest, rounds: Sequence[tuple[int, ...]], risk_limit: Decimal) -> float:
    """Minerva after the last of some rounds. Raises AuditError for a pair without a margin."""
    worst = 0.0
    for winner, loser in pairs(contest):
        share = contest.votes[winner] / (contest.votes[winner] + contest.votes[loser])
        test = Minerva(share, float(risk_limit)) if share < 1 else None
        if test is not None:
            worst = max(worst, test.p_values([(each[winner], each[loser]) for each in rounds])[-1])
    return worst


def providence(contest: ReportedContest, rounds: Sequence[tuple[int, ...]]) -> float:
    """Providence after the last of some rounds.

    The likelihood ratio of all earlier rounds, times the ratio of the chances that the last round has as many votes for the
    winner or more. Source: O. Broadrick, P. L. Vora and F. Zagórski, Providence: a flexible round-by-round risk-limiting audit,
    USENIX Security 2023, section 4 (arXiv 2210.08717). Raises AuditError for rounds too large to be added exactly.
    """
    worst = 0.0
    for winner, loser in pairs(contest):
        both = contest.votes[winner] + contest.votes[loser]
        share = Decimal(contest.votes[winner]) / both
        with decimal.localcontext(decimal.Context(prec=60)):
            ratio = Decimal(1)
            for each in rounds[:-1]:
                ratio *= (2 * share) ** each[winner] * (2 - 2 * share) ** each[loser]
            drawn = rounds[-1][winner] + rounds[-1][loser]
            if drawn > MOST_EXACT:
                raise AuditError(f"a round of {drawn} votes is more than the {MOST_EXACT} that are added exactly")
            ways = [(comb(drawn, votes), votes) for votes in range(rounds[-1][winner], drawn + 1)]
            under = sum((many * share**votes * (1 - share) ** (drawn - votes) for many, votes in ways), Decimal(0))
            over = Decimal(sum(many for many, _ in ways)) / Decimal(2) ** drawn
            worst = max(worst, float(over / (under * ratio)) if under else 1.0)
    return min(worst, 1.0)


@dataclass(frozen=True, slots=True)
class ComparedBallot:
    """A ballot that was drawn, and what was recorded and seen of one contest on it."""

    times: int
    """How often it was drawn."""
    recorded: tuple[int, ...] | str | None
    """Votes by choice; `over` or `under` where the record has an overvote or undervote; empty where it does not have the contest;
    None where there is no record."""
    found: tuple[int, ...] | None
    """Votes by choice; empty where the contest is not on the ballot; None where the ballot could not be found."""

    def error(self, winner: int, loser: int) -> int:
        """By how many votes the record overstates the winner's lead, -2 to 2."""
        if self.recorded is None or self.found is None:
            return 2
        found = self.found or (0,) * (max(winner, loser) + 1)
        seen = found[winner] - found[loser]
        if isinstance(self.recorded, str):
            expected = sum(self.found) > 1 if self.recorded == "over" else sum(self.found) < 1
            return 0 if expected else -seen
        said = self.recorded[winner] - self.recorded[loser] if self.recorded else 0
        return said - seen


def supersimple(contest: ReportedContest, ballots: Sequence[ComparedBallot]) -> float:
    """SuperSimple: Kaplan-Markov of single ballots, in which understatements count for nothing."""
    if sum(ballot.times for ballot in ballots) >= contest.ballots:
        return 0.0
    every = list(pairs(contest))
    least = min((contest.votes[winner] - contest.votes[loser] for winner, loser in every), default=0)
    diluted = float(min(least, contest.ballots)) / contest.ballots
    product = Decimal(1)
    with decimal.localcontext(_28):
        if not diluted:
            return 1.0
        limit = 2 * _GAMMA / Decimal(diluted)
        unit = 2 * _GAMMA / Decimal(diluted * contest.ballots)
        for ballot in ballots:
            errors = [
                (error, Decimal(error) / Decimal(contest.votes[winner] - contest.votes[loser]))
                for winner, loser in every
                if (error := ballot.error(winner, loser))
            ]
            worst = max(max(errors, key=lambda each: each[0])[1], Decimal(0)) if errors else Decimal(0)
            product *= ((1 - 1 / limit) / (1 - worst / unit)) ** ballot.times
    return min(float(product), 1.0)


def hybrid(contest: ReportedContest, compared: Sequence[ComparedBallot], drawn: tuple[int, int], polled: Sequence[int]) -> float:
    """SUITE: from the ballots compared, the draws with and without records, and the votes found on ballots without one.

    Raises AuditError where the report lacks a stratum, or one was counted whole.
    """
    if contest.cvr is None or contest.non_cvr is None:
        raise AuditError("the report does not have votes and ballots by stratum")
    (cards, recorded), (ballots, polled_votes) = contest.cvr, contest.non_cvr
    if drawn[0] >= cards or drawn[1] >= ballots:
        raise AuditError("a stratum was counted whole")
    worst = 0.0
    for winner, loser in pairs(contest):
        said = (polled_votes[winner], polled_votes[loser], ballots - polled_votes[winner] - polled_votes[loser])
        seen = (polled[winner], polled[loser], drawn[1] - polled[winner] - polled[loser])
        if any(found > reported for reported, found in zip(said, seen, strict=True)):
            return 1.0  # more than were reported: whatever the other stratum shows, this one may hold the whole overstatement
        errors = [ballot.error(winner, loser) for ballot in compared]
        one, two = errors.count(1), errors.count(2)
        bound = suite(
            ComparedStratum(cards, recorded[winner] - recorded[loser], drawn[0], one_over=one, two_over=two),
            PolledStratum(ballots, polled_votes[winner], polled_votes[loser], drawn[1], polled[winner], polled[loser]),
        )
        worst = max(worst, bound.p_value)
    return worst


def near(published: str, again: float, tolerance: float) -> bool:
    """Whether a P-value is the published one, or lies within so large a share of it."""
    if printed(again) == published:
        return True
    if published.startswith("<"):
        return again < 2 * _LEAST_PRINTED
    return abs(float(published) - again) <= max(tolerance * float(published), 1.01 * _LEAST_PRINTED)
