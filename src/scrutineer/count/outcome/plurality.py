"""Plurality and approval: the options with the most votes take the places."""

from dataclasses import dataclass

from scrutineer.count.outcome.model import (
    Caps,
    Outcome,
    Reach,
    Tally,
    by_votes,
    check_count,
    check_seats,
    check_single_choice,
    nearest,
    within,
)
from scrutineer.errors import CountError


@dataclass(frozen=True)
class Plurality:
    """The `seats` options with the most votes are elected; a ballot bears up to `max_choices` votes, one per option.

    With v the votes in falling order and S seats, option i is elected if v_i > v_(S+1). Where v_S = v_(S+1), all
    options with that number are tied for the places above which nobody stands. Where there are no more options than
    seats all of them are elected. The margin is v_S - v_(S+1).

    What further ballots can do. Let m be the votes of the last in. The elected set stays as long as every option
    that is out stays below m, since votes for an option that is in only raise it. An option j that is out reaches m
    with m - v_j ballots that name it, and other votes on those ballots cannot make this cheaper. So the fewest
    ballots are the minimum of m - v_j over the options that are out. One ballot breaks a tie.
    """

    seats: int = 1
    max_choices: int = 1

    def __post_init__(self) -> None:
        check_seats(self.seats)
        check_count(self.max_choices, "choices")
        if self.max_choices < 1:
            raise CountError("choices: a ballot bears at least 1 choice")

    def decide(self, tally: Tally) -> Outcome:
        """Decides; raises CountError where the tally has more votes than the ballots can bear."""
        if self.max_choices == 1:
            check_single_choice(tally, "plurality")
        elif tally.ballots is not None and sum(tally.votes) > self.max_choices * tally.ballots:
            raise CountError(
                f"plurality: {sum(tally.votes)} votes on {tally.ballots} valid ballots, "
                f"but each ballot bears at most {self.max_choices}"
            )
        return _most_votes(self.seats, tally.votes)

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision; exact."""
        return reach_last_in(tally.votes, self.decide(tally), caps)


@dataclass(frozen=True)
class Approval:
    """The `seats` options that the most ballots approve are elected; a ballot may approve any number of options.

    Places, ties, margin and what further ballots can do are those of Plurality.
    """

    seats: int = 1

    def __post_init__(self) -> None:
        check_seats(self.seats)

    def decide(self, tally: Tally) -> Outcome:
        """Decides."""
        return _most_votes(self.seats, tally.votes)

    def reach(self, tally: Tally, caps: Caps) -> Reach:
        """The fewest further ballots that change the decision; exact."""
        return reach_last_in(tally.votes, self.decide(tally), caps)


def top(places: int, votes: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], int | None]:
    """Who of all options takes the places: those in for certain, those tied for the rest, votes from last in to out."""
    order = by_votes(votes)
    if len(order) <= places:
        return tuple(order), (), None
    last, first_out = votes[order[places - 1]], votes[order[places]]
    if last > first_out:
        return tuple(order[:places]), (), last - first_out
    certain = tuple(index for index in order if votes[index] > last)
    return certain, tuple(sorted(index for index in order if votes[index] == last)), 0


def reach_last_in(votes: tuple[int, ...], outcome: Outcome, caps: Caps) -> Reach:
    """The fewest ballots with which an option that is out, or one that is tied, changes who is in."""
    inside = outcome.elected or outcome.runoff
    last = min(outcome.tied or inside, key=lambda index: (votes[index], -index))
    reaches = []
    for index, own in enumerate(votes):
        if index in outcome.tied and within(1, caps[index]):
            reaches.append(Reach(1, tie_code(outcome.tied)))
        elif index not in inside and index not in outcome.tied and within(votes[last] - own, caps[index]):
            reaches.append(Reach(votes[last] - own, f"pair:{last}:{index}"))
    return nearest(*reaches)


def tie_code(tied: tuple[int, ...]) -> str:
    """The binding code of a tie."""
    return ":".join(("tie", *map(str, tied)))


def _most_votes(seats: int, votes: tuple[int, ...]) -> Outcome:
    elected, tied, margin = top(seats, votes)
    return Outcome(elected=elected, tied=tied, open_seats=seats - len(elected) if tied else 0, margin=margin)
