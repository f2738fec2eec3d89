"""What every design of a plan can do: the one interface that planning, drawing, measuring and checking build on."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.cards.model import Cards
from scrutineer.audits.counts import Seen
from scrutineer.audits.forecasts import Forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Plan, Test
from scrutineer.audits.plan_totals import Totals
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.sampling.sample import Sample
from scrutineer.errors import AuditError

TestKey: TypeAlias = tuple[str, str]
"""A contest, and the code of a test in it."""
DrawnValues: TypeAlias = dict[TestKey, tuple[Values, Null]]
"""By test: the values of the draws in their order, and the hypothesis that they are tested against.

A test that is absent cannot be shown by these draws."""


@dataclass(frozen=True, eq=False)
class PlanInputs:
    """A plan with the contents of the files that it names."""

    plan: Plan
    manifest: Manifest
    totals: Totals | None
    """Of all designs but comparison; of comparison too where draws are nested."""
    cards: Cards | None = None
    """Of comparison, and of ONEAudit where some boxes have records: these, and one that says nothing for every other card."""
    recorded: NDArray[np.bool_] | None = None
    """Of ONEAudit with records and of strata, by box of the manifest: whether it has any, and its totals do not count."""

    def totals_by_box(self) -> Totals:
        """The totals. Raises AuditError where the plan names none."""
        if self.totals is None:
            raise AuditError(f"audit {self.plan.name!r} has no totals by box: its design needs them")
        return self.totals


class PlannedDesign(Protocol):
    """A design with the files of its plan."""

    @property
    def settled(self) -> frozenset[TestKey]:
        """Tests that are true whatever lies in the boxes, by the bounds of the plan alone."""

    def draw(self, seed: str, count: int) -> Sample:
        """So many draws; more of them begin with the same. Raises AuditError where so many cannot be had."""

    def values(self, sample: Sample, seen: Seen, voids: list[str]) -> DrawnValues:
        """What the draws show of every test. Notes in `voids` why nothing can be confirmed by this plan any more.

        What is missing, illegible or not counted yet is as bad as it can be. Raises AuditError for a sample of another plan.
        """

    def forecast(self, contest: str, test: Test) -> Forecast:
        """What draws are expected to show of one test where the reported results are right."""

    def draws_for(self, contest: str, units: int) -> int:
        """How many draws in all give one contest about so many units that count for it."""
