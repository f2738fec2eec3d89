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
sizes, plus 1. Where only some cards can be drawn, these alone are counted, in the order of boxes and positions.

**Two stages.** Draw k takes a box as above, its size being its number of cards, with the purpose "scrutineer audit: boxes of two
stages" and the hash of the manifest as context. Of its n cards all are taken where n is at most m; else m, in m steps j =
n - m + 1, …, n: each takes r, uniform in 0 … j - 1, from the first attempt a whose

    x = H(text("scrutineer audit: cards of a draw") ‖ text(seed) ‖ hash of the manifest ‖ be8(k) ‖ be8(j) ‖ be8(a))

is less than j · floor(2^256 / j); r = x mod j. The card taken is that in place r + 1, or in place j where that one is taken
already. So every m cards are as likely as any other m, and a box drawn again has others (R. W. Floyd, in J. Bentley and R. Floyd,
Programming pearls: a sample of brilliance, Communications of the ACM 30(9), 1987).

**Boxes without replacement, each alike.** The number of a box is
H(text("scrutineer audit: boxes alike") ‖ text(seed) ‖ text(name of the box)); the boxes of the least numbers are drawn.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.manifest import Manifest, name_bytes
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.audits.sampling.seed import seed_bytes
from scrutineer.errors import AuditError

_HASHES: Final = 2**256
_STRETCH: Final = 1 << 18
"""Cards whose numbers are held at the same time."""
_USUAL: Final = 1 << 14
"""Cards of a box, at most, whose positions are written as bytes once for all boxes."""
_CARDS: Final = b"scrutineer audit: cards"
_BOXES: Final = b"scrutineer audit: boxes"
_FIRST_STAGE: Final = b"scrutineer audit: boxes of two stages"
_SECOND_STAGE: Final = b"scrutineer audit: cards of a draw"

Progress = Callable[[int, int], None]
"""Told how many cards are done, and of how many."""


