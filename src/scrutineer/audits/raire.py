"""Assertions for instant run-offs (RAIRE): of all sets that prove the winner, one whose hardest assertion is the easiest.

Source: M. Blom, P. J. Stuckey, V. Teague, RAIRE: Risk-Limiting Audits for IRV Elections, arXiv 1903.08804, sections 4 and 5.

**What has to be excluded.** An order of elimination is built from its end: first who is left last, then who leaves before that
one, and so on. Let S be those placed so far and f the next: whoever assumes this claims that f leaves when just S and f are left.
That is contradicted by "f is not eliminated before c" for a c in S, by "c is not eliminated before f" for a c outside, and by
"f has more ballots than c when just S and f are left". All of these depend on f and S alone, not on the order within S.

**The least greatest difficulty.** Give the step from S to S and f the difficulty of the easiest assertion that contradicts it.
An order is excluded by contradicting any one of its steps, at best the easiest. So the best set is as hard as the order, among
those of other winners, whose easiest step is the hardest: the widest path through the sets of candidates, which Dijkstra's
algorithm finds (largest width first), without a look at sets of a smaller width.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final, TypeAlias

import numpy as np

from scrutineer.count.outcome import RankedTally
from scrutineer.errors import AuditError

MAX_STEPS: Final = 20_000
"""The most steps whose ballots are counted; a contest that needs more has harder assertions, or none."""
MAX_SETS: Final = 20_000
"""The most sets of candidates that are looked at to find out what assertions leave open."""

_MAX_TRIES: Final = 500_000  # sets of candidates times assertions that are looked at to leave out unneeded assertions
_MAX_TRIMMED: Final = 500  # assertions beyond which none is left out: nobody would audit so many
_EXACT: Final = 1 << 53

Difficulty: TypeAlias = Callable[[int, int, int], float]
"""How much work it is to show that one number of votes is more than another, of so many cards. Must not rise with the first, nor
fall with the second; inf where the first is not more."""


def comparison_difficulty(winner: int, loser: int, cards: int) -> float:
    """For audits that compare cards: one over the diluted margin."""
    return cards / (winner - loser) if winner > loser else inf


def polling_difficulty(winner: int, loser: int, cards: int) -> float:
    """For audits without records of cards: the variance of a card's score over the square of the margin, about."""
    return cards * (winner + loser) / (winner - loser) ** 2 if winner > loser else inf


@dataclass(frozen=True, slots=True)
class Comparison:
    """That one candidate is not eliminated before another: at no time, or not when just certain candidates are left.

    At no time, because the ballots that put `winner` first are more than those that name `loser` and do not prefer `winner`
    (NEB). When just `continuing` are left, because more ballots prefer `winner` among them than `loser` (NEN).
    """

    winner: int
    loser: int
    continuing: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class RaireResult:
    """Comparisons that together exclude every other winner."""

    winner: int
    comparisons: tuple[Comparison, ...]
    """The hardest first."""
    margins: tuple[int, ...]
    """By comparison: the winner's votes less the loser's."""
    difficulty: float
    """The greatest difficulty among them; 0 without comparisons."""
    best: bool = True
    """Whether no other set has a lower greatest difficulty."""


def raire(
    tally: RankedTally, winner: int, cards: int | None = None, difficulty: Difficulty = comparison_difficulty
) -> RaireResult | None:
    """The comparisons that prove the winner with the least greatest difficulty, as few of them as are found.

    `cards` are all cards that can be drawn; those of the tally where it is None. Where MAX_STEPS do not suffice for the best
    set, the result is another one, or None where nothing was found to contradict some order of elimination. Raises AuditError
    where this is not the only winner of the tally, and for more ballots than can be added up exactly.
    """
    ballots = _Ballots(tally, tally.cast if cards is None else cards, difficulty)
    if tally.options == 1:
        return RaireResult(winner, (), (), 0.0)
    level, best = _widest(ballots, winner)
    if level == inf:
        if not best:
            return None
        raise AuditError(f"the ballots do not make candidate {winner} the only winner: other orders of elimination are possible")
    chosen = _fewer(tally.options, winner, _cover(ballots, winner, level))
    found = sorted(((ballots.figures(each), each) for each in chosen), key=lambda pair: (-pair[0][2], _key(pair[1])))
    return RaireResult(
        winner,
        tuple(each for _, each in found),
        tuple(figures[0] - figures[1] for figures, _ in found),
        max((figures[2] for figures, _ in found), default=0.0),
        best,
    )


def _key(comparison: Comparison) -> tuple[int, int, tuple[int, ...]]:
    return comparison.winner, comparison.loser, tuple(sorted(comparison.continuing or ()))


