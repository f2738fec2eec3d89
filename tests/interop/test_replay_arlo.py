"""Audits of Arlo's tests, replayed from what it would have published of them.

Votes, ticket numbers and P-values are those of votingworks/arlo (8d86156): server/tests/batch_comparison with its conftest.py and
snapshots/, ballot_comparison/snapshots/snap_test_ballot_comparison.py, ballot_polling, hybrid, test_multi_winner_contest.py,
test_offline_data_entry.py, and audit_math/test_minerva2.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from arlo_reports import Votes, batch_report, report, table
from scrutineer.audits.replay.arlo import replay_arlo
from scrutineer.audits.replay.arlo_files import ArloFiles, Names, read_manifests, read_totals
from scrutineer.audits.replay.arlo_model import ReportedContest
from scrutineer.audits.replay.arlo_report import read_report
from scrutineer.audits.replay.arlo_risks import bravo, printed, providence, with_not_found
from scrutineer.audits.replay.checks import Replay, Verdict

CHOICES = ("candidate 1", "candidate 2", "candidate 3")
WHOLE = {"Contest 1": (2, dict(zip(CHOICES, (5000, 2500, 2500), strict=True)))}
Batch = tuple[int, tuple[int, ...]]
COUNTIES: dict[str, dict[str, Batch]] = {
    "J1": {
        **{f"Batch {number}": (500, (500, 250, 250)) for number in range(1, 5)},
        **{f"Batch {number}": (100, (100, 50, 50)) for number in range(5, 10)},
    },
    "J2": {
        **{f"Batch {number}": (500, (500, 250, 250)) for number in range(1, 5)},
        "Batch 5": (250, (300, 100, 100)),
        "Batch 6": (250, (200, 150, 150)),
    },
}
GROUPS = {
    "J1": dict.fromkeys(range(1, 5), "Absentee by Mail") | dict.fromkeys(range(5, 9), "Provisional") | {9: "Election Day"},
    "J2": {
        1: "Election Day",
        2: "Elections Day",
        3: "Advance Voting",
        4: "Advanced Voting",
        5: "Advanced Voting",
        6: "Provisional",
    },
}
DRAWN = {
    ("J1", "Batch 1"): "Round 1: 0.720194360819624066",
    ("J1", "Batch 2"): "Round 1: 0.474971525750860236",
    ("J1", "Batch 4"): "Round 1: 0.9553762217707628661",
    ("J1", "Batch 6"): "Round 1: 0.899217854763070950",
    ("J1", "Batch 8"): "Round 1: 0.9723790677174592551",
    ("J2", "Batch 3"): "Round 1: 0.368061935896261076, 0.733615858338543383",
}
"""What seed 1234567890 draws in 7 draws."""


def named(votes: Sequence[int]) -> Votes:
    return dict(zip(CHOICES, votes, strict=True))


def files(groups: Mapping[str, Mapping[int, str]] | None = None) -> ArloFiles:
    names = Names(("J1", "J2"))
    manifests = []
    for county, batches in COUNTIES.items():
        rows = [(name, ballots, (groups or {}).get(county, {}).get(int(name[6:]), "")) for name, (ballots, _) in batches.items()]
        manifests.append((f"{county}/manifest.csv", table("Batch Name,Number of Ballots,Container", rows)))
    totals = [
        (
            f"{county}/totals.csv",
            table("Batch Name," + ",".join(CHOICES), [(name, *votes) for name, (_, votes) in batches.items()]),
        )
        for county, batches in COUNTIES.items()
    ]
    return ArloFiles(read_manifests(manifests, names), read_totals(totals, names))


def verdicts(replay: Replay) -> dict[tuple[str, int], tuple[Verdict, int, int]]:
    return {(check.subject, check.round): (check.verdict, check.compared, check.differing) for check in replay.checks}


def row(key: tuple[str, str], tickets: str, found: Sequence[int] | None = None):
    reported = named(COUNTIES[key[0]][key[1]][1])
    return (*key, {"Contest 1": tickets}, {"Contest 1": reported}, {"Contest 1": reported if found is None else named(found)})


def test_batches_that_were_counted_together_as_reports_of_2025_have_them():
    """Those of Arlo at e.g. 1e29137 (November 2024): rows of the batches drawn, and one of all that were counted together."""
    rows = [row(key, tickets) for key, tickets in DRAWN.items() if key[1] not in ("Batch 1", "Batch 2")]
    for key in (("J1", "Batch 1"), ("J1", "Batch 2")):
        rows.append((*key, {"Contest 1": DRAWN[key]}, {"Contest 1": named((500, 250, 250))}, {}))
    rows.append(("J1", "Both", {}, {"Contest 1": named((1500, 750, 750))}, {"Contest 1": named((1500, 745, 755))}))
    cells = {"Batch 1": "Both", "Batch 2": "Both", "Both": "Combines Batch 1, Batch 2, Batch 3"}
    figures = [(1, "Contest 1", 7, "0.0593159059", named((2700, 1345, 1355)))]
    replay = replay_arlo(read_report("report.csv", batch_report("1234567890", WHOLE, figures, rows, combined=cells)), files())
    assert replay.agrees
    assert verdicts(replay)["ticket numbers", 0] == (Verdict.AGREES, 7, 0)


def test_p_values_of_before_november_2024_end_where_the_limit_was_met():
    """Arlo at 18b0613 (June 2024), where batches 5 and 6 of J2 had 100, 50 and 50 votes.

    There were no pending ballots, votes missing from the batches did not lower the margin, and the last tickets do not count.
    """
    drawn = {key: tickets for key, tickets in DRAWN.items() if key[1] not in ("Batch 1", "Batch 2", "Batch 4")}
    drawn["J1", "Batch 1"] = "Round 1: 0.720194360819624066, 0.777128466487428756"
    drawn["J1", "Batch 3"] = "Round 1: 0.753710009967479876"
    data = batch_report(
        "1234567890",
        WHOLE,
        [(1, "Contest 1", 7, "0.0825517715", named((1700, 850, 850)))],
        [row(key, tickets) for key, tickets in drawn.items()],
    )
    data = data.replace(b",Vote Totals,Vote Totals from Batches,Pending Ballots", b",Tabulated Votes").replace(
        b",,0\r\n", b"\r\n"
    )
    given = files()
    smaller = {"Batch 5": (100, 50, 50), "Batch 6": (100, 50, 50)}
    rows = tuple((name, smaller.get(name, votes)) for name, votes in given.totals[1].rows)
    then = ArloFiles(given.manifest, (given.totals[0], replace(given.totals[1], rows=rows)))
    replay = replay_arlo(read_report("report.csv", data), then)
    assert verdicts(replay)["P-value", 1] == (Verdict.AGREES, 1, 0)
    assert verdicts(replay)["drawn batches", 1] == (Verdict.AGREES, 7, 0)
    assert any("until the risk limit was met" in note for note in replay.notes)


def test_batches_that_were_counted_together():
    rows = [row(key, tickets) for key, tickets in DRAWN.items() if key[1] not in ("Batch 1", "Batch 2")]
    tickets = f"{DRAWN['J1', 'Batch 1']} (Batch 1); {DRAWN['J1', 'Batch 2']} (Batch 2)"
    both = ({"Contest 1": named((1500, 750, 750))}, {"Contest 1": named((1500, 745, 755))})
    rows.append(("J1", "Combined Batch", {"Contest 1": tickets}, *both))
    data = batch_report(
        "1234567890",
        WHOLE,
        [(1, "Contest 1", 7, "0.0593159059", named((2700, 1345, 1355)))],
        rows,
        combined={"Combined Batch": "Combines Batch 1, Batch 2, Batch 3"},
    )
    found = verdicts(replay_arlo(read_report("report.csv", data), files()))
    assert found == {
        ("ticket numbers", 0): (Verdict.AGREES, 7, 0),
        ("drawn batches", 1): (Verdict.AGREES, 7, 0),
        ("P-value", 1): (Verdict.AGREES, 1, 0),
        ("audited votes", 1): (Verdict.AGREES, 1, 0),
        ("reported votes", 0): (Verdict.AGREES, 5, 0),
    }


def test_ballots_that_were_still_pending():
    rows = [row(key, tickets) for key, tickets in DRAWN.items()] + [row(("J2", "Batch 4"), "Round 1: 0.608147659546583410")]
    data = batch_report("1234567890", WHOLE, [(1, "Contest 1", 8, "0.05764801", named((2700, 1350, 1350)))], rows, pending=250)
    replay = replay_arlo(read_report("report.csv", data), files())
    assert replay.agrees
    assert not replay.of(Verdict.NOT_COMPUTED)


def test_batches_on_top_by_counting_group():
    counted = {
        ("J1", "Batch 1"): (400, 50, 40),
        ("J1", "Batch 2"): (400, 50, 40),
        ("J1", "Batch 4"): (500, 250, 240),
        ("J1", "Batch 6"): (100, 50, 40),
        ("J2", "Batch 3"): (100, 100, 40),
    }
    rows = [row(key, tickets, counted.get(key)) for key, tickets in DRAWN.items()]
    rows += [row(("J1", "Batch 9"), "Round 1: EXTRA", (0, 0, 0)), row(("J2", "Batch 6"), "Round 1: EXTRA", (1, 200, 200))]
    data = batch_report("1234567890", WHOLE, [(1, "Contest 1", 7, "0.1316872428", named((1600, 550, 450)))], rows)
    replay = replay_arlo(read_report("report.csv", data), files(GROUPS))
    assert verdicts(replay)["batches on top", 1] == (Verdict.AGREES, 2, 0)
    assert replay.agrees


RECORDED = """
J1 TABULATOR1 BATCH1 1 0.243550726331576894 2 2
J1 TABULATOR1 BATCH2 2 0.125871889047705889 2 2
J1 TABULATOR1 BATCH2 3 0.126622033568908859+0.570682515619614792 1 12
J1 TABULATOR2 BATCH2 2 0.053992217600758631+0.528652598036440834 12 12
J1 TABULATOR2 BATCH2 3 0.255119157791673311 0 1
J1 TABULATOR2 BATCH2 4 0.064984443990590400,0.069414660569975443 0 0
J1 TABULATOR2 BATCH2 5 0.442956417641278897+0.492638838970333256 0 -
J1 TABULATOR2 BATCH2 6 0.300053574780458718+0.539920212714138536 ! !
J2 TABULATOR1 BATCH1 1 0.476019554092109137 2 1
J2 TABULATOR1 BATCH1 3 0.242392535590495322 2 2
J2 TABULATOR1 BATCH2 1 0.200269401620671924+0.588219390083415326 1 1
J2 TABULATOR2 BATCH1 1 0.174827909206366766 1 1
J2 TABULATOR2 BATCH2 1 0.185417954749015145 1 1
J2 TABULATOR2 BATCH2 2 0.252054739518646128,0.297145021317217438 12 12
J2 TABULATOR2 BATCH2 3 0.179114059650472941,0.443867094961314498+0.553767880261132538 0 -
J2 TABULATOR2 BATCH2 5 0.462119987445142117 0 -
J2 TABULATOR2 BATCH2 6 0.414184312862040881 ? 1
J2 TABULATOR1 BATCH1 2 +0.511105635717372621,0.583472201399663519 1 1
J2 TABULATOR1 BATCH2 3 +0.556310137163677574 1 1
J2 TABULATOR2 BATCH2 4 +0.583133559190710795 0 -
"""
"""A comparison of ballots: jurisdiction, tabulator, batch, position, ticket numbers of both rounds, choices recorded and found.
0 is a blank, - a ballot without the contest, ! one that was not found, ? one without a record."""

MANIFEST = [("TABULATOR1", "BATCH1", 3), ("TABULATOR1", "BATCH2", 3), ("TABULATOR2", "BATCH1", 3), ("TABULATOR2", "BATCH2", 6)]


def comparison(p_values: tuple[str, str]) -> bytes:
    words = {"0": ("Blank", "BLANK"), "-": ("", "CONTEST_NOT_ON_BALLOT"), "!": ("", ""), "?": ("", "")}
    words |= {each: (", ".join(f"Choice 1-{mark}" for mark in each),) * 2 for each in ("1", "2", "12")}
    rows = []
    for line in RECORDED.split("\n")[1:-1]:
        *where, tickets, recorded, found = line.split()
        text = [f"Round {number}: {part.replace(',', ', ')}" for number, part in enumerate(tickets.split("+"), 1) if part]
        imprinted = "" if recorded in "!?" else "1-1"
        status = "NOT_FOUND" if found == "!" else "AUDITED"
        rows.append([*where, imprinted, ", ".join(text), status, words[recorded][0], words[found][1] if found != "!" else ""])
    return report(
        "BALLOT_COMPARISON",
        "SUPERSIMPLE",
        "1234567890",
        contests=[("Contest 1", True, 1, 1, 30, {"Choice 1-1": 14, "Choice 1-2": 6})],
        rounds=[
            (1, "Contest 1", "Targeted", 20, "No", p_values[0], "Choice 1-1: 10; Choice 1-2: 7"),
            (2, "Contest 1", "Targeted", 10, "Yes", p_values[1], "Choice 1-1: 6; Choice 1-2: 2"),
        ],
        columns=[
            *("Jurisdiction Name", "Tabulator", "Batch Name", "Ballot Position", "Imprinted ID", "Ticket Numbers: Contest 1"),
            *("Audited?", "CVR Result: Contest 1", "Audit Result: Contest 1"),
        ],
        rows=rows,
    )


def ballot_files() -> ArloFiles:
    data = table("Tabulator,Batch Name,Number of Ballots", MANIFEST)
    return ArloFiles(read_manifests([(f"{county}/manifest.csv", data) for county in ("J1", "J2")], Names(("J1", "J2"))))


def test_a_comparison_of_ballots_in_two_rounds():
    found = verdicts(replay_arlo(read_report("report.csv", comparison(("1.0", "0"))), ballot_files()))
    assert found == {
        ("ticket numbers", 0): (Verdict.AGREES, 30, 0),
        ("drawn ballots", 1): (Verdict.AGREES, 20, 0),
        ("drawn ballots", 2): (Verdict.AGREES, 10, 0),
        ("audited votes", 1): (Verdict.AGREES, 1, 0),
        ("audited votes", 2): (Verdict.AGREES, 1, 0),
        ("P-value", 1): (Verdict.AGREES, 1, 0),
        ("P-value", 2): (Verdict.AGREES, 1, 0),
    }


def contest(votes: tuple[int, ...], winners: int = 1, ballots: int = 1000) -> ReportedContest:
    return ReportedContest("Contest 1", True, winners, 1, ballots, tuple(map(str, range(len(votes)))), votes)


@pytest.mark.parametrize(
    ("votes", "winners", "ballots", "rounds", "published"),
    [
        ((600, 400), 1, 1000, [((50, 30), 0)], "0.08876425"),
        ((600, 400), 1, 1000, [((65, 54), 0)], "1.0"),
        ((600, 400), 1, 1000, [((119, 0), 11)], "0.0000000044"),
        ((200, 300, 100), 2, 600, [((57, 55, 0), 10)], "0.0000043592"),
        ((200, 300, 100), 2, 600, [((30, 45, 20), 0)], "0.5938312972"),
        ((600, 300, 100), 2, 1000, [((24, 14, 10), 0), ((50, 20, 2), 0)], "0.0042194626"),
        ((600, 400), 1, 1600, [((134, 57), 0)], "0.0000081957"),
        ((800, 650), 1, 1600, [((0, 0), 0), ((618, 274), 0)], "<0.0000000001"),
        ((1_000_000, 999_000, 1000), 1, 2_000_000, [((1_000_000, 999_000, 1000), 0)], "0"),
    ],
)
def test_bravo_as_arlo_prints_it(
    votes: tuple[int, ...], winners: int, ballots: int, rounds: list[tuple[tuple[int, ...], int]], published: str
):
    one = contest(votes, winners, ballots)
    assert printed(bravo(one, with_not_found(one, rounds))) == published


@pytest.mark.parametrize(
    ("votes", "winners", "rounds", "published"),
    [
        ((400, 400, 200, 100), 2, [(40, 40, 18, 2)], 0.0064653703790821795),
        ((400, 400, 200, 100), 2, [(30, 30, 30, 10)], 0.552702598296842),
        ((450, 400), 1, [(54, 46), (55, 45)], 0.3614293635757271),
    ],
)
def test_providence(votes: tuple[int, ...], winners: int, rounds: list[tuple[int, ...]], published: float):
    assert providence(contest(votes, winners), rounds) == pytest.approx(published, rel=1e-9)


HYBRID = """
TABULATOR1 BATCH1 1 0.243550726331576894
TABULATOR1 BATCH2 2 0.125871889047705889
TABULATOR1 BATCH2 3 0.126622033568908859
TABULATOR2 BATCH2 2 0.053992217600758631
TABULATOR2 BATCH2 3 0.255119157791673311
TABULATOR2 BATCH2 4 0.064984443990590400,0.069414660569975443
TABULATOR3 BATCH1 1 0.029052899542529576
TABULATOR3 BATCH1 2 0.078395302081543460
TABULATOR3 BATCH1 3 0.041030221525069793
TABULATOR3 BATCH1 5 0.072664791498577026
TABULATOR3 BATCH1 9 0.293674693309260219
TABULATOR3 BATCH1 10 0.199742518299743122
"""
"""J1's share of a hybrid audit: ballots of tabulators 1 and 2 have records and are drawn with replacement, the others without."""


