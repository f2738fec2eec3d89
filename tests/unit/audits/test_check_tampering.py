"""Everything that could be changed in an audit after the fact is found and named, whoever changed it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from audit_artifacts import AUDITING, HeldAudit, counted, held, in_log, seen_in
from audit_helpers import AUDITORS, DICE
from scrutineer.audits.check import Artifacts, AuditCheck, Entry, check_audit
from scrutineer.audits.report import make_report
from scrutineer.statements import AuditCount, parse_statement, statement_hash
from scrutineer.statements.audit import AuditFile, ContestRisk

HELD = held()
TABLES = ("manifest.csv", "totals.csv", "draw.csv")
DOCUMENTS = ("plan.json", "report.json")


def other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return ("1" if value[:1] == "0" else "0") + value[1:] if value else "x"
        case None:
            return [0]
    raise TypeError(value)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a document, and of all lists that hold something."""
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def document_changes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every value changed, and every entry of a list left out, in canonical form again."""
    whole = json.loads(data)
    for path in leaves(whole):
        changed = json.loads(data)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        value = inner[path[-1]]
        inner[path[-1]] = ["x"] if value == [] else other(value)
        yield "/".join(map(str, path)), _encoded(changed)
    for name, value in whole.items():
        if isinstance(value, list) and value:
            yield f"{name} without its last", _encoded(json.loads(data) | {name: value[:-1]})
            if len(value) > 1:
                yield f"{name} turned round", _encoded(json.loads(data) | {name: value[::-1]})


def _encoded(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def table_changes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every line left out, doubled, exchanged with the next, or with another last digit."""
    lines = data.splitlines(keepends=True)
    for at, line in enumerate(lines):
        yield f"line {at + 1} left out", b"".join(lines[:at] + lines[at + 1 :])
        yield f"line {at + 1} doubled", b"".join(lines[: at + 1] + lines[at:])
        if at + 1 < len(lines):
            yield f"line {at + 1} after the next", b"".join([*lines[:at], lines[at + 1], line, *lines[at + 2 :]])
        if line[-2:-1].isdigit():
            digit = b"%d" % ((int(line[-2:-1]) + 1) % 10)
            yield f"another figure in line {at + 1}", b"".join([*lines[:at], line[:-2] + digit + b"\n", *lines[at + 1 :]])
    yield "nothing at all", b""
    yield "other line ends", data.replace(b"\n", b"\r\n")
    yield "one byte more", data + b" "


FILES = [
    (name, what, changed)
    for name in (*TABLES, *DOCUMENTS)
    for what, changed in (table_changes if name in TABLES else document_changes)(HELD.artifacts.files[name])
]


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 200
    assert len({changed for _, _, changed in FILES}) > 0.9 * len(FILES)
    assert check_audit(HELD.artifacts).findings == []


def without_log(artifacts: Artifacts) -> Artifacts:
    """What somebody checks who has the folder alone."""
    return replace(artifacts, admit=None, root=None, count=None, entries=[Entry(entry.data) for entry in artifacts.entries])


@pytest.mark.parametrize("name", [*TABLES, *DOCUMENTS])
@pytest.mark.parametrize("alone", [False, True])
def test_a_changed_file_is_found_and_named(name: str, alone: bool) -> None:
    for _, what, changed in (each for each in FILES if each[0] == name):
        if changed == HELD.artifacts.files[name]:
            continue
        artifacts = HELD.changed(**{name.replace(".", "__"): changed})
        found = check_audit(without_log(artifacts) if alone else artifacts)
        if name == "draw.csv" and what == f"line {HELD.report.draws + 1} left out":
            assert [each.code for each in found.findings] == ["report"], what
            continue
        assert any(name in str(each) for each in found.findings), (what, found.findings)


@pytest.mark.parametrize("name", sorted(HELD.artifacts.files))
def test_a_missing_file_is_found_and_named(name: str) -> None:
    found = check_audit(HELD.changed(**{name.replace(".", "__"): None}))
    assert name == "report.html" or any(name in str(each) for each in found.findings)


def test_a_page_that_shows_something_else_and_a_file_of_nobody() -> None:
    page = HELD.artifacts.files["report.html"].replace(b"confirms", b"disproves")
    assert codes(check_audit(HELD.changed(report__html=page))) == {"page"}
    found = check_audit(HELD.changed(notes__txt=b"Nothing."))
    assert [str(each) for each in found.findings] == ["notes.txt: is no file of this audit: nothing that is signed names it"]
    second = HELD.artifacts.files["report.json"]
    assert "report-2.json" in str(check_audit(HELD.changed(**{"report-2__json": second})).findings[0])


