"""From a reported tally to the assertions that an audit has to confirm, and back: what a set of assertions leaves unproved.

**Options and candidates.** The law decides between candidates; a card marks options. A candidate's weight in a condition is the
weight of each of its options in the assertion, so that the scores of all cards add up to the value of the condition.

**Clauses with alternatives.** The outcome stands while every clause holds, and a clause holds while one of its conditions does
(`calls.outcomes`). For each clause one condition is chosen from the reported tally, before any card is drawn: the one with the
largest margin. If the reported outcome is wrong, some clause is false, hence all of its conditions, hence the chosen one. The
audit confirms the outcome only when it has confirmed every assertion, that false one too, which happens with a chance of at
most the risk limit. So each assertion is tested at the whole risk limit; nothing is to be divided among them.

**Shares that need only be reached.** "At least 40 %" is an assertion with a need of 0, and everybody has reached a share of no
votes at all. If nobody voted in truth, such assertions can all be true though the outcome is wrong. An audit that samples is
not misled: what it confirms of any assertion is that the score of all cards is more than zero.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.implication import Implications, Statement
from scrutineer.audits.raire import Comparison, Difficulty, comparison_difficulty, open_orders, raire
from scrutineer.calls.condition_words import condition_sentence
from scrutineer.calls.conditions import Condition
from scrutineer.calls.forms import WeightError
from scrutineer.calls.outcomes import Question, question, unstated
from scrutineer.count import outcome as outcomes
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.count.results import rule_of
from scrutineer.election import Contest
from scrutineer.errors import AuditError, CallError
from scrutineer.language import Phrase, Row, Say

FullCount: TypeAlias = Literal["", "tie", "nobody-voted", "one-card", "unstated"]
"""Why only a full count can confirm an outcome; empty where a sample can.

