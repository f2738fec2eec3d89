"""What somebody announced: the figures of one contest at one moment, exactly as given."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.calls.claims.percent import RULES, Percent, Rule
from scrutineer.errors import CallError
from scrutineer.language import Phrase

MAX_TOTAL: Final = 10**10
"""More votes, voters or stations than any election has; every figure is at most this."""
MAX_FIGURES: Final = 100
MAX_TEXT: Final = 2000
"""Characters of any one text."""

Base = Literal["valid", "cast", "roll"]
"""Of what the options' percentages are shares: votes for options; those and blank and null ballots; registered voters."""

BASES: Final[tuple[Base, ...]] = ("valid", "cast", "roll")

BASE_NAMES: Final[dict[Base, Phrase]] = {"valid": Phrase("valid"), "cast": Phrase("cast"), "roll": Phrase("roll")}


@dataclass(frozen=True, slots=True)
class Figure:
    """What was announced for one option, or for all other options together.

    Raises CallError where neither votes nor a percentage is given, or one of them cannot be.
    """

    name: str
    votes: int | None = None
    percent: Percent | None = None
    others: bool = False
    """Whether this is the sum of all options that are not listed by name."""
    option: str = ""
    """Id of the option or candidate in the definition of the election, where the announcement is held against a record."""

    def __post_init__(self) -> None:
        _check_text("name of an option", self.name, needed=True)
        _check_text(f"option of {self.name!r}", self.option)
        _check_count(f"votes of {self.name!r}", self.votes)
        _check_percent(f"percentage of {self.name!r}", self.percent)
        if self.votes is None and self.percent is None:
            raise CallError(f"option {self.name!r} has neither votes nor a percentage: give one of them or leave it out")


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement as a value. None means that the figure was not announced, which is not the same as zero.

    The constructor refuses what cannot be meant (no figures, names twice, figures below zero or above 10^10), and nothing else:
    figures that contradict each other are what the checks are for, so they must be expressible. Raises CallError.
    """

    who: str
    """Who announced it."""
    when: str
    """When, in the words of the source."""
    source: str
    """Where it can be read or heard."""
    contest: str
    figures: tuple[Figure, ...]
    valid: int | None = None
    """Votes for all options together."""
    null: int | None = None
    blank: int | None = None
    cast: int | None = None
    """All who voted: valid, null and blank (the turnout in votes)."""
    percent_of_valid: Percent | None = None
    """The valid votes as a share of all cast."""
    percent_of_null: Percent | None = None
    """The null votes as a share of all cast."""
    percent_of_blank: Percent | None = None
    """The blank votes as a share of all cast."""
    turnout_percent: Percent | None = None
    """Those who voted as a share of the roll (it may be the roll of the counted stations)."""
    counted_percent: Percent | None = None
    """The share of tally sheets counted."""
    stations: int | None = None
    """All stations, or tally sheets, of the contest."""
    stations_counted: int | None = None
    roll: int | None = None
    """Registered voters of the whole contest."""
    base: Base | None = None
    """Of what the options' percentages are shares; None where that was not said, and is inferred."""
    rounding: Rule | None = None
    """How the percentages were shortened; None where that was not said, and is inferred."""
    unit: str = ""
    """Id of the unit that the figures are of; empty where they are of the contest as a whole."""

    def __post_init__(self) -> None:
        for name in ("who", "when", "source", "contest", "unit"):
            _check_text(name, getattr(self, name), needed=name == "who")
        if not self.figures:
            raise CallError("announcement: there is no figure: give at least one option with its votes or its percentage")
        if len(self.figures) > MAX_FIGURES:
            raise CallError(f"announcement: {len(self.figures)} figures are more than the {MAX_FIGURES} that are taken")
        names = [figure.name for figure in self.figures]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CallError(f"announcement: the option {twice[0]!r} is listed twice: give each option once")
        if sum(figure.others for figure in self.figures) > 1:
            raise CallError("announcement: two figures are for all other options together: give one")
        for name in ("valid", "null", "blank", "cast", "stations", "stations_counted", "roll"):
            _check_count(name, getattr(self, name))
        for name in ("percent_of_valid", "percent_of_null", "percent_of_blank", "turnout_percent", "counted_percent"):
            _check_percent(name, getattr(self, name))
        if self.stations == 0 or self.roll == 0:
            raise CallError("announcement: a contest without stations or voters: leave the figure out where it is not known")
        if self.base is not None and self.base not in BASES:
            raise CallError(f"announcement: base {self.base!r} is none of {', '.join(BASES)}: leave it out where it was not said")
        if self.rounding is not None and self.rounding not in RULES:
            raise CallError(f"announcement: rounding {self.rounding!r} is none of {', '.join(RULES)}")

    @property
    def others(self) -> Figure | None:
        """The figure for all options that are not listed by name, where there is one."""
        return next((figure for figure in self.figures if figure.others), None)

    @property
    def named(self) -> tuple[Figure, ...]:
        """The figures of single options."""
        return tuple(figure for figure in self.figures if not figure.others)

    @property
    def counted_share(self) -> Fraction | None:
        """The share of sheets counted: from the numbers of sheets where both are given, else the percentage as it stands."""
        if self.stations is not None and self.stations_counted is not None:
            return Fraction(self.stations_counted, self.stations)
        return None if self.counted_percent is None else self.counted_percent.share


def _check_text(what: str, text: object, *, needed: bool = False) -> None:
    if not isinstance(text, str):
        raise CallError(f"announcement: {what} must be a text")
    if len(text) > MAX_TEXT:
        raise CallError(f"announcement: {what} has {len(text)} characters, more than {MAX_TEXT}: shorten it")
    if needed and not text.strip():
        raise CallError(f"announcement: {what} is empty: say it")


def _check_count(what: str, count: object) -> None:
    if count is None:
        return
    if not isinstance(count, int) or isinstance(count, bool):
        raise CallError(f"announcement: {what} = {str(count)[:20]!r} is not a whole number: give an integer, or leave it out")
    if not 0 <= count <= MAX_TOTAL:
        raise CallError(f"announcement: {what} lies outside 0 to {MAX_TOTAL}: check its digits")


def _check_percent(what: str, percent: object) -> None:
    if percent is not None and not isinstance(percent, Percent):
        raise CallError(f"announcement: {what} must be a Percent, which keeps its digits")
