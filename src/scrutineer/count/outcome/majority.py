"""Majority with run-off, with or without an alternative rule, and yes/no questions: thresholds decide."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from scrutineer.count.outcome.model import (
    Base,
    Caps,
    Outcome,
    Reach,
    Tally,
    by_votes,
    check_share,
    check_single_choice,
    nearest,
    total_cap,
    within,
)
from scrutineer.count.outcome.plurality import reach_last_in, top
from scrutineer.errors import CountError

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class YesNo:
    """A question with the options yes (0) and no (1): adopted if yes has more than `threshold` of yes and no.

    With t the threshold the measure of a result is f = yes - t (yes + no): adopted if f > 0, or f >= 0 where
    `strict` is False ("at least two thirds"). A question that is not adopted is rejected, also with equal numbers:
    `elected` is then (1,) and never a tie. The margin is the number of further votes for the side that lost with
    which f would be zero, rounded up: for one half it is |yes - no|.

    What further ballots can do. A yes adds 1 - t to f, a no takes t from it, a blank or null ballot does nothing.
    So the fewest ballots that change the decision are all for the side that lost.
    """

    threshold: Fraction = HALF
    strict: bool = True

    def __post_init__(self) -> None:
        check_share(self.threshold, "threshold of a yes/no question")

    def decide(self, tally: Tally) -> Outcome:
        """Decides; raises CountError unless the tally has exactly two options."""
        level = self._level(tally)
        if self._adopted(tally):
            return Outcome(elected=(0,), margin=ceil(level / self.threshold))
        return Outcome(elected=(1,), margin=ceil(-level / (1 - self.threshold)))

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision; exact."""
        level = self._level(tally)
        if self._adopted(tally):
            loser, votes = 1, level / self.threshold
            needed = ceil(votes) if self.strict else floor(votes) + 1
        else:
            loser, votes = 0, -level / (1 - self.threshold)
            needed = floor(votes) + 1 if self.strict else max(ceil(votes), 1)
        return nearest(*([Reach(needed, "threshold:0")] if within(needed, caps[loser]) else []))

    def _level(self, tally: Tally) -> Fraction:
        if len(tally.votes) != 2:
            raise CountError(f"a yes/no question has 2 options, yes and no; the tally has {len(tally.votes)}")
        check_single_choice(tally, "yes/no question")
        return tally.votes[0] - self.threshold * sum(tally.votes)

    def _adopted(self, tally: Tally) -> bool:
        level = self._level(tally)
        return level > 0 or (not self.strict and level == 0 and tally.votes[0] > 0)


