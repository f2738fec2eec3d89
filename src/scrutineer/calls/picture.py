"""The lead against the share counted, as one picture and as the table that says the same. Pure, the same bytes everywhere."""

from dataclasses import dataclass
from typing import Final

from scrutineer.calls.partial import PartialCount
from scrutineer.errors import CallError

GAMMAS: Final = (100, 200, 300)
"""The sensitivities whose bounds are drawn, in hundredths."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at a count. Shares are in hundredths of a percent, leads in hundredths of a percentage point of the valid votes.

    Bounds are bounds of the final lead; a bound above zero means that the lead cannot be lost under it. None: unbounded or
    not known at that look.
    """

    stations: int
    """Counted stations."""
    counted: int
    """Share counted: of the roll where every roll is known, else of the stations."""
    votes: int
    """The lead in votes."""
    lead: int
    low: int | None
    """The interval of the final lead."""
    high: int | None
    arithmetic: int | None
    """The least final lead whatever the open ballots are."""
    bounds: tuple[int | None, ...]
    """For each of the track's gammas the least final lead when the outstanding stations are such a reweighting."""


@dataclass(frozen=True, slots=True)
class Track:
    """The lead of one candidate over another from look to look. Raises CallError where the looks do not follow each other."""

    title: str
    leader: str
    rival: str
    of_roll: bool
    """Whether shares counted are of the roll; else of the stations."""
    gammas: tuple[int, ...]
    """In hundredths."""
    moments: tuple[Moment, ...]
    level: str = "90 %"
    """Of the interval."""

    def __post_init__(self) -> None:
        if any(later.stations <= earlier.stations for earlier, later in zip(self.moments, self.moments[1:], strict=False)):
            raise CallError("the picture: looks must follow each other with more stations counted each time")
        if any(len(moment.bounds) != len(self.gammas) for moment in self.moments):
            raise CallError("the picture: each look needs one bound for each gamma")


def track(partial: PartialCount, title: str, *, looks: int = 24, gammas: tuple[int, ...] = GAMMAS) -> Track:
    """The lead of the candidate with most votes over the closest rival, at evenly spaced looks at the order of arrival.

    Raises CallError where no station is counted or there is only one candidate.
    """
    raise NotImplementedError


def picture(track: Track) -> str:
    """The track as SVG: no scripts, fonts or references; colours follow the page's custom properties where it has them."""
    raise NotImplementedError


def rows(track: Track) -> tuple[tuple[str, ...], ...]:
    """The track as a table, plain text, the first row its heading: the equal of the picture."""
    raise NotImplementedError
