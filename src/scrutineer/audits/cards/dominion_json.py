"""Reads cast vote records as Dominion's Democracy Suite exports them in JSON: one file, or `CvrExport_*.json` in a folder or zip.

Both layouts are read: up to version 5.2 a record holds its contests, since 5.10 it holds cards, which hold them. A session (one
pass of paper through a scanner) is one card here, named `tabulator-batch-record`, in the batch `tabulator-batch`. What counts:

- `Modified` where it is current (somebody adjudicated the card), else `Original`. Where neither is current, no record says how
  the card is marked: its contests are UNKNOWN.
- Marks with `IsVote`: the system's own decision, whatever density the mark has and whether it was ambiguous.
- `Overvotes` above zero in a contest without ranks: no mark counts. A contest that is not listed is absent from the card.
- Ranks: ascending; an option that is ranked again counts at its first place, ranks left out are passed over, and two options at
  one rank end the ranking there.

Where `ContestManifest.json` and `CandidateManifest.json` lie beside them, names, all candidates and how many may be marked come
from there; otherwise from the records themselves (candidates that were never marked are then not known).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final, TypeVar

import msgspec

from scrutineer.audits.cards.assembly import REDACTED, Assembly, Column, Shape, distinct_names
from scrutineer.audits.cards.model import Cards
from scrutineer.audits.cards.sources import Counted, Progress, Source, silent
from scrutineer.errors import AuditError

BLOCK: Final = 1 << 17
"""Bytes that are decoded at once: what stays in the processor's cache is decoded twice as fast."""
LONGEST_SESSION: Final = 16 << 20
MOST_WHOLE: Final = 512 << 20
"""Bytes of a file whose sessions do not start with their tabulator, which is read whole."""
_T = TypeVar("_T")
_START: Final = b'"TabulatorId"'
_MASK: Final = re.compile(r"[0-9]+_[0-9]+_([0-9]{1,9})(?![0-9])")


class _Mark(msgspec.Struct, gc=False):
    CandidateId: int
    IsVote: bool
    Rank: int = 1


class _Contest(msgspec.Struct, gc=False):
    Id: int
    Marks: list[_Mark]
    Overvotes: int = 0


class _Card(msgspec.Struct, gc=False):
    Contests: list[_Contest]


class _Record(msgspec.Struct, gc=False):
    IsCurrent: bool
    Contests: list[_Contest] | None = None
    Cards: list[_Card] | None = None


class _Session(msgspec.Struct, gc=False):
    TabulatorId: int
    BatchId: int
    RecordId: int | str
    Original: _Record
    Modified: _Record | None = None
    ImageMask: msgspec.Raw = msgspec.Raw(b'""')


class _File(msgspec.Struct):
    Sessions: list[_Session]


class _ContestName(msgspec.Struct):
    Id: int
    Description: str = ""
    VoteFor: int = 1
    NumOfRanks: int = 0


class _CandidateName(msgspec.Struct):
    Id: int
    ContestId: int
    Description: str = ""


class _Contests(msgspec.Struct):
    List: list[_ContestName]


class _Candidates(msgspec.Struct):
    List: list[_CandidateName]


_SESSIONS: Final = msgspec.json.Decoder(list[_Session])
_FILE: Final = msgspec.json.Decoder(_File)


def recognises(first: bytes) -> bool:
    """Whether a file starts as these do."""
    return first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"Sessions"' in first and b'"ElectionId"' in first


def record_files(sources: Sequence[Source]) -> list[Source]:
    """The files that hold records: the only one, or those named `CvrExport…json`."""
    named = [source for source in sources if _name(source).startswith("cvrexport") and _name(source).endswith(".json")]
    return named or (list(sources) if len(sources) == 1 else [])


def read_dominion_json(sources: Sequence[Source], name: str, progress: Progress = silent) -> Cards:
    """The cards of one export. Raises AuditError, naming the file and the session."""
    assembly = Assembly(name)
    files = record_files(sources)
    total, done = sum(source.size for source in files), 0
    for source in files:
        with source.open() as stream:
            for sessions in _sessions(source, Counted(source, stream, progress, done, total)):
                _take(assembly, source.name, sessions)
        done += source.size
    assembly.pack()
    return assembly.finish(_shapes(assembly, sources))


