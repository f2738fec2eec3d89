"""Card-style data: which cards hold which contest, and one sample for all contests.

**Population.** Where records say which cards hold a contest, its population is these cards, and phantoms up to the bound on how
many cards hold it that was established without the voting system. Margins are then shares of these cards and not of all, and
samples shrink by the same factor. A drawn paper without the contest counts as the lowest score (`seen.paper_scores`), so that
wrong records cannot raise the risk.

**One sample.** Every card has a ticket, a number that is uniformly random and independent of everything on the card. A contest
with a sample size n takes the n cards that hold it with the smallest tickets; what is fetched is the union over contests
(consistent sampling).

**Other contests for free.** In ascending order of tickets, the cards that hold a contest are in uniformly random order. So the
risk of any contest may be measured, whether it was targeted or not, over the cards that hold it *up to the first one that was
not fetched*: these are the first cards of a random order, and a p-value that is valid at every moment is valid at the moment
where they end, even though that moment depends on other contests. Cards beyond that one may not be used: they were fetched for
what else is on them (a district, say), and are no sample of the contest.

Sources: A. Glazer, J. Spertus and P. B. Stark, More style, less work: card-style data decrease risk-limiting audit sample sizes,
Digital Threats 2021 (arXiv 2012.03371), sections 3 and 4; R. L. Rivest, Consistent Sampling with Replacement, 2018 (arXiv
1808.10016).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scrutineer.errors import AuditError


@dataclass(frozen=True, eq=False)
class Styles:
    """Which cards hold which contest; cards are numbered from 0 in ascending order of their tickets, phantoms among them.

    Raises AuditError for contests over different numbers of cards.
    """

    holds: Mapping[str, NDArray[np.bool_]]
    """By contest: by card whether it holds the contest."""

    def __post_init__(self) -> None:
        if len({held.shape for held in self.holds.values()}) > 1 or any(held.ndim != 1 for held in self.holds.values()):
            raise AuditError("every contest needs to say of the same cards whether they hold it")

    def population(self, contest: str) -> int:
        """How many cards hold the contest. Raises AuditError for an unknown one."""
        return int(np.count_nonzero(self._held(contest)))

    def fetched(self, sizes: Mapping[str, int]) -> NDArray[np.int64]:
        """Which cards to fetch, in the order of tickets, for a sample of so many cards of each targeted contest.

        Larger sizes give the same cards and more. Raises AuditError for an unknown contest and for more cards than hold it.
        """
        wanted = np.zeros(max((len(held) for held in self.holds.values()), default=0), np.bool_)
        for contest, size in sizes.items():
            held = self._held(contest)
            if not 0 <= size <= (population := int(np.count_nonzero(held))):
                raise AuditError(f"contest {contest}: a sample of {size} cards cannot be taken of the {population} that hold it")
            wanted |= held & (np.cumsum(held) <= size)
        return np.flatnonzero(wanted).astype(np.int64)

    def usable(self, contest: str, fetched: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of the fetched cards those over which the contest's risk may be measured, in the order of tickets.

        These are the cards that hold it before the first such card that was not fetched. Raises AuditError for an unknown
        contest, and for cards that are not those of `fetched`: in ascending order and each once.
        """
        held = self._held(contest)
        if fetched.size and not (int(fetched[0]) >= 0 and int(fetched[-1]) < len(held) and bool(np.all(np.diff(fetched) > 0))):
            raise AuditError(f"contest {contest}: fetched cards are to be numbered in the order of their tickets, each once")
        missing = held.copy()
        missing[fetched] = False
        end = int(np.argmax(missing)) if missing.any() else len(held)
        return fetched[(fetched < end) & held[fetched]]

    def expected(self, sizes: Mapping[str, int]) -> float:
        """About how many cards `fetched` gives, over all orders of tickets: each card counts with its greatest sampling share.

        Raises AuditError as `fetched` does.
        """
        share = np.zeros(max((len(held) for held in self.holds.values()), default=0))
        for contest, size in sizes.items():
            held = self._held(contest)
            if not 0 <= size <= (population := int(np.count_nonzero(held))):
                raise AuditError(f"contest {contest}: a sample of {size} cards cannot be taken of the {population} that hold it")
            np.maximum(share, held * (size / max(1, population)), out=share)
        return float(share.sum())

    def _held(self, contest: str) -> NDArray[np.bool_]:
        held = self.holds.get(contest)
        if held is None:
            raise AuditError(f"contest {contest}: it is not known which cards hold it")
        return held
