"""What the field gets to know: boxes and questions, and of reported figures nothing."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from audit_artifacts import ELECTION, RESULTS, held
from scrutineer.audits.fieldwork.page import entry_page
from scrutineer.audits.fieldwork.papers import PAPERS
from scrutineer.audits.fieldwork.work import FieldWork, PaperCode, field_work, read_code
from scrutineer.audits.sampling.sample import Sample
from scrutineer.errors import AuditError, ScrutineerError
from scrutineer.statements import statement_hash


def work_of(design: str, first_draw: int = 1) -> FieldWork:
    audit = held(design)
    return field_work(
        audit.files, audit.sample, ELECTION, planned=statement_hash(audit.plan), title="Counted again", first_draw=first_draw
    )


def test_every_drawn_box_once_in_the_order_of_the_country() -> None:
    work, sample = work_of("batch-betting"), held("batch-betting").sample
    assert [box.name for box in work.boxes] == sorted(sample.boxes())
    assert [draw.place for box in work.boxes for draw in box.draws if not box.positions]
    assert sorted(draw.place for box in work.boxes for draw in box.draws) == list(range(1, len(sample) + 1))
    assert work.boxes[0].way == ("North", f"Station {work.boxes[0].name}")
    assert [contest.id for contest in work.contests()] == ["president"]


@pytest.mark.parametrize("design", ["polling", "oneaudit", "comparison"])
def test_every_drawn_card_once(design: str) -> None:
    work, sample = work_of(design), held(design).sample
    assert [contest.id for contest in work.contests()] == ["president"]
    assert [(box.name, position) for box, position in work.cards()] == list(sample.units())


def test_a_later_round_leaves_out_what_was_fetched_before() -> None:
    sample = held("polling").sample
    work = work_of("polling", first_draw=11)
    before = {(ticket.box, ticket.position) for ticket in sample.tickets[:10]}
    assert {(box.name, position) for box, position in work.cards()} == sample.units().keys() - before
    assert field_work(held().files, Sample(()), ELECTION, planned=bytes(32), title="None").boxes == ()


@pytest.mark.parametrize("design", ["batch-betting", "polling"])
def test_no_reported_figure_reaches_the_field(design: str, tmp_path: Path) -> None:
    """The same boxes with other results give the same papers and the same page, to the byte."""
    audit, work = held(design), work_of(design)
    assert audit.files.totals is not None
    rows = {key: (cards, 0, tuple(0 for _ in votes)) for key, (cards, _, votes) in audit.files.totals.rows.items()}
    other = dataclasses.replace(audit.files, totals=dataclasses.replace(audit.files.totals, rows=rows))
    blind = field_work(other, audit.sample, ELECTION, planned=statement_hash(audit.plan), title="Counted again")
    assert blind == work
    assert entry_page(blind) == entry_page(work)
    if not Path("/usr/bin/pdftotext").exists():
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    sheets = subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=PAPERS["sheets"](work), capture_output=True, check=True, timeout=30
    ).stdout.decode()
    figures = {str(votes) for row in RESULTS.values() for votes in row} - {str(position) for _, position in work.cards()}
    assert not figures & set(sheets.split())


@pytest.mark.parametrize("box", ["a1", "Box: of 7 / #[]*_$\\", "קלפי 7", "x" * 120])
@pytest.mark.parametrize("position", [0, 1, 2_147_483_647])
def test_the_code_of_a_sheet_finds_its_box(box: str, position: int) -> None:
    code = PaperCode("00" * 8, "boxes-2", box, position)
    assert read_code(code.text()) == code


@pytest.mark.parametrize(
    "text", ["", "SCR1:ABC", f"SCRUTINEER-AUDIT:{'0' * 16}:a:01:b", f"SCRUTINEER-AUDIT:{'0' * 16}:a:0:", "https://example.org"]
)
def test_other_codes_are_refused(text: str) -> None:
    with pytest.raises(AuditError, match="not the code of a sheet"):
        read_code(text)
    with pytest.raises(ScrutineerError):
        read_code(f"SCRUTINEER-AUDIT:{'0' * 16}:a:0:{'x' * 121}")
