"""Readers of published audits take any bytes: they give values or a named error, and what was written is what is read."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from arlo_reports import batch_report
from scrutineer.audits.replay.arlo_draws import batch_tickets, chained, draw_ballot_rounds
from scrutineer.audits.replay.arlo_files import ManifestBatch, Names, kind_of, read_manifests, read_totals
from scrutineer.audits.replay.arlo_report import read_report
from scrutineer.audits.replay.arlo_sampled import tickets_in
from scrutineer.audits.replay.colorado import replay_colorado
from scrutineer.audits.replay.colorado_files import read_files
from scrutineer.audits.replay.reading import names_in, votes_in
from scrutineer.errors import AuditError

UNTIMED = settings(deadline=None)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(str.strip).filter(bool)
VOTES = st.dictionaries(NAMES, st.integers(0, 10**9), min_size=2, max_size=5).filter(
    lambda votes: not any(": " in name or "; " in name or name.endswith(":") for name in votes)
)
PIECES = st.sampled_from(
    [
        *(b"######## ELECTION INFO ########\n", b"######## CONTESTS ########\n", b"######## ROUNDS ########\n"),
        *(b"######## AUDIT SETTINGS ########\n", b"######## SAMPLED BATCHES ########\n", b"Batch Name,Number of Ballots\n"),
        *(b"contest_name,ballot_card_count,optimistic_samples_to_audit\n", b"contest_name,contest_cvr_ids\n", b"seed\n"),
        *(b"Contest Name,Targeted?,Number of Winners,Votes Allowed,Total Ballots Cast,Vote Totals\n", b"1,2,3,4\n", b"a,[1,2]\n"),
        *(
            b"Audit Name,Audit Type,Audit Math Type,Risk Limit,Random Seed\n",
            b"a,BATCH_COMPARISON,MACRO,5%,1\n",
            b'"',
            b",",
            b"\xff",
        ),
    ]
)


@UNTIMED
@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join)))
def test_any_bytes_give_a_value_or_a_named_error(data: bytes):
    for read in (
        lambda: read_report("a.csv", data),
        lambda: kind_of("a.csv", data),
        lambda: read_manifests([("a.csv", data)], Names()),
        lambda: read_totals([("a.csv", data)], Names()),
        lambda: replay_colorado(read_files([("a.csv", data)])),
    ):
        with contextlib.suppress(AuditError):
            read()


@UNTIMED
@given(st.data())
def test_a_changed_report_gives_a_value_or_a_named_error(data: st.DataObject):
    votes = {"Heron": 6, "Wren": 4}
    report = bytearray(
        batch_report(
            "123",
            {"Mayor": (1, votes)},
            [(1, "Mayor", 1, "0.5", votes)],
            [("Finch", "Box 1", {"Mayor": "Round 1: 0.25"}, {"Mayor": votes}, {"Mayor": votes})],
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(report) - 1))
        report[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(AuditError):
        read_report("a.csv", bytes(report))


@UNTIMED
@given(VOTES)
def test_votes_are_read_as_they_were_written(votes: dict[str, int]):
    assert votes_in("there", "; ".join(f"{name}: {number}" for name, number in votes.items())) == votes


@UNTIMED
@given(st.lists(NAMES, max_size=6, unique=True))
def test_lists_of_names_are_read_as_some_list_that_was_written_so(names: list[str]):
    found = names_in(", ".join(names), names)
    assert found is not None
    assert ", ".join(found) == ", ".join(names)


@UNTIMED
@given(NAMES, st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_ticket_numbers_of_several_rounds(name: str, counts: list[int]):
    numbers = list(batch_tickets("1", ("Finch", name), sum(counts)))
    rounds, start = {}, 0
    for number, count in enumerate(counts, 1):
        rounds[number] = sorted(numbers[start : start + count])
        start += count
    text = ", ".join(f"Round {number}: {', '.join(of)}" for number, of in rounds.items())
    read = tickets_in("there", text, name)
    assert [(ticket.round, ticket.number) for ticket in read] == [(number, each) for number, of in rounds.items() for each in of]
    assert chained(rounds) == tuple(numbers), "each ticket number of a unit is greater than the one before"


@UNTIMED
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.lists(st.integers(0, 5), min_size=1, max_size=3), st.randoms())
def test_ballots_are_drawn_alike_in_any_order(sizes: list[int], rounds: list[int], chance):
    batches = [ManifestBatch("Finch", f"Box {number}", size) for number, size in enumerate(sizes)]
    drawn = draw_ballot_rounds("7", batches, rounds)
    chance.shuffle(batches)
    assert draw_ballot_rounds("7", batches, rounds) == drawn
    assert [len(each) for each in drawn] == rounds
