"""A replay of an invented audit: it agrees, and whatever is changed in the report is named."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from arlo_reports import Votes, batch_report, table
from scrutineer.audits.replay.arlo import replay_arlo
from scrutineer.audits.replay.arlo_draws import arlo_contest, draw_batch_rounds, orders
from scrutineer.audits.replay.arlo_files import ArloFiles, Names, read_manifests, read_totals
from scrutineer.audits.replay.arlo_model import ReportedContest
from scrutineer.audits.replay.arlo_report import read_report
from scrutineer.audits.replay.arlo_risks import macro, printed
from scrutineer.audits.replay.checks import Verdict
from scrutineer.audits.replay.plain import Contest, draw, draw_ballots, risk
from scrutineer.audits.sampling.ppeb import ArloBatch
from scrutineer.errors import AuditError

SEED = "27182818284590452353"
COUNTIES = ("Alder", "DeVere", "Decoy", "Finch Hill")
BATCHES = {
    (county, f"Box {number}"): (200, {"Heron": 110 + 2 * number, "Wren": 80 - number})
    for county in COUNTIES
    for number in range(1, 9)
}
TOTALS = {name: sum(votes[name] for _, votes in BATCHES.values()) for name in ("Heron", "Wren")}


def files() -> ArloFiles:
    names = Names(COUNTIES)

    def rows(county: str) -> list[tuple[str, int, dict[str, int]]]:
        return [(key[1], *value) for key, value in BATCHES.items() if key[0] == county]

    manifests = [
        (f"{county}/m.csv", table("Batch Name,Number of Ballots", [each[:2] for each in rows(county)])) for county in COUNTIES
    ]
    totals = [
        (f"{county}/t.csv", table("Batch Name,Heron,Wren", [(each[0], *each[2].values()) for each in rows(county)]))
        for county in COUNTIES
    ]
    return ArloFiles(read_manifests(manifests, names), read_totals(totals, names))


def audited(order: Mapping[tuple[str, str], tuple[int, dict[str, int]]] = BATCHES) -> bytes:
    """The report of two rounds, of 5 and 3 draws, in which one batch was found to have 3 votes less for the winner."""
    rounds = draw(SEED, order, Contest(TOTALS), [5, 3])
    counted: dict[tuple[str, str], Votes] = {each.batch: BATCHES[each.batch][1] for of in rounds for each in of}
    wrong = rounds[0][0].batch
    counted[wrong] = {"Heron": BATCHES[wrong][1]["Heron"] - 3, "Wren": BATCHES[wrong][1]["Wren"]}
    rows = []
    for key in counted:
        parts = [
            f"Round {number}: " + ", ".join(sorted(each.ticket for each in of if each.batch == key))
            for number, of in enumerate(rounds, 1)
            if any(each.batch == key for each in of)
        ]
        rows.append((*key, {"Mayor": ", ".join(parts)}, {"Mayor": BATCHES[key][1]}, {"Mayor": counted[key]}))
    lines = []
    for number, of in enumerate(rounds, 1):
        found = {name: sum(counted[key][name] for key in {each.batch for each in of}) for name in TOTALS}
        p_value = printed(risk(order, Contest(TOTALS), rounds[:number], {k: counted[k] for of in rounds[:number] for _, k in of}))
        lines.append((number, "Mayor", len(of), p_value, found))
    return batch_report(SEED, {"Mayor": (1, TOTALS)}, lines, rows, batch_votes=TOTALS)


REPORT = audited()


def test_it_agrees():
    replay = replay_arlo(read_report("report.csv", REPORT), files())
    assert replay.agrees
    assert [(check.subject, check.round, check.compared) for check in replay.checks] == [
        ("ticket numbers", 0, 8),
        ("votes of all batches", 0, 1),
        ("drawn batches", 1, 5),
        ("drawn batches", 2, 3),
        ("P-value", 1, 1),
        ("P-value", 2, 1),
        ("audited votes", 1, 1),
        ("audited votes", 2, 1),
        ("reported votes", 0, len({each.batch for of in draw(SEED, BATCHES, Contest(TOTALS), [5, 3]) for each in of})),
    ]


def test_an_order_of_jurisdictions_is_found_and_named():
    letters = dict(sorted(BATCHES.items(), key=lambda item: item[0][0]))
    assert list(letters) == list(BATCHES), "as Python sorts it, DeVere stands before Decoy"
    assert [order for _, order in orders(COUNTIES)] == [("Alder", "Decoy", "DeVere", "Finch Hill"), COUNTIES]
    collated = dict(sorted(BATCHES.items(), key=lambda item: item[0][0].lower()))
    other = audited(collated)
    assert other != REPORT, "the order is part of the draw"
    for report, words in ((REPORT, "letter by letter"), (other, "capital letters and spaces not counting")):
        replay = replay_arlo(read_report("report.csv", report), files())
        assert replay.agrees
        assert words in replay.notes[0]


def test_totals_that_were_put_in_order_afterwards():
    """The draw went by the manifest's order; the published totals are in another."""
    given = files()
    turned = tuple(replace(each, rows=tuple(reversed(each.rows))) for each in given.totals)
    replay = replay_arlo(read_report("report.csv", REPORT), replace(given, totals=turned))
    assert replay.agrees
    assert replay.notes[0].endswith("and their batches as the manifest has them.")


