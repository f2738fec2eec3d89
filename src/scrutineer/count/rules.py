"""The rules that every sheet is held against, each with its id, severity and wording.

A rule of severity `error` puts the sheet in quarantine, a `warning` is shown beside it. A definition can change the severity.
Rules see whole columns of sheets at once, so the same code judges one sheet and a million. Where a figure that a rule
compares is unknown the rule is silent: unknown is neither zero nor wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import UNKNOWN, Contest
from scrutineer.election.definition import Severity
from scrutineer.errors import DefinitionError
from scrutineer.language import msg

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sheets:
    """Sheets of one contest as columns, one row per sheet; UNKNOWN (-1) where a sheet does not state a figure."""

    contest: Contest
    counts: NDArray[np.int32]
    """Votes per ballot option, shape (sheets, options); first preferences in a ranked contest."""
    blank: NDArray[np.int32]
    null: NDArray[np.int32]
    cast: NDArray[np.int32]
    voters: NDArray[np.int32]
    stated_roll: NDArray[np.int32]
    """The roll as the sheet states it."""
    roll: NDArray[np.int64]
    """The roll as the definition has it."""
    time: NDArray[np.int64]
    opened: NDArray[np.int64]
    """When the station declared itself open; UNKNOWN where it has not."""
    opening_required: bool

    @cached_property
    def complete(self) -> Mask:
        """Whether every option has a known count."""
        return np.asarray((self.counts >= 0).all(axis=1), dtype=np.bool_)

    @cached_property
    def marked(self) -> NDArray[np.int64]:
        """Sum of the options (of the known ones)."""
        marked: NDArray[np.int64] = np.maximum(self.counts, 0).sum(axis=1, dtype=np.int64)
        return marked

    @cached_property
    def ballots(self) -> NDArray[np.int64]:
        """Ballots in the box: as stated, else what options, blank and null add up to; UNKNOWN where neither is known."""
        cast = self.cast.astype(np.int64)
        if not (self.contest.single_choice() or self.contest.rule == "ranked"):
            return cast
        added = self.marked + np.maximum(self.blank, 0) + np.maximum(self.null, 0)
        return np.where(cast >= 0, cast, np.where(self.complete, added, UNKNOWN))

    @cached_property
    def known_roll(self) -> NDArray[np.int64]:
        """The definition's roll; where it has none, the roll that the sheet states."""
        return np.where(self.roll >= 0, self.roll, self.stated_roll.astype(np.int64))


