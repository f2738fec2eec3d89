"""Tally sheets from a table that people fill in: one row per station and contest."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scrutineer.election import Election
from scrutineer.errors import UsageError
from scrutineer.statements import TallySheet
from scrutineer.statements.tally_sheet import FIGURES, MAX_COUNT, MAX_TIME

KEYS: Final = ("station", "contest")
_TIME: Final = "time"
_VOTES: Final = "votes:"
_SHOWN: Final = 64  # characters of a cell that a message repeats


def read_sheets(path: Path, election: Election) -> Iterator[TallySheet]:
    """Sheets of a CSV file with the columns station, contest, blank, null, cast, voters, roll, time and votes:<option>.

    Only station, contest and the options' columns are needed; an empty cell is unknown. Raises UsageError that names line
    and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, list(reader.fieldnames or ()), election)
            empty = True
            for row in reader:  # Blank lines are passed over.
                empty = False
                yield _sheet(path, reader.line_num, row, election)
            if empty:
                raise UsageError(f"{path} has no row below its header: write one row for each station and contest")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: save it as UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{path} is not readable as CSV ({error}): check the quotation marks") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path") from error


def _check_header(path: Path, header: list[str], election: Election) -> None:
    """Refuse a header in which a figure could get lost: one that is misspelt would pass for unknown."""
    options = {f"{_VOTES}{option.id}" for contest in election.contests for option in contest.options}
    if len(header) == 1 and (separator := next((mark for mark in ";\t|" if mark in header[0]), "")):
        raise UsageError(f"{path}, line 1: the columns are separated by {separator!r}; save the table with commas between them")
    for needed in KEYS:
        if needed not in header:
            raise UsageError(f"{path}, line 1: there is no column {needed!r}; write the header station,contest,votes:<option>,…")
    for name in header:
        if name not in options and name not in (*KEYS, *FIGURES, _TIME):
            known = ", ".join((*KEYS, *FIGURES, _TIME))
            raise UsageError(
                f"{path}, line 1: the column {name[:_SHOWN]!r} is not known; use {known} and one votes:<option> for each option"
            )
        if header.count(name) > 1:
            raise UsageError(f"{path}, line 1: the column {name!r} is there twice; remove one")


def _sheet(path: Path, line: int, row: dict[str | None, str | None], election: Election) -> TallySheet:
    where = f"{path}, line {line}"
    if None in row or None in row.values():
        raise UsageError(f"{where}: not as many cells as the header has columns; fill in or remove cells")
    contest_id = row["contest"] or ""
    number = election.contest_index.get(contest_id)
    if number is None:
        raise UsageError(
            f"{where}, contest: there is no contest {contest_id[:_SHOWN]!r}; use one of {', '.join(election.contest_index)}"
        )
    station = election.units.station_index.get(row["station"] or "")
    if station is None:
        raise UsageError(f"{where}, station: there is no station {(row['station'] or '')[:_SHOWN]!r}; write an id of units.csv")
    if not election.votes_in(station, number):
        raise UsageError(f"{where}, station: {row['station']!r} does not vote in contest {contest_id!r}; remove the row")
    contest = election.contests[number]
    if contest.rule == "ranked":
        raise UsageError(
            f"{where}: sheets of the ranked contest {contest_id!r} carry rankings, which a table of this form cannot"
        )
    counts = tuple(_count(where, f"{_VOTES}{option.id}", row) for option in contest.options)
    blank, null, cast, voters, roll, time = (_count(where, name, row) if name in row else None for name in (*FIGURES, _TIME))
    return TallySheet(election.hash, row["station"] or "", contest_id, counts, blank, null, cast, voters, roll, time)


def _count(where: str, column: str, row: dict[str | None, str | None]) -> int | None:
    if column not in row:
        raise UsageError(f"{where}: there is no column {column!r}; add it, with empty cells where the figure is unknown")
    text = (row[column] or "").strip()
    if not text:
        return None
    most = MAX_TIME - 1 if column == _TIME else MAX_COUNT
    # The length comes first: turning a million digits into a number takes very long.
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
        what = "a number of seconds since 1970" if column == _TIME else "a count"
        raise UsageError(
            f"{where}, {column}: {text[:_SHOWN]!r} is not {what}; write digits only (at most {most}), "
            "or leave the cell empty where it is unknown"
        )
    return int(text)
