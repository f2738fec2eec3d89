"""Kaplan's products: every value, padded, over its padded mean under the hypothesis.

Sources: P. B. Stark, Risk-limiting post-election audits: conservative P-values from common probability inequalities, IEEE
Trans. Inf. Forensics Secur. 4 (2009); P. B. Stark, Super-simple simultaneous single-ballot risk-limiting audits, EVT/WOTE 2010.
"""

from dataclasses import dataclass

from scrutineer.audits.risk.evidence import Evidence
from scrutineer.audits.risk.model import Null
from scrutineer.audits.risk.process import Draws, Process, product_of_bets
from scrutineer.errors import AuditError


@dataclass(frozen=True)
class KaplanMarkov(Process):
    """The product of (x + g) / (m + g), which bets 1 / (m + g). Without replacement m is what is left: Kaplan–Kolmogorov.

    The padding g > 0 is the reserve: the worst draw leaves g / (m + g). Raises AuditError for a padding of 0 or less.
    """

    padding: float

    def __post_init__(self) -> None:
        if not 2.0**-40 <= self.padding < 2.0**40:
            raise AuditError(f"a padding of {self.padding} is not between 2^-40 and 2^40: without one, a 0 ends an audit")

    @classmethod
    def of_gamma(cls, gamma: float, diluted_margin: float) -> "KaplanMarkov":
        """The comparison of single ballots with error inflation gamma > 1 (SuperSimple), for overstatement assorter values.

        These are (1 - overstatement) / (2 - v) with a mean of at most 1/2, v being the diluted margin (2 x assorter mean - 1);
        the padding that makes both products the same is (gamma - 1) / (2 - v).
        """
        if not (gamma > 1 and 0 < diluted_margin <= 1):
            raise AuditError("error inflation is above 1, and a diluted margin between 0 and 1")
        return cls((gamma - 1) / (2 - diluted_margin))

    @property
    def name(self) -> str:
        """The name by which a plan commits to it."""
        return "kaplan-markov"

    def evidence(self, draws: Draws) -> Evidence:
        """See `Process.evidence`."""
        return product_of_bets(draws, 1.0 / (draws.means + self.padding), 0.0)


@dataclass(frozen=True)
class KaplanKolmogorov(KaplanMarkov):
    """Kaplan's product without replacement; refuses a hypothesis that has no population."""

    @property
    def name(self) -> str:
        """The name by which a plan commits to it."""
        return "kaplan-kolmogorov"

    def evidence(self, draws: Draws) -> Evidence:
        """See `Process.evidence`. Raises AuditError where draws are with replacement."""
        _need_population(draws.null)
        return super().evidence(draws)


def _need_population(null: Null) -> None:
    if null.population is None:
        raise AuditError("Kaplan–Kolmogorov is for draws without replacement: state the population, or use Kaplan–Markov")