class _Ballots:
    """The ballots of a contest, and how difficult each comparison on them is."""

    def __init__(self, tally: RankedTally, cards: int, difficulty: Difficulty) -> None:
        if tally.valid >= _EXACT:
            raise AuditError(
                f"{tally.valid} ballots of an instant run-off are more than can be added up: give at most {_EXACT - 1}"
            )
        self.options, self._cards, self._difficulty = tally.options, cards, difficulty
        longest = max((len(ranking) for ranking, _ in tally.rankings), default=0)
        # Every ranking as a row, filled up behind its end with an option that is none.
        self._order = np.full((len(tally.rankings), longest + 1), tally.options, dtype=np.int16)
        for row, (ranking, _) in enumerate(tally.rankings):
            self._order[row, : len(ranking)] = ranking
        self._ballots = np.array([ballots for _, ballots in tally.rankings], dtype=np.float64)
        self._rows = np.arange(len(tally.rankings))
        self._standing: dict[int, list[int]] = {}
        self._first = self.standing(_mask(range(tally.options)))
        self._rivals = self._naming_without()
        self.before = [[self._before(winner, loser) for loser in range(self.options)] for winner in range(self.options)]
        self._hard = np.array(self.before)

    def standing(self, inside: int) -> list[int]:
        """The ballots of each candidate when just these are left; zero for the others."""
        if inside not in self._standing:
            member = np.array([inside >> option & 1 for option in range(self.options)] + [1], dtype=np.bool_)
            highest = self._order[self._rows, member[self._order].argmax(axis=1)]
            self._standing[inside] = np.bincount(highest, self._ballots, self.options + 1)[:-1].astype(np.int64).tolist()
        return self._standing[inside]

    def _naming_without(self) -> list[list[int]]:
        """By winner and loser: the ballots that name the loser and do not prefer the winner."""
        place = np.full((len(self._order), self.options + 1), self._order.shape[1], dtype=np.int16)
        np.put_along_axis(place, self._order.astype(np.int64), np.arange(self._order.shape[1], dtype=np.int16)[None, :], axis=1)
        named = place[:, :-1] < self._order.shape[1]
        rivals = []
        for winner in range(self.options):
            counted = named & (place[:, :-1] < place[:, winner : winner + 1])
            rivals.append((self._ballots @ counted).astype(np.int64).tolist())
        return rivals

    def _before(self, winner: int, loser: int) -> float:
        if winner == loser:
            return inf
        return self._difficulty(self._first[winner], self._rivals[winner][loser], self._cards)

    def figures(self, comparison: Comparison) -> tuple[int, int, float]:
        """The winner's votes, the loser's, and the difficulty."""
        if comparison.continuing is None:
            votes = self._first[comparison.winner], self._rivals[comparison.winner][comparison.loser]
        else:
            standing = self.standing(_mask(comparison.continuing))
            votes = standing[comparison.winner], standing[comparison.loser]
        return (*votes, self._difficulty(*votes, self._cards))

    def next(self, inside: int, leaving: int) -> tuple[float, int]:
        """The easiest assertion that `leaving` is not the next to leave, when these and `leaving` are left: difficulty, loser."""
        standing = self.standing(inside | 1 << leaving)
        loser = min((option for option in range(self.options) if inside >> option & 1), key=lambda option: standing[option])
        return self._difficulty(standing[leaving], standing[loser], self._cards), loser

    def cheap(self, inside: int) -> list[float]:
        """By candidate outside: the difficulty of the easiest comparison at no time that contradicts that it comes next."""
        left = np.array([inside >> option & 1 for option in range(self.options)], dtype=np.bool_)
        later = self._hard[:, left].min(axis=1, initial=inf)
        sooner = self._hard[~left].min(axis=0, initial=inf)
        return list(np.minimum(later, sooner).tolist())


def _at_no_time(options: int, inside: int, leaving: int) -> Iterator[tuple[int, int]]:
    """Who is compared with whom by the comparisons at no time that contradict the step."""
    for other in range(options):
        if other != leaving:
            yield (leaving, other) if inside >> other & 1 else (other, leaving)


def _widest(ballots: _Ballots, winner: int) -> tuple[float, bool]:
    """The least greatest difficulty of a set that excludes every other winner, and whether it is that.

    Where MAX_STEPS do not suffice it is the width that was reached: the least is at most that, so that a set exists.
    """
    options = ballots.options
    seen: set[int] = set()
    counted = 0
    # Steps with the width of the path up to and with them; at first by comparisons at no time alone, which need no count. Of
    # equal widths the longest path goes first: where one reaches everybody, others of its width are not looked at.
    steps = [(-width, options, 0, last, True) for last, width in enumerate(ballots.cheap(0)) if last != winner]
    steps.sort()
    while steps:
        width, left, inside, leaving, whole = heappop(steps)
        after = inside | 1 << leaving
        if after in seen:
            continue
        if not whole:
            counted += 1
            if counted > MAX_STEPS:
                return -width, False
            heappush(steps, (max(width, -ballots.next(inside, leaving)[0]), left, inside, leaving, True))
            continue
        if left == 1:
            return -width, True
        seen.add(after)
        cheap = ballots.cheap(after)
        for option in _outside(options, after):
            heappush(steps, (max(width, -cheap[option]), left - 1, after, option, False))
    return 0.0, True


