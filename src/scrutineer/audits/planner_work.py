"""How much work samples are: different boxes, cards and places, on average over all draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.risk.model import Values
from scrutineer.errors import AuditError


@dataclass(frozen=True, slots=True)
class Costs:
    """What work costs, in any one unit (money, minutes of a pair of people). Raises AuditError for less than nothing."""

    box: float = 10.0
    """To fetch, open and seal a box again."""
    card: float = 1.0
    """To find one card in an open box and enter what it shows."""
    counted_card: float = 0.25
    """To count a card when a whole box is counted."""
    place: float = 0.0
    """To get to a place where boxes are kept."""

    def __post_init__(self) -> None:
        if min(self.box, self.card, self.counted_card, self.place) < 0:
            raise AuditError("work costs nothing or more: check the costs of boxes, cards and places")


USUAL_COSTS: Final = Costs()


@dataclass(frozen=True, slots=True)
class Work:
    """One estimate of work."""

    draws: int
    boxes: int
    """Different boxes opened."""
    cards: int
    """Different cards handled."""
    places: int
    cost: float


@dataclass(frozen=True, eq=False)
class Site:
    """Where cards lie: cards and place by box. Raises AuditError unless every box has a place."""

    cards: NDArray[np.int64]
    places: NDArray[np.int64]
    """By box: the number of its place, from 0."""
    costs: Costs

    @classmethod
    def of(cls, cards: NDArray[np.int64], places: Sequence[str] | None, costs: Costs) -> "Site":
        """A site of named places; without names every box is at a place of its own."""
        if places is None:
            return cls(cards, np.arange(len(cards)), costs)
        if len(places) != len(cards):
            raise AuditError(f"{len(cards)} boxes need as many places, not {len(places)}")
        numbers = {name: number for number, name in enumerate(dict.fromkeys(places))}
        return cls(cards, np.array([numbers[name] for name in places], np.int64), costs)

    def everything(self) -> Work:
        """A full count."""
        filled = (self.cards > 0).astype(np.float64)
        return self._work(int(self.cards.sum()), filled, self._visited(filled), self.cards, self.costs.counted_card)

    def of_cards(self, samples: Sequence[tuple[int, NDArray[np.int64]]]) -> Work:
        """Cards drawn without replacement: by contest, how many, and by box how many cards hold it.

        Cards of one box hold contests one inside the other, as those of one polling place do: the contest of which most cards
        are drawn has the other contests' cards among its own.
        """
        drawn, opened, visited = np.zeros(len(self.cards)), np.zeros(len(self.cards)), np.zeros(self._count)
        for size, cards in samples:
            np.maximum(drawn, size / max(1, int(cards.sum())) * cards, out=drawn)
            np.maximum(opened, _hit(size, cards), out=opened)
            np.maximum(visited, _hit(size, np.bincount(self.places, cards, self._count)), out=visited)
        return self._work(max((size for size, _ in samples), default=0), opened, visited, drawn, self.costs.card)

    def of_boxes(self, draws: int, chances: Values, per_box: int | None) -> Work:
        """Boxes drawn with replacement at these chances (adding up to 1), and of each so many cards; None: all are counted."""
        opened = -np.expm1(draws * np.log1p(-np.minimum(chances, 1 - 1e-15)))
        if per_box is None:
            return self._work(draws, opened, self._visited(opened), opened * self.cards, self.costs.counted_card)
        share = np.minimum(per_box / np.maximum(self.cards, 1), 1.0)
        drawn = self.cards * -np.expm1(draws * np.log1p(-np.minimum(chances * share, 1 - 1e-15)))
        return self._work(draws, opened, self._visited(opened), drawn, self.costs.card)

    @property
    def _count(self) -> int:
        return int(self.places.max(initial=-1)) + 1

    def _visited(self, opened: Values) -> Values:
        """The chance of each place to be visited: it is spared where each of its boxes is, about one independently of another."""
        spared = np.ones(self._count)
        np.multiply.at(spared, self.places, 1 - opened)
        return 1 - spared

    def _work(self, draws: int, opened: Values, visited: Values, drawn: NDArray[np.int64] | Values, card: float) -> Work:
        boxes, cards, places = float(opened.sum()), float(drawn.sum()), float(visited.sum())
        cost = boxes * self.costs.box + cards * card + places * self.costs.place
        return Work(draws, _whole(boxes), _whole(cards), _whole(places), cost)


def _whole(number: float) -> int:
    """The nearest whole number, but at least 1 of anything."""
    return max(round(number), int(number > 0))


def _hit(size: int, cards: NDArray[np.int64] | Values) -> Values:
    """By group of cards the chance that one of them is among so many drawn of all, without replacement.

    That it is not is at most (1 - group/all)^size and at most (1 - size/all)^group; the lesser is close.
    """
    total = max(1.0, float(cards.sum()))
    group, share = np.minimum(cards / total, 1 - 1e-15), min(size / total, 1 - 1e-15)
    missed = np.minimum(size * np.log1p(-group), cards * np.log1p(-share))
    hit: Values = -np.expm1(missed)
    return hit
