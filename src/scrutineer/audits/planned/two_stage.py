"""Two stages in a plan: boxes are drawn by their number of cards, and some cards of each are held against the box's totals.

A draw is a box, and its value the mean that its drawn cards have in ONEAudit with these totals (`designs.two_stage`, which says
why this is as good as a card drawn with replacement). Draws of plan and table are boxes; what people fetch are their cards.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from scrutineer.audits.designs.two_stage import two_stage_values
from scrutineer.audits.forecasts import Forecast, two_stage_forecast
from scrutineer.audits.plan import MAX_DRAWS, Test
from scrutineer.audits.planned.cards import Drawn, OneAudit
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.sampling.canonical import draw_in_stages
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError


class TwoStage(OneAudit):
    """Boxes with replacement, `Plan.per_box` cards of each without. Raises AuditError as `OneAudit` does."""

    def draw(self, seed: str, count: int) -> Sample:
        """See `PlannedDesign.draw`: so many boxes, each with its cards."""
        per_box = self._plan.per_box
        if count * per_box > MAX_DRAWS:
            raise AuditError(f"{count} draws of {per_box} cards are more than any audit has: count all cards instead")
        return draw_in_stages(seed, self._manifest, per_box, count)

    def forecast(self, contest: str, test: Test) -> Forecast:
        """See `PlannedDesign.forecast`."""
        reported, tally = self._reported(contest, test), self._tallies[contest, test.code]
        return two_stage_forecast(reported, self._manifest.cards, tally, self._plan.per_box)

    def _counting(self, contest: str, sample: Sample) -> Sequence[Ticket]:  # noqa: ARG002
        """One ticket for each card, draw by draw; every draw counts for every contest."""
        return [Ticket(each.number, each.box, place, each.time) for each in sample.tickets for place in each.positions]

    def _shown(self, contest: str, test: Test, drawn: Drawn) -> tuple[Values, Null]:
        reported, pools = self._reported(contest, test), self._pools[contest, test.code]
        numbers = np.cumsum(self._manifest.cards > 0) - 1
        boxes, groups = [], []
        # A box and how often it was drawn by then name one draw.
        for (box, _), cards in groupby(drawn.tickets, key=lambda each: (each.box, each.time)):
            boxes.append(numbers[self._manifest.index[box]])
            groups.append(sum(1 for _ in cards))
        values = two_stage_values(reported, pools, np.array(boxes, np.int64), groups, drawn.papers)
        return values, reported.null(replacement=True)