def codes(found: AuditCheck) -> set[str]:
    return {each.code for each in found.findings}


def logged(entries: list[bytes], held_audit: HeldAudit = HELD) -> Artifacts:
    """The same audit, had the log taken these statements, in this order, behind the results."""
    log = [*held_audit.log[:7], *entries]
    return replace(
        held_audit.artifacts, entries=[Entry(entry, 7 + number) for number, entry in enumerate(entries)], admit=in_log(log)
    )


ORDER = [HELD.plan, HELD.seed, *HELD.counts, HELD.signed_report]


def test_the_order_in_the_log() -> None:
    assert check_audit(logged(ORDER)).passed
    for at in range(len(ORDER)):
        missing = check_audit(logged(ORDER[:at] + ORDER[at + 1 :]))
        assert not missing.passed, at
    late_plan = check_audit(logged([HELD.seed, HELD.plan, *ORDER[2:]]))
    assert "is not registered: register the plan first" in str(late_plan.findings[0])
    early_count = check_audit(logged([HELD.plan, HELD.counts[0], HELD.seed, *ORDER[3:]]))
    assert "has no seed yet" in str(early_count.findings[0])
    turned = [Entry(entry.data, 30 - number) for number, entry in enumerate(HELD.artifacts.entries)]
    assert "order" in codes(check_audit(HELD.changed(turned)))
    early = [Entry(entry.data, number) for number, entry in enumerate(HELD.artifacts.entries, 1)]
    assert "which the log had not reached" in str(check_audit(HELD.changed(early)).findings[0])


@pytest.mark.parametrize("digit", range(len(DICE)))
def test_another_seed_gives_another_draw(digit: int) -> None:
    seed = DICE[:digit] + str((int(DICE[digit]) + 1) % 10) + DICE[digit + 1 :]
    signed = AUDITING.seed(HELD.plan, AUDITORS[1], seed=seed)
    found = check_audit(logged([HELD.plan, signed, *ORDER[2:]]))
    assert any(each.where == "draw.csv" for each in found.findings)
    # Without the log, too: the statement was signed again.
    entries = [Entry(data) for data in (HELD.plan, signed, *ORDER[2:])]
    assert "draw" in codes(check_audit(without_log(HELD.changed(entries))))
    # And with the log as it is, the new seed is not in it.
    kept = [Entry(signed, each.index) if each.data == HELD.seed else each for each in HELD.artifacts.entries]
    assert any("not in the log" in str(each) for each in check_audit(HELD.changed(kept)).findings)


def test_a_second_seed_has_no_effect_and_is_named() -> None:
    second = AUDITING.seed(HELD.plan, seed="1" * 20)
    found = check_audit(logged([HELD.plan, HELD.seed, second, *ORDER[2:]]))
    assert "has its seed: a plan is drawn from once" in str(found.findings[0])
    assert found.risks == check_audit(HELD.artifacts).risks


@pytest.mark.parametrize("at", range(len(HELD.counts)))
@pytest.mark.parametrize("change", ["figures", "missing", "box", "left out"])
def test_a_changed_count_contradicts_the_report(at: int, change: str) -> None:
    payload = parse_statement(HELD.counts[at]).payload
    assert isinstance(payload, AuditCount)
    totals = seen_in(payload.box)["totals"][0]
    more = type(totals)(contest="president", counts=(*totals.counts[1:], 0), blank=3, null=2, cards=totals.cards)
    signed = {
        "figures": [AUDITING.count(HELD.plan, box=payload.box, totals=(more,))],
        "missing": [AUDITING.count(HELD.plan, box=payload.box, totals=(), status="missing")],
        "box": [AUDITING.count(HELD.plan, **(seen_in(payload.box) | {"box": "cellar"}))],
        "left out": [],
    }[change]
    counts = [*HELD.counts[:at], *signed, *HELD.counts[at + 1 :]]
    found = check_audit(logged([HELD.plan, HELD.seed, *counts, HELD.signed_report]))
    assert "report" in codes(found)
    if change == "box":
        assert "count" in codes(found)


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "continuing"},
        {"outcome": "full-count"},
        {"risks": (ContestRisk(contest="president", risk="0.001"),)},
        {"risks": (ContestRisk(contest="president", risk="0"),)},
        {"report": bytes(32)},
        {"size": 9},
        {"size": 999},
    ],
)
def test_a_signed_report_that_says_something_else(given: dict[str, Any]) -> None:
    fields = {name: getattr(parse_statement(HELD.signed_report).payload, name) for name in ("size", "outcome", "risks", "report")}
    signed = AUDITING.report(HELD.plan, HELD.seed, **(fields | given))
    assert check_audit(logged([*ORDER[:-1], signed])).findings


