"""Whatever a publisher changes in an audit, and signs and registers anew, the second verifier finds it, and so does the first."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from audited_sites import CARDS as SIZES
from audited_sites import Recipe, first_findings, recipe, second_report
from count_helpers import STATIONS
from scrutineer.statements.audit import BoxTotals, CardMarks

Change = Callable[[Recipe], Any]


def _test(made: Recipe, contest: str = "president", number: int = 0) -> dict[str, Any]:
    return next(row for row in made.plan["contests"] if row["contest"] == contest)["tests"][number]  # type: ignore[no-any-return]


def _in_test(**fields: Any) -> Change:
    def change(made: Recipe) -> None:
        test = _test(made)
        for name, value in fields.items():
            test[name] = value(test[name]) if callable(value) else value

    return change


def _in_plan(**fields: Any) -> Change:
    return lambda made: made.plan.update({n: value(made.plan[n]) if callable(value) else value for n, value in fields.items()})


def _without_contest(made: Recipe) -> None:
    """Plan and reports without one contest; its totals as well."""
    made.plan["contests"] = [row for row in made.plan["contests"] if row["contest"] != "measure"]
    for report in made.reports:
        for part in ("contests", "tests"):
            report[part] = [row for row in report[part] if row["contest"] != "measure"]


def _without_test(made: Recipe) -> None:
    next(row for row in made.plan["contests"] if row["contest"] == "president")["tests"].pop()
    for report in made.reports:
        report["tests"].pop()


def _full_count(made: Recipe) -> None:
    made.plan["contests"][-1] |= {"full_count": "tie", "tests": []}


def _heaviest(made: Recipe) -> dict[str, Any]:
    """Of nested draws: the contest of which most is drawn."""
    return max(made.plan["contests"], key=lambda row: row["weight"])  # type: ignore[no-any-return]


def _target(made: Recipe) -> None:
    row = made.plan["contests"][-1]
    row["target"] = not row["target"]
    made.plan["contests"][-2]["target"] = not row["target"]


def _lines(name: str, edit: Callable[[list[bytes]], Any]) -> Change:
    def change(made: Recipe) -> None:
        data = made.draws if name == "draw.csv" else made.files[name]
        lines = data.splitlines(keepends=True)
        edit(lines)
        if name == "draw.csv":
            made.draws = b"".join(lines)
        else:
            made.files[name] = b"".join(lines)

    return change


def _cells(name: str, line: int, cell: int, edit: Callable[[str], str]) -> Change:
    def change(lines: list[bytes]) -> None:
        cells = lines[line].decode().rstrip("\n").split(",")
        cells[cell] = edit(cells[cell])
        lines[line] = (",".join(cells) + "\n").encode()

    return _lines(name, change)


def _swap(at: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines[at], lines[at + 1] = lines[at + 1], lines[at]

    return change


def _first(text: str) -> str:
    first, *others = text.split(" ")
    return " ".join([str(int(first) + 1), *others])


def _moved_vote(text: str) -> str:
    one, two, *others = text.split(" ")
    return " ".join([str(int(one) + 1), str(int(two) - 1), *others])


def _plus(amount: int) -> Callable[[str], str]:
    return lambda text: str(int(text) + amount)


def _counts(edit: Callable[[list[dict[str, Any]]], Any]) -> Change:
    return lambda made: edit(made.counts)


def _totals_of(count: dict[str, Any], contest: str, **fields: Any) -> None:
    """Other figures of one contest in a count."""
    count["totals"] = tuple(
        BoxTotals(
            contest=each.contest,
            **{name: getattr(each, name) for name in ("counts", "blank", "null", "cards")} | fields,
        )
        if each.contest == contest
        else each
        for each in count["totals"]
    )


def _exchanged(counts: list[dict[str, Any]]) -> None:
    counts[-1]["totals"], counts[-2]["totals"] = counts[-2]["totals"], counts[-1]["totals"]


def _dropped(counts: list[dict[str, Any]]) -> None:
    counts[-1] |= {"totals": (), "cards": (), "status": "missing"}


def _report(edit: Callable[[dict[str, Any]], Any], number: int = 1) -> Change:
    return lambda made: edit(made.reports[number])


def _field(name: str, value: Any) -> Change:
    return _report(lambda report: report.update({name: value(report[name]) if callable(value) else value}))


def _row(part: str, number: int, **fields: Any) -> Change:
    return _report(lambda report: report[part][number].update(fields))


def _signed(**fields: Any) -> Change:
    return lambda made: made.signed[1].update(fields)


def _setting(**fields: Any) -> Change:
    return lambda made: made.settings.update(fields)


def _risks(made: Recipe) -> None:
    """Every risk of the last report is one unit in the twelfth decimal smaller, in the signed report as well."""
    for row in [*made.reports[1]["contests"], *made.reports[1]["tests"]]:
        if row["risk"] not in ("0", "1"):
            row["risk"] = f"{int(row['risk'][2:].ljust(12, '0')) - 1:012}".join(("0.", "")).rstrip("0")


ANY: dict[str, Change] = {
    "a larger total": _in_test(total=lambda total: total + 1),
    "a smaller total": _in_test(total=lambda total: total - 2),
    "weights turned round": _in_test(weights=lambda weights: weights[::-1]),
    "weights doubled": _in_test(weights=lambda weights: [2 * weight for weight in weights]),
    "another weight": _in_test(weights=lambda weights: [*weights[:-1], weights[-1] + 1]),
    "weight of blank ballots": _in_test(rest=1),
    "needs nothing": _in_test(need=0),
    "more marks": _in_test(most=2),
    "options still in": _in_test(continuing=[0, 1, 2]),
    "another code": _in_test(code="lead:0:7"),
    "another parameter": lambda made: _test(made)["parameters"].update({next(iter(_test(made)["parameters"])): "0.75"}),
    "a parameter too many": lambda made: _test(made)["parameters"].update(more="1"),
    "no parameters": lambda made: _test(made)["parameters"].clear(),
    "a test left out": _without_test,
    "tests in another order": lambda made: made.plan["contests"][0]["tests"].reverse(),
    "contests in another order": lambda made: made.plan["contests"].reverse(),
    "a tie that is none": _full_count,
    "kaplan-markov": _in_plan(risk="kaplan-markov"),
    "a higher risk limit": _setting(risk_limit="0.06"),
    "another election in the plan": _in_plan(election="0" * 64),
    "another size in the signed plan": _setting(size=5),
    "another root": _in_plan(root="1" * 64),
    "a size that the log had not reached": _in_plan(size=40),
    "another name in the signed plan": _setting(name="sheets"),
    "more boxes": _in_plan(boxes=lambda boxes: boxes + 1),
    "fewer cards": _in_plan(cards=lambda cards: cards - 1),
    "a file changed late": lambda made: (vars(made).update(renew=False), _cells("manifest.csv", 2, 1, _plus(1))(made)),
    "another hash of the plan": _setting(plan=b"p" * 32),
    "a card fewer in a box": _cells("manifest.csv", 2, 1, _plus(-1)),
    "a card more in a box": _cells("manifest.csv", 3, 1, _plus(1)),
    "a card moved to another box": lambda made: (
        _cells("manifest.csv", 2, 1, _plus(-1))(made),
        _cells("manifest.csv", 3, 1, _plus(1))(made),
    ),
    "a box left out": _lines("manifest.csv", lambda lines: lines.pop(2)),
    "a box twice": _lines("manifest.csv", lambda lines: lines.insert(2, lines[2])),
    "boxes in another order": _lines("manifest.csv", _swap(2)),
    "a box of another name": _cells("manifest.csv", 6, 0, lambda name: name + "x"),
    "a number with a zero": _cells("manifest.csv", 2, 1, lambda cards: "0" + cards),
    "other line ends": _lines("manifest.csv", lambda lines: lines.append(lines.pop().replace(b"\n", b"\r\n"))),
    "another seed": lambda made: vars(made).update(digits="2" * 20),
    "a seed with two digits exchanged": lambda made: vars(made).update(digits="13415926535897932384"),
    "a draw left out": _lines("draw.csv", lambda lines: lines.pop(3)),
    "the last draw left out": _lines("draw.csv", lambda lines: lines.pop()),
    "a draw twice": _lines("draw.csv", lambda lines: lines.insert(3, lines[3])),
    "draws in another order": _lines("draw.csv", _swap(2)),
    "another box drawn": _cells("draw.csv", 4, 2, lambda box: "a1" if box != "a1" else "a2"),
    "another number drawn by": _cells("draw.csv", 4, 1, lambda number: number[:-1] + ("0" if number[-1] != "0" else "1")),
    "drawn for the second time": _cells("draw.csv", 1, 4, lambda _: "2"),
    "a count left out": lambda made: (made.counts.pop(), made.after.__setitem__(1, len(made.counts))),
    "a count that says missing": _counts(_dropped),
    "a count of what was not drawn": _counts(
        lambda counts: counts.append({"box": "zz", "totals": (BoxTotals(contest="president", counts=(1, 0, 0)),)})
    ),
    "a second count of a box": _counts(lambda counts: counts.append(dict(counts[-1], note="Again."))),
    "a replacement undone": _counts(lambda counts: [count.pop("replaces", None) for count in counts]),
    "another note": _counts(lambda counts: [c.update(note="Other.") for c in counts if "note" in c]),
    "a smaller risk everywhere": _risks,
    "a smaller risk of a contest": _row("contests", -1, risk="0.000000000001"),
    "a smaller risk of a test": _row("tests", 0, risk="0.000000000001"),
    "a contest confirmed or not": _report(
        lambda report: report["contests"][-1].update(confirmed=not report["contests"][-1]["confirmed"])
    ),
    "contests of the report in another order": _report(lambda report: report["contests"].reverse()),
    "tests of the report in another order": _report(lambda report: report["tests"].reverse()),
    "a full count in the report": _row("contests", 0, full_count="tie"),
    "stopped": _field("outcome", lambda outcome: "continuing" if outcome == "confirmed" else "confirmed"),
    "fewer draws": _field("draws", lambda draws: draws - 1),
    "more draws": _field("draws", lambda draws: draws + 1),
    "more units": _field("units", lambda units: units + 1),
    "more counted": _field("counted", lambda counted: counted + 1),
    "something missing": _field("missing", ["a1"]),
    "something illegible": _field("illegible", ["a1", "b1"]),
    "something pending": _field("pending", lambda pending: [*pending, "a1"]),
    "a count of the report left out": _report(lambda report: report["counts"].pop()),
    "counts of the report in another order": _report(lambda report: report["counts"].reverse()),
    "a reason for differences": _report(lambda report: report["counts"][0].update(discrepancies=["damaged"])),
    "another status": _report(lambda report: report["counts"][-1].update(status="illegible")),
    "replaced counts left out": _field("replaced", []),
    "another audit beside it": _report(
        lambda report: report["others"].append(
            {"plan": "0" * 64, "name": "x", "before": True, "drawn": False, "contests": [], "outcome": None}
        )
    ),
    "a void": _field("voids", ["Box a1 holds more cards."]),
    "a fault": _field("faults", ["Box a1 was counted twice."]),
    "a report of another plan": _field("plan", "0" * 64),
    "a report without a seed": _field("seed", ""),
    "a report of another name": _field("name", "other"),
    "a report with another limit": _field("risk_limit", "0.1"),
    "a report of another election": _field("election", "0" * 64),
    "a report of an earlier size": _field("size", lambda size: size - 3),
    "a report of a later size": _field("size", lambda size: size + 7),
    "another format": _field("format", "scrutineer-audit-report/2"),
    "another first report": _report(lambda report: report.update(counted=report["counted"] + 1), 0),
    "another hash of the report": _signed(report=b"r" * 32),
    "another size in the signed report": _signed(size=22),
}
BOXES: dict[str, Change] = {
    "a contest left out": _without_contest,
    "other targets": _target,
    "one vote moved": _cells("totals.csv", 3, 4, _moved_vote),
    "one vote more": _cells("totals.csv", 3, 4, _first),
    "a blank ballot more": _cells("totals.csv", 3, 3, _plus(1)),
    "fewer cards to be found": _cells("totals.csv", 5, 2, _plus(-1)),
    "a contest of a box left out": _lines("totals.csv", lambda lines: lines.pop(4)),
    "a contest of a box twice": _lines("totals.csv", lambda lines: lines.insert(4, lines[4])),
    "totals in another order": _lines("totals.csv", _swap(4)),
    "totals of another box": _lines("totals.csv", lambda lines: lines.__setitem__(1, lines[1][:2] + lines[4][2:])),
    "a vote more for the second": _counts(lambda counts: _totals_of(counts[-1], "president", counts=(40, 30, 10))),
    "no votes for the second": _counts(lambda counts: _totals_of(counts[-1], "president", counts=(50, 0, 0))),
    "unknown votes": _counts(lambda counts: _totals_of(counts[-1], "president", counts=(None, 20, 10))),
    "more cards than there can be": _counts(lambda counts: _totals_of(counts[-1], "president", cards=400)),
    "tallies of two boxes exchanged": _counts(_exchanged),
    "another design": _in_plan(design=lambda design: "batch-macro" if design == "batch-betting" else "batch-betting"),
    "without replacement": _in_plan(replacement=False),
    "drawn as others do": _in_plan(draw="rivest"),
}
CARDS: dict[str, Change] = {
    "drawn in another way": _in_plan(draw="rivest"),
    "drawn again": _in_plan(replacement=True),
    "another position drawn": _cells("draw.csv", 4, 3, _plus(1)),
    "other marks on cards": _counts(
        lambda counts: [
            count.update(cards=tuple(CardMarks(position=card.position, marks={"president": (1,)}) for card in count["cards"]))
            for count in counts
        ]
    ),
    "a card less in a count": _counts(lambda counts: counts[-1].update(cards=counts[-1]["cards"][1:])),
    "a card that was not drawn": _counts(
        lambda counts: counts[-1].update(cards=(*counts[-1]["cards"], CardMarks(position=9_999, marks={})))
    ),
}


def _flip(at: int) -> Change:
    """Another byte from the end of the records: the pattern of a card."""

    def change(made: Recipe) -> None:
        data = bytearray(made.files["cards.bin"])
        data[-at] = data[-at] ^ 1
        made.files["cards.bin"] = bytes(data)

    return change


def _exchange_cards(made: Recipe) -> None:
    """The record of a drawn card, and one with other marks in the contest before the last."""
    _, _, box, position, _ = made.draws.splitlines()[1].decode().split(",")
    drawn = sum(SIZES[each] for each in STATIONS[: STATIONS.index(box)]) + int(position) - 1
    data = bytearray(made.files["cards.bin"])
    start = len(data) - 2 * sum(SIZES.values())
    other = next(at for at in range(start, start + sum(SIZES.values())) if data[at] != data[start + drawn])
    data[start + drawn], data[other] = data[other], data[start + drawn]
    made.files["cards.bin"] = bytes(data)


def _header(edit: Callable[[dict[str, Any]], Any]) -> Change:
    def change(made: Recipe) -> None:
        first, header, rest = made.files["cards.bin"].split(b"\n", 2)
        value = json.loads(header)
        edit(value)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        made.files["cards.bin"] = b"\n".join((first, text, rest))

    return change


RECORDS: dict[str, Change] = {
    "another record": _flip(519 + 7),
    "a record of the first contest": _flip(4 * 519 - 20),
    "records of two cards exchanged": _exchange_cards,
    "another option": _header(lambda header: header["contests"][0]["options"].reverse()),
    "another pattern": _header(lambda header: header["contests"][2]["patterns"].reverse()),
    "another box of records": _header(lambda header: header["batches"].__setitem__(5, "c9")),
    "a card fewer": _header(lambda header: header.update(cards=header["cards"] - 1)),
    "something behind the records": lambda made: made.files.update({"cards.bin": made.files["cards.bin"] + b"\0"}),
    "the end of the records cut off": lambda made: made.files.update({"cards.bin": made.files["cards.bin"][:-1]}),
}
STAGES: dict[str, Change] = {
    "more cards of a box": _in_plan(per_box=8),
    "a place less in a draw": _cells("draw.csv", 3, 3, lambda places: places.rpartition(" ")[0]),
    "places in another order": _cells("draw.csv", 3, 3, lambda places: " ".join(reversed(places.split(" ")))),
    "each card once": _in_plan(replacement=False),
    "no number of cards": lambda made: made.plan.pop("per_box"),
}
NESTED: dict[str, Change] = {
    "another weight of a contest": lambda made: _heaviest(made).update(weight=_heaviest(made)["weight"] // 2),
    "no weight": lambda made: _heaviest(made).update(weight=0),
    "a contest less in a box": _lines("totals.csv", lambda lines: lines.pop()),
    "a box more that holds a contest": _lines("totals.csv", lambda lines: lines.append(b"b3,ward,0,0,0 0\n")),
    "drawn by rate no more": _in_plan(draw="canonical"),
}
CASES = [
    (design, name) for design, own in (("batch-betting", ANY | BOXES), ("comparison", ANY | CARDS | RECORDS)) for name in own
]
CASES += [("batch-macro", name) for name in BOXES] + [(design, name) for design in ("polling", "oneaudit") for name in CARDS]
CASES += [("two-stage", name) for name in sorted((CARDS | STAGES).keys() - {"drawn again", "another position drawn"})]
CASES += [(f"{design} nested", name) for design in ("oneaudit", "comparison") for name in CARDS | NESTED]
OF_THE_SECOND_ALONE = {"another option"}
"""The names of options in cards.bin: numbers count."""


@pytest.mark.parametrize(("design", "name"), CASES, ids=[f"{design}: {name}" for design, name in CASES])
def test_a_change_is_found(design: str, name: str, tmp_path: Path) -> None:
    made = recipe(*design.split())
    before = hashlib.sha256(repr((made, made.settings)).encode()).digest()
    (ANY | BOXES | CARDS | RECORDS | NESTED | STAGES)[name](made)
    assert hashlib.sha256(repr((made, made.settings)).encode()).digest() != before
    log, files = made.build()
    second = second_report(log, files, tmp_path)
    assert second.count, (second.taken, second.checked)
    assert name in OF_THE_SECOND_ALONE or first_findings(log, files), second.findings


def test_there_are_enough_changes() -> None:
    assert len(ANY | BOXES | CARDS | RECORDS | NESTED | STAGES) >= 100