@dataclass(frozen=True)
class Majority:
    """One place: a winner who passes the threshold, else a run-off between the two options with the most votes.

    With B the base (valid ballots, or all ballots cast), t the threshold and v the votes in falling order, the
    leader is elected if v_1 > v_2 and v_1 > t B. `alternative` = (a, d) is a second way to win: v_1 >= a B and
    v_1 - v_2 >= d B, as in article 166 of the Constitution of Bolivia of 2009 ("fifty per cent plus one of the valid
    votes, or a minimum of forty per cent, with a difference of at least ten per cent over the second").
    Where t is below one half and several options above it are level in the lead, they are tied for the place.
    Options that are level for the second place in the run-off are tied for it; two level leaders below the threshold
    are not a tie, since both go on. The margin is the lead of the winner over the second, or of the second over the
    third.

    What further ballots can do. While w is elected, a vote for w never endangers it, since t, a, d < 1. The decision
    changes as soon as one of these holds, where D ballots are added and B grows to B + D:

    - another option draws level: D >= v_w - v_j, all for j;
    - v_w <= t (B + D) and v_w < a (B + D): votes for anyone else do this, and blank and null ballots too where they
      are part of the base;
    - v_w <= t (B + D) and v_w - v_j' < d (B + D): votes for j first, each worth 1 + d, and once j can get no more
      any other ballot of the base, worth d.

    Each condition, once it holds, holds for every larger D, so the least D of each is exact, and so is their minimum.
    While there is a run-off, either an option that is out draws level with the last in, or one of the two becomes the
    winner. For the latter, votes for that option itself move all of its conditions the furthest. An option that is
    out cannot win without passing the last in before.
    """

    threshold: Fraction = HALF
    alternative: tuple[Fraction, Fraction] | None = None
    base: Base = "valid"

    def __post_init__(self) -> None:
        check_share(self.threshold, "threshold of a majority")
        if self.alternative is not None:
            share, lead = self.alternative
            check_share(share, "share of the alternative rule")
            check_share(lead, "lead of the alternative rule")
        if self.base not in ("valid", "cast"):
            raise CountError(f"base of a majority: {self.base!r} is not 'valid' or 'cast'")

    def decide(self, tally: Tally) -> Outcome:
        """Decides; raises CountError where ballots bear several votes."""
        check_single_choice(tally, "majority")
        base, votes = self._base(tally), tally.votes
        order = by_votes(votes)
        first, second = votes[order[0]], votes[order[1]] if len(votes) > 1 else 0
        if first > second and self._wins(first, second, base):
            return Outcome(elected=(order[0],), margin=first - second if len(votes) > 1 else None)
        level = tuple(index for index in order if votes[index] == first)
        if len(level) > 1 and first > self.threshold * base:
            return Outcome(tied=level, open_seats=1, margin=0)
        runoff, tied, margin = top(2, votes)
        return Outcome(runoff=runoff, tied=tied, open_seats=2 - len(runoff) if tied else 0, margin=margin)

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision; exact."""
        outcome = self.decide(tally)
        if outcome.elected:
            return self._reach_unseat(tally, outcome.elected[0], caps)
        if outcome.tied and not outcome.runoff and outcome.open_seats == 1:
            return self._reach_level_winners(tally, outcome, caps)
        wins = [self._reach_win(tally, index, caps) for index in outcome.runoff]
        return nearest(reach_last_in(tally.votes, outcome, caps), *wins)

    def _base(self, tally: Tally) -> int:
        return tally.valid if self.base == "valid" else tally.cast

    def _wins(self, first: int, second: int, base: int) -> bool:
        if first > self.threshold * base:
            return True
        if self.alternative is None:
            return False
        share, lead = self.alternative
        return first >= share * base and first - second >= lead * base

    def _filler(self, caps: Caps, winner: int) -> int | None:
        """The most ballots that can be added to the base without a vote for the winner; None for no limit."""
        return None if self.base == "cast" else total_cap(caps, without={winner})

    def _reach_unseat(self, tally: Tally, winner: int, caps: Caps) -> Reach:
        base, own, filler = self._base(tally), tally.votes[winner], self._filler(caps, winner)
        rivals = [(index, votes, caps[index]) for index, votes in enumerate(tally.votes) if index != winner]
        reaches = [Reach(own - votes, f"pair:{winner}:{index}") for index, votes, cap in rivals if within(own - votes, cap)]
        past_threshold = max(0, ceil(own / self.threshold) - base)
        if self.alternative is None:
            if within(past_threshold, filler):
                reaches.append(Reach(past_threshold, f"threshold:{winner}"))
            return nearest(*reaches)
        share, lead = self.alternative
        past_share = max(past_threshold, floor(own / share) + 1 - base)
        if within(past_share, filler):
            reaches.append(Reach(past_share, f"threshold:{winner}"))
        # A sole option leads over nobody, which is a rival without votes that can get none.
        for index, votes, cap in rivals or [(winner, 0, 0)]:
            ballots = max(past_threshold, _least_to_close(own - votes - lead * base, lead, cap))
            if within(ballots, filler):
                binding = f"threshold:{winner}" if ballots == past_threshold else f"lead:{winner}:{index}"
                reaches.append(Reach(ballots, binding))
        return nearest(*reaches)

    def _reach_level_winners(self, tally: Tally, outcome: Outcome, caps: Caps) -> Reach:
        """Several options above the threshold are level: a rival joins them, or the base outgrows them."""
        first = outcome.tied[0]
        own = tally.votes[first]
        close = reach_last_in(tally.votes, outcome, caps)
        if close.ballots == 1:
            return close
        # Were a level option able to get a vote, one ballot would do: here every one of them is at its cap.
        outgrown = ceil(own / self.threshold) - self._base(tally)
        filler = self._filler(caps, first)
        return nearest(close, *([Reach(outgrown, f"threshold:{first}")] if within(outgrown, filler) else []))

    def _reach_win(self, tally: Tally, index: int, caps: Caps) -> Reach:
        base, own = self._base(tally), tally.votes[index]
        rival = max((votes for other, votes in enumerate(tally.votes) if other != index), default=0)
        needed = max(0, floor((self.threshold * base - own) / (1 - self.threshold)) + 1)
        if self.alternative is not None:
            share, lead = self.alternative
            by_share = ceil((share * base - own) / (1 - share))
            by_lead = ceil((lead * base - own + rival) / (1 - lead))
            needed = min(needed, max(0, by_share, by_lead))
        needed = max(needed, rival - own + 1)
        return nearest(*([Reach(needed, f"threshold:{index}")] if within(needed, caps[index]) else []))


def _least_to_close(excess: Fraction, lead: Fraction, cap: int | None) -> int:
    """The least D with excess - min(D, cap) - lead * D < 0: D ballots, for the rival as long as it can get votes."""
    if excess < 0:
        return 0
    by_rival = floor(excess / (1 + lead)) + 1
    if cap is None or by_rival <= cap:
        return by_rival
    return floor((excess - cap) / lead) + 1
