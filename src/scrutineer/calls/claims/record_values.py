"""A record that announcements are held against, and what came of holding one against it. Values only; record.py makes them."""

from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.calls.claims.announcement import MAX_TOTAL, Figure
from scrutineer.calls.partial import PartialCount
from scrutineer.election import Contest
from scrutineer.errors import CallError
from scrutineer.language import Phrase

Kind = Literal["option", "total", "lead"]
ANY_STATIONS: Final = MAX_TOTAL
"""Stands for a number of stations that nobody knows."""


@dataclass(frozen=True, eq=False)
class Record:
    """Sheets of one contest (in one unit), and how an announcement may name what stands on them."""

    source: str
    """Whose sheets they are, in words."""
    partial: PartialCount
    names: tuple[tuple[str, ...], ...]
    """For each candidate every id and name by which it may be meant."""
    complete: bool
    """Whether the record lists every station of the contest: a log does, a published set need not."""
    single_choice: bool = True
    """Whether a ballot is for at most one option."""

    @classmethod
    def of_contest(cls, partial: PartialCount, contest: Contest, source: str, *, complete: bool) -> "Record":
        """A record of a contest of a definition or layout. Raises CallError for ranked contests, whose sheets hold no totals."""
        if contest.rule == "ranked":
            raise CallError(f"contest {contest.id!r} is ranked: its sheets hold rankings, which no announced totals compare with")
        named: list[dict[str, None]] = [dict.fromkeys((c.id, c.name)) for c in contest.standing()]
        holders = contest.candidate_of_option()
        for option, holder in zip(contest.options, holders, strict=True):
            if holders.count(holder) == 1:
                named[holder] |= dict.fromkeys((option.id, option.name))
        return cls(source, partial, tuple(map(tuple, named)), complete, contest.single_choice())

    def find(self, figure: Figure) -> int | None:
        """The candidate that a figure is of: by its option id where it gives one, else by its name, in any case."""
        if figure.option:
            return next((at for at, names in enumerate(self.names) if figure.option in names), None)
        wanted = _plain(figure.name)
        found = [at for at, names in enumerate(self.names) if wanted in map(_plain, names)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Moment:
    """How many stations an announcement is of, as far as that is known, beside those of the record."""

    stations: int | None
    """All stations of the contest; None where neither the record nor the announcement says."""
    least: int
    """Stations that the announcement is of, at least."""
    most: int
    stated: bool
    """Whether the announcement says how much of the count it is of."""
    whole: bool = False
    """Whether it is of all stations, however many there are."""

    @property
    def left_out(self) -> tuple[int, int]:
        """How many stations the announcement leaves out, at least and at most."""
        if self.whole:
            return 0, 0
        if self.stations is None:
            return 0, ANY_STATIONS
        return self.stations - self.most, self.stations - self.least


@dataclass(frozen=True, slots=True)
class Compared:
    """One announced value beside the record."""

    kind: Kind
    name: str
    announced: int
    counted: int
    """The value on the counted sheets."""
    low: int | None
    """The least that the announced value can be if the record is right; None where nothing bounds it."""
    high: int | None
    needed: tuple[int, int] | None
    """What the sheets outside the record must hold for it, at least and at most; None where that is not known."""
    pair: tuple[str, str] | None = None
    """Of a lead: who leads whom."""

    @property
    def difference(self) -> int:
        """Announced less counted."""
        return self.announced - self.counted

    @property
    def excess(self) -> int:
        """Votes by which the announced value lies outside what is possible: above (positive), below (negative), or not (0)."""
        if self.high is not None and self.announced > self.high:
            return self.announced - self.high
        if self.low is not None and self.announced < self.low:
            return self.announced - self.low
        return 0


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Whether an announcement and a record can both be right."""

    source: str
    sheets: int
    """Counted sheets of the record."""
    listed: int
    moment: Moment
    compared: tuple[Compared, ...]
    fits: bool | None
    """False: they cannot both be right. True: they can. None: the figures given do not decide it."""
    statement: Phrase
    """The strongest true statement."""
    explained: Phrase
    """What is compared with what, and from which moments."""
    notes: tuple[Phrase, ...]
    """What limits the answer: figures that were not compared, rolls that are not known, what was assumed."""


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