def _cover(ballots: _Ballots, winner: int, level: float) -> list[Comparison]:
    """Comparisons no harder than the level that together exclude every other winner."""
    options = ballots.options
    wanted: list[list[Comparison]] = []
    seen = {0}
    stack = [0]
    while stack:
        inside = stack.pop()
        for leaving in _outside(options, inside):
            if not inside and leaving == winner:
                continue
            useful = [
                Comparison(*pair) for pair in _at_no_time(options, inside, leaving) if ballots.before[pair[0]][pair[1]] <= level
            ]
            if inside:
                hard, loser = ballots.next(inside, leaving)
                if hard <= level:
                    useful.append(Comparison(leaving, loser, frozenset(_outside(options, ~(inside | 1 << leaving)))))
            after = inside | 1 << leaving
            if useful:
                wanted.append(useful)
            elif after not in seen:
                seen.add(after)
                stack.append(after)
    return _greedy(ballots, wanted)


def _greedy(ballots: _Ballots, wanted: list[list[Comparison]]) -> list[Comparison]:
    """One of each group at least, taking first what is in most groups that are left, and of those the easiest."""
    groups: dict[Comparison, list[int]] = {}
    for at, group in enumerate(wanted):
        for each in group:
            groups.setdefault(each, []).append(at)
    left = [True] * len(wanted)
    order = [(-len(members), ballots.figures(each)[2], _key(each), each) for each, members in groups.items()]
    heapify(order)
    chosen: list[Comparison] = []
    while order:
        count, hard, key, best = heappop(order)
        uses = sum(left[at] for at in groups[best])
        if not uses:
            continue
        if uses < -count:
            heappush(order, (-uses, hard, key, best))
            continue
        chosen.append(best)
        for at in groups[best]:
            left[at] = False
    return chosen


def _fewer(options: int, winner: int, comparisons: list[Comparison]) -> list[Comparison]:
    """The same without those that the others make unneeded, tried from the most special to the most general."""
    if len(comparisons) > _MAX_TRIMMED:
        return comparisons
    kept, most = comparisons, min(MAX_SETS, _MAX_TRIES // max(1, len(comparisons)))
    for each in sorted(comparisons, key=lambda each: (each.continuing is None, -len(each.continuing or ()), _key(each))):
        without = [other for other in kept if other != each]
        if next(_open(options, winner, without, most), ()) == ():
            kept = without
    return kept


def open_orders(options: int, winner: int, comparisons: Iterable[Comparison]) -> tuple[tuple[int, ...], ...] | None:
    """For every other candidate who could win though all comparisons are true: an order of elimination, the first to leave first.

    Empty: every other winner is excluded. None where MAX_SETS sets of candidates do not suffice to find out.
    """
    found = []
    for order in _open(options, winner, comparisons, MAX_SETS):
        if order is None:
            return None
        found.append(order)
    return tuple(found)


def _open(options: int, winner: int, comparisons: Iterable[Comparison], most: int) -> Iterator[tuple[int, ...] | None]:
    """The same one by one; None after so many sets of candidates."""
    losers, winners = [0] * options, [0] * options
    steps: set[tuple[int, int]] = set()
    for each in comparisons:
        if each.continuing is None:
            losers[each.winner] |= 1 << each.loser
            winners[each.loser] |= 1 << each.winner
        else:
            steps.add((each.winner, _mask(each.continuing)))
    everybody = _mask(range(options))
    # Sets of candidates that cannot be the last ones, in whatever order. It does not matter who of them would be the very last.
    closed: set[int] = set()

    def continued(inside: int) -> Iterator[tuple[int, int]]:
        for leaving in _outside(options, inside):
            after = inside | 1 << leaving
            if not (losers[leaving] & inside or winners[leaving] & ~after or (leaving, after) in steps) and after not in closed:
                yield leaving, after

    for last in _outside(options, 1 << winner):
        if winners[last] & ~(1 << last):
            continue
        path = [(last, 1 << last)]
        while path and path[-1][1] != everybody:
            onward = next(continued(path[-1][1]), None)
            if onward is not None:
                path.append(onward)
                continue
            closed.add(path.pop()[1])
            if len(closed) > most:
                yield None
                return
        if path:
            yield tuple(leaving for leaving, _ in reversed(path))


def _mask(candidates: Iterable[int]) -> int:
    return sum(1 << candidate for candidate in candidates)


def _outside(options: int, inside: int) -> list[int]:
    return [option for option in range(options) if not inside >> option & 1]
