"""The common data format, NIST SP 1500-103 in JSON, and what `ballots cvr` writes."""

import json
from pathlib import Path

import pytest

from ballot_helpers import every_contest
from scrutineer.audits.cards.model import ABSENT, UNKNOWN
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.sampled import SampledBallot
from scrutineer.ballots.vote_records import vote_records
from scrutineer.errors import AuditError


def position(votes=1, indicated="yes", allocable="yes", **more):
    made = {"@type": "CVR.SelectionPosition", "HasIndication": indicated, "NumberVotes": votes, "IsAllocable": allocable}
    return made | more


def selection(option, *positions, **more):
    return {"ContestSelectionId": option, "SelectionPosition": list(positions or (position(),)), **more}


def contest(number, *selections, **more):
    return {"@type": "CVR.CVRContest", "ContestId": number, "CVRContestSelection": list(selections), **more}


def record(number, *contests, **more):
    snapshot = {"@id": f"s{number}", "@type": "CVR.CVRSnapshot", "Type": "interpreted", "CVRContest": list(contests)}
    made = {"@type": "CVR.CVR", "ElectionId": "e", "CurrentSnapshotId": f"s{number}", "CVRSnapshot": [snapshot]}
    return made | {"UniqueId": f"c{number}", "BatchId": "B1", "BatchSequenceId": number, "CreatingDeviceId": "S1"} | more


def report(*records, **terms):
    mayor = {"@id": "mayor", "@type": "CVR.CandidateContest", "Name": "Mayor", "VotesAllowed": 1} | terms
    mayor["ContestSelection"] = [{"@id": f"o-{bird}", "CandidateIds": [bird]} for bird in ("wren", "robin", "owl")]
    park = {"@id": "park", "@type": "CVR.BallotMeasureContest", "Name": "Park"}
    park["ContestSelection"] = [{"@id": each, "Selection": each.title()} for each in ("yes", "no")]
    candidates = [{"@id": bird, "Name": bird.title()} for bird in ("wren", "robin", "owl")]
    election = {"@id": "e", "ElectionScopeId": "g", "Contest": [mayor, park], "Candidate": candidates}
    return {"@type": "CVR.CastVoteRecordReport", "Version": "1.0.0", "GpUnit": [], "Election": [election], "CVR": list(records)}


def read(tmp_path: Path, content):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    return read_cards(path)


def marks_of(cards, number):
    column = cards.column(number)
    return [
        number if number < 0 else tuple(column.options[option] for option in column.patterns[number])
        for number in column.pattern.tolist()
    ]


def test_what_counts(tmp_path):
    cards = read(
        tmp_path,
        report(
            record(1, contest("mayor", selection("o-robin"))),
            record(2, contest("mayor", selection("o-robin", position(0, allocable="no")), selection("o-owl"))),
            record(3, contest("mayor", selection("o-wren"), selection("o-owl"), Status=["overvoted"])),
            record(4, contest("mayor", selection("o-wren", position(allocable="unknown")))),
            record(5, contest("mayor", selection("o-wren", Status=["needs-adjudication"]))),
            record(6, contest("mayor"), contest("park", selection("no"))),
            record(7, contest("park", selection("yes", position(2)))),
            record(8, contest("mayor", {"SelectionPosition": [position()]})),
        ),
    )
    mayor = [("o-robin",), ("o-owl",), (), UNKNOWN, UNKNOWN, (), ABSENT, ("write-in",)]
    assert marks_of(cards, "mayor") == mayor
    assert marks_of(cards, "park") == [ABSENT] * 5 + [("no",), UNKNOWN, ABSENT]
    column = cards.column("mayor")
    assert (column.title, column.titles) == ("Mayor", ("Wren", "Robin", "Owl", ""))
    assert cards.column("park").titles == ("Yes", "No")
    assert (cards.batches, cards.position.tolist(), cards.ids[0].as_py()) == (("S1-B1",), [*range(1, 9)], "c1")


