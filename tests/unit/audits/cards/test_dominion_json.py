"""Dominion's JSON exports: both layouts, adjudicated cards, marks that count and those that do not, ranks, hostile files."""

import json
import zipfile
from pathlib import Path

import pytest

from scrutineer.audits.cards import dominion_json
from scrutineer.audits.cards.model import ABSENT, UNKNOWN
from scrutineer.audits.cards.reading import read_cards, recognise
from scrutineer.errors import AuditError


def mark(candidate, rank=1, vote=True, ambiguous=False):
    return {
        "CandidateId": candidate,
        "PartyId": 0,
        "Rank": rank,
        "MarkDensity": 80,
        "IsAmbiguous": ambiguous,
        "IsVote": vote,
        "OutstackConditionIds": [],
    }


def contest(number, *marks, overvotes=0):
    return {"Id": number, "Undervotes": 0, "Overvotes": overvotes, "OutstackConditionIds": [], "Marks": list(marks)}


def record(*contests, current=True, old=False):
    inner = {"Contests": list(contests)}
    return {
        "PrecinctPortionId": 1,
        "BallotTypeId": 1,
        "IsCurrent": current,
        **(inner if old else {"Cards": [{"Id": 1, **inner}]}),
    }


def session(number, original, modified=None, batch=4, image="a/00003_00004_000009*.*"):
    made = {
        "TabulatorId": 3,
        "BatchId": batch,
        "RecordId": number,
        "CountingGroupId": 2,
        "ImageMask": image,
        "Original": original,
    }
    return made if modified is None else {**made, "Modified": modified}


def export(*sessions, **more):
    return {"Version": "5.10.50.85", "ElectionId": "Aves", "Sessions": list(sessions), **more}


def read(tmp_path: Path, *sessions, indent=None):
    path = tmp_path / "CvrExport.json"
    path.write_text(json.dumps(export(*sessions), indent=indent))
    return read_cards(path)


def marks_of(cards, number="7"):
    column = cards.column(number)
    return [
        number if number < 0 else tuple(column.options[option] for option in column.patterns[number])
        for number in column.pattern.tolist()
    ]


def test_marks_count_that_the_system_counted(tmp_path):
    cards = read(
        tmp_path,
        session(1, record(contest(7, mark(21)))),
        session(2, record(contest(7, mark(22, ambiguous=True)))),
        session(3, record(contest(7, mark(21, vote=False, ambiguous=True)))),
        session(4, record(contest(7, mark(21), mark(22, vote=False)))),
        session(5, record(contest(7))),
        session(6, record(contest(8, mark(31)))),
        session(7, record(contest(7, mark(21), mark(22), overvotes=1))),
    )
    assert marks_of(cards) == [("21",), ("22",), (), ("21",), (), ABSENT, ()]
    assert (cards.column("7").most, cards.column("7").ranked) == (1, False)
    assert marks_of(cards, "8") == [ABSENT] * 5 + [("31",), ABSENT]


def test_a_session_is_named_by_tabulator_batch_and_record(tmp_path):
    cards = read(tmp_path, session(12, record(contest(7))), session(1, record(contest(7)), batch=5))
    assert cards.ids.to_pylist() == ["3-4-12", "3-5-1"]
    assert (cards.batches, cards.position.tolist()) == (("3-4", "3-5"), [12, 1])


def test_the_layout_before_5_10_and_several_cards_of_a_session(tmp_path):
    two = record(contest(7, mark(21)))
    two["Cards"].append({"Id": 2, "Contests": [contest(8, mark(31))]})
    cards = read(tmp_path, session(1, record(contest(7, mark(22)), old=True)), session(2, two))
    assert marks_of(cards) == [("22",), ("21",)]
    assert marks_of(cards, "8") == [ABSENT, ("31",)]


def test_an_adjudicated_record_replaces_the_first(tmp_path):
    cards = read(
        tmp_path,
        session(1, record(contest(7, mark(21)), contest(8), current=False), record(contest(7, mark(22)))),
        session(2, record(contest(7, mark(21))), record(contest(7, mark(22)), current=False)),
    )
    assert marks_of(cards) == [("22",), ("21",)]
    assert cards.column("7").votes().tolist() == [1, 1]
    assert "8" not in [each.id for each in cards.contests]


def test_a_card_without_a_current_record_is_unknown_not_blank(tmp_path):
    cards = read(tmp_path, session(1, record(contest(7, mark(21)), current=False)), session(2, record(contest(7, mark(22)))))
    assert marks_of(cards) == [UNKNOWN, ("22",)]
    assert (cards.column("7").cards(), cards.column("7").unknown()) == (1, 1)


