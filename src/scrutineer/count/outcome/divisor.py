"""Divisor methods: D'Hondt (Jefferson) and Sainte-Laguë (Webster), with and without a threshold."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from math import ceil

from scrutineer.count.outcome.model import (
    Caps,
    Outcome,
    Reach,
    Tally,
    by_votes,
    check_seats,
    check_share,
    check_single_choice,
    nearest,
    within,
)
from scrutineer.count.outcome.plurality import tie_code
from scrutineer.count.outcome.threshold import qualified, reach_entry, reach_fall
from scrutineer.errors import CountError


@dataclass(frozen=True)
class DivisorMethod(ABC):
    """Seats go to the S largest quotients v_i / d(k), k = 0, 1, 2 …, of the lists that qualify.

    A list qualifies with at least the threshold's share of the valid votes. Where no list does, no seat is given.
    With s_i the seats of list i, the result is the only one exactly if every last quotient that won is larger than
    every first quotient that lost: v_i / d(s_i - 1) > v_j / d(s_j) for all i with a seat and all j other than i: the
    min-max inequality (Balinski and Young, Fair Representation, 2nd edition, 2001, appendix A). For if it holds, the
    quotients that won are the S largest; and if it fails, exchanging the two gives S quotients at least as large.
    Where quotients are level on the last seats, their lists are tied for those and `seats` leaves them out.
    The margin is the fewest further votes with which a list draws level with a last quotient of another.

    What further ballots can do, without a threshold. By the min-max inequality the seats change only if some pair
    (i, j) comes to v_j' d(s_i - 1) >= v_i' d(s_j). Votes for i or for others do not help this pair, so the fewest
    ballots are ceil(v_i d(s_j) / d(s_i - 1)) - v_j, all for j; and each such pair alone does change the decision. So
    the minimum over all pairs is exact.

    With a threshold t and N valid votes, suppose that D ballots change the seats. Either a list i with a seat no
    longer qualifies: then D > v_i / t - N, and so many ballots for any others do it. Or all lists with seats still
    qualify, and by the min-max inequality some list j that now qualifies draws level as above. Then the ballots among
    them that are for j do it alone: they leave the votes of all others, and v_j + x >= t (N + x) holds for the votes
    x for j if it holds with ballots for others added. So the minimum of these kinds is exact too.

    In a tie one further vote for a list that is tied decides. Where none of them can get one, their quotients stand,
    and all of the above holds with the tied lists counted as lists with a seat.
    """

    seats: int
    threshold: Fraction | None = None

    def __post_init__(self) -> None:
        check_seats(self.seats)
        if self.threshold is not None:
            check_share(self.threshold, "threshold of a list")

    @abstractmethod
    def divisor(self, seats: int) -> Fraction:
        """The divisor for the next seat of a list that has `seats` seats."""

    @abstractmethod
    def certain_seats(self, votes: int, total: int, lists: int) -> int:
        """Seats that a list wins in any case, so that at most one per list is left to be awarded one by one."""

    def decide(self, tally: Tally) -> Outcome:
        """Decides; raises CountError where ballots bear several votes."""
        check_single_choice(tally, "party list")
        inside = qualified(tally.votes, self.threshold)
        seats, tied = self._award(tally.votes, inside)
        elected = tuple(index for index in by_votes(tally.votes) if seats[index])
        if tied:
            return Outcome(elected, tuple(seats), tied=tied, open_seats=self.seats - sum(seats), margin=0)
        margin = self._reach_pair(tally.votes, seats, inside, (None,) * len(seats)).ballots
        return Outcome(elected, tuple(seats), margin=margin)

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision; exact."""
        outcome, votes = self.decide(tally), tally.votes
        tied = outcome.tied
        if any(within(1, caps[index]) for index in tied):
            return Reach(1, tie_code(tied))
        inside = qualified(votes, self.threshold)
        seats = [count + (index in tied) for index, count in enumerate(outcome.seats)]
        pair = self._reach_pair(votes, seats, inside, caps)
        if self.threshold is None:
            return pair
        seated = [index for index, count in enumerate(seats) if count]
        weakest = min((votes[index] / self.divisor(seats[index] - 1) for index in seated), default=Fraction(0))
        return nearest(
            pair,
            reach_entry(votes, inside, self.threshold, caps, ceil(weakest * self.divisor(0))),
            reach_fall(votes, seated, self.threshold, caps),
        )

    def _award(self, votes: tuple[int, ...], inside: list[int]) -> tuple[list[int], tuple[int, ...]]:
        """The certain seats of all lists, and the lists that are tied for the rest."""
        seats = [0] * len(votes)
        total = sum(votes[index] for index in inside)
        if len(inside) == 1:
            seats[inside[0]] = self.seats
            return seats, ()
        if total == 0:
            return seats, tuple(inside)
        for index in inside:
            seats[index] = self.certain_seats(votes[index], total, len(inside))
        left = self.seats - sum(seats)
        heap = [(-votes[index] / self.divisor(seats[index]), index) for index in inside]
        heapify(heap)
        while left:
            level = [heappop(heap)]
            while heap and heap[0][0] == level[0][0]:
                level.append(heappop(heap))
            if len(level) > left:
                return seats, tuple(sorted(index for _, index in level))
            for _, index in level:
                seats[index] += 1
                heappush(heap, (-votes[index] / self.divisor(seats[index]), index))
            left -= len(level)
        return seats, ()

    def _reach_pair(self, votes: tuple[int, ...], seats: list[int], inside: list[int], caps: Caps) -> Reach:
        """The fewest votes with which a list that qualifies draws level with a last quotient of another list."""
        # The weakest last quotient binds for every list but its own, which is held against the second weakest.
        lasts = sorted((votes[index] / self.divisor(seats[index] - 1), index) for index in inside if seats[index])[:2]
        reaches = []
        for index in inside:
            for quotient, last in [(quotient, last) for quotient, last in lasts if last != index][:1]:
                ballots = ceil(quotient * self.divisor(seats[index])) - votes[index]
                # Lists without any votes are level with each other already.
                if ballots > 0 and within(ballots, caps[index]):
                    reaches.append(Reach(ballots, f"pair:{last}:{index}"))
        return nearest(*reaches)


