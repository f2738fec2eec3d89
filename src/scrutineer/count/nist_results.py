"""Results as a NIST SP 1500-100 Election Results Reporting v2 report in JSON, written piece by piece.

The report is a pure function of what it is given: keys in a fixed order, whole numbers only, one line with LF at its end. So
the same count gives the same bytes everywhere. Where the schema has no place for a figure of a tally sheet, this is what its
documentation allows:

- votes: `VoteCounts` of type `total` for every unit with a counted station. An option whose votes nobody stated has none.
- blank votes: `Undervotes` in `OtherCounts`, where a ballot marks one option (a ballot without a mark is one undervote);
  otherwise `BallotsCast` in `BallotCounts` of type `other`, `blank`.
- null votes: `BallotsRejected` in `BallotCounts`; ballots cast: `BallotsCast` beside it. They belong to the election and not
  to a contest, so with several contests their type is `other` and their `OtherType` the identifier of the contest.
- control totals: `ExternalIdentifier`s of the contest with the number of its `VoteCounts` and their sum.
- the sheet behind a station's figures: an `ExternalIdentifier` of the station with the hash of the statement.

A unit without a counted station has no counts at all: unknown is not zero.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Contest, Election
from scrutineer.election.nist import UNDETERMINED, DetailLevel, ReportParts, ReportStatus
from scrutineer.election.nist_import import CONTEST_PREFIX, OWN, UNIT_PREFIX
from scrutineer.errors import CountError

_BLOCK: Final = 8192  # units written at a time
_encode: Final = msgspec.json.Encoder().encode


class ContestFigures(Protocol):
    """Columns of one contest over all units of the election, by position among the units; UNKNOWN where nobody said."""

    @property
    def votes(self) -> NDArray[np.int64]:
        """Votes per unit and option, shape (units, options), over the counted stations of the unit."""

    @property
    def blank(self) -> NDArray[np.int64]:
        """Blank votes per unit."""

    @property
    def null(self) -> NDArray[np.int64]:
        """Null votes per unit."""

    @property
    def cast(self) -> NDArray[np.int64]:
        """Ballots cast per unit."""

    @property
    def stations(self) -> NDArray[np.int64]:
        """Stations of each unit that vote in the contest."""

    @property
    def counted(self) -> NDArray[np.int64]:
        """Stations of each unit that are counted."""

    def sheet(self, station: int) -> bytes | None:
        """Hash of the statement behind the figures of a station, by station number; None where none counts."""


def results_report(
    election: Election,
    figures: Sequence[ContestFigures],
    *,
    status: ReportStatus,
    generated_at: int,
    detail: DetailLevel = "precinct-level",
    sequence: int = 1,
    language: str = UNDETERMINED,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[bytes]:
    """The report in pieces that together are one JSON text.

    `figures` has one entry for each contest, in the order of the definition. `generated_at` is in seconds since 1970;
    `summary-contest` leaves out the stations; `progress` is told contests done and contests in all.
    Raises CountError where the figures do not belong to the election.
    """
    _check(election, figures)
    parts = ReportParts(election, language)
    shown = _shown(election, detail)
    head = parts.head(detail, status, generated_at, sequence)
    yield _open(head) + b',"GpUnit":['
    yield from _joined(_units(election, figures, parts, shown))
    yield b'],"Party":' + _encode(parts.parties()) + b',"Election":[' + _open(parts.election())
    yield b',"Candidate":' + _encode(parts.candidates()) + b',"Contest":['
    for number, contest in enumerate(election.contests):
        yield b"," if number else b""
        yield from _contest(election, number, contest, figures[number], parts, shown)
        if progress is not None:
            progress(number + 1, len(election.contests))
    yield b'],"BallotCounts":['
    yield from _joined(_ballot_counts(election, figures, shown))
    yield b"]}]}\n"


def _check(election: Election, figures: Sequence[ContestFigures]) -> None:
    if len(figures) != len(election.contests):
        raise CountError(
            f"{len(figures)} contests have figures, and the election has {len(election.contests)}: give each its own"
        )
    units = election.units.unit_count
    for contest, given in zip(election.contests, figures, strict=True):
        columns = (given.blank, given.null, given.cast, given.stations, given.counted)
        if given.votes.shape != (units, len(contest.options)) or any(column.shape != (units,) for column in columns):
            raise CountError(f"the figures of contest {contest.id!r} do not have one row for each of the {units} units")


def _shown(election: Election, detail: DetailLevel) -> NDArray[np.bool_]:
    shown = np.ones(election.units.unit_count, dtype=np.bool_)
    if detail == "summary-contest":
        shown[election.units.station_units] = False
        shown[list(election.contest_units)] = True  # a contest refers to its unit, which may be a single station
    return shown


def _units(
    election: Election, figures: Sequence[ContestFigures], parts: ReportParts, shown: NDArray[np.bool_]
) -> Iterator[bytes]:
    units = election.units
    stations = np.stack([given.stations for given in figures])
    counted = np.stack([given.counted for given in figures])
    # A station has completed reporting when it is counted in every contest that it votes in.
    votes_anywhere = stations[:, units.station_units].any(axis=0)
    complete = (counted >= stations)[:, units.station_units].all(axis=0) & votes_anywhere
    before_complete = np.concatenate(([0], np.cumsum(complete)))
    before_all = np.concatenate(([0], np.cumsum(votes_anywhere)))
    first, last = units.first_station[shown], units.last_station[shown]
    numbers = np.full(units.unit_count, -1)
    numbers[units.station_units] = np.arange(units.station_count)
    columns: tuple[list[int], ...] = (
        numbers[shown].tolist(),
        (before_complete[last] - before_complete[first]).tolist(),
        (before_all[last] - before_all[first]).tolist(),
        counted[:, shown].sum(axis=0).tolist(),
    )
    for number, reported, total, started, entry in zip(*columns, parts.units(shown), strict=True):
        done = "completed" if total and reported == total else "in-process" if started else "not-processed"
        entry["CountStatus"] = [{"@type": "ElectionResults.CountStatus", "Type": "total", "Status": done}]
        if number < 0:
            entry["SubUnitsReported"] = reported
            entry["TotalSubUnits"] = total
        else:
            identifiers = _sheets(election, figures, number)
            if identifiers:
                entry["ExternalIdentifier"] = identifiers
        yield _encode(entry)


def _sheets(election: Election, figures: Sequence[ContestFigures], station: int) -> list[dict[str, Any]]:
    found = []
    for contest, given in zip(election.contests, figures, strict=True):
        name = given.sheet(station)
        if name is not None:
            found.append(
                {
                    "@type": "ElectionResults.ExternalIdentifier",
                    "Type": "other",
                    "OtherType": f"{OWN}sheet",
                    "Value": name.hex(),
                    "Label": CONTEST_PREFIX + contest.id,
                }
            )
    return found


def _contest(
    election: Election,
    number: int,
    contest: Contest,
    given: ContestFigures,
    parts: ReportParts,
    shown: NDArray[np.bool_],
) -> Iterator[bytes]:
    entry = parts.contest(number)
    unit = election.contest_units[number]
    entry["SubUnitsReported"] = int(given.counted[unit])
    entry["TotalSubUnits"] = int(given.stations[unit])
    rows = np.flatnonzero(shown & (given.counted > 0))
    stated = given.votes[rows][given.votes[rows] != UNKNOWN]
    entry["ExternalIdentifier"] += [_control("rows", len(stated)), _control("sum", int(stated.sum()))]
    yield _open(entry) + b',"ContestSelection":['
    ids = [election.units.ids[row] for row in rows.tolist()]
    for option in range(len(contest.options)):
        yield (b"," if option else b"") + _open(parts.selection(contest, option)) + b',"VoteCounts":['
        yield from _counts("VoteCounts", '"Type":"total","Count"', ids, given.votes[rows, option])
        yield b"]}"
    yield b"]"
    if contest.single_choice():
        yield b',"OtherCounts":['
        yield from _counts("OtherCounts", '"Undervotes"', ids, given.blank[rows])
        yield b"]"
    yield b"}"


def _control(what: str, value: int) -> dict[str, Any]:
    """A control total of a contest: how many `VoteCounts` it has, or what they add up to."""
    return {
        "@type": "ElectionResults.ExternalIdentifier",
        "Type": "other",
        "OtherType": f"{OWN}control-{what}",
        "Value": str(value),
    }


def _counts(kind: str, member: str, ids: list[str], counts: NDArray[np.int64]) -> Iterator[bytes]:
    """One object for each unit whose count is known, in blocks."""
    before, between = f'{{"@type":"ElectionResults.{kind}","GpUnitId":"{UNIT_PREFIX}', f'",{member}:'
    known = counts != UNKNOWN
    if not known.all():
        ids = list(itertools.compress(ids, known.tolist()))
        counts = counts[known]
    for start in range(0, len(ids), _BLOCK):
        # There are millions of these objects. Filling a block's numbers into one text is the fastest way to write them;
        # identifiers hold no percent sign.
        block = ids[start : start + _BLOCK]
        text = f"{before}{f'{between}%d}},{before}'.join(block)}{between}%d}}" % tuple(counts[start : start + _BLOCK].tolist())
        yield b"," * (start > 0) + text.encode()


def _ballot_counts(election: Election, figures: Sequence[ContestFigures], shown: NDArray[np.bool_]) -> Iterator[bytes]:
    several = len(figures) > 1
    for contest, given in zip(election.contests, figures, strict=True):
        type_ = f'"other","OtherType":"{CONTEST_PREFIX}{contest.id}"' if several else '"total"'
        blank_type = f"{CONTEST_PREFIX}{contest.id} blank" if several else "blank"
        rows = np.flatnonzero(shown & (given.counted > 0))
        for row, cast, null, blank in _blocks(rows, given.cast[rows], given.null[rows], given.blank[rows]):
            head = f'{{"@type":"ElectionResults.BallotCounts","GpUnitId":"{UNIT_PREFIX}{election.units.ids[row]}","Type":'
            members = f',"BallotsCast":{cast}' if cast != UNKNOWN else ""
            members += f',"BallotsRejected":{null}' if null != UNKNOWN else ""
            if members:
                yield f"{head}{type_}{members}}}".encode()
            if blank != UNKNOWN and not contest.single_choice():
                yield f'{head}"other","OtherType":"{blank_type}","BallotsCast":{blank}}}'.encode()


def _blocks(*columns: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
    """The rows of columns of equal length; as Python's integers a block at a time, because those take much more memory."""
    for start in range(0, len(columns[0]), _BLOCK):
        yield from zip(*(column[start : start + _BLOCK].tolist() for column in columns), strict=True)


def _open(entry: dict[str, Any]) -> bytes:
    """An object that goes on: without its closing brace."""
    return _encode(entry)[:-1]


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Elements of an array with commas between them, in blocks."""
    block: list[bytes] = []
    first = True
    for piece in pieces:
        block.append(piece)
        if len(block) == _BLOCK:
            yield (b"" if first else b",") + b",".join(block)
            block, first = [], False
    if block:
        yield (b"" if first else b",") + b",".join(block)
