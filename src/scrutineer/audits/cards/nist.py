"""Reads cast vote records in the common data format, NIST SP 1500-103 (version 1.0.0) in JSON; those of `ballots cvr` too.

Of each record its current snapshot counts. A contest that it does not list is absent from the card. A position counts if it is
indicated and may be allocated; if either is unknown, so is the contest on this card. A contest that is overvoted or invalidated
has no mark that counts. Ranks order the options of a ranked contest; two options at one rank end the ranking there. A name
written in without an option of its own is the option `write-in`. A position that gives more than one vote makes the contest
unknown on this card: weights of votes within a card are not kept here.

The batch is `<CreatingDeviceId>-<BatchId>`, or the place of the ballot's style where there is no batch (as in records of one
station); the place in it is the `BatchSequenceId`, the id the `UniqueId`, `BallotAuditId` or `BallotPrePrintedId`. A file is held
in memory as text while it is read.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from scrutineer.audits.cards.assembly import REDACTED, Assembly, Shape
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.raire import UNPLACED
from scrutineer.audits.cards.sources import Progress, Source, silent
from scrutineer.errors import AuditError

MOST_FILE: Final = 2 << 30
WRITE_IN: Final = "write-in"
_T = TypeVar("_T")


class _Position(msgspec.Struct, gc=False):
    HasIndication: str
    NumberVotes: int = 1
    IsAllocable: str = "yes"
    Rank: int | None = None
    Status: list[str] = []


class _Selection(msgspec.Struct, gc=False):
    SelectionPosition: list[_Position]
    ContestSelectionId: str = WRITE_IN
    Rank: int | None = None
    Status: list[str] = []


class _Marked(msgspec.Struct, gc=False):
    ContestId: str
    CVRContestSelection: list[_Selection] = []
    Status: list[str] = []


class _Snapshot(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="@id")
    CVRContest: list[_Marked] = []


class _Record(msgspec.Struct, gc=False):
    CurrentSnapshotId: str
    CVRSnapshot: list[_Snapshot]
    UniqueId: str = ""
    BallotAuditId: str = ""
    BallotPrePrintedId: str = ""
    BatchId: str = ""
    BatchSequenceId: int = 0
    CreatingDeviceId: str = ""
    BallotStyleUnitId: str = ""


class _Option(msgspec.Struct):
    id: str = msgspec.field(name="@id")
    CandidateIds: list[str] = []
    Selection: str = ""


class _Contest(msgspec.Struct):
    id: str = msgspec.field(name="@id")
    ContestSelection: list[_Option] = []
    Name: str = ""
    VotesAllowed: int | None = None
    VoteVariation: str = ""


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="@id")
    Name: str = ""


class _Election(msgspec.Struct):
    Contest: list[_Contest]
    Candidate: list[_Named] = []


class _Report(msgspec.Struct):
    Election: list[_Election]
    CVR: list[msgspec.Raw] = []
    GpUnit: list[_Named] = []


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    return b"CVR.CastVoteRecordReport" in first or (b'"CVR.' in first and first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"))


def read_nist(sources: Sequence[Source], name: str, progress: Progress = silent) -> Cards:
    """The cards of one or more reports of the same election. Raises AuditError, naming the file and the record."""
    assembly = Assembly(name)
    files = [source for source in sources if source.name.lower().endswith(".json")]
    contests: dict[str, _Contest] = {}
    candidates: dict[str, str] = {}
    ranked: set[str] = set()
    total, done = sum(source.size for source in files), 0
    for source in files:
        report = _decoded(source.name, source.small(MOST_FILE), _Report, "a report of cast vote records")
        for election in report.Election:
            candidates |= {candidate.id: candidate.Name for candidate in election.Candidate}
            for contest in election.Contest:
                if contests.setdefault(contest.id, contest) != contest:
                    raise AuditError(
                        f"{source.name}: contest {contest.id!r} is another one than in the files before; read them apart"
                    )
        units = {unit.id: unit.Name for unit in report.GpUnit}
        for number, raw in enumerate(report.CVR, 1):
            record = _decoded(f"{source.name}, record {number}", raw, _Record, "a cast vote record")
            _take(assembly, f"{source.name}, record {number}", record, units, ranked)
        done += source.size
        progress("reading records", done, total)
    assembly.pack()
    missing = [str(key) for key in assembly.columns if key not in contests]
    if missing:
        raise AuditError(f"{name}: cards hold contest {missing[0]!r}, which the election does not list; ask for a whole report")
    return assembly.finish(_shape(assembly, contest, candidates, contest.id in ranked) for contest in contests.values())


def _decoded(where: str, data: bytes | msgspec.Raw, kind: type[_T], what: str) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuditError(f"{where}: not {what} of NIST SP 1500-103 ({error}); export it anew") from error


def _take(assembly: Assembly, where: str, record: _Record, units: dict[str, str], ranked: set[str]) -> None:
    current = [snapshot for snapshot in record.CVRSnapshot if snapshot.id == record.CurrentSnapshotId]
    if len(current) != 1:
        raise AuditError(f"{where}: has {len(current)} current snapshots; ask which of them counts")
    for contest in current[0].CVRContest:
        assembly.column(contest.ContestId).add(assembly.row, _marks(contest, ranked))
    if not 0 <= record.BatchSequenceId < 1 << 31:
        raise AuditError(f"{where}: BatchSequenceId {record.BatchSequenceId} is no place in a batch; export it anew")
    batch = "-".join(part for part in (record.CreatingDeviceId, record.BatchId) if part) if record.BatchId else ""
    card = record.UniqueId or record.BallotAuditId or record.BallotPrePrintedId
    assembly.card(batch or units.get(record.BallotStyleUnitId) or UNPLACED, record.BatchSequenceId, card)


def _marks(contest: _Marked, ranked: set[str]) -> tuple[str, ...] | str:
    """The options that count, ranked ones in their order; REDACTED where the record does not know it."""
    found: dict[int, dict[str, None]] = {}
    for selection in contest.CVRContestSelection:
        for position in selection.SelectionPosition:
            if position.HasIndication == "no" or position.IsAllocable == "no" or position.NumberVotes == 0:
                continue
            if "unknown" in (position.HasIndication, position.IsAllocable) or "needs-adjudication" in selection.Status:
                return REDACTED
            if "invalidated-rules" in (*selection.Status, *position.Status):
                continue
            if position.NumberVotes != 1:
                return REDACTED
            rank = selection.Rank if position.Rank is None else position.Rank
            if rank is not None:
                ranked.add(contest.ContestId)
            found.setdefault(rank or 0, {})[selection.ContestSelectionId] = None
    if {"overvoted", "invalidated-rules"} & set(contest.Status):
        return ()
    if set(found) <= {0}:
        return tuple(sorted(found.get(0, {})))
    order: dict[str, None] = {}
    for rank in sorted(found):
        if len(found[rank]) > 1:
            break
        order |= found[rank]
    return tuple(order)


def _shape(assembly: Assembly, contest: _Contest, candidates: dict[str, str], ranked: bool) -> Shape:
    names = {
        option.id: option.Selection or " / ".join(filter(None, (candidates.get(each, "") for each in option.CandidateIds)))
        for option in contest.ContestSelection
    }
    if len(names) != len(contest.ContestSelection):
        raise AuditError(f"{assembly.name}: contest {contest.id!r} lists an option twice; export the report anew")
    if any(marks != REDACTED and WRITE_IN in marks for marks in assembly.column(contest.id).known):  # type: ignore[operator]
        names.setdefault(WRITE_IN, "")
    ranked = ranked or contest.VoteVariation == "rcv"
    most = contest.VotesAllowed or (len(names) if contest.VoteVariation == "approval" else 1)
    return Shape(
        key=contest.id,
        id=contest.id,
        options=tuple((option, option) for option in names),
        most=len(names) if ranked else most,
        ranked=ranked,
        title=contest.Name,
        titles=tuple(names.values()) if any(names.values()) else (),
    )
