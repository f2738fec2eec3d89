"""From a reported tally to the assertions that an audit has to confirm, and back: what a set of assertions leaves unproved.

**Options and candidates.** The law decides between candidates; a card marks options. A candidate's weight in a condition is the
weight of each of its options in the assertion, so that scores of cards add up to the value of the condition.

**Clauses with alternatives.** The outcome stands while every clause holds, and a clause holds while one of its conditions does
(`calls.outcomes`). For each clause one condition is chosen from the reported tally, before any card is drawn: the one with the
largest margin. If the reported outcome is wrong, some clause is false, hence all of its conditions, hence the chosen one. The
audit confirms the outcome only when it has confirmed every assertion, the false one too, which happens with a chance of at
most the risk limit. So each assertion is tested at the whole risk limit, and nothing is to be divided among them.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from scrutineer.audits.assertions import Assertion
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.election import Contest

FullCount: TypeAlias = Literal["", "tie", "nobody-voted", "one-card", "unstated"]
"""Why only a full count can confirm an outcome; empty where a sample can. `tie`: the reported outcome is a tie. `nobody-voted`: no
card bears a mark that counts. `one-card`: a single card, read otherwise, could make an assertion false. `unstated`: there are no
assertions that imply the outcome, or too many to be found."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an audit has to confirm for the outcome of one contest to be the reported one."""

    contest: str
    assertions: tuple[Assertion, ...]
    """All of them together imply the outcome; those with the smallest margin first. Empty where nobody stands against it, or
    where the outcome is tied or cannot be stated."""
    clauses: tuple[tuple[Assertion, ...], ...]
    """The legal outcome: in each clause one of these must hold. Of a ranked contest, the assertions one by one."""
    exact: bool
    """Whether the assertions are necessary too. Where they are not, an outcome may be right though one of them is false."""
    full_count: FullCount = ""
    """Why a full count has to be held from the start; `assertion_words.full_count_sentence` says it."""
    margins: tuple[int, ...] = ()
    """By assertion: the score of all cards in the reported tally."""

    @property
    def tied(self) -> bool:
        """Whether the reported outcome is a tie."""
        return self.full_count == "tie"

    @property
    def stated(self) -> bool:
        """Whether the outcome could be stated as assertions."""
        return self.full_count not in ("tie", "nobody-voted", "unstated")

    @property
    def unopposed(self) -> bool:
        """Whether the outcome stands whatever is on the cards: there is nothing to audit."""
        return self.stated and not self.assertions


def required(contest: Contest, tally: Tally | RankedTally) -> Requirement:
    """What has to be confirmed for the outcome of a reported tally, given by candidate (`Contest.standing`).

    Raises AuditError where the tally is not of the kind that the contest's rule decides.
    """
    raise NotImplementedError


def insufficient(contest: Contest, tally: Tally | RankedTally, assertions: tuple[Assertion, ...]) -> tuple[str, ...]:
    """Which parts of the reported outcome are not shown to follow from these assertions, in plain English; empty: it all follows.

    Raises AuditError where the tally is not of the kind that the contest's rule decides.
    """
    raise NotImplementedError
