"""What statistics say of the conditions of one partial count: figures from scratch, with the work shared among conditions."""

from dataclasses import replace
from functools import cached_property
from typing import Final

from scrutineer.calls.call import Sensitivity
from scrutineer.calls.conditions import Condition, measure
from scrutineer.calls.martingale import Draws, Evidence
from scrutineer.calls.pace import sizes_seen
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.sensitivity import Reweighting
from scrutineer.calls.strata import Strata

NOTHING_SEEN: Final = 100  # 1.00, in hundredths


class Examination:
    """The statistical figures that a verdict needs. Raises CallError where capacities are more than any election has."""

    def __init__(self, partial: PartialCount) -> None:
        self.partial = partial
        self._strata = Strata.of(partial)

    @cached_property
    def sizes_seen(self) -> int:
        """How unevenly stations of different sizes have reported (`pace.sizes_seen`)."""
        return sizes_seen(self.partial)

    @cached_property
    def _draws(self) -> Draws:
        return Draws.of(self.partial)

    def of(self, condition: Condition) -> tuple[Sensitivity, Evidence]:
        """How much the order would have to matter for a condition, and what the sequential test shows. Raises CallError."""
        measured = measure(condition, self.partial)
        return self._seen(Reweighting.of(self._strata, measured)), self._draws.evidence(measured)

    def _seen(self, reweighting: Reweighting) -> Sensitivity:
        found = reweighting.sensitivity()
        # Cuts of an order that nobody recorded say nothing about the night.
        return found if self.partial.ordered else replace(found, seen=NOTHING_SEEN)
