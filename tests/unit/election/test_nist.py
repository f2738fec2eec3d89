"""Elections as NIST SP 1500-100 v2 reports: what goes out comes back in, and what has no place here is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from scrutineer.election import Candidate, Contest, Election, Option, Register, UnitRow, Units
from scrutineer.election.nist import export_definition, import_definition
from scrutineer.errors import DefinitionError
from statement_samples import definition
from strategies import elections

ROWS = [
    UnitRow("land", "", "Land", "country", None),
    UnitRow("north", "land", "North", "state", None),
    UnitRow("n1", "north", "North 1", "polling-place", 400),
    UnitRow("n2", "north", "North 2", "station", 300),
    UnitRow("south", "land", "South", "zone", None),
    UnitRow("s1", "south", "South 1", "polling-place", None),
]


def election() -> Election:
    units = Units(ROWS)
    return Election(definition(), units, Register(units.station_index, bytes(96), ()), bytes(range(32)))


def exported(source: Election | None = None) -> dict[str, Any]:
    return export_definition(source or election(), generated_at=1_805_000_000, language="en")


def imported(report: dict[str, Any]) -> tuple[tuple[Contest, ...], list[UnitRow], str, str]:
    return import_definition(json.dumps(report).encode())


def essence(contest: Contest) -> tuple[object, ...]:
    """What decides a contest; an option's candidate may be written out or left to be understood."""
    options = tuple((option.id, option.name) for option in contest.options)
    settings_ = (contest.seats, contest.max_choices, contest.threshold, contest.alternative, contest.base, contest.unit)
    return contest.id, contest.title, contest.rule, options, settings_, contest.standing(), contest.candidate_of_option()


def test_the_sample_comes_back_as_it_was() -> None:
    contests, rows, name, date = imported(exported())
    assert (contests, rows, name, date) == (definition().contests, ROWS, "General election", "2027-03-14")


@settings(max_examples=150)
@given(elections())
def test_every_election_comes_back(source: Election) -> None:
    contests, rows, name, date = imported(exported(source))
    assert rows == list(source.units.rows())
    assert (name, date) == (source.definition.name, source.definition.date)
    root = source.units.ids[0]
    wanted = [essence(contest) for contest in source.contests]
    found = [essence(contest) for contest in contests]
    # The country may be named or left empty: both mean the whole country.
    assert [str(e).replace(f"'{root}')", "'')") for e in found] == [str(e).replace(f"'{root}')", "'')") for e in wanted]


def test_rolls_of_larger_units_are_the_sums_where_all_are_known() -> None:
    units = {unit["@id"]: unit.get("VotersRegistered") for unit in exported()["GpUnit"]}
    assert units == {"gp.land": None, "gp.north": 700, "gp.n1": 400, "gp.n2": 300, "gp.south": None, "gp.s1": None}


def test_a_kind_of_unit_that_the_schema_lacks_is_its_other_type() -> None:
    kinds = {unit["@id"]: (unit["Type"], unit.get("OtherType")) for unit in exported()["GpUnit"]}
    assert kinds["gp.n1"] == ("polling-place", None)
    assert kinds["gp.n2"] == ("other", "station")


def test_provenance_is_said() -> None:
    report = exported()
    assert (report["IsTest"], report["TestType"]) == (True, "simulated")
    assert report["Notes"] == definition().provenance_sentence()
    assert report["GeneratedDate"] == "2027-03-14T04:53:20Z"


def test_alliances_on_a_yes_no_question_come_back() -> None:
    question = Contest(
        id="question",
        title="Shall it be?",
        rule="yes-no",
        options=(Option("y", "Yes", "camp"), Option("n", "No")),
        candidates=(Candidate("camp", "The yes camp"),),
    )
    source = election()
    source.definition = type(source.definition)(
        **{name: getattr(source.definition, name) for name in source.definition.__struct_fields__} | {"contests": (question,)}
    )
    source.contest_units = (0,)
    assert imported(exported(source))[0] == (question,)


FOREIGN: dict[str, Any] = {
    "@type": "ElectionResults.ElectionReport",
    "GpUnit": [
        {"@id": "u1", "@type": "ElectionResults.ReportingUnit", "Type": "county", "ComposingGpUnitIds": ["u2"]},
        {"@id": "u2", "@type": "ElectionResults.ReportingUnit", "Type": "precinct", "Number": "7"},
    ],
    "Party": [
        {"@id": "p1", "@type": "ElectionResults.Party", "Name": {"Text": [{"Content": "Waders", "Language": "en"}]}},
        {"@id": "p2", "@type": "ElectionResults.Party", "Name": {"Text": [{"Content": "Divers", "Language": "en"}]}},
    ],
    "Election": [
        {
            "@type": "ElectionResults.Election",
            "Name": {"Text": [{"Content": "Municipal", "Language": "en"}]},
            "StartDate": "2027-11-02",
            "EndDate": "2027-11-02",
            "ElectionScopeId": "u1",
            "Candidate": [
                {"@id": "k1", "BallotName": {"Text": [{"Content": "Heron", "Language": "en"}]}},
                {"@id": "k2", "BallotName": {"Text": [{"Content": "Ibis", "Language": "en"}]}},
            ],
            "Contest": [
                {
                    "@id": "c1",
                    "@type": "ElectionResults.CandidateContest",
                    "Name": "Mayor",
                    "ElectionDistrictId": "u1",
                    "VoteVariation": "n-of-m",
                    "VotesAllowed": 1,
                    "ContestSelection": [
                        {"@id": "s1", "CandidateIds": ["k1"], "EndorsementPartyIds": ["p1"]},
                        {"@id": "s2", "CandidateIds": ["k1"], "EndorsementPartyIds": ["p2"]},
                        {"@id": "s3", "CandidateIds": ["k2"], "EndorsementPartyIds": ["p1"]},
                        {"@id": "s4", "IsWriteIn": True},
                    ],
                }
            ],
        }
    ],
}


