"""Hamilton's method (largest remainders, Hare quota)."""

from dataclasses import dataclass, replace
from fractions import Fraction

from scrutineer.count.outcome.model import (
    UNREACHABLE,
    Caps,
    Outcome,
    Reach,
    Tally,
    by_votes,
    check_seats,
    check_share,
    check_single_choice,
    nearest,
    total_cap,
    within,
)
from scrutineer.count.outcome.plurality import tie_code
from scrutineer.count.outcome.threshold import qualified, reach_entry, reach_fall, votes_to_disqualify, votes_to_qualify


@dataclass(frozen=True)
class Hamilton:
    """Each list gets the whole part of its quota q_i = v_i S / N; the largest remainders get the seats left.

    N counts the votes of the lists that qualify with at least the threshold's share of all valid votes. Where no list
    does, no seat is given. Lists with level remainders are tied for the last seats. The margin is the difference in
    votes, rounded up, between the last remainder that got a seat and the first that got none, and None where the whole
    parts give all seats away.

    What further ballots can do. Hamilton's seats minimise the sum of (s_i - q_i)^2 over all seats that sum to S
    (Balinski and Young, Fair Representation, 2nd edition, 2001, appendix A). A sum of convex terms is at its least
    exactly if no exchange of one seat lowers it, which gives for all i with a seat and all j other than i
    (q_j - s_j) - (q_i - s_i) <= 1, with "<" where the result is the only one. So the decision changes only if for some
    pair S (v_j' - v_i') >= N' c, with c = 1 + s_j - s_i. A ballot for j moves the two sides together by S - c, which is
    at least 2 s_i - 1 > 0; a ballot for a third list moves them by -c < S - c, and one for i by -c - S < 0. So without
    a threshold the fewest ballots are ceil((N c - S (v_j - v_i)) / (S - c)), all for j; where j can get only k votes,
    third lists give the rest if c < 0. The minimum over all pairs is exact, though a result may here change back with
    more ballots, and though votes for a list can cost it nothing but cost another a seat.

    With a threshold the decision also changes where a list with a seat no longer qualifies, and lists without seats
    that come to qualify or cease to move N' by leaps. Where so few ballots let none do so, all of the above holds;
    else N' is put at the end of its possible range that helps each pair most, which gives a lower limit.
    In a tie one further vote for the largest of the lists that are tied moves its remainder away from theirs; where
    caps or the threshold are in the way of this argument, one ballot is a lower limit.
    """

    seats: int
    threshold: Fraction | None = None

    def __post_init__(self) -> None:
        check_seats(self.seats)
        if self.threshold is not None:
            check_share(self.threshold, "threshold of a list")

    def decide(self, tally: Tally) -> Outcome:
        """Decides; raises CountError where ballots bear several votes."""
        check_single_choice(tally, "party list")
        votes = tally.votes
        inside = qualified(votes, self.threshold)
        seats = [0] * len(votes)
        total = sum(votes[index] for index in inside)
        if len(inside) == 1:
            seats[inside[0]] = self.seats
            return Outcome((inside[0],), tuple(seats))
        if not inside:
            return Outcome((), tuple(seats))
        if total == 0:
            return Outcome((), tuple(seats), tied=tuple(inside), open_seats=self.seats, margin=0)
        remainders = {}
        for index in inside:
            seats[index], remainders[index] = divmod(votes[index] * self.seats, total)
        left = self.seats - sum(seats)
        tied: tuple[int, ...] = ()
        margin = None
        if left:
            # The remainders sum to `left` totals and each is less than one, so there are more of them than seats left.
            order = sorted(inside, key=lambda index: -remainders[index])
            last, first_out = remainders[order[left - 1]], remainders[order[left]]
            margin = -((first_out - last) // self.seats)
            for index in order[:left]:
                seats[index] += remainders[index] > first_out
            if last == first_out:
                tied = tuple(sorted(index for index in inside if remainders[index] == last))
        elected = tuple(index for index in by_votes(votes) if seats[index])
        return Outcome(elected, tuple(seats), tied=tied, open_seats=self.seats - sum(seats), margin=margin)

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision, or a lower limit of it, as described above."""
        outcome, votes = self.decide(tally), tally.votes
        limited = any(cap is not None for cap in caps)
        if outcome.tied:
            return UNREACHABLE if all(cap == 0 for cap in caps) else Reach(1, tie_code(outcome.tied), not limited)
        if self.threshold is None:
            return self._reach_pairs(votes, list(range(len(votes))), outcome.seats, caps)
        inside = qualified(votes, self.threshold)
        if not inside:
            return reach_entry(votes, inside, self.threshold, caps, 0)
        seated = [index for index in inside if outcome.seats[index]]
        steady = nearest(self._reach_pairs(votes, inside, outcome.seats, caps), reach_fall(votes, seated, self.threshold, caps))
        leaps = _Leaps(votes, inside, outcome.seats, self.threshold, caps)
        if leaps.first is None or (steady.ballots is not None and steady.ballots < leaps.first):
            return replace(steady, exact=not limited)
        return self._reach_after_leap(leaps, steady)

    def _reach_pairs(self, votes: tuple[int, ...], inside: list[int], seats: tuple[int, ...], caps: Caps) -> Reach:
        """The fewest ballots that bring a pair of lists to an exchange while the same lists qualify."""
        total = sum(votes[index] for index in inside)
        reaches = []
        for i in (index for index in inside if seats[index]):
            for j in inside:
                if i == j:
                    continue
                c = 1 + seats[j] - seats[i]
                ballots = -((self.seats * (votes[j] - votes[i]) - total * c) // (self.seats - c))
                if not within(ballots, caps[j]):
                    own = caps[j] or 0
                    others = None if c >= 0 else -(self.seats * (votes[j] + own - votes[i]) // -c) - total - own
                    if others is None or not within(others, total_cap(caps, without={i, j})):
                        continue
                    ballots = own + others
                reaches.append(Reach(ballots, f"pair:{i}:{j}"))
        return nearest(*reaches)

    def _reach_after_leap(self, leaps: "_Leaps", steady: Reach) -> Reach:
        """The least number of ballots at which a pair may come to an exchange, whichever lists qualify."""
        low = leaps.first or 0
        # Beyond this number the search stops: it is a lower limit as well.
        high = steady.ballots if steady.ballots is not None else (sum(leaps.votes) + 1) * (self.seats + 1) * 1000
        while low < high:
            middle = (low + high) // 2
            if leaps.may_exchange(self.seats, middle):
                high = middle
            else:
                low = middle + 1
        return Reach(low, steady.binding if low == steady.ballots else "threshold", exact=False)


class _Leaps:
    """What D further ballots can do to the set of lists that qualify, each list taken at its best."""

    def __init__(
        self, votes: tuple[int, ...], inside: list[int], seats: tuple[int, ...], threshold: Fraction, caps: Caps
    ) -> None:
        total = sum(votes)
        self.votes, self.seats, self.caps, self.inside = votes, seats, caps, inside
        self._total = sum(votes[index] for index in inside)
        self._entries = {
            index: ballots
            for index, own in enumerate(votes)
            if index not in inside and within(ballots := votes_to_qualify(own, total, threshold), caps[index])
        }
        self._exits = {
            index: ballots
            for index in inside
            if not seats[index]
            and within(ballots := votes_to_disqualify(votes[index], total, threshold), total_cap(caps, without={index}))
        }
        self.first = min((*self._entries.values(), *self._exits.values()), default=None)

    def may_exchange(self, all_seats: int, ballots: int) -> bool:
        """Whether up to so many ballots may bring a pair to S (v_j' - v_i') >= N' c; True where it is not known."""
        entered = [index for index, needed in self._entries.items() if needed <= ballots]
        left = [index for index, needed in self._exits.items() if needed <= ballots]
        most = self._total + sum(self.votes[index] for index in entered) + ballots
        least = self._total - sum(self.votes[index] for index in left)
        for j in (*self.inside, *entered):
            own = ballots if (cap := self.caps[j]) is None else min(ballots, cap)
            least_with_j = least + own + (self.votes[j] if j in left else 0)
            for i in (index for index in self.inside if self.seats[index] and index != j):
                c = 1 + self.seats[j] - self.seats[i]
                total = least_with_j if c > 0 else most
                if all_seats * (self.votes[j] + own - self.votes[i]) >= total * c:
                    return True
        return False
