"""Assertions, and the reasons for full counts, as sentences.

A sentence is made from what an assertion weighs. Its code, which anybody may have written, only chooses between ways of saying
it, and is not believed where the weights say something else.
"""

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.outcome import Requirement, assertion_comparisons, comparison_assertion, weights_by_candidate
from scrutineer.calls.condition_words import condition_sentence
from scrutineer.calls.conditions import MAX_WEIGHT, Condition
from scrutineer.election import Contest
from scrutineer.errors import AuditError
from scrutineer.language import ENGLISH, Say

_KINDS = frozenset({"lead", "above", "below", "ahead", "short", "seat"})


def assertion_sentence(assertion: Assertion, contest: Contest, *, say: Say = ENGLISH) -> str:
    """What an assertion claims, without a full stop: 'Heron has more votes than Wren'.

    Raises AuditError for an assertion that is not about this contest's options.
    """
    weights = weights_by_candidate(contest, assertion)
    if assertion.contest != contest.id or len(assertion.weights) != len(contest.options):
        raise AuditError(
            f"assertion {assertion.code} of contest {assertion.contest} is not about the options of contest {contest.id}"
        )
    if assertion.continuing is not None:
        return _ranked_sentence(assertion, contest, say)
    if weights is None or not _credible(assertion, weights):
        return _bare(assertion, say)
    condition = Condition(assertion.code, weights.index(max(weights)), None, weights, assertion.rest, assertion.need)
    return condition_sentence(condition, tuple(candidate.name for candidate in contest.standing()), say=say)


def full_count_sentence(requirement: Requirement, contest: Contest, *, say: Say = ENGLISH) -> str:
    """Why only a full count can confirm the outcome of a contest; empty where a sample can."""
    title = say.name(contest.title)
    match requirement.full_count:
        case "tie":
            return say(
                "{contest}: the reported outcome is a tie, which no sample can confirm: count all of its ballots by hand.",
                contest=title,
            )
        case "nobody-voted":
            return say(
                "{contest}: no ballot is reported with a mark that counts: look at all of them.",
                contest=title,
            )
        case "one-card":
            return say(
                "{contest}: {assertion}, but by so little that a single ballot, read otherwise, could change that: count all of "
                "its ballots by hand.",
                contest=title,
                assertion=assertion_sentence(requirement.assertions[0], contest, say=say),
            )
        case "unstated":
            return say(
                "{contest}: its outcome cannot be stated as conditions that a sample could confirm: count all of its ballots by "
                "hand.",
                contest=title,
            )
        case "":
            return ""


def _ranked_sentence(assertion: Assertion, contest: Contest, say: Say) -> str:
    names = [candidate.name for candidate in contest.standing()]
    found = assertion_comparisons(contest, assertion)
    if len(found) != 1 or comparison_assertion(contest, found[0]).weights != assertion.weights:
        return _bare(assertion, say)
    comparison = found[0]
    winner, loser = say.name(names[comparison.winner]), say.name(names[comparison.loser])
    if comparison.continuing is None:
        return say(
            "more ballots put {candidate} first than rank {rival} without ranking {candidate} higher",
            candidate=winner,
            rival=loser,
        )
    left = say.listed([say.name(names[at]) for at in sorted(comparison.continuing)])
    return say(
        "with {candidates} alone left, {candidate} has more ballots than {rival}", candidates=left, candidate=winner, rival=loser
    )


def _credible(assertion: Assertion, weights: tuple[int, ...]) -> bool:
    """Whether the weights are of the kind that the code names."""
    kind, *positions = assertion.code.split(":")
    if kind not in _KINDS or max(map(abs, (*weights, assertion.rest))) > MAX_WEIGHT:
        return False
    if not all(position.isascii() and position.isdecimal() and int(position) < len(weights) for position in positions):
        return False
    named = [int(position) for position in dict.fromkeys(positions)]
    others = {weight for at, weight in enumerate(weights) if at not in named}
    if not named or len(named) > 2 or (kind == "lead" and assertion.code != f"lead:{named[0]}:{named[-1]}"):
        return False
    first, second = weights[named[0]], weights[named[-1]]
    # Blank and null ballots count like those for somebody else, or not at all.
    others_and_rest = others | {assertion.rest} if assertion.rest else others
    match kind, len(named):
        case "lead", 2:
            return (first, second, assertion.rest) == (1, -1, 0) and others <= {0}
        case "seat", 2:
            return first > 0 > second and first > max(others, default=0) and second < min(others, default=0)
        case (("above" | "below"), 1):
            return len(others_and_rest) <= 1 and _turned(kind, first) > 0 >= max((_turned(kind, w) for w in others), default=0)
        case "ahead" | "short", 1:
            return len(others_and_rest) <= 1 and _turned(kind, first) > 0
        case "ahead" | "short", 2:
            return _turned(kind, first) > _turned(kind, second) and all(
                2 * weight == first + second for weight in others_and_rest
            )
        case _:
            return False


def _turned(kind: str, weight: int) -> int:
    """A weight as it would be if the condition asked for more, not for less."""
    return -weight if kind in ("below", "short") else weight


def _bare(assertion: Assertion, say: Say) -> str:
    return say(
        "the scores of all ballots under {code} add up to at least {least}", code=say.name(assertion.code), least=assertion.need
    )