def foreign() -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(FOREIGN))
    return copy


def test_a_report_of_others_is_read() -> None:
    contests, rows, name, date = imported(foreign())
    assert (name, date) == ("Municipal", "2027-11-02")
    assert rows == [UnitRow("u1", "", "u1", "county", None), UnitRow("u2", "u1", "u2", "precinct", None)]
    assert contests[0].options == (
        Option("s1", "Waders", "k1"),
        Option("s2", "Divers", "k1"),
        Option("s3", "Ibis"),
        Option("s4", "Write-in"),
    )
    assert contests[0].candidates == (Candidate("k1", "Heron"),)
    assert contests[0].rule == "plurality"


def change(report: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Set what the path leads to; None removes it."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    at: Any = report
    for step in steps:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return report


CONTEST = "Election/0/Contest/0"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("@type", "ElectionResults.CastVoteRecordReport", "@type"),
        ("Election", [], "0 elections"),
        ("Election/0/EndDate", "2027-11-03", "one day"),
        ("Election/0/ElectionScopeId", "u9", "scope"),
        ("Election/0/ElectionScopeId", "u2", "scope"),
        ("Election/0/Name", None, "Name"),
        ("Election/0/Name/Text", [], "without content"),
        ("GpUnit/0/ComposingGpUnitIds", ["u2", "u9"], "u9"),
        ("GpUnit/0/ComposingGpUnitIds", ["u2", "u2"], "tree"),
        ("GpUnit/0/ComposingGpUnitIds", [], "not below"),
        ("GpUnit/1/ComposingGpUnitIds", ["u1"], "scope"),
        ("GpUnit/1/@id", "u1", "twice"),
        ("GpUnit/1/@type", "ElectionResults.ReportingDevice", "ReportingDevice"),
        ("GpUnit/1/VotersRegistered", 0, "roll"),
        ("GpUnit/1/VotersRegistered", -5, "roll"),
        ("GpUnit/1/VotersRegistered", 2**70, "report"),
        ("GpUnit/1/VotersRegistered", 5.5, "report"),
        ("GpUnit/1/OtherType", 5, "report"),
        (f"{CONTEST}/ElectionDistrictId", "u9", "u9"),
        (f"{CONTEST}/VoteVariation", "borda", "borda"),
        (f"{CONTEST}/VoteVariation", None, "VoteVariation"),
        (f"{CONTEST}/@type", "ElectionResults.PartyContest", "n-of-m"),
        (f"{CONTEST}/@type", "ElectionResults.BallotMeasureContest", "no text"),
        (f"{CONTEST}/VotesAllowed", 9, "choices"),
        (f"{CONTEST}/NumberElected", 0, "seats"),
        (f"{CONTEST}/ContestSelection", [], "options"),
        (f"{CONTEST}/ContestSelection/0/CandidateIds", ["k9"], "k9"),
        (f"{CONTEST}/ContestSelection/0/EndorsementPartyIds", ["p9"], "p9"),
        (f"{CONTEST}/ContestSelection/0/@id", "s2", "twice"),
        (f"{CONTEST}/ContestSelection/3/IsWriteIn", False, "no candidate"),
        (f"{CONTEST}/ContestSelection/0/@id", "not an id", "identifier"),
        (
            f"{CONTEST}/ExternalIdentifier",
            [{"Type": "other", "OtherType": "scrutineer-rule", "Value": "lottery"}],
            "lottery",
        ),
    ],
)
def test_what_has_no_place_is_refused_by_name(path: str, value: object, says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as caught:
        imported(change(foreign(), path, value))
    assert str(caught.value).isprintable()


def test_rolls_that_do_not_add_up_are_refused() -> None:
    report = change(change(foreign(), "GpUnit/0/VotersRegistered", 101), "GpUnit/1/VotersRegistered", 100)
    with pytest.raises(DefinitionError, match="101"):
        imported(report)
    assert imported(change(report, "GpUnit/0/VotersRegistered", 100))[1][1].roll == 100


def test_one_candidate_on_two_equal_selections_is_refused() -> None:
    report = foreign()
    for number in (0, 1):
        del report["Election"][0]["Contest"][0]["ContestSelection"][number]["EndorsementPartyIds"]
    with pytest.raises(DefinitionError, match="differ in nothing"):
        imported(report)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'{"@type":',
        b"\xff\xfe{}",
        b'{"@type": "\xff"}',
        b'{"@type": "\\ud800"}',
        b'{"@type": NaN}',
        b"[" * 100_000,
        b'{"GpUnit":' * 50_000,
        b'{"Election": {"a\nb": 1}}',
    ],
    ids=range(13),
)
def test_bytes_that_are_no_report_are_refused(data: bytes) -> None:
    with pytest.raises(DefinitionError) as caught:
        import_definition(data)
    assert str(caught.value).isprintable()


def test_a_byte_order_mark_is_passed_over() -> None:
    data = json.dumps(foreign()).encode("utf-8-sig")
    assert import_definition(data)[2] == "Municipal"