def _name(source: Source) -> str:
    return PurePosixPath(source.name).name.lower()


def _sessions(source: Source, stream: Counted) -> Iterator[list[_Session]]:
    """The sessions of a file, some at a time.

    A session starts with its tabulator, and no text in JSON can hold this start with its unescaped quotation marks; so the file
    is cut there. What stands before the first and after the last of them is decoded with the last one, as the whole file would
    be.
    """
    head = b""
    rest = stream.read(BLOCK)
    if rest.startswith(b"\xef\xbb\xbf"):
        rest = rest[3:]
    first = _start(rest, rest.find(_START))
    if first < 0:
        yield _whole(source, stream, rest)
        return
    head, rest = rest[:first], rest[first:]
    while True:
        data = stream.read(BLOCK)
        if not data:
            break
        rest += data
        last = _start(rest, rest.rfind(_START))
        if last > 0:
            cut = rest[:last].rstrip(b" \t\r\n")
            if not cut.endswith(b","):
                raise AuditError(f"{source.name}: no comma stands between two sessions; the file is damaged, ask for it anew")
            yield _decode(source, _SESSIONS, b"[" + cut[:-1] + b"]")
            rest = rest[last:]
        elif len(rest) > LONGEST_SESSION:
            raise AuditError(f"{source.name}: a session has more than {LONGEST_SESSION} bytes; check what the file is")
    yield _decode(source, _FILE, head + rest).Sessions


def _start(data: bytes, place: int) -> int:
    """Where the object starts whose first key stands at a place; below zero where there is none or it is not the first key."""
    if place < 0:
        return -1
    end = place - 1
    while end >= 0 and data[end] in b" \t\r\n":
        end -= 1
    return end if end >= 0 and data[end] == ord("{") else -1


def _whole(source: Source, stream: Counted, rest: bytes) -> list[_Session]:
    parts, size = [rest], len(rest)
    while data := stream.read(1 << 22):
        parts.append(data)
        size += len(data)
        if size > MOST_WHOLE:
            raise AuditError(f"{source.name}: its sessions do not start with TabulatorId, and it is too large to be read whole")
    return _decode(source, _FILE, b"".join(parts)).Sessions


