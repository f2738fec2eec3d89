"""The nested draw: one sample for contests that different boxes hold, each contest at a rate of its own.

Every card has the ticket number of the canonical draw without replacement (`sampling.canonical`), and every box a weight, a
whole number from 1 to 10^6; 0: no card of it is drawn. Cards are drawn in ascending order of

    key = number div weight of the card's box,

and of their numbers where keys are alike: of a box with twice the weight, twice as many cards are drawn.

**Which cards count for a contest.** Let w be the least weight of the boxes that hold it. Its cards count in ascending order of
their numbers, as far as (number div w, number) is not greater than (key, number) of the last card drawn: every card of the
contest with a lesser number has been drawn then, whatever the weight of its box. So they are the first cards of a uniformly
random order of all cards of the contest, however far the draw goes; cards beyond them were drawn for other contests and do not
count. When all cards of boxes with a weight are drawn, all of them count.

Sources: R. L. Rivest, Consistent Sampling with Replacement, arXiv 1808.10016; A. Glazer, J. V. Spertus, P. B. Stark, More style,
less work, arXiv 2012.03371, section 4; for draws by number over weight, E. Ohlsson, Sequential Poisson Sampling, J. Off. Stat.
14 (1998).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling.canonical import Progress, card_stretches, full_numbers
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError

MAX_WEIGHT: Final = 10**6


def draw_nested(
    seed: str, manifest: Manifest, weights: NDArray[np.int64], count: int, progress: Progress | None = None
) -> Sample:
    """So many cards without replacement, by the weights of the boxes of the manifest.

    Raises AuditError for a seed that is not canonical, weights that are none, and more cards than can be drawn.
    """
    if weights.shape != manifest.cards.shape or (weights.size and not 0 <= weights.min() <= weights.max() <= MAX_WEIGHT):
        raise AuditError(f"every box of the manifest has a weight from 0 to {MAX_WEIGHT}")
    if not 0 <= count <= (there := drawable(manifest, weights)):
        raise AuditError(f"{count} cards cannot be drawn from {there}; draw fewer, or count all of them")
    if count == 0:
        return Sample(())
    by_card = np.repeat(weights, manifest.cards)
    kept: NDArray[np.uint64] = np.empty(0, np.uint64)
    kept_cards: NDArray[np.int64] = np.empty(0, np.int64)
    for start, numbers in card_stretches(seed, manifest, progress):
        own = by_card[start : start + len(numbers)]
        cards = np.flatnonzero(own)
        # The first 64 bits of a number, divided, are the first bits of the key: what may be among the least stays.
        kept = np.concatenate([kept, numbers[cards] // own[cards].astype(np.uint64)])
        kept_cards = np.concatenate([kept_cards, cards + start])
        if len(kept) > count:
            stay = kept <= np.partition(kept, count - 1)[count - 1]
            kept, kept_cards = kept[stay], kept_cards[stay]
    drawn = sorted(
        (number // int(weights[place]), number, place, position)
        for number, place, position in full_numbers(seed, manifest, kept_cards)
    )
    return Sample(tuple(Ticket(f"{number:064x}", manifest.boxes[place], at) for _, number, place, at in drawn[:count]))


def drawable(manifest: Manifest, weights: NDArray[np.int64]) -> int:
    """How many cards can be drawn at all."""
    return int(manifest.cards[weights > 0].sum())


def counting(sample: Sample, manifest: Manifest, weights: NDArray[np.int64], holds: NDArray[np.bool_]) -> Sequence[Ticket]:
    """The tickets that count for a contest, in the order in which they do; `holds` says which boxes hold it.

    Nothing counts for a contest that a box of weight 0 holds: some of its cards are never drawn.
    """
    least = int(weights[holds].min(initial=MAX_WEIGHT))
    if not sample.tickets or not least or not holds.any():
        return ()
    last = sample.tickets[-1]
    end = int(last.number, 16)
    limit = (end // int(weights[manifest.index[last.box]]), end)
    whole = len(sample) == drawable(manifest, weights)
    own = []
    for ticket in sample.tickets:
        number = int(ticket.number, 16)
        if holds[manifest.index[ticket.box]] and (whole or (number // least, number) <= limit):
            own.append((number, ticket))
    own.sort(key=lambda each: each[0])
    return tuple(ticket for _, ticket in own)
