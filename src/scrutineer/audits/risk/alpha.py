"""ALPHA: bets by an estimate of the mean of what is left (P. B. Stark, Ann. Appl. Stat. 17 (2023), arXiv 2201.02707)."""

from dataclasses import dataclass

import numpy as np

from scrutineer.audits.risk.evidence import Evidence
from scrutineer.audits.risk.model import Values
from scrutineer.audits.risk.process import RESERVE, Draws, Process, check_reserve, product_of_bets
from scrutineer.errors import AuditError


@dataclass(frozen=True)
class Alpha(Process):
    """The ALPHA supermartingale: the factor of a draw is (x eta / m + (u - x)(u - eta) / (u - m)) / u.

    With a `weight` (d in the paper) the estimate is shrunk and truncated (section 2.5.2): (d eta + sum of the earlier values) /
    (d + t - 1), kept at least `spread` / sqrt(d + t - 1) above m_t and below u. Without one it is fixed: the mean that is left
    of a population whose mean is `eta` (section 2.5.1), which for draws with replacement makes it Wald's test.
    Raises AuditError for parameters that no audit can use.
    """

    eta: float
    """The mean that is expected, as a value: above the hypothetical mean, at most the greatest value."""
    weight: float | None = None
    """How many draws the expectation is worth; None: it is never revised."""
    spread: float | None = None
    """c in the paper; None: half of what separates `eta` from the hypothetical mean."""
    reserve: float = RESERVE

    def __post_init__(self) -> None:
        check_reserve(self.reserve)
        if not self.eta > 0:
            raise AuditError(f"an expected mean of {self.eta} is not above 0")
        if self.weight is not None and not self.weight > 0:
            raise AuditError(f"a weight of {self.weight} is not above 0; leave it out for an expectation that is never revised")
        if self.spread is not None and not self.spread >= 0:
            raise AuditError(f"a spread of {self.spread} is below 0")

    @property
    def name(self) -> str:
        """'alpha', whichever the estimate."""
        return "alpha"

    def evidence(self, draws: Draws) -> Evidence:
        """See `Process.evidence`."""
        means, upper = draws.means, draws.null.upper
        with np.errstate(divide="ignore", invalid="ignore"):
            bets = (self._estimates(draws) / means - 1.0) / (upper - means)
        return product_of_bets(draws, np.where(means < upper, bets, 0.0), self.reserve)

    def _estimates(self, draws: Draws) -> Values:
        null = draws.null
        if self.weight is None:
            if null.population is None:
                return np.full((1, 1), min(self.eta, null.upper))
            left = (null.population * self.eta - draws.sums) / (null.population - draws.earlier)
            return np.clip(left, 0.0, null.upper)
        spread = max(self.eta - null.mean, 0.0) / 2 if self.spread is None else self.spread
        worth = self.weight + draws.earlier
        margin = spread / np.sqrt(worth)
        estimates = (self.weight * self.eta + draws.sums) / worth
        return np.minimum(np.maximum(estimates, draws.means + margin), null.upper - margin)
