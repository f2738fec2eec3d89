"""The values that go into a decision and come out of it: tallies, outcomes and bounds.

Options are named by their index in the tally throughout, so that this package knows nothing of names, ballots or
definitions. Votes are integers; shares and divisors are fractions; no verdict here ever rests on a float.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scrutineer.errors import CountError

MAX_OPTIONS = 10_000
MAX_RANKED_OPTIONS = 200
MAX_SEATS = 10_000

Base: TypeAlias = Literal["valid", "cast"]
"""What a share is a share of: the valid ballots, or all ballots cast (valid, blank and null)."""

Caps: TypeAlias = tuple[int | None, ...]
"""The most further votes that each option can still get; None where only the open ballots limit it."""

Rankings: TypeAlias = tuple[tuple[tuple[int, ...], int], ...]
"""Pairs of a ranking (option indices, first preference first) and the number of ballots that bear it."""


@dataclass(frozen=True)
class Tally:
    """The totals of one contest: votes per option, blank and null ballots, each an integer of at least zero.

    `ballots` is the number of valid ballots and is given where one ballot may bear several votes. Where it is None
    every valid ballot bears one vote. Raises CountError for a state that no count can have.
    """

    votes: tuple[int, ...]
    blank: int = 0
    null: int = 0
    ballots: int | None = None

    def __post_init__(self) -> None:
        _check_option_count(len(self.votes))
        for index, votes in enumerate(self.votes):
            check_count(votes, f"votes of option {index}")
        check_count(self.blank, "blank ballots")
        check_count(self.null, "null ballots")
        if self.ballots is None:
            return
        check_count(self.ballots, "valid ballots")
        most = max(self.votes)
        if most > self.ballots:
            raise CountError(
                f"option {self.votes.index(most)} has {most} votes on {self.ballots} valid ballots; "
                "a ballot bears at most one vote for an option: correct the totals"
            )
        if sum(self.votes) < self.ballots:
            raise CountError(
                f"{self.ballots} valid ballots bear only {sum(self.votes)} votes; count a ballot without any vote as blank"
            )

    @property
    def valid(self) -> int:
        """The number of valid ballots."""
        return sum(self.votes) if self.ballots is None else self.ballots

    @property
    def cast(self) -> int:
        """The number of ballots cast: valid, blank and null."""
        return self.valid + self.blank + self.null


@dataclass(frozen=True)
class RankedTally:
    """The ballots of a ranked contest with `options` options: each ranking with its number of ballots.

    A ranking names each option at most once and may stop early. A ballot that ranks nobody is blank.
    Raises CountError for anything else.
    """

    options: int
    rankings: Rankings
    blank: int = 0
    null: int = 0

    def __post_init__(self) -> None:
        check_count(self.options, "number of options")
        _check_option_count(self.options, MAX_RANKED_OPTIONS)
        for position, (ranking, ballots) in enumerate(self.rankings):
            check_count(ballots, f"ballots of ranking {position}")
            if not ranking:
                raise CountError(f"ranking {position} ranks nobody; count its ballots as blank")
            if len(set(ranking)) != len(ranking):
                raise CountError(f"ranking {position} names an option twice: {ranking}; count its ballots as null")
            if any(type(option) is not int or not 0 <= option < self.options for option in ranking):
                raise CountError(f"ranking {position} names an option that is not one of 0 to {self.options - 1}: {ranking}")
        check_count(self.blank, "blank ballots")
        check_count(self.null, "null ballots")

    @property
    def valid(self) -> int:
        """The number of valid ballots."""
        return sum(ballots for _, ballots in self.rankings)

    @property
    def cast(self) -> int:
        """The number of ballots cast: valid, blank and null."""
        return self.valid + self.blank + self.null


@dataclass(frozen=True)
class Round:
    """One round of an instant run-off, for showing.

    `votes` has one entry per option, None for options that are already out. `eliminated` leave after this round.
    `tied` are the options that shared the last place where the round could not say who of them leaves; the rounds
    that follow then show one of the possible orders, or stop where the order decides the contest.
    """

    votes: tuple[int | None, ...]
    exhausted: int
    eliminated: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a rule makes of a tally.

    - `elected`: the options that hold a place for certain, most votes first; for lists, those with a seat.
    - `seats`: for lists, the certain seats per option; empty for all other rules.
    - `runoff`: the options that go into a second round for certain, most votes first.
    - `tied`, `open_seats`: the options that are level on the last `open_seats` places. They appear in `elected` and
      `runoff` only with what they hold beside those places: a tie is reported and never broken here.
    - `margin`: votes between the last in and the first out, as each rule defines it; 0 in a tie, None where nobody is
      out. It describes the result. What further ballots can do is the business of `can_change`.
    - `rounds`: the rounds of an instant run-off; empty for all other rules.
    """

    elected: tuple[int, ...] = ()
    seats: tuple[int, ...] = ()
    runoff: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()
    open_seats: int = 0
    margin: int | None = None
    rounds: tuple[Round, ...] = ()

    @property
    def decision(self) -> tuple[frozenset[int], tuple[int, ...], frozenset[int], frozenset[int], int]:
        """What was decided, without order and figures: two outcomes with the same decision are the same result."""
        return frozenset(self.elected), self.seats, frozenset(self.runoff), frozenset(self.tied), self.open_seats


