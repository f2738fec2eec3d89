"""What the picture of a lead says in words, and names as it shows them. Plain text in one language; nothing here is escaped."""

import unicodedata
from fractions import Fraction
from typing import Final

from scrutineer.calls.track import WHOLE, Moment, Track
from scrutineer.language import ENGLISH, PlainSay

LONGEST: Final = 28  # characters of a name in the picture; title and description have all of it
_ISOLATE: Final = "\u2068", "\u2069"  # around a name whose letters go the other way


def headline(track: Track, *, say: PlainSay = ENGLISH) -> str:
    """What the picture shows, in one line; plain text."""
    leader, rival = shown(track.leader, say), shown(track.rival, say)
    if not track.title:
        return say("lead of {leader} over {second}", leader=leader, second=rival)
    return say("{contest}: lead of {leader} over {second}", contest=shown(track.title, say), leader=leader, second=rival)


def description(track: Track, *, say: PlainSay = ENGLISH) -> str:
    """The latest look in words, for those who do not see the picture; plain text."""
    now, looks = track.last, len(track.moments)
    if track.of_roll:
        said = say.several(
            "Percentage points of the valid votes against the share of the roll counted, at {n} look.",
            "Percentage points of the valid votes against the share of the roll counted, at {n} looks.",
            looks,
        )
    else:
        said = say.several(
            "Percentage points of the valid votes against the share of the stations counted, at {n} look.",
            "Percentage points of the valid votes against the share of the stations counted, at {n} looks.",
            looks,
        )
    lead = say(
        "With {share} counted ({stations}), the lead is {points} points or {votes}.",
        share=share(now.counted, say),
        stations=say.several("{n} station", "{n} stations", now.stations),
        points=say.points(now.lead),
        votes=say.several("{n} vote", "{n} votes", now.votes),
    )
    interval = ""
    if now.low is not None and now.high is not None:
        low, high = say.points(now.low), say.points(now.high)
        interval = say(
            "The {level} interval of the final lead is {low} to {high}.", level=say.share(track.level), low=low, high=high
        )
    bounds = (_bound_sentence(track, position, say) for position in (None, *range(len(track.gammas))))
    return say.joined([said, lead, interval, *bounds])


def _bound_sentence(track: Track, position: int | None, say: PlainSay) -> str:
    """What the final lead is at least, by arithmetic (None) or at a gamma, and since when that is above zero."""
    bound, since = bound_of(track.last, position), track.since(position)
    least = "" if bound is None else say.points(bound)
    counted = "" if since is None else share(since, say)
    if position is None:
        if bound is None:
            return say("Whatever the open ballots are, nothing bounds the final lead.")
        if since is None:
            return say("Whatever the open ballots are, the final lead is at least {least}.", least=least)
        return say(
            "Whatever the open ballots are, the final lead is at least {least}, above zero since {share} counted.",
            least=least,
            share=counted,
        )
    sensitivity = gamma(track, position, say)
    if bound is None:
        return say("At gamma {gamma}, nothing bounds the final lead.", gamma=sensitivity)
    if since is None:
        return say("At gamma {gamma}, the final lead is at least {least}.", gamma=sensitivity, least=least)
    return say(
        "At gamma {gamma}, the final lead is at least {least}, above zero since {share} counted.",
        gamma=sensitivity,
        least=least,
        share=counted,
    )


def short(name: str, longest: int = LONGEST) -> str:
    """A name that fits into the picture."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def shown(name: str, say: PlainSay) -> str:
    """Other people's words; characters that print nothing, some of which XML forbids, are replaced.

    Names whose letters go the other way than the language are kept apart from what stands around them.
    """
    name = "".join(char if char.isprintable() else "\ufffd" for char in name)
    other = ("L",) if say.language.direction == "rtl" else ("R", "AL")
    apart = any(unicodedata.bidirectional(char) in other for char in name)
    return name.join(_ISOLATE) if apart else name


def bound_of(moment: Moment, position: int | None) -> int | None:
    """A bound of the final lead at a look: by arithmetic (None), or of a gamma by its position."""
    return moment.arithmetic if position is None else moment.bounds[position]


def gamma(track: Track, position: int, say: PlainSay) -> str:
    """A gamma of a track by its position."""
    return say.decimal(Fraction(track.gammas[position], 100))


def share(counted: int, say: PlainSay) -> str:
    """A share counted."""
    return say.share(Fraction(counted, WHOLE))
