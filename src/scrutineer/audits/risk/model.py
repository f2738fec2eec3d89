"""What a risk function is: evidence against 'the assertion is false', one number after each draw, valid however often one looks.

**Hypothesis.** Values x_1, x_2, … are drawn from a population of numbers in [0, upper] whose mean is at most `mean`. With
`population` = None they are drawn with replacement: given the past, each has a mean of at most `mean`. With a population of N
they are drawn without replacement: given the past, the mean of the rest is at most (N mean - sum of the past) / (N - draws so
far).

**Evidence.** e_0 = 1, e_1, e_2, … are never negative, and under the hypothesis a supermartingale. By Ville's inequality the
chance that any of them reaches 1/a is at most a; so p_t = min(1, 1 / max(e_0 … e_t)) is a p-value at every moment.

**Arithmetic.** Evidence is made with + - x / square roots and comparisons alone, in the order of the draws, which IEEE 754
rounds alike everywhere: whoever replays an audit gets the same bits. It is kept as a fraction and an exponent of two, so that
nothing overflows and no single draw makes it zero for ever unless the hypothesis would allow it nothing else.

**Shapes.** One audit is a row of values in the order of the draws. Everything takes many audits at once as well: an array of
repetitions x draws, each row for itself; the answer has the same shape.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scrutineer.errors import AuditError

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Null:
    """The hypothesis that is tested. Raises AuditError for one that no population fits or every one does."""

    mean: float
    """The greatest mean under the hypothesis; 1/2 for an assorter."""
    upper: float
    """The greatest value that can be drawn."""
    population: int | None = None
    """How many values there are, where each is drawn at most once; None: drawn with replacement."""

    def __post_init__(self) -> None:
        if not 0 < self.mean < self.upper:
            raise AuditError(f"a hypothetical mean of {self.mean} does not lie between 0 and the greatest value {self.upper}")
        if self.population is not None and self.population < 1:
            raise AuditError("a population without values cannot be sampled")


class RiskFunction(Protocol):
    """One way of measuring evidence. Implementations are frozen dataclasses of their parameters."""

    @property
    def name(self) -> str:
        """The name by which a plan commits to it."""

    def log2_evidence(self, values: Values, null: Null) -> Values:
        """Log to base 2 of the evidence after each draw, in order; inf where the hypothesis has become impossible.

        The parts of the logarithm are exact in the sense above but for the last step, frexp's mantissa being turned into a
        logarithm; verdicts use `p_values`. Raises AuditError for values outside [0, upper].
        """

    def p_values(self, values: Values, null: Null) -> Values:
        """The p-value after each draw: never rising. Raises AuditError for values outside [0, upper]."""

    def stopping_times(self, values: Values, null: Null, risk_limit: float) -> NDArray[np.int64]:
        """For each row of repetitions x draws, the number of the first draw (from 1) whose p-value is at most `risk_limit`.

        One more than there are draws where none is. Later columns are not looked at once every row has stopped.
        """
