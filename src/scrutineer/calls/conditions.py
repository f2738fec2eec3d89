"""An outcome as conditions that are linear in the totals: the outcome stands as long as all of them hold."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.partial import PartialCount
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.errors import CallError

MAX_WEIGHT = 1 << 20
"""The largest weight of a condition, so that its value over a whole country fits into 64 bits."""

_FEW_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class Condition:
    """A linear form of the totals that must reach `need`: sum of weight x votes, plus `rest` for each blank or null ballot.

    `A leads B` is the form +1 for A, -1 for B with need 1; `A has more than half of the valid votes` is +1 for A and -1 for
    everybody else with need 1; `A has at least 40 %` is +3 for A, -2 for everybody else with need 0. Forms are scaled to
    integers. Raises CallError for weights that are too large.
    """

    code: str
    """What is compared, for programs: `lead:A:B`, `above:A` (a share), `below:A`, `ahead:A:B` (a lead by a share of the base),
    `short:A:B` (a lead below it), `seat:A:B` (A's last seat against B's next), `elimination:A:B` (ranked: B leaves before A)."""
    favours: int
    """The candidate whom the condition favours."""
    against: int | None
    """The candidate who would profit if it failed, where there is one such."""
    weights: tuple[int, ...]
    """Per candidate: what one more vote adds."""
    rest: int
    """What one more blank or null ballot adds."""
    need: int
    """The condition holds where its value is at least this."""

    def __post_init__(self) -> None:
        if any(abs(weight) > MAX_WEIGHT for weight in (*self.weights, self.rest)):
            raise CallError(f"condition {self.code}: a weight is larger than {MAX_WEIGHT}")

    @property
    def worst(self) -> int:
        """The least that one further ballot can add; at most 0, since it may not be cast at all."""
        return min(0, self.rest, *self.weights)

    @property
    def best(self) -> int:
        """The most that one further ballot can add; at least 0."""
        return max(0, self.rest, *self.weights)

    def value(self, tally: Tally | RankedTally) -> int:
        """The value of the form on totals. Raises CallError where they are not of the kind that the form is about."""
        if not isinstance(tally, Tally) or len(tally.votes) != len(self.weights):
            raise CallError(f"condition {self.code}: it is about the votes of {len(self.weights)} candidates: give their totals")
        own = sum(weight * votes for weight, votes in zip(self.weights, tally.votes, strict=True))
        return own + self.rest * (tally.blank + tally.null)

    def values(self, partial: PartialCount) -> NDArray[np.int64]:
        """The value of the form at each station; zero where it is not counted."""
        own = self._over(partial.votes)
        return own + self.rest * partial.others if self.rest else own

    def expected(self, partial: PartialCount) -> NDArray[np.int64] | None:
        """The value of the form at each station in the baseline; None where there is none."""
        if partial.previous is None:
            return None
        return self._over(partial.previous)

    def _over(self, votes: NDArray[np.int64]) -> NDArray[np.int64]:
        # Most forms give one weight to all candidates but one or two, so that few columns have to be multiplied.
        each = Counter(self.weights).most_common(1)[0][0]
        special = [candidate for candidate, weight in enumerate(self.weights) if weight != each]
        if len(special) > _FEW_COLUMNS:
            return np.asarray(votes @ np.array(self.weights, dtype=np.int64))
        own: NDArray[np.int64] = each * votes.sum(axis=1) if each else np.zeros(len(votes), dtype=np.int64)
        for candidate in special:
            own += (self.weights[candidate] - each) * votes[:, candidate]
        return own


@dataclass(frozen=True, eq=False)
class Measure:
    """A condition with its value at every station: what the bounds, the test and the estimates work on."""

    condition: Condition
    values: NDArray[np.int64]
    """By station; zero where it is not counted."""
    expected: NDArray[np.int64] | None
    """By station, from the baseline; None without one."""

    @property
    def total(self) -> int:
        """The value over the counted stations."""
        return int(self.values.sum())

    @property
    def slack(self) -> int:
        """How far the counted value lies above what is needed; below zero where the condition does not hold now."""
        return self.total - self.condition.need


def measure(condition: Condition, partial: PartialCount) -> Measure:
    """Evaluate a condition at every station."""
    return Measure(condition, condition.values(partial), condition.expected(partial))
