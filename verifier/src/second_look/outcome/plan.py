"""The files of a plan: their only forms, and that they belong together."""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from second_look.election import read_csv
from second_look.outcome.cards import Cards, read_cards
from second_look.report import FormatError
from second_look.shapes import COUNT, listed, load_json, mapped, nullable, number, one_of, record, text

MOST_BYTES = 1 << 30
BOX_DESIGNS = ("batch-macro", "batch-betting")
_KNOWN = {
    "format": ("scrutineer-audit-plan/1",),
    "design": (*BOX_DESIGNS, "polling", "oneaudit", "comparison", "two-stage"),
    "draw": ("canonical", "rivest", "nested"),
}
_REASONS = ("", "tie", "nobody-voted", "one-card", "unstated", "not-published")

_ident = text(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}", 64)
_hash, _any, _weight = text(r"[0-9a-f]{64}"), text(r"(?s).{0,20000}", 20_000), number(-(2**62), 2**62)
_options = listed(number(0, 511), 0, 512)
_TEST = record(
    {
        "code": _any,
        "weights": listed(_weight, 1, 512),
        "rest": _weight,
        "need": one_of(0, 1),
        "most": number(1, 2**31),
        "continuing": nullable(_options),
        "first": _options,
        "total": number(-(2**62), 2**62),
        "parameters": mapped(_any, text(r"[0-9.,]{0,200000}", 200_000)),
    }
)
_CONTEST = record(
    {"contest": _ident, "full_count": one_of(*_REASONS), "tests": listed(_TEST), "target": one_of(True, False)}
    | {"weight": number(0, 10**6)}
)
_FILE = record({"sha256": _hash, "size": number(0, 2**40)})
_PLAN = record(
    {"format": _any, "name": _ident, "election": _hash, "size": number(1), "root": _hash, "risk": _any}
    | {"risk_limit": text(r"0\.[0-9]{0,11}[1-9]"), "design": _any, "draw": _any, "replacement": one_of(True, False)}
    | {"first_round": number(0, 10_000_000), "boxes": number(1), "cards": number(0)}
    | {"contests": listed(_CONTEST, 1, 512), "files": mapped(_any, _FILE)},
    {"per_box": (number(1, 10_000), None)},
)


class NotComputedError(Exception):
    """An audit that this verifier does not know how to compute: never a finding, and never a pass."""


@dataclass(frozen=True)
class Test:
    """One assertion: the scores of all cards add up to `need` or more."""

    contest: str
    target: bool
    given: dict[str, Any]

    def __post_init__(self) -> None:
        ranked, named = self.given["continuing"], [*(self.given["continuing"] or ()), *self.given["first"]]
        if any(option >= len(self.weights) for option in named) or not {*self.given["first"]} <= {*(ranked or ())}:
            raise FormatError(f"test {self.code} names options that it does not have")
        if self.lowest >= 0 or (ranked is not None and self.given["rest"]):
            raise FormatError(f"test {self.code}: no card can speak against it, or it is of no kind of contest")

    @property
    def code(self) -> str:
        """What is compared."""
        return f"{self.contest}, {self.given['code']}"

    @property
    def weights(self) -> list[int]:
        """By option."""
        weights: list[int] = self.given["weights"]
        return weights

    @property
    def rest(self) -> int:
        """The score of a card without a mark that counts."""
        return int(self.given["rest"])

    @cached_property
    def lowest(self) -> int:
        """L: the least score of a card."""
        return min(0, self.rest, sum(sorted(weight for weight in self.weights if weight < 0)[: self.given["most"]]))

    @cached_property
    def highest(self) -> int:
        """M: the greatest score of a card."""
        return max(0, self.rest, sum(sorted(weight for weight in self.weights if weight > 0)[-self.given["most"] :]))

    def score(self, marks: list[int]) -> int:
        """The score of a card of the contest."""
        if self.given["continuing"] is None:
            counts = 0 < len(marks) <= self.given["most"]
            return sum(self.weights[option] for option in marks) if counts else self.rest
        for option in marks:
            if option in self.given["continuing"]:
                held_back = option in self.given["first"] and marks[0] not in self.given["first"]
                return 0 if held_back else self.weights[option]
        return 0

    def score_of(self, votes: list[int], rest: int) -> int:
        """The score of many cards of an unranked contest."""
        return self.rest * rest + sum(weight * count for weight, count in zip(self.weights, votes, strict=True))


