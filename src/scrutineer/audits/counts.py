"""What the counts of an audit say together: of each box and card the count that holds, and what contradicts itself.

A count holds until another one names it in `replaces`. Of two that do not name each other the first in the log holds, and that
they are two is a finding: nobody may count again until the figures please.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scrutineer.statements.audit import AuditCount, CardMarks


@dataclass(frozen=True, slots=True)
class Counted:
    """A count by the hash of its statement."""

    hash: bytes
    count: AuditCount


@dataclass(frozen=True, slots=True)
class Replaced:
    """A count that held once, and the one that took its place; `by.count.note` says why."""

    counted: Counted
    by: Counted


@dataclass(frozen=True)
class Seen:
    """The counts that hold."""

    boxes: Mapping[str, Counted]
    """Counts of whole boxes, and boxes of which nothing could be counted."""
    cards: Mapping[tuple[str, int], CardMarks]
    """Single cards, by box and position."""
    held: tuple[Counted, ...]
    """All counts that hold, in the order of the log."""
    faults: tuple[str, ...]
    replaced: tuple[Replaced, ...] = ()
    """Counts that do not hold any more, in the order in which others took their places."""


def resolve(counts: Iterable[Counted]) -> Seen:
    """Put counts together, in the order of the log."""
    held: dict[bytes, Counted] = {}
    boxes: dict[str, Counted] = {}
    cards: dict[tuple[str, int], tuple[bytes, CardMarks]] = {}
    faults = []
    given_up = []
    for one in counts:
        count = one.count
        if one.hash in held:
            continue
        replaced = None if count.replaces is None else held.get(count.replaces)
        if count.replaces is not None and (replaced is None or replaced.count.box != count.box):
            faults.append(f"box {count.box}: a count takes the place of one that does not hold, or is of another box")
            continue
        places = [(count.box, card.position) for card in count.cards]
        before = {cards[place][0] for place in places if place in cards}
        if count.box in boxes and (not count.cards or boxes[count.box].count.totals):
            before.add(boxes[count.box].hash)
        if before - {count.replaces}:
            faults.append(f"box {count.box} was counted twice, and neither count says that it takes the place of the other")
            continue
        if replaced is not None:
            given_up.append(Replaced(replaced, one))
            del held[replaced.hash]
            if (whole := boxes.get(count.box)) is not None and whole.hash == replaced.hash:
                del boxes[count.box]
            for card in replaced.count.cards:
                if cards.get((count.box, card.position), (b"",))[0] == replaced.hash:
                    del cards[count.box, card.position]
        held[one.hash] = one
        if count.cards:
            cards |= {(count.box, card.position): (one.hash, card) for card in count.cards}
        else:
            boxes[count.box] = one
    marked = {place: card for place, (_, card) in cards.items()}
    return Seen(boxes, marked, tuple(held.values()), tuple(faults), tuple(given_up))