def test_the_tickets_of_a_hybrid_audit_follow_from_seed_and_names():
    rows = [
        ["J1", *line.split()[:3], "", f"Round 1: {line.split()[3].replace(',', ', ')}", "AUDITED"]
        for line in HYBRID.split("\n")[1:-1]
    ]
    data = report(
        "HYBRID",
        "SUITE",
        "1234567890",
        contests=[("Contest 1", True, 1, 1, 50, {"Choice 1-1": 30, "Choice 1-2": 10})],
        rounds=[(1, "Contest 1", "Targeted", 23, "No", "", "")],
        columns=[
            "Jurisdiction Name",
            "Tabulator",
            "Batch Name",
            "Ballot Position",
            "Imprinted ID",
            "Ticket Numbers: Contest 1",
            "Audited?",
        ],
        rows=rows,
    )
    manifest = table(
        "Tabulator,Batch Name,Number of Ballots,CVR", [(*row, "Y") for row in MANIFEST] + [("TABULATOR3", "BATCH1", 10, "N")]
    )
    both = ArloFiles(read_manifests([(f"{county}/m.csv", manifest) for county in ("J1", "J2")], Names(("J1", "J2"))))
    replay = replay_arlo(read_report("report.csv", data), both)
    assert verdicts(replay)["ticket numbers", 0] == (Verdict.AGREES, 13, 0)
    assert read_report("report.csv", data).risk_limit == Decimal("0.1")
