"""Instant run-off: ranked ballots, the last option is eliminated until one has a majority of the ballots left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.count.outcome.model import UNREACHABLE, Caps, Outcome, RankedTally, Reach, Round
from scrutineer.count.outcome.plurality import tie_code

MAX_BRANCHES = 2_000
"""The most sets of continuing options that are looked at to find out whether a tie for elimination matters."""

_LONG: Final = 1 << 62


@dataclass(frozen=True)
class InstantRunoff:
    """One place. Each ballot counts for its highest option that is still in; the option with the fewest leaves.

    An option with more than half of the ballots that still name anybody who is in is elected. A ballot that names
    nobody who is in is exhausted. Where several options share the last place, all leave at once if together they have
    fewer ballots than the next: whoever of them leaves first, all leave before that one. Otherwise every order is
    followed. If all orders elect the same option, it is elected; if not, the options that some order elects are
    tied. (Where more than MAX_BRANCHES sets would have to be looked at, all options still in count as tied.)
    The margin is the difference between the last two, the winner and the option with the most ballots beside it, in
    the last round: it describes that round and is not how far the contest is from another winner.

    What further ballots can do: a lower limit, by the argument of Cary (Estimating the Margin of Victory for
    Instant-Runoff Voting, EVT/WOTE 2011) for ballots that are added. Let the options still in be parted into a lower
    group, together with L ballots, and an upper group, each with at least U > L ballots. All of the lower group leave
    before any of the upper, because transfers among the lower can never pass L. Added ballots can raise L by one
    each, so with fewer than U - L of them this stays so. A chain of such steps from all options to the winner alone
    keeps the winner as long as the added ballots are fewer than its smallest gap, so the largest smallest gap of all
    chains is a lower limit. Every lower group is a part of the order of elimination, therefore the chains are paths
    through that order. With n options left and two to go, ballots for the runner-up alone draw level with the winner
    at the gap of the last round, as they change no elimination before; where the limit reaches that gap, it is exact.
    """

    def decide(self, tally: RankedTally) -> Outcome:
        """Decides."""
        return _decide(_Count(tally))

    def reach(self, tally: RankedTally, caps: Caps) -> Reach:
        """A lower limit of the fewest further ballots that change the decision; `exact` where it is reached."""
        count = _Count(tally)
        outcome = _decide(count)
        if tally.options == 1 or all(cap == 0 for cap in caps):
            return UNREACHABLE
        if outcome.tied:
            return Reach(1, tie_code(outcome.tied), exact=False)
        order = _full_order(count)
        limit, binding = _widest_chain(count, order)
        last_two = count.votes(frozenset(order[-2:]))
        duel = last_two[order[-1]] - last_two[order[-2]]
        if limit == duel:
            return Reach(limit, f"pair:{order[-1]}:{order[-2]}", exact=all(cap is None for cap in caps))
        return Reach(max(limit, 1), binding, exact=False)


def elimination(tally: RankedTally) -> tuple[list[int], list[dict[int, int]]]:
    """All options in one possible order of elimination, the last one in last, and the ballots per option from each step on."""
    count = _Count(tally)
    order = _full_order(count)
    return order, [count.votes(frozenset(order[start:])) for start in range(len(order))]


class _Count:
    """The ballots of a contest, counted for any set of options that are still in."""

    def __init__(self, tally: RankedTally) -> None:
        self.options = frozenset(range(tally.options))
        self._tally = tally
        # All rankings one after the other, and behind them an option that is none.
        lengths = np.array([len(ranking) for ranking, _ in tally.rankings], dtype=np.int64)
        ranked = (option for ranking, _ in tally.rankings for option in ranking)
        self._ranked = np.append(np.fromiter(ranked, dtype=np.int64, count=int(lengths.sum())), tally.options)
        self._stops: NDArray[np.int64] = np.cumsum(lengths)
        whole: type = np.int64 if tally.valid < _LONG else object
        self._ballots: NDArray[Any] = np.array([ballots for _, ballots in tally.rankings], dtype=whole)
        # How far each ranking has been read, for the options that were in when it was looked at last.
        self._starts: NDArray[np.int64] = self._stops - lengths
        self._read, self._read_for = self._starts.copy(), self.options
        self._votes: dict[frozenset[int], dict[int, int]] = {}
        self._winners: dict[frozenset[int], frozenset[int]] = {}

    def votes(self, inside: frozenset[int]) -> dict[int, int]:
        """The ballots per option that is in."""
        if inside not in self._votes:
            self._read_on(inside)
            totals = np.zeros(len(self.options) + 1, dtype=self._ballots.dtype)
            np.add.at(totals, self._ranked[self._read], self._ballots)
            self._votes[inside] = {option: int(totals[option]) for option in sorted(inside)}
        return self._votes[inside]

    def _read_on(self, inside: frozenset[int]) -> None:
        # Read every ranking up to its highest option that is in. Options mostly leave one by one, and few rankings then move.
        if not inside <= self._read_for:
            self._read = self._starts.copy()
        self._read_for = inside
        out = np.ones(len(self.options) + 1, dtype=np.bool_)
        out[[*inside, len(self.options)]] = False
        rows = np.flatnonzero(out[self._ranked[self._read]])
        while len(rows):
            read = self._read[rows] + 1
            read[read == self._stops[rows]] = len(self._ranked) - 1
            self._read[rows] = read
            rows = rows[out[self._ranked[read]]]

    def exhausted(self, inside: frozenset[int]) -> int:
        """The valid ballots that name nobody who is in."""
        return self._tally.valid - sum(self.votes(inside).values())

    def last(self, inside: frozenset[int]) -> tuple[tuple[int, ...], bool]:
        """The options on the last place, and whether they all leave now, as nobody else can leave before them."""
        votes = self.votes(inside)
        fewest = min(votes.values())
        last = tuple(option for option, own in votes.items() if own == fewest)
        others = [own for own in votes.values() if own > fewest]
        return last, len(last) == 1 or (bool(others) and len(last) * fewest < min(others))

    def winners(self, inside: frozenset[int]) -> frozenset[int]:
        """The options that some order of elimination elects, starting from those that are in."""
        if (leader := self.leader(inside)) is not None:
            return frozenset({leader})
        if inside not in self._winners:
            last, together = self.last(inside)
            if together:
                found = self.winners(inside.difference(last))
            elif len(self._winners) >= MAX_BRANCHES or not any(self.votes(inside).values()):
                found = inside
            else:
                found = frozenset().union(*(self.winners(inside - {option}) for option in last))
            self._winners[inside] = found
        return self._winners[inside]

    def leader(self, inside: frozenset[int]) -> int | None:
        """The option with more than half of the ballots that are not exhausted, or the only one that is in."""
        votes = self.votes(inside)
        first = max(votes, key=lambda option: votes[option])
        return first if len(votes) == 1 or 2 * votes[first] > sum(votes.values()) else None


def _decide(count: _Count) -> Outcome:
    winners = count.winners(count.options)
    rounds = tuple(_rounds(count, decided=len(winners) == 1))
    if len(winners) > 1:
        return Outcome(tied=tuple(sorted(winners)), open_seats=1, margin=0, rounds=rounds)
    last = sorted((votes for votes in rounds[-1].votes if votes is not None), reverse=True)
    return Outcome(elected=tuple(winners), margin=last[0] - last[1] if len(last) > 1 else None, rounds=rounds)


def _rounds(count: _Count, *, decided: bool) -> Iterator[Round]:
    """The rounds up to the winner, or up to the tie that decides who wins."""
    inside = count.options
    while True:
        votes = count.votes(inside)
        shown = tuple(votes.get(option) for option in sorted(count.options))
        exhausted = count.exhausted(inside)
        if count.leader(inside) is not None:
            yield Round(shown, exhausted)
            return
        last, together = count.last(inside)
        if together:
            yield Round(shown, exhausted, eliminated=last)
            inside = inside.difference(last)
        elif decided or len(count.winners(inside)) == 1:
            yield Round(shown, exhausted, eliminated=last[:1], tied=last)
            inside -= {last[0]}
        else:
            yield Round(shown, exhausted, tied=last)
            return


def _full_order(count: _Count) -> list[int]:
    """All options in one possible order of elimination, the winner last."""
    order = []
    inside = count.options
    while len(inside) > 1:
        last, _ = count.last(inside)
        order.append(last[0])
        inside -= {last[0]}
    return [*order, *inside]


def _widest_chain(count: _Count, order: list[int]) -> tuple[int, str]:
    """The largest smallest gap of all chains of steps, and the pair that is the gap where it is smallest."""
    final = len(order) - 1
    # best[p] is the answer for the options from position p on; None says that no chain limits it.
    best: list[tuple[int, str] | None] = [None] * len(order)
    for start in reversed(range(final)):
        votes = count.votes(frozenset(order[start:]))
        upper = order[final]
        step: tuple[int, str] = (0, f"elimination:{order[start]}:{order[start + 1]}")
        lower = sum(votes.values()) - votes[upper]
        for end in range(final, start, -1):
            if votes[order[end]] < votes[upper]:
                upper = order[end]
            gap = votes[upper] - lower
            rest = best[end]
            code = f"elimination:{order[end - 1]}:{upper}"
            candidate = (gap, code) if rest is None or gap <= rest[0] else rest
            if candidate[0] > step[0]:
                step = candidate
            lower -= votes[order[end - 1]]
        best[start] = step
    return best[0] or (0, "none")
