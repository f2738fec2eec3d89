"""The legal outcome of every rule as conditions that are linear in the totals: what must stay true for it to stand.

An outcome is a conjunction of clauses, each of them a disjunction of conditions. Each rule's function says why its clauses
suffice, and whether they are necessary too. Strictness follows the rules of `count.outcome`: a threshold of a majority must be
exceeded, a share of the alternative rule or of a list must be reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from scrutineer.calls.conditions import Condition
from scrutineer.calls.forms import NOT_BELOW, STRICT, Clause, above, ahead, below, lead, linear, short
from scrutineer.calls.list_conditions import divisor_clauses, divisor_comparisons, hamilton_clauses, hamilton_comparisons
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.ranked_conditions import runoff_clauses, runoff_comparisons
from scrutineer.count import outcome as outcomes
from scrutineer.count.outcome import Outcome, RankedTally, Tally
from scrutineer.election import Contest
from scrutineer.errors import CallError, CountError

MAX_FORM_ENTRIES: Final = 1 << 22
"""The most weights that all conditions of an outcome may have together; an outcome that needs more is not stated so."""


@dataclass(frozen=True, slots=True)
class Question:
    """What must stay true for an outcome to stand, and over how many comparisons a verdict by statistics splits its risk.

    Without clauses there is nothing that statistics could decide: the outcome is tied (`tied`), or cannot be stated as conditions
    (`stated` is False: see `unstated`), or nobody
    stands against it. `can_change` still answers all of these by arithmetic.
    """

    outcome: Outcome
    clauses: tuple[Clause, ...]
    """The outcome stands as long as every clause holds; a clause holds while one of its conditions does."""
    comparisons: int
    """At least 1, and enough for the `leads` of as many candidates. Whatever the totals turn out to be, every false call asserts
    one of so many false conditions. So if each condition is tested at the risk divided by this, the chance of any false call is
    at most the risk, though the data say who leads. The exception is a final result that is itself an exact tie: then every
    call on it is false, and one comparison more would be needed (in an instant run-off as many again; a majority includes it)."""
    exact: bool
    """Whether the clauses are necessary as well. Where they are not, an outcome may stand though a clause has failed."""
    stated: bool = True
    """Whether the clauses are those of the outcome; False: there are none because it cannot be stated so."""

    @property
    def tied(self) -> bool:
        """Whether the outcome is a tie, which any ballot may break and no condition keeps."""
        return bool(self.outcome.tied)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition of the clauses, once, in their order."""
        return tuple(dict.fromkeys(condition for clause in self.clauses for condition in clause))

    def holds(self, tally: Tally | RankedTally) -> bool:
        """Whether every clause holds on totals; False where there are none. Raises CallError for totals of another kind."""
        return bool(self.clauses) and all(
            any(condition.value(tally) >= condition.need for condition in clause) for clause in self.clauses
        )


def question(rule: outcomes.Rule, tally: Tally | RankedTally) -> Question:
    """The outcome of a tally under a rule, and the conditions under which it stands.

    Raises CallError where the rule cannot decide the tally, and WeightError where its shares are not usable as weights.
    """
    outcome, candidates = _decided(rule, tally), _candidates(tally)
    comparisons, exact = _comparisons(rule, candidates), _exact(rule, outcome)
    if outcome.tied:
        return Question(outcome, (), comparisons, exact)
    given = _clauses(rule, tally, outcome)
    clauses = None if given is None else _bounded(given, candidates)
    return unstated(rule, tally) if clauses is None else Question(outcome, clauses, comparisons, exact)


def unstated(rule: outcomes.Rule, tally: Tally | RankedTally) -> Question:
    """The outcome of a tally without conditions, where there are none that could be examined.

    That is so after a tie on the way through an instant run-off, where there are more of them than MAX_FORM_ENTRIES allows, and
    where `question` raises WeightError. Raises CallError where the rule cannot decide the tally.
    """
    return Question(_decided(rule, tally), (), _comparisons(rule, _candidates(tally)), exact=False, stated=False)


def leads(votes: tuple[int, ...]) -> tuple[Condition, ...]:
    """The lead of the candidate with the most votes over each other one; empty where several share the most votes."""
    most = max(votes, default=0)
    if votes.count(most) != 1:
        return ()
    first = votes.index(most)
    return tuple(lead(first, other, len(votes)) for other in range(len(votes)) if other != first)