@dataclass(frozen=True)
class DHondt(DivisorMethod):
    """D'Hondt's method, in the United States Jefferson's: the divisors are 1, 2, 3 …; the rest as in DivisorMethod."""

    def divisor(self, seats: int) -> Fraction:
        """One more than the seats that the list has."""
        return Fraction(seats + 1)

    def certain_seats(self, votes: int, total: int, lists: int) -> int:  # noqa: ARG002
        """The lower quota: at the level total / S there are floor(v S / total) quotients, together at most S."""
        return votes * self.seats // total


@dataclass(frozen=True)
class SainteLague(DivisorMethod):
    """Sainte-Laguë's method, in the United States Webster's: the divisors are 1, 3, 5 …; the rest as in DivisorMethod.

    `first_divisor` replaces the first of them and makes the first seat dearer: 7/5 in the modified method that
    Norway and, until 2018, Sweden used (Sweden uses 6/5 since).
    """

    first_divisor: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.first_divisor, Fraction) or not 1 <= self.first_divisor < 3:
            raise CountError(f"first divisor: {self.first_divisor!r} is not a fraction of at least 1 and less than 3")

    def divisor(self, seats: int) -> Fraction:
        """The odd number of the list's next seat, or the first divisor."""
        return Fraction(2 * seats + 1) if seats else self.first_divisor

    def certain_seats(self, votes: int, total: int, lists: int) -> int:
        """Half the quotients' count at a level low enough: (v / level + 1) / 2 each, together at most S."""
        # With n lists and the level total / (2 S - n) the sum of (v / level + 1) / 2 is S.
        steps = 2 * self.seats - lists
        if steps <= 0:
            return 0
        count = (votes * steps + total) // (2 * total)
        return 0 if votes * steps < self.first_divisor * total else count
