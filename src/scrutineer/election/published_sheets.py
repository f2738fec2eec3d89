"""Sheets out of the rows of a results file: one for each row, or gathered from one row for each option."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from scrutineer.election.contests import MAX_OPTIONS, Option
from scrutineer.election.layout_model import FIGURES, ContestColumns, FileFormat, RowPerOption
from scrutineer.election.published_numbers import NumberError, Numbers
from scrutineer.election.unit_ids import UnitIds, clean_name
from scrutineer.errors import LayoutError

ROLL: Final = "roll"


class PublishedSheet(NamedTuple):
    """One station's figures in one contest as somebody published them. None means not known, which is not zero.

    The fields up to `source` mean what they mean in a tally sheet.
    """

    station: str
    contest: str
    counts: tuple[int | None, ...]
    blank: int | None
    null: int | None
    cast: int | None
    voters: int | None
    roll: int | None
    time: int | None
    source: str
    valid: int | None
    """Valid votes where the file states them; a tally sheet does not carry them, they are its sum."""
    line: int


class Place(NamedTuple):
    """What a row says besides its figures."""

    station: str
    line: int
    time: int | None
    source: str
    roll_known: bool
    """False where the layout says that the station has no roll of its own."""


class RowError(ValueError):
    """A row that cannot be read: the columns at fault (-1: the row as a whole) and why. Never leaves the reader."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


class SheetPerRow:
    """A contest whose figures stand in one row for each station."""

    def __init__(self, columns: ContestColumns, header: Mapping[str, int], form: FileFormat, roll: tuple[str, ...]) -> None:
        self.contest = columns.contest
        names = [*columns.options, *(columns.figures.get(figure, ()) for figure in FIGURES), roll]
        self._numbers = Numbers(form, [tuple(header[column] for column in group) for group in names])
        self._options = len(columns.options)
        self.sheets: list[PublishedSheet] = []
        self.withheld: set[str] = set()

    def take(self, row: list[str], place: Place) -> int | None:
        """Enter a row; the roll that it states. Raises RowError where a figure cannot be read."""
        try:
            values = self._numbers.read(row)
        except NumberError as error:
            self.withheld.add(place.station)
            raise RowError(self._numbers.faults(row) or [(-1, str(error))]) from error
        counts = values[: self._options]
        blank, null, cast, voters, valid, roll = values[self._options :]
        if not place.roll_known:
            roll = None
        if values[:-1].count(None) < len(values) - 1:
            self.sheets.append(
                PublishedSheet(
                    place.station,
                    self.contest.id,
                    counts,
                    blank,
                    null,
                    cast,
                    voters,
                    roll,
                    place.time,
                    place.source,
                    valid,
                    place.line,
                )
            )
        return roll

    def finish(self) -> None:
        """Nothing is left to gather."""


@dataclass(slots=True)
class _Gathered:
    """A sheet as it grows row by row."""

    place: Place
    counts: dict[int, int | None] = field(default_factory=dict)
    figures: dict[str, int | None] = field(default_factory=dict)


class SheetFromRows:
    """A contest whose figures stand in one row for each station and option."""

    def __init__(
        self,
        columns: ContestColumns,
        rows: RowPerOption,
        header: Mapping[str, int],
        form: FileFormat,
        roll: tuple[str, ...],
        chosen: Mapping[str, str] | None,
    ) -> None:
        """Gather the contest of the layout, or, where other cells were chosen, a contest whose options the file names."""
        self.contest = columns.contest
        self._rows = rows
        self._option_column = header[rows.option]
        groups = (tuple(header[column] for column in group) for group in (rows.votes, roll))
        self._numbers = Numbers(form, list(groups))
        self._open = chosen is not None
        if chosen:
            title = " ".join(chosen.values())
            new_id = UnitIds().give("", tuple(chosen.values()), tuple(chosen.values()))
            self.contest = msgspec.structs.replace(columns.contest, id=new_id, title=clean_name(title, new_id), candidates=())
        self._values = {value: number for number, value in enumerate(() if self._open else columns.values)}
        self._gathered: dict[str, list[_Gathered]] = {}
        self.sheets: list[PublishedSheet] = []
        self.withheld: set[str] = set()

    def take(self, row: list[str], place: Place) -> int | None:
        """Enter a row; the roll that it states. Raises RowError where it cannot be read: its station then has no sheet."""
        value = row[self._option_column].strip()
        figure = self._rows.figures.get(value)
        number = self._values.get(value)
        if figure is None and number is None:
            if not self._open or not value or len(self._values) >= MAX_OPTIONS:
                self.withheld.add(place.station)
                raise RowError([(self._option_column, f"{value[:60]!r} is no option of the layout's contest; add it there")])
            number = self._values[value] = len(self._values)
        try:
            votes, roll = self._numbers.read(row)
        except NumberError as error:
            self.withheld.add(place.station)
            raise RowError(self._numbers.faults(row) or [(-1, str(error))]) from error
        sheet = self._sheet(place, figure, number)
        if figure is not None:
            sheet.figures[figure] = votes
        elif number is not None:
            sheet.counts[number] = votes
        if roll is not None and place.roll_known:
            sheet.figures[ROLL] = roll
        return roll if place.roll_known else None

    def _sheet(self, place: Place, figure: str | None, number: int | None) -> _Gathered:
        """The station's first sheet that has no row for this option yet: an option named twice begins a second sheet."""
        sheets = self._gathered.setdefault(place.station, [])
        for sheet in sheets:
            if (figure is not None and figure not in sheet.figures) or (figure is None and number not in sheet.counts):
                return sheet
        sheets.append(_Gathered(place))
        return sheets[-1]

    def finish(self) -> None:
        """Turn what was gathered into sheets, in the order in which the file first names their stations. Raises LayoutError."""
        if self._open:
            if not self._values:
                raise LayoutError(f"contest {self.contest.title!r}: no row names an option; choose cells that stand in the file")
            ids = UnitIds()
            options = tuple(Option(ids.give("", (value,), (value,)), clean_name(value, "-")) for value in self._values)
            self.contest = msgspec.structs.replace(self.contest, options=options)
        count = len(self._values)
        absent = 0 if self._rows.absent_is_zero else None
        for station, sheets in self._gathered.items():
            for sheet in sheets if station not in self.withheld else ():
                place, figures = sheet.place, sheet.figures
                counts = tuple(sheet.counts.get(number, absent) for number in range(count))
                blank, null, cast, voters, valid = (figures.get(figure) for figure in FIGURES)
                if all(value is None for value in (*sheet.counts.values(), blank, null, cast, voters, valid)):
                    continue
                self.sheets.append(
                    PublishedSheet(
                        station,
                        self.contest.id,
                        counts,
                        blank,
                        null,
                        cast,
                        voters,
                        figures.get(ROLL),
                        place.time,
                        place.source,
                        valid,
                        place.line,
                    )
                )
