"""Conditions of ranked contests: groups of options that leave before others, linear in the number of each ranking."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.conditions import Condition
from scrutineer.calls.forms import STRICT, Clause
from scrutineer.calls.partial import PartialCount
from scrutineer.count.outcome import RankedTally, Tally, elimination
from scrutineer.errors import CallError


@dataclass(frozen=True, slots=True)
class RankedCondition(Condition):
    """A condition on ballots by their highest option among those that are still in.

    `weights` say what one more ballot adds whose highest option among `continuing` is that candidate. A ballot that ranks none of
    them adds nothing, and so does a blank or null one; `worst` and `best` are therefore those of any condition.
    """

    continuing: frozenset[int]
    """The candidates who are in at this step."""

    def value(self, tally: Tally | RankedTally) -> int:
        """The value of the form on totals. Raises CallError where they are not rankings of as many candidates."""
        if not isinstance(tally, RankedTally) or tally.options != len(self.weights):
            raise CallError(f"condition {self.code}: it is about rankings of {len(self.weights)} candidates: give their tally")
        return sum(self._score(ranking) * ballots for ranking, ballots in tally.rankings)

    def values(self, partial: PartialCount) -> NDArray[np.int64]:
        """The value of the form at each station, from its rankings; zero where it is not counted."""
        columns = partial.ranking_columns
        score = np.fromiter((self._score(ranking) for ranking in columns.distinct), dtype=np.int64, count=len(columns.distinct))
        own = np.zeros(len(partial.counted), dtype=np.int64)
        np.add.at(own, columns.row, score[columns.ranking] * columns.ballots)
        return own

    def expected(self, partial: PartialCount) -> NDArray[np.int64] | None:  # noqa: ARG002
        """None: a baseline has votes per candidate, which do not say how ballots would be transferred."""
        return None

    def _score(self, ranking: tuple[int, ...]) -> int:
        for option in ranking:
            if option in self.continuing:
                return self.weights[option]
        return 0


def runoff_clauses(tally: RankedTally) -> Iterator[Clause] | None:
    """The conditions that keep the winner of an instant run-off; None where a tie on the way leaves no such conditions.

    Let the options still in be parted into a lower group, together with L ballots, and an upper group. While each option of the
    upper group has more than L ballots, all of the lower group leave before any of the upper, because transfers among the lower
    can never pass L and the upper only gain (Cary, Estimating the Margin of Victory for Instant-Runoff Voting, EVT/WOTE 2011).
    A chain of such steps from all options to the winner alone keeps the winner. An option that has a majority on the way is of
    the upper group of every step, because more than half is more than all others together, and so ends as the winner too.
    Of all chains along one order of elimination this takes the one whose smallest gap is the largest, as `can_change` does.

    Each step says of each of its upper options that its ballots less all those of the lower group are more than zero: linear in
    the number of each ranking. Other chains may keep the winner where this one breaks, so the conditions suffice and are not
    necessary.
    """
    order, counts = elimination(tally)
    ends = _widest_chain(order, counts)
    return None if ends is None else _steps(order, ends)


def runoff_comparisons(candidates: int) -> int:
    """Over how many comparisons the risk is split: 2^(k+1) - 2 - k(k+3)/2 for k candidates.

    Take one true order of elimination. A chain that ends in somebody other than its winner contradicts it; at the first step that
    does, the options still in are the last n of the true order for some n from 2 to k. The step's lower group G contains
    an option that truly leaves after u, the first of the n to leave that is not in G, so the condition on u against G among these
    n is false. It is determined by n and G. Of the 2^n sets G those do not count that are empty, or hold all n, or are
    the first few to leave: 2^n - n - 1 are left, and their sum over n is the number above. For two candidates it is 1.
    """
    return max(1, (1 << (candidates + 1)) - 2 - candidates * (candidates + 3) // 2)


def _widest_chain(order: list[int], counts: list[dict[int, int]]) -> list[int] | None:
    """Where each step of the chain with the largest smallest gap ends, by position in the order; None without a chain."""
    final = len(order) - 1
    # For the options from each position on: the largest smallest gap, and the end of the first step. No chain limits the last.
    best: list[tuple[int | None, int]] = [(0, 0)] * final + [(None, final)]
    for start in reversed(range(final)):
        votes = counts[start]
        fewest, lower = votes[order[final]], sum(votes.values()) - votes[order[final]]
        for end in range(final, start, -1):
            fewest = min(fewest, votes[order[end]])
            rest = best[end][0]
            gap = fewest - lower if rest is None else min(fewest - lower, rest)
            if gap > (best[start][0] or 0):
                best[start] = (gap, end)
            lower -= votes[order[end - 1]]
    ends = []
    position = 0
    while position < final:
        gap_here, end = best[position]
        if not gap_here:
            return None
        ends.append(end)
        position = end
    return ends


def _steps(order: list[int], ends: list[int]) -> Iterator[Clause]:
    start = 0
    for end in ends:
        lower = order[start:end]
        for upper in order[end:]:
            weights = [0] * len(order)
            weights[upper] = 1
            for option in lower:
                weights[option] = -1
            last = lower[-1]
            yield (
                RankedCondition(
                    code=f"elimination:{upper}:{last}",
                    favours=upper,
                    against=last,
                    weights=tuple(weights),
                    rest=0,
                    need=STRICT,
                    continuing=frozenset(order[start:]),
                ),
            )
        start = end