def test_ranks_order_options_and_two_at_one_rank_end_the_ranking(tmp_path):
    cards = read(
        tmp_path,
        session(1, record(contest(7, mark(23, 2), mark(21, 1), mark(22, 4)))),
        session(2, record(contest(7, mark(21, 1), mark(21, 2), mark(22, 3)))),
        session(3, record(contest(7, mark(21, 1), mark(22, 2), mark(23, 2)))),
        session(4, record(contest(7, mark(21, 1), mark(22, 1)))),
        session(5, record(contest(7, mark(22, 3)))),
        session(6, record(contest(7, mark(22, 1)))),
    )
    assert cards.column("7").ranked
    assert marks_of(cards) == [("21", "23", "22"), ("21", "22"), ("21",), (), ("22",), ("22",)]


def test_several_votes_without_ranks_are_in_ascending_order(tmp_path):
    cards = read(tmp_path, session(1, record(contest(7, mark(23), mark(21)))), session(2, record(contest(7, mark(22)))))
    assert marks_of(cards) == [("21", "23"), ("22",)]
    assert cards.column("7").most == 2


@pytest.mark.parametrize("packed", [False, True])
def test_manifests_beside_the_records_give_names_and_limits(tmp_path, packed):
    folder = tmp_path / "export"
    folder.mkdir()
    files = {
        "CvrExport_10.json": export(session(2, record(contest(7, mark(22), mark(21))))),
        "CvrExport_9.json": export(session(1, record(contest(7, mark(21))))),
        "ContestManifest.json": {"List": [{"Id": 7, "Description": "Mayor", "VoteFor": 1, "NumOfRanks": 0}]},
        "CandidateManifest.json": {
            "List": [
                {"Id": 21, "Description": "Wren", "ContestId": 7, "Type": "Regular"},
                {"Id": 22, "Description": "Robin", "ContestId": 7, "Type": "Regular"},
                {"Id": 29, "Description": "Write-in", "ContestId": 7, "Type": "WriteIn"},
            ]
        },
    }
    for name, content in files.items():
        (folder / name).write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    path = folder
    if packed:
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in files:
                archive.write(folder / name, name)
    assert recognise(path) == "dominion-json"
    cards = read_cards(path)
    column = cards.column("7")
    assert (column.title, column.titles, column.options) == ("Mayor", ("Wren", "Robin", "Write-in"), ("21", "22", "29"))
    assert column.most == 1
    assert sorted(marks_of(cards)) == [("21",), ("21", "22")]
    assert column.votes().tolist() == [1, 0, 0]


def test_a_blacked_out_number_is_taken_from_the_name_of_the_image(tmp_path):
    assert read(tmp_path, session("X", record(contest(7)))).ids.to_pylist() == ["3-4-9"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("block", [64, 700, 1 << 17])
def test_files_are_cut_between_sessions_wherever_blocks_end(tmp_path, monkeypatch, indent, block):
    monkeypatch.setattr(dominion_json, "BLOCK", block)
    sessions = [session(each, record(contest(7, mark(20 + each % 3)))) for each in range(1, 40)]
    sessions[5]["ImageMask"] = 'odd "TabulatorId": {"TabulatorId": 1 image'
    cards = read(tmp_path, *sessions, indent=indent)
    assert marks_of(cards) == [(str(20 + each % 3),) for each in range(1, 40)]


def test_sessions_with_another_order_of_keys_are_read_whole(tmp_path):
    turned = [dict(reversed(session(each, record(contest(7, mark(21)))).items())) for each in (1, 2)]
    assert marks_of(read(tmp_path, *turned)) == [("21",)] * 2


@pytest.mark.parametrize(
    ("sessions", "message"),
    [
        ([], "holds no record"),
        ([session(1, record(contest(7))), session(1, record(contest(7)))], "card '3-4-1' stands there twice"),
        ([session(1, record(contest(7), contest(7)))], "card '3-4-1' holds contest 7 twice"),
        ([session(1, record(contest(7)), record(contest(7)))], "record 1 has two current records"),
        ([session("X", record(contest(7)), image="gone")], "record X has no number"),
        ([session(-1, record(contest(7)))], "has a negative number"),
        ([session(1, record(contest(7, {"CandidateId": "21", "IsVote": True})))], "not a Dominion export"),
        ([session(1, {"IsCurrent": True, "Cards": [{}]})], "not a Dominion export"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, sessions, message):
    with pytest.raises(AuditError, match=message):
        read(tmp_path, *sessions)


@pytest.mark.parametrize("cut", [1, 2, 30, 120])
def test_a_file_that_was_cut_off_is_refused(tmp_path, cut):
    text = json.dumps(export(*(session(each, record(contest(7))) for each in (1, 2, 3))))
    path = tmp_path / "CvrExport.json"
    path.write_text(text[:-cut])
    with pytest.raises(AuditError, match="not a Dominion export"):
        read_cards(path)


def test_what_stands_between_sessions_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(dominion_json, "BLOCK", 400)
    text = json.dumps(export(*(session(each, record(contest(7))) for each in range(1, 9))))
    for wrong in ("} {", "}, 5, {", "},,{"):
        path = tmp_path / "CvrExport.json"
        path.write_text(text.replace('}, {"TabulatorId"', wrong + '"TabulatorId"', 4).replace(wrong, "}, {", 3))
        with pytest.raises(AuditError):
            read_cards(path)