@pytest.mark.parametrize(
    "given",
    [{"name": "others"}, {"size": 6}, {"root": bytes(32)}, {"risk_limit": "0.1"}, {"plan": bytes(32)}, {"files": ()}],
)
def test_a_signed_plan_that_says_something_else(given: dict[str, Any]) -> None:
    payload = parse_statement(HELD.plan).payload
    fields = {name: getattr(payload, name) for name in ("name", "size", "root", "risk_limit", "plan", "files", "board")}
    plan = AUDITING.plan(**(fields | given))
    seed = AUDITING.seed(plan, AUDITORS[1])
    found = check_audit(logged([plan, seed]))
    assert codes(found) & {"plan", "results"}


def rebuilt(change: Callable[[bytes], bytes]) -> Artifacts:
    """An audit that was planned on other totals from the beginning, with everything signed and registered for them."""
    plan = json.loads(HELD.artifacts.files["plan.json"])
    totals = change(HELD.artifacts.files["totals.csv"])
    plan["files"]["totals.csv"] = {"sha256": hashlib.sha256(totals).hexdigest(), "size": len(totals)}
    for test, votes in zip(plan["contests"][0]["tests"], ((1, -1, 0), (1, 0, -1)), strict=True):
        rows = [line.split(",")[-1].split() for line in totals.decode().splitlines()[1:]]
        test["total"] = sum(weight * int(vote) for row in rows for weight, vote in zip(votes, row, strict=True))
    data = _encoded(plan)
    named = tuple(
        AuditFile(name=name, sha256=bytes.fromhex(file["sha256"]), size=file["size"])
        for name, file in sorted(plan["files"].items())
    )
    signed = parse_statement(HELD.plan).payload
    fields = {name: getattr(signed, name) for name in ("name", "size", "root", "risk_limit")}
    statement = AUDITING.plan(files=named, plan=hashlib.sha256(data).digest(), **fields)
    return replace(
        logged([statement]), files={"plan.json": data, "totals.csv": totals, "manifest.csv": HELD.artifacts.files["manifest.csv"]}
    )


def test_totals_that_are_not_the_published_ones_are_found_although_everything_is_signed() -> None:
    assert check_audit(rebuilt(lambda data: data)).passed
    swapped = check_audit(rebuilt(lambda data: data.replace(b"50 20 10", b"48 22 10", 1)))
    assert [each.code for each in swapped.findings] == ["results"]
    assert "not those of the log at size 7 in box a1 (president)" in str(swapped.findings[0])
    moved = rebuilt(lambda data: data.replace(b"50 20 10", b"XX").replace(b"48 22 10", b"50 20 10").replace(b"XX", b"48 22 10"))
    assert "in box a1 (president), a2 (president)" in str(check_audit(moved).findings[0])


def test_a_report_on_other_counts_is_found() -> None:
    fewer = make_report(
        HELD.files, statement_hash(HELD.plan), statement_hash(HELD.seed), HELD.sample, counted(HELD.counts[:3]), HELD.report.size
    )
    found = check_audit(HELD.changed(report__json=fewer.encode()))
    assert any("says otherwise than plan, seed and counts in: " in str(each) for each in found.findings)


@pytest.mark.parametrize("data", [b"", b"\xd2", b"\x00" * 200, b"{}", HELD.plan[:-1]])
def test_hostile_bytes_are_findings(data: bytes) -> None:
    for at in range(len(ORDER)):
        entries = [*ORDER[:at], data, *ORDER[at + 1 :]]
        assert not check_audit(without_log(HELD.changed([Entry(entry) for entry in entries]))).passed
    for name in HELD.artifacts.files:
        assert not check_audit(HELD.changed(**{name.replace(".", "__"): data})).passed
