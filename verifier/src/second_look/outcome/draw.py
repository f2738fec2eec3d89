"""What is drawn: a function of the seed, the manifest and the bounds ("What an audit draws and measures")."""

import hashlib
import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from second_look.election import write_csv
from second_look.outcome.plan import Planned
from second_look.report import FormatError

MOST = 10_000_000
"""Draws with replacement that are made, at most."""


@dataclass(frozen=True, order=True)
class Ticket:
    """One draw; position 0 is a whole box, or of two stages those of its cards that are drawn."""

    number: str
    box: str
    position: int
    time: int
    cards: tuple[int, ...] = ()


def units(drawn: list[Ticket]) -> set[tuple[str, int]]:
    """The different boxes or cards that are drawn."""
    return {(ticket.box, position) for ticket in drawn for position in ticket.cards or (ticket.position,)}


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _be8(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _text(value: str) -> bytes:
    return _be8(len(value.encode())) + value.encode()


def draw(planned: Planned, bounds: dict[str, int], seed: str, count: int) -> list[Ticket]:
    """So many draws. Raises FormatError where there cannot be so many."""
    plan = planned.plan
    if not count:
        return []
    if count * (plan["per_box"] or 1) > (MOST if plan["replacement"] else drawable(planned)):
        raise FormatError(f"{count} draws are more than there can be")
    if planned.by_box:
        found = [(x.hex(), box, 0) for x, box, _ in _again(seed, "scrutineer audit: boxes", b"", bounds, count)]
    elif plan["draw"] == "rivest":
        found = _rivest(planned, seed, count)
    elif plan["draw"] == "nested":
        weight = planned.weights
        every = ((int.from_bytes(x) // weight[box], x, box, at) for x, box, at in _numbers(planned, seed) if weight[box])
        found = [(x.hex(), box, at) for _, x, box, at in heapq.nsmallest(count, every)]
    elif plan["design"] == "two-stage":
        boxes = _again(seed, "scrutineer audit: boxes of two stages", planned.manifest_hash, planned.manifest, count)
        found = [(x.hex(), box, 0) for x, box, _ in boxes]
    elif plan["replacement"]:
        drawn = _again(seed, "scrutineer audit: cards", planned.manifest_hash, planned.manifest, count)
        found = [(x.hex(), box, place + 1) for x, box, place in drawn]
    else:
        least = heapq.nsmallest(count, _numbers(planned, seed))
        found = [(x.hex(), box, position) for x, box, position in least]
    times: Counter[tuple[str, int]] = Counter()
    tickets = []
    for k, (x, box, position) in enumerate(found, 1):
        times[box, position] += 1
        cards = () if plan["per_box"] is None else _some(planned, seed, k, planned.manifest[box])
        tickets.append(Ticket(x, box, position, times[box, position], cards))
    return tickets


def _some(planned: Planned, seed: str, k: int, cards: int) -> tuple[int, ...]:
    """The second stage: which of so many cards draw k takes."""
    start = _text("scrutineer audit: cards of a draw") + _text(seed) + planned.manifest_hash + _be8(k)
    taken: set[int] = set()
    for j in range(max(cards - planned.plan["per_box"], 0) + 1, cards + 1):
        at = _below(start + _be8(j), j)[1] + 1 if cards > planned.plan["per_box"] else j
        taken.add(j if at in taken else at)
    return tuple(sorted(taken))


def _below(start: bytes, total: int) -> tuple[bytes, int]:
    """The hash of the first attempt that gives a number below a total, each alike, and the number."""
    whole = total * (2**256 // total)
    attempt = 0
    while int.from_bytes(x := _sha(start + _be8(attempt))) >= whole:
        attempt += 1
    return x, int.from_bytes(x) % total


def drawable(planned: Planned) -> int:
    """How many cards can be drawn without replacement."""
    nested = planned.plan["draw"] == "nested"
    return sum(cards for box, cards in planned.manifest.items() if not nested or planned.weights[box])


def counting(planned: Planned, drawn: list[Ticket], contest: str) -> tuple[list[Ticket], int]:
    """The draws that count for a contest, in their order, and of how many cards they are a sample."""
    if planned.plan["draw"] != "nested":
        return drawn, planned.plan["cards"]
    weight, holds = planned.weights, planned.totals[contest]
    cards, least = sum(planned.manifest[box] for box in holds), min(weight[box] for box in holds)
    own = []
    if drawn and least:
        last = int(drawn[-1].number, 16)
        end = (last // weight[drawn[-1].box], last)
        whole = len(drawn) == drawable(planned)
        for number, ticket in sorted((int(ticket.number, 16), ticket) for ticket in drawn if ticket.box in holds):
            if whole or (number // least, number) <= end:
                own.append(ticket)
    return own, cards


def _again(seed: str, purpose: str, context: bytes, sizes: dict[str, int], count: int) -> Iterator[tuple[bytes, str, int]]:
    """Draws with replacement: x, the box, and how far r goes into it. Sizes stand in the order of the boxes."""
    boxes, ends = list(sizes), list(accumulate(sizes.values()))
    if not ends or ends[-1] <= 0:
        raise FormatError("there is nothing to draw from")
    start = _text(purpose) + _text(seed) + context
    for k in range(1, count + 1):
        x, r = _below(start + _be8(k), ends[-1])
        at = bisect_right(ends, r)
        yield x, boxes[at], r - ends[at] + sizes[boxes[at]]


def _numbers(planned: Planned, seed: str) -> Iterator[tuple[bytes, str, int]]:
    sha256 = hashlib.sha256
    start = _text("scrutineer audit: cards of a box") + _text(seed) + planned.manifest_hash
    for box, cards in planned.manifest.items():
        key = sha256(_sha(start + _text(box)))
        for position in range(1, cards + 1):
            hashed = key.copy()
            hashed.update(position.to_bytes(8, "big"))
            yield hashed.digest(), box, position


def _fraction(text: str) -> str:
    """The digits after "0." that the hash of a text gives."""
    return str(int.from_bytes(_sha(text.encode()))).zfill(64)[::-1]


def _rivest(planned: Planned, seed: str, count: int) -> list[tuple[str, str, int]]:
    start = _sha(seed.encode()).hex()
    every = ((_fraction(f"{start}{box},{at}"), f"{box},{at}") for box, n in planned.manifest.items() for at in range(1, n + 1))
    basket = heapq.nsmallest(count, every)
    found: list[tuple[str, str, int]] = []
    while basket and len(found) < count:
        digits, card = heapq.heappop(basket)
        nines = len(digits) - len(digits.lstrip("9"))
        box, _, position = card.rpartition(",")
        found.append((f"0.{digits[: nines + 64]}", box, int(position)))
        if planned.plan["replacement"]:
            attempt = 1
            while (after := digits[:nines] + _fraction(f"0.{digits}:{attempt}")) <= digits:
                attempt += 1
            heapq.heappush(basket, (after, card))
    return found


def table(drawn: list[Ticket]) -> bytes:
    """draw.csv."""
    rows = [["draw", "number", "box", "position", "time"]]
    for number, each in enumerate(drawn, 1):
        positions = " ".join(map(str, each.cards or ((each.position,) if each.position else ())))
        rows.append([str(number), each.number, each.box, positions, str(each.time)])
    return write_csv(rows)
