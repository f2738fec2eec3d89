"""Which counts hold, and the values that they give each test ("Counts", "Boxes", "Cards")."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

from second_look.outcome.draw import Ticket, counting, units
from second_look.outcome.plan import Planned, Test
from second_look.outcome.risk import Null, above, below
from second_look.report import FormatError

Count = tuple[bytes, dict[str, Any]]
"""A count with the hash of its statement."""


@dataclass
class Seen:
    """The counts that hold, in the order of the log."""

    held: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    boxes: dict[str, Count] = field(default_factory=dict)
    """Counts of whole boxes, or that say that one is missing or illegible."""
    cards: dict[tuple[str, int], tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    replaced: list[tuple[bytes, dict[str, Any], bytes, str]] = field(default_factory=list)
    """Counts that do not hold any more, with the hash and the note of what took their place."""
    left_out: int = 0


def resolve(counts: Iterable[Count]) -> Seen:
    """Follow the counts of an audit."""
    seen = Seen()
    for name, count in counts:
        if name in seen.held:
            continue
        box, old = count["box"], count["replaces"]
        places = [(box, card["position"]) for card in count["cards"]]
        rivals = {seen.cards[place][0] for place in places if place in seen.cards}
        if box in seen.boxes and (not places or seen.boxes[box][1]["totals"]):
            rivals.add(seen.boxes[box][0])
        if rivals - {old} or (old is not None and (old not in seen.held or seen.held[old]["box"] != box)):
            seen.left_out += 1
            continue
        if old is not None:
            seen.replaced.append((old, seen.held.pop(old), name, count["note"]))
            seen.boxes = {key: value for key, value in seen.boxes.items() if value[0] != old}
            seen.cards = {key: value for key, value in seen.cards.items() if value[0] != old}
        seen.held[name] = count
        if not places:
            seen.boxes[box] = (name, count)
        for place, card in zip(places, count["cards"], strict=True):
            seen.cards[place] = (name, card)
    return seen


def not_drawn(planned: Planned, drawn: list[Ticket], seen: Seen) -> int:
    """How many counts of boxes and cards are no evidence, as they were not drawn or are of the other kind of unit."""
    places = units(drawn)
    boxes = {box for box, _ in places}
    wrong = sum(box not in boxes for box in seen.boxes)
    wrong += sum(bool(count["totals"]) and not planned.by_box for _, count in seen.boxes.values())
    return wrong + sum(planned.by_box or place not in places for place in seen.cards)


def status_of(planned: Planned, seen: Seen, box: str, position: int) -> str:
    """Whether a drawn unit was counted."""
    if not planned.by_box and (box, position) in seen.cards:
        return str(seen.cards[box, position][1]["status"])
    if box in seen.boxes and (planned.by_box or seen.boxes[box][1]["status"] != "counted"):
        return str(seen.boxes[box][1]["status"])
    return "pending"


class Boxes:
    """Whole boxes: by test what was reported of them and by how much it can be wrong; and how likely each is to be drawn."""

    def __init__(self, planned: Planned) -> None:
        self.planned = planned
        self.tests = planned.tests
        self.targets = [at for at, test in enumerate(self.tests) if test.target]
        self._cards: dict[str, list[int]] = {}
        self.margins: list[int] = []
        """By test: by how much the reported scores have to be overstated for it to be false."""
        self.sums: list[int] = []
        """By test: by how much all boxes together can be overstated."""
        for test in self.tests:
            scores = planned.scores(test)
            self.margins.append(sum(scores) - test.given["need"] + 1)
            self.sums.append(sum(self._most(test, scores)))
            if self.margins[-1] <= 0:
                raise FormatError(f"test {test.code} is false by the reported scores themselves")

    def _most(self, test: Test, scores: list[int]) -> list[int]:
        """By line of the test's contest: by how much a score can be overstated. Not kept, as tests can be many."""
        if test.contest not in self._cards:
            self._cards[test.contest] = [self.planned.manifest[box] for box in self.planned.totals[test.contest]]
        lowest = test.lowest
        return [max(0, score - cards * lowest) for score, cards in zip(scores, self._cards[test.contest], strict=True)]

    @cached_property
    def scale(self) -> int:
        """What makes overstatements whole numbers."""
        margins = [self.margins[at] for at in self.targets]
        for scale in (lcm(*margins), 10**15, 10**12, 10**9, 10**6):
            sums = [self.sums[at] * scale // self.margins[at] for at in self.targets]
            if sum(sums) + len(sums) * len(self.planned.manifest) < 2**62 and max(margins) < 2**62 // 1000:
                return scale
        raise FormatError("margins are too small for any sample")

    @cached_property
    def bounds(self) -> dict[str, int]:
        """By box: what its chance of being drawn is proportional to."""
        found = dict.fromkeys(self.planned.manifest, 0)
        for name in {self.tests[at].contest for at in self.targets}:
            greatest = [0] * len(self.planned.totals[name])
            for at in (at for at in self.targets if self.tests[at].contest == name):
                test, scale, margin = self.tests[at], self.scale, self.margins[at]
                scaled = [-(-most * scale // margin) for most in self._most(test, self.planned.scores(test))]
                greatest = [*map(max, greatest, scaled)]
            for box, bound in zip(self.planned.totals[name], greatest, strict=True):
                found[box] = max(found[box], bound)
        return found

    @cached_property
    def limit(self) -> Fraction:
        """U."""
        return Fraction(sum(self.bounds.values()), self.scale)

    def settled(self, at: int) -> bool:
        """Whether a test is true whatever lies in the boxes."""
        if at in self.targets:
            return self.limit < 1
        return self.sums[at] < self.margins[at]

    def values(self, drawn: list[Ticket], seen: Seen) -> tuple[dict[int, tuple[list[float], Null]], bool]:
        """By test the values of the draws and the hypothesis; and whether the plan is void."""
        void, found = False, {}
        over: dict[str, list[int]] = {}
        for box in sorted({ticket.box for ticket in drawn}):
            over[box] = []
            for test in self.tests:
                score, full = self._counted(test, box, seen)
                void |= full
                _, rest, votes = self.planned.totals[test.contest].get(box, (0, 0, [0] * len(test.weights)))
                own = test.score_of(votes, rest)
                cards = self.planned.manifest[box] if box in self.planned.totals[test.contest] else 0
                over[box].append(max(0, own - cards * test.lowest) if score is None else own - score)
        null = Null(above(max(1 - 1 / self.limit, Fraction(1, 2**50))), 1.0) if self.limit >= 1 else None
        for at in range(len(self.tests)):
            if at in self.targets and null is not None:
                counting = self.targets if self.planned.plan["design"] == "batch-macro" else [at]
                taints = {box: self._taint(box, [(other, over[box][other]) for other in counting]) for box in over}
                found[at] = ([below(1 - taints[ticket.box]) for ticket in drawn], null)
            elif at not in self.targets and not self.settled(at):
                found |= self._alongside(at, drawn, {box: every[at] for box, every in over.items()})
        return found, void

    def _taint(self, box: str, over: list[tuple[int, int]]) -> Fraction:
        units = max(-(-amount * self.scale // self.margins[at]) for at, amount in over)
        return Fraction(max(0, units), self.bounds[box])

    def _alongside(self, at: int, drawn: list[Ticket], over: dict[str, int]) -> dict[int, tuple[list[float], Null]]:
        """A test of a contest that is no target, over the draws that were made for others; nothing where they show nothing."""
        test = self.tests[at]
        every = dict(zip(self.planned.totals[test.contest], self._most(test, self.planned.scores(test)), strict=True))
        left = self.margins[at] - sum(most for box, most in every.items() if not self.bounds[box])
        if left <= 0:
            return {}
        least = min(Fraction(self.bounds[box], most) for box, most in every.items() if most and self.bounds[box])
        mean = 1 - least * left / sum(self.bounds.values())
        taints = {box: least * max(0, amount) / self.bounds[box] for box, amount in over.items()}
        return {at: ([below(1 - taints[ticket.box]) for ticket in drawn], Null(above(mean), 1.0))}

    def _counted(self, test: Test, box: str, seen: Seen) -> tuple[int | None, bool]:
        """The counted score, None where it is as bad as it can be; and whether more cards were found than there can be."""
        count = seen.boxes[box][1] if box in seen.boxes else None
        if count is None or count["status"] != "counted":
            return None, False
        own = next((each for each in count["totals"] if each["contest"] == test.contest), None)
        row = self.planned.totals[test.contest].get(box)
        if row is None:
            return 0, own is not None and (any(own["counts"]) or any(own[key] for key in ("blank", "null", "cards")))
        if own is None or len(own["counts"]) != len(test.weights):
            return None, False
        counts, blank, null, single = own["counts"], own["blank"], own["null"], test.given["most"] == 1
        unknown = any(figure is None and weight for figure, weight in zip(counts, test.weights, strict=True))
        unknown |= bool(test.given["rest"]) and None in (blank, null)
        unknown |= not single and own["cards"] is None
        votes, rest = [figure or 0 for figure in counts], (blank or 0) + (null or 0)
        marked = rest + (sum(votes) if single else max(votes))
        cards = max(marked, own["cards"] or 0)
        if unknown or max(votes) > cards - rest:
            return None, False
        if cards > self.planned.manifest[box]:
            return None, True
        silent = cards - marked if single and None not in (blank, null) else 0
        score = test.score_of(votes, rest) + test.lowest * (max(0, row[0] - cards) + silent)
        return max(score, test.lowest * self.planned.manifest[box]), False


def card_values(planned: Planned, drawn: list[Ticket], seen: Seen) -> tuple[dict[int, tuple[list[float], Null]], bool]:
    """By test what drawn cards show; and whether the plan is void. Raises FormatError for totals that cards cannot have."""
    design, found = planned.plan["design"], {}
    for at, test in enumerate(planned.tests):
        tickets, cards = counting(planned, drawn, test.contest)
        low, total, spread = test.lowest, test.given["total"], test.highest - test.lowest
        if not cards * low <= total < cards * spread or total > cards * test.highest:
            raise FormatError(f"test {test.code}: {cards} cards have no score of {total}")
        upper = Fraction(spread, -2 * low) if design == "polling" else Fraction(cards * spread, cards * spread - total)
        pools = _pools(planned, test) if design in ("oneaudit", "two-stage") else {}
        known: dict[tuple[Fraction | int, Fraction], float] = {}
        values = []
        for ticket in tickets:
            record = pools.get(ticket.box, 0)
            if planned.cards is not None and ticket.box not in pools:
                marks = planned.cards.marks(test.contest, ticket.box, ticket.position)
                record = 0 if marks is None else test.score(marks)
            papers = [_paper(test, seen, ticket.box, position) for position in ticket.cards or (ticket.position,)]
            paper = Fraction(sum(papers), len(papers))
            if (record, paper) not in known:
                if design == "polling":
                    exact = (paper - low) / (-2 * low)
                else:
                    exact = cards * (spread - Fraction(record) + paper) / (2 * (cards * spread - total))
                known[record, paper] = float(exact)
            values.append(known[record, paper])
        found[at] = (values, Null(0.5, float(upper), None if planned.plan["replacement"] else cards))
    return found, planned.plan["draw"] == "nested" and _astray(planned, drawn, seen)


def _astray(planned: Planned, drawn: list[Ticket], seen: Seen) -> bool:
    """Whether a drawn card has a contest of the plan that its box does not hold: others like it could not be drawn."""
    marks = ((ticket.box, seen.cards.get((ticket.box, ticket.position), (b"", {"marks": {}}))[1]["marks"]) for ticket in drawn)
    return any(box not in planned.totals.get(contest, {box}) for box, own in marks for contest in own)


def _paper(test: Test, seen: Seen, box: str, position: int) -> int:
    card = seen.cards.get((box, position), (b"", None))[1]
    if card is None or card["status"] != "counted":
        return test.lowest
    marks = card["marks"].get(test.contest)
    return 0 if marks is None else test.score(marks)


def _pools(planned: Planned, test: Test) -> dict[str, Fraction]:
    """By box: the mean of the scores that were reported."""
    pools = {}
    for box, (_, rest, votes) in planned.totals[test.contest].items():
        score, cards = test.score_of(votes, rest), planned.manifest[box]
        if planned.pooled(box) and not cards * test.lowest <= score <= cards * test.highest:
            raise FormatError(f"test {test.code}: the cards of box {box!r} cannot have a score of {score}")
        if cards and planned.pooled(box):
            pools[box] = Fraction(score, cards)
    return pools