@dataclass
class Planned:
    """A plan with the files that it names."""

    plan: dict[str, Any]
    tests: list[Test]
    manifest: dict[str, int]
    """Cards by box, in the order of the boxes' bytes."""
    manifest_hash: bytes
    totals: dict[str, dict[str, tuple[int, int, list[int]]]]
    """By contest and box: cards to be found, cards without a mark that counts, votes by option."""
    cards: Cards | None
    _columns: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    """By contest, the columns of its lines: `rest`, and the votes of each option."""

    @property
    def by_box(self) -> bool:
        """Whether whole boxes are drawn."""
        return self.plan["design"] in BOX_DESIGNS

    def scores(self, test: Test) -> list[int]:
        """By box that holds the contest: its reported score, by its line in totals.csv."""
        rows = self.totals[test.contest]
        if test.contest not in self._columns:
            self._columns[test.contest] = [*zip(*((rest, *votes) for _, rest, votes in rows.values()), strict=True)]
        columns = self._columns[test.contest]
        if test.given["continuing"] is not None or len(columns) != len(test.weights) + 1:
            raise FormatError(f"test {test.code} has not the options of totals.csv, or is of a ranked contest")
        scores = [0] * len(rows)
        # Most weights are 0 where there are many tests: those of list rules compare two lists.
        for weight, column in zip((test.rest, *test.weights), columns, strict=True):
            if weight:
                scores = [score + weight * count for score, count in zip(scores, column, strict=True)]
        return scores

    def pooled(self, box: str) -> bool:
        """Whether the totals of a box are what was reported of it: there is no record of a card of it."""
        return self.cards is None or box not in self.cards.starts

    @cached_property
    def weights(self) -> dict[str, int]:
        """Of nested draws: by box the greatest weight of the contests that it holds."""
        found = dict.fromkeys(self.manifest, 0)
        for contest in self.plan["contests"]:
            for box in self.totals[contest["contest"]]:
                found[box] = max(found[box], contest["weight"])
        return found


def read_plan(data: bytes, signed: dict[str, Any]) -> dict[str, Any]:
    """plan.json, which says what the signed plan does. Raises FormatError, and NotComputedError for what is unknown here."""
    if len(data) > MOST_BYTES or hashlib.sha256(data).digest() != signed["plan"]:
        raise FormatError("it is not the file that the signed plan names")
    plan = load_json(data, canonical=True)
    for name, known in _KNOWN.items():
        if type(plan) is dict and type(plan.get(name)) is str and plan[name] not in known:
            raise NotComputedError(f"{name} {plan[name]!r:.60}")
    plan = dict(_PLAN(plan))
    for name in ("name", "size", "risk_limit"):
        if plan[name] != signed[name]:
            raise FormatError(f"{name} is {plan[name]!r}, and {signed[name]!r} in the signed plan")
    if (plan["election"], plan["root"]) != (signed["election"].hex(), signed["root"].hex()):
        raise FormatError("it is of another election or root than the signed plan")
    named = {file["name"]: {"sha256": file["sha256"].hex(), "size": file["size"]} for file in signed["files"]}
    nested, recorded = plan["draw"] == "nested", plan["design"] == "comparison"
    needed = {"manifest.csv"} | {name for name, has in (("cards.bin", recorded), ("totals.csv", nested or not recorded)) if has}
    if plan["files"] != named or named.keys() - ({"cards.bin"} if plan["design"] == "oneaudit" else set()) != needed:
        raise FormatError("it names other files than the signed plan, or than its design has")
    ids = [contest["contest"] for contest in plan["contests"]]
    if ids != [*signed["contests"]]:
        raise FormatError("it audits other contests than the signed plan")
    if ids != sorted({*ids}) or not any(row["target"] and (row["tests"] or row["full_count"]) for row in plan["contests"]):
        raise FormatError("its contests are not in order, or none is to be confirmed that cards could contradict")
    if plan["risk"] in ("betting-adaptive", "betting-agrapa"):
        raise FormatError(f"the bets of {plan['risk']} are learned, so that cards which are not found decide those on others")
    if plan["risk"] == "alpha":
        given = [test["parameters"] for contest in plan["contests"] for test in contest["tests"]]
        if any("spread" in own or _decimal(own, "weight") < 100 or _decimal(own, "eta") <= Fraction(1, 2) for own in given):
            raise FormatError("alpha has a spread, a weight below 100 or an eta not above 0.5: its bets would be learned")
    for contest in plan["contests"]:
        codes = [test["code"] for test in contest["tests"]]
        if len({*codes}) < len(codes) or (contest["full_count"] and codes):
            raise FormatError(f"{contest['contest']}: a test stands twice, or beside the reason for a full count")
        if bool(contest["weight"]) != (nested and contest["target"] and bool(codes)):
            raise FormatError(f"{contest['contest']}: a weight without a place, or none where there must be one")
    staged = plan["design"] == "two-stage"
    if (staged or plan["design"] in BOX_DESIGNS) and (plan["draw"] != "canonical" or not plan["replacement"]):
        raise FormatError("boxes are drawn the canonical way, with replacement")
    if staged != (plan["per_box"] is not None):
        raise FormatError("per_box is how many cards of a box a plan in two stages draws, and stands in no other")
    if nested and plan["replacement"]:
        raise FormatError("nested draws are without replacement")
    return plan