@dataclass(frozen=True)
class Bound:
    """Whether further ballots can change the decision of an outcome.

    - `changeable`: whether some way of casting up to the open number of further ballots changes the decision. To
      make or to break a tie is a change.
    - `exact`: whether `margin` is exactly the fewest further ballots that can change the decision. Where it is
      False, `margin` is a lower limit: "cannot change" always holds, "can change" may be too careful.
    - `margin`: the fewest further ballots that can change the decision; None where no number of them can.
    - `slack`: `margin` less the open ballots. Positive: the decision is beyond change by so many ballots. Zero or
      negative: it can still change, with so many ballots to spare. None where `margin` is None or where the
      open ballots are unbounded.
    - `binding`: what gives first. `pair:I:J`: option J draws level with option I. `threshold:I`: option I crosses a
      threshold; `threshold` alone: some lists may. `lead:I:J`: the lead of I over J crosses the required lead.
      `elimination:I:J`: I, to be eliminated, draws level with J. `tie:I:J…`: those options are level
      already. `none`: no number of ballots changes anything.
    """

    changeable: bool
    exact: bool
    margin: int | None
    slack: int | None
    binding: str


@dataclass(frozen=True)
class Reach:
    """The fewest further ballots that change a decision (None: none can), what binds, and whether that is exact."""

    ballots: int | None
    binding: str
    exact: bool = True


UNREACHABLE = Reach(None, "none")


def nearest(*reaches: Reach) -> Reach:
    """The reach with the fewest ballots, the first of equals; UNREACHABLE where there is none."""
    reachable = [reach for reach in reaches if reach.ballots is not None]
    return min(reachable, key=lambda reach: reach.ballots or 0, default=UNREACHABLE)


def within(votes: int, cap: int | None) -> bool:
    """Whether an option can still get so many further votes."""
    return cap is None or votes <= cap


def total_cap(caps: Caps, *, without: Collection[int]) -> int | None:
    """The most further votes that all other options can get together; None where they are not limited."""
    total = 0
    for index, cap in enumerate(caps):
        if index in without:
            continue
        if cap is None:
            return None
        total += cap
    return total


def by_votes(votes: tuple[int, ...]) -> list[int]:
    """All option indices, most votes first, lower index first among equals."""
    return sorted(range(len(votes)), key=lambda index: (-votes[index], index))


def check_count(value: int, what: str) -> None:
    """Raises CountError unless the value is an integer of at least zero."""
    if type(value) is not int:
        raise CountError(f"{what}: expected an integer, got {value!r}")
    if value < 0:
        raise CountError(f"{what}: {value} is below zero")


def check_seats(seats: int) -> None:
    """Raises CountError unless the value is a number of seats from 1 to MAX_SEATS."""
    check_count(seats, "seats")
    if not 1 <= seats <= MAX_SEATS:
        raise CountError(f"seats: {seats} is not from 1 to {MAX_SEATS}")


def check_share(share: Fraction, what: str) -> None:
    """Raises CountError unless the value is a fraction strictly between 0 and 1."""
    if not isinstance(share, Fraction):
        raise CountError(f"{what}: expected a fraction, got {share!r}; write one half as Fraction(1, 2)")
    if not 0 < share < 1:
        raise CountError(f"{what}: {share} is not strictly between 0 and 1")


def check_single_choice(tally: Tally, rule: str) -> None:
    """Raises CountError where a ballot bears several votes though the rule gives each ballot one."""
    if tally.ballots is not None and tally.ballots != sum(tally.votes):
        raise CountError(f"{rule}: {sum(tally.votes)} votes on {tally.ballots} valid ballots, but each ballot bears one vote")


def _check_option_count(options: int, most: int = MAX_OPTIONS) -> None:
    if not 1 <= options <= most:
        raise CountError(f"a tally of this kind has 1 to {most} options, got {options}")
