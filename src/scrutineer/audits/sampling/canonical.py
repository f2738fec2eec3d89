"""The canonical draw: SHA-256 and whole numbers alone, so that any language draws the same from the same committed bytes.

Neither the order of rows or files, nor a random number library, nor floating point has any part in it.

**Notation.** H is SHA-256; a ‖ b is a followed by b; be8(n) is n as 8 bytes, the most significant first; text(t) is
be8(number of bytes) ‖ the bytes of t in UTF-8. A seed is its digits (`seed.canonical_seed`); a hash read as a number has its
most significant byte first.

**Cards without replacement.** Every card of the manifest has a ticket number

    key    = H(text("scrutineer audit: cards of a box") ‖ text(seed) ‖ hash of the manifest ‖ text(name of the box))
    number = H(key ‖ be8(position)),  positions from 1

and the sample of n cards is the n cards of the least numbers, in ascending order. A number depends on no other card of the
manifest's; so samples of several contests, each drawn from the cards that hold it, share as many cards as they can
(R. L. Rivest, Consistent Sampling with Replacement, arXiv 1808.10016, sections 1 and 3).

**With replacement.** Draw k = 1, 2, … takes a whole number r, uniform in 0 … total - 1, from the first attempt
a = 0, 1, 2, … whose

    x = H(text(purpose) ‖ text(seed) ‖ context ‖ be8(k) ‖ be8(a))

is less than total · floor(2^256 / total); r = x mod total. Boxes stand in the order of their names' bytes, each with its size;
the box drawn is the first one whose size added to all earlier ones' is more than r. For boxes the sizes are their integer
error bounds, the purpose is "scrutineer audit: boxes" and the context is empty. For cards the sizes are the numbers of cards,
the purpose is "scrutineer audit: cards", the context is the hash of the manifest, and the position is r less the earlier
sizes, plus 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling.sample import Sample


def draw_cards(seed: str, manifest: Manifest, count: int, *, replacement: bool, among: NDArray[np.bool_] | None = None) -> Sample:
    """So many cards of the manifest, each card as likely as any other at every draw.

    `among` says of every card, in the order of boxes and positions, whether it can be drawn (it holds the contest); without
    it, all can. Raises AuditError for a seed that is not canonical, for more cards than there are (without replacement) and
    for an `among` of another length.
    """
    raise NotImplementedError


def card_numbers(seed: str, manifest: Manifest) -> NDArray[np.uint64]:
    """The first 64 bits of every card's ticket number, in the order of boxes and positions. Two cards that are alike in these
    are told apart by `draw_cards`, which compares whole numbers. Raises AuditError as `draw_cards` does."""
    raise NotImplementedError


def draw_boxes(seed: str, bounds: NDArray[np.int64], names: Sequence[str], count: int) -> Sample:
    """So many draws of boxes with replacement, each with probability proportional to its bound (PPEB: J. A. Aslam, R. A. Popa,
    R. L. Rivest, On Auditing Elections When Precincts Have Different Sizes, EVT 2008, section 4); one whose bound is 0 is never
    drawn.

    Bounds and names are of the same boxes, in any order. Raises AuditError for a seed that is not canonical, names that occur
    twice, negative bounds, and bounds that add up to 0 or to 2^63 and more.
    """
    raise NotImplementedError


def draw_boxes_uniformly(seed: str, names: Sequence[str], count: int) -> Sample:
    """So many boxes without replacement, each as likely as any other. Raises AuditError as `draw_boxes` does, and for more
    boxes than there are."""
    raise NotImplementedError