def draw_cards(
    seed: str,
    manifest: Manifest,
    count: int,
    *,
    replacement: bool,
    among: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> Sample:
    """So many cards of the manifest, each card as likely as any other at every draw.

    `among` says of every card, in the order of boxes and positions, whether it can be drawn (it holds the contest); without
    it, all can. Raises AuditError for a seed that is not canonical, for more cards than there are (without replacement) and
    for an `among` of another length.
    """
    if among is not None and (among.shape != (manifest.total,) or among.dtype != np.bool_):
        raise AuditError(f"the manifest has {manifest.total} cards; say of each of them whether it can be drawn")
    population = manifest.total if among is None else int(np.count_nonzero(among))
    if count < 0 or population == 0 or (not replacement and count > population):
        raise AuditError(f"{count} cards cannot be drawn from {population}; draw fewer, or count all of them")
    if replacement:
        return _cards_with_replacement(seed, manifest, count, among)
    return _cards_of_least_numbers(seed, manifest, count, among, progress)


def card_numbers(seed: str, manifest: Manifest, progress: Progress | None = None) -> NDArray[np.uint64]:
    """The first 64 bits of every card's ticket number, in the order of boxes and positions.

    Two cards that are alike in these are told apart by `draw_cards`, which compares whole numbers. Raises AuditError as
    `draw_cards` does.
    """
    numbers = np.empty(manifest.total, np.uint64)
    for start, some in card_stretches(seed, manifest, progress):
        numbers[start : start + len(some)] = some
    return numbers


def draw_boxes(seed: str, bounds: NDArray[np.int64], names: Sequence[str], count: int) -> Sample:
    """So many draws of boxes with replacement, each with probability proportional to its bound (PPEB).

    A box whose bound is 0 is never drawn. Bounds and names are of the same boxes, in any order. Source: J. A. Aslam, R. A. Popa,
    R. L. Rivest, On Auditing Elections When Precincts Have Different Sizes, EVT 2008, section 4. Raises AuditError for a seed
    that is not canonical, names that occur twice, negative bounds, and bounds that add up to 0 or to 2^63 and more.
    """
    if len(names) != len(bounds) or count < 0:
        raise AuditError(
            f"{count} draws from {len(names)} names of boxes with {len(bounds)} bounds: give one bound for each name"
        )
    order = _by_bytes(names)
    draws = _uniform(seed, _BOXES, b"", _cumulated(bounds[order]), count)
    times: Counter[int] = Counter()
    tickets = []
    for number, at, _ in draws:
        times[at] += 1
        tickets.append(Ticket(number, names[order[at]], 0, times[at]))
    return Sample(tuple(tickets))


def draw_in_stages(seed: str, manifest: Manifest, per_box: int, count: int) -> Sample:
    """So many draws in two stages: a box by its number of cards, with replacement, and `per_box` of its cards, without.

    A ticket is one draw; a box with no more cards than that is taken whole. Raises AuditError for a seed that is not canonical, a
    manifest without a card, and fewer than one card of a box.
    """
    if count < 0 or per_box < 1:
        raise AuditError(f"{count} draws of {per_box} cards each: draw 0 times or more, and at least one card each time")
    start = _text(_SECOND_STAGE) + _text(seed_bytes(seed)) + manifest.hash
    sizes = manifest.cards.tolist()
    times: Counter[int] = Counter()
    tickets = []
    for draw, (number, at, _) in enumerate(_uniform(seed, _FIRST_STAGE, manifest.hash, _cumulated(manifest.cards), count), 1):
        times[at] += 1
        first, *more = _some_cards(start + _be8(draw), sizes[at], per_box)
        tickets.append(Ticket(number, manifest.boxes[at], first, times[at], tuple(more)))
    return Sample(tuple(tickets))


def draw_boxes_uniformly(seed: str, names: Sequence[str], count: int) -> Sample:
    """So many boxes without replacement, each as likely as any other.

    Raises AuditError as `draw_boxes` does, and for more boxes than there are.
    """
    if not 0 <= count <= len(names):
        raise AuditError(f"{count} boxes cannot be drawn from {len(names)}; draw fewer, or count all of them")
    _by_bytes(names)
    start = sha256(_text(b"scrutineer audit: boxes alike") + _text(seed_bytes(seed)))
    drawn = []
    for name in names:
        number = start.copy()
        number.update(_text(name.encode()))
        drawn.append((number.digest(), name))
    drawn.sort()
    return Sample(tuple(Ticket(number.hex(), name, 0) for number, name in drawn[:count]))


def _cards_with_replacement(seed: str, manifest: Manifest, count: int, among: NDArray[np.bool_] | None) -> Sample:
    some = None if among is None else np.flatnonzero(among)
    sizes = manifest.cards if some is None else np.array([len(some)], np.int64)
    draws = _uniform(seed, _CARDS, manifest.hash, _cumulated(sizes), count)
    cards = np.array([rest for _, _, rest in draws], np.int64)
    places, positions = manifest.boxes_of((cards if some is None else some[cards]) + 1)
    times: Counter[tuple[int, int]] = Counter()
    tickets = []
    for (number, _, _), place, position in zip(draws, places.tolist(), positions.tolist(), strict=True):
        times[place, position] += 1
        tickets.append(Ticket(number, manifest.boxes[place], position, times[place, position]))
    return Sample(tuple(tickets))


def _cards_of_least_numbers(
    seed: str, manifest: Manifest, count: int, among: NDArray[np.bool_] | None, progress: Progress | None
) -> Sample:
    """Goes through the cards once and keeps those that may still be among the least."""
    kept: NDArray[np.uint64] = np.empty(0, np.uint64)
    kept_cards: NDArray[np.int64] = np.empty(0, np.int64)
    for start, numbers in card_stretches(seed, manifest, progress):
        cards = np.arange(start, start + len(numbers))
        if among is not None:
            numbers, cards = numbers[among[cards]], cards[among[cards]]
        kept = np.concatenate([kept, numbers])
        kept_cards = np.concatenate([kept_cards, cards])
        if len(kept) > count:
            # All that are alike in the last prefix stay: only whole numbers tell them apart.
            stay = kept <= np.partition(kept, max(count - 1, 0))[max(count - 1, 0)]
            kept, kept_cards = kept[stay], kept_cards[stay]
    drawn = sorted(full_numbers(seed, manifest, kept_cards))
    return Sample(tuple(Ticket(f"{number:064x}", manifest.boxes[place], position) for number, place, position in drawn[:count]))


def full_numbers(seed: str, manifest: Manifest, cards: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """The whole ticket numbers of some cards, numbered from 0 in the order of boxes and positions; their boxes and positions."""
    places, positions = manifest.boxes_of(cards + 1)
    keys = _box_keys(seed, manifest)
    for place, position in zip(places.tolist(), positions.tolist(), strict=True):
        yield int.from_bytes(sha256(keys(place) + _be8(position)).digest(), "big"), place, position


def card_stretches(seed: str, manifest: Manifest, progress: Progress | None) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Stretches of cards: how many cards come before, and the first 64 bits of these cards' ticket numbers."""
    total = manifest.total
    keys = _box_keys(seed, manifest)
    hashed = sha256
    usual = [_be8(position) for position in range(1, min(_USUAL, int(manifest.cards.max())) + 1)]
    ends = manifest.ends
    for start in range(0, total, _STRETCH):
        stop = min(start + _STRETCH, total)
        digests: list[bytes] = []
        for place in range(int(np.searchsorted(ends, start, "right")), int(np.searchsorted(ends, stop, "left")) + 1):
            before = int(ends[place] - manifest.cards[place])
            low, high = max(start - before, 0), min(stop, int(ends[place])) - before
            key = keys(place)
            positions = usual[low:high] if high <= len(usual) else map(_be8, range(low + 1, high + 1))
            digests += [hashed(key + position).digest() for position in positions]
        yield start, np.frombuffer(b"".join(digests), ">u8")[::4].astype(np.uint64)
        if progress is not None:
            progress(stop, total)


def _box_keys(seed: str, manifest: Manifest) -> Callable[[int], bytes]:
    """The key of the box at a place of the manifest."""
    start = _text(b"scrutineer audit: cards of a box") + _text(seed_bytes(seed)) + manifest.hash

    def key(place: int) -> bytes:
        return sha256(start + _text(manifest.boxes[place].encode())).digest()

    return key


def _by_bytes(names: Sequence[str]) -> list[int]:
    """The order of names by their bytes. Raises AuditError for one that occurs twice, and as `name_bytes` does."""
    keys = [name_bytes(name) for name in names]
    order = sorted(range(len(names)), key=keys.__getitem__)
    for one, other in pairwise(order):
        if keys[one] == keys[other]:
            raise AuditError(f"box {names[one]} stands twice in the list: each box has one line")
    return order


def _cumulated(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    total = sum(sizes.tolist())
    if total >= 2**63 or total <= 0 or bool((sizes < 0).any()):
        raise AuditError(f"sizes of boxes are 0 or more and add up to 1 or more, below 2^63; these add up to {total}")
    return np.cumsum(sizes, dtype=np.int64)


def _uniform(seed: str, purpose: bytes, context: bytes, cumulated: NDArray[np.int64], count: int) -> list[tuple[str, int, int]]:
    """Draws with replacement: the hash, the place of the box, and the number drawn."""
    total = int(cumulated[-1])
    below = _HASHES - _HASHES % total
    start = _text(purpose) + _text(seed_bytes(seed)) + context
    numbers = []
    drawn = []
    for draw in range(1, count + 1):
        attempt = 0
        while (number := int.from_bytes(digest := sha256(start + _be8(draw) + _be8(attempt)).digest(), "big")) >= below:
            attempt += 1
        numbers.append(digest.hex())
        drawn.append(number % total)
    places = np.searchsorted(cumulated, np.array(drawn, np.int64), side="right").tolist()
    return list(zip(numbers, places, drawn, strict=True))


def _some_cards(start: bytes, cards: int, wanted: int) -> list[int]:
    """The places of so many cards of a box, ascending; of all its cards where it has no more. `start`: see "Two stages"."""
    if wanted >= cards:
        return list(range(1, cards + 1))
    taken: set[int] = set()
    for step in range(cards - wanted + 1, cards + 1):
        below, attempt = _HASHES - _HASHES % step, 0
        while (number := int.from_bytes(sha256(start + _be8(step) + _be8(attempt)).digest(), "big")) >= below:
            attempt += 1
        place = number % step + 1
        taken.add(step if place in taken else place)
    return sorted(taken)


def _be8(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _text(data: bytes) -> bytes:
    return _be8(len(data)) + data
