"""Announcements of docs/cases held against published sheets of the same elections: exact differences, and exact bounds."""

import functools
from pathlib import Path

import numpy as np
import pytest

from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.claim_file import parse_claims
from scrutineer.calls.claims.record import Compared, Record, RecordAnswer, against
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.simulate.nights import Night, final_of_published
from shared_data import shared

pytestmark = pytest.mark.data

CASES = Path(__file__).resolve().parents[2] / "docs" / "cases"


@functools.lru_cache(maxsize=4)
def record(layout: str, file: str) -> Record:
    """A published set, every sheet of it counted."""
    terms = load_layout(layout)
    final = final_of_published(read_published(shared(file), terms), terms.strata)
    night = Night(final, np.arange(len(final.votes)))
    return Record.of_contest(night.partial(len(final.votes)), final.contest, terms.publisher, complete=False)


def announcement(name: str) -> Announcement:
    (found,) = parse_claims((CASES / f"{name}.toml").read_bytes(), name)
    return found


def row(answer: RecordAnswer, name: str) -> Compared:
    return next(row for row in answer.compared if row.name == name)


def test_poland_to_the_vote() -> None:
    answer = against(announcement("poland-2025-round-1"), record("poland-2025-round1", "forensics/poland-2025-round1.csv"))
    options = [compared for compared in answer.compared if compared.kind == "option"]
    assert len(options) == 13
    assert [compared.difference for compared in options] == [0] * 13
    assert answer.fits is True
    assert answer.statement == "The announced totals are those of the 32,143 published sheets, to the vote."


def test_georgia_to_the_vote() -> None:
    answer = against(announcement("georgia-2013"), record("georgia-2013", "forensics/georgia-2013-president.csv"))
    assert [compared.difference for compared in answer.compared if compared.kind == "option"] == [0, 0, 0]
    assert answer.fits is not False


@pytest.mark.parametrize(
    ("file", "layout", "sheets", "counted", "least"),
    [
        ("RESULTADOS_2024_CSV_V1.csv", "venezuela-2024-v1", 24_532, 7_156_462, 6_696_357),
        ("RESULTADOS_2024_CSV_V2.csv", "venezuela-2024-v2", 25_073, 7_303_480, 6_842_960),
    ],
)
def test_a_bulletin_and_published_sheets_that_cannot_both_be_right(
    file: str, layout: str, sheets: int, counted: int, least: int
) -> None:
    """The bound by hand: of 30,026 sheets at most 941 are left out, and those are taken where the option has most votes."""
    own = record(layout, f"venezuela-2024/{file}")
    answer = against(announcement("venezuela-2024-announcement-2"), own)
    compared = row(answer, "Edmundo González")
    votes = sorted(own.partial.votes[:, own.names.index(("EG", "Edmundo González"))].tolist())
    assert answer.moment.left_out == (937, 941)
    assert compared.counted == sum(votes) == counted
    assert compared.low == sum(votes[:-941]) == least
    assert answer.sheets == sheets
    assert answer.fits is False
    assert answer.statement == (
        f"The announced totals and these {sheets:,} published sheets cannot both be right: even if the 941 sheets that the "
        "announcement may leave out were those with the most votes for Edmundo González and no outstanding station had a vote "
        f"for Edmundo González, Edmundo González could have at least {least:,}, which is {least - 5_326_104:,} more than the "
        "5,326,104 announced."
    )