`tie`: the reported outcome is a tie. `nobody-voted`: no card bears a mark that counts. `one-card`: a single card, read otherwise,
could make an assertion false. `unstated`: there are no assertions that imply the outcome, or more than can be found.
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an audit has to confirm for the outcome of one contest to be the reported one."""

    contest: str
    assertions: tuple[Assertion, ...]
    """All of them together imply the outcome; those with the smallest margin first. Empty where nobody stands against it, or
    where the outcome is tied or cannot be stated."""
    clauses: tuple[tuple[Assertion, ...], ...]
    """The legal outcome: in each clause one of these must hold. Of a ranked contest, the assertions one by one."""
    exact: bool
    """Whether the assertions are necessary too, if anybody voted. Where not, an outcome may be right though one is false."""
    full_count: FullCount = ""
    """Why a full count has to be held from the start; `assertion_words.full_count_sentence` says it."""
    margins: tuple[int, ...] = ()
    """By assertion: the score of all cards in the reported tally."""

    @property
    def tied(self) -> bool:
        """Whether the reported outcome is a tie."""
        return self.full_count == "tie"

    @property
    def stated(self) -> bool:
        """Whether the outcome could be stated as assertions."""
        return self.full_count not in ("tie", "nobody-voted", "unstated")

    @property
    def unopposed(self) -> bool:
        """Whether the outcome stands whatever is on the cards: there is nothing to audit."""
        return self.stated and not self.assertions


def required(contest: Contest, tally: Tally | RankedTally, *, difficulty: Difficulty = comparison_difficulty) -> Requirement:
    """What has to be confirmed for the outcome of a reported tally, given by candidate (`Contest.standing`).

    `difficulty` says for ranked contests what makes an assertion hard to confirm (raire.py). Raises AuditError where the tally
    is not of the kind that the contest's rule decides, or has other candidates.
    """
    asked = _question(contest, tally)
    if asked.tied or not tally.valid:
        # Nobody stands against the only option, whether or not anybody voted.
        alone = not asked.tied and asked.stated and not asked.clauses
        reason: FullCount = "" if alone else "nobody-voted" if not tally.valid else "tie"
        return Requirement(contest.id, (), (), asked.exact, reason)
    if isinstance(tally, RankedTally):
        return _ranked(contest, tally, asked.outcome.elected[0], difficulty)
    if not asked.stated:
        return Requirement(contest.id, (), (), exact=False, full_count="unstated")
    return _unranked(contest, tally, asked)


def insufficient(contest: Contest, tally: Tally | RankedTally, assertions: Sequence[Assertion]) -> tuple[str, ...]:
    """Which parts of the reported outcome are not shown to follow from these assertions, in plain English; empty: it all follows.

    The assertions may be anybody's. Of an unranked contest a part is a clause, and follows if one of its conditions is a
    combination of assertions, whatever the votes are (implication.py). Of a ranked contest every order of elimination that
    ends in another winner must be excluded. An assertion that the reported tally itself makes false is named as well.
    Raises AuditError where the tally is not of the kind that the contest's rule decides, or has other candidates.
    """
    asked = _question(contest, tally)
    if asked.tied:
        return (Phrase("the reported outcome is a tie, which no assertions can show"),)
    names = tuple(candidate.name for candidate in contest.standing())
    usable, left = _usable(contest, tally, assertions)
    if isinstance(tally, RankedTally):
        return (*left, *_open_winners(contest, asked.outcome.elected[0], usable))
    if not asked.stated:
        return (*left, Phrase("the reported outcome cannot be stated as conditions on totals: nothing is shown to follow"))
    known = Implications([_own_statement(each) for each in usable])
    for clause in asked.clauses:
        if not any(known.follows(_statement(contest, condition)) for condition in clause):
            left.append(Phrase("it is not shown to follow that {conditions}", conditions=_Conditions(clause, names)))
    return tuple(left)


def _question(contest: Contest, tally: Tally | RankedTally) -> Question:
    candidates = tally.options if isinstance(tally, RankedTally) else len(tally.votes)
    if candidates != len(contest.standing()):
        raise AuditError(f"contest {contest.id}: {len(contest.standing())} candidates stand, the tally has {candidates}")
    rule = rule_of(contest)
    try:
        if isinstance(rule, outcomes.InstantRunoff):
            # Its conditions are those of raire.py; only who is elected is asked.
            return unstated(rule, tally)
        try:
            return question(rule, tally)
        except WeightError:
            return unstated(rule, tally)
    except CallError as error:
        raise AuditError(f"contest {contest.id}: {error}") from error


def _unranked(contest: Contest, tally: Tally, asked: Question) -> Requirement:
    chosen: dict[Assertion, int] = {}
    clauses: list[tuple[Assertion, ...]] = []
    exact = asked.exact
    for clause in asked.clauses:
        if contest.rule != "majority" and any(condition.worst >= condition.need for condition in clause):
            # No votes can make this condition false. (Nobody wins a majority without a vote, the only option neither.)
            continue
        given = [_assertion(contest, condition, tally) for condition in clause]
        exact = exact and len(given) == 1 and clause[0].worst < 0
        clauses.append(tuple(assertion for assertion, _ in given))
        best, total = max(given, key=lambda pair: Fraction(pair[1], -pair[0].lowest))
        chosen[best] = total
    return _requirement(contest, _without_weaker(chosen), tuple(clauses), exact=exact)


def _without_weaker(chosen: dict[Assertion, int]) -> dict[Assertion, int]:
    """Without assertions that follow from another one of the same code: whoever has less than 40 % has no majority either.

    So codes stand once, and nothing is tested that adds nothing: if the weaker one is false, so is the other.
    """
    times = Counter(assertion.code for assertion in chosen)
    kept = dict(chosen)
    for assertion in [each for each in chosen if times[each.code] > 1]:
        others = [_own_statement(other) for other in kept if other.code == assertion.code and other is not assertion]
        if any(Implications([other]).follows(_own_statement(assertion)) for other in others):
            del kept[assertion]
    return kept


def _assertion(contest: Contest, condition: Condition, tally: Tally) -> tuple[Assertion, int]:
    """A condition as an assertion, and its score in the tally.

    Where no card could contradict it, as with "the only option has at least one vote", the assertion says more: that not too
    small a part of the cards (half of the reported part, about) speaks for it.
    """
    total = condition.value(tally)
    weights, rest = _by_option(contest, condition.weights), condition.rest
    if condition.worst >= 0:
        times = -(-2 * tally.cast // max(1, total))
        weights, rest = tuple(times * weight - 1 for weight in weights), times * rest - 1
        total = times * total - tally.cast
    need = condition.need if condition.worst < 0 else 1
    return Assertion(contest.id, condition.code, weights, rest, need, most=contest.choices_allowed()), total


def _requirement(
    contest: Contest, chosen: dict[Assertion, int], clauses: tuple[tuple[Assertion, ...], ...], *, exact: bool
) -> Requirement:
    order = sorted(chosen.items(), key=lambda pair: (Fraction(pair[1], -pair[0].lowest), pair[0].code))
    # Read otherwise, one card moves the total by no more than the range of its scores.
    near = any(total - (assertion.highest - assertion.lowest) < assertion.need for assertion, total in order)
    return Requirement(
        contest.id,
        tuple(assertion for assertion, _ in order),
        clauses,
        exact,
        "one-card" if near else "",
        tuple(total for _, total in order),
    )


def _by_option(contest: Contest, weights: Sequence[int]) -> tuple[int, ...]:
    return tuple(weights[candidate] for candidate in contest.candidate_of_option())


def _own_statement(assertion: Assertion) -> Statement:
    return Statement((*assertion.weights, assertion.rest), assertion.need > 0)


def _statement(contest: Contest, condition: Condition) -> Statement:
    return Statement((*_by_option(contest, condition.weights), condition.rest), condition.need > 0)


# --- instant run-offs ---------------------------------------------------------------------------------------------------


def comparison_assertion(contest: Contest, comparison: Comparison) -> Assertion:
    """A comparison of raire.py as an assertion about cards; `irv:neb:W:L` or `irv:nen:W:L:A,B,C` by candidates."""
    winner, loser = comparison.winner, comparison.loser
    weights = [0] * len(contest.standing())
    weights[winner], weights[loser] = 1, -1
    if comparison.continuing is None:
        code, among = f"irv:neb:{winner}:{loser}", frozenset({winner, loser})
        first = _options(contest, {winner})
    else:
        among = comparison.continuing
        code = f"irv:nen:{winner}:{loser}:{','.join(map(str, sorted(among)))}"
        first = frozenset()
    return Assertion(contest.id, code, _by_option(contest, weights), continuing=_options(contest, among), first=first)


def assertion_comparisons(contest: Contest, assertion: Assertion) -> tuple[Comparison, ...]:
    """The comparisons of raire.py that follow from a ranked assertion, whatever its code says; empty where none are seen to."""
    of_option, weights = contest.candidate_of_option(), weights_by_candidate(contest, assertion)
    if assertion.continuing is None or weights is None or assertion.need < 1:
        return ()
    among = frozenset(of_option[option] for option in assertion.continuing)
    ahead = [candidate for candidate in among if weights[candidate] > 0]
    if len(ahead) != 1 or _options(contest, among) != assertion.continuing:
        return ()
    winner = ahead[0]
    # A loser's ballots count at least as much as the winner's, and those of others never for the winner.
    losers = sorted(candidate for candidate in among if weights[candidate] <= -weights[winner])
    if not assertion.first:
        return tuple(Comparison(winner, loser, among) for loser in losers)
    if assertion.first != _options(contest, {winner}) or len(among) != 2:
        return ()
    return tuple(Comparison(winner, loser) for loser in losers)


def _ranked(contest: Contest, tally: RankedTally, winner: int, difficulty: Difficulty) -> Requirement:
    found = raire(tally, winner, difficulty=difficulty)
    if found is None:
        return Requirement(contest.id, (), (), exact=False, full_count="unstated")
    chosen = {
        comparison_assertion(contest, comparison): margin
        for comparison, margin in zip(found.comparisons, found.margins, strict=True)
    }
    return _requirement(contest, chosen, tuple((assertion,) for assertion in chosen), exact=not chosen)


def _open_winners(contest: Contest, winner: int, assertions: Sequence[Assertion]) -> list[str]:
    names = [candidate.name for candidate in contest.standing()]
    comparisons = [comparison for assertion in assertions for comparison in assertion_comparisons(contest, assertion)]
    orders = open_orders(len(names), winner, comparisons)
    if orders is None:
        return [Phrase("it is not shown that no other candidate can win: there are too many orders of elimination to look at")]
    return [
        Phrase(
            "it is not excluded that {candidate} wins, with eliminations in this order: {order}",
            candidate=names[order[-1]],
            order=Row(tuple(names[candidate] for candidate in order[:-1])),
        )
        for order in orders
    ]


# --- assertions of others -----------------------------------------------------------------------------------------------


def _usable(contest: Contest, tally: Tally | RankedTally, assertions: Sequence[Assertion]) -> tuple[list[Assertion], list[str]]:
    """The assertions from which something can follow, and what is wrong with the others."""
    usable: list[Assertion] = []
    wrong: list[str] = []
    for assertion in assertions:
        said = _fault(contest, tally, assertion)
        if said:
            wrong.append(said)
        else:
            usable.append(assertion)
    return usable, wrong


def _fault(contest: Contest, tally: Tally | RankedTally, assertion: Assertion) -> str:
    if assertion.contest != contest.id:
        return Phrase("assertion {code} is about another contest, {contest}", code=assertion.code, contest=assertion.contest)
    weights = weights_by_candidate(contest, assertion)
    ranked = isinstance(tally, RankedTally)
    if weights is None or assertion.most != contest.choices_allowed() or (assertion.continuing is not None) != ranked:
        return Phrase("assertion {code} is not about such ballots as this contest has", code=assertion.code)
    if isinstance(tally, RankedTally):
        option_of = {candidate: option for option, candidate in reversed(list(enumerate(contest.candidate_of_option())))}
        score = sum(
            assertion.score(tuple(option_of[candidate] for candidate in ranking)) * ballots for ranking, ballots in tally.rankings
        )
    else:
        own = sum(weight * votes for weight, votes in zip(weights, tally.votes, strict=True))
        score = own + assertion.rest * (tally.blank + tally.null)
    if score < assertion.need:
        return Phrase("assertion {code} is false by the reported tally itself", code=assertion.code)
    return ""


def weights_by_candidate(contest: Contest, assertion: Assertion) -> tuple[int, ...] | None:
    """By candidate: what a vote adds; None where that depends on the option, or the assertion is about other options."""
    of_option = contest.candidate_of_option()
    if len(assertion.weights) != len(of_option):
        return None
    weights = dict(zip(of_option, assertion.weights, strict=True))
    if _by_option(contest, [weights[candidate] for candidate in range(len(weights))]) != assertion.weights:
        return None
    return tuple(weights[candidate] for candidate in range(len(weights)))


def _options(contest: Contest, candidates: Collection[int]) -> frozenset[int]:
    return frozenset(option for option, candidate in enumerate(contest.candidate_of_option()) if candidate in candidates)


@dataclass(frozen=True, slots=True)
class _Conditions:
    """The conditions of a clause, as words."""

    clause: tuple[Condition, ...]
    candidates: tuple[str, ...]

    def said(self, say: Say) -> str:
        """Joined by "or"."""
        said, *others = [condition_sentence(condition, self.candidates, say=say) for condition in self.clause]
        for other in others:
            said = say("{first}, or {second}", first=said, second=other)
        return said
