"""What a replay found: what agrees with the published audit, what differs, and what could not be computed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scrutineer.errors import AuditError

MOST_DIFFERENCES: Final = 1000
"""Named differences that one check keeps; their number is kept whatever it is."""


class Verdict(StrEnum):
    """How one published figure, or group of figures, compares with the same computed again."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_COMPUTED = "not computed"


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of published figures of one contest and round, held against the same computed again."""

    subject: str
    """What was compared: "ticket numbers", "drawn units", "P-value"; a fixed word for programs."""
    contest: str = ""
    """Empty where it is about the audit as a whole."""
    round: int = 0
    """0 where it is about all rounds."""
    compared: int = 0
    """How many figures were compared."""
    differing: int = 0
    differences: tuple[str, ...] = ()
    """Each a sentence that names what differs, in the order of the report."""
    reason: str = ""
    """Why it could not be computed; empty where it was."""
    published: str = ""
    """The figure as published, where it is one."""
    again: str = ""
    """The figure as computed again, where it is one."""

    @property
    def verdict(self) -> Verdict:
        """Whether it agrees."""
        if self.reason:
            return Verdict.NOT_COMPUTED
        return Verdict.DIFFERS if self.differing else Verdict.AGREES


@dataclass(frozen=True, slots=True)
class Replay:
    """All that was compared of one audit."""

    audit: str
    """The audit's name."""
    kind: str
    """Its type and its mathematics, as published."""
    seed: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    """What was assumed, each a sentence."""

    def of(self, verdict: Verdict) -> tuple[Check, ...]:
        """The checks with that verdict."""
        return tuple(check for check in self.checks if check.verdict is verdict)

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and nothing differs. What could not be computed does not count here."""
        return bool(self.of(Verdict.AGREES)) and not self.of(Verdict.DIFFERS)


def compared(subject: str, contest: str, round_number: int, total: int, differences: Iterable[str]) -> Check:
    """The check of `total` figures, of which some differ."""
    found = tuple(differences)
    return Check(subject, contest, round_number, total, len(found), found[:MOST_DIFFERENCES])


def figure(subject: str, contest: str, round_number: int, published: str, again: str, *, same: bool) -> Check:
    """The check of a single figure."""
    differences = () if same else (f"published {published}, computed again {again}",)
    return Check(subject, contest, round_number, 1, len(differences), differences, "", published, again)


def guarded(make: Callable[[], Check], subject: str, contest: str = "", round_number: int = 0) -> Check:
    """A check, or why it could not be made: AuditError becomes its reason."""
    try:
        return make()
    except AuditError as error:
        return impossible(subject, contest, round_number, str(error))


def impossible(subject: str, contest: str, round_number: int, reason: str, published: str = "") -> Check:
    """The check of a figure that could not be computed again, and why."""
    return Check(subject, contest, round_number, reason=reason, published=published)
