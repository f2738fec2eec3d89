"""Whether the tests of a plan imply the outcome of our own totals: each condition has to follow from one of them.

A condition says that a sum of weights over votes (by option, and at the end the ballots without a mark that counts) is above 0,
or at least 0. An outcome is a list of clauses, each of conditions of which one must hold. Votes are never negative; so a
condition c follows from a test a if some multiple of a is at most c in every place.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from second_look.outcome.plan import NotComputedError, Test

MOST_COMPARISONS = 50_000_000


@dataclass(frozen=True)
class Condition:
    """Weights by candidate, of the ballots without a mark that counts, and whether the sum must be above 0 or 0 will do."""

    weights: tuple[Fraction | int, ...]
    rest: Fraction | int = 0
    strict: bool = True


Clause = list[Condition]


@dataclass(frozen=True)
class Tally:
    """Our own totals of a contest by candidate."""

    votes: list[int]
    rest: int


def candidates_of(contest: dict[str, Any]) -> list[int]:
    """For each option the place of its candidate, in the order in which the ballot names them first."""
    names = [option["candidate"] or option["id"] for option in contest["options"]]
    order = list(dict.fromkeys(names))
    return [order.index(name) for name in names]


def share(text: str) -> Fraction:
    """A share as the definition writes it."""
    text = text.strip()
    return Fraction(text[:-1].strip()) / 100 if text.endswith("%") else Fraction(text)


def outcome(contest: dict[str, Any], tally: Tally) -> tuple[str, list[Clause]]:
    """Why only a full count can settle it (or ""), and the clauses. Raises NotComputedError for ranked contests."""
    rule, votes = contest["rule"], tally.votes
    if rule == "ranked":
        raise NotComputedError("that the tests of ranked contests imply the outcome")
    if rule in ("plurality", "approval"):
        inside = _most(votes, contest["seats"])
        alone = len(votes) <= contest["seats"]
        found = None if inside is None else _leads(votes, inside)
    elif rule == "yes-no":
        alone, found = False, _yes_no(contest, tally)
    elif rule == "majority":
        alone, found = False, _majority(contest, tally)
    else:
        found = _lists(contest, tally)
        alone = found == []
    if not sum(votes):
        return ("" if alone and found is not None else "nobody-voted"), []
    return ("tie", []) if found is None else ("", found)


def _unit(size: int, own: dict[int, Fraction | int], each: Fraction | int = 0) -> tuple[Fraction | int, ...]:
    return tuple(own.get(at, each) for at in range(size))


def _leads(votes: list[int], inside: list[int]) -> list[Clause]:
    return [
        [Condition(_unit(len(votes), {first: 1, other: -1}))]
        for first in inside
        for other in range(len(votes))
        if other not in inside
    ]


def _most(votes: list[int], places: int) -> list[int] | None:
    """Who has the most votes; None where that is a tie."""
    order = sorted(range(len(votes)), key=lambda at: -votes[at])
    tied = len(order) > places and votes[order[places - 1]] == votes[order[places]]
    return None if tied else order[:places]


def _yes_no(contest: dict[str, Any], tally: Tally) -> list[Clause]:
    t = share(contest["threshold"] or "1/2")
    if tally.votes[0] > t * sum(tally.votes):
        return [[Condition((1 - t, -t))]]
    return [[Condition((t - 1, t), strict=False)]]


def _majority(contest: dict[str, Any], tally: Tally) -> list[Clause] | None:
    votes, size, t = tally.votes, len(tally.votes), share(contest["threshold"] or "1/2")
    whole = 1 if contest["base"] == "cast" else 0
    base = sum(votes) + whole * tally.rest
    other = contest["alternative"] and (share(contest["alternative"]["share"]), share(contest["alternative"]["lead"]))
    if other and other[0] > t:
        other = None  # Whoever has so much has won by the threshold already.

    def above(at: int, part: Fraction, sign: int = 1, behind: int | None = None, strict: bool = True) -> Condition:
        """Votes of a candidate, less those of another, less a part of the base; times `sign`."""
        own: dict[int, Fraction | int] = {at: sign * (1 - part)}
        own |= {} if behind is None else {behind: sign * (-1 - part)}
        return Condition(_unit(size, own, -sign * part), -sign * part * whole, strict)

    order = sorted(range(size), key=lambda at: -votes[at])
    first, second = votes[order[0]], votes[order[1]] if size > 1 else 0
    if first > second and (first > t * base or (other and first >= other[0] * base and first - second >= other[1] * base)):
        clauses = _leads(votes, order[:1]) if t < Fraction(1, 2) else []
        if not other:
            return [*clauses, [above(order[0], t)]]
        rivals: list[int | None] = [*order[1:]]
        clauses.append([above(order[0], other[0], strict=False), above(order[0], t)])
        return clauses + [
            [above(order[0], t), above(order[0], other[1], behind=rival, strict=False)] for rival in rivals or [None]
        ]
    pair = _most(votes, 2)
    if pair is None or (first == second and first > t * base):
        return None
    clauses = _leads(votes, pair)
    for at in pair:
        clauses.append([above(at, t, -1, strict=False)])
        if other:
            rival = next((each for each in pair if each != at), None)
            clauses.append([above(at, other[0], -1), above(at, other[1], -1, behind=rival)])
    return clauses


def _lists(contest: dict[str, Any], tally: Tally) -> list[Clause] | None:
    """Divisors and largest remainders: the last seat of each list against the next one of every other, and the threshold."""
    votes, size, seats = tally.votes, len(tally.votes), contest["seats"]
    t = share(contest["threshold"]) if contest["threshold"] else None
    inside = [at for at in range(size) if t is None or votes[at] >= t * sum(votes)]
    below = {at: Condition(_unit(size, {at: (t or 0) - 1}, t or 0)) for at in range(size)}
    clauses: list[Clause] = []
    hamilton = contest["rule"] == "hamilton"
    given = (_remainders if hamilton else _quotients)(contest, {at: votes[at] for at in inside})
    if given is None:
        return None
    if t is not None:
        for at in range(size):
            if given.get(at) or (hamilton and at in inside):
                clauses.append([Condition(_unit(size, {at: 1 - t}, -t), strict=False)])
            elif hamilton or not inside:
                clauses.append([below[at]])
    for first in (at for at in inside if given[at]):
        for other in inside if hamilton else range(size):
            if other == first:
                continue
            theirs = given.get(other, 0)
            if hamilton:
                each = 1 + theirs - given[first]
                own: dict[int, Fraction | int] = {at: 0 for at in range(size) if at not in inside}
                clauses.append([Condition(_unit(size, own | {first: each + seats, other: each - seats}, each))])
            else:
                step = 1 if contest["rule"] == "dhondt" else 2
                won = Condition(_unit(size, {first: step * theirs + 1, other: -(step * (given[first] - 1) + 1)}))
                clauses.append([won, below[other]] if t is not None and not theirs else [won])
    return clauses


def _quotients(contest: dict[str, Any], votes: dict[int, int]) -> dict[int, int] | None:
    """Seats by list, each to the largest quotient; None where the last is a tie."""
    step = 1 if contest["rule"] == "dhondt" else 2
    seats = dict.fromkeys(votes, 0)
    if len(votes) == 1:
        return dict.fromkeys(votes, contest["seats"])
    left = [(-Fraction(own), at) for at, own in votes.items()]
    heapq.heapify(left)
    last = Fraction(0)
    for _ in range(contest["seats"] if left else 0):
        last, at = left[0]
        seats[at] += 1
        heapq.heapreplace(left, (Fraction(-votes[at], step * seats[at] + 1), at))
    return None if left and left[0][0] == last else seats


def _remainders(contest: dict[str, Any], votes: dict[int, int]) -> dict[int, int] | None:
    whole = sum(votes.values())
    if not whole:
        return None if votes else {}
    seats = {at: own * contest["seats"] // whole for at, own in votes.items()}
    left = sorted(votes, key=lambda at: -(votes[at] * contest["seats"] % whole))
    rest = contest["seats"] - sum(seats.values())
    remainders = [votes[at] * contest["seats"] % whole for at in left]
    if 0 < rest < len(left) and remainders[rest - 1] == remainders[rest]:
        return None
    for at in left[:rest]:
        seats[at] += 1
    return seats


def unproved(contest: dict[str, Any], tally: Tally, planned: dict[str, Any], tests: list[Test]) -> Iterator[str]:
    """What is wrong with the tests of a contest, or does not follow from them. Raises NotComputedError."""
    of_option = candidates_of(contest)
    most = contest["max_choices"]
    if contest["rule"] == "approval" and most == 1:
        most = len(of_option)
    ranked = contest["rule"] == "ranked"
    for test in tests:
        if len(test.weights) != len(of_option) or test.given["most"] != most or (test.given["continuing"] is not None) != ranked:
            yield f"test {test.code} is not about such ballots as the contest has"
            return
        if any(len({*weights}) > 1 for weights in _by_candidate(test.weights, of_option)):
            yield f"test {test.code} weighs options of one candidate otherwise"
            return
    reason, clauses = outcome(contest, tally)
    if planned["full_count"]:
        if planned["full_count"] in ("tie", "nobody-voted") and reason != planned["full_count"]:
            yield f"the plan says {planned['full_count']!r}, and the totals say {reason or 'nothing of the kind'!r}"
        return
    if reason:
        yield f"only a full count can confirm it ({reason}), and the plan does not say so"
        return
    for test in tests:
        weights = [own[0] for own in _by_candidate(test.weights, of_option)]
        score = sum(weight * votes for weight, votes in zip(weights, tally.votes, strict=True)) + test.rest * tally.rest
        if score - (test.highest - test.lowest) < test.given["need"]:
            yield f"test {test.code} is false by the published totals, or by a single card; the plan asks for no full count"
    rows = [([*test.weights, test.rest], test.given["need"] == 1) for test in tests]
    same = {(_scaled(row), sure) for row, sure in rows}
    compared = 0
    for clause in clauses:
        wanted = [([*(c.weights[at] for at in of_option), c.rest], c.strict) for c in clause]
        given = any((_scaled(claim), sure) in same for claim, strict in wanted for sure in {strict, True})
        compared += 0 if given else len(wanted) * len(rows) * (len(of_option) + 1)
        if compared > MOST_COMPARISONS:
            raise NotComputedError("that so many tests imply the outcome")
        if not given and not any(_follows(claim, strict, rows) for claim, strict in wanted):
            yield f"no test shows that {' or '.join(_said(condition) for condition in clause)}"


def _scaled(weights: list[Any]) -> tuple[int, ...]:
    """The same weights as whole numbers without a common factor."""
    whole = lcm(*(Fraction(weight).denominator for weight in weights))
    scaled = [int(weight * whole) for weight in weights]
    return tuple(weight // (gcd(*scaled) or 1) for weight in scaled)


def _by_candidate(weights: list[int], of_option: list[int]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(max(of_option) + 1)]
    for weight, candidate in zip(weights, of_option, strict=True):
        found[candidate].append(weight)
    return found


def _follows(claim: list[Any], strict: bool, rows: list[tuple[list[int], bool]]) -> bool:
    if not strict and min(claim) >= 0:
        return True
    for row, sure in rows:
        low, high = Fraction(0), None
        for wanted, given in zip(claim, row, strict=True):
            if given > 0:
                high = Fraction(wanted) / given if high is None else min(high, Fraction(wanted) / given)
            elif given < 0:
                low = max(low, Fraction(wanted) / given)
            elif wanted < 0:
                break
        else:
            if (high is None or (low <= high and high > 0)) and (sure or not strict):
                return True
    return False


def _said(condition: Condition) -> str:
    weights = ", ".join(map(str, condition.weights))
    return (
        f"votes weighed with ({weights}), others with {condition.rest}, are {'more than' if condition.strict else 'at least'} 0"
    )
