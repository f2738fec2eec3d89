"""All checks of announcements, judged together: each question with its answer, and Holm over all tests of a bulletin."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.calls.claims.agreement import Agreement, agreement
from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.answers import (
    Answer,
    agreement_answer,
    computed_answer,
    reach_answer,
    record_answer,
    still_open_answer,
)
from scrutineer.calls.claims.computed import Computed, computed, family, part_tests
from scrutineer.calls.claims.holm import Adjusted, holm
from scrutineer.calls.claims.reach import Reach, reach
from scrutineer.calls.claims.record import Record, RecordAnswer, against
from scrutineer.calls.claims.still_open import StillOpen, still_open
from scrutineer.errors import CallError

LEVEL: Final = Fraction(1, 100)
"""At most this chance that any test of an honest bulletin stands out, over all its tests together."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One announcement with everything that was computed of it."""

    announcement: Announcement
    agreement: Agreement
    computed: Computed | None
    tests: tuple[Adjusted, ...]
    """Every test of this announcement, adjusted for their number."""
    still_open: StillOpen | None
    record: RecordAnswer | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Two announcements of the same contest and unit, one after the other, by their positions."""

    earlier: int
    later: int
    reach: Reach
    answer: Answer


@dataclass(frozen=True, slots=True)
class Examination:
    """What the examination of a sequence of announcements found."""

    examined: tuple[Examined, ...]
    between: tuple[Between, ...]
    level: Fraction

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers: of each announcement, then between them."""
        return (*(answer for row in self.examined for answer in row.answers), *(row.answer for row in self.between))

    @property
    def contradicts(self) -> bool:
        """Whether something cannot be right as announced."""
        return any(answer.status == "contradiction" for answer in self.answers)

    @property
    def flagged(self) -> tuple[Answer, ...]:
        """The answers that ask for an explanation."""
        return tuple(answer for answer in self.answers if answer.flagged)


def examine(
    announcements: Sequence[Announcement],
    records: Sequence[Record | None] | Record | None = None,
    *,
    band: Fraction = Fraction(0),
    level: Fraction = LEVEL,
) -> Examination:
    """Examine announcements in the order of time.

    `records` is what to hold them against: one record for all, or one (or None) for each. `band` is the share of the votes within
    which the law has a result recounted. The lead of an announcement is judged only where its figures agree with each other and
    with the announcement of the same contest and unit before it, if there is one. Raises CallError for bad settings, and for
    records of which no figure can be compared.
    """
    if not announcements:
        raise CallError("there is no announcement to examine: give at least one")
    if not 0 < level < 1:
        raise CallError(f"level {level} of the tests: give a chance above 0 and below 1, such as 1/100")
    each = [records] * len(announcements) if records is None or isinstance(records, Record) else list(records)
    if len(each) != len(announcements):
        raise CallError(f"{len(each)} records for {len(announcements)} announcements: give one for all or one for each")
    between = tuple(_between(announcements, earlier, later) for earlier, later in _pairs(announcements))
    broken = {row.later for row in between if row.answer.status == "contradiction"}
    examined = tuple(
        _examined(announcement, record, band, level, follows=number not in broken)
        for number, (announcement, record) in enumerate(zip(announcements, each, strict=True))
    )
    return Examination(examined, between, level)


def _examined(announcement: Announcement, record: Record | None, band: Fraction, level: Fraction, *, follows: bool) -> Examined:
    agreed = agreement(announcement)
    best = agreed.best
    found = computed(announcement, best)
    tests = holm(family(announcement, best))
    parts = part_tests(announcement, best.rule if best is not None else announcement.rounding or "half-up")
    lead = still_open(announcement, band=band)
    answers = [
        agreement_answer(announcement, agreed),
        computed_answer(found, parts, tests, level),
        still_open_answer(lead, coherent=agreed.coherent and follows),
    ]
    held = None if record is None else against(announcement, record)
    if held is not None:
        answers.append(record_answer(held))
    return Examined(announcement, agreed, found, tests, lead, held, tuple(answers))


def _pairs(announcements: Sequence[Announcement]) -> list[tuple[int, int]]:
    """Each announcement with the one before it of the same contest and unit."""
    last: dict[tuple[str, str], int] = {}
    pairs = []
    for number, announcement in enumerate(announcements):
        place = (announcement.contest, announcement.unit)
        if place in last:
            pairs.append((last[place], number))
        last[place] = number
    return pairs


def _between(announcements: Sequence[Announcement], earlier: int, later: int) -> Between:
    found = reach(announcements[earlier], announcements[later])
    return Between(earlier, later, found, reach_answer(found))
