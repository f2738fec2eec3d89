"""Conditions of list rules: the last seat of each list against the next seat of every other, and the threshold."""

from collections.abc import Iterator
from math import comb

from scrutineer.calls.conditions import Condition
from scrutineer.calls.forms import NOT_BELOW, STRICT, Clause, above, below, linear
from scrutineer.count.outcome import DHondt, Hamilton, SainteLague, Tally


def divisor_clauses(rule: DHondt | SainteLague, tally: Tally, seats: tuple[int, ...]) -> Iterator[Clause]:
    """The conditions under which a divisor method gives exactly these seats; necessary and sufficient.

    Without a threshold they are the min-max inequalities, v_i d(s_j) > v_j d(s_i - 1) for every list i with a seat and every
    other list j: the seats are these, without a tie, exactly if all hold (see `DivisorMethod`).

    With a threshold the seats are these exactly if every list with a seat qualifies (at least the share of the valid votes), and
    every list j without one either does not qualify or satisfies its inequalities: a clause of two. Where no list qualifies, it
    is the outcome that none does.
    """
    k = len(tally.votes)
    seated = [index for index, count in enumerate(seats) if count]
    if rule.threshold is None:
        outside: dict[int, Condition] = {}
    else:
        for i in seated:
            yield (above(i, rule.threshold, candidates=k, need=NOT_BELOW),)
        outside = {
            j: below(j, rule.threshold, candidates=k, need=STRICT, favours=_strongest_other(tally.votes, j))
            for j in range(k)
            if not seats[j]
        }
        if not seated:
            yield from ((condition,) for condition in outside.values())
    for i in seated:
        for j in range(k):
            if i != j:
                own = {i: rule.divisor(seats[j]), j: -rule.divisor(seats[i] - 1)}
                pair = linear(f"seat:{i}:{j}", i, j, own, candidates=k, need=STRICT)
                yield (pair, outside[j]) if j in outside else (pair,)


def divisor_comparisons(rule: DHondt | SainteLague, candidates: int) -> int:
    """Over how many comparisons the risk is split: at most (k-2) S^2 + S for k lists and S seats, and k more with a threshold.

    Let s be the true seats and s' others that are called. As both sum to S there are lists i and j with s'_i > s_i and
    s'_j < s_j. The call says v_i d(s'_j) > v_j d(s'_i - 1), which is false, because d rises and truly
    v_j d(s_i) > v_i d(s_j - 1). So every false call asserts one of the false conditions (i, j, s'_i, s'_j) with s'_i > s_i,
    s'_j < s_j and s'_i + s'_j <= S. For one pair there are s_j (S - s_i) - s_j (s_j - 1) / 2 of them, over all pairs
    (k-2) S^2 + (3-k)/2 sum s_j^2 + (k-1) S/2. From three lists on, with S <= sum s_j^2, this is at most the number above; for
    one seat it is k-1. Nor can it be more than there are false calls, one condition each: the ways of giving S seats to k lists
    but one, which for two lists is S. With a threshold a false call may instead assert that a list qualifies which does not, or
    the reverse: one false condition for each list.
    """
    pairs = max(0, candidates - 2) * rule.seats**2 + rule.seats
    return _split(pairs, rule, candidates)


def hamilton_clauses(rule: Hamilton, tally: Tally, seats: tuple[int, ...]) -> Iterator[Clause]:
    """The conditions under which largest remainders give these seats: sufficient, and without a threshold also necessary.

    No exchange of a seat between a list i that has one and another list j lowers the sum of (s - q)^2, that is
    (q_j - s_j) - (q_i - s_i) < 1 for the quotas q = v S / N (see `Hamilton`). Times N this is linear in the votes:
    N (1 + s_j - s_i) + S v_i - S v_j > 0.

    With a threshold N is the sum over the lists that qualify, so that the form changes when a list comes to qualify or ceases to.
    The conditions then also say that the same lists qualify as now, which is more than the outcome needs.
    """
    k, lists = len(tally.votes), range(len(tally.votes))
    inside = list(lists)
    if rule.threshold is not None:
        total = sum(tally.votes)
        inside = [index for index in lists if tally.votes[index] >= rule.threshold * total]
        for index in lists:
            if index in inside:
                yield (above(index, rule.threshold, candidates=k, need=NOT_BELOW),)
            else:
                favours = _strongest_other(tally.votes, index)
                yield (below(index, rule.threshold, candidates=k, need=STRICT, favours=favours),)
    without = {index: 0 for index in lists if index not in inside}
    for i in inside:
        for j in inside:
            if i != j and seats[i]:
                each = 1 + seats[j] - seats[i]
                own = {**without, i: each + rule.seats, j: each - rule.seats}
                yield (linear(f"seat:{i}:{j}", i, j, own, candidates=k, each=each, need=STRICT),)


def hamilton_comparisons(rule: Hamilton, candidates: int) -> int:
    """Over how many comparisons the risk is split: at most (k-1) (m (S-1) + S), m the smaller of k and S, and k with a threshold.

    Let s be the true seats and s' others that are called, with s'_i > s_i and s'_j < s_j. The call says
    S (v_i - v_j) > N (s'_i - s'_j - 1), which is false, because s'_i - s'_j - 1 >= s_i - s_j + 1 and truly
    S (v_i - v_j) < N (s_i - s_j + 1). The false conditions of a pair are told apart by s'_i - s'_j, from s_i - s_j + 2 to S: at
    most S - 1 - s_i + s_j of them, and only for lists j that truly have a seat. The sum over all pairs is at most the number
    above; for one seat it is k-1. Nor can it be more than there are false calls, as in `divisor_comparisons`. With a threshold
    a call that errs on who qualifies asserts one false condition for each list.
    """
    most_seated = min(candidates, rule.seats)
    return _split((candidates - 1) * (most_seated * (rule.seats - 1) + rule.seats), rule, candidates)


def _split(pairs: int, rule: DHondt | SainteLague | Hamilton, candidates: int) -> int:
    false_calls = comb(rule.seats + candidates - 1, rule.seats) - 1
    return max(1, min(pairs, false_calls) + (candidates if rule.threshold is not None else 0))


def _strongest_other(votes: tuple[int, ...], without: int) -> int:
    return max((index for index in range(len(votes)) if index != without), key=lambda index: votes[index], default=without)
