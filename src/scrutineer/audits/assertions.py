"""Assertions: statements about all cards of a contest that, if all are true, make the reported outcome the right one.

Each is linear: every card has an integer score, and the assertion is that the scores of all cards add up to at least `need`.
Divided by what the lowest score is, a score is an assorter of the SHANGRLA framework: values from 0 to `upper`, and the
assertion holds exactly if their mean is more than 1/2. Sources: P. B. Stark, Sets of Half-Average Nulls Generate Risk-Limiting
Audits: SHANGRLA, Financial Cryptography 2020 (arXiv 1911.10035), section 2; M. Blom et al., Assertion-based approaches to
auditing complex elections, with application to party-list proportional elections, E-Vote-ID 2021 (arXiv 2107.11903), section 3.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from scrutineer.errors import AuditError

Marks: TypeAlias = tuple[int, ...]
"""How one card is marked in one contest: options in ascending order, or of a ranked contest in order of preference. Options are
numbered as the contest lists them. Empty: nothing is marked, or nothing that counts (blank, and spoilt in this contest)."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A linear statement about the cards of one contest.

    Raises AuditError for one that no card could contradict, and for options that are not weighed.
    """

    contest: str
    code: str
    """What is compared, for programs; the codes of `calls.conditions.Condition`, and `irv:…` for those of raire.py."""
    weights: tuple[int, ...]
    """By option: what a mark there adds to the score of a card."""
    rest: int = 0
    """The score of a card of the contest on which no mark counts."""
    need: int = 1
    """The scores of all cards add up to at least this: 1 (more than zero) or 0 (zero will do)."""
    continuing: frozenset[int] | None = None
    """Of a ranked contest: a card scores for its highest option among these, and 0 where it ranks none of them."""
    first: frozenset[int] = frozenset()
    """Of a ranked contest: options for which a card scores only where it puts one of these first of all, else 0."""
    most: int = 1
    """How many options a card may mark."""

    def __post_init__(self) -> None:
        if self.need not in (0, 1) or self.most < 1:
            raise AuditError(
                f"assertion {self.code} of contest {self.contest}: need is 0 or 1, and a card may mark at least 1 option"
            )
        named = self.first | (self.continuing or frozenset())
        if not all(0 <= option < len(self.weights) for option in named):
            raise AuditError(f"assertion {self.code} of contest {self.contest} names an option that it does not weigh")
        if (self.continuing is None and self.first) or not self.first <= (self.continuing or self.first):
            raise AuditError(
                f"assertion {self.code} of contest {self.contest}: options that must be put first are among those still in"
            )
        if self.continuing is not None and self.rest:
            raise AuditError(f"assertion {self.code} of contest {self.contest}: a card that ranks nobody scores 0 in a run-off")
        if self.lowest >= 0:
            raise AuditError(
                f"assertion {self.code} of contest {self.contest}: no card can speak against it; leave it out of the plan"
            )

    @property
    def lowest(self) -> int:
        """The least score that a card can have; below zero."""
        return min(0, self.rest, sum(sorted(weight for weight in self.weights if weight < 0)[: self.most]))

    @property
    def highest(self) -> int:
        """The greatest score that a card can have; at least 0."""
        return max(0, self.rest, sum(sorted((weight for weight in self.weights if weight > 0), reverse=True)[: self.most]))

    @property
    def upper(self) -> Fraction:
        """The greatest value of the assorter."""
        return Fraction(self.highest - self.lowest, -2 * self.lowest)

    def score(self, marks: Marks) -> int:
        """The score of a card of this contest; too many marks count as none. Takes marks as `Marks` describes them."""
        if self.continuing is not None:
            highest = next((option for option in marks if option in self.continuing), None)
            if highest is None or (highest in self.first and marks[0] not in self.first):
                return 0
            return self.weights[highest]
        if not 1 <= len(marks) <= self.most:
            return self.rest
        return sum(self.weights[option] for option in marks)

    def assort(self, score: int) -> Fraction:
        """The assorter's value of a score: 1/2 for a score of 0, 0 for the lowest."""
        return Fraction(score - self.lowest, -2 * self.lowest)

    def votes_score(self, votes: tuple[int, ...], rest: int = 0) -> int:
        """The score of many cards together, from votes by option and the number of cards on which no mark counts.

        Raises AuditError for a ranked contest, whose totals do not say it, and for another number of options.
        """
        if self.continuing is not None or len(votes) != len(self.weights):
            raise AuditError(
                f"assertion {self.code} of contest {self.contest}: totals of {len(self.weights)} options of an unranked contest "
                "are needed"
            )
        return sum(weight * each for weight, each in zip(self.weights, votes, strict=True)) + self.rest * rest


def margin_share(total: int, cards: int, assertion: Assertion) -> Fraction:
    """The assorter margin v = 2 (mean - 1/2) of a total score over so many cards (SHANGRLA, section 2.1).

    Raises AuditError without cards.
    """
    if cards < 1:
        raise AuditError(f"contest {assertion.contest}: there is no card that could be audited")
    return Fraction(total, cards * -assertion.lowest)
