"""The page of audits: what was planned, drawn, counted and reported, in the order of the log."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest

from portal_helpers import OFFICER, Published, key_of, made_up
from scrutineer.audits.plan_make import MadePlan, make_plan
from scrutineer.count import Count
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.portal.audit_pages import AUDITS_PER_PAGE, audit_pages
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from scrutineer.statements import (
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Decision,
    Figures,
    Payload,
    TallySheet,
    sign_statement,
    statement_hash,
)
from scrutineer.statements.audit import AuditFile, BoxTotals, ContestRisk
from site_pages import read_page

PRESIDENT = Contest("president", "President", "plurality", (Option("heron", "Heron"), Option("wren", "Wren")))
ROWS = [
    UnitRow("land", "", "Land of birds", "country", None),
    *(UnitRow(f"n{i}", "land", f"Station {i}", "station", 500) for i in range(3)),
]
SEED = "31415926535897932384"


def named(payload: Payload) -> bytes:
    return statement_hash(sign_statement(payload, OFFICER, key_of(OFFICER)))


def outcome_plan(election: Election) -> AuditPlan:
    return AuditPlan(
        election=election.hash,
        name="paper",
        about="outcome",
        title="Ballots against sheets",
        by="Court of <owls>",
        protocol="Boxes are drawn, and their ballots counted by hand.",
        size=1,
        root=bytes(32),
        risk_limit="0.05",
        plan=sha256(b"plan").digest(),
        contests=("president",),
        files=(AuditFile(name="manifest.csv", sha256=sha256(b"manifest").digest(), size=1_234),),
    )


def other_plan(election: Election, name: str = "rolls") -> AuditPlan:
    return AuditPlan(
        election=election.hash, name=name, about="rolls", title=f"The {name}", by="Chamber of wrens", protocol="Asked at doors."
    )


def seed_of(plan: AuditPlan) -> AuditSeed:
    return AuditSeed(election=plan.election, plan=named(plan), seed=SEED, how="Twenty dice", who="Anyone", when="At noon")


def count_of(plan: AuditPlan, box: str, **fields: object) -> AuditCount:
    given = {"totals": (BoxTotals(contest="president", counts=(10, 5)),), "counted_by": ("A", "B")} | fields
    return AuditCount(election=plan.election, plan=named(plan), box=box, **given)  # type: ignore[arg-type]


def told(say: Callable[[Election], Iterable[Payload]]) -> Published:
    return made_up(ROWS, (PRESIDENT,), lambda election: ((OFFICER, payload) for payload in say(election)))


def text_of(given: Published) -> str:
    (file,) = audit_pages(Pages(View(given.record)))
    return read_page(b"".join(file.chunks)).text


def test_without_a_plan_no_audit_was_held() -> None:
    assert "No audit has been planned." in text_of(told(lambda _: ()))


def test_an_audit_is_told_from_plan_to_report() -> None:
    def say(election: Election) -> Iterable[Payload]:
        plan = outcome_plan(election)
        seed = seed_of(plan)
        first = count_of(plan, "n0")
        yield plan
        yield seed
        yield first
        yield count_of(plan, "n0", replaces=named(first), note="Two ballots had stuck.", discrepancies=("two-cards",))
        yield count_of(plan, "n1", status="missing", totals=())
        yield AuditReport(
            election=election.hash,
            plan=named(plan),
            seed=named(seed),
            size=6,
            outcome="continuing",
            risks=(ContestRisk(contest="president", risk="0.25"),),
            report=bytes(32),
        )

    text = text_of(told(say))
    assert "held by Court of <owls>" in text
    assert "Plan: log entry 1" in text
    assert "Risk limit 0.05. It audits the results as they stood at log size 1." in text
    assert "31415 92653 58979 32384" in text
    assert "2 counts were registered. Counted: 1; Missing: 1." in text
    assert "1 earlier count was replaced; it stays in the log." in text
    assert "two cards taken for one, or one for two: 1" in text
    assert "Not confirmed yet; the audit goes on" in text
    assert "0.25" in text
    assert sha256(b"manifest").hexdigest() in text


@pytest.mark.parametrize(
    ("said", "mark"),
    [(0, "Planned"), (1, "Drawn; nothing has been counted yet"), (2, "Under way")],
    ids=["plan", "seed", "count"],
)
def test_an_audit_without_a_report_says_how_far_it_is(said: int, mark: str) -> None:
    def say(election: Election) -> Iterable[Payload]:
        plan = outcome_plan(election)
        return (plan, seed_of(plan), count_of(plan, "n2"))[: said + 1]

    text = text_of(told(say))
    assert mark in text
    assert ("Seed: none yet." in text) == (said == 0)


def test_audits_of_other_things_say_what_they_cannot_show() -> None:
    def say(election: Election) -> Iterable[Payload]:
        plan = other_plan(election)
        yield plan
        yield AuditReport(
            election=election.hash, plan=named(plan), size=2, outcome="held", found="Of 100, 99 were right.", shows="Little."
        )

    text = text_of(told(say))
    assert "It says nothing of how votes were counted." in text
    assert "Held; its findings are below" in text
    assert "Of 100, 99 were right. Little." in text
    assert "Seed:" not in text
    assert "Measured risk" not in text


def test_plans_of_a_contest_stand_together_with_what_has_no_report() -> None:
    def say(election: Election) -> Iterable[Payload]:
        plans = [msgspec.structs.replace(outcome_plan(election), name=name) for name in ("first", "second", "third", "fourth")]
        seeds = [
            msgspec.structs.replace(seed_of(plan), seed=SEED[:-1] + digit) for plan, digit in zip(plans, "1234", strict=True)
        ]
        yield from plans
        yield from seeds[:3]
        for plan, seed, outcome, risk in zip(plans, seeds, ("stopped", "confirmed"), ("0.4", "0.03"), strict=False):
            yield AuditReport(
                election=election.hash,
                plan=named(plan),
                seed=named(seed),
                size=8,
                outcome=outcome,  # type: ignore[arg-type]
                risks=(ContestRisk(contest="president", risk=risk),),
                report=bytes(32),
            )

    given = told(say)
    text = " ".join(text_of(given).split())
    assert "Which plans there are for each contest" in text
    assert "first: Stopped; nothing was confirmed" in text
    assert "second: Confirmed at the risk limit" in text
    assert "The log has 10 entries now." in text
    assert "third: drawn since log entry 7, no report yet" in text
    assert "fourth: planned since log entry 4, not drawn yet" in text
    befores = ("1 other audit of the same contests was", "2 other audits of the same contests were", "3 other audits of")
    assert all(f"Before it, {before}" in text for before in befores)


@pytest.mark.parametrize(("risk", "confirmed"), [("0.05", True), ("0.051", False)])
def test_a_contest_that_was_measured_alongside_is_not_called_confirmed(risk: str, confirmed: bool) -> None:
    def say(election: Election) -> Iterable[Payload]:
        plan = outcome_plan(election)
        yield plan
        yield seed_of(plan)
        yield AuditReport(
            election=election.hash,
            plan=named(plan),
            seed=named(seed_of(plan)),
            size=3,
            outcome="confirmed",
            risks=(ContestRisk(contest="president", risk=risk),),
            report=bytes(32),
        )

    text = " ".join(text_of(told(say)).split())
    assert ("paper: Confirmed at the risk limit" in text) == confirmed
    assert ("paper: ended; this contest was measured alongside, and is not confirmed" in text) != confirmed
    assert ("not confirmed" in text) != confirmed


def test_an_audit_links_its_report_once_that_is_published() -> None:
    def say(election: Election) -> Iterable[Payload]:
        plan = outcome_plan(election)
        yield plan
        seed = msgspec.structs.replace(seed_of(plan), head=bytes(32))
        yield seed
        risks = (ContestRisk(contest="president", risk="0.25"),)
        yield AuditReport(
            election=election.hash,
            plan=named(plan),
            seed=named(seed),
            size=3,
            outcome="continuing",
            risks=risks,
            report=bytes(32),
        )

    given = told(say)
    assert "Read the report" not in text_of(given)
    assert "that was to be shown before the throw: head.txt" in " ".join(text_of(given).split())
    record = replace(given.record, audits={"audits/paper/report.html": b"", "audits/paper/head.txt": b""})
    (file,) = audit_pages(Pages(View(record)))
    html = b"".join(file.chunks).decode()
    assert 'href="audits/paper/report.html">Read the report' in html
    assert 'href="audits/paper/head.txt"' in html


def test_a_long_programme_goes_over_several_pages() -> None:
    given = told(lambda election: (other_plan(election, f"a{n}") for n in range(AUDITS_PER_PAGE + 1)))
    paths = [file.path for file in audit_pages(Pages(View(given.record)))]
    assert len(paths) == 2
    assert paths[0] == "audits.html"


def test_results_that_changed_since_are_not_shown_as_confirmed() -> None:
    made: list[MadePlan] = []

    def say(election: Election) -> Iterable[tuple[str, Payload]]:
        definition = sign_statement(election.definition, OFFICER, key_of(OFFICER))
        sheets = [
            (station_issuer(f"n{i}"), TallySheet(election.hash, f"n{i}", "president", (200, 100), 0, 0, 300, 300, 500))
            for i in range(3)
        ]
        log = [definition, *(sign_statement(sheet, issuer, key_of(issuer)) for issuer, sheet in sheets)]
        count = Count(election)
        count.apply(log)
        made.append(make_plan(count, bytes(32), name="paper"))
        plan = msgspec.structs.replace(outcome_plan(election), size=len(log), plan=made[0].plan.hash)
        seed = seed_of(plan)
        risks = (ContestRisk(contest="president", risk="0.01"),)
        yield from sheets
        yield OFFICER, plan
        yield OFFICER, seed
        yield (
            OFFICER,
            AuditReport(
                election=election.hash,
                plan=named(plan),
                seed=named(seed),
                size=6,
                outcome="confirmed",
                risks=risks,
                report=bytes(32),
            ),
        )
        for number in range(3) if flipped else ():
            sheet = statement_hash(log[1 + number])
            after = Figures(counts=(50, 250), blank=0, null=0, cast=300)
            yield (
                OFFICER,
                Decision(
                    election=election.hash,
                    station=f"n{number}",
                    contest="president",
                    action="correct",
                    sheet=sheet,
                    after=after,
                    reason="Counted again.",
                ),
            )

    for flipped in (False, True):
        made.clear()
        given = made_up(ROWS, (PRESIDENT,), say)
        record = replace(given.record, audits={"audits/paper/plan.json": made[0].plan.encode()})
        (file,) = audit_pages(Pages(View(record)))
        text = read_page(b"".join(file.chunks)).text
        assert "For the outcome of President to be right" in text
        assert "Heron has more votes than Wren" in text
        assert ("What stands now was not confirmed by this audit: President." in text) == flipped