def test_the_current_snapshot_counts(tmp_path):
    made = record(1, contest("mayor", selection("o-wren")))
    made["CVRSnapshot"].append({"@id": "later", "Type": "modified", "CVRContest": [contest("mayor", selection("o-owl"))]})
    assert marks_of(read(tmp_path, report(made)), "mayor") == [("o-wren",)]
    assert marks_of(read(tmp_path, report(made | {"CurrentSnapshotId": "later"})), "mayor") == [("o-owl",)]


def test_ranks(tmp_path):
    cards = read(
        tmp_path,
        report(
            record(1, contest("mayor", selection("o-owl", Rank=2), selection("o-wren", Rank=1))),
            record(2, contest("mayor", selection("o-owl", position(Rank=1)), selection("o-wren", position(Rank=1)))),
            VoteVariation="rcv",
        ),
    )
    assert marks_of(cards, "mayor") == [("o-wren", "o-owl"), ()]
    assert cards.column("mayor").ranked


def test_our_own_records_of_ballots_that_an_audit_drew(tmp_path):
    choices = {
        1: ContestChoice((0, 1, 0, 0, 0)),
        2: ContestChoice((1, 0, 1, 0, 0, 0, 0, 1, 0), bytes(128)),
        3: ContestChoice((2, 3)),
        4: ContestChoice((0, 0, 1, 0)),
        5: ContestChoice((0, 0, 1, 0, 0, 0)),
    }
    ballots = [
        SampledBallot(7, bytes(32), "AAA-1", 1, choices),
        SampledBallot(9, bytes(32), "BBB-2", 2, {1: choices[1], 4: choices[4]}),
    ]
    made = vote_records(every_contest(), "pond", "machine", ballots, "2026-06-08T10:00:00Z", codes=False)
    path = tmp_path / "drawn.json"
    path.write_text(json.dumps(made))
    assert recognise(path) == "nist"
    cards = read_cards(path)
    assert (cards.ids.to_pylist(), cards.batches) == (["AAA-1", "BBB-2"], ("pond",))
    assert marks_of(cards, "contest-1") == [("selection-1-owl",)] * 2
    assert marks_of(cards, "contest-3") == [UNKNOWN, ABSENT]
    assert marks_of(cards, "contest-4") == [(), ()]
    assert marks_of(cards, "contest-5") == [("selection-5-wren", "selection-5-owl"), ABSENT]
    assert cards.column("contest-2").most == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (report(), "holds no record"),
        (report(record(1, contest("mayor"), contest("mayor"))), "card 'c1' holds contest 'mayor' twice"),
        (report(record(1, contest("council"))), "cards hold contest 'council', which the election does not list"),
        (report(record(1, contest("mayor", selection("o-kite")))), "has no option 'o-kite'"),
        (report(record(1, contest("mayor"), CurrentSnapshotId="x")), "record 1: has 0 current snapshots"),
        (report(record(1), record(1)), "card 'c1' stands there twice"),
        (report(record(1, BatchSequenceId=-1)), "is no place in a batch"),
        (report(record(1, UniqueId="")), "a card has no id"),
        (report(record(1) | {"CVRSnapshot": 5}), "record 1: not a cast vote record"),
        (report(record(1)) | {"Election": {}}, "not a report"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, content, message):
    with pytest.raises(AuditError, match=message):
        read(tmp_path, content)


def test_reports_of_one_election_are_read_together_and_of_another_not(tmp_path):
    for name, content in (("1", report(record(1, contest("mayor")))), ("2", report(record(2, contest("mayor"))))):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert read_cards(tmp_path).ids.to_pylist() == ["c1", "c2"]
    (tmp_path / "3.json").write_text(json.dumps(report(record(3), Name="Mayor of another town")))
    with pytest.raises(AuditError, match="contest 'mayor' is another one"):
        read_cards(tmp_path)