def tally_of(contest: Contest, partial: PartialCount) -> Tally | RankedTally:
    """The totals of the counted stations, of the kind that the contest's rule decides.

    Blank and null ballots are stated together, as blank. Where a ballot may bear several marks the number of valid ballots is not
    known; its upper limit stands for it, as no rule for such ballots depends on it.
    Raises CallError where the candidates are not the contest's, or a counted station of a ranked contest has no rankings.
    """
    standing = len(contest.standing())
    if len(partial.candidates) != standing:
        raise CallError(f"contest {contest.id}: {standing} candidates stand, the partial count has {len(partial.candidates)}")
    others = int(partial.others.sum())
    if contest.rule != "ranked":
        votes = partial.totals
        return Tally(votes, others) if contest.single_choice() else Tally(votes, others, 0, sum(votes))
    bare = set(np.flatnonzero(partial.votes.any(axis=1)).tolist()) - partial.rankings.keys()
    if bare:
        raise CallError(f"contest {contest.id}: {len(bare)} counted stations have votes and no rankings: give their rankings")
    columns = partial.ranking_columns
    ballots = np.zeros(len(columns.distinct), dtype=np.int64)
    np.add.at(ballots, columns.ranking, columns.ballots)
    try:
        return RankedTally(standing, tuple(sorted(zip(columns.distinct, ballots.tolist(), strict=True))), others)
    except CountError as error:
        raise CallError(f"contest {contest.id}: {error}") from error


def _decided(rule: outcomes.Rule, tally: Tally | RankedTally) -> Outcome:
    try:
        return outcomes.decide(rule, tally)
    except CountError as error:
        raise CallError(f"the totals cannot be decided: {error}") from error


def _candidates(tally: Tally | RankedTally) -> int:
    return tally.options if isinstance(tally, RankedTally) else len(tally.votes)


def _clauses(rule: outcomes.Rule, tally: Tally | RankedTally, outcome: Outcome) -> Iterator[Clause] | None:
    if isinstance(tally, RankedTally):
        return runoff_clauses(tally)
    match rule:
        case outcomes.YesNo():
            return _yes_no(rule, tally, outcome)
        case outcomes.Majority():
            return _winner(rule, tally, outcome) if outcome.elected else _runoff(rule, tally, outcome)
        case outcomes.DHondt() | outcomes.SainteLague():
            return divisor_clauses(rule, tally, outcome.seats)
        case outcomes.Hamilton():
            return hamilton_clauses(rule, tally, outcome.seats)
        case _:
            return _in_before_out(tally.votes, outcome.elected)


def _comparisons(rule: outcomes.Rule, candidates: int) -> int:
    """The number that `Question.comparisons` promises; the functions of list and ranked rules prove theirs.

    Plurality and approval: a false set of elected options has one that is truly out and lacks one that is truly in, and asserts
    that the former leads the latter: S (k - S) such leads, k - 1 for one place. A yes/no question: one.
    """
    match rule:
        case outcomes.YesNo():
            return 1
        case outcomes.Majority():
            return _of_majority(rule, candidates)
        case outcomes.DHondt() | outcomes.SainteLague():
            return divisor_comparisons(rule, candidates)
        case outcomes.Hamilton():
            return hamilton_comparisons(rule, candidates)
        case outcomes.InstantRunoff():
            return runoff_comparisons(candidates)
        case _:
            return max(1, candidates - 1, rule.seats * (candidates - rule.seats))


def _of_majority(rule: outcomes.Majority, candidates: int) -> int:
    """Over how many comparisons the risk of a majority is split: the larger of 2k - 1 and 3k - 3; with an alternative 4k - 3.

    Without an alternative, where w truly wins: a call of any other winner asserts that it is above the threshold or leads w
    (k - 1 conditions), a call of a run-off with w that w is not above it (1), and of one without w that one of its two leads w
    (k - 1). Where p and q truly go into a run-off: a call of a winner asserts that it is above the threshold (k), and of another
    run-off that somebody who is out leads p or q (2 (k - 2)), or one of those level with q another (1).

    With an alternative a clause is false only where all its conditions are, so each of them counts. Where w truly wins: a call
    of any other winner asserts that it is above the threshold or ahead of w (2 (k - 1)), of a run-off with w that w is below a
    share or short of a lead (k), of one without w as above (k - 1). Where p and q truly go into a run-off: a call of a
    winner asserts one of two false conditions (2k), of another run-off as above (2k - 3). A sole option has two.
    """
    if rule.alternative is None:
        return max(1, 2 * candidates - 1, 3 * candidates - 3)
    return max(2, 4 * candidates - 3)


