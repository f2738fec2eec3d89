"""The call of one contest as a bulletin states it: the verdict and the exact figures that it rests on."""

from typing import Literal

import msgspec

from scrutineer.errors import StatementError

MAX_CONDITIONS = 4_096
_LONGEST_TEXT = 256  # characters
_LONGEST_BINDING = 4_096  # characters; in a tie it names every candidate

CallVerdict = Literal["not-coherent", "arithmetic", "statistics", "not-decided"]


class CalledCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One condition of the outcome, or of who is ahead, and whether it can still fail."""

    code: str
    """What is compared, with the candidates' ids: `lead:heron:kingfisher`."""
    verdict: CallVerdict
    reasons: tuple[str, ...] = ()
    value: int
    """The condition's value over the counted stations, in its own scale; for a lead, votes."""
    slack: int | None = None
    """What the worst case of everything open leaves of it; None where a roll is unknown."""
    flips_at: int | None = None
    """The smallest gamma that flips it, in hundredths; None where it was not asked for, or no gamma does."""
    seen: int | None = None
    """The largest difference between later and earlier arrivals, as a gamma in hundredths; None likewise."""

    def __post_init__(self) -> None:
        texts = (self.code, *self.reasons)
        if any(not text or len(text) > _LONGEST_TEXT for text in texts) or len(self.reasons) > len(set(self.reasons)):
            raise StatementError("a condition of a call has a code or reasons that are empty, too long or given twice")
        for figure in (self.flips_at, self.seen):
            if figure is not None and figure < 100:
                raise StatementError("a condition of a call names a gamma below 1.00")


class ContestCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Whether the outcome of one contest, over its whole unit, can still change."""

    contest: str
    verdict: CallVerdict
    reasons: tuple[str, ...] = ()
    binding: str
    """What gives first, by position of the candidates: `pair:0:1`, `threshold:0`, `none` …"""
    slack: int | None = None
    """Ballots between what is open and the fewest that can change the outcome; above 0 decides by arithmetic."""
    conditions: tuple[CalledCondition, ...] = ()
    """The conditions on which the outcome rests; of very many those nearest to failing."""
    lead: CalledCondition | None = None
    """Whether the candidate with the most votes stays ahead of the next; None without a single leader."""

    def __post_init__(self) -> None:
        if len(self.conditions) > MAX_CONDITIONS or len(self.binding) > _LONGEST_BINDING:
            raise StatementError(f"a call has more than {MAX_CONDITIONS} conditions, or a binding that is too long")