Check = Callable[[Sheets], Mask]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` is None where the fold itself decides (it needs more than the sheet)."""

    id: str
    severity: Severity
    wording: str
    """What is said of a sheet that fails, in English (`say.later` says it in a language); no blame, only what the figures say."""
    check: Check | None = None


def _sum_differs(sheets: Sheets) -> Mask:
    blank, null, cast = (np.maximum(column, 0).astype(np.int64) for column in (sheets.blank, sheets.null, sheets.cast))
    known = (sheets.cast >= 0) & sheets.complete
    if sheets.contest.single_choice() or sheets.contest.rule == "ranked":
        stated = known & (sheets.blank >= 0) & (sheets.null >= 0)
        # An unstated blank or null figure leaves room for a difference, but never for more marks than ballots.
        added = sheets.marked + blank + null
        differs: Mask = (stated & (added != cast)) | (known & ~stated & (added > cast))
        return differs
    valid = cast - blank - null
    most_choices = sheets.contest.max_choices if sheets.contest.max_choices > 1 else len(sheets.contest.options)
    # Several names can be written in on one ballot, and all of them count for the one option.
    once = [option.id != sheets.contest.write_in for option in sheets.contest.options]
    impossible: Mask = known & ((sheets.counts > valid[:, None])[:, once].any(axis=1) | (sheets.marked > most_choices * valid))
    return impossible


def _above_roll(sheets: Sheets) -> Mask:
    ballots, roll = sheets.ballots, sheets.known_roll
    return (ballots >= 0) & (roll >= 0) & (ballots > roll)


def _above_voters(sheets: Sheets) -> Mask:
    ballots = sheets.ballots
    return (ballots >= 0) & (sheets.voters >= 0) & (ballots > sheets.voters)


def _voters_above_roll(sheets: Sheets) -> Mask:
    roll = sheets.known_roll
    return (sheets.voters >= 0) & (roll >= 0) & (sheets.voters > roll)


def _below_voters(sheets: Sheets) -> Mask:
    # A few voters leave without casting their ballot. The limits are those of warning W.203 in the Dutch results software
    # Abacus: at least 15 ballots and at least 2 % of them.
    ballots = sheets.ballots
    fewer = np.maximum(sheets.voters - ballots, 0)
    many: Mask = (ballots >= 0) & (sheets.voters >= 0) & (fewer >= 15) & (50 * fewer >= ballots)
    return many


def _all_zero(sheets: Sheets) -> Mask:
    result: Mask = (sheets.counts == 0).all(axis=1)
    return result


def _full_turnout(sheets: Sheets) -> Mask:
    full: Mask = (sheets.ballots == sheets.known_roll) & (sheets.known_roll > 0)
    return full


def _before_opening(sheets: Sheets) -> Mask:
    early = (sheets.opened >= 0) & (sheets.time >= 0) & (sheets.time < sheets.opened)
    return early | (sheets.opened < 0) if sheets.opening_required else early


def _incomplete(sheets: Sheets) -> Mask:
    return ~sheets.complete


def _roll_differs(sheets: Sheets) -> Mask:
    differs: Mask = (sheets.roll >= 0) & (sheets.stated_roll >= 0) & (sheets.roll != sheets.stated_roll)
    return differs


RULES: Final = (
    Rule("sum", "error", msg("Options, blank and null votes do not add up to the ballots cast."), _sum_differs),
    Rule("above-roll", "error", msg("There are more ballots than registered voters."), _above_roll),
    Rule("above-voters", "error", msg("There are more ballots than voters who were checked in."), _above_voters),
    Rule("voters-above-roll", "error", msg("More voters were checked in than are registered."), _voters_above_roll),
    Rule("unknown-station", "error", msg("The sheet names a station that the definition does not have.")),
    Rule("wrong-contest", "error", msg("The sheet is for a contest, or for options, that this station does not vote on.")),
    Rule("duplicate", "warning", msg("The station sent a second sheet with the same figures.")),
    Rule(
        "conflict",
        "error",
        msg("The station sent sheets for the same contest with different figures or different ballot records."),
    ),
    Rule("all-zero", "error", msg("Every option has zero votes."), _all_zero),
    Rule("full-turnout", "warning", msg("Exactly as many ballots as registered voters."), _full_turnout),
    Rule("before-opening", "error", msg("The sheet was closed before the station was declared open."), _before_opening),
    Rule("revoked-key", "error", msg("The sheet was signed with a key that had been revoked.")),
    Rule("incomplete", "error", msg("At least one option's votes are unknown."), _incomplete),
    Rule("roll-differs", "warning", msg("The sheet states another roll than the definition."), _roll_differs),
    Rule(
        "below-voters",
        "warning",
        msg("There are clearly fewer ballots than voters who were checked in (15 and 2 % or more)."),
        _below_voters,
    ),
    Rule("key-revoked-later", "warning", msg("The key that signed the sheet was revoked after the sheet was recorded.")),
)
RULE_IDS: Final = tuple(rule.id for rule in RULES)
_BIT: Final = {rule.id: 1 << number for number, rule in enumerate(RULES)}

CONFLICT, DUPLICATE, REVOKED_KEY, BEFORE_OPENING = (
    _BIT[rule_id] for rule_id in ("conflict", "duplicate", "revoked-key", "before-opening")
)
KEY_REVOKED_LATER = _BIT["key-revoked-later"]
UNKNOWN_STATION, WRONG_CONTEST = _BIT["unknown-station"], _BIT["wrong-contest"]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules with the severities of one election. Findings are bit sets, one bit per rule in the order of RULES."""

    severities: tuple[Severity, ...]
    errors: int
    """Bits of the rules that quarantine."""
    on: int
    """Bits of the rules that are not switched off."""

    @classmethod
    def of(cls, changed: Mapping[str, Severity]) -> "RuleBook":
        """The rules' own severities, except where the definition changes them.

        Raises DefinitionError for a rule that does not exist or cannot be switched off.
        """
        for rule_id in changed:
            if rule_id not in _BIT:
                raise DefinitionError(f"there is no rule {rule_id!r}: use one of {', '.join(RULE_IDS)}")
            if rule_id in ("unknown-station", "wrong-contest", "conflict", "incomplete") and changed[rule_id] != "error":
                raise DefinitionError(f"rule {rule_id!r} cannot be weakened: without it no total would be defined")
        severities = tuple(changed.get(rule.id, rule.severity) for rule in RULES)
        errors = sum(1 << n for n, severity in enumerate(severities) if severity == "error")
        on = sum(1 << n for n, severity in enumerate(severities) if severity != "off")
        return cls(severities, errors, on)

    def check(self, sheets: Sheets) -> NDArray[np.uint32]:
        """The failed rules of each sheet, of those rules that look at the sheet alone."""
        flags = np.zeros(len(sheets.cast), dtype=np.uint32)
        for number, rule in enumerate(RULES):
            if rule.check is not None and self.on >> number & 1:
                flags[rule.check(sheets)] |= np.uint32(1 << number)
        return flags

    def names(self, flags: int) -> tuple[str, ...]:
        """The ids of failed rules, errors first."""
        failed = [number for number in range(len(RULES)) if flags >> number & 1]
        failed.sort(key=lambda number: (not self.errors >> number & 1, number))
        return tuple(RULES[number].id for number in failed)


def rule(rule_id: str) -> Rule:
    """A rule by its id."""
    return RULES[RULE_IDS.index(rule_id)]