def _exact(rule: outcomes.Rule, outcome: Outcome) -> bool:
    if isinstance(rule, outcomes.Hamilton):
        return rule.threshold is None or not any(outcome.seats)
    return not isinstance(rule, outcomes.InstantRunoff)


def _bounded(clauses: Iterator[Clause], candidates: int) -> tuple[Clause, ...] | None:
    """All clauses, or None where they are too many to be kept."""
    kept: list[Clause] = []
    entries = 0
    for clause in clauses:
        entries += len(clause) * candidates
        if entries > MAX_FORM_ENTRIES:
            return None
        kept.append(clause)
    return tuple(kept)


def _in_before_out(votes: tuple[int, ...], inside: tuple[int, ...]) -> Iterator[Clause]:
    """Everybody who is in has more votes than everybody who is out: exactly then the same are in, without a tie."""
    k = len(votes)
    for first in inside:
        for second in range(k):
            if second not in inside:
                yield (lead(first, second, k),)


def _yes_no(rule: outcomes.YesNo, tally: Tally, outcome: Outcome) -> Iterator[Clause]:
    """Yes has more than the threshold ("at least" where the rule is not strict), or it has not."""
    if outcome.elected == (0,):
        # "At least" also asks for one yes, which an adopted question has and further ballots cannot take away.
        yield (above(0, rule.threshold, candidates=2, need=STRICT if rule.strict else NOT_BELOW, against=1),)
        return
    clause: Clause = (below(0, rule.threshold, candidates=2, need=NOT_BELOW if rule.strict else STRICT, favours=1),)
    if not rule.strict and not any(tally.votes):
        # Without any vote nothing lies below a share of them; what rejects the question then is that nobody has said yes.
        clause = (*clause, linear("below:0", 1, 0, {0: -1}, candidates=2, need=NOT_BELOW))
    yield clause


def _winner(rule: outcomes.Majority, tally: Tally, outcome: Outcome) -> Iterator[Clause]:
    """The winner w leads everybody, and is above the threshold t or passes the alternative (a, d) against everybody.

    With B the base, w wins if v_w > v_j for all j, and v_w > t B, or v_w >= a B and v_w - v_j >= d B for all j. Two parts of this
    follow from the rest and are left out: the leads, where t is at least one half; and "v_w > t B or" before "v_w >= a B", where
    a <= t. Where a > t the alternative adds nothing.
    """
    k, w = len(tally.votes), outcome.elected[0]
    if rule.threshold < Fraction(1, 2):
        yield from _in_before_out(tally.votes, (w,))
    over = above(w, rule.threshold, candidates=k, need=STRICT, base=rule.base)
    if rule.alternative is None or rule.alternative[0] > rule.threshold:
        yield (over,)
        return
    share, by = rule.alternative
    yield (above(w, share, candidates=k, need=NOT_BELOW, base=rule.base),)
    rivals: list[int | None] = [index for index in range(k) if index != w]
    # A sole option leads over nobody, by all its votes.
    for rival in rivals or [None]:
        yield (over, ahead(w, rival, by, candidates=k, base=rule.base))


def _runoff(rule: outcomes.Majority, tally: Tally, outcome: Outcome) -> Iterator[Clause]:
    """Both options of the run-off stay ahead of all others, and neither wins by the threshold or by the alternative.

    While both lead everybody else, the leader is one of them, and the other has more than t B only if the leader has. So nobody
    wins, and no two are level above t, exactly if neither has more than t B, and each has less than a B or leads the other by
    less than d B. The latter follows from the former where a > t.
    """
    k, pair = len(tally.votes), outcome.runoff
    yield from _in_before_out(tally.votes, pair)
    empty = not (sum(tally.votes) if rule.base == "valid" else tally.cast)
    for index in pair:
        other = next((option for option in pair if option != index), None)
        favours = index if other is None else other
        yield (below(index, rule.threshold, candidates=k, need=NOT_BELOW, favours=favours, base=rule.base),)
        if rule.alternative is None or rule.alternative[0] > rule.threshold:
            continue
        share, by = rule.alternative
        clause: Clause = (
            below(index, share, candidates=k, need=STRICT, favours=favours, base=rule.base),
            short(index, other, by, candidates=k, base=rule.base),
        )
        if empty:
            # Nothing is less than a share of no ballots; then nobody wins because nobody leads.
            own = {index: -1} if other is None else {index: -1, other: 1}
            clause = (*clause, linear(f"short:{index}:{favours}", favours, index, own, candidates=k, need=NOT_BELOW))
        yield clause
