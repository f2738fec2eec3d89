"""The rule of calls on whole nights: what `make_call` decides at every look, with the work of a night done once.

`bench_calls.py` compares a sample of looks with `make_call`, condition by condition.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.arithmetic import band
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.martingale import path
from scrutineer.calls.outcomes import Question, leads, question, tally_of
from scrutineer.calls.pace import keeps_pace, sizes_seen
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import Reweighting
from scrutineer.calls.strata import Strata
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.count.results import rule_of
from scrutineer.election.contests import parse_share
from scrutineer.simulate.nights import Night

GAMMAS = (Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3))
RISK = Fraction(1, 20)


@dataclass(frozen=True)
class Finding:
    """What the parts of the rule say of one condition at one look."""

    arithmetic: bool
    in_band: bool
    tested: bool
    holds: tuple[bool, ...]
    """By gamma: whether no reweighting within it flips the condition."""
    seen: int | None
    """In hundredths; None where no gamma gives what was seen."""
    holds_seen: bool

    pace: tuple[bool, ...]
    """By gamma: whether what was seen, going on at the same pace, stays within it."""
    sizes: tuple[bool, ...]
    """By gamma: whether the sizes of what is open stay within it of those of what is counted."""

    def decided(self, gamma: int, rule: str) -> bool:
        """Whether the condition is decided at a gamma (by its place in GAMMAS), by one of RULES."""
        if self.in_band or self.arithmetic:
            return self.arithmetic and not self.in_band
        reweighted = self.tested and self.holds[gamma]
        seen = reweighted and self.holds_seen
        return {
            "test": self.tested,
            "gamma": reweighted,
            "seen": seen,
            "pace": seen and self.pace[gamma],
            "sizes": seen and self.pace[gamma] and self.sizes[gamma],
        }[rule]


RULES = ("test", "gamma", "seen", "pace", "sizes")
"""Each with what those before it ask: the sequential test; no reweighting within gamma; none within what was seen tonight; none
within what was seen, going on; sizes of the open stations within gamma."""
NONE = (False,) * len(GAMMAS)
ALL = (True,) * len(GAMMAS)
NOTHING = Finding(arithmetic=False, in_band=False, tested=False, holds=NONE, seen=None, holds_seen=False, pace=NONE, sizes=NONE)


@dataclass
class Look:
    """One look at a night."""

    night: "JudgedNight"
    partial: PartialCount
    percent: int
    tally: Tally | RankedTally
    asked: Question
    leads: tuple[Condition, ...]
    _strata: Strata | None = None
    _sizes: Fraction | None = None
    _found: dict[tuple[Condition, bool], Finding] = field(default_factory=dict)

    def find(self, condition: Condition, *, last: bool = False) -> Finding:
        """What the parts of the rule say; with `last` only as far as the last gamma and the whole rule need it."""
        if (condition, last) not in self._found:
            self._found[condition, last] = self._find(condition, last)
        return self._found[condition, last]

    def decided(self, clauses: Iterable[Iterable[Condition]], gamma: int, rule: str, *, last: bool = False) -> bool:
        """Whether every clause has a condition that is decided."""
        return all(any(self.find(condition, last=last).decided(gamma, rule) for condition in clause) for clause in clauses)

    def slack(self, condition: Condition) -> int:
        """How far a condition's value lies above what it needs."""
        return condition.value(self.tally) - condition.need

    def by_arithmetic(self, condition: Condition) -> bool:
        """Whether the worst case of everything open leaves a condition standing."""
        open_ballots = self.partial.open_ballots
        return open_ballots is not None and self.slack(condition) + condition.worst * open_ballots >= 0

    def _find(self, condition: Condition, last: bool) -> Finding:
        if self.slack(condition) < 0:
            return NOTHING
        in_band = condition.value(self.tally) <= band(self.partial, condition, self.night.legal)
        if self.by_arithmetic(condition):
            return replace(NOTHING, arithmetic=True, in_band=in_band, tested=True)
        least = float(np.log(float(self.asked.comparisons / RISK)))
        tested = self.night.log_e(condition, self.partial.counted_stations) >= least
        if in_band or not tested:
            return replace(NOTHING, in_band=in_band, tested=tested)
        if self._strata is None or self._sizes is None:
            self._strata, self._sizes = Strata.of(self.partial), Fraction(sizes_seen(self.partial), 100)
        sizes = tuple(self._sizes <= gamma for gamma in GAMMAS)
        weights = Reweighting.of(self._strata, measure(condition, self.partial))
        if last and not (sizes[-1] and weights.holds(GAMMAS[-1])):
            return replace(NOTHING, tested=True)
        holds: list[bool] = []
        for gamma in GAMMAS:
            # A gamma flips what a smaller one flips.
            holds.append(last or ((not holds or holds[-1]) and weights.holds(gamma)))
        if not holds[0]:
            return replace(NOTHING, tested=True)
        seen = weights.seen()
        return Finding(
            arithmetic=False,
            in_band=False,
            tested=True,
            holds=tuple(holds),
            seen=seen,
            holds_seen=seen is not None and weights.holds(Fraction(seen, 100)),
            pace=tuple(keeps_pace(seen, self.partial, gamma) for gamma in GAMMAS),
            sizes=sizes,
        )


class JudgedNight:
    """A night and its looks."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.contest = night.final.contest
        self.rule = rule_of(self.contest)
        self.legal = parse_share(self.contest.recount, "recount") if self.contest.recount else None
        self.end = night.partial(len(night.order))
        self.final = question(self.rule, tally_of(self.contest, self.end))
        self._paths: dict[Condition, NDArray[np.float64]] = {}

    def look(self, percent: int) -> Look:
        """The look at so many percent of the stations."""
        partial = next(self.night.looks([percent]))
        tally = tally_of(self.contest, partial)
        return Look(self, partial, percent, tally, question(self.rule, tally), leads(partial.totals))

    def true(self, condition: Condition) -> bool:
        """Whether a condition holds in the end."""
        return measure(condition, self.end).slack >= 0

    def log_e(self, condition: Condition, stations: int) -> float:
        """The largest log e of the sequential test up to so many stations; one pass over the night for each condition."""
        if not stations:
            return 0.0
        if condition not in self._paths:
            self._paths[condition] = path(self.end, measure(condition, self.end))
        so_far = self._paths[condition][:stations]
        return -np.inf if so_far[-1] == -np.inf else max(0.0, float(so_far.max()))