def _decimal(parameters: dict[str, str], name: str) -> Fraction:
    """A number among the parameters of a risk function; 0 where it is left out."""
    value = parameters.get(name, "0")
    if not value.isascii() or not value.replace(".", "", 1).isdigit() or len(value) > 60:
        raise FormatError(f"{name} is {value!r:.60}, and no decimal")
    return Fraction(value)


def open_plan(plan: dict[str, Any], folder: Path) -> Planned:
    """The files of a plan. Raises FormatError for others than it names, and such as do not belong together; OSError."""
    data = {}
    for name, file in plan["files"].items():
        if (folder / name).stat().st_size != file["size"]:
            raise FormatError(f"{name} is not the file that the plan names")
        data[name] = (folder / name).read_bytes()
        if hashlib.sha256(data[name]).hexdigest() != file["sha256"]:
            raise FormatError(f"{name} is not the file that the plan names")
    tests = [Test(c["contest"], c["target"], test) for c in plan["contests"] for test in c["tests"]]
    manifest = _read_manifest(data["manifest.csv"])
    if (len(manifest), sum(manifest.values())) != (plan["boxes"], plan["cards"]):
        raise FormatError("manifest.csv has other numbers of boxes or cards than the plan")
    found = Planned(plan, tests, manifest, hashlib.sha256(data["manifest.csv"]).digest(), {}, None)
    if "totals.csv" in data:
        found.totals = _read_totals(data["totals.csv"], manifest)
        if strange := {contest["contest"] for contest in plan["contests"]} - found.totals.keys():
            raise FormatError(f"totals.csv has no box with contest {min(strange)}")
    if "cards.bin" in data:
        found.cards = read_cards(data["cards.bin"], manifest)
        for name, rows in found.totals.items() if plan["draw"] == "nested" else ():
            if strange := found.cards.holding(name) - rows.keys():
                raise FormatError(f"a record of box {min(strange)!r} has contest {name}, which that box does not hold")
    for test in tests:
        total = 0 if found.cards is None else found.cards.total(test.contest, test.score)
        if plan["design"] != "comparison":
            boxes = found.totals[test.contest]
            total += sum(score for box, score in zip(boxes, found.scores(test), strict=True) if found.pooled(box))
        if total != test.given["total"]:
            raise FormatError(f"test {test.code}: the files add up to {total}, and the plan says {test.given['total']}")
    return found


def _box(name: str) -> bytes:
    if not 1 <= len(name.encode()) <= 200 or name != name.strip():
        raise FormatError(f"{name[:40]!r} is no name of a box")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in name):
        raise FormatError(f"{name[:40]!r} has characters that no name of a box has")
    return name.encode()


def _figure(cell: str) -> int:
    if not (cell.isascii() and cell.isdecimal() and len(cell) <= 10 and str(int(cell)) == cell and int(cell) <= COUNT):
        raise FormatError(f"{cell[:24]!r} is no number of cards")
    return int(cell)


def _read_manifest(data: bytes) -> dict[str, int]:
    header, *rows = read_csv(data) or [[]]
    if header != ["box", "cards"] or any(len(row) != 2 for row in rows):
        raise FormatError("manifest.csv has not the columns box,cards")
    names = [_box(row[0]) for row in rows]
    if any(left >= right for left, right in pairwise(names)):
        raise FormatError("manifest.csv: boxes are not in order, or one stands twice")
    return {row[0]: _figure(row[1]) for row in rows}


def _read_totals(data: bytes, manifest: dict[str, int]) -> dict[str, dict[str, tuple[int, int, list[int]]]]:
    header, *rows = read_csv(data) or [[]]
    if header != ["box", "contest", "cards", "rest", "votes"] or any(len(row) != 5 for row in rows):
        raise FormatError("totals.csv has not the columns box,contest,cards,rest,votes")
    keys = [(row[0].encode(), row[1]) for row in rows]
    if any(left >= right for left, right in pairwise(keys)):
        raise FormatError("totals.csv: lines are not in order, or one stands twice")
    found: dict[str, dict[str, tuple[int, int, list[int]]]] = {}
    for box, contest, *figures in rows:
        cards, rest, *votes = map(_figure, (*figures[:2], *figures[2].split(" ")))
        if rest + max(votes) > cards or cards > manifest.get(box, -1):
            raise FormatError(f"totals.csv: box {box!r} has more votes than cards, or more cards than the manifest")
        found.setdefault(contest, {})[box] = (cards, rest, votes)
    return found