def _decode(source: Source, decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(rb'"TabulatorId"\s*:\s*(\d{1,9})\s*,\s*"BatchId"\s*:\s*(\d{1,9})', data)
        where = f" at or after tabulator {int(place[1])}, batch {int(place[2])}" if place else ""
        raise AuditError(f"{source.name}{where}: not a Dominion export as it is known ({error}); export it anew") from error


def _take(assembly: Assembly, name: str, sessions: list[_Session]) -> None:
    """Notes the cards of some sessions."""
    find = assembly.columns.get
    for session in sessions:
        record, modified = session.Original, session.Modified
        if modified is not None and modified.IsCurrent:
            if record.IsCurrent:
                raise AuditError(f"{name}: {_called(session)} has two current records; ask which of them counts")
            record = modified
        row = assembly.row
        for contests in [record.Contests or []] if record.Cards is None else [card.Contests for card in record.Cards]:
            for contest in contests:
                column = find(contest.Id) or assembly.column(contest.Id)
                marks = contest.Marks
                voted: int | tuple[int, ...] | str
                if not marks:
                    voted = ()
                elif len(marks) == 1 and not contest.Overvotes:
                    voted = marks[0].CandidateId if marks[0].IsVote else ()
                else:
                    voted = _voted(marks, contest.Overvotes)
                if not record.IsCurrent:
                    voted = REDACTED
                number = column.known.get(voted)
                column.numbers.append(column.number(voted) if number is None else number)
                column.rows.append(row)
        record_number = session.RecordId if type(session.RecordId) is int else _record_number(name, session)
        if session.TabulatorId < 0 or session.BatchId < 0 or not 0 <= record_number < 1 << 31:
            raise AuditError(f"{name}: {_called(session)} has a negative number, or one that is too large; export it anew")
        batch = f"{session.TabulatorId}-{session.BatchId}"
        assembly.card(batch, record_number, f"{batch}-{record_number}")


def _voted(marks: list[_Mark], overvotes: int) -> int | tuple[int, ...]:
    """The marks that count: a single one as its option, several ranked ones in their order after a -1, or ascending after a 0.

    Whether several of the first rank are several votes or an overvoted rank is known once all records are read (`_several`,
    `_ranking`).
    """
    votes = [mark for mark in marks if mark.IsVote]
    if not votes or (overvotes > 0 and all(mark.Rank <= 1 for mark in marks)):
        return ()
    if len(votes) == 1:
        return votes[0].CandidateId
    if all(mark.Rank <= 1 for mark in votes):
        return (0, *sorted({mark.CandidateId for mark in votes}))
    by_rank: dict[int, set[int]] = {}
    for mark in votes:
        by_rank.setdefault(mark.Rank, set()).add(mark.CandidateId)
    ranking: dict[int, None] = {}
    for rank in sorted(by_rank):
        if len(by_rank[rank]) > 1:
            break
        ranking.update(dict.fromkeys(by_rank[rank]))
    return (-1, *ranking)


def _several(marks: int | tuple[int, ...]) -> tuple[int, ...]:
    """The options of a contest without ranks."""
    return (marks,) if isinstance(marks, int) else tuple(sorted(marks[1:]))


def _ranking(marks: int | tuple[int, ...]) -> tuple[int, ...]:
    """The options of a ranked contest: two at the first rank end the ranking before it starts."""
    if isinstance(marks, int):
        return (marks,)
    return () if len(marks) > 2 and marks[0] == 0 else marks[1:]


def _called(session: _Session) -> str:
    return f"tabulator {session.TabulatorId}, batch {session.BatchId}, record {session.RecordId}"


def _record_number(name: str, session: _Session) -> int:
    """The number of a record that was blacked out: the name of the image still says it."""
    try:
        mask = msgspec.json.decode(session.ImageMask, type=str)
    except msgspec.DecodeError:
        mask = ""
    found = _MASK.search(mask)
    if found is None:
        raise AuditError(
            f"{name}: {_called(session)} has no number, and its image is not named by one; ask for an export with it"
        )
    return int(found[1])


def _shapes(assembly: Assembly, sources: Sequence[Source]) -> list[Shape]:
    """Contests and candidates, from the manifests where there are any."""
    contests: dict[int, _ContestName] = {}
    candidates: dict[int, list[_CandidateName]] = {}
    for source in sources:
        if _name(source) == "contestmanifest.json":
            contests = {each.Id: each for each in _names(source, _Contests).List}
        elif _name(source) == "candidatemanifest.json":
            for candidate in _names(source, _Candidates).List:
                candidates.setdefault(candidate.ContestId, []).append(candidate)
    return [
        _shape(number, assembly.columns.get(number) or Column(), contests.get(number), candidates.get(number, []))
        for number in sorted({*contests, *(key for key in assembly.columns if isinstance(key, int))})
    ]


def _names(source: Source, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(source.small().removeprefix(b"\xef\xbb\xbf"), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuditError(f"{source.name}: not a list of names as Dominion exports it ({error}); export it anew") from error


def _shape(number: int, column: Column, contest: _ContestName | None, candidates: list[_CandidateName]) -> Shape:
    found = [marks for marks in column.known if isinstance(marks, int | tuple)]
    ranked = contest.NumOfRanks > 0 if contest else any(isinstance(marks, tuple) and marks[:1] == (-1,) for marks in found)
    rule = _ranking if ranked else _several
    titles = {candidate.Id: candidate.Description for candidate in candidates}
    options = sorted({*titles, *(option for marks in found for option in rule(marks) if option != -1)})
    most = contest.VoteFor if contest else max((len(rule(marks)) for marks in found), default=1)
    return Shape(
        key=number,
        id=str(number),
        options=tuple((option, str(option)) for option in options),
        most=len(options) if ranked else most,
        ranked=ranked,
        title=contest.Description if contest else "",
        titles=tuple(distinct_names([titles.get(option, "") for option in options])) if titles else (),
        rule=rule,
    )
