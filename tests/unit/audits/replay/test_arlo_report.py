"""The report that Arlo exports: its sections, the shapes of its cells, and reports that cannot be used."""

from decimal import Decimal

import pytest

from arlo_reports import batch_report
from scrutineer.audits.replay.arlo_model import EXTRA, ReportedTicket
from scrutineer.audits.replay.arlo_report import read_report
from scrutineer.audits.replay.arlo_sampled import tickets_in
from scrutineer.errors import AuditError

TOTALS = {"Heron": 60, "Wren": 40}
REPORT = batch_report(
    "123",
    {"Mayor": (1, TOTALS)},
    [(1, "Mayor", 2, "0.5", {"Heron": 60, "Wren": 40})],
    [("Finch", "Box 1", {"Mayor": "Round 1: 0.25, 0.5"}, {"Mayor": TOTALS}, {"Mayor": TOTALS})],
    pending=3,
)


def test_a_report():
    report = read_report("report.csv", REPORT)
    assert (report.audit, report.election, report.kind, report.math) == (
        "Heath audit",
        "Election of birds",
        "BATCH_COMPARISON",
        "MACRO",
    )
    assert (report.risk_limit, report.seed, report.online) == (Decimal("0.1"), "123", False)
    contest = report.contest("Mayor")
    assert (contest.votes, contest.choices, contest.pending, contest.ballots) == ((60, 40), ("Heron", "Wren"), 3, 5000)
    assert report.rounds_of("Mayor")[0].p_value == "0.5"
    (batch,) = report.batches
    assert batch.where.endswith("line 19")
    assert batch.tickets == {"Mayor": (ReportedTicket(1, "0.25", "Box 1"), ReportedTicket(1, "0.5", "Box 1"))}
    assert batch.found == {"Mayor": (60, 40)}


def test_tickets_of_batches_counted_together():
    found = tickets_in("there", "Round 1: 0.25, Round 2: 0.5, 0.75 (Box 1); Round 1: EXTRA (Box 2 (late))", "Both")
    assert found == (
        ReportedTicket(1, "0.25", "Box 1"),
        ReportedTicket(2, "0.5", "Box 1"),
        ReportedTicket(2, "0.75", "Box 1"),
        ReportedTicket(1, EXTRA, "Box 2 (late)"),
    )
    assert tickets_in("there", "", "Box") == ()
    for wrong in ("0.25", "Round 1: ", "Round 1: 0.25 0.5", "Round 0: 0.2", "Round 1: 0.2; 0.3", "Round 1: 1.2"):
        with pytest.raises(AuditError, match=r"there: .* are no ticket numbers"):
            tickets_in("there", wrong, "Box")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"######## ROUNDS ########", b"######## TURNS ########", "has no section ROUNDS"),
        (b"######## ROUNDS ########", b"######## CONTESTS ########", "section CONTESTS stands there again"),
        (b"######## ELECTION INFO ########\r\n", b"", "line 1: no section begins here"),
        (b"BATCH_COMPARISON", b"ROW_COMPARISON", "the audit type is 'ROW_COMPARISON'"),
        (b"10%", b"0%", "'0%' is no risk limit"),
        (b"10%,123", b"10%,", "no random seed"),
        (b"1,Mayor,Targeted", b"1,Major,Targeted", "CONTESTS has no contest 'Major'"),
        (b"1,Mayor,Targeted", b"2,Mayor,Targeted", "round 2 of contest 'Mayor' follows round 0"),
        (b",0.5,then", b",half,then", "'half' is no P-value"),
        (b"Finch,Box 1", b",Box 1", "a sampled batch without a jurisdiction or a name"),
        (b"Heron: 60; Wren: 40,Heron", b"Heron: 60; Owl: 40,Heron", "no choice 'Owl'"),
        (b"Batch Name", b"Batch", "no column is called 'Batch Name'"),
    ],
)
def test_reports_that_cannot_be_used(old: bytes, new: bytes, message: str):
    assert old in REPORT
    with pytest.raises(AuditError, match=message):
        read_report("report.csv", REPORT.replace(old, new, 1) if b"Heron" not in old else REPORT.replace(old, new))


@pytest.mark.parametrize(
    ("seed", "spoiled"), [("3.40538E+19", True), ("34053800000000000000", True), ("34053812345678901234", False)]
)
def test_a_seed_that_a_spreadsheet_cut_is_pointed_out(seed: str, spoiled: bool):
    report = read_report("report.csv", REPORT.replace(b"10%,123", f"10%,{seed}".encode()))
    assert bool(report.warnings) is spoiled
