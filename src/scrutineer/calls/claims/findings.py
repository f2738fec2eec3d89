"""What a check of an announcement found: typed, with its arithmetic in words."""

from dataclasses import dataclass
from typing import Literal

from scrutineer.language import Phrase

Code = Literal[
    "sum-of-options",
    "sum-of-parts",
    "part-exceeds-total",
    "sum-of-percentages",
    "votes-against-percentages",
    "parts-against-percentages",
    "cast-against-roll",
    "turnout",
    "stations",
    "counted-share",
    "added-votes",
    "added-total",
    "added-above-outstanding",
    "added-sheets",
    "share-shift",
]
"""Options against valid; valid, null and blank against cast; one figure above what contains it; percentages above or below 100;
votes against percentages; valid, null, blank against their shares of cast; more cast than registered; the turnout percentage;
more stations counted than there are; the share counted against the numbers of stations. Between two announcements: the votes
added for an option; all votes added; these against the voters left; the sheets added; whether so few votes can move a share
so far."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of figures against each other."""

    code: Code
    fits: bool | None
    """True: they agree. False: they cannot all be right as announced. None: the figures given do not decide it."""
    text: Phrase
    """The arithmetic, for people."""
    explanations: tuple[Phrase, ...] = ()
    """Where they do not agree: what, other than intent, is known to lead to that."""
