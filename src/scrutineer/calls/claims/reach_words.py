"""What lies between two announcements, in phrases, and what is known to lead to differences."""

from typing import Final

from scrutineer.calls.claims.announcement import MAX_TOTAL, Announcement
from scrutineer.calls.claims.rounding import Span
from scrutineer.language import Phrase, Quantity, Sayable

CORRECTIONS: Final = (
    Phrase("sheets were corrected, annulled or recounted in between"),
    Phrase("one of the two announcements has a slip in a digit, or another list of options"),
)
OTHER_SHARE: Final = (
    Phrase("the share counted may be of sheets transmitted where the votes are of sheets tallied, or the other way round"),
    Phrase("the sheets added may be of larger stations than those before"),
    Phrase("one of the percentages may be of another base, or shortened by another rule"),
)
OTHERS: Final = Phrase("all others")


def sheets(announcement: Announcement) -> Sayable:
    """The share of sheets counted, as announced."""
    share = announcement.counted_percent
    return share if share is not None else Quantity(announcement.counted_share or 0.0, 6, share=True, exact=True)


def said_votes(votes: Span, total: Span) -> Sayable:
    """Votes as far as an announcement gives them: where nothing bounds its total, a range of them would say nothing."""
    return Phrase("a number that was not announced") if votes.count > 1 and total.high >= MAX_TOTAL else votes


def change(added: Span) -> Phrase:
    """Votes added, or taken away, with their sign."""
    low, high = Quantity(added.low, sign=True), Quantity(added.high, sign=True)
    if added.count == 1:
        return Phrase.several("{change} vote", "{change} votes", abs(added.low), change=low)
    if grows(added) is None:
        return Phrase("the figures given do not say whether votes were added")
    return Phrase("{low} to {high} votes", low=low, high=high)


def grows(added: Span) -> bool | None:
    """Whether votes were added; None where the figures do not say."""
    if added.low >= 0:
        return True
    return None if added.high >= 0 else False
