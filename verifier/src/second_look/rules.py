"""What is held against one sheet (docs/formats.md, "Counting"; docs/reference/rules.md). Unknown figures keep a rule silent."""

from dataclasses import dataclass, field
from typing import Any

OWN_SEVERITIES = {
    "sum": "error",
    "above-roll": "error",
    "above-voters": "error",
    "voters-above-roll": "error",
    "unknown-station": "error",
    "wrong-contest": "error",
    "duplicate": "warning",
    "conflict": "error",
    "all-zero": "error",
    "full-turnout": "warning",
    "before-opening": "error",
    "revoked-key": "error",
    "incomplete": "error",
    "roll-differs": "warning",
    "below-voters": "warning",
    "key-revoked-later": "warning",
}
FIXED = ("unknown-station", "wrong-contest", "conflict", "incomplete")


@dataclass
class Sheet:
    """One sheet as it stands in the log; None is unknown."""

    index: int
    hash: bytes
    kid: bytes
    counts: list[int | None]
    figures: tuple[int | None, ...]
    """Blank, null, cast, voters, roll."""
    time: int | None
    records: bytes | None
    rankings: Any = None
    flags: set[str] = field(default_factory=set)

    def says(self) -> tuple[Any, ...]:
        """What makes two sheets of a station the same."""
        return self.counts, self.figures, self.rankings


def is_single_choice(contest: dict[str, Any]) -> bool:
    """Whether a valid ballot adds exactly one to the sum of the options."""
    return contest["rule"] not in ("approval", "ranked") and contest["max_choices"] == 1


def adds_up(contest: dict[str, Any]) -> bool:
    """Whether options, blank and null votes are as many as the ballots."""
    return is_single_choice(contest) or contest["rule"] == "ranked"


def first_preferences(rankings: Any, options: int) -> list[int | None]:
    """How many ballots put each option first; unknown where that is more than a count can hold."""
    counts = [0] * options
    for order, ballots in rankings:
        counts[order[0]] += ballots
    return [count if count < 1 << 31 else None for count in counts]


def failed(contest: dict[str, Any], sheet: Sheet, roll: int | None) -> set[str]:
    """The rules that a sheet fails by its figures and the definition's roll."""
    counts = sheet.counts
    blank, null, cast, voters, stated_roll = sheet.figures
    complete = None not in counts
    marked = sum(count or 0 for count in counts)
    added = marked + (blank or 0) + (null or 0)
    ballots = cast if cast is not None or not adds_up(contest) or not complete else added
    limit = roll if roll is not None else stated_roll
    found = set()
    if cast is not None and complete:
        if adds_up(contest):
            stated = blank is not None and null is not None
            wrong = added != cast if stated else added > cast
        else:
            valid = cast - (blank or 0) - (null or 0)
            choices = contest["max_choices"] if contest["max_choices"] > 1 else len(counts)
            # Several names can be written in on one ballot, and all of them count for the one option.
            ids = [option["id"] for option in contest["options"]]
            once = [count for count, option in zip(counts, ids, strict=True) if option != contest["write_in"]]
            wrong = marked > choices * valid or any((count or 0) > valid for count in once)
        if wrong:
            found.add("sum")
    if ballots is not None and limit is not None and ballots > limit:
        found.add("above-roll")
    if ballots is not None and voters is not None and ballots > voters:
        found.add("above-voters")
    if voters is not None and limit is not None and voters > limit:
        found.add("voters-above-roll")
    if all(count == 0 for count in counts):
        found.add("all-zero")
    if ballots is not None and limit and ballots == limit:
        found.add("full-turnout")
    if not complete:
        found.add("incomplete")
    if roll is not None and stated_roll is not None and roll != stated_roll:
        found.add("roll-differs")
    if ballots is not None and voters is not None and voters - ballots >= 15 and 50 * (voters - ballots) >= ballots:
        found.add("below-voters")
    return found


def is_early(sheet: Sheet, opened: int | None, opening_required: bool) -> bool:
    """Whether a sheet fails `before-opening`: closed before its station was opened, or not opened where that is required."""
    if opened is None:
        return opening_required
    return sheet.time is not None and sheet.time < opened