def changed(old: str, new: str) -> bytes:
    assert old.encode() in REPORT
    return REPORT.replace(old.encode(), new.encode(), 1)


TICKETS = [each.ticket for of in draw(SEED, BATCHES, Contest(TOTALS), [5, 3]) for each in of]
LINES = REPORT.decode().split("\r\n")
FIRST = LINES.index("######## SAMPLED BATCHES ########") + 2


@pytest.mark.parametrize(
    ("report", "subjects"),
    [
        (changed(TICKETS[1], TICKETS[1][:-1] + str((int(TICKETS[1][-1]) + 1) % 10)), {"ticket numbers", "drawn batches"}),
        (changed(SEED, SEED[:-1] + "4"), {"ticket numbers", "drawn batches"}),
        ("\r\n".join(LINES[:FIRST] + LINES[FIRST + 1 :]).encode(), {"drawn batches", "P-value", "audited votes"}),
        (changed(f"Wren: {TOTALS['Wren']},", f"Wren: {TOTALS['Wren'] + 100},"), {"P-value"}),
        (
            changed(f";Heron: {TOTALS['Heron']}"[1:] + f"; Wren: {TOTALS['Wren']},0", f"Heron: 9; Wren: {TOTALS['Wren']},0"),
            {"votes of all batches"},
        ),
        (changed(f",{read_report('r', REPORT).rounds[0].p_value},", ",0.0499,"), {"P-value"}),
        (changed("1,Mayor,Targeted,5", "1,Mayor,Targeted,6"), {"drawn batches"}),
    ],
)
def test_whatever_is_changed_is_named(report: bytes, subjects: set[str]):
    replay = replay_arlo(read_report("report.csv", report), files())
    assert not replay.agrees
    assert {check.subject for check in replay.of(Verdict.DIFFERS)} == subjects
    assert all(check.differences for check in replay.of(Verdict.DIFFERS))


def test_without_files_the_tickets_are_checked_alone():
    replay = replay_arlo(read_report("report.csv", REPORT), ArloFiles())
    assert {check.subject for check in replay.of(Verdict.AGREES)} == {"ticket numbers", "audited votes"}
    assert {check.subject for check in replay.of(Verdict.NOT_COMPUTED)} == {"drawn batches", "P-value"}
    assert all("manifests" in check.reason for check in replay.of(Verdict.NOT_COMPUTED))


def test_files_that_do_not_belong_together_are_named():
    given = files()
    short = ArloFiles(given.manifest[1:], given.totals)
    replay = replay_arlo(read_report("report.csv", REPORT), short)
    (check, _) = [check for check in replay.of(Verdict.NOT_COMPUTED) if check.subject == "drawn batches"]
    assert check.reason == "Alder/t.csv: the manifest of Alder has no batch 'Box 1'; give the one of this audit"


def test_a_round_of_all_batches_takes_each_once():
    contest = arlo_contest(ReportedContest("Mayor", True, 1, 1, 400, ("Heron", "Wren"), (220, 160)))
    batches = [ArloBatch(("Alder", f"Box {number}"), (110, 80), 200) for number in (1, 2)]
    (draws,) = draw_batch_rounds(SEED, contest, batches, [2])
    assert [each.batch for each in draws] == [("Alder", "Box 1"), ("Alder", "Box 2")]
    tickets = [(each.ticket, each.batch) for each in draws]
    assert macro(contest, batches, tickets, dict.fromkeys([("Alder", "Box 1"), ("Alder", "Box 2")], (110, 80)), {}) == 0


def test_by_hand():
    contest = Contest(TOTALS)
    rounds = draw(SEED, BATCHES, contest, [5])
    clean = {each.batch: BATCHES[each.batch][1] for each in rounds[0]}
    assert 0 < risk(BATCHES, contest, rounds, clean) < 1
    worse = risk(
        BATCHES, contest, rounds, {key: {"Heron": votes["Heron"] - 5, "Wren": votes["Wren"]} for key, votes in clean.items()}
    )
    assert worse > risk(BATCHES, contest, rounds, clean)
    with pytest.raises(AuditError, match="was drawn, and its count"):
        risk(BATCHES, contest, rounds, {})
    with pytest.raises(AuditError, match="no choice 'Owl'"):
        risk(BATCHES, contest, rounds, {rounds[0][0].batch: {"Owl": 1}})
    first, second = draw_ballots(SEED, {("Alder", None, "Box 1"): 30, ("Alder", None, "Box 2"): 10}, [3, 2])
    assert (len(first), len(second)) == (3, 2)
    assert first + second == draw_ballots(SEED, {("Alder", None, "Box 2"): 10, ("Alder", None, "Box 1"): 30}, [5])[0]
