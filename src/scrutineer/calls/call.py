"""The call: the verdict on whether an outcome can still change, with its reasons. Values only; verdict.py makes them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.calls.conditions import Condition
from scrutineer.count.outcome import Outcome

Verdict = Literal["not-coherent", "arithmetic", "statistics", "not-decided"]
"""`not-coherent`: no call is made. `arithmetic`: no way of casting what is open can change it. `statistics`: decided at the
committed risk, sensitivity and strata. `not-decided`: everything else."""

Reason = Literal[
    "outstanding-exceeds-lead",
    "order-sensitive",
    "order-seen",
    "sizes-seen",
    "stratum-uncovered",
    "test-not-passed",
    "recount-band",
    "not-committed",
    "tie",
    "inputs",
]
"""Why a condition is not decided: what is open exceeds the lead; a reweighting within gamma flips it; the order seen tonight
differs by as much as would flip it, or by more than gamma if it goes on so; large and small stations report at times that differ
by more than gamma; a stratum has too few counted stations; the sequential test has not passed; the lead lies
within the recount band; risk, gamma and strata were not committed before the first result; level already; figures are missing."""

NEVER: Final = None
"""In place of a number of hundredths: no reweighting of the counted stations, however strong, flips the condition."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much the order of reporting would have to matter for a condition to flip.

    Both figures are exact, in hundredths, so that everybody who computes them gets the same.
    """

    flips_at: int | None
    """The smallest gamma, in hundredths (100 is 1.00), at which a reweighting flips the condition; NEVER if none."""
    seen: int | None
    """The largest gamma, in hundredths, by which later arrivals differed from earlier ones of the same strata tonight, in
    either direction; NEVER (None) where no reweighting of the earlier ones gives the later ones."""
    uncovered: tuple[str, ...]
    """Strata with open stations and too few counted ones: they take the arithmetic bound."""


@dataclass(frozen=True, slots=True)
class ConditionCall:
    """One condition of an outcome, and whether it can still fail."""

    condition: Condition
    verdict: Verdict
    reasons: tuple[Reason, ...]
    value: int
    """The form's value over the counted stations."""
    slack: int | None
    """What is left after the worst case of everything open: at least 0 decides by arithmetic. None where that is unbounded."""
    sensitivity: Sensitivity | None
    """None where it was not needed: the condition is decided by arithmetic, or does not hold now."""
    tested: bool
    """Whether the sequential test passed at this condition's part of the risk."""
    band: int
    """Values up to this lie within the recount band."""

    @property
    def ballots_left(self) -> Fraction:
        """How many of the worst ballots it takes to make the condition fail; below zero where it does not hold now."""
        return Fraction(self.value - self.condition.need, max(1, -self.condition.worst))


@dataclass(frozen=True, slots=True)
class Call:
    """The verdict on one contest in one unit at one moment."""

    contest: str
    unit: str
    """Id of the unit; empty for the contest's own unit."""
    verdict: Verdict
    reasons: tuple[Reason, ...]
    outcome: Outcome
    """The legal outcome of the counted stations alone."""
    candidates: tuple[str, ...]
    clauses: tuple[tuple[ConditionCall, ...], ...]
    """The outcome stands while every clause holds; a clause holds while one of its conditions does."""
    leads: tuple[ConditionCall, ...]
    """Whether the candidate with the most votes stays ahead of each other one, whatever the rule makes of it."""
    incoherent: tuple[str, ...]
    """What does not fit, in words; empty unless the verdict is not-coherent."""
    committed: bool
    """Whether risk, gamma and strata were committed before the first result."""
    risk: str
    gamma: str
    counted: int
    open: int
    stations: int
    open_ballots: int | None
    binding: str
    """What gives first, in the terms of `count.outcome.Bound`."""
    slack: int | None
    """Ballots between what is open and the fewest that can change the outcome; above 0 decides by arithmetic."""
    supposed: bool = False
    """Whether that commitment is only supposed, as in a rehearsal or a replay of published figures."""
    baseline: bool = False
    """Whether stations are compared by how they differ from an earlier election."""
    of_file: bool = False
    """Whether the figures are somebody's published file, which may list some stations of a country only, and elects nobody."""
    ordered: bool = True
    """Whether the order of arrival is known; without it nothing was seen that could refute gamma."""
    sizes_seen: int = 100
    """How unevenly stations of different sizes have reported, as a gamma in hundredths (`pace.sizes_seen`)."""

    @property
    def conditions(self) -> tuple[ConditionCall, ...]:
        """Every condition of the outcome and every lead, each once."""
        return tuple(dict.fromkeys((*(condition for clause in self.clauses for condition in clause), *self.leads)))
