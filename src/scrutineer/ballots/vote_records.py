"""Cast vote records of the ballots that an audit drew, as NIST SP 1500-103 (version 1.0.0) writes them in JSON."""

from collections.abc import Sequence
from typing import Any, Final

from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.manifest import FIELD_MARK, ORDER_MARK, Manifest, ManifestContest
from scrutineer.ballots.sampled import SampledBallot

SERIAL_TYPE: Final = "scrutineer-paper-serial"
CODE_TYPE: Final = "scrutineer-confirmation-code"


def vote_records(
    manifest: Manifest, station: str, device: str, ballots: Sequence[SampledBallot], generated: str, *, codes: bool
) -> dict[str, Any]:
    """The report. `generated` is a date and time, RFC 3339; `codes` says whether it names the confirmation codes.

    A record's `BallotAuditId` is the serial on the paper. Its `UniqueId` and the order of records follow the serials too, so
    that without the codes nothing in the report leads to an encrypted ballot.
    """
    rows = sorted(ballots, key=lambda ballot: ballot.serial)
    return {
        "@type": "CVR.CastVoteRecordReport",
        "Version": "1.0.0",
        "GeneratedDate": generated,
        "ReportType": ["other"],
        "OtherReportType": "ballots that an audit drew",
        "ReportGeneratingDeviceIds": ["device"],
        "ReportingDevice": [
            {"@id": "device", "@type": "CVR.ReportingDevice", "SerialNumber": device, "Application": "Scrutineer"}
        ],
        "GpUnit": [
            {"@id": "station", "@type": "CVR.GpUnit", "Type": "polling-place", "Name": station, "ReportingDeviceIds": ["device"]}
        ],
        "Election": [_election(manifest)],
        "CVR": [_record(manifest, ballot, codes=codes) for ballot in rows],
    }


def _election(manifest: Manifest) -> dict[str, Any]:
    return {
        "@id": "election",
        "@type": "CVR.Election",
        "Name": manifest.name,
        "ElectionScopeId": "station",
        "Code": [_code(manifest.election, "scrutineer-election")],
        "Candidate": [
            {"@id": _candidate(number, option), "@type": "CVR.Candidate", "Name": option}
            for number, contest in enumerate(manifest.contests, 1)
            for option in _options(contest)
        ],
        "Contest": [
            {
                "@id": f"contest-{number}",
                "@type": "CVR.CandidateContest",
                "Name": contest.label,
                "VotesAllowed": contest.selection_limit,
                "ContestSelection": [
                    {
                        "@id": _selection(number, option),
                        "@type": "CVR.CandidateSelection",
                        "CandidateIds": [_candidate(number, option)],
                    }
                    for option in _options(contest)
                ],
            }
            for number, contest in enumerate(manifest.contests, 1)
        ],
    }


def _options(contest: ManifestContest) -> tuple[str, ...]:
    """The options of a contest; of a ranked one those that its orders are made of."""
    if not contest.orders:
        return contest.options
    return tuple(dict.fromkeys(part for order in contest.options for part in order.split(ORDER_MARK)))


def _record(manifest: Manifest, ballot: SampledBallot, *, codes: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "@type": "CVR.CVR",
        "ElectionId": "election",
        "CreatingDeviceId": "device",
        "BallotAuditId": ballot.serial,
        "UniqueId": ballot.serial,
        "BallotStyleId": manifest.style(ballot.style).label,
        "BallotStyleUnitId": "station",
        "CurrentSnapshotId": f"snapshot-{ballot.serial}",
        "CVRSnapshot": [
            {
                "@id": f"snapshot-{ballot.serial}",
                "@type": "CVR.CVRSnapshot",
                "Type": "original",
                "CVRContest": [
                    _contest(number, manifest.contest(number), choice) for number, choice in sorted(ballot.choices.items())
                ],
            }
        ],
    }
    if codes:
        record["CVRSnapshot"][0]["Annotation"] = [
            {"@type": "CVR.Annotation", "Message": [f"{CODE_TYPE}: {ballot.code.hex()}, ballot {ballot.number} of the bundle"]}
        ]
    return record


def _contest(number: int, contest: ManifestContest, choice: ContestChoice) -> dict[str, Any]:
    given = dict(zip(contest.labels(), choice.values, strict=True))
    found: list[dict[str, Any]] = []
    for option in contest.options:
        votes = given[option]
        if not votes:
            continue
        ranks = option.split(ORDER_MARK) if contest.orders else [option]
        for rank, name in enumerate(ranks, 1):
            position = {
                "@type": "CVR.SelectionPosition",
                "HasIndication": "yes",
                "NumberVotes": votes,
                "IsAllocable": "yes",
            } | ({"Rank": rank} if contest.orders else {})
            found.append(
                {
                    "@type": "CVR.CVRContestSelection",
                    "ContestSelectionId": _selection(number, name),
                    "SelectionPosition": [position],
                    "TotalNumberVotes": votes,
                }
                | ({"Rank": rank} if contest.orders else {})
            )
    made: dict[str, Any] = {"@type": "CVR.CVRContest", "ContestId": f"contest-{number}", "CVRContestSelection": found}
    for field, name in (("undervotes", "Undervotes"), ("write-ins", "WriteIns")):
        if field in contest.fields:
            made[name] = given[FIELD_MARK + field]
    if "blank" in contest.fields and given[f"{FIELD_MARK}blank"]:
        made |= {"Undervotes": contest.selection_limit, "Status": ["other"], "OtherStatus": "blank"}
    if "null" in contest.fields and given[f"{FIELD_MARK}null"]:
        made |= {"Status": ["overvoted"]}
    return made


def _selection(contest: int, option: str) -> str:
    return f"selection-{contest}-{option}"


def _candidate(contest: int, option: str) -> str:
    return f"candidate-{contest}-{option}"


def _code(value: str, kind: str) -> dict[str, str]:
    return {"@type": "CVR.Code", "Type": "other", "OtherType": kind, "Value": value}
