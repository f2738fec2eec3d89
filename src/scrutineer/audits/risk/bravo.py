"""BRAVO: Wald's test of ballots drawn one by one (M. Lindeman, P. B. Stark and V. S. Yates, EVT/WOTE 2012)."""

from dataclasses import dataclass

from scrutineer.audits.risk.evidence import Evidence
from scrutineer.audits.risk.process import Draws, Process, product_of_bets
from scrutineer.errors import AuditError


@dataclass(frozen=True)
class Bravo(Process):
    """A vote for the winner multiplies evidence by 2 s, one for the loser by 2 (1 - s); any other ballot leaves it as it is.

    Values are a plurality assorter's: 1, 0 and 1/2, whose hypothetical mean is 1/2; then the bet is 4 s - 2 whatever the share
    of other ballots. Without replacement the same bet meets the mean that is left. Raises AuditError unless 1/2 < s < 1.
    """

    share: float
    """s: the winner's share of the votes for these two options, as reported."""

    def __post_init__(self) -> None:
        if not 0.5 < self.share < 1:
            raise AuditError(f"a winner's share of {self.share} of the votes for two options is not between 1/2 and 1")

    @property
    def name(self) -> str:
        """The name by which a plan commits to it."""
        return "bravo"

    def evidence(self, draws: Draws) -> Evidence:
        """See `Process.evidence`. Raises AuditError for a hypothesis other than a plurality assorter's."""
        if draws.null.mean != 0.5 or draws.null.upper != 1:
            raise AuditError("BRAVO is for values 0, 1/2 and 1 with a hypothetical mean of 1/2: use ALPHA or betting for others")
        return product_of_bets(draws, 4.0 * self.share - 2.0, 1.0 - self.share)
